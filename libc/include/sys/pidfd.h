/* Descriptors that stand for processes. */
#pragma once

#include <abi/pidfd.h>
#include <signal.h>

int pidfd_open(pid_t pid, unsigned int flags);
int pidfd_send_signal(int pidfd, int sig, const siginfo_t *info, unsigned int flags);
