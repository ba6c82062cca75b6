/* Descriptors that stand for processes; the calls that use them are in several files. */
#pragma once

#include "lib/types.h"

struct file;
struct pid;

/* Whom F stands for (a reference is F's), *THREAD: for one thread; NULL: F is no pidfd. */
struct pid *pidfd_pid(const struct file *f, bool *thread);
/* A new one for PID, not yet in any descriptor table. err_ptr. */
struct file *pidfd_file(struct pid *pid, unsigned flags);
/* What PID names has changed so that who polls it should look. proc_tree_lock held. */
void pidfd_wake(struct pid *pid);
