"""The grading of one patch: apply, build, run the checks, several at once, and say how each came out.

A check that fails runs again, under the same seed and under another: the first run counts, and that another came out
otherwise is told. A run that says nothing (INFRA) is repeated, and when it never says anything the patch
is not graded: that is nobody's zero.
"""

import concurrent.futures
import hashlib
import os
import threading

from grading import build, jail
from grading.checks import Outcome, Trial
from grading.patch import Refused, apply
from grading.trees import Failure

TRIES = 3
KEY = "SIGNALBOX_GRADE_KEY"     # an instructor's secret: with it nobody knows a seed before it is used


class Plan:
    """How to grade: const. ONLY: names of checks, which run with those they need; None: all."""

    def __init__(self, kind=None, jobs=2, seed=None, again=True, only=None, watch=None):
        self.kind, self.jobs, self.seed, self.again, self.only = jail.choose(kind), jobs, seed, again, only
        self.watch = watch or (lambda name, outcome: None)  # called when a check has ended


class Result:
    """One check, in the report."""

    def __init__(self, check, outcome, flaky=None):
        self.check, self.outcome, self.flaky = check, outcome, flaky


class Grade:
    """What came of one patch."""

    def __init__(self, lab, name, text, seed, kind):
        self.lab, self.name, self.text, self.seed, self.kind = lab, name, text, seed, kind
        self.stage, self.words = "", ""     # "patch" or "build", and what was wrong, if it did not come to the checks
        self.results = []

    @property
    def graded(self):
        return all(result.outcome.verdict != "INFRA" for result in self.results)

    @property
    def score(self):
        return sum(result.outcome.score for result in self.results) if self.graded else None

    @property
    def points(self):
        return sum(result.check.points for result in self.results)

    @property
    def verdict(self):
        if self.stage:
            return "BUILD"
        if not self.graded:
            return "INFRA"
        return "PASS" if self.score == self.points else "FAIL"


def seed_of(lab, text):
    """The same patch gets the same questions each time, and another patch others."""
    secret = os.environ.get(KEY, "")
    return int.from_bytes(hashlib.sha256(f"{secret}\0{lab.name}\0{text}".encode(errors="surrogateescape")).digest()[:6])


def chosen(checks, only):
    """The checks named in ONLY and, before them, what they need."""
    if only is None:
        return checks
    names, wanted = {check.name: check for check in checks}, set()

    def want(name):
        wanted.add(name)
        for need in names[name].needs:
            want(need)

    for name in only:
        if name not in names:
            raise Failure(f"there is no check {name}; there are: {', '.join(names)}")
        want(name)
    return [check for check in checks if check.name in wanted]


def skipped(check, why):
    outcome = Outcome(check)
    outcome.verdict, outcome.text = "SKIP", why
    return Result(check, outcome)


def grade(lab, name, text, plan):
    """The Grade of a patch."""
    tree = build.prepare(lab)
    checks = chosen(lab.load_checks(), plan.only)
    made = Grade(lab, name, text, seed_of(lab, text) if plan.seed is None else plan.seed, plan.kind)
    try:
        changes = apply(text, tree, lab.paths) if text else {}
        with build.Build(lab, tree, changes, plan.kind, plan.jobs) as built:
            # Sockets of a check's are for the jail's user too; nobody else can reach them.
            before = os.umask(0)
            try:
                made.results = run_checks(lab, checks, built, plan, made.seed)
            finally:
                os.umask(before)
    except (Refused, build.Broken) as broken:
        made.stage = "patch" if isinstance(broken, Refused) else "build"
        made.words = str(broken)
        made.results = [skipped(check, f"the {made.stage} failed") for check in checks]
    return made


def run_checks(lab, checks, built, plan, seed):
    """Every check as soon as those that it needs have passed."""
    done = {check.name: threading.Event() for check in checks}
    results = {}

    def one(check):
        try:
            for need in check.needs:
                done[need].wait()
            missed = [need for need in check.needs if results[need].outcome.verdict != "PASS"]
            infra = [need for need in missed if results[need].outcome.verdict == "INFRA"]
            results[check.name] = skipped(check, f"needs {', '.join(infra or missed)}") if missed else \
                with_retries(lab, check, built, plan, seed)
        finally:
            done[check.name].set()
        plan.watch(check.name, results[check.name])

    # What is needed stands before who needs it, so that who waits never keeps it from a place.
    with concurrent.futures.ThreadPoolExecutor(plan.jobs) as pool:
        futures = [pool.submit(one, check) for check in checks]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            jail.stop_all()
            for event in done.values():
                event.set()
            raise
    return [results[check.name] for check in checks]


def attempt(lab, check, built, plan, seed):
    """One run; a run that says nothing is repeated."""
    for _ in range(TRIES if not jail.over.is_set() else 1):
        outcome = Trial(lab, check, built, plan.kind, seed).run()
        if outcome.verdict != "INFRA":
            break
    return outcome


def with_retries(lab, check, built, plan, seed):
    first = attempt(lab, check, built, plan, seed)
    if first.verdict in ("PASS", "INFRA") or not plan.again:
        return Result(check, first)
    others = [attempt(lab, check, built, plan, other) for other in (seed, seed + 1)]
    told = ["FAIL", *(other.verdict for other in others if other.verdict != "INFRA")]
    failed = len(told) - told.count("PASS")
    return Result(check, first, flaky=f"flaky {failed}/{len(told)}" if failed < len(told) else None)
