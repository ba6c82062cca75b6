/* What the rest of fs/ knows of epoll sets (epoll.c). */
#pragma once

#include "lib/types.h"

struct file;

/* The last reference to F went: it leaves every set that watches it. May sleep. */
void epoll_forget(struct file *f);

/* /proc/sys/fs/epoll/max_user_watches: how many places all sets together may have. */
size_t epoll_max_items(void);

void epoll_init(void);
