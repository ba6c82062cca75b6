"""Every public function of the library stands in a claim of tests/conform that also holds with another library."""

import glob
import os
import shutil
import subprocess

from support import BUILD, ROOT

NM = shutil.which("x86_64-linux-gnu-nm") or "nm"
# Functions that no claim calls, each with its reason.
EXCEPTIONS = {
    "reboot": "it would end the machine that runs the tests",
}


def symbols(path, *options):
    lines = subprocess.run([NM, *options, path], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[-2:] for line in lines if len(line.split()) >= 2]


def public_functions():
    defined = symbols(os.path.join(BUILD, "libc", "libc.a"), "--defined-only")
    return {name for kind, name in defined if kind in "TW" and not name.startswith("__")}


def called():
    """What the claims' objects want from outside, those alone whose first line has the word musl."""
    names = set()
    for source in glob.glob(os.path.join(ROOT, "tests", "conform", "*.c")):
        with open(source, encoding="utf-8") as file:
            if "musl" not in file.readline():
                continue
        stem = os.path.basename(source)
        names |= {name for _, name in symbols(os.path.join(BUILD, "obj", "tests", "conform", stem + ".o"), "-u")}
    return names


def test_every_function_has_a_claim():
    functions = public_functions()
    assert len(functions) > 500
    missing = functions - called()
    assert sorted(missing - set(EXCEPTIONS)) == [], "no claim calls these"
    assert sorted(set(EXCEPTIONS) - missing) == [], "no exceptions any more"
