/* <ftw.h>: a walk over a tree of files. */
#pragma once

#include <sys/stat.h>

/* What the function is told a file is. */
#define FTW_F 1   /* no directory */
#define FTW_D 2   /* a directory, before what is in it */
#define FTW_DNR 3 /* a directory that can't be read */
#define FTW_NS 4  /* stat() failed */
#define FTW_SL 5  /* a symbolic link (nftw: with FTW_PHYS) */
#define FTW_DP 6  /* a directory, after what is in it (FTW_DEPTH) */
#define FTW_SLN 7 /* a symbolic link that leads nowhere (nftw) */

/* nftw's flags */
#define FTW_PHYS 1  /* don't follow symbolic links */
#define FTW_MOUNT 2 /* stay in one file system */
#define FTW_CHDIR 4 /* be in a file's directory when the function is called */
#define FTW_DEPTH 8 /* a directory comes after what is in it */

struct FTW {
    int base;  /* where the name begins in the path */
    int level; /* 0: the tree's root */
};

/* What FUNCTION returns ends the walk, unless it is 0. At most DESCRIPTORS are open at a time. */
int ftw(const char *path, int (*function)(const char *, const struct stat *, int), int descriptors);
int nftw(const char *path, int (*function)(const char *, const struct stat *, int, struct FTW *),
         int descriptors, int flags);
