/* Names: dentries' lives, renames of them, and places written as paths. */
#include "fs/vfs.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "tests/kernel/ktest.h"

/* The objects of a slab cache, to see that nothing stays. */
struct count {
    const char *name;
    size_t objects;
};

static void count_one(void *ctx, const struct slab_stats *s)
{
    struct count *c = ctx;
    if (!strcmp(s->name, c->name))
        c->objects = s->objects_in_use;
}

static size_t objects(const char *name)
{
    struct count c = {name, 0};
    slab_for_each(count_one, &c);
    return c.objects;
}

static int look(const char *name, struct path *p)
{
    return path_lookup(AT_FDCWD, name, 0, p);
}

KTEST(names, what_is_made_and_removed_leaves_nothing)
{
    size_t dentries = objects("dentry"), inodes = objects("inode");
    KEXPECT_EQ(fs_mkdir(AT_FDCWD, "kt", 0755), 0);
    KEXPECT_EQ(fs_mkdir(AT_FDCWD, "kt/deep", 0755), 0);
    KEXPECT_EQ(fs_symlink("deep", AT_FDCWD, "kt/link"), 0);
    KEXPECT_EQ(fs_mknod(AT_FDCWD, "kt/link/file", S_IFREG | 0644, 0), 0);
    KEXPECT_EQ(fs_link(AT_FDCWD, "kt/deep/file", AT_FDCWD, "kt/second", 0), 0);
    KEXPECT_EQ(objects("dentry") - dentries, 5);
    KEXPECT_EQ(objects("inode") - inodes, 4);
    KEXPECT_EQ(fs_rmdir(AT_FDCWD, "kt/deep"), -ENOTEMPTY);
    KEXPECT_EQ(fs_unlink(AT_FDCWD, "kt/deep/file"), 0);
    KEXPECT_EQ(fs_unlink(AT_FDCWD, "kt/second"), 0);
    KEXPECT_EQ(fs_unlink(AT_FDCWD, "kt/link"), 0);
    KEXPECT_EQ(fs_rmdir(AT_FDCWD, "kt/deep"), 0);
    KEXPECT_EQ(fs_rmdir(AT_FDCWD, "kt"), 0);
    KEXPECT_EQ(objects("dentry"), dentries);
    KEXPECT_EQ(objects("inode"), inodes);
}

KTEST(names, a_removed_place_is_shown_as_deleted)
{
    struct path p, root;
    char buf[64];
    path_of_root(&root);
    fs_mkdir(AT_FDCWD, "kt", 0755);
    KEXPECT_EQ(look("kt", &p), 0);
    KEXPECT_EQ(strcmp(path_format(&p, &root, buf, sizeof(buf)), "/kt"), 0);
    KEXPECT_EQ(strcmp(path_format(&root, &root, buf, sizeof(buf)), "/"), 0);
    KEXPECT_EQ(ptr_err(path_format(&p, &root, buf, 3)), -ENAMETOOLONG);
    KEXPECT_EQ(strcmp(path_format(&p, &root, buf, 4), "/kt"), 0);
    fs_rmdir(AT_FDCWD, "kt");
    KEXPECT_EQ(strcmp(path_format(&p, &root, buf, sizeof(buf)), "/kt (deleted)"), 0);
    path_put(&p);
    path_put(&root);
}

KTEST(names, a_path_held_outlives_its_names)
{
    size_t dentries = objects("dentry");
    struct path p;
    fs_mkdir(AT_FDCWD, "kt", 0755);
    fs_mkdir(AT_FDCWD, "kt/in", 0755);
    KEXPECT_EQ(look("kt/in", &p), 0);
    fs_rmdir(AT_FDCWD, "kt/in");
    fs_rmdir(AT_FDCWD, "kt");
    KEXPECT_EQ(objects("dentry") - dentries, 2); /* the child keeps its parent */
    path_put(&p);
    KEXPECT_EQ(objects("dentry"), dentries);
}

KTEST(names, links_are_followed_forty_times)
{
    char name[3] = "l0", target[3] = "l1";
    fs_mkdir(AT_FDCWD, "kt", 0755);
    fs_mknod(AT_FDCWD, "kt/end", S_IFREG | 0644, 0);
    struct path p;
    fs_symlink("kt/end", AT_FDCWD, "la");
    KEXPECT_EQ(path_lookup(AT_FDCWD, "la", LOOKUP_FOLLOW, &p), 0);
    path_put(&p);
    fs_symlink(name, AT_FDCWD, target); /* l1 -> l0 -> l1 ... */
    fs_symlink(target, AT_FDCWD, name);
    KEXPECT_EQ(path_lookup(AT_FDCWD, "l0", LOOKUP_FOLLOW, &p), -ELOOP);
    KEXPECT_EQ(path_lookup(AT_FDCWD, "l0/x", LOOKUP_FOLLOW, &p), -ELOOP);
    fs_unlink(AT_FDCWD, name);
    fs_unlink(AT_FDCWD, target);
    fs_unlink(AT_FDCWD, "la");
    fs_unlink(AT_FDCWD, "kt/end");
    fs_rmdir(AT_FDCWD, "kt");
}

KTEST(names, an_open_file_outlives_its_name)
{
    size_t files = file_count(), inodes = objects("inode");
    struct file *f = file_open(AT_FDCWD, "kt", O_RDWR | O_CREAT | O_EXCL, 0600);
    KEXPECT(!is_err(f));
    KEXPECT_EQ(fs_unlink(AT_FDCWD, "kt"), 0);
    struct iovec one;
    struct uio u;
    char text[] = "still here", back[sizeof(text)] = {0};
    uio_init_kernel(&u, &one, text, sizeof(text));
    KEXPECT_EQ(file_pwrite(f, &u, 0), sizeof(text));
    KEXPECT_EQ(file_read_kernel(f, back, sizeof(back), 0), sizeof(text));
    KEXPECT_EQ(strcmp(text, back), 0);
    KEXPECT_EQ(f->inode->nlink, 0);
    file_put(f);
    KEXPECT_EQ(file_count(), files);
    KEXPECT_EQ(objects("inode"), inodes);
}
