/* procfs: what the kernel knows, as text in files; mounted on /proc by mount(2), type "proc". */
#pragma once

#include "lib/types.h"

void procfs_init(void); /* after vfs_init */

/* Process 1 is about to run its first instruction: note how long that took and how much memory is in use. */
void procfs_note_boot(void);
