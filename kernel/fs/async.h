/*
 * Signal-driven input and output: who is told by signal that a file is ready (F_SETOWN, F_SETSIG, O_ASYNC).
 */
#pragma once

#include <abi/fcntl.h>

#include "lib/types.h"

struct file;
struct pid;

/* ID of a thread, process or group, by TYPE (F_OWNER_*); 0: nobody. -ESRCH, -ENOMEM. */
long async_set_owner(struct file *f, int type, int id);
struct f_owner_ex async_get_owner(struct file *f);
/* With whose rights that was said. */
void async_get_owner_ids(struct file *f, uid_t ids[2]);
/* F_SETSIG: the signal instead of SIGIO; 0: SIGIO again, and without siginfo. */
long async_set_signal(struct file *f, unsigned long signo);
int async_get_signal(struct file *f);
/*
 * Urgent data has come to F: SIGURG to its owner, if somebody was named, whatever O_ASYNC says. Any context, and
 * under any lock that a wakeup may be sent under; F is not yet released.
 */
void async_urgent(struct file *f);
/* O_ASYNC on or off for F, which FD names. Nothing, if F is of no kind that does this. */
long async_switch(struct file *f, int fd, bool on);
/* The last reference to F goes. */
void async_forget(struct file *f);

/* For file_ops.async_owner: nobody is told who hasn't been named. */
struct pid *async_no_owner(struct file *f, int *type);

void async_init(void);
