"""The labs, graded both ways: the solution gets everything, the skeleton and each step what they are declared to get,
and each wrong patch loses points in the checks that are meant to catch it."""

import json
import os
import random
import re
import subprocess

import pytest

from grading import lab as labs
from grading import session, skeleton, zoo
from grading.intake import HandedIn
from grading.regions import MARK
from grading.report import table, text
from grading.trees import ROOT, git, read, tree_files
from support import EXTRA_WORDS, Verdict

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
NAMES = labs.names()
WANTED = {"signals", "pipe", "shm", "virtio", "tcp", "jobs"}
CHAPTERS = ["Goal", "Background", "What to read, in this order", "Steps", "Hints", "Questions", "Grading"]
LEAST_WRONG = 12
MOST_SURVIVORS = 0.05
LOADED = {name: labs.Lab(name) for name in NAMES}


def plan(**words):
    """The workers of the tests are as many as the processors: each grades one machine at a time."""
    return session.Plan(jobs=1, again=False, **words)


def test_all_the_labs_are_there():
    assert set(NAMES) == WANTED


@pytest.mark.parametrize("name", NAMES)
def test_lab_is_sound(name):
    lab = LOADED[name]
    checks = lab.load_checks()
    points = sum(check.points for check in checks)
    scores = [lab.baseline, *(step.score for step in lab.steps)]
    assert scores == sorted(set(scores)) and scores[-1] == points, (scores, points)
    assert any(not check.visible for check in checks), "no check is hidden"
    assert lab.symptoms and lab.solution().regions
    handout = read(lab.folder, "README.md") or ""
    chapters = [title for title in re.findall(r"^## (.*)", handout, re.M) if title != "Beginning"]
    assert chapters == CHAPTERS
    seen = sum(check.points for check in checks if check.visible)
    words = " ".join(handout.split())
    assert re.search(rf"in your tree you see {seen:g} of ", words, re.I), f"the handout doesn't say: {seen} are seen"


@pytest.fixture(name="tree_words", scope="module")
def _tree_words():
    """Every word of the tree but the labs' own texts, and every name of a file."""
    names = tree_files(ROOT)
    code = [name for name in names if name.endswith((".py", ".c", ".h"))
            or not name.startswith("tests/labs/") and name.endswith((".asm", ".tbl", ".md", "Makefile"))]
    words = set()
    for name in code:
        if "/regions/" not in name:
            words.update(re.findall(r"[A-Za-z_]\w*", read(ROOT, name)))
    return words, names


@pytest.mark.parametrize("name", NAMES)
def test_handout_names_what_is_there(name, tree_words):
    """Functions, fields and files that the handout, the gaps and the hints speak of: the tree has them all."""
    lab = LOADED[name]
    words, names = tree_words
    handout = read(lab.folder, "README.md")
    quoted = re.findall(r"`([^`\n]+)`", handout) + re.findall(r"^    .*$", handout, re.M)
    gaps = [read(lab.folder, f"regions/{file}") for file in os.listdir(os.path.join(lab.folder, "regions"))]
    for saying in [*quoted, *gaps, *lab.symptoms.values()]:
        for word in re.findall(r"(?<![\w/.-])[a-z]\w*_\w+|\b[a-zA-Z_]\w*(?=\()", saying):
            assert word in words, f"{word} is spoken of, and is nowhere: {saying[:200]}"
    for path in (path for text in quoted for path in re.findall(r"[\w/.-]+\.(?:c|h|py|asm|md)\b", text)):
        assert any(file == path or file.endswith("/" + path) for file in names), f"the handout speaks of {path}"


@pytest.mark.parametrize("name", NAMES)
def test_skeleton_gives_nothing_away(name, tmp_path):
    lab = LOADED[name]
    skeleton.make(lab, str(tmp_path / "tree"))
    tree = str(tmp_path / "tree")
    names = tree_files(tree)
    others = [f for f in names if f.startswith("tests/labs/") and f.count("/") > 2
              and not f.startswith(f"tests/labs/{name}/")]
    assert not others and not [f for f in names if f.startswith((f"tests/labs/{name}/wrong", f"tests/labs/{name}/reg"))]
    for file in names:
        if file.startswith(("kernel/", "user/")) and file.endswith((".c", ".h", ".asm")):
            marked = [line for line in read(tree, file).splitlines() if MARK.search(line)]
            assert not marked, (file, marked)
    solution = lab.solution()
    for region in solution.regions.values():
        assert solution.handout(region) in read(tree, region.path), f"{region.path} lacks the text of {region.name}"
    hidden = [check.name for check in lab.load_checks() if not check.visible]
    given = read(tree, f"tests/labs/{name}/checks.py")
    assert not [check for check in hidden if check in given]
    # A student's tree is graded as it stands, by what is visible.
    theirs = labs.Lab(name, tree + "/tests/labs", tree)
    assert theirs.is_skeleton and {check.name for check in theirs.load_checks()} == {
        check.name for check in lab.load_checks() if check.visible}


def selected(tree, word):
    """What `make test T=WORD` would run in TREE."""
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-c", "tests/pytest.ini", "--rootdir=.", "-n0",
                           "--collect-only", "-q", f"--select={word}"], cwd=tree, capture_output=True, text=True,
                          check=False)
    assert done.returncode in (0, 5), done.stdout + done.stderr  # 5: there is none
    return set(re.findall(r"^(tests/[^:]*): \d+$", done.stdout, re.M))


def test_labs_are_what_they_are_called(tmp_path):
    """T=labs is the labs alone; in a student's tree all tests can be read, and none is of the grader."""
    assert {os.path.basename(path).split(".")[0].split("_")[1] for path in selected(ROOT, "labs")} == {"labs"}
    skeleton.make(LOADED["pipe"], str(tmp_path / "tree"))
    assert selected(tmp_path / "tree", "labs") == set() and "tests/conform/pipes.c" in selected(tmp_path / "tree", "")


def test_student_grades_what_stands_there(tmp_path):
    """In the tree that a student was given, with the visible checks, from what has changed there."""
    lab = LOADED["pipe"]
    tree = str(tmp_path / "tree")
    skeleton.make(lab, tree)
    solved = lab.solution().patch(lab.solved_by(1))
    git("apply", "-", cwd=tree, data=solved.encode())
    of_my_own = "tests/conform/pipes.c"
    with open(os.path.join(tree, of_my_own), "a", encoding="utf-8") as file:
        file.write("/* of my own */\n")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    first = next(check.name for check in lab.load_checks() if check.visible)
    done = subprocess.run(["tools/grade", "pipe", "--check", first, "--once", "-j", "1"], cwd=tree, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"  {first}: " in done.stdout and "\nPASS: " in done.stdout, done.stdout
    report = os.path.join(tree, "build", "grades", "pipe", "working-tree", "report.json")
    with open(report, encoding="utf-8") as file:
        made = json.load(file)
    assert made["patch"]["text"] == git("diff", "skeleton", "--", "kernel", cwd=tree).stdout.decode()
    assert re.search(rf"left out.*{of_my_own}", done.stdout), done.stdout
    refused = subprocess.run(["tools/lab", "patch", "pipe"], cwd=tree, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "skeleton" in refused.stderr, refused


@pytest.fixture(name="some_of")
def _some_of(request, record_property):
    """Who asks for these tests by name gets all of a list; a run of every test draws N of it, others each time."""
    def some_of(items, n):
        if request.config.getoption("select") or len(items) <= n:
            return items
        seed = os.environ.get("LABS_SEED") or str(random.SystemRandom().randrange(1 << 31))
        record_property("note", f"{n} of {len(items)}, seed {seed}")
        return random.Random(seed).sample(items, n)
    return some_of


@pytest.mark.parametrize("name", NAMES)
def test_steps_score_what_is_declared(name, some_of):
    lab = LOADED[name]
    last = len(lab.steps)
    for step in [0, *some_of(range(1, last), 1), last]:
        solved = lab.solution().patch(lab.solved_by(step)) if step else ""
        made = session.grade(lab, HandedIn(f"step {step}", solved), plan())
        wanted = lab.steps[step - 1].score if step else lab.baseline
        report = text(table(made, {}))
        if not made.graded:
            raise Verdict("INFRA", report)
        assert made.score == wanted, f"step {step}: {made.score} points, {wanted} are declared\n{report}"
        seen = sum(one.outcome.score for one in made.results if one.check.visible)
        assert seen == wanted or f"{wanted} ({seen:g})" in read(lab.folder, "README.md"), f"step {step} shows {seen:g}"


@pytest.mark.parametrize("name", NAMES)
def test_wrong_patches_are_caught(name, some_of, record_property):
    lab = LOADED[name]
    found = zoo.wrongs(lab)
    assert len(found) >= LEAST_WRONG
    killed = [zoo.kill(lab, wrong, plan()) for wrong in some_of(found, 4)]
    dead = sum(not one.trouble() and not one.wrong.survives for one in killed)
    record_property("closing", "\n".join([f"the kill matrix of {name}: {dead} of {len(killed)} wrong patches killed",
                                          *(one.line() for one in killed)]))
    trouble = "\n".join(f"{one.wrong.name}: {one.trouble()}\n{text(table(one.made, {}))}" for one in killed
                        if one.trouble())
    assert not trouble, trouble


def test_hardly_any_survives():
    found = [wrong for name in NAMES for wrong in zoo.wrongs(LOADED[name])]
    survivors = [f"{wrong.path}: {wrong.survives}" for wrong in found if wrong.survives]
    assert len(survivors) <= MOST_SURVIVORS * len(found), "\n".join(survivors)
