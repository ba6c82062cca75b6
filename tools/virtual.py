"""The machine's own time, asked from outside: a budget that a busy host does not eat up.

With --icount QEMU's real-time clock begins with 2025 and follows the virtual clock, in which an instruction is
one nanosecond. QEMU's monitor tells what it shows, to the second, and the machine doesn't notice.
"""

import calendar
import math
import re
import socket
import time

BASE = calendar.timegm((2025, 1, 1, 0, 0, 0))
LOOK_EVERY = 0.1
PROMPT = b"(qemu) "
FIELDS = ("tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec")


class Budget:
    """SECONDS of virtual time, or None: no budget. PATH is the socket of a monitor that nobody else uses."""

    def __init__(self, seconds, path):
        self.seconds, self.path = seconds, path
        self.socket = None
        self.answer = b""
        self.next = 0.0     # when to ask again
        self.used = 0

    def wait(self, seconds):
        """How long the caller may sleep that wanted to sleep SECONDS (None: for ever)."""
        if self.seconds is None:
            return seconds
        ours = max(0.0, self.next - time.monotonic())
        return ours if seconds is None else min(seconds, ours)

    def is_spent(self):
        """Ask now and then; the answer to the last question is looked at."""
        if self.seconds is None or time.monotonic() < self.next:
            return False
        self.next = time.monotonic() + LOOK_EVERY
        try:
            self._converse()
        except OSError:
            self.socket = None
        return self.used > self.seconds

    def _used(self, *date):
        """Seconds since the start. The clock is the machine's to set: one that goes back, or to what is no date, says
        nothing of the time that has passed, and so all of it has."""
        try:
            used = calendar.timegm(date) - BASE
        except ValueError:
            return math.inf
        return used if used >= self.used else math.inf

    def _converse(self):
        if self.socket is None:
            self.answer = b""
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(self.path)
            self.socket.setblocking(False)
        try:
            while piece := self.socket.recv(1 << 16):
                self.answer += piece
        except BlockingIOError:
            pass
        if not self.answer.endswith(PROMPT):
            return
        shown = dict(re.findall(rb'"(tm_\w+)": (\d+)', self.answer))
        if shown:
            year, month, *rest = (int(shown.get(field.encode(), 0)) for field in FIELDS)
            self.used = self._used(year + 1900, month + 1, *rest)
        self.answer = b""
        self.socket.sendall(b"qom-get /machine rtc-time\n")
