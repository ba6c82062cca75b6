/* procfs: what the kernel knows, as text in files; mounted on /proc by mount(2), type "proc". */
#pragma once

#include "lib/types.h"

struct file;
struct pid;

void procfs_init(void); /* after vfs_init */

/* Whose directory F is: that of /proc/PID; the reference is F's. NULL for all other files. */
struct pid *procfs_dir_pid(const struct file *f);

/* Process 1 is about to run its first instruction: note how long that took and how much memory is in use. */
void procfs_note_boot(void);
