/* /dev/null, zero, full, random, urandom and kmsg; /proc/kmsg. */
#pragma once

void mem_init(void);  /* the memory devices; after vfs_init */
void kmsg_init(void); /* /dev/kmsg; after vfs_init */

/* /proc/kmsg: the log's text as it comes, each byte once. */
extern const struct file_ops kmsg_stream_ops;
