/* <grp.h>: the groups of /etc/group. What is returned is good until the next call. */
#pragma once

#include <abi/types.h>
#include <stddef.h>

struct group {
    char *gr_name;
    char *gr_passwd;
    gid_t gr_gid;
    char **gr_mem;
};

struct group *getgrnam(const char *name);
struct group *getgrgid(gid_t gid);
/* The groups of USER and GROUP, at most *COUNT of them; *COUNT becomes their number. -1: they were more. */
int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
int setgroups(size_t size, const gid_t *list);
