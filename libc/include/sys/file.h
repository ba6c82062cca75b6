/* <sys/file.h>. */
#pragma once

#include <abi/fcntl.h>

int flock(int fd, int operation);
