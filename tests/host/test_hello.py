"""How small the smallest program with our library is: its bytes, and its instructions from start to end."""

import ctypes
import os
import signal

from support import BUILD, Verdict

HELLO = os.path.join(BUILD, "root", "demo", "hello")
BYTES, INSTRUCTIONS = 20 << 10, 8000
PTRACE_TRACEME, PTRACE_SINGLESTEP = 0, 9
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid):
    if libc.ptrace(request, pid, None, None) < 0:
        raise Verdict("INFRA", f"ptrace: {os.strerror(ctypes.get_errno())}")


def instructions(program):
    """The host stops PROGRAM after each instruction; also its output and its wait status."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(writer, 1)
            ptrace(PTRACE_TRACEME, 0)
            os.execve(program, [program], {})
        finally:
            os._exit(126)
    os.close(writer)
    count, status = 0, os.waitpid(pid, 0)[1]
    while os.WIFSTOPPED(status):
        if os.WSTOPSIG(status) == signal.SIGTRAP and count < 100 * INSTRUCTIONS:
            ptrace(PTRACE_SINGLESTEP, pid)
        else:
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        count += 1
    with os.fdopen(reader, "rb") as pipe:
        return count, pipe.read(), status


def test_hello_is_small():
    assert os.path.getsize(HELLO) < BYTES


def test_hello_is_quick():
    count, out, status = instructions(HELLO)
    assert (out, status) == (b"Hello from C.\n", 0)
    assert 0 < count < INSTRUCTIONS
