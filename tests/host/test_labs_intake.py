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


# --- a student's tree -------------------------------------------------------------------------------------------


@pytest.fixture(name="tree")
def a_students_tree(tmp_path):
    """One in which a step of the lab is done."""
    lab, tree = labs.Lab("pipe"), str(tmp_path / "pipe")
    skeleton.make(lab, tree)
    git("apply", "-", cwd=tree, data=lab.solution().patch(lab.solved_by(1)).encode())
    return tree


def in_tree(tree, command, status=0):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["sh", "-c", command], cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_loop_of_the_readme_works_in_a_skeleton(tree):
    """As printed, by someone who keeps all kinds of files in the tree, and whose git has its own idea of prefixes."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        printed = [line.split("#")[0].strip() for line in file if line.startswith("    ")]
    wanted = ["make grade LAB=pipe", "git diff skeleton -- kernel > my.patch", "make grade LAB=pipe PATCH=my.patch"]
    assert [line for line in printed if line in wanted][:3] == wanted
    for name in ("notes.txt", "kernel/ipc/old-pipe.c", "run.record", "no text \xff"):
        with open(os.fsencode(tree) + b"/" + name.encode("latin-1"), "wb") as file:
            file.write(b"\xff" * 100)
    with open(os.path.join(tree, "tests", "conform", "pipes.c"), "a", encoding="utf-8") as file:
        file.write("/* Tried out here. */\n")
    git("config", "diff.noprefix", "true", cwd=tree)
    faster = "tools/grade --check readers_that_sleep_are_woken --once -j 1"
    with open(os.path.join(tree, "Makefile"), encoding="utf-8") as file:
        makefile = file.read()
    assert makefile.count("\t$(Q)tools/grade $(LAB) $(PATCH)\n") == 1
    said = [in_tree(tree, command if command.startswith("git") else f"{faster} pipe {command.partition('PATCH=')[2]}")
            for command in wanted]
    assert "PASS: 10 of 10" in said[0] and "none of this lab's files: tests/conform/pipes.c" in said[0], said[0]
    assert said[0].count("note") == 1
    assert "PASS: 10 of 10" in said[2] and "note: " + intake.PREFIXES in said[2], said[2]
    reports = [json.loads(open(f"{tree}/build/grades/pipe/{name}/report.json", encoding="utf-8").read())
               for name in ("working-tree", "my")]
    assert reports[0]["patch"]["text"] == reports[1]["patch"]["text"] and reports[0]["seed"] == reports[1]["seed"]


def test_tree_without_its_tag_says_so(tree):
    git("tag", "-d", "skeleton", cwd=tree)
    for command in ("tools/grade pipe", "tools/grade pipe x.patch"):
        assert "git tag skeleton" in in_tree(tree, command, 2)
    assert "git tag skeleton" in in_tree(tree, "tools/lab patch pipe", 1)
    in_tree(tree, "git tag skeleton $(git rev-list --max-parents=0 HEAD)")
    assert labs.Lab("pipe", tree + "/tests/labs", tree).is_skeleton


# --- Gradescope -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [(), ("my",), ("my", "other")])
def test_gradescope_hears_of_every_submission(tmp_path, names):
    """Also where nothing confines, and with none or too many of them."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.patch").write_text(harness.patch(true=harness.SOLUTION))
    results = tmp_path / "results.json"
    done = run_grade(str(folder), "-o", str(tmp_path / "out"), "--jail", "limits", "--gradescope", str(results))
    assert done.returncode == 0, done.stderr
    made = json.loads(results.read_text())
    if len(names) == 1:
        assert made["score"] == 12 and len(made["tests"]) == 3
    else:
        assert made["score"] == 0 and "hand in" in made["output"] and not os.path.exists(tmp_path / "out")


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
