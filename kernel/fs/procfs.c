/*
 * procfs: the tree of procfs_internal.h as inodes and directories.
 *
 * Inodes and dentries are made as names are looked up and go when nobody holds them. An inode holds the
 * struct pid of its process, not the process: each operation asks anew whether it still lives, so a process
 * can come to an end while its files are open, and they then say ESRCH. A dead process's dentries are dropped
 * by revalidate.
 *
 * Inode numbers are made from what the inode is (process, thread, directory, entry), so that readdir and stat
 * agree and stay the same.
 */
#include "fs/procfs.h"

#include <abi/sysmacros.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/procfs_internal.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/pid.h"
#include "proc/proc.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define NUMBERS_FROM 256 /* readdir positions of numbered entries; fixed ones come before */

static struct slab_cache *private_cache; /* const after init */
static const struct inode_ops proc_dir_ops, proc_file_ops, proc_link_ops, proc_magic_ops;
static const struct file_ops proc_dir_fops;

/* ---- who ---- */

int subject_get(const struct proc_inode *pi, struct subject *who)
{
    *who = (struct subject){.fd = pi->fd, .whole = !pi->tid};
    if (!pi->pid)
        return 0;
    spin_lock(&proc_tree_lock);
    struct proc *p = pi->pid->proc;
    struct thread *t = NULL;
    if (p)
        t = pi->tid ? pi->tid->thread : p->leader;
    if (p && t) {
        proc_get(p);
        thread_get(t);
        who->proc = p;
        who->thread = t;
    }
    spin_unlock(&proc_tree_lock);
    return who->proc ? 0 : -ESRCH;
}

void subject_put(struct subject *who)
{
    if (!who->proc)
        return;
    thread_put(who->thread);
    proc_put(who->proc);
}

/* Still there? Without locks: dcache_lock is held. */
static bool proc_revalidate(struct inode *i)
{
    const struct proc_inode *pi = i->private;

    return (!pi->pid || READ_ONCE(pi->pid->proc)) && (!pi->tid || READ_ONCE(pi->tid->thread));
}

/* ---- inodes ---- */

static ino_t ino_of(const struct pid *pid, const struct pid *tid, const struct proc_dir *in,
                    unsigned n)
{
    ino_t ino = n + 2;

    ino |= (ino_t)in->id << 23;
    ino |= (ino_t)(tid ? tid->nr : 0) << 28;
    ino |= (ino_t)(pid ? pid->nr : 0) << 44;
    return ino;
}

/* Files of a process belong to its user; of one that can't be dumped, to root. Directories always do. */
static void set_owner(struct inode *i)
{
    const struct proc_inode *pi = i->private;
    struct subject who;
    uid_t uid = 0;
    gid_t gid = 0;

    if (!pi->pid || subject_get(pi, &who))
        return;
    struct mm *mm = proc_mm_get(who.proc);
    if (i->mode == (S_IFDIR | 0555) || !mm || mm->dumpable == 1) {
        const struct cred *c = proc_cred_get(who.proc);
        uid = c->euid;
        gid = c->egid;
        cred_put(c);
    }
    if (mm)
        mm_put(mm);
    subject_put(&who);
    spin_lock(&i->spin);
    i->uid = uid;
    i->gid = gid;
    spin_unlock(&i->spin);
}

static void set_operations(struct inode *i, const struct proc_node *node, bool of_process)
{
    if (S_ISDIR(node->mode)) {
        i->ops = &proc_dir_ops;
        i->fops = &proc_dir_fops;
        i->nlink = 2;
    } else if (S_ISLNK(node->mode)) {
        i->ops = node->follow ? &proc_magic_ops : &proc_link_ops;
    } else {
        i->ops = &proc_file_ops;
        i->fops = of_process ? &proc_process_text_ops : &proc_text_ops;
        if (node->fops)
            i->fops = node->fops;
    }
}

/* An inode for *MODEL, whose references it copies. NULL: out of memory. */
static struct inode *make_inode(struct superblock *sb, const struct proc_inode *model, unsigned n)
{
    struct inode *i = inode_alloc(sb, model->node->mode);
    struct proc_inode *pi = slab_alloc(private_cache);

    if (!i || !pi) {
        slab_free(private_cache, pi);
        if (i)
            inode_put(i);
        return NULL;
    }
    *pi = *model;
    if (pi->pid)
        pid_get(pi->pid);
    if (pi->tid)
        pid_get(pi->tid);
    i->private = pi;
    i->uid = i->gid = 0;
    i->ino = ino_of(pi->pid, pi->tid, pi->in, n);
    set_operations(i, model->node, model->pid != NULL);
    set_owner(i);
    return i;
}

static void proc_free_inode(struct inode *i)
{
    struct proc_inode *pi = i->private;

    if (!pi)
        return;
    if (pi->pid)
        pid_put(pi->pid);
    if (pi->tid)
        pid_put(pi->tid);
    slab_free(private_cache, pi);
}

static int proc_permission(struct inode *i, unsigned mask)
{
    const struct proc_inode *pi = i->private;
    struct access_ids ids = access_ids_current(false);

    if (pi->pid && current->proc && pi->node->dir && pi->node->dir->numbered == NUMBER_FD &&
        pi->pid == current_proc()->pid)
        return 0; /* one's own descriptors, whatever ids one has taken on */
    if (!proc_revalidate(i))
        return -ESRCH;
    set_owner(i);
    return inode_check(&ids, i, mask);
}

/* A link to an open file shows by its permissions how that was opened. */
static void proc_getattr(struct inode *i, struct stat *st)
{
    const struct proc_inode *pi = i->private;
    struct subject who;

    set_owner(i);
    st->st_uid = i->uid;
    st->st_gid = i->gid;
    if (pi->in->numbered != NUMBER_FD || !S_ISLNK(i->mode) || subject_get(pi, &who))
        return;
    struct file *f = fd_get_of(who.proc, (unsigned)pi->fd, NULL);
    st->st_size = 64;
    if (f) {
        st->st_mode = S_IFLNK | (FMODE_READ(f) ? 0500 : 0) | (FMODE_WRITE(f) ? 0300 : 0);
        file_put(f);
    }
    subject_put(&who);
}

/* ---- directories ---- */

/* The number that NAME is: decimal, no leading zero. -1 when it isn't one. */
static int parse_number(const char *name, size_t len)
{
    int n = 0;

    if (!len || len > 9 || (name[0] == '0' && len > 1))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        n = n * 10 + name[i] - '0';
    }
    return n;
}

/* Fill in CHILD's process or thread number NR. A thread's number finds its process, as on Linux. */
static bool find_pid(struct proc_inode *child, enum numbered what, int nr)
{
    bool found = false;

    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(nr);
    if (pid && what == NUMBER_PROC) {
        found = pid->proc || (pid->thread && pid->thread->proc);
        child->pid = pid->proc ? pid : found ? pid->thread->proc->pid : NULL;
        child->tid = pid->proc ? NULL : pid;
    } else if (pid && pid->thread && pid->thread->proc && child->pid->proc == pid->thread->proc) {
        child->tid = pid;
        found = true;
    }
    if (found) {
        pid_get(child->pid);
        if (child->tid)
            pid_get(child->tid);
    }
    spin_unlock(&proc_tree_lock);
    return found;
}

static bool fd_exists(const struct proc_inode *pi, int fd)
{
    struct subject who;

    if (subject_get(pi, &who))
        return false;
    struct file *f = fd_get_of(who.proc, (unsigned)fd, NULL);
    subject_put(&who);
    if (f)
        file_put(f);
    return f != NULL;
}

static struct inode *make_numbered(struct inode *dir, const struct proc_dir *d, int nr)
{
    struct proc_inode child = *(struct proc_inode *)dir->private;

    child.node = d->number;
    child.in = d;
    child.fd = nr;
    if (d->numbered == NUMBER_FD)
        return fd_exists(&child, nr) ? make_inode(dir->sb, &child, (unsigned)nr) : NULL;
    if (!find_pid(&child, d->numbered, nr))
        return NULL;
    struct inode *i = make_inode(dir->sb, &child, 0);
    pid_put(child.pid);
    if (child.tid)
        pid_put(child.tid);
    return i ? i : err_ptr(-ENOMEM);
}

static struct inode *make_fixed(struct inode *dir, const struct proc_dir *d, size_t n)
{
    struct proc_inode child = *(struct proc_inode *)dir->private;

    child.node = &d->nodes[n];
    child.in = d;
    struct inode *i = make_inode(dir->sb, &child, (unsigned)n);
    return i ? i : err_ptr(-ENOMEM);
}

static struct dentry *proc_lookup(struct inode *dir, struct dentry *self, const char *name,
                                  size_t len)
{
    const struct proc_inode *pi = dir->private;
    const struct proc_dir *d = pi->node->dir;
    struct inode *i = NULL;

    for (size_t n = 0; n < d->count && !i; n++)
        if (strlen(d->nodes[n].name) == len && memcmp(d->nodes[n].name, name, len) == 0)
            i = make_fixed(dir, d, n);
    int nr = i || !d->numbered ? -1 : parse_number(name, len);
    if (nr >= 0)
        i = make_numbered(dir, d, nr);
    if (!i || is_err(i))
        return (struct dentry *)i;
    return dentry_make(self, name, len, i);
}

static int next_thread(const struct subject *who, int from)
{
    struct thread *t;
    int best = -1;

    spin_lock(&proc_tree_lock);
    list_for_each (t, &who->proc->threads, proc_link)
        if (t->pid->nr >= from && (best < 0 || t->pid->nr < best))
            best = t->pid->nr;
    spin_unlock(&proc_tree_lock);
    return best;
}

static int next_proc(int from)
{
    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_next_proc_locked(from);
    int nr = pid ? pid->nr : -1;
    spin_unlock(&proc_tree_lock);
    return nr;
}

/* The lowest number in use that is at least FROM, -1 for none. */
static int next_number(const struct proc_dir *d, const struct subject *who, int from)
{
    switch (d->numbered) {
    case NUMBER_PROC: return next_proc(from);
    case NUMBER_THREAD: return next_thread(who, from);
    case NUMBER_FD: return fd_next_of(who->proc, (unsigned)from);
    default: return -1;
    }
}

static bool emit_number(const struct proc_inode *pi, struct dir_context *ctx, int nr)
{
    const struct proc_dir *d = pi->node->dir;
    struct pid named = {.nr = nr};
    char name[12];
    size_t len = (size_t)snprintf(name, sizeof(name), "%d", nr);
    ino_t ino;

    switch (d->numbered) {
    case NUMBER_PROC: ino = ino_of(&named, NULL, d, 0); break;
    case NUMBER_THREAD: ino = ino_of(pi->pid, &named, d, 0); break;
    default: ino = ino_of(pi->pid, pi->tid, d, (unsigned)nr); break;
    }
    return ctx->emit(ctx, name, len, ino, d->number->mode >> 12);
}

static bool emit_fixed(const struct proc_inode *pi, struct dir_context *ctx, size_t n)
{
    const struct proc_node *node = &pi->node->dir->nodes[n];

    return ctx->emit(ctx, node->name, strlen(node->name),
                     ino_of(pi->pid, pi->tid, pi->node->dir, (unsigned)n), node->mode >> 12);
}

static int proc_readdir(struct file *f, struct dir_context *ctx)
{
    const struct proc_inode *pi = f->inode->private;
    const struct proc_dir *d = pi->node->dir;
    struct dentry *self = f->path->dentry;
    struct subject who;

    if (subject_get(pi, &who))
        return -ENOENT;
    bool room = true;
    if (ctx->pos == 0 && (room = ctx->emit(ctx, ".", 1, self->inode->ino, S_IFDIR >> 12)))
        ctx->pos = 1;
    if (ctx->pos == 1 && (room = ctx->emit(ctx, "..", 2, self->parent->inode->ino, S_IFDIR >> 12)))
        ctx->pos = 2;
    while (room && ctx->pos >= 2 && ctx->pos < (int64_t)d->count + 2)
        if ((room = emit_fixed(pi, ctx, (size_t)ctx->pos - 2)))
            ctx->pos++;
    if (room && ctx->pos < NUMBERS_FROM)
        ctx->pos = NUMBERS_FROM;
    while (room && ctx->pos - NUMBERS_FROM <= INT32_MAX) {
        int nr = next_number(d, &who, (int)(ctx->pos - NUMBERS_FROM));
        if (nr < 0)
            break;
        if ((room = emit_number(pi, ctx, nr)))
            ctx->pos = (int64_t)NUMBERS_FROM + nr + 1;
    }
    subject_put(&who);
    return 0;
}

static ssize_t proc_dir_read(struct file *f, struct uio *u, off_t *pos)
{
    (void)f, (void)u, (void)pos;
    return -EISDIR;
}

static off_t proc_dir_lseek(struct file *f, off_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    return f->pos = offset;
}

/* ---- links ---- */

static ssize_t proc_readlink(struct inode *i, char *buf, size_t size)
{
    const struct proc_inode *pi = i->private;
    struct subject who;

    if (subject_get(pi, &who))
        return -ENOENT;
    ssize_t n = -EACCES;
    if (!pi->node->inspect || proc_may_inspect(who.proc))
        n = pi->node->readlink(&who, buf, size);
    subject_put(&who);
    return n;
}

static int proc_follow(struct inode *i, struct path *out)
{
    const struct proc_inode *pi = i->private;
    struct subject who;

    if (subject_get(pi, &who))
        return -ENOENT;
    int error = -EACCES;
    if (proc_may_inspect(who.proc))
        error = pi->node->follow(&who, out);
    subject_put(&who);
    return error;
}

/* ---- files ---- */

static int proc_open(struct inode *i, struct file *f)
{
    int error = proc_text_open(i);

    if (!error)
        f->ops = i->fops;
    return error;
}

static const struct inode_ops proc_dir_ops = {
    .lookup = proc_lookup,
    .revalidate = proc_revalidate,
    .getattr = proc_getattr,
    .permission = proc_permission,
    .free = proc_free_inode,
};
static const struct inode_ops proc_file_ops = {
    .revalidate = proc_revalidate,
    .getattr = proc_getattr,
    .permission = proc_permission,
    .open = proc_open,
    .free = proc_free_inode,
};
static const struct inode_ops proc_link_ops = {
    .revalidate = proc_revalidate,
    .getattr = proc_getattr,
    .readlink = proc_readlink,
    .free = proc_free_inode,
};
static const struct inode_ops proc_magic_ops = {
    .revalidate = proc_revalidate,
    .getattr = proc_getattr,
    .readlink = proc_readlink,
    .follow = proc_follow,
    .free = proc_free_inode,
};
static const struct file_ops proc_dir_fops = {
    .read = proc_dir_read,
    .readdir = proc_readdir,
    .lseek = proc_dir_lseek,
    .seekable = true,
};

/* ---- mounting ---- */

static void proc_statfs(struct superblock *sb, struct statfs *out)
{
    (void)sb;
    memset(out, 0, sizeof(*out));
    out->f_type = PROC_SUPER_MAGIC;
    out->f_bsize = out->f_frsize = PAGE_SIZE;
    out->f_namelen = 255;
}

struct pid *procfs_dir_pid(const struct file *f)
{
    if (!f->inode || f->inode->ops != &proc_dir_ops)
        return NULL;
    const struct proc_inode *pi = f->inode->private;
    return pi->node->dir == &proc_pid_dir ? pi->pid : NULL;
}

static const struct proc_node root_node = PROC_DIR("/", 0555, &proc_root_dir);

static int proc_mount(const char *source, const char *options, unsigned flags,
                      struct superblock **out)
{
    (void)source, (void)options, (void)flags;
    struct superblock *sb = superblock_alloc("proc", PROC_SUPER_MAGIC);
    if (!sb)
        return -ENOMEM;
    sb->fixed_attr = true;
    sb->statfs = proc_statfs;
    struct proc_inode model = {.node = &root_node, .in = &proc_root_dir};
    struct inode *i = make_inode(sb, &model, 0);
    if (i) {
        i->ino = 1;
        sb->root = dentry_make_root(i);
    }
    if (!sb->root) {
        superblock_free(sb);
        return -ENOMEM;
    }
    *out = sb;
    return 0;
}

static struct fs_type proc_type = {.name = "proc", .nodev = true, .mount = proc_mount};

void procfs_init(void)
{
    private_cache = slab_cache_create("proc_inode", sizeof(struct proc_inode), 0);
    fs_register(&proc_type);
}
