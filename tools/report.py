"""Reports of a running machine, asked for by SIGUSR1 or because a run takes too long.

An NMI makes our kernel print where it is into its log (kernel/x86/report.h) and go on. The NMI is sent by
QEMU's monitor, on a socket in the run's folder; the log is a file, which is looked at until it has the end.
"""

import os
import signal
import sys
import time

PATIENCE = 120  # seconds for a report to be printed, on a busy host
# Seconds until the kernel is asked again that has said nothing: of two NMIs that wait for a CPU, as the watchdog's and
# ours may, it takes one (Intel's manual, volume 3, section 6.7.1). It has until then to stop all CPUs and to begin.
ASK_AGAIN = 20
LOOK_EVERY = 0.05
BEGIN, END = "] report: ", "] end of report"


class Request:
    """SIGUSR1, from the first moment on: a byte in a pipe, for whoever polls."""

    def __init__(self):
        self.descriptor, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGUSR1, self.take)

    def take(self, *_):
        try:
            os.write(self.writer, b"r")
        except BlockingIOError:
            pass

    @staticmethod
    def end():
        """Too late for one: it shall not end us instead, as it would when Python goes."""
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def clear(self):
        try:
            os.read(self.descriptor, 4096)
        except BlockingIOError:
            pass


class Reporter:
    """At most one report is on its way. WHY_NOT: why this machine can give none, or None."""

    def __init__(self, machine, kernel_log, why_not):
        self.machine = machine
        self.kernel_log = kernel_log
        self.why_not = why_not
        self.until = None   # while one is on its way: until when we wait for it,
        self.again = 0      # and when we ask again
        self.begun = 0      # lines of the log before it was asked for
        self.lines = []     # the newest

    def ask(self):
        """An error in words, or None: look() will have it."""
        if self.why_not:
            return self.why_not
        if self.until is None:
            self.begun = len(self._log())
            if not self.machine.monitor("nmi"):
                return "QEMU's monitor does not answer"
            self.until = time.monotonic() + PATIENCE
            self.again = time.monotonic() + ASK_AGAIN
        return None

    def wait(self, limit):
        """How long poll may wait, in seconds or None, when it otherwise would for LIMIT."""
        if self.until is None:
            return limit
        return LOOK_EVERY if limit is None else min(limit, LOOK_EVERY)

    def look(self):
        """True when the report that was asked for has come, False when none will, None: not yet."""
        if self.until is None:
            return None
        lines = self._log()[self.begun:]
        begin = next((i for i, line in enumerate(lines) if BEGIN in line), None)
        # What ends before is another report, which was being printed when this one was asked for.
        end = next((i for i, line in enumerate(lines) if END in line and begin is not None and i > begin), None)
        if end is not None:
            self.lines = lines[begin:end + 1]
        elif time.monotonic() < self.until:
            if begin is None and time.monotonic() > self.again:
                self.machine.monitor("nmi")
                self.again = time.monotonic() + ASK_AGAIN
            return None
        self.until = None
        return end is not None

    def print(self):
        print("\n".join(self.lines), file=sys.stderr, flush=True)

    def _log(self):
        try:
            with open(self.kernel_log, encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except OSError:
            return []
