/* <sys/syscall.h>. */
#pragma once

#include <syscall_nr.h>
