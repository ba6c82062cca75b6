"""The tree a student is given: the solution without the regions of one lab, and without what would give them away.

It is a repository with one commit, tagged `skeleton`: `git diff skeleton` is what is handed in. It has the lab's
visible checks, so that a student can grade with them; neither the hidden ones, nor other labs, nor the wrong
patches, which quote the solution.
"""

import ast
import glob
import io
import os
import shutil
import tarfile

from grading.trees import Failure, git, read, tree_files, write

TAG = "skeleton"
NO_TAG = f"""this is a student's tree, and it lacks git's tag `{TAG}`, which marks what was handed out. Fetch it:
    git fetch origin tag {TAG}
or, where it was handed out without it, set it on the first commit, if that is the tree as it was handed out:
    git tag {TAG} $(git rev-list --max-parents=0 HEAD)"""


def is_given(name, lab):
    """Whether the student gets this file of the tree as it stands (the cut ones apart)."""
    if name.startswith(("tests/host/test_labs", "tests/host/labs/")) or name == "tests/host/harness.py":
        return False    # they test the grader, and the solution with it
    if not name.startswith("tests/labs/"):
        return True
    rest = name.removeprefix("tests/labs/")
    if "/" not in rest:
        return True
    here, _, inside = rest.partition("/")
    return here == lab.name and not inside.startswith(("wrong/", "regions/"))


def visible_checks(text):
    """checks.py without the checks that are hidden."""
    lines = text.splitlines(keepends=True)
    hidden = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and is_hidden(node)]
    for node in reversed(hidden):
        first = min(decorator.lineno for decorator in node.decorator_list) - 1
        del lines[first:node.end_lineno]
        while first < len(lines) and not lines[first].strip() and first > 0 and not lines[first - 1].strip():
            del lines[first]
    return "".join(lines).rstrip("\n") + "\n"


def is_hidden(function):
    return any(keyword.arg == "visible" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
               for decorator in function.decorator_list if isinstance(decorator, ast.Call)
               for keyword in decorator.keywords)


def files(lab):
    """(name, text) of what differs from the solution tree, as a dict; and the names of everything."""
    made = lab.solution().cut()
    given = [name for name in tree_files(lab.root) if is_given(name, lab)]
    checks = f"tests/labs/{lab.name}/checks.py"
    text = read(lab.root, checks)
    if text is not None:
        made[checks] = visible_checks(text)
    return made, given


def make(lab, output):
    """The skeleton of LAB in OUTPUT, which must not be there yet."""
    if os.path.lexists(output):
        raise Failure(f"{output} is there already")
    made, given = files(lab)
    for name in given:
        source, target = os.path.join(lab.root, name), os.path.join(output, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
        if name in made:
            write(output, name, made[name])
    git("init", "-q", "-b", "main", cwd=output)
    git("add", "-A", "-f", cwd=output)
    git("-c", "user.name=Signalbox", "-c", "user.email=signalbox@localhost", "commit", "-q", "-m",
        f"The skeleton of the lab {lab.name}", cwd=output)
    git("tag", TAG, cwd=output)


def is_skeleton(root):
    """Whether ROOT is a tree that a student was given."""
    return os.path.exists(os.path.join(root, ".git")) and \
        git("rev-parse", "-q", "--verify", f"refs/tags/{TAG}", cwd=root, status=(0, 1)).returncode == 0


def lacks_solution(root):
    """Whether ROOT was cut out for a student: what stands in place of the regions is in the solution's tree alone."""
    return not glob.glob(os.path.join(glob.escape(root), "tests", "labs", "*", "regions"))


def committed_files(root):
    """name -> (contents, mode) of the skeleton that the student was given whose tree is ROOT, but for the lab."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", TAG, cwd=root).stdout)) as archive:
        return {member.name: (archive.extractfile(member).read(), 0o755 if member.mode & 0o100 else 0o644)
                for member in archive if member.isreg() and not member.name.startswith("tests/labs/")}
