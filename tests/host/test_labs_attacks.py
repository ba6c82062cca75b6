"""Who hands in a patch to fool the grader: each attempt is its own failing grade, never "not graded", and never points.

A kernel under test has all of its machine: it can read what init and the checks' programs keep to themselves, and say
on each wire what it likes. What it says is judged as coming from somebody who lies.
"""

import os
import random
import struct

import pytest

import harness
import records
import virtual
from grading import build, checks, intake, jail, lab as labs, machine, patch, report
from grading.machine import PLACEHOLDER, READ
from grading.trees import ROOT, difference, read
from support import EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
TRUE = "user/true.c"


def boots(statement):
    """The result of the check `boots` for a kernel with STATEMENT in it, which may spin for three seconds."""
    made = harness.grade(harness.in_kernel(statement), only=["boots"], again=False, budget=60)
    assert made.stage == "" and made.score == 0, harness.student_text(made)
    return made.results[0].outcome


# --- what a kernel says on the status channel -----------------------------------------------------------------------

# The nonce lies where the initial file system was. FORGED becomes records, with the nonce in front of each.
FIND_NONCE = r"""
    const char *at = phys_to_virt(boot_info.initrd_start), *end = phys_to_virt(boot_info.initrd_end);
    while (at < end && memcmp(at, "run/nonce", 10) != 0)
        at++;
    for (at += 10; (uintptr_t)at % 4 != 0; at++)
        ;
    const char *forged[] = {FORGED};
    for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
        for (size_t n = 0; n < 33 + strlen(forged[i]); n++) {
            char c = n < 32 ? at[n] : n == 32 ? ' ' : forged[i][n - 33];
            asm volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)0x3e8));
        }
    }
    machine_power_off();"""
FILES = ["file 0 0\n", "file 0 3\n1.0"]
TRUE_TO_FORM = ["exit 3 0\n", *FILES, "done 0 0\n"]


@pytest.mark.parametrize("forged, words", [
    (TRUE_TO_FORM, "whether the other exited: expected 1, came nothing"),
    (["exit 3 0\n", "qemu 0 0\n", "done 0 0\n"], "went off before the program's end"),
    (["exit x 0\n", "done 0 0\n"], "went off before the program's end"),
], ids=["true to form", "a word of the grader's", "no number"])
def test_kernel_that_knows_the_nonce(forged, words):
    """It may say that the program exited with 3: that is the program's status, and not what the program saw."""
    quoted = ", ".join('"' + record.replace("\n", "\\n") + '"' for record in forged)
    outcome = boots(FIND_NONCE.replace("FORGED", quoted))
    assert outcome.verdict == "FAIL", outcome.text
    assert words in "\n".join([outcome.text, *(f"{one['what']}: expected {one['want']}, came {one['got']}"
                                               for one in outcome.expectations)])


@pytest.mark.parametrize("data, count", [
    (b"", 0), (b"N exit 3 0\nN done 0 0\n", 2), (b"junk\xffN exit 3 0\nmore N done 0 0\n", 2),
    (b"N exit 3 0\nN file 0 5\nN 1\n\0N done 0 0\n", 3), (b"N exit 3 0\n", 0), (b"N done 0 0\nN exit 3 0\n", 0),
    (b"N exit 3 0\nN done 0 1\n", 0), (b"N exit x 0\nN done 0 0\n", 0), (b"N exit 3 -7\nN done 0 0\n", 0),
    (b"N exit -1 0\nN done 0 0\n", 0), (b"N timeout 0 0\nN done 0 0\n", 0), (b"N \xff\xfe 0 0\nN done 0 0\n", 0),
    (b"N noexec 99999999999999999999 0\nN done 0 0\n", 0), (b"N exit 3 0\nN file 0 0\nN nofile 2 0\nN done 0 0\n", 0),
    (b"N done 0 0 0\n", 0), (b"N ", 0)])
def test_records_are_those_that_init_writes(tmp_path, data, count):
    path = tmp_path / "status"
    path.write_bytes(data)
    assert len(records.read_records(path, b"N", 1)) == count


# --- how a machine ends, and when -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 0x80])
def test_kernel_that_ends_qemu_as_no_panic_does(value):
    """Written to the debugging port, these make QEMU's status the one of a QEMU that did not start."""
    outcome = boots(f'for (;;)\n        asm volatile("outl %0, %1" : : "a"({value}), "Nd"((uint16_t)0xf4));')
    assert outcome.verdict == "FAIL" and "went off" in outcome.text, outcome.text


SET_CLOCK = """
    static const uint8_t set[] = {VALUES};
    for (size_t i = 0; i < sizeof(set); i++)
        asm volatile("outb %0, %1" : : "a"(set[i]), "Nd"((uint16_t)(0x70 + i % 2)));
    for (;;)
        asm volatile("");"""


@pytest.mark.parametrize("values", ["0x0b, 0x82, 8, 0x99", "9, 1", "0x0b, 0x82"], ids=["no date", "back", "stopped"])
def test_kernel_that_sets_the_clock(values):
    """The budget in the machine's own time is read from a clock that the machine can set: there is another one."""
    outcome = boots(SET_CLOCK.replace("VALUES", values))
    assert outcome.verdict == "TIMEOUT", outcome.text


def test_clock_that_goes_back_says_that_all_is_used():
    budget = virtual.Budget(60, "")
    shown = lambda *date: budget._used(*date)  # pylint: disable=protected-access
    assert shown(2025, 1, 1, 0, 0, 59) == 59 and shown(2025, 1, 2, 0, 0, 0) == 86400
    budget.used = 5
    assert shown(2025, 1, 1, 0, 0, 5) == 5 and shown(2025, 1, 1, 0, 0, 4) > 60
    assert shown(2001, 1, 1, 0, 0, 0) > 60 and shown(2025, 99, 1, 0, 0, 0) > 60


# --- the key of the programs ----------------------------------------------------------------------------------------


def thief(answer):
    """A true.c that, when it is asked, takes the key out of the program that asks, reports ANSWER in that one's name,
    and ends it."""
    path = os.path.join(ROOT, "build", "tests", "host", "labs", "harness", "programs", "asks")
    with open(path, "rb") as file:
        place = file.read().index(PLACEHOLDER)
    return read(ROOT, "tests/labs/lab.h").replace("#pragma once\n", "") + f"""
#include <signal.h>
#include <stdlib.h>

int main(int argc, char **argv)
{{
    int file = open("/lab/asks", O_RDONLY);
    unsigned char key[16];

    if (argc == 1 || pread(file, key, sizeof(key), {place}) != sizeof(key))
        return 0;
    for (size_t i = 0; i < sizeof(key); i++)
        lab_key[i] = key[i];
    lab_report("exited", "1");
    lab_report("answer", "%d", {answer});
    kill(getppid(), SIGKILL);
    return 0;
}}
"""


@pytest.mark.parametrize("answer, score", [("argc + *argv[1]", 4), ("atoi(argv[1]) * 3 & 127", 4 + 5 + 2)],
                         ids=["made up", "worked out"])
def test_key_that_is_taken_gives_no_answers(answer, score):
    """The key says who speaks. What is said has to be right as well, to a question that was not known before."""
    harness.grade("", only=["boots"], again=False)     # the program is built then
    made = harness.grade(harness.patch(true=thief(answer)), again=False)
    assert made.score == score, harness.student_text(made)


def test_machine_has_no_checks_in_it():
    """Nothing that a machine's jail may read leads to what is hidden from students."""
    for name in labs.names():
        folder = os.path.realpath(labs.Lab(name).folder) + "/"
        for path in READ:
            assert not folder.startswith(os.path.realpath(os.path.join(ROOT, path)) + "/"), path


def test_gdb_shows_no_line_of_the_solution():
    """It stands in a function of the student's; here, by the same name and number, lies the solution's line."""
    lab, said = harness.lab(), []

    def looks(t):
        said.append(t.boot("asks", gdb="hbreak first_process\ncontinue\nlist\ndetach\n").gdb)

    checks.check(points=1)(looks)
    with build.Build(lab, build.prepare(lab), {}, jail.choose(), 1) as built:
        outcome = checks.Trial(lab, checks.registered.pop(), built, jail.choose(), 1).run()
    assert said and "first_process" in said[0] and "main.c" in said[0], outcome.text
    lines = [line.strip() for line in read(ROOT, "kernel/main.c").splitlines() if len(line) > 20]
    assert not [line for line in lines if line in said[0]], said[0]


# --- what the checks make of it -------------------------------------------------------------------------------------

WORDS = ["", "0", "-1", "no sense", "1 2 3", "S", "exit 0", "9" * 30, "0x", "0x7fff 0x1 zz", "\xff\n\n", "pid=x group=",
         "=", "no", "12 no such", "1 1 0", "\\n"]
GDB = ["@state 1", "@refused 3", "@removed 0", "entry: x", "frame: y", "frame: 0", "asleep: 5", "no sense",
       "7 breakpoint keep y 0x1 in sys_setpgid at x", "\tbreakpoint already hit 3 times"]


class Anything(dict):
    """The reports of a machine that may have said anything."""

    def __init__(self, rng):
        super().__init__()
        self.rng = rng

    def get(self, key, default=None):
        if key not in self and key != "stopped":
            self[key] = self.rng.choices(WORDS, k=self.rng.choice([0, 1, 1, 1, 2, 5]))
        return super().get(key, default)


def some_frames(rng):
    """A pcap file of frames of all lengths, which may be cut off."""
    data = bytes(24)
    for _ in range(rng.randrange(30)):
        length = rng.choice([0, 5, 13, 14, 15, 20, 23, 24, 34, 35, 40, 54, 60, 200])
        frame = bytearray(rng.randbytes(length))
        frame[12:14] = rng.choice([b"\x88\xb5", b"\x08\0", b"\x86\xdd"])[:max(0, length - 12)]
        frame[16:18] = rng.choice([b"\0\0", b"\0\x14", b"\0\x28", b"\xff\xff"])[:max(0, length - 16)]
        frame[23:24] = rng.choice([b"\1", b"\6"])[:max(0, length - 23)]
        data += bytes(8) + struct.pack("<II", length, length) + frame
    return data[:len(data) - rng.choice([0, 0, 1, 7, 20, 40])]


def some_core(rng):
    """An ELF file with a segment of notes that may be anywhere and hold anything."""
    program = struct.pack("<IIQQQQQQ", rng.choice([4, 4, 1]), 0, rng.choice([120, 0, 1 << 63]), 0, 0,
                          rng.choice([0, 20, 1 << 62]), 0, 0)
    notes = b"".join(struct.pack("<III", *rng.choices([0, 1, 5, 0x53494749, 1 << 31], k=3)) for _ in range(9))
    return struct.pack("<32xQ14xHH6x", 64, 56, rng.choice([0, 1, 0xffff])) + program + notes


@pytest.mark.parametrize("name", labs.names())
def test_checks_judge_whatever_comes(monkeypatch, tmp_path, name):
    """Reports, files, frames and gdb's words that make no sense: no check stumbles over them, and none is content."""
    lab = labs.Lab(name)

    def run(self, _program, _args, *, fetch=(), net="none", **_words):
        seen, rng = machine.Seen(), run.rng
        seen.end, seen.status, seen.reports = "EXIT", rng.choice([0, 1, 3, 139, 255]), Anything(rng)
        seen.console = rng.choice(WORDS)
        seen.gdb = "\n".join(rng.choices(GDB, k=rng.randrange(9)))
        seen.fetched = {path: rng.choice([None, b"", b"1\n", rng.randbytes(200), some_core(rng)]) for path in fetch}
        if net != "none":
            seen.pcap = os.path.join(self.folder, "pcap")
            with open(seen.pcap, "wb") as file:
                file.write(some_frames(rng))
        return seen

    monkeypatch.setattr(machine.Machine, "run", run)
    built = type("Build", (), {"kernel": "", "initrd": ""})
    for check in lab.load_checks():
        for number in range(30):
            run.rng = random.Random(f"{check.name} {number}")
            outcome = checks.Trial(lab, check, built, None, number).run()
            assert outcome.verdict == "FAIL" and outcome.score < check.points, (check.name, number, outcome.text)


# --- the patch itself -----------------------------------------------------------------------------------------------


def repeated(lines):
    """A patch of two hunks: many equal lines, and then a place to look for that hardly differs from any of them."""
    before = read(ROOT, TRUE)
    first, *rest = before.splitlines()
    grown = difference({TRUE: before}, {TRUE: "\n".join([first, *[""] * lines, *rest]) + "\n"})
    half = lines // 2
    return grown + (f"diff --git a/{TRUE} b/{TRUE}\n--- a/{TRUE}\n+++ b/{TRUE}\n@@ -9,{half + 1} +9,{half + 2} @@\n"
                    + " \n" * half + "+x\n nowhere\n")


def test_patch_that_takes_git_for_ever(monkeypatch):
    """Not two megabytes of it, which would take the better part of an hour."""
    monkeypatch.setattr(patch, "APPLY_SECONDS", 2)
    made = harness.grade(repeated(600000))
    assert (made.stage, made.verdict) == ("patch", "BUILD") and "was ended after 2 seconds" in made.words, made.words


def test_honest_patch_with_such_lines_is_applied():
    before = read(ROOT, TRUE)
    text = before.replace("{\n", "{\n" + "\n" * 3000)
    assert patch.apply(difference({TRUE: before}, {TRUE: text}), ROOT, [TRUE]) == {TRUE: text}


def test_persons_attributes_change_no_patch(monkeypatch, tmp_path):
    """Line ends and filters that somebody set for all of his repositories."""
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "attributes").write_text("*.c text eol=crlf\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert patch.apply(harness.patch(true=harness.SOLUTION), ROOT, [TRUE]) == {TRUE: harness.SOLUTION}


HIDDEN_WAYS = {
    "attributes": ("diff --git a/.gitattributes b/.gitattributes\nnew file mode 100644\n--- /dev/null\n"
                   "+++ b/.gitattributes\n@@ -0,0 +1 @@\n+*.c filter=x merge=x export-subst\n", "is no name"),
    "attributes inside": ("diff --git a/user/.gitattributes b/user/.gitattributes\nnew file mode 100644\n"
                          "--- /dev/null\n+++ b/user/.gitattributes\n@@ -0,0 +1 @@\n+*.c export-ignore\n",
                          "is no name"),
    "modules": ("diff --git a/.gitmodules b/.gitmodules\nnew file mode 100644\n--- /dev/null\n+++ b/.gitmodules\n"
                "@@ -0,0 +1 @@\n+[submodule \"x\"]\n", "is no name"),
    "a link by its index line": (f"diff --git a/{TRUE} b/{TRUE}\nindex 0000000..1111111 120000\n--- a/{TRUE}\n"
                                 f"+++ b/{TRUE}\n@@ -1 +1,2 @@\n x\n+y\n", "120000"),
    "a new link by its index line": (f"diff --git a/{TRUE} b/{TRUE}\nindex 0000000..1111111 120000\n--- /dev/null\n"
                                     f"+++ b/{TRUE}\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
                                     "120000"),
    "the older words for a rename": (f"diff --git a/{TRUE} b/{TRUE}\nsimilarity index 100%\nrename old user/yes.c\n"
                                     f"rename new {TRUE}\n", "user/yes.c is none"),
    "another case": ("diff --git a/User/True.c b/User/True.c\nnew file mode 100644\n--- /dev/null\n"
                     "+++ b/User/True.c\n@@ -0,0 +1 @@\n+y\n", "User/True.c is none"),
    "up and down again": ("diff --git a/user/../user/true.c b/user/../user/true.c\n--- a/user/../user/true.c\n"
                          "+++ b/user/../user/true.c\n@@ -1 +1,2 @@\n x\n+y\n", "is no name"),
    "two slashes": ("diff --git a/user//true.c b/user//true.c\n--- a/user//true.c\n+++ b/user//true.c\n@@ -1 +1,2 @@\n"
                    " x\n+y\n", "is no name"),
    "octal digits": ('diff --git "a/user/tru\\145.c" "b/user/tru\\145.c"\n--- "a/user/tru\\145.c"\n'
                     '+++ "b/user/tru\\145.c"\n@@ -1 +1,2 @@\n x\n+y\n', "is no name"),
    "a letter that looks like another": ("diff --git a/us\u0435r/true.c b/us\u0435r/true.c\n--- a/us\u0435r/true.c\n"
                                         "+++ b/us\u0435r/true.c\n@@ -1 +1,2 @@\n x\n+y\n", "is no name"),
    "headers that differ": (f"diff --git a/{TRUE} b/{TRUE}\n--- a/{TRUE}\n+++ b/tools/run\n@@ -1 +1,2 @@\n x\n+y\n",
                            "tools/run is none"),
    "below what looks like a long hunk": ("@@ -1,9000 +1,9000 @@\ndiff --git a/tools/x b/tools/x\nnew file mode 100644"
                                          "\n--- /dev/null\n+++ b/tools/x\n@@ -0,0 +1 @@\n+y\n", "no change in it"),
}


@pytest.mark.parametrize("way", HIDDEN_WAYS)
def test_hidden_way_is_refused(way):
    text, why = HIDDEN_WAYS[way]
    handed = intake.taken("x", text.encode())
    with pytest.raises(patch.Refused) as refused:
        patch.apply(handed.text, ROOT, [TRUE])
    assert why in str(refused.value), refused.value


@pytest.mark.parametrize("trick", ["a link", "a file beside it", "through a folder that is a link"])
def test_what_git_made_is_looked_at(monkeypatch, tmp_path, trick):
    """Even if the words of a patch had deceived: what lies there afterwards counts."""
    def make(*words, cwd, **_options):
        if "--check" not in words:
            os.remove(os.path.join(cwd, TRUE))
            if trick == "a link":
                os.symlink("/etc/passwd", os.path.join(cwd, TRUE))
            elif trick == "a file beside it":
                os.symlink("x", os.path.join(cwd, "user", "x.c"))
            else:
                os.rmdir(os.path.join(cwd, "user"))
                os.symlink(tmp_path, os.path.join(cwd, "user"))

    monkeypatch.setattr(patch, "git", make)
    with pytest.raises(patch.Refused, match="no plain file"):
        patch.apply(harness.patch(true=harness.SOLUTION), ROOT, [TRUE])


# --- many of them, and their names ----------------------------------------------------------------------------------


def test_names_are_one_line_and_lie_to_nobody(tmp_path):
    """A file's name may hold a line's end and what moves a cursor; a kernel's last words as well."""
    forged = "\x1b[2J\x1b[HPASS: 12 of 12 points\r\x9b1A"
    for name in (f"a\nPASS    12 of 12  b{forged}.patch", "a?PASS    12 of 12  b.patch", "..patch", ".patch"):
        (tmp_path / name).write_text("nothing in it\n")
    names = [handed.name for handed in intake.handed_in([str(tmp_path)])]
    assert len(names) == len(set(names)) == 4 and all(name.isprintable() and "/" not in name for name in names), names
    assert not {".", "..", ""} & set(names)
    quoted = forged.replace("\x1b", "\\033").replace("\r", "\\r").replace("\x9b", "\\302\\233")
    made = harness.grade(harness.in_kernel(f'panic("{quoted}");'), only=["boots"], again=False)
    text = report.text(report.table(made, {}))
    assert "PASS: 12 of 12 points" in text and made.score == 0
    assert not set("\x1b\r\x9b") & set(text), text
    assert not [line for line in text.splitlines() if line.startswith("PASS")], text


def test_thousand_patches_are_all_answered(tmp_path):
    """Each gets its own word; what they need in common is made once."""
    folder, count = tmp_path / "in", 1000
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04}.patch").write_text(f"This is no patch, and I am number {number}.\n")
    lab, seen = harness.lab(), set()
    for handed in intake.handed_in([str(folder)]):
        with pytest.raises(patch.Refused, match="no change in it"):
            patch.apply(handed.text, ROOT, lab.paths)
        seen.add(handed.name)
    assert len(seen) == count
