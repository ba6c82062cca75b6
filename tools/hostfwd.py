"""Longer queues for the ports of --hostfwd.

QEMU listens at each with listen(fd, 1): of several clients that call at once two get in, and the others call again a
second later, or have their first words lost; ab with 50 at once would measure that and no server. So we take a copy of
each socket that QEMU, our child, listens on (pidfd_getfd(2)) and call listen(2) once more. A host that refuses us the
copy, as some containers do, has the short queues.
"""

import contextlib
import ctypes
import os
import socket

BACKLOG = 512
SYS_PIDFD_GETFD = 438
libc = ctypes.CDLL(None)


def copy_of(process, number):
    """Descriptor NUMBER of PROCESS, a pidfd, as one of ours; -1: it is closed, or the host refuses us."""
    return libc.syscall(SYS_PIDFD_GETFD, process, number, 0)


def lengthen_queues(pid):
    """Of all TCP ports at which process PID listens. It may end meanwhile."""
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)
        try:
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(FileNotFoundError):  # it has been closed
                    if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
                        _lengthen(copy_of(process, int(number)))
        finally:
            os.close(process)


def _lengthen(copy):
    if copy < 0:
        return
    with socket.socket(fileno=copy) as ours:
        if ours.family == socket.AF_INET and ours.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            ours.listen(BACKLOG)
