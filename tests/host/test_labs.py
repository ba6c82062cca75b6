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
from grading.trees import git, read, tree_files
from support import EXTRA_WORDS, Verdict

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
NAMES = labs.names()
WANTED = {"signals", "pipe", "shm", "virtio", "tcp", "jobs"}
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
    for word in ("Goal", "Background", "Read", "Steps", "Hints", "Questions", "Grad"):
        assert re.search(rf"^#+ .*{word}", handout, re.M | re.I), f"the handout has no chapter: {word}"
    for path in re.findall(r"`((?:kernel|user|libc|tests)/[\w./-]+\w)(?::\d+)?`", handout):
        assert os.path.exists(os.path.join(lab.root, path)), f"the handout speaks of {path}"


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


def test_student_grades_what_stands_there(tmp_path):
    """In the tree that a student was given, with the visible checks, from what has changed there."""
    lab = LOADED["pipe"]
    tree = str(tmp_path / "tree")
    skeleton.make(lab, tree)
    solved = lab.solution().patch(lab.solved_by(1))
    git("apply", "-", cwd=tree, data=solved.encode())
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    first = next(check.name for check in lab.load_checks() if check.visible)
    done = subprocess.run(["tools/grade", "pipe", "--check", first, "--once", "-j", "1"], cwd=tree, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"  {first}: " in done.stdout and "\nPASS: " in done.stdout, done.stdout
    report = os.path.join(tree, "build", "grades", "pipe", "working-tree", "report.json")
    with open(report, encoding="utf-8") as file:
        made = json.load(file)
    assert made["patch"]["text"] == git("diff", "skeleton", cwd=tree).stdout.decode()
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


@pytest.mark.parametrize("name", NAMES)
def test_wrong_patches_are_caught(name, some_of, record_property):
    lab = LOADED[name]
    found = zoo.wrongs(lab)
    assert len(found) >= LEAST_WRONG
    killed = [zoo.kill(lab, wrong, plan()) for wrong in some_of(found, 4)]
    matrix = "\n".join(one.line() for one in killed)
    record_property("note", "the kill matrix\n" + matrix)
    trouble = "\n".join(f"{one.wrong.name}: {one.trouble()}\n{text(table(one.made, {}))}" for one in killed
                        if one.trouble())
    assert not trouble, trouble


def test_hardly_any_survives():
    found = [wrong for name in NAMES for wrong in zoo.wrongs(LOADED[name])]
    survivors = [f"{wrong.path}: {wrong.survives}" for wrong in found if wrong.survives]
    assert len(survivors) <= MOST_SURVIVORS * len(found), "\n".join(survivors)
