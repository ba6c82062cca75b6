"""The zoo: wrong patches, which keep the checks honest. Each must lose points in the checks that it names."""

import re
import tempfile

from grading import session
from grading.intake import HandedIn
from grading.lab import Wrong
from grading.trees import Failure

CAUGHT = ("FAIL", "TIMEOUT", "PANIC", "LEAK")


class Killed:
    """One wrong patch and what became of it."""

    def __init__(self, wrong, made):
        self.wrong, self.made = wrong, made
        self.results = {result.check.name: result for result in made.results}

    def trouble(self):
        """Why it proves nothing, or "": it must build, and each check that it names must take points from it."""
        if self.made.stage:
            return f"the {self.made.stage} failed: {self.made.words}"
        missed = [name for name in self.wrong.caught_by if not self.catches(name)]
        if self.wrong.survives:
            return f"it was to survive, and {self.wrong.caught_by} caught it" if not missed else ""
        return f"not caught by {', '.join(missed)}" if missed else ""

    def catches(self, name):
        result = self.results[name]
        return result.outcome.verdict in CAUGHT and result.outcome.score < result.check.points

    def line(self):
        cells = [f"{result.outcome.verdict} {result.outcome.score:g}/{result.check.points:g} {name}"
                 for name, result in self.results.items() if result.outcome.verdict != "PASS"]
        word = "survives" if self.wrong.survives else "ALIVE" if self.trouble() else "killed"
        return f"{word:9}{self.wrong.name:34}{', '.join(cells) or 'no check'}" + (
            f"\n         {self.wrong.survives}" if self.wrong.survives else "")


def wrongs(lab):
    """The lab's zoo, checked for sense: every check that is named exists."""
    known = {check.name for check in lab.load_checks()}
    found = [Wrong(lab, path) for path in lab.wrong_patches()]
    for wrong in found:
        if not set(wrong.caught_by) <= known:
            raise Failure(f"{wrong.path}: there is no check {sorted(set(wrong.caught_by) - known)}")
    return found


def kill(lab, wrong, plan, every_check=False):
    """Grade one, by the checks that are to catch it (and those that they need) or by all."""
    with tempfile.TemporaryDirectory(prefix="signalbox-wrong-") as folder:
        text = wrong.against_skeleton(folder)
    if not re.search(r"^diff --git", text, re.M):
        raise Failure(f"{wrong.path} makes no patch")
    plan.only = None if every_check else wrong.caught_by
    return Killed(wrong, session.grade(lab, HandedIn(wrong.name, text), plan))
