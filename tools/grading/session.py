"""The grading of one patch: apply, build, run the checks, several at once, and say how each came out.

A check that fails runs again, under the same seed and under another: the first run counts, and that another came out
otherwise is told. A run that says nothing (INFRA) is repeated, and when it never says anything the patch
is not graded: that is nobody's zero.
"""

import concurrent.futures
import functools
import hashlib
import os
import threading

from grading import build, jail
from grading.checks import Outcome, Trial
from grading.patch import Refused, apply
from grading.trees import Failure
from grading.usage import REPEATS, Ledger

TRIES = 3
BUDGET = 200    # seconds of processor time for a patch: two processors are through in three minutes, whatever it does
UNFINISHED = "the grading was interrupted before this check had ended"
KEY = "SIGNALBOX_GRADE_KEY"     # an instructor's secret: with it nobody knows a seed before it is used


class Interrupted(Exception):
    """Somebody wants the grader to end; MADE is the Grade as far as it has come."""

    def __init__(self, made):
        super().__init__(UNFINISHED)
        self.made = made


class Plan:
    """How to grade: const. ONLY: names of checks, which run with those they need; None: all."""

    def __init__(self, kind=None, jobs=2, seed=None, again=True, only=None, watch=None, budget=BUDGET):
        self.kind, self.jobs, self.seed, self.again, self.only = jail.choose(kind), jobs, seed, again, only
        self.budget = budget    # seconds of processor time for each patch, None: without a limit
        self.watch = watch or (lambda name, outcome: None)  # called when a check has ended


class Result:
    """One check, in the report."""

    def __init__(self, check, outcome, flaky=None):
        self.check, self.outcome, self.flaky = check, outcome, flaky


class Grade:
    """What came of one patch."""

    def __init__(self, lab, handed, seed, kind):
        self.lab, self.name, self.text, self.seed, self.kind = lab, handed.name, handed.text, seed, kind
        self.notes = handed.notes           # how the patch was read
        self.stage, self.words = "", ""     # "patch" or "build", and what was wrong, if it did not come to the checks
        self.interrupted = False
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


def skipped(check, why, verdict="SKIP"):
    outcome = Outcome(check)
    outcome.verdict, outcome.text = verdict, why
    return Result(check, outcome)


def grade(lab, handed, plan):
    """The Grade of a HandedIn. Interrupted has what there is of it."""
    checks = chosen(lab.load_checks(), plan.only)
    made = Grade(lab, handed, seed_of(lab, handed.text) if plan.seed is None else plan.seed, plan.kind)
    ledger, ended = Ledger(plan.budget), {}
    try:
        tree = build.prepare(lab)
        if handed.refusal:
            raise Refused(handed.refusal)
        changes = apply(handed.text, tree, lab.paths) if handed.text else {}
        with build.Build(lab, tree, changes, plan.kind, plan.jobs, ledger) as built:
            # Sockets of a check's are for the jail's user too; nobody else can reach them.
            before = os.umask(0)
            try:
                run_checks(checks, functools.partial(with_retries, lab, built=built, plan=plan, seed=made.seed,
                                                     ledger=ledger), plan, ended)
            finally:
                os.umask(before)
        made.results = [ended[check.name] for check in checks]
    except (Refused, build.Broken) as broken:
        made.stage = "patch" if isinstance(broken, Refused) else "build"
        made.words = str(broken)
        made.results = [skipped(check, f"the {made.stage} failed") for check in checks]
    except (KeyboardInterrupt, SystemExit) as told:
        made.interrupted = True
        made.results = [ended.get(check.name) or skipped(check, UNFINISHED, "INFRA") for check in checks]
        raise Interrupted(made) from told
    return made


def run_checks(checks, run, plan, ended):
    """RUN every check as soon as those that it needs have passed; ENDED: name -> Result, becomes theirs."""
    done = {check.name: threading.Event() for check in checks}

    def one(check):
        try:
            for need in check.needs:
                done[need].wait()
            if jail.over.is_set():
                return
            missed = [need for need in check.needs if ended[need].outcome.verdict != "PASS"]
            infra = [need for need in missed if ended[need].outcome.verdict == "INFRA"]
            result = skipped(check, f"needs {', '.join(infra or missed)}") if missed else run(check=check)
            # What was ended with its machine says nothing.
            if not jail.over.is_set():
                ended[check.name] = result
                plan.watch(check.name, result)
        finally:
            done[check.name].set()

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


def attempt(lab, check, built, plan, seed, ledger):
    """One run; a run that says nothing is repeated, and so is one that slept: it need not have been the kernel."""
    for _ in range(TRIES if not jail.over.is_set() else 1):
        outcome = Trial(lab, check, built, plan.kind, seed, ledger=ledger).run()
        if outcome.verdict != "INFRA" and not outcome.asleep or ledger.exhausted():
            break
    return outcome


def with_retries(lab, check, built, plan, seed, ledger):
    first = attempt(lab, check, built, plan, seed, ledger)
    if first.verdict in ("PASS", "INFRA") or not plan.again:
        return Result(check, first)
    others = []
    for other in (seed, seed + 1):
        if ledger.exhausted(REPEATS):
            break
        others.append(attempt(lab, check, built, plan, other, ledger))
    told = ["FAIL", *(other.verdict for other in others if other.verdict != "INFRA")]
    failed = len(told) - told.count("PASS")
    return Result(check, first, flaky=f"flaky {failed}/{len(told)}" if failed < len(told) else None)
