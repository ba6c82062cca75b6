/* eventfd(2): a counter to wait for. */
#pragma once

#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK 04000
#define EFD_CLOEXEC 02000000
