/* Seals of files in memory (fcntl(2), F_ADD_SEALS). All but memfds are sealed against being sealed. */
#pragma once

#include "lib/types.h"

struct file;
struct vmobject;

unsigned seals_of(struct vmobject *o); /* F_SEAL_* */
/* F_ADD_SEALS: 0, -EPERM, -EINVAL, -EBUSY. F is a file of tmpfs. */
int seals_add(struct file *f, unsigned seals);
void memfd_init(void);
