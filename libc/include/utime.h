/* <utime.h>. */
#pragma once

#include <abi/time.h>

int utime(const char *path, const struct utimbuf *times);
