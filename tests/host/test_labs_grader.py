"""The grader itself: what it refuses, what it believes, that it repeats, and what it reports. The patches are for
the lab `harness`, tests/host/labs/harness."""

import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest

import harness
from grading import lab as labs
from grading import machine, report, session, zoo
from grading.intake import HandedIn
from grading.trees import ROOT, difference, read
from grading.usage import Ledger
from support import EXTRA_WORDS, PATIENCE

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
GRADE = os.path.join(ROOT, "tools", "grade")
HONEST = harness.SOLUTION
ROUNDS = os.environ.get("LABS_ROUNDS")
PANICS = 'panic("my own fault");'


# --- what is refused ------------------------------------------------------------------------------------------


def one_line(name, head=""):
    return f"diff --git a/{name} b/{name}\n{head}--- a/{name}\n+++ b/{name}\n@@ -1 +1,2 @@\n x\n+y\n"


def new_file(name, mode="100644", text="y"):
    return (f"diff --git a/{name} b/{name}\nnew file mode {mode}\n--- /dev/null\n+++ b/{name}\n"
            f"@@ -0,0 +1 @@\n+{text}\n")


TRUE = "user/true.c"
REFUSED = {
    "tests": (one_line("tests/conform/pipes.c"), "tests/conform/pipes.c is none of this lab's files"),
    "tools": (new_file("tools/grade"), "tools/grade is none of this lab's files"),
    "another file": (one_line("kernel/ipc/pipe.c"), "kernel/ipc/pipe.c is none"),
    "a second file": (one_line(TRUE) + new_file("user/more.c"), "user/more.c is none"),
    "upwards": (new_file("user/../../../tmp/x"), "is no name of a file"),
    "absolute": (new_file("/tmp/x"), "is no name"),
    "a name for the shell": (new_file("user/$(id).c"), "is no name"),
    "a name with a blank": (new_file("user/a b.c"), "is no name"),
    "a name in quotes": ('diff --git "a/user/\\303\\244.c" "b/user/\\303\\244.c"\nnew file mode 100644\n',
                         "is no name"),
    "git's own folder": (new_file(".git/hooks/pre-commit"), "is no name"),
    "a link": (new_file(TRUE, "120000", "/etc/passwd"), "mode 120000"),
    "a program": (new_file(TRUE, "100755"), "mode 100755"),
    "a submodule": (new_file(TRUE, "160000"), "mode 160000"),
    "a change of mode": (f"diff --git a/{TRUE} b/{TRUE}\nold mode 100644\nnew mode 100755\n", "mode 100755"),
    "binary": (f"diff --git a/{TRUE} b/{TRUE}\nindex 0000000..1111111 100644\nGIT binary patch\nliteral 1\nIcmZ\n\n",
               "binary contents"),
    "a rename away": (f"diff --git a/{TRUE} b/user/yes2.c\nsimilarity index 100%\nrename from {TRUE}\n"
                      "rename to user/yes2.c\n", "user/yes2.c is none"),
    "a rename hither": (f"diff --git a/user/yes.c b/{TRUE}\nsimilarity index 100%\nrename from user/yes.c\n"
                        f"rename to {TRUE}\n", "user/yes.c is none"),
    "a copy hither": (f"diff --git a/kernel/ipc/pipe.c b/{TRUE}\nsimilarity index 100%\ncopy from kernel/ipc/pipe.c\n"
                      f"copy to {TRUE}\n", "kernel/ipc/pipe.c is none"),
    "old style, one name allowed": (f"--- {TRUE}\n+++ tools/run\n@@ -1 +1,2 @@\n x\n+y\n", "tools/run is none"),
    "nothing": ("I could not do it, sorry.\n", "no change in it"),
    "a conflict": (one_line(TRUE), "does not apply"),
    "no text": (new_file(TRUE).replace("+y", "+\udcff"), "does not apply"),
    "too much": (new_file(TRUE, text="y" * (5 << 20)), "are the limit"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_patch_is_refused_by_name(name):
    text, why = REFUSED[name]
    made = harness.grade(text)
    assert (made.stage, made.verdict, made.score) == ("patch", "BUILD", 0)
    assert why in made.words, made.words
    assert set(harness.verdicts(made).values()) == {"SKIP"}
    assert why.split("\n")[0] in harness.student_text(made)


def test_conflict_is_shown():
    text = difference({TRUE: "int main(void)\n{\n    return 7;\n}\n"}, {TRUE: "int main(void)\n{\n    return 8;\n}\n"})
    words = harness.grade(text).words
    assert "does not apply" in words and f"patch failed: {TRUE}:1" in words and "return 7" not in HONEST, words


def test_header_inside_a_hunk_is_text():
    """A line that is removed and looks like `--- a/tools/run` is a line of C."""
    before = read(ROOT, TRUE)
    after = HONEST + "/*\n-- a/tools/run\n++ b/tools/run\ndiff --git a/x b/x\n*/\n"
    made = harness.grade(difference({TRUE: before}, {TRUE: after}))
    assert made.verdict == "PASS", made.words


def test_deleting_a_file_that_is_needed_does_not_build():
    made = harness.grade(difference({"kernel/main.c": read(ROOT, "kernel/main.c")}, {}))
    assert (made.stage, made.verdict) == ("patch", "BUILD") or made.stage == "build", made.words


def test_build_that_fails_repeats():
    """Two files are wrong, and which is compiled first is chance; the report is about the first."""
    text = harness.patch(true="int main(void)\n{\n    return wrong;\n}\n",
                         main=read(ROOT, "kernel/main.c").replace("sched_init();", "sched_init(wrong);"))
    words = {harness.grade(text, jobs=4).words for _ in range(4)}
    assert len(words) == 1 and "wrong" in words.pop(), words


def test_warning_does_not_build():
    made = harness.grade(harness.patch(true="int main(void)\n{\n    int unused;\n    return 0;\n}\n"))
    assert made.stage == "build" and "unused variable" in harness.student_text(made)
    assert "/tmp" not in made.words and "/work" not in made.words and ROOT not in made.words, made.words


# --- what is believed -----------------------------------------------------------------------------------------


FORGER = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int answer = argc > 1 ? atoi(argv[1]) * 3 & 127 : 0, file = open("/lab/reports", O_WRONLY | O_APPEND);
    char line[200];

    printf("PASS answers\nok 1 - answers\n100 of 100 points\n");
    for (int index = 0; index < 3; index++) {
        snprintf(line, sizeof(line), "%016x %d answer %d\n0123456789abcdef %d exited 1\nanswer %d\n", index, index,
                 answer, index, answer);
        if (write(file, line, strlen(line)) < 0)
            return 1;
    }
    KILL;
    return 0;
}
"""


@pytest.mark.parametrize("last", ["kill(getppid(), SIGKILL)", "(void)SIGKILL", "reboot(RB_POWER_OFF)"])
def test_forged_reports_score_nothing(last):
    made = harness.grade(harness.patch(true=FORGER.replace("KILL", last)), again=False)
    scores = {result.check.name: result.outcome.score for result in made.results}
    # Where it lets its parent report, that it exited is true, and worth 4; no answer is ever believed.
    assert scores["answers"] in (0, 1) and scores["answers_large_ones"] == 0, harness.student_text(made)
    if "(void)" not in last:
        assert made.score == 0, harness.student_text(made)


def test_kernel_that_prints_verdicts_scores_nothing():
    made = harness.grade(harness.in_kernel(
        'for (int i = 0; i < 9; i++) log_info("PASS boots: 100 of 100 points");\n    panic("done");'),
        again=False)
    assert made.score == 0 and harness.verdicts(made)["boots"] == "PANIC"


def tagged(key, index, text):
    for _ in range(index):
        key = b"".join(machine.siphash(key, digit).to_bytes(8, "little") for digit in (b"0", b"1"))
    return b"%016x %s\n" % (machine.siphash(key, text), text)


def test_only_tagged_reports_are_believed():
    key, other = bytes(range(16)), bytes(16)
    good = tagged(key, 0, b"0 word hello") + tagged(key, 2, rb"2 word two\nlines\\")
    bad = tagged(other, 0, b"0 word forged") + tagged(key, 1, b"2 word wrong index") + tagged(key, 0, b"1 word again")
    bad += good.replace(b"hello", b"jello") + b"word plain\n" + b"0" * 16 + b" 99999999 word far\n\xff\n"
    assert machine.believed(bad, key) == {"word": ["two\nlines\\"]}
    assert machine.believed(good + bad, key) == {"word": ["hello", "two\nlines\\", "two\nlines\\"]}


def test_siphash_is_siphash():
    """The vector of the paper (Aumasson and Bernstein, 2012, appendix A)."""
    assert machine.siphash(bytes(range(16)), bytes(range(15))) == 0xa129ca6149be45e5


def test_keys_are_new_in_each_run():
    assert len({machine.Machine(None, None, None, None, None).key for _ in range(100)}) == 100


# --- that it repeats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["", PANICS], ids=["wrong", "five-that-panic"])
def test_twenty_gradings_are_equal(statement):
    text = harness.in_kernel(statement) if statement else harness.patch(true=HONEST.replace("3", "5"))
    grades = [harness.grade(text, again=False, only=["answers"]) for _ in range(20 if not statement else 5)]
    reports = {report.equal_part(report.table(made, {"n": n})) for n, made in enumerate(grades)}
    assert len(reports) == 1, "\n\n".join(reports)
    assert not grades[0].score == grades[0].points and grades[0].graded
    assert "/tmp" not in reports.pop()


def test_gradings_of_a_real_lab_are_equal():
    """A wrong patch, by the checks that catch it: some runs of it by default, 20 with LABS_ROUNDS=20."""
    lab = labs.Lab("signals")
    wrong = zoo.wrongs(lab)[0]
    killed = [zoo.kill(lab, wrong, session.Plan(jobs=1), every_check=bool(ROUNDS)) for _ in range(int(ROUNDS or 3))]
    reports = {report.equal_part(report.table(one.made, {})) for one in killed}
    assert len(reports) == 1, "\n\n".join(reports)
    assert not killed[0].trouble() and killed[0].made.score < killed[0].made.points


def test_loop_in_every_check_is_graded_within_the_budget():
    """A small one. Whatever the machine this runs on does beside: what counts is what the grading has used."""
    lab = labs.Lab("pipe")
    name = "kernel/ipc/pipe_io.c"
    before = read(ROOT, name)
    after = before.replace("    bool slept = false;\n", "    bool slept = false;\n\n    for (;;)\n"
                           '        asm volatile("");\n', 1)
    assert after != before
    used = []

    class Kept(Ledger):
        def __init__(self, seconds):
            super().__init__(seconds)
            used.append(self)

    plan, real = session.Plan(jobs=2, budget=40), session.Ledger
    session.Ledger = Kept
    try:
        made = session.grade(lab, HandedIn("loops", lab.solution().patch_of_files({name: (before, after)})), plan)
    finally:
        session.Ledger = real
    verdicts = {result.outcome.verdict for result in made.results}
    assert made.score == 0 and verdicts <= {"TIMEOUT", "PANIC", "SKIP"}, report.text(report.table(made, {}))
    assert used[0].used < plan.budget + 20, used[0].used


def test_another_patch_is_asked_other_questions():
    lab = harness.lab()
    assert len({session.seed_of(lab, text) for text in ("a", "b", "c")}) == 3


def test_secret_changes_the_questions(monkeypatch):
    lab = harness.lab()
    without = session.seed_of(lab, "a")
    monkeypatch.setenv(session.KEY, "chalk")
    assert session.seed_of(lab, "a") != without


# --- reports --------------------------------------------------------------------------------------------------


def test_reports_of_one_grade_agree(tmp_path):
    patches = tmp_path / "patches"
    patches.mkdir()
    (patches / "half.patch").write_text(harness.patch(true=HONEST.replace("* 3", "* 5")))
    (patches / "panics.patch").write_text(harness.in_kernel(PANICS))
    (patches / "refused.diff").write_text(new_file("tools/x"))
    done = subprocess.run([GRADE, "harness", str(patches), "--labs", harness.LABS, "-o", str(tmp_path / "out"),
                           "--once", "--quiet", "-j", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["FAIL", "FAIL", "BUILD"], done.stdout
    for name in ("half", "panics", "refused"):
        folder = tmp_path / "out" / name
        made = json.loads((folder / "report.json").read_text())
        results = json.loads((folder / "results.json").read_text())
        suite = xml.fromstring((folder / "junit.xml").read_text())
        assert results["score"] == made["score"] == sum(test["score"] for test in results["tests"])
        assert [test["name"] for test in results["tests"]] == [case.get("name") for case in suite] \
            [:len(made["checks"])] == [one["name"] for one in made["checks"]]
        assert {test["name"]: test["visibility"] for test in results["tests"]} == {
            "boots": "visible", "answers": "visible", "answers_large_ones": "hidden"}
        student = (folder / "student.txt").read_text()
        assert "answers_large_ones" not in student and "secret" not in student
        for one in made["checks"]:
            for attached in one["attached"]:
                assert (folder / one["name"] / attached).exists()
    panicked = json.loads((tmp_path / "out" / "panics" / "report.json").read_text())["checks"][0]
    assert panicked["verdict"] == "PANIC" and "my own fault" in panicked["panic"] and "call trace" in panicked["panic"]
    assert "my own fault" in (tmp_path / "out" / "panics" / "boots" / "kernel.log").read_text()
    half = (tmp_path / "out" / "half" / "student.txt").read_text()
    assert "hint: The answer is three times" in half, half


def test_replay_is_the_failing_run(tmp_path):
    """gdb stands in the student's own line, with the student's text, each time with the same in all registers."""
    (tmp_path / "panics.patch").write_text(harness.in_kernel(
        "int mine = 6 * 7;\n    panic(\"my own fault %d\", mine);"))
    subprocess.run([GRADE, "harness", str(tmp_path / "panics.patch"), "--labs", harness.LABS, "-o", str(tmp_path),
                    "--once", "--quiet", "-j", "1"], check=True, capture_output=True)
    words = [GRADE, "--replay", str(tmp_path / "panics" / "report.json"), "boots", "--labs", harness.LABS]
    for command in ("hbreak panic", "continue", "up", "list", "echo REGISTERS\\n", "info registers", "echo END\\n",
                    "kill"):
        words += ["-ex", command]
    said = [subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE) for _ in range(2)]
    for one in said:
        assert one.returncode == 0, one.stderr
        assert "it came out PANIC" in one.stdout and "first_process" in one.stdout, one.stdout
        assert 'panic("my own fault %d", mine)' in one.stdout, one.stdout
        assert "more recent than" not in one.stdout + one.stderr, one.stdout + one.stderr
    first, second = (one.stdout.split("REGISTERS\n")[1].split("END\n")[0] for one in said)
    assert first == second and "rip" in first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_grading_ends_when_it_is_told_to(tmp_path, number):
    """At once, with all its machines, and leaves nothing."""
    (tmp_path / "sleeps.patch").write_text(harness.in_kernel('for (;;) asm volatile("");'))
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    process = subprocess.Popen([GRADE, "harness", str(tmp_path / "sleeps.patch"), "--labs", harness.LABS, "-o",
                                str(tmp_path / "out"), "-j", "2"], env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("sb-*/1/out/log")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    os.killpg(process.pid, number)
    assert process.wait(PATIENCE) == 128 + number
    assert not list(tmp_path.glob("sb-*")) and not list(tmp_path.glob("signalbox-*"))
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        assert str(tmp_path) not in file.read()
