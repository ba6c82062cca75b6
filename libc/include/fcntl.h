/* <fcntl.h>. */
#pragma once

#include <abi/fcntl.h>
#include <abi/stat.h>

int open(const char *path, int flags, ...);
int openat(int dirfd, const char *path, int flags, ...);
int creat(const char *path, mode_t mode);
int fcntl(int fd, int command, ...);
int fallocate(int fd, int mode, off_t offset, off_t length);
int posix_fallocate(int fd, off_t offset, off_t length);
int posix_fadvise(int fd, off_t offset, off_t length, int advice);
ssize_t readahead(int fd, off_t offset, size_t count);

struct iovec;
ssize_t splice(int in, off_t *in_off, int out, off_t *out_off, size_t count, unsigned flags);
ssize_t tee(int in, int out, size_t count, unsigned flags);
ssize_t vmsplice(int fd, const struct iovec *iov, size_t count, unsigned flags);
