/*
 * What the files of procfs share. The tree is described by tables: a directory (proc_dir) is a list of nodes
 * and, besides, may have numbered entries (processes, threads, descriptors). A node is a file, a link or
 * a directory; a file has a function that writes its text.
 *
 * procfs.c makes inodes of this, procfs_text.c files of the functions; the others hold tables:
 * procfs_root.c (the machine), procfs_stat.c, procfs_memory.c, procfs_kstat.c (its larger files),
 * procfs_sys.c (/proc/sys), procfs_ipc.c (System V's objects and limits), procfs_pid.c (a process),
 * procfs_status.c, procfs_maps.c (its larger files),
 * procfs_pagemap.c, procfs_fd.c (its descriptors and links).
 */
#pragma once

#include <abi/stat.h>

#include "lib/list.h"
#include "lib/types.h"

struct file_ops;
struct inode;
struct path;
struct pid;
struct proc;
struct thread;

/*
 * Text under construction, in as many pages as it needs. Out of memory is remembered, and told at the end.
 * Adding text never sleeps and may be done below any lock.
 */
struct seq {
    struct list pages; /* struct page by ->link; owner only, as all below */
    size_t len;
    int error;
};
void seq_init(struct seq *s);
void seq_free(struct seq *s);
void seq_write(struct seq *s, const void *data, size_t n);
void seq_puts(struct seq *s, const char *text);
void seq_printf(struct seq *s, const char *format, ...)
    format_printf(2, 3); /* a piece of at most 1 KiB */
/* TEXT with the bytes of SPECIAL and control characters as \ooo. */
void seq_escape(struct seq *s, const char *text, const char *special);

/* Whom a file is about; references are held. All NULL outside the directories of processes. */
struct subject {
    struct proc *proc;
    struct thread *thread; /* the one that task/TID names, else the leader */
    bool whole;            /* the process is meant and not the one thread */
    int fd;                /* below fd/ and fdinfo/ */
};

struct proc_dir;

struct proc_node {
    const char *name;
    mode_t mode;  /* S_IF* and permissions */
    bool inspect; /* only for those who may look into the process (proc_may_inspect) */
    int (*show)(struct seq *s, const struct subject *who);
    /* TEXT has ended with a NUL, its last newline cut off: 0 or -errno. */
    int (*write)(const struct subject *who, char *text, size_t n);
    const struct proc_dir *dir;
    ssize_t (*readlink)(const struct subject *who, char *buf, size_t size);
    int (*follow)(const struct subject *who, struct path *out);
    const struct file_ops *fops; /* a file with operations of its own */
};

enum numbered { NUMBER_NONE, NUMBER_PROC, NUMBER_THREAD, NUMBER_FD };

struct proc_dir {
    unsigned id; /* for inode numbers: unique, below 32 */
    const struct proc_node *nodes;
    size_t count;
    enum numbered numbered;         /* what further entries are numbers of */
    const struct proc_node *number; /* what those are */
};

extern const struct proc_dir proc_root_dir, proc_sys_dir, proc_sys_net_dir, proc_pid_dir,
    proc_thread_dir, proc_fd_dir, proc_fdinfo_dir, proc_task_dir, proc_sysvipc_dir, proc_mqueue_dir,
    proc_inotify_dir;

/* An inode's private: which node, of whom. */
struct proc_inode {
    const struct proc_node *node; /* const, as all below */
    const struct proc_dir *in;
    struct pid *pid; /* the process, or NULL; a reference is held */
    struct pid *tid; /* the thread below task/, or NULL; a reference is held */
    int fd;
};

/* The process and thread behind an inode: 0, or -ESRCH when they are gone. */
int subject_get(const struct proc_inode *pi, struct subject *who);
void subject_put(struct subject *who);

/* Of nodes with show or write; those of processes can't be spliced, as on Linux. */
extern const struct file_ops proc_text_ops, proc_process_text_ops;
extern const struct file_ops proc_pagemap_ops;
int proc_text_open(struct inode *i); /* may it be opened: 0 or -errno */

/* For tables. */
#define PROC_FILE(n, perm, fn)                              \
    {                                                       \
        .name = (n), .mode = S_IFREG | (perm), .show = (fn) \
    }
#define PROC_SECRET(n, perm, fn)                                             \
    {                                                                        \
        .name = (n), .mode = S_IFREG | (perm), .show = (fn), .inspect = true \
    }
#define PROC_WRITABLE(n, perm, fn, wr)                                     \
    {                                                                      \
        .name = (n), .mode = S_IFREG | (perm), .show = (fn), .write = (wr) \
    }
#define PROC_DIR(n, perm, d)                              \
    {                                                     \
        .name = (n), .mode = S_IFDIR | (perm), .dir = (d) \
    }
#define PROC_LINK(n, rl)                                      \
    {                                                         \
        .name = (n), .mode = S_IFLNK | 0777, .readlink = (rl) \
    }
#define PROC_MAGIC(n, rl, fl)                                                                  \
    {                                                                                          \
        .name = (n), .mode = S_IFLNK | 0777, .readlink = (rl), .follow = (fl), .inspect = true \
    }

/* Clock ticks as programs count them: USER_HZ is 100. */
static inline unsigned long long ticks_of(nsec_t time)
{
    return (unsigned long long)(time / (NSEC_PER_SEC / 100));
}

/* Shown by more than one table. */
int show_stat(struct seq *s, const struct subject *who);
int show_meminfo(struct seq *s, const struct subject *who);
int show_vmstat(struct seq *s, const struct subject *who);
int show_slabinfo(struct seq *s, const struct subject *who);
int show_kstat(struct seq *s, const struct subject *who);
int show_pid_stat(struct seq *s, const struct subject *who);
int show_pid_status(struct seq *s, const struct subject *who);
int show_maps(struct seq *s, const struct subject *who);
int show_smaps(struct seq *s, const struct subject *who);
int show_smaps_rollup(struct seq *s, const struct subject *who);
int show_statm(struct seq *s, const struct subject *who);
int show_mounts(struct seq *s, const struct subject *who);
int show_mountinfo(struct seq *s, const struct subject *who);
int show_mountstats(struct seq *s, const struct subject *who);
int show_shmmax(struct seq *s, const struct subject *who);
int show_shmall(struct seq *s, const struct subject *who);
int show_shmmni(struct seq *s, const struct subject *who);
int show_msgmax(struct seq *s, const struct subject *who);
int show_msgmnb(struct seq *s, const struct subject *who);
int show_msgmni(struct seq *s, const struct subject *who);
int show_sem_limits(struct seq *s, const struct subject *who);
int write_shmmax(const struct subject *who, char *text, size_t n);
int write_shmall(const struct subject *who, char *text, size_t n);
int write_shmmni(const struct subject *who, char *text, size_t n);
int write_msgmax(const struct subject *who, char *text, size_t n);
int write_msgmnb(const struct subject *who, char *text, size_t n);
int write_msgmni(const struct subject *who, char *text, size_t n);
int write_sem_limits(const struct subject *who, char *text, size_t n);
int show_fdinfo(struct seq *s, const struct subject *who);
ssize_t readlink_cwd(const struct subject *who, char *buf, size_t size);
ssize_t readlink_root(const struct subject *who, char *buf, size_t size);
ssize_t readlink_exe(const struct subject *who, char *buf, size_t size);
int follow_cwd(const struct subject *who, struct path *out);
int follow_root(const struct subject *who, struct path *out);
int follow_exe(const struct subject *who, struct path *out);
