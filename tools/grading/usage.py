"""What a jail has used of the processors, and the budgets in it: of one jail, and of the whole grading of a patch.

The clock is no measure: a busy host has less time for each. What was used of the processors is the same anywhere. So
one that spins is ended by that. One that sleeps uses nothing, also where others use much, and is ended when nothing
in it has run, nor been ready to, for a while; the grading is charged with that while. So a patch is graded in a time
that is known, whatever it does; one that does nothing of the kind comes nowhere near these budgets.
"""

import os
import threading
import time

SHARE = 0.01    # of a processor: who uses less sleeps, unless a thread of his is seen to wait for a processor
LOOKS_FAR = 0.5 # seconds: so much of the time before a look is judged by it, at most
SPENT = "the processors were busy for longer than this takes"
ASLEEP = "everything in it slept for longer than this takes"
EXHAUSTED = "the grading of this patch has used up its processor time"
REPEATS = 0.5   # the part of a grading's time of which checks may be run again
TICKS = os.sysconf("SC_CLK_TCK")


def descendants(pid):
    """PID and everything below it that there is now."""
    yield pid
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                children = file.read().split()
            for child in children:
                yield from descendants(int(child))
    except (FileNotFoundError, ProcessLookupError):
        return


def processor_seconds(pid):
    """What PID and all below it have used, those that have ended and were waited for included."""
    used = 0
    for one in descendants(pid):
        try:
            with open(f"/proc/{one}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        used += sum(int(field) for field in fields[11:15])
    return used / TICKS


def is_at_work(pid):
    """Whether a thread of PID or of one below it runs, would if there were a processor for it, or waits for a disc."""
    for one in descendants(pid):
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/stat", encoding="utf-8", errors="replace") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] in "RD":
                        return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


class Ledger:
    """What a grading may use: SECONDS of processor time, None: as much as it likes. Several threads add to it."""

    def __init__(self, seconds=None):
        self.seconds = seconds
        self.used = 0.0     # lock
        self.lock = threading.Lock()

    def add(self, seconds):
        with self.lock:
            self.used += seconds

    def share(self, part):
        """PART of it in seconds, None without a limit."""
        return None if self.seconds is None else self.seconds * part

    def exhausted(self, part=1.0):
        """Whether PART of it is used up."""
        return self.seconds is not None and self.used >= self.seconds * part


class Meter:
    """Watches one jail. MOST: its processor seconds, IDLE: how long it may sleep, both None: no matter. BESIDE: a Meter
    of another jail: while that one is at work, this one may wait for it."""

    def __init__(self, ledger, most=None, idle=None, beside=None):
        self.ledger, self.most, self.idle, self.beside = ledger, most, idle, beside
        self.pid = None
        self.used = 0.0
        self.asleep, self.before = 0.0, 0.0     # seconds for which it was seen asleep, and USED when that began
        self.looked = time.monotonic()

    def look(self, pid):
        """Why the jail with the process PID is to be ended, or ""."""
        used = max(processor_seconds(pid), self.used)   # a process that nobody waited for takes its time along
        self.ledger.add(used - self.used)
        self.pid, self.used = pid, used
        if self.most is not None and used > self.most:
            return SPENT
        if self.ledger.exhausted():
            return EXHAUSTED
        return ASLEEP if self.idle is not None and self._sleeps() else ""

    def _sleeps(self):
        now, used = time.monotonic(), self.used + (self.beside.used if self.beside else 0)
        # Who looks may be starved as well: what passed between two looks is not all known to have been sleep.
        passed, self.looked = min(now - self.looked, LOOKS_FAR), now
        if used - self.before > SHARE * self.idle:
            self.asleep, self.before = 0.0, used
        elif not any(meter.pid and is_at_work(meter.pid) for meter in (self, self.beside) if meter):
            self.asleep += passed
        if self.asleep <= self.idle:
            return False
        self.ledger.add(self.asleep)
        return True
