"""A lab's folder, tests/labs/NAME: its description lab.toml, its checks and its programs."""

import functools
import glob
import importlib.util
import os
import re
import tomllib

from grading import skeleton
from grading.regions import Solution
from grading.trees import LABS, ROOT, Failure, git, read, tree_files, write

LIMITS = {
    "build_seconds": 75,            # of processor time, all together
    "build_memory_mib": 2048,       # of each process
    "build_disk_mib": 1024,         # of all files together
    "machine_memory_mib": 256,      # what QEMU gives the machine unless a check says otherwise
    "output_mib": 16,               # of each file, and of the console
    "processes": 96,
}
KEYS = {"title", "paths", "baseline", "step", "symptoms", "limits"}


def names(labs=LABS):
    found = glob.glob(os.path.join(glob.escape(labs), "*", "lab.toml"))
    return sorted(os.path.basename(os.path.dirname(path)) for path in found)


class Step:
    def __init__(self, name, regions, score):
        self.name, self.regions, self.score = name, tuple(regions), score


class Lab:
    """const: what a lab says of itself."""

    def __init__(self, name, labs=LABS, root=ROOT):
        self.name, self.root = name, root
        self.folder = os.path.join(labs, name)
        path = os.path.join(self.folder, "lab.toml")
        if name not in names(labs):
            raise Failure(f"there is no lab {name!r}; there are: {', '.join(names(labs)) or 'none'}")
        try:
            with open(path, "rb") as file:
                table = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise Failure(f"{path}: {error}") from None
        unknown = set(table) - KEYS | set(table.get("limits", {})) - set(LIMITS)
        missing = {"title", "paths", "baseline"} - set(table)
        if unknown or missing:
            raise Failure(f"{path}: unknown: {sorted(unknown)}, missing: {sorted(missing)}")
        self.title, self.paths, self.baseline = table["title"], table["paths"], table["baseline"]
        self.symptoms = table.get("symptoms", {})
        self.limits = LIMITS | table.get("limits", {})
        self.steps = [Step(**step) for step in table.get("step", [])]
        self.is_skeleton = skeleton.is_skeleton(root)   # a student's tree has no solution
        if not self.is_skeleton and skeleton.lacks_solution(root):
            raise Failure(skeleton.NO_TAG)

    @functools.cached_property
    def _solution(self):
        if self.is_skeleton:
            raise Failure("this is a student's tree, the skeleton of a lab: there is no solution in it")
        solution = Solution(self, self.root, tree_files(self.root))
        of_steps = [region for step in self.steps for region in step.regions]
        if sorted(of_steps) != sorted(solution.regions):
            raise Failure(f"{self.name}: lab.toml's steps have the regions {sorted(of_steps)}, "
                          f"the tree has {sorted(solution.regions)}")
        return solution

    def solution(self):
        """The marked tree, as it is when it is asked for first."""
        return self._solution

    def solved_by(self, steps):
        """The regions of the first so many steps."""
        return [region for step in self.steps[:steps] for region in step.regions]

    def wrong_patches(self):
        return sorted(glob.glob(os.path.join(glob.escape(self.folder), "wrong", "*.patch")))

    def program_sources(self):
        return sorted(glob.glob(os.path.join(glob.escape(self.folder), "programs", "*.c")))

    def load_checks(self):
        """The checks of checks.py, in the order they stand there."""
        from grading import checks as made
        path = os.path.join(self.folder, "checks.py")
        made.registered.clear()
        spec = importlib.util.spec_from_file_location(f"lab_{self.name}", path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except FileNotFoundError:
            raise Failure(f"{path} is missing") from None
        checks = list(made.registered)
        known = set()
        for one in checks:
            if one.name in known or not set(one.needs) <= known:
                raise Failure(f"{path}: {one.name} is there twice, or needs what stands behind it: {one.needs}")
            known.add(one.name)
        if not checks:
            raise Failure(f"{path} has no check")
        return checks


class Wrong:
    """One patch of the zoo: against the solution, with `Mistake:` and `Caught by:` in its head."""

    def __init__(self, lab, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.lab, self.path = lab, os.path.abspath(path)
        self.name = os.path.basename(path).removesuffix(".patch")
        head = self.text.split("\ndiff --git ")[0]
        mistake = re.search(r"^Mistake: (.*(?:\n[ \t]+\S.*)*)", head, re.M)
        caught = re.search(r"^Caught by: (.*)", head, re.M)
        if not mistake or not caught:
            raise Failure(f"{path}: the head says no `Mistake:` or no `Caught by:`")
        self.mistake = " ".join(mistake[1].split())
        self.caught_by = [name.strip() for name in caught[1].split(",")]
        survives = re.search(r"^Survives: (.*(?:\n[ \t]+\S.*)*)", head, re.M)
        self.survives = " ".join(survives[1].split()) if survives else ""   # why no check can see it

    def against_skeleton(self, folder):
        """The patch a student with this mistake would hand in. FOLDER: an empty one to work in."""
        touched = re.findall(r"^diff --git a/(\S+) b/(\S+)$", self.text, re.M)
        involved = sorted({name for pair in touched for name in pair})
        before = {name: read(self.lab.root, name) for name in involved}
        for name, text in before.items():
            if text is not None:
                write(folder, name, text)
        git("apply", "--whitespace=nowarn", self.path, cwd=folder)
        changed = {name: (before[name], read(folder, name)) for name in involved}
        return self.lab.solution().patch_of_files(changed)
