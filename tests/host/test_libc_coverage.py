"""Every public function of the library stands in a claim of tests/conform that also holds with another library."""

import glob
import os
import shutil
import subprocess

from support import BUILD, ROOT

NM = shutil.which("x86_64-linux-gnu-nm") or "nm"
# What musl has and can't be used to compare with; the functions are called by claims about our library alone.
UNFAITHFUL = {
    "brk": "always fails there",
    "sched_getparam": "ENOSYS there, as its manual says",
    "sched_getscheduler": "ENOSYS there",
    "sched_setparam": "ENOSYS there",
    "sched_setscheduler": "ENOSYS there",
    "inet_lnaof": "there it takes its bytes in the machine's order",
    "inet_netof": "the same",
    "inet_makeaddr": "the same",
    "posix_spawnattr_getschedparam": "ENOSYS there",
    "posix_spawnattr_getschedpolicy": "ENOSYS there",
    "posix_spawnattr_setschedparam": "ENOSYS there",
    "posix_spawnattr_setschedpolicy": "ENOSYS there",
}
# Functions that no claim calls, each with its reason.
EXCEPTIONS = {
    "reboot": "it would end the machine that runs the tests",
}
MUSL = "/usr/lib/x86_64-linux-musl/libc.a"


def symbols(path, *options):
    lines = subprocess.run([NM, *options, path], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    return [line.split()[-2:] for line in lines if len(line.split()) >= 2]


def public_functions():
    defined = symbols(os.path.join(BUILD, "libc", "libc.a"), "--defined-only")
    return {name for kind, name in defined if kind in "TW" and not name.startswith("__")}


def called(musl_only):
    """What the claims' objects want from outside: of those alone whose first lines have the word musl, or of all."""
    names = set()
    for source in glob.glob(os.path.join(ROOT, "tests", "conform", "*.c")):
        with open(source, encoding="utf-8") as file:
            if musl_only and "musl" not in file.readline():
                continue
        stem = os.path.basename(source)
        names |= {name for _, name in symbols(os.path.join(BUILD, "obj", "tests", "conform", stem + ".o"), "-u")}
    return names


def test_every_function_has_a_claim():
    functions = public_functions()
    assert len(functions) > 400
    assert sorted(functions - called(musl_only=False) - set(EXCEPTIONS)) == [], "no claim calls these"
    assert sorted(set(EXCEPTIONS) & called(musl_only=False)) == [], "no exceptions any more"


def test_claims_hold_with_another_library_if_it_has_the_function():
    missing = public_functions() - called(musl_only=True) - set(EXCEPTIONS)
    comparable = {name for _, name in symbols(MUSL, "--defined-only")} - set(UNFAITHFUL)
    assert sorted(missing & comparable) == [], "only claims without musl call these"
