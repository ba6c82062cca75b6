/* The limits that programs may count on and that the kernel enforces. */
#pragma once

#define NAME_MAX 255    /* bytes of a file name, without NUL */
#define PATH_MAX 4096   /* bytes of a path, with NUL */
#define PIPE_BUF 4096   /* writes to a pipe up to this many bytes are atomic */
#define PIPE_SIZE 65536 /* what a fresh pipe holds */
#define NGROUPS_MAX 65536
#define IOV_MAX 1024 /* entries of an iovec array */
#define UIO_FASTIOV 8
#define ARG_MAX 131072
#define MAX_ARG_STRLEN 131072 /* one argument or environment string of execve, with NUL */
#define MAX_ARG_STRINGS 0x7fffffff
#define MAX_SYMLINKS 40 /* followed in one path walk before ELOOP */
#define LOGIN_NAME_MAX 256
#define HOST_NAME_MAX 64
#define NR_OPEN_MAX 1048576 /* no RLIMIT_NOFILE is above it */
#define PID_MAX_LIMIT 4194304
#define BINPRM_BUF_SIZE 256 /* how much of a #! line counts */
#define TASK_COMM_LEN 16
