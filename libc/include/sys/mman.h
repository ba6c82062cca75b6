/* <sys/mman.h>. */
#pragma once

#include <abi/mman.h>
#include <abi/types.h>

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int munmap(void *addr, size_t length);
int mprotect(void *addr, size_t length, int prot);
void *mremap(void *addr, size_t old_length, size_t new_length, int flags, ...);
int madvise(void *addr, size_t length, int advice);
int posix_madvise(void *addr, size_t length, int advice); /* returns the error */
int msync(void *addr, size_t length, int flags);
int mincore(void *addr, size_t length, unsigned char *vec);
int mlock(const void *addr, size_t length);
int mlock2(const void *addr, size_t length, unsigned flags);
int munlock(const void *addr, size_t length);
int mlockall(int flags);
int munlockall(void);

/* Shared memory with a name, "/name", in /dev/shm: a descriptor, close-on-exec. */
int shm_open(const char *name, int flags, mode_t mode);
int shm_unlink(const char *name);
int memfd_create(const char *name, unsigned flags); /* a file without a name; MFD_* */
