"""README.md's worked example of adding a system call, performed on a copy of the tree as it stands there."""

import os
import re
import shutil
import subprocess

import pytest

from support import EXTRA_WORDS, ROOT, Verdict

STEP = re.compile(r"^ *<!-- example:(?P<path>\S+):(?P<how>append|create) -->\n(?P<text>(?: {7}.*\n|\s*\n)+)", re.M)


def steps():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return [(match["path"], match["how"], re.sub(r"^ {7}", "", match["text"], flags=re.M).rstrip() + "\n")
                for match in STEP.finditer(file.read())]


def copy_tree(target):
    """The tree as it stands, with what is built: only what the example touches is compiled again. Without what another
    test may make or remove meanwhile."""
    skipped = shutil.ignore_patterns(".git", "__pycache__", "debug", "iso", "root", "signalbox.iso", "labs", "grades",
                                     "*.sock*")
    shutil.copytree(ROOT, target, symlinks=True, ignore=skipped)


@pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our kernel")
def test_adding_a_system_call(tmp_path):
    tree = tmp_path / "tree"
    copy_tree(tree)
    done = steps()
    assert len(done) >= 3
    for path, how, text in done:
        with open(tree / path, "a" if how == "append" else "w", encoding="utf-8") as file:
            file.write(("\n" if how == "append" and path.endswith(".c") else "") + text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    build = subprocess.run(["make", "build/kernel.elf", "build/initrd.cpio"], cwd=tree, check=False,
                           capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
    if build.returncode != 0:
        raise Verdict("BUILD", build.stdout[-2000:] + build.stderr[-4000:])
    result = subprocess.run(["tools/run", "--", "/bin/switches"], cwd=tree, check=False, capture_output=True,
                            text=True, stdin=subprocess.DEVNULL, env=environment)
    assert (result.returncode, result.stdout) == (0, "some CPUs, some switches\n"), result.stderr
