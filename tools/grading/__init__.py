"""Labs and their grading: what tools/lab and tools/grade are made of. A lab's checks.py imports `check` from here.

    trees       where the tree is, what belongs to it, how two trees differ
    regions     marks in the solution, and what can be cut out of it
    lab         a lab's folder: lab.toml, checks, programs, wrong patches
    skeleton    the tree that a student is given
    patch       what a student hands in, and whether it keeps to the lab's files
    jail        where it is built and run
    build       from a patch to a kernel
    usage       what a jail has used of the processors
    machine     one run of that kernel, and what was seen
    checks      a check, what it expects, its verdict
    session     the grading of one patch
    report      what came of it, in five formats
    zoo         wrong patches, and what catches them
    replaying   a failing run once more, under gdb
"""

from grading.checks import check

__all__ = ["check"]
