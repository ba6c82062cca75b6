/*
 * execve: a process becomes another program.
 *
 * All that can fail happens beside the old program, which is still there to be told: the strings are
 * gathered, the file is found and checked, a whole new address space is built. Then the process is made
 * single-threaded, and after that there is no way back and no way to fail: memory, signal handlers,
 * close-on-exec descriptors, credentials and registers change, and the next return to user mode is the new
 * program's first instruction.
 *
 * A file that begins with "#!" names the program that reads it; that one gets the script's name in front of
 * the arguments and may be a script in turn, to a depth of four.
 */
#include <abi/auxv.h>
#include <abi/fcntl.h>
#include <abi/limits.h>
#include <abi/mman.h>
#include <abi/mount.h>
#include <abi/prctl.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/path.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/args.h"
#include "proc/elf.h"
#include "proc/exec.h"
#include "proc/life.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/syscall.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define SCRIPT_DEPTH 4
#define HEAD_SIZE 256             /* what is looked at of a file: a #! line may be no longer */
#define STACK_ROOM (128UL * 1024) /* mapped below the arguments at the start */
#define STACK_RANDOM_BITS 14      /* pages its top may move down, as a power of two */

/* One exec on its way. */
struct exec {
    struct exec_args args;
    char *filename;   /* as the caller named it: AT_EXECFN, comm */
    struct path path; /* the file that runs now: the script's interpreter, in the end */
    struct file *file;
    bool fd_closes; /* the descriptor it was named by goes at exec: a script can't be read by it */
    struct cred *cred;       /* what the process will be */
    bool secure;             /* ids change: the program may not trust its environment */
    struct mm *mm;           /* the new memory */
    struct fdtable *fdtable; /* a private copy, when the old one was shared */
    struct elf_image image;
    uintptr_t sp;
};

static void exec_destroy(struct exec *x)
{
    args_destroy(&x->args);
    if (x->mm)
        mm_put(x->mm);
    if (x->file)
        file_put(x->file);
    if (x->path.dentry)
        path_put(&x->path);
    if (x->cred)
        cred_put(x->cred);
    if (x->fdtable)
        fdtable_put(x->fdtable);
    kfree(x->filename);
}

/* Look up and open what is to run. */
static int open_program(struct exec *x, int dfd, const char *name, unsigned lookup_flags)
{
    int error = path_lookup(dfd, name, lookup_flags, &x->path);

    if (error)
        return error;
    mode_t mode = x->path.dentry->inode->mode;
    if (S_ISLNK(mode))
        return -ELOOP; /* AT_SYMLINK_NOFOLLOW */
    if (!S_ISREG(mode))
        return -EACCES;
    if ((error = path_permission(&x->path, MAY_EXEC)))
        return error;
    struct file *f = file_open_path(&x->path, O_RDONLY);
    if (is_err(f))
        return (int)ptr_err(f);
    x->file = f;
    return 0;
}

static void close_program(struct exec *x)
{
    file_put(x->file);
    path_put(&x->path);
    x->file = NULL;
    x->path.dentry = NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * Cut the "#!" line in HEAD into the interpreter's name and its one argument (NULL: none). -ENOEXEC when there is
 * no name, or when the name doesn't end within HEAD.
 */
static int parse_script(char *head, char **interpreter, char **argument)
{
    char *end = head;

    while (*end && *end != '\n')
        end++;
    bool whole = *end == '\n' || end < head + HEAD_SIZE - 1;
    while (end > head + 2 && is_blank(end[-1]))
        end--;
    *end = '\0';

    char *p = head + 2;
    while (is_blank(*p))
        p++;
    *interpreter = p;
    while (*p && !is_blank(*p))
        p++;
    if (p == *interpreter || (!*p && !whole))
        return -ENOEXEC;
    if (*p)
        *p++ = '\0';
    while (is_blank(*p))
        p++;
    *argument = *p ? p : NULL;
    return 0;
}

/* X's file is a script that begins with HEAD: put its interpreter in its place. */
static int enter_script(struct exec *x, char *head, const char *script_name)
{
    char *interpreter, *argument;
    int error = parse_script(head, &interpreter, &argument);

    if (error)
        return error;
    if (x->fd_closes)
        return -ENOENT; /* the interpreter couldn't open it */
    args_pop(&x->args);
    if ((error = args_push(&x->args, script_name)))
        return error;
    if (argument && (error = args_push(&x->args, argument)))
        return error;
    if ((error = args_push(&x->args, interpreter)))
        return error;
    close_program(x);
    return open_program(x, AT_FDCWD, interpreter, LOOKUP_FOLLOW);
}

/* Follow scripts to a program. */
static int resolve_scripts(struct exec *x)
{
    char head[HEAD_SIZE + 1];
    char *name = NULL; /* of the file that X has open, when that is an interpreter */
    int error;

    for (unsigned depth = 0;; depth++) {
        ssize_t n = file_read_kernel(x->file, head, HEAD_SIZE, 0);
        if (n < 0) {
            error = (int)n;
            break;
        }
        head[n] = '\0';
        if (head[0] != '#' || head[1] != '!') {
            error = 0;
            break;
        }
        error = depth > SCRIPT_DEPTH ? -ELOOP : enter_script(x, head, name ? name : x->filename);
        if (error)
            break;
        kfree(name);
        name = kstrdup(x->args.front[x->args.nfront - 1]);
        if (!name) {
            error = -ENOMEM;
            break;
        }
    }
    kfree(name);
    return error;
}

/* Capabilities as the kernel's rules for uid 0 give them (capabilities(7), no ambient or file sets). */
static void exec_capabilities(struct cred *c)
{
    uint64_t all = c->cap_bounding & CAP_ALL;

    c->cap_permitted = c->uid == 0 || c->euid == 0 ? all : 0;
    c->cap_effective = c->euid == 0 ? all : 0;
}

static int prepare_cred(struct exec *x)
{
    const struct cred *old = current_cred();
    const struct inode *i = x->path.dentry->inode;
    bool may_raise = !(x->path.mnt->flags & MS_NOSUID) && !current_proc()->no_new_privs;
    bool setuid = may_raise && (i->mode & S_ISUID);
    bool setgid = may_raise && (i->mode & S_ISGID) && (i->mode & S_IXGRP);
    struct cred *c = cred_copy(old);

    if (!c)
        return -ENOMEM;
    if (setuid)
        c->euid = i->uid;
    if (setgid)
        c->egid = i->gid;
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    exec_capabilities(c);
    x->cred = c;
    x->secure = c->euid != old->uid || c->egid != old->gid;
    return 0;
}

/* An area for the stack that holds all of the strings and pointers. */
static int map_stack(struct exec *x)
{
    struct mm *mm = x->mm;
    size_t size = ALIGN_UP(args_stack_size(&x->args, x->filename), PAGE_SIZE) + STACK_ROOM;
    unsigned prot = PROT_READ | PROT_WRITE | (x->image.executable_stack ? PROT_EXEC : 0);

    long at = mm_map(mm, mm->stack_top - size, size, prot, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN | MAP_STACK,
                     NULL, 0, NULL, "[stack]");
    if (at < 0)
        return at == -EEXIST ? -ENOMEM : (int)at;
    return args_build_stack(&x->args, mm, x->filename, &x->sp);
}

/* auxv was filled with the caller's ids; these are the program's. */
static void set_auxv_ids(struct exec *x)
{
    for (uint64_t *a = x->mm->auxv; a[0] != AT_NULL; a += 2) {
        if (a[0] == AT_EUID)
            a[1] = x->cred->euid;
        if (a[0] == AT_EGID)
            a[1] = x->cred->egid;
        if (a[0] == AT_SECURE)
            a[1] = x->secure;
    }
}

/* The new memory, whole. */
static int build_memory(struct exec *x)
{
    int error;

    x->mm = mm_create();
    if (!x->mm)
        return -ENOMEM;
    x->mm->stack_top = USER_END - mm_random_offset(STACK_RANDOM_BITS);
    if ((error = inode_deny_write(x->file->inode)))
        return error;
    file_get(x->file);
    x->mm->exe = x->file; /* mm_put() undoes both */
    if ((error = elf_load(x->mm, x->file, &x->image)))
        return error;
    set_auxv_ids(x);
    x->mm->dumpable = !x->secure;
    return map_stack(x);
}

/* A table shared with another process is left to that one. */
static int prepare_fdtable(struct exec *x)
{
    struct fdtable *old = current_proc()->fdtable;

    if (ref_read(&old->ref) == 1)
        return 0;
    struct fdtable *copy = fdtable_copy(old);
    if (is_err(copy))
        return (int)ptr_err(copy);
    x->fdtable = copy;
    return 0;
}

static void install_memory(struct exec *x)
{
    struct proc *p = current_proc();
    struct mm *old = p->mm;

    if (old)
        futex_leave_mm(false);
    spin_lock(&p->signal_lock);
    p->mm = x->mm;
    mm_activate(x->mm);
    spin_unlock(&p->signal_lock);
    x->mm = NULL;
    vfork_finish(current);
    if (old)
        mm_put(old);
}

static void install_files(struct exec *x)
{
    struct proc *p = current_proc();

    if (x->fdtable) {
        spin_lock(&p->signal_lock);
        struct fdtable *old = p->fdtable;
        p->fdtable = x->fdtable;
        spin_unlock(&p->signal_lock);
        x->fdtable = NULL;
        fdtable_put(old);
    }
    fdtable_close_on_exec(p->fdtable);
}

static void install_cred(struct exec *x)
{
    struct proc *p = current_proc();

    cred_commit(x->cred);
    x->cred = NULL;
    p->keep_caps = false;
    if (x->secure)
        p->pdeath_signal = 0;
}

static void name_process(struct exec *x)
{
    struct proc *p = current_proc();
    const char *slash = strrchr(x->filename, '/');

    strlcpy(current->comm, slash ? slash + 1 : x->filename, sizeof(current->comm));
    spin_lock(&proc_tree_lock);
    p->did_exec = true;
    spin_unlock(&proc_tree_lock);
}

/* No way back from here, and nothing that can fail. */
static void commit(struct exec *x, struct regs *regs)
{
    struct thread *t = current;

    /* First, because a descriptor closed or a vfork ended tells the parent that this has happened. */
    name_process(x);
    install_memory(x);
    install_files(x);
    install_cred(x);
    posix_timers_exec(current_proc());
    signal_exec(current_proc());
    t->set_child_tid = t->clear_child_tid = NULL;
    t->robust_list = NULL;
    t->restart.fn = NULL;
    arch_exec(regs, x->image.entry, x->sp);
}

/* From arguments gathered to the new program's registers. */
static int run(struct exec *x, struct regs *regs)
{
    int error;

    if ((error = resolve_scripts(x)) || (error = prepare_cred(x)) || (error = build_memory(x)) ||
        (error = prepare_fdtable(x)) || (error = proc_become_single()))
        return error;
    commit(x, regs);
    return 0;
}

/* "/dev/fd/3" or "/dev/fd/3/name": how a program named by descriptor is called. */
static char *name_by_fd(int fd, const char *name)
{
    size_t size = strlen(name) + 32;
    char *s = kmalloc(size);

    if (s)
        snprintf(s, size, *name ? "/dev/fd/%d/%s" : "/dev/fd/%d", fd, name);
    return s;
}

static bool fd_is_cloexec(int fd)
{
    bool cloexec = false;
    struct file *f = fd_get_of(current_proc(), (unsigned)fd, &cloexec);

    if (f)
        file_put(f);
    return cloexec;
}

static long exec_user(int dfd, const char __user *user_name, const char __user *const __user *argv,
                      const char __user *const __user *envp, int flags)
{
    struct exec x = {0};
    long error;

    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    char *name = path_from_user(user_name, flags & AT_EMPTY_PATH);
    if (is_err(name))
        return ptr_err(name);
    args_init(&x.args);
    bool by_fd = dfd != AT_FDCWD && name[0] != '/';
    x.filename = by_fd ? name_by_fd(dfd, name) : kstrdup(name);
    x.fd_closes = by_fd && fd_is_cloexec(dfd);
    unsigned lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                      (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    error = x.filename ? 0 : -ENOMEM;
    if (!error)
        error = open_program(&x, dfd, name, lookup);
    if (error == -ENOTDIR && !*name)
        error = -EACCES; /* the descriptor of what has no path: a pipe is no program */
    if (!error)
        error = args_copy_user(&x.args, argv, envp);
    if (!error)
        error = run(&x, syscall_regs());
    path_name_free(name);
    exec_destroy(&x);
    return error;
}

int exec_kernel(const char *name, char *const argv[], char *const envp[])
{
    struct exec x = {0};
    int error;

    args_init(&x.args);
    x.filename = kstrdup(name);
    error = x.filename ? open_program(&x, AT_FDCWD, name, LOOKUP_FOLLOW) : -ENOMEM;
    if (!error)
        error = args_copy_kernel(&x.args, argv, envp);
    if (!error)
        error = run(&x, thread_regs(current));
    exec_destroy(&x);
    return error;
}

long sys_execve(const char __user *path, const char __user *const __user *argv,
                const char __user *const __user *envp)
{
    return exec_user(AT_FDCWD, path, argv, envp, 0);
}

long sys_execveat(int dirfd, const char __user *path, const char __user *const __user *argv,
                  const char __user *const __user *envp, int flags)
{
    return exec_user(dirfd, path, argv, envp, flags);
}
