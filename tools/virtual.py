"""What a machine under --icount has used, asked from outside: budgets that a busy host does not eat up.

There are two. The machine's own time passes also while all its processors sleep: QEMU's real-time clock begins with
2025 and follows the virtual clock, in which an instruction is one nanosecond. And there is what it has executed,
which sleep does not add to: whoever waits long but works little is told by it from what runs in a circle. QEMU's
machine protocol (QMP) tells both, and the machine doesn't notice.
"""

import calendar
import json
import socket
import time

BASE = calendar.timegm((2025, 1, 1, 0, 0, 0))
LOOK_EVERY = 0.1
FIELDS = ("tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec")
TIME, WORK = "time", "work"
QUESTIONS = ({"execute": "qom-get", "arguments": {"path": "/machine", "property": "rtc-time"}, "id": TIME},
             {"execute": "query-replay", "id": WORK})
GIGA = 1000000000


class Budget:
    """SECONDS of virtual time, WORK in thousands of millions of instructions; None: no such budget. PATH is the socket
    of a QMP monitor that nobody else uses."""

    def __init__(self, seconds, work, path):
        self.most = {TIME: seconds, WORK: work}
        self.used = {TIME: 0, WORK: 0}
        self.path = path
        self.socket = None
        self.answer = b""
        self.asked = 0      # questions without an answer
        self.next = 0.0     # when to ask again

    def is_set(self):
        return any(most is not None for most in self.most.values())

    def wait(self, seconds):
        """How long the caller may sleep that wanted to sleep SECONDS (None: for ever)."""
        if not self.is_set():
            return seconds
        ours = max(0.0, self.next - time.monotonic())
        return ours if seconds is None else min(seconds, ours)

    def is_spent(self):
        """Ask now and then; the answer to the last question is looked at."""
        if not self.is_set() or time.monotonic() < self.next:
            return False
        self.next = time.monotonic() + LOOK_EVERY
        try:
            self._converse()
        except OSError:
            self.socket = None
        return bool(self.words())

    def words(self):
        """Which budget is spent, to be read, or ""."""
        if self._over(TIME):
            return f"no end after {self.most[TIME]:g} seconds of its own time"
        if self._over(WORK):
            return f"no end after {self.most[WORK] * 1000:g} million instructions"
        return ""

    def _over(self, kind):
        return self.most[kind] is not None and self.used[kind] > self.most[kind]

    def _converse(self):
        if self.socket is None:
            self.answer, self.asked = b"", 0
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(self.path)
            self.socket.setblocking(False)
            self._ask({"execute": "qmp_capabilities"})
        try:
            while piece := self.socket.recv(1 << 16):
                self.answer += piece
        except BlockingIOError:
            pass
        *lines, self.answer = self.answer.split(b"\n")
        for line in lines:
            self._hear(json.loads(line))
        if not self.asked:
            for question in QUESTIONS:
                self._ask(question)

    def _ask(self, question):
        self.socket.sendall(json.dumps(question).encode() + b"\n")
        self.asked += 1

    def _hear(self, said):
        """One message: an answer, or an event, or the greeting."""
        if "return" not in said and "error" not in said:
            return
        self.asked -= 1
        if "return" in said and said.get("id") == TIME:
            year, month, *rest = (said["return"][field] for field in FIELDS)
            self.used[TIME] = calendar.timegm((year + 1900, month + 1, *rest)) - BASE
        elif "return" in said and said.get("id") == WORK:
            self.used[WORK] = said["return"]["icount"] / GIGA
