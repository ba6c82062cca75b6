"""Recorded runs (tools/run --replay): places to begin again from, so that steps backwards take no time.

QEMU goes backwards by going to a state that it has kept and running forwards from there. Of a recording it has but one,
from before the first instruction: each step back would run the whole boot again. So a state is kept where a program
begins and where gdb stops, if none is near.
"""

import re

import gdb

import programs

FAR = 2_000_000   # instructions, which a debugged replay takes a part of a second for
KEPT_MAX = 40     # states, of some MiB each on the disc that the run has for them

_kept = []        # by instruction count


def position():
    """How many instructions the replay has done; None when nothing is being replayed."""
    text = gdb.execute("monitor info replay", to_string=True)
    found = re.search(r"[Rr]eplaying.*instruction count = (\d+)", text)
    return int(found[1]) if found else None


def keep(here):
    """Keep the state of the machine, which stands still after HERE instructions."""
    if len(_kept) < KEPT_MAX:
        gdb.execute(f"monitor savevm at{here}", to_string=True)
        _kept.append(here)


def stopped(_event=None):
    """Here the machine stands; it need not be for the user."""
    try:
        here = position()
        if here is not None and not any(0 <= here - kept < FAR for kept in _kept):
            keep(here)
    except gdb.error:
        pass  # the machine has gone


def start():
    """Once connected."""
    if position() is not None:
        gdb.events.stop.connect(stopped)
        programs.at_exec.append(stopped)
