"""The debugger: attach before the first instruction, stop in a system call, read the stack."""

import os
import signal
import subprocess
import time

import pytest

from support import EXTRA_WORDS, ROOT, RUN, Verdict

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
GDB_FILE = os.path.join(ROOT, "tools", "gdb", "signalbox.py")


def gdb(kernel, socket, *commands):
    words = ["gdb", "-q", "-batch", "-nx", "-x", GDB_FILE, "-ex", f"signalbox-connect {socket}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run([*words, kernel], capture_output=True, check=False, timeout=120,
                          stdin=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def wait_for_socket(path, process):
    end = time.monotonic() + 30
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            raise Verdict("INFRA", "the machine opened no socket for gdb")
        time.sleep(0.05)


@pytest.mark.parametrize("build", ["build", "build/debug"])
def test_breakpoint_on_sys_write_is_hit(tmp_path, build):
    socket = str(tmp_path / "gdb.sock")
    flavour = ["--debug"] if build == "build/debug" else []
    process = subprocess.Popen(
        [RUN, *flavour, "--gdb", socket, "--timeout", "200", "--", "/bin/busybox", "echo", "hello"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for_socket(socket, process)
        text = gdb(os.path.join(ROOT, build, "kernel.elf"), socket, "hbreak sys_write", "continue", "backtrace",
                   "info registers rip", "delete", "detach")
        out, err = process.communicate(timeout=100)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
    assert "sys_write" in text.split("Breakpoint 1, ")[-1], text
    assert "#0 " in text, text
    # The way from the program into the kernel, and nothing invented below the program's call.
    kernel_frames = text[text.index("#0 "):].split("syscall_entry ()")
    assert len(kernel_frames) == 2, text
    assert all("0xffff" not in line for line in kernel_frames[1].splitlines() if line.startswith("#")), text
    assert (process.returncode, out) == (0, b"hello\n"), err
