/*
 * Descriptors: small integers that name open descriptions, with one flag of their own
 * (close-on-exec).
 */
#pragma once

#include "fs/file.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "proc/proc.h"
#include "sched/lock.h"
#include "sched/thread.h"
#include "x86/cpu.h"

#define FDTABLE_SMALL 64

struct fdtable {
    struct refcount ref;                     /* atomic: processes that share it (CLONE_FILES) */
    struct spinlock lock;                    /* RANK_FDTABLE */
    unsigned size;                           /* lock: slots */
    struct file **files;                     /* lock: NULL where free */
    uint64_t *cloexec;                       /* lock: bit per descriptor */
    uint64_t *used;                          /* lock: bit per descriptor, reserved ones included */
    unsigned next_free;                      /* lock: no free one is lower */
    unsigned top;                            /* lock: slots below are valid, none above is used */
    struct file *small_files[FDTABLE_SMALL]; /* lock: the arrays, until the table grows */
    uint64_t small_cloexec[FDTABLE_SMALL / 64]; /* lock: as small_files */
    uint64_t small_used[FDTABLE_SMALL / 64];    /* lock: as small_files */
};

/*
 * The cheap way for the length of one system call: while no other thread can close the descriptor
 * the table's own reference serves, and none is taken. FILE is NULL when FD is closed or
 * (fdref_get) O_PATH.
 */
struct fdref {
    struct file *file;
    bool owned; /* a reference was taken */
};
static inline bool fdtable_is_ours(const struct proc *p)
{
    return ref_read(&p->fdtable->ref) == 1 && READ_ONCE(p->nthreads) == 1;
}
struct file *fd_get(int fd);
static inline struct fdref fdref_get_any(int fd) /* O_PATH as well */
{
    struct proc *p = current->proc;
    struct fdtable *t = p->fdtable;
    if (likely(fdtable_is_ours(p)))
        return (struct fdref){(unsigned)fd < t->top ? t->files[fd] : NULL, false};
    struct file *f = fd_get(fd);
    return (struct fdref){f, f != NULL};
}
static inline void fdref_put(struct fdref r)
{
    if (unlikely(r.owned))
        file_put(r.file);
}
static inline struct fdref fdref_get(int fd)
{
    struct fdref r = fdref_get_any(fd);
    if (likely(r.file) && unlikely(r.file->flags & O_PATH)) {
        fdref_put(r);
        return (struct fdref){NULL, false};
    }
    return r;
}

/*
 * The current process's descriptor FD with a reference: NULL when closed (-EBADF is the caller's).
 * file_put() it.
 */
struct file *fd_get(int fd);
/* Also NULL for O_PATH descriptors, which most calls refuse. */
struct file *fd_get_real(int fd);
/*
 * Reserve the lowest free descriptor >= MIN under RLIMIT_NOFILE: number or -EMFILE/-ENOMEM; then
 * install or release.
 */
int fd_reserve(int min, bool cloexec);
void fd_install(int fd, struct file *f); /* takes over the caller's reference */
void fd_release(int fd);
/* Reserve and install at once; on error the reference stays the caller's. */
int fd_open(struct file *f, bool cloexec);
/*
 * Both ends of a pipe or of a pair of sockets: their numbers go to FDS, which nobody can use before.
 * The references are taken over, on error too.
 */
int fd_open_pair(struct file *f[2], bool cloexec, int __user *fds);
int fd_close(int fd);
/* Of another process, for /proc/PID/fd: reference or NULL; *flags gets cloexec. */
struct file *fd_get_of(struct proc *p, unsigned fd, bool *cloexec);
int fd_next_of(struct proc *p, unsigned fd); /* lowest used >= FD, -1 at the end */

struct fdtable *fdtable_create(void);
struct fdtable *fdtable_copy(struct fdtable *t); /* err_ptr(-ENOMEM) */
static inline void fdtable_get(struct fdtable *t)
{
    ref_get(&t->ref);
}
void fdtable_put(struct fdtable *t); /* the last put closes everything. May sleep */
void fdtable_close_on_exec(struct fdtable *t);
/* Give the current process a table of its own if others share it: 0 or -ENOMEM. For exec. */
int fdtable_unshare(void);
