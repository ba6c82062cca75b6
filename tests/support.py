"""What every test of ours uses: tools/run, programs on the host, and the verdicts."""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
RUN = os.path.join(ROOT, "tools", "run")
# Words for every tools/run: with --kernel and --initrd the tests themselves are tested on Linux.
EXTRA_WORDS = os.environ.get("TEST_RUN_WORDS", "").split()
# tools/run's own statuses; a program under test should use none of them.
LEAK, TIMEOUT, PANIC, INFRA, NOT_FOUND = 123, 124, 125, 126, 127
# <linux/sched.h>, <linux/sockios.h>, <linux/if.h>
LIBC = ctypes.CDLL(None)
CLONE_NEWIPC, CLONE_NEWNET = 0x08000000, 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP, IFF_RUNNING = 1, 0x40
# Seconds for what ends or answers by itself, on a machine as busy as may be: whoever needs longer hangs. What takes
# half a minute of a free processor takes a quarter of an hour where thirty want it. No test says by this, or by
# anything like it, how fast something is.
PATIENCE = 1200
# For tests of what happens at a run's --timeout: seconds that are enough, but on a busy machine, for a program to have
# begun before; then the next are.
DEADLINES = (4, 16, 64, 256)


class Verdict(Exception):
    """A test's end other than PASS: FAIL, TIMEOUT, PANIC, LEAK, BUILD or INFRA."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def both_ends(text, size=4000):
    """A panic's report says at its beginning what happened, and at its end who waits for what."""
    return text if len(text) <= 2 * size else f"{text[:size]}\n[...]\n{text[-size:]}"


class Result:
    def __init__(self, status, out, err, note=""):
        self.status = status
        self.out = out
        self.err = err.decode(errors="replace")
        self.text = out.decode(errors="replace")
        self.note = note

    def must_have_run(self):
        """Turn what tools/run says of the run itself into the verdict of its kind."""
        kinds = {LEAK: "LEAK", TIMEOUT: "TIMEOUT", PANIC: "PANIC", INFRA: "INFRA", NOT_FOUND: "INFRA"}
        if self.status in kinds:
            raise Verdict(kinds[self.status], f"{self.note}\n{self.text[-2000:]}\n{both_ends(self.err)}")
        return self


def patient(words):
    """WORDS for tools/run, with our patience where they name no other."""
    options = words[:words.index("--")] if "--" in words else words
    return words if "--timeout" in options else ("--timeout", str(PATIENCE), *words)


def run(*words, data=None, env=None, note=""):
    """tools/run with WORDS; DATA is the program's standard input."""
    words = patient(words)
    if EXTRA_WORDS:
        words = [word for word in words if word not in ("--debug", "--leak-check")]
    stream = {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
    done = subprocess.run([RUN, *EXTRA_WORDS, *words], capture_output=True, check=False,
                          env=dict(os.environ, **(env or {})), **stream)
    return Result(done.returncode, done.stdout, done.stderr, note)


def busybox(script, *words, data=None):
    """A shell script in the machine; WORDS are options of tools/run."""
    return run(*words, "--", "/bin/busybox", "sh", "-c", script, data=data)


def leave_the_others():
    """In a new process: a network with a loopback alone, and System V objects and message queues, that nobody else has,
    where that is allowed. So no port is taken by another test, and none of what is counted there is another's."""
    if LIBC.unshare(CLONE_NEWNET | CLONE_NEWIPC):
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING))


def run_on_host(program, *words, timeout=PATIENCE, alone=False):
    """A program of the host's; ALONE: with a network of its own, if that can be."""
    try:
        done = subprocess.run([program, *words], capture_output=True, check=False, timeout=timeout,
                              stdin=subprocess.DEVNULL, cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": "/root"},
                              preexec_fn=leave_the_others if alone else None)
    except subprocess.TimeoutExpired as error:
        raise Verdict("TIMEOUT", f"{program} on the host did not end in {timeout} s") from error
    except OSError as error:
        raise Verdict("BUILD", str(error)) from error
    return Result(done.returncode, done.stdout, done.stderr)
