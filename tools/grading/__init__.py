"""Labs and their grading: what tools/lab and tools/grade are made of. A lab's checks.py imports `check` from here.

    trees       where the tree is, and what belongs to it
    regions     marks in the solution, cut for a skeleton
    lab         a lab's folder: lab.toml, checks, programs
"""

try:
    from grading.check import check
except ImportError:  # a tree that has the cutter alone
    check = None

__all__ = ["check"]
