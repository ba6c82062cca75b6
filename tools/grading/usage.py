"""What a jail has used of the processors: a budget for machines whose time is not their own.

A machine of several processors runs in the host's time, which a busy host has less of. What it has used of the
processors is the same anywhere, so one that spins is ended by that; one that sleeps for ever only by the clock.
"""

import os

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
