/* tmpfs: what tmpfs.c, tmpfs_file.c and devfs.c share. */
#pragma once

#include "fs/file.h"
#include "fs/inode.h"
#include "mm/vmobject.h"

/* Of one mounted tmpfs: sb->private. */
struct tmpfs {
    struct vm_quota pages; /* atomic: of all its files */
    size_t inodes;         /* atomic: in use */
    size_t max_inodes;     /* atomic: 0 is without limit */
    bool shown_size;       /* const: size= was given */
    mode_t mode;           /* const: of the root, and what show_options says */
};

/* What a directory's size grows by with each entry, as Linux counts. */
#define TMPFS_ENTRY_SIZE 20

extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_file_inode_ops, tmpfs_link_inode_ops,
    tmpfs_special_inode_ops;
extern const struct file_ops tmpfs_file_ops;
extern const struct file_ops tree_dir_ops; /* dir.c: reads the dentry tree */

/* A new file system with the options of mount(2)'s text: err_ptr(-EINVAL, -ENOMEM). */
struct superblock *tmpfs_create_sb(const char *type, const char *options);
/* A node below DIR for the kernel itself (devtmpfs): DIR's lock is held. */
int tmpfs_create(struct inode *dir, struct dentry *self, const char *name, size_t len, mode_t mode,
                 dev_t rdev, const char *target, struct dentry **out);
void tmpfs_free_inode(struct inode *i); /* the free operation of all of tmpfs's inodes */
extern struct fs_type tmpfs_type;
static inline struct tmpfs *tmpfs_of(const struct inode *i)
{
    return i->sb->private;
}
