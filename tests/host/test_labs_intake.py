"""What is handed in, as it comes from other systems and settings, and by people who mean harm; where reports go."""

import json
import os
import subprocess
import xml.etree.ElementTree as xml

import pytest

import harness
from grading import intake, lab as labs, report, skeleton
from grading.trees import ROOT, git
from support import EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
GRADE = os.path.join(ROOT, "tools", "grade")
TRUE = "user/true.c"


def run_grade(*words, cwd=ROOT, lab="harness"):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run([GRADE, lab, "--labs", harness.LABS, "--once", "--quiet", "-j", "1", *words], cwd=cwd,
                          env=environment, capture_output=True, text=True, errors="replace", check=False)


# --- how a patch looks ------------------------------------------------------------------------------------------


def prefixes(old, new):
    """The honest patch, as git writes it with other prefixes than a/ and b/."""
    return lambda text: text.replace(f" a/{TRUE}", f" {old}{TRUE}").replace(f" b/{TRUE}", f" {new}{TRUE}").encode()


LOOKS = {
    "as git writes it": (str.encode, None),
    "from Windows": (lambda text: text.replace("\n", "\r\n").encode(), intake.CRLF),
    "from PowerShell": (lambda text: text.replace("\n", "\r\n").encode("utf-16"), intake.UTF16),
    "with a mark in front": (lambda text: b"\xef\xbb\xbf" + text.encode(), None),
    "mnemonic": (prefixes("i/", "w/"), intake.PREFIXES),
    "mnemonic, of a commit": (prefixes("c/", "i/"), intake.PREFIXES),
    "without prefixes": (prefixes("", ""), intake.PREFIXES),
    "coloured": (lambda text: "".join(f"\x1b[1m{line}\x1b[m\n" for line in text.splitlines()).encode(),
                 intake.COLOURED),
}


@pytest.mark.parametrize("look", LOOKS)
def test_patch_is_taken_as_it_was_meant(look):
    text = harness.patch(true=harness.SOLUTION)
    change, note = LOOKS[look]
    handed = intake.taken("x", change(text))
    assert handed.text == text
    assert note in handed.notes if note else not handed.notes
    assert not note or note in harness.student_text(harness.grade_handed(handed, only=["boots"]))


def test_lines_of_a_hunk_are_left_alone():
    """What looks like a header, and a line that only others than git end: a form feed, a CR."""
    odd = "\f\n/*\n-- user/true.c\n++ i/user/true.c\ndiff --git x y\n\x85\r\n*/\n"
    text = harness.patch(true=harness.SOLUTION + odd)
    assert intake.taken("x", text.encode()).text == text
    assert harness.grade(text, only=["boots"]).verdict == "PASS"


def test_patch_with_crlf_inside_says_so():
    text = harness.patch(true=harness.SOLUTION).replace("\n-", "\r\n-")
    made = harness.grade(text)
    assert made.stage == "patch" and "CR LF" in made.words and "git diff skeleton" in made.words, made.words


# --- what comes in a folder -------------------------------------------------------------------------------------


def test_folder_is_read_with_care(tmp_path):
    """A link to somebody else's work, a pipe nobody writes to, a device, and names that are no text: none of them
    keeps the others from their grades, or shows what it should not."""
    folder = tmp_path / "in"
    folder.mkdir()
    secret = tmp_path / "solution.patch"
    secret.write_text(harness.patch(true=harness.SOLUTION))
    (folder / "link.patch").symlink_to(secret)
    os.mkfifo(folder / "pipe.patch")
    (folder / "large.patch").write_bytes(b"x" * (intake.MAX_BYTES + 5))
    (folder / "nul.patch").write_bytes(harness.patch(true=harness.SOLUTION).encode().replace(b"answer", b"ans\0er"))
    (folder / "folder.patch").mkdir()
    with open(os.fsencode(folder) + b"/\xff\xfe\x1b[2J.patch", "wb") as file:
        file.write(b"not a patch")
    done = run_grade(str(folder), "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    verdicts = [line.split()[0] for line in done.stdout.splitlines()]
    # What is in a comment, the compiler may judge: of the six in their order, only nul.patch is a patch.
    assert verdicts == ["BUILD"] * 3 + ["PASS"] + ["BUILD"] * 2, done.stdout + done.stderr
    for name, why in (("link", "plain file"), ("pipe", "no plain file"), ("large", "too large"),
                      ("folder", "no plain file")):
        words = (tmp_path / "out" / name / "report.json").read_text()
        assert why in words and "atoi" not in words, words


@pytest.mark.parametrize("name", ["../harness", "harness/", "./harness", "/etc", "", "..", "no"])
def test_lab_is_a_name_and_no_path(name):
    done = run_grade("x.patch", lab=name)
    assert done.returncode == 2 and ("there is no lab" in done.stderr or not name), done.stderr


@pytest.mark.parametrize("steps", ["-1", "9", "1000"])
def test_steps_are_those_there_are(steps):
    done = subprocess.run([os.path.join(ROOT, "tools", "lab"), "patch", "pipe", f"--steps={steps}"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and not done.stdout and "from 0 to 6" in done.stderr, done.stderr


# --- where the report goes --------------------------------------------------------------------------------------


@pytest.fixture(name="refused")
def a_refused_patch(tmp_path):
    path = tmp_path / "alice.patch"
    path.write_text("nothing in it\n")
    return path


def test_nothing_is_deleted_that_the_grader_did_not_write(tmp_path, refused):
    folder = tmp_path / "alice"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "thesis.txt").write_text("precious")
    for _ in range(2):
        done = run_grade(str(refused), "-o", str(tmp_path))
        assert done.returncode == 0, done.stderr
    assert (folder / "notes" / "thesis.txt").read_text() == "precious" and (folder / "report.json").exists()


@pytest.mark.parametrize("name", ["report.json", "report.txt", "results.json", "boots"])
def test_report_takes_nobodys_place(tmp_path, refused, name):
    folder = tmp_path / "alice"
    folder.mkdir()
    (folder / name).write_text("precious")
    done = run_grade(str(refused), "-o", str(tmp_path))
    assert done.returncode == 2 and f"alice/{name} is in the way" in done.stderr, done.stderr
    assert os.listdir(folder) == [name] and (folder / name).read_text() == "precious"


def test_report_does_not_follow_links(tmp_path, refused):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "alice").symlink_to(elsewhere)
    assert run_grade(str(refused), "-o", str(tmp_path)).returncode == 2 and not os.listdir(elsewhere)
    (tmp_path / "alice").unlink()
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "report.txt").symlink_to(elsewhere / "x")
    assert run_grade(str(refused), "-o", str(tmp_path)).returncode == 2 and not os.listdir(elsewhere)


def test_earlier_report_makes_room(tmp_path):
    """What it had attached goes with it; what somebody put beside it stays."""
    out = str(tmp_path / "x")
    made = harness.grade(harness.in_kernel('panic("my own fault");'), again=False)
    report.write(out, made, {})
    assert os.path.exists(out + "/boots/kernel.log")
    (tmp_path / "x" / "mine.txt").write_text("precious")
    report.write(out, harness.grade("nothing in it\n"), {})
    assert sorted(os.listdir(out)) == ["junit.xml", "mine.txt", "report.json", "report.txt", "results.json",
                                       "student.txt"]


def test_refused_patch_is_red_everywhere(tmp_path, refused):
    (tmp_path / "bob.patch").write_text(harness.patch(true="int main(void) { return wrong; }\n"))
    assert run_grade(str(refused), str(tmp_path / "bob.patch"), "-o", str(tmp_path)).returncode == 0
    for name, case in (("alice", "the patch"), ("bob", "the build")):
        suite = xml.fromstring((tmp_path / name / "junit.xml").read_text())
        assert suite.get("failures") == "1" and suite.get("tests") == str(len(suite.findall("testcase")))
        assert [one.get("name") for one in suite if one.find("failure") is not None] == [case]
        assert json.loads((tmp_path / name / "results.json").read_text())["score"] == 0
