/* The mount table's functions for mount(2), umount2(2) and the boot. _locked needs dcache_lock. */
#pragma once

#include "fs/path.h"

struct mount *mount_alloc(struct superblock *sb, struct dentry *root, const char *source,
                          unsigned flags);
bool mount_is_attached_locked(const struct mount *m); /* visible from the root of everything */
void mount_attach_locked(struct mount *m, const struct path *at);
void mount_detach_locked(struct mount *m, struct path *old);
struct mount *mount_child_locked(const struct mount *m);
struct mount *mount_next_below_locked(struct mount *after, const struct path *p);
int mount_set_flags(struct mount *m, unsigned flags);
int superblock_set_read_only(struct superblock *sb, bool read_only);
void mount_root(struct superblock *sb);
