/* The file layer's start, in the order in which its parts need each other. */
#include "fs/memfd.h"
#include "fs/epoll.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "fs/vfs.h"

void vfs_init(void)
{
    dcache_init();
    inode_init();
    file_init();
    epoll_init();
    fdtable_init();
    mount_init();
    struct superblock *sb = tmpfs_create_sb("tmpfs", "mode=0755");
    if (is_err(sb))
        panic("no memory for the root file system");
    fs_register(&tmpfs_type);
    mount_root(sb);
    superblock_put(sb);
    devfs_init();
    memfd_init();
}
