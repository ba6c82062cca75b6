/*
 * Descriptor tables: an array of descriptions and two bit maps (in use, close on exec). A new table
 * has its arrays inside it; one with more descriptors gets them on their own allocation. t->lock
 * guards everything.
 *
 * Most processes have one thread and a table of their own. Then nobody can close a descriptor in
 * the middle of a call but the caller itself, which does not, so looking a descriptor up needs
 * neither lock nor reference: that is what struct fdref is for. Another process's look at the table
 * (/proc/PID/fd) takes the lock and references of its own and closes nothing.
 */
#include "fs/fdtable.h"

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

#define WORDS(n) (((n) + 63) / 64)

static struct slab_cache *table_cache; /* const after init */

void fdtable_init(void)
{
    table_cache = slab_cache_create("fdtable", sizeof(struct fdtable), 0);
}

static bool bit_test(const uint64_t *map, unsigned i)
{
    return map[i / 64] >> (i % 64) & 1;
}
static void bit_set(uint64_t *map, unsigned i)
{
    map[i / 64] |= 1UL << (i % 64);
}
static void bit_clear(uint64_t *map, unsigned i)
{
    map[i / 64] &= ~(1UL << (i % 64));
}

static struct fdtable *current_table(void)
{
    return current->proc->fdtable;
}

/* ---- looking up ---- */

static struct file *get_locked(struct fdtable *t, unsigned fd)
{
    struct file *f = fd < t->top ? t->files[fd] : NULL;
    if (f)
        file_get(f);
    return f;
}

struct file *fd_get(int fd)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    struct file *f = get_locked(t, (unsigned)fd);
    spin_unlock(&t->lock);
    return f;
}

struct file *fd_get_real(int fd)
{
    struct file *f = fd_get(fd);
    if (f && f->flags & O_PATH) {
        file_put(f);
        return NULL;
    }
    return f;
}

/* ---- allocating ---- */

/* The lowest bit clear at or above FROM, the size of the map when all are set. */
static unsigned find_free(const struct fdtable *t, unsigned from)
{
    for (unsigned w = from / 64; w < WORDS(t->size); w++) {
        uint64_t taken = t->used[w];
        if (w == from / 64)
            taken |= (1UL << (from % 64)) - 1;
        if (~taken)
            return w * 64 + (unsigned)__builtin_ctzl(~taken);
    }
    return max(t->size, from);
}

/* Arrays for SIZE descriptors (a multiple of 64) in one allocation, maps zeroed. */
static bool arrays_alloc(unsigned size, struct file ***files, uint64_t **cloexec, uint64_t **used)
{
    size_t maps = 2 * WORDS(size) * sizeof(uint64_t);
    char *block = kmalloc(size * sizeof(struct file *) + maps);
    if (!block)
        return false;
    *files = (struct file **)block;
    *cloexec = (uint64_t *)(block + size * sizeof(struct file *));
    *used = *cloexec + WORDS(size);
    memset(*cloexec, 0, maps);
    return true;
}

static void use_arrays(struct fdtable *t, unsigned size, struct file **files, uint64_t *cloexec,
                       uint64_t *used)
{
    t->size = size;
    t->files = files;
    t->cloexec = cloexec;
    t->used = used;
}

/* Make room for descriptor FD. t->lock is held, but dropped meanwhile: look again. */
static int grow_locked(struct fdtable *t, unsigned fd)
{
    if (fd >= NR_OPEN_MAX)
        return -EMFILE;
    unsigned size = max(ALIGN_UP(fd + 1, 64u), 2 * t->size);
    struct file **files;
    uint64_t *cloexec, *used;
    spin_unlock(&t->lock);
    bool ok = arrays_alloc(size, &files, &cloexec, &used);
    spin_lock(&t->lock);
    if (!ok)
        return -EMFILE;
    void *unused = files;
    if (size > t->size) {
        unused = t->files == t->small_files ? NULL : t->files;
        memcpy(files, t->files, t->top * sizeof(*files));
        memcpy(cloexec, t->cloexec, WORDS(t->size) * sizeof(*used));
        memcpy(used, t->used, WORDS(t->size) * sizeof(*used));
        use_arrays(t, size, files, cloexec, used);
    }
    kfree(unused);
    return 0;
}

static void mark_used_locked(struct fdtable *t, unsigned fd, bool cloexec)
{
    bit_set(t->used, fd);
    if (cloexec)
        bit_set(t->cloexec, fd);
    else
        bit_clear(t->cloexec, fd);
    while (t->top <= fd)
        t->files[t->top++] = NULL;
}

int fd_reserve(int min_fd, bool cloexec)
{
    struct fdtable *t = current_table();
    uint64_t limit = proc_rlimit(RLIMIT_NOFILE);
    int result;
    spin_lock(&t->lock);
    for (;;) {
        unsigned fd = find_free(t, max((unsigned)min_fd, t->next_free));
        if (fd >= limit) {
            result = -EMFILE;
            break;
        }
        if (fd < t->size) {
            mark_used_locked(t, fd, cloexec);
            if ((unsigned)min_fd <= t->next_free)
                t->next_free = fd + 1;
            result = (int)fd;
            break;
        }
        if ((result = grow_locked(t, fd)))
            break;
    }
    spin_unlock(&t->lock);
    return result;
}

void fd_install(int fd, struct file *f)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    assert(!t->files[fd] && bit_test(t->used, (unsigned)fd));
    t->files[fd] = f;
    spin_unlock(&t->lock);
}

static void release_locked(struct fdtable *t, unsigned fd)
{
    bit_clear(t->used, fd);
    if (fd < t->next_free)
        t->next_free = fd;
}

void fd_release(int fd)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    release_locked(t, (unsigned)fd);
    spin_unlock(&t->lock);
}

int fd_open(struct file *f, bool cloexec)
{
    int fd = fd_reserve(0, cloexec);
    if (fd >= 0)
        fd_install(fd, f);
    return fd;
}

int fd_open_pair(struct file *f[2], bool cloexec, int __user *fds)
{
    int numbers[2];
    int error = numbers[0] = fd_reserve(0, cloexec);

    if (error < 0)
        goto out_files;
    error = numbers[1] = fd_reserve(0, cloexec);
    if (error < 0)
        goto out_first;
    error = copy_to_user(fds, numbers, sizeof(numbers));
    if (error)
        goto out_second;
    fd_install(numbers[0], f[0]);
    fd_install(numbers[1], f[1]);
    return 0;
out_second:
    fd_release(numbers[1]);
out_first:
    fd_release(numbers[0]);
out_files:
    file_put(f[0]);
    file_put(f[1]);
    return error;
}

/* ---- closing ---- */

/* Take FD's description out of the table: the table's reference becomes the caller's. */
static struct file *remove_locked(struct fdtable *t, unsigned fd)
{
    struct file *f = fd < t->top ? t->files[fd] : NULL;
    if (f) {
        t->files[fd] = NULL;
        release_locked(t, fd);
    }
    return f;
}

int fd_close(int fd)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    struct file *f = remove_locked(t, (unsigned)fd);
    spin_unlock(&t->lock);
    if (!f)
        return -EBADF;
    file_close(f, t);
    file_put(f);
    return 0;
}

/* Close all from FIRST to LAST, or just mark them. */
void fd_close_range(unsigned first, unsigned last, bool mark_only)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    for (unsigned fd = first; fd < t->top && fd <= last; fd++) {
        if (mark_only) {
            if (t->files[fd])
                bit_set(t->cloexec, fd);
            continue;
        }
        struct file *f = remove_locked(t, fd);
        if (!f)
            continue;
        spin_unlock(&t->lock);
        file_close(f, t);
        file_put(f);
        spin_lock(&t->lock);
    }
    spin_unlock(&t->lock);
}

/* dup2: make TO name F (a reference is taken), closing what it named. */
int fd_replace(struct file *f, unsigned to, bool cloexec)
{
    struct fdtable *t = current_table();
    int error = 0;
    spin_lock(&t->lock);
    while (!error && to >= t->size)
        error = grow_locked(t, to);
    struct file *old = NULL;
    if (!error) {
        old = to < t->top ? t->files[to] : NULL;
        if (!old && bit_test(t->used, to))
            error = -EBUSY; /* another thread's open() is about to install there */
    }
    if (!error) {
        mark_used_locked(t, to, cloexec);
        file_get(f);
        t->files[to] = f;
    }
    spin_unlock(&t->lock);
    if (!error && old) {
        file_close(old, t);
        file_put(old);
    }
    return error;
}

int fd_get_cloexec(unsigned fd)
{
    struct fdtable *t = current_table();
    spin_lock(&t->lock);
    int result = fd < t->top && t->files[fd] ? bit_test(t->cloexec, fd) : -EBADF;
    spin_unlock(&t->lock);
    return result;
}

int fd_set_cloexec(unsigned fd, bool cloexec)
{
    struct fdtable *t = current_table();
    int result = 0;
    spin_lock(&t->lock);
    if (fd >= t->top || !t->files[fd])
        result = -EBADF;
    else
        mark_used_locked(t, fd, cloexec);
    spin_unlock(&t->lock);
    return result;
}

/* ---- tables as a whole ---- */

static struct fdtable *table_alloc(unsigned size)
{
    struct fdtable *t = slab_alloc(table_cache);
    if (!t)
        return NULL;
    ref_init(&t->ref, 1);
    spin_init(&t->lock, RANK_FDTABLE, "fdtable");
    t->next_free = 0;
    t->top = 0;
    memset(t->small_cloexec, 0, sizeof(t->small_cloexec));
    memset(t->small_used, 0, sizeof(t->small_used));
    use_arrays(t, FDTABLE_SMALL, t->small_files, t->small_cloexec, t->small_used);
    if (size <= FDTABLE_SMALL)
        return t;
    struct file **files;
    uint64_t *cloexec, *used;
    size = ALIGN_UP(size, 64u);
    if (!arrays_alloc(size, &files, &cloexec, &used)) {
        slab_free(table_cache, t);
        return NULL;
    }
    use_arrays(t, size, files, cloexec, used);
    return t;
}

static void table_free(struct fdtable *t)
{
    if (t->files != t->small_files)
        kfree(t->files);
    slab_free(table_cache, t);
}

struct fdtable *fdtable_create(void)
{
    return table_alloc(0);
}

/* A table with room for all of OLD's descriptors, OLD locked; err_ptr. */
static struct fdtable *alloc_for_locked(struct fdtable *old)
{
    for (;;) {
        unsigned room = old->top;
        spin_unlock(&old->lock);
        struct fdtable *t = table_alloc(room);
        spin_lock(&old->lock);
        if (!t)
            return NULL;
        if (t->size >= old->top)
            return t;
        table_free(t);
    }
}

struct fdtable *fdtable_copy(struct fdtable *old)
{
    spin_lock(&old->lock);
    struct fdtable *t = alloc_for_locked(old);
    if (!t) {
        spin_unlock(&old->lock);
        return err_ptr(-ENOMEM);
    }
    unsigned words = WORDS(old->top);
    memcpy(t->cloexec, old->cloexec, words * sizeof(uint64_t));
    memcpy(t->used, old->used, words * sizeof(uint64_t));
    t->next_free = old->next_free;
    t->top = old->top;
    for (unsigned fd = 0; fd < old->top; fd++) {
        struct file *f = old->files[fd];
        t->files[fd] = f;
        if (f)
            file_get(f);
        else if (bit_test(t->used, fd))
            release_locked(t, fd); /* reserved, not yet open */
    }
    spin_unlock(&old->lock);
    return t;
}

void fdtable_put(struct fdtable *t)
{
    if (!ref_put(&t->ref))
        return;
    for (unsigned fd = 0; fd < t->top; fd++) {
        struct file *f = t->files[fd];
        if (f) {
            file_close(f, t);
            file_put(f);
        }
    }
    table_free(t);
}

void fdtable_close_on_exec(struct fdtable *t)
{
    spin_lock(&t->lock);
    for (unsigned w = 0; w < WORDS(t->top); w++) {
        uint64_t doomed;
        while ((doomed = t->cloexec[w] & t->used[w])) {
            unsigned fd = w * 64 + (unsigned)__builtin_ctzl(doomed);
            struct file *f = remove_locked(t, fd);
            bit_clear(t->cloexec, fd);
            if (!f)
                continue;
            spin_unlock(&t->lock);
            file_close(f, t);
            file_put(f);
            spin_lock(&t->lock);
        }
    }
    spin_unlock(&t->lock);
}

int fdtable_unshare(void)
{
    struct proc *p = current->proc;
    struct fdtable *old = p->fdtable;
    if (ref_read(&old->ref) == 1)
        return 0;
    struct fdtable *t = fdtable_copy(old);
    if (is_err(t))
        return (int)ptr_err(t);
    spin_lock(&p->signal_lock);
    p->fdtable = t;
    spin_unlock(&p->signal_lock);
    fdtable_put(old);
    return 0;
}

/* ---- other processes' tables ---- */

static struct fdtable *table_of(struct proc *p)
{
    spin_lock(&p->signal_lock);
    struct fdtable *t = p->fdtable;
    if (t)
        fdtable_get(t);
    spin_unlock(&p->signal_lock);
    return t;
}

struct file *fd_get_of(struct proc *p, unsigned fd, bool *cloexec)
{
    struct fdtable *t = table_of(p);
    if (!t)
        return NULL;
    spin_lock(&t->lock);
    struct file *f = get_locked(t, fd);
    if (f && cloexec)
        *cloexec = bit_test(t->cloexec, fd);
    spin_unlock(&t->lock);
    fdtable_put(t);
    return f;
}

int fd_next_of(struct proc *p, unsigned fd)
{
    struct fdtable *t = table_of(p);
    if (!t)
        return -1;
    spin_lock(&t->lock);
    while (fd < t->top && !t->files[fd])
        fd++;
    int result = fd < t->top ? (int)fd : -1;
    spin_unlock(&t->lock);
    fdtable_put(t);
    return result;
}
