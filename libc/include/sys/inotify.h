/* inotify(7): what happens to files, as a file to read. */
#pragma once

#include <abi/inotify.h>
#include <fcntl.h>
#include <stdint.h>

int inotify_init(void);
int inotify_init1(int flags);
/* The watch's number, the same again for a file that is watched already; or -1. */
int inotify_add_watch(int fd, const char *path, uint32_t mask);
int inotify_rm_watch(int fd, int wd);
