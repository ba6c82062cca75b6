/* <sys/ipc.h>. */
#pragma once

#include <abi/ipc.h>

/* A key from a file's inode and device and the low byte of ID; -1 when there is no such file. */
key_t ftok(const char *path, int id);
