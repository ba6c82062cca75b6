"""A check: a function of a lab's checks.py, what it expects, and one run of it with its verdict."""

import contextlib
import inspect
import itertools
import os
import random
import re
import shutil
import tempfile
import traceback

from grading.machine import Ended, Infra, Machine

registered = []
END_WORDS = {"PANIC": "the kernel panicked", "TIMEOUT": "no end in time", "LEAK": "the kernel leaked memory",
             "FAIL": "the machine did not run to the end"}
MAX_SHOWN = 600
SHORT_LIST = 4   # elements that are compared at a glance
MAX_ATTACHED = 1 << 20  # of the end of a text
MAX_PCAP = 8 << 20      # of its beginning


class Check:
    """const: a function of checks.py and what stands in its decorator."""

    def __init__(self, function, points, visible, needs, seconds):
        self.function, self.name = function, function.__name__
        self.title = (inspect.getdoc(function) or self.name.replace("_", " ")).split("\n\n")[0].replace("\n", " ")
        self.points, self.visible, self.needs, self.seconds = points, visible, tuple(needs), seconds


def check(points, visible=True, needs=(), seconds=3):
    """Make a function a check; tests/labs/README.md tells what it may do."""
    def register(function):
        registered.append(Check(function, points, visible, needs, seconds))
        return function
    return register


class Outcome:
    """How one run of a check came out."""

    def __init__(self, check_):
        self.check = check_
        self.verdict, self.text, self.panic = "PASS", "", ""
        self.score = 0
        self.expectations = []  # dicts: what, want, got, ok, points, hint
        self.hints = []
        self.attached = {}      # name -> bytes
        self.machines = 0       # how many were booted
        self.asleep = False     # whether one was ended since nothing ran in it


def same(want, got):
    """Whether GOT is what is wanted, and GOT as it is to be shown."""
    if isinstance(want, re.Pattern):
        return isinstance(got, (str, bytes)) and want.fullmatch(got) is not None, got
    if isinstance(want, int) and not isinstance(want, bool) and isinstance(got, str):
        with contextlib.suppress(ValueError):
            got = int(got, 0)
    if isinstance(want, bytes) and isinstance(got, str):
        got = got.encode(errors="replace")
    if isinstance(want, str) and isinstance(got, int) and not isinstance(got, bool):
        got = str(got)
    if isinstance(want, range):
        # Of anything but a number `in` compares with every element, and there may be thousands of millions.
        return isinstance(got, int) and got in want, got
    if isinstance(want, (set, frozenset)):
        return got in want, got
    return want == got, got


def show(value):
    if value is None:
        return "nothing"
    if isinstance(value, re.Pattern):
        return f"what matches {value.pattern}"
    if isinstance(value, range) and value.step == 1 and len(value) > 8:
        return f"{value.start} to {value.stop - 1}"
    if isinstance(value, (set, frozenset)):
        return "one of " + ", ".join(sorted(show(one) for one in value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 16:
        return f"{value} ({value:#x})"
    text = repr(value) if not isinstance(value, str) or not value.isprintable() or not value else value
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text)} characters)"


def parting(want, got):
    """Where two lists part that are too long to be compared at a glance; they are shown cut as well."""
    if not isinstance(want, (list, tuple)) or not isinstance(got, (list, tuple)) or \
            max(len(want), len(got)) <= SHORT_LIST:
        return ""
    for number, (one, other) in enumerate(itertools.zip_longest(want, got), 1):
        if one != other:
            return f"they part at no. {number} of {len(want)}: {show(one)}, came {show(other)}"
    return ""


class Trial:
    """What a check is given: its `t`."""

    def __init__(self, lab, check_, build, kind, seed, debug=None, ledger=None):
        """DEBUG: (the number of a machine, a function that debugs it), see replaying. LEDGER: the grading's."""
        self.lab, self.check, self.build, self.kind, self.seed = lab, check_, build, kind, seed
        self.kernel, self.initrd = build.kernel, build.initrd
        self.random = random.Random(f"{seed} {check_.name}")
        # Nobody else comes in here, but those in the jail, who see it without what is above: they may write.
        self.place = tempfile.mkdtemp(prefix="sb-")  # short: a socket's path has 107 bytes
        self.folder = os.path.join(self.place, "s")
        os.mkdir(self.folder)
        self.outcome = Outcome(check_)
        self.debug, self.ledger = debug, ledger
        self.debugged = False

    def boot(self, program, *args, seconds=None, may_end=(), **words):
        """Run a program in a fresh machine; see tests/labs/README.md."""
        number = self.outcome.machines = self.outcome.machines + 1
        folder = os.path.join(self.place, str(number))
        os.mkdir(folder)
        machine = Machine(self.lab, self.build, self.kind, folder, sockets=self.folder, ledger=self.ledger)
        if self.debug and self.debug[0] == number:
            self.debugged = True
            machine.run(program, args, seconds=1, interactive=self.debug[1], **words)
            raise Ended("SKIP", "it was debugged")
        seen = machine.run(program, args, seconds=seconds or self.check.seconds, **words)
        self.outcome.asleep |= seen.asleep
        self._attach(seen)
        if seen.end != "EXIT" and seen.end not in may_end:
            raise Ended(seen.end, f"{END_WORDS[seen.end]}: {program}" + (f"\n{seen.why}" if seen.why else ""))
        if seen.end == "EXIT" and seen.trouble:
            raise seen.trouble
        if seen.reports.get("stopped") and not may_end:
            raise Ended("FAIL", f"the test program {program} could not go on: {seen.reports['stopped'][0]}")
        return seen

    def _attach(self, seen):
        """What helps to understand a failure, of the last machine."""
        self.outcome.panic = seen.panic
        self.outcome.attached = {"kernel.log": seen.log.encode()[-MAX_ATTACHED:],
                                 "console.txt": seen.console.encode()[-MAX_ATTACHED:],
                                 "run.txt": seen.words.encode()[-MAX_ATTACHED:]}
        if seen.gdb:
            self.outcome.attached["gdb.txt"] = seen.gdb.encode()[-MAX_ATTACHED:]
        if seen.pcap:
            with open(seen.pcap, "rb") as file:
                self.outcome.attached["network.pcap"] = file.read(MAX_PCAP)

    def expect(self, what, want, got, points=None, hint=None):
        """WANT is what should have been seen and GOT what was; says whether it was."""
        ok, got = same(want, got)
        self.outcome.expectations.append({"what": what, "want": show(want), "got": show(got), "ok": ok,
                                          "points": points, "hint": hint, "parting": parting(want, got)})
        return ok

    def fail(self, what, hint=None):
        """End the check."""
        raise Ended("FAIL", what, hint)

    def run(self):
        """One run of the check; its Outcome."""
        outcome, complete = self.outcome, False
        try:
            self.check.function(self)
            complete = True
        except Ended as ended:
            outcome.verdict, outcome.text = ended.kind, str(ended)
            outcome.hints += [ended.hint] if ended.hint else []
        except Infra as infra:
            outcome.verdict, outcome.text = "INFRA", str(infra)
        except Exception:  # the check's own mistake is not the student's
            outcome.verdict, outcome.text = "INFRA", "the check itself failed:\n" + traceback.format_exc()
        finally:
            shutil.rmtree(self.place, ignore_errors=True)
        self._score(complete)
        return outcome

    def _score(self, complete):
        outcome, points = self.outcome, self.check.points
        priced = [one for one in outcome.expectations if one["points"] is not None]
        others = [one for one in outcome.expectations if one["points"] is None]
        rest = points - sum(one["points"] for one in priced)
        if complete and rest < 0:
            outcome.verdict, outcome.text = "INFRA", f"the check gives {points - rest} points and has {points}"
        if complete and not outcome.expectations:
            outcome.verdict, outcome.text = "INFRA", "the check expects nothing"
        if outcome.verdict == "INFRA":
            return
        outcome.score = sum(one["points"] for one in priced if one["ok"])
        if complete and all(one["ok"] for one in others):
            outcome.score += rest
        outcome.hints += [one["hint"] for one in outcome.expectations if not one["ok"] and one["hint"]]
        if complete and not all(one["ok"] for one in outcome.expectations):
            outcome.verdict = "FAIL"
        if outcome.verdict == "PASS":
            outcome.attached = {}
