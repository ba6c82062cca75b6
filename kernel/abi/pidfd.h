/* pidfd_open(2), pidfd_send_signal(2): descriptors that stand for processes. */
#pragma once

#define PIDFD_NONBLOCK 04000
#define PIDFD_THREAD 0200

/* To whom pidfd_send_signal sends, instead of to what the descriptor was opened for. */
#define PIDFD_SIGNAL_THREAD 1u
#define PIDFD_SIGNAL_THREAD_GROUP 2u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u
