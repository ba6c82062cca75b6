"""How the grader judges: whose failure a failure is, partial points, runs that are repeated, what goes on beside a
machine, and what is demanded of the zoo of wrong patches."""

import os
import shutil
import signal
import subprocess
import time
import types

import pytest

import harness
from grading import jail, report, session, usage, zoo
from grading.checks import Ended, Outcome, Trial, check, registered, same
from grading.lab import Wrong
from grading.trees import Failure
from grading.usage import ASLEEP, Ledger, Meter
from support import BUILD, EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
A_PATCH = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n x\n+Mistake: none\n"


# --- verdicts -------------------------------------------------------------------------------------------------


def fake(outcomes):
    """In place of Trial: runs that come out so, one after the other."""
    waiting = iter(outcomes)

    class FakeTrial:
        def __init__(self, _lab, check_, _build, _kind, seed, ledger):
            self.outcome = Outcome(check_)
            self.seed, self.ledger = seed, ledger

        def run(self):
            self.outcome.verdict = next(waiting)
            self.outcome.score = self.outcome.check.points if self.outcome.verdict == "PASS" else 0
            return self.outcome
    return FakeTrial


@pytest.mark.parametrize("runs, verdict, flaky", [
    (["PASS"], "PASS", None), (["FAIL", "FAIL", "FAIL"], "FAIL", None), (["FAIL", "PASS", "PASS"], "FAIL", "flaky 1/3"),
    (["PANIC", "PASS", "FAIL"], "PANIC", "flaky 2/3"), (["INFRA", "INFRA", "PASS"], "PASS", None),
    (["INFRA", "INFRA", "INFRA"], "INFRA", None), (["FAIL", "INFRA", "FAIL", "FAIL"], "FAIL", None),
    (["FAIL", "INFRA", "INFRA", "INFRA", "PASS"], "FAIL", "flaky 1/2")])
def test_failing_checks_run_again(monkeypatch, runs, verdict, flaky):
    monkeypatch.setattr(session, "Trial", fake(runs))
    lab = harness.lab()
    result = session.with_retries(lab, lab.load_checks()[0], None, session.Plan(), 1, Ledger())
    assert (result.outcome.verdict, result.flaky) == (verdict, flaky)


def test_failure_of_the_grader_is_no_zero(monkeypatch, tmp_path):
    """QEMU can't have that much memory: not the student's doing."""
    real = harness.lab

    def lab():
        made = real()
        made.limits["machine_memory_mib"] = 1 << 30
        return made

    monkeypatch.setattr(harness, "lab", lab)
    made = harness.grade("")
    assert (made.verdict, made.score, made.graded) == ("INFRA", None, False)
    assert harness.verdicts(made) == {"boots": "INFRA", "answers": "SKIP", "answers_large_ones": "SKIP"}
    report.write(str(tmp_path / "out"), made, {})
    assert not (tmp_path / "out" / "results.json").exists()
    assert "no zero" in (tmp_path / "out" / "student.txt").read_text()


def test_mistake_in_a_check_is_no_zero():
    def broken(_t):
        raise KeyError("the instructor's")

    made = check(points=3)(broken)
    outcome = Trial(harness.lab(), registered.pop(), type("Build", (), {"kernel": "", "initrd": ""}), None, 1).run()
    assert made is broken and outcome.verdict == "INFRA" and "the instructor's" in outcome.text


def run_check(function, points=10):
    check(points=points)(function)
    return Trial(harness.lab(), registered.pop(), type("Build", (), {"kernel": "", "initrd": ""}), None, 1).run()


def test_points_are_partial():
    def partial(t):
        t.expect("one", want=1, got=1, points=3)
        t.expect("two", want=2, got="0x2", points=2)
        t.expect("three", want={3, 4}, got=5, points=1, hint="h")
        t.expect("the rest", want="x", got="x")

    def ends_early(t):
        t.expect("one", want=1, got=1, points=3)
        raise Ended("PANIC", "early")

    def rest_is_lost(t):
        t.expect("one", want=1, got=1, points=3)
        t.expect("the rest", want=range(3), got=None)

    outcome = run_check(partial)
    assert (outcome.verdict, outcome.score, outcome.hints) == ("FAIL", 9, ["h"])
    assert (run_check(ends_early).verdict, run_check(ends_early).score) == ("PANIC", 3)
    assert (run_check(rest_is_lost).verdict, run_check(rest_is_lost).score) == ("FAIL", 3)
    assert run_check(lambda t: None).verdict == "INFRA"
    assert run_check(partial, points=4).verdict == "INFRA"


@pytest.mark.parametrize("want, got, ok", [
    (1, "1", True), (16, "0x10", True), (1, "x", False), (1, None, False), (0, None, False), (b"ab", "ab", True),
    ("3", 3, True), ("3", "3", True), (range(3), 2, True), (range(3), 3, False), (range(1 << 60), "x", False),
    (range(1 << 60), None, False), (True, 1, True), (None, None, True)])
def test_expectation(want, got, ok):
    assert same(want, got)[0] == ok


LONG = [f"w{n} {n}" for n in range(200)]


@pytest.mark.parametrize("got, said", [
    (LONG, ""),
    (LONG[:150] + ["w150 -11"] + LONG[151:], "no. 151 of 200: w150 150, came w150 -11"),
    (LONG[:199], "no. 200 of 200: w199 199, came nothing"),
    (LONG + ["r1 1"], "no. 201 of 200: nothing, came r1 1"),
])
def test_report_says_where_long_lists_part(got, said):
    """A person would look for it, and the lists are cut where they are printed."""
    outcome = run_check(lambda t: t.expect("the steps", want=LONG, got=got))
    result = types.SimpleNamespace(check=outcome.check, outcome=outcome, flaky="")
    lines = "\n".join(report.check_lines(report.of_check(types.SimpleNamespace(lab=harness.lab()), result)))
    assert (outcome.verdict == "PASS") == (not said) and said in lines and ("part at" in lines) == bool(said), lines


@pytest.mark.parametrize("script, why", [("sleep 1000 & wait", ASLEEP), ("while :; do :; done", "")])
def test_who_gets_no_processor_does_not_sleep(monkeypatch, script, why):
    """Neither has used anything: one because it wants nothing, the other because others took it all."""
    monkeypatch.setattr(usage, "processor_seconds", lambda _pid: 0)
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as process:
        try:
            meter, told = Meter(Ledger(), idle=1), ""
            until = time.monotonic() + 4
            while not told and (why or time.monotonic() < until):
                time.sleep(0.02)
                told = meter.look(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert told == why


# --- what goes on beside the machine --------------------------------------------------------------------------


@pytest.fixture(name="boot_beside")
def the_machine(tmp_path):
    """A function that gives the outcome of a check with one machine, of the kernel that stands here."""
    names = ("kernel.elf", "initrd.cpio")
    tmp_path.chmod(0o755)
    for name in names:
        shutil.copy(os.path.join(BUILD, name), tmp_path)
    paths = [str(tmp_path / name) for name in names]
    built = type("Built", (), {"folder": str(tmp_path), "kernel": paths[0], "initrd": paths[1]})
    return lambda beside, *program, **words: boot_with(built, beside, program, words)


def boot_with(built, beside, program, words):
    def booted(t):
        seen = t.boot(*(program or ("/bin/true",)), beside=beside, **words)
        t.expect("what went on beside", want="well", got=seen.beside)

    check(points=1)(booted)
    before = os.umask(0)
    try:
        return Trial(harness.lab(), registered.pop(), built, jail.choose(), 1).run()
    finally:
        os.umask(before)


def test_what_goes_on_beside_is_told_from_the_machine(boot_beside):
    def fails():
        raise OSError("no wire")

    def finds():
        raise Ended("FAIL", "a bad frame", hint="three")

    assert boot_beside(lambda: "well").verdict == "PASS"
    found = boot_beside(finds)
    assert (found.verdict, found.text, found.hints) == ("FAIL", "a bad frame", ["three"])
    failed = boot_beside(fails)
    assert failed.verdict == "INFRA" and "no wire" in failed.text
    # The peer of a machine that panics has reason to complain.
    assert boot_beside(fails, "/bin/sh", "-c", "echo c > /proc/sysrq-trigger").verdict == "PANIC"


def test_paths_inside_are_the_machines(boot_beside):
    """The host has a /bin/sh too, and it is not meant."""
    outcome = boot_beside(lambda: "well", "/bin/sh", "-c", "test -d /demo && test ! -e /usr/share",
                          fetch=["/demo/hello.txt"])
    assert outcome.verdict == "PASS", outcome.text


def test_leak_is_a_verdict(boot_beside):
    program = ("/bin/sh", "-c", "head -c 100000 /dev/zero > /tmp/left")
    outcome = boot_beside(lambda: "well", *program, leak_check=True)
    assert outcome.verdict == "LEAK" and outcome.score == 0, (outcome.text, outcome.attached)
    assert b"shmem_pages" in outcome.attached["run.txt"]
    assert boot_beside(lambda: "well", *program).verdict == "PASS"
    assert boot_beside(lambda: "well", *program, leak_check=True, may_end=("LEAK",)).verdict == "PASS"


# --- the zoo --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage, verdict, score, survives, trouble", [
    ("", "FAIL", 3, "", ""), ("", "PANIC", 0, "", ""), ("", "PASS", 4, "", "not caught by boots"),
    ("", "SKIP", 0, "", "not caught by boots"), ("", "INFRA", 0, "", "not caught by boots"),
    ("build", "SKIP", 0, "", "the build failed"), ("", "PASS", 4, "why", ""), ("", "FAIL", 3, "why", "was to survive")])
def test_wrong_patch_must_lose_points_where_it_says(stage, verdict, score, survives, trouble):
    boots = harness.lab().load_checks()[0]
    outcome = Outcome(boots)
    outcome.verdict, outcome.score = verdict, score
    wrong = type("Wrong", (), {"caught_by": ["boots"], "survives": survives, "name": "01-x"})
    made = type("Made", (), {"stage": stage, "words": "", "results": [session.Result(boots, outcome)]})
    found = zoo.Killed(wrong, made).trouble()
    assert trouble in found and bool(trouble) == bool(found), found


@pytest.mark.parametrize("head, said", [
    ("Mistake: a\n b\nCaught by: x, y\n", None), ("Mistake: a\n", "Caught by"), ("Caught by: x\n", "Mistake")])
def test_wrong_patch_has_a_head(tmp_path, head, said):
    path = tmp_path / "01-x.patch"
    path.write_text(head + "\n" + A_PATCH)
    if said:
        with pytest.raises(Failure, match=said):
            Wrong(harness.lab(), str(path))
    else:
        wrong = Wrong(harness.lab(), str(path))
        assert (wrong.name, wrong.mistake, wrong.caught_by, wrong.survives) == ("01-x", "a b", ["x", "y"], "")
