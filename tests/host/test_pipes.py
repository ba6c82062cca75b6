"""The system's limits on pipes, which no test may change on the host: /proc/sys/fs/pipe-*."""

import pytest

from support import busybox

FOLDER = "/proc/sys/fs"
# A limit's name, what is written to it, and what it says then; None: refused.
WRITES = [
    ("pipe-max-size", "100000", "131072"),
    ("pipe-max-size", "0", "4096"),
    ("pipe-max-size", "4294967296", None),
    ("pipe-max-size", "many", None),
    ("pipe-user-pages-soft", "100", "100"),
    ("pipe-user-pages-hard", "200", "200"),
    ("pipe-user-pages-hard", "-1", None),
]


@pytest.mark.parametrize("name, text, expected", WRITES)
def test_writing(name, text, expected):
    before = {"pipe-max-size": "1048576", "pipe-user-pages-soft": "16384", "pipe-user-pages-hard": "0"}[name]
    result = busybox(f"cd {FOLDER}; cat {name}; (echo {text} > {name}) 2>/dev/null; echo $?; cat {name}",
                     "--leak-check")
    status = 1 if expected is None else 0
    assert result.text == f"{before}\n{status}\n{expected or before}\n"


def as_student(script):
    return f"busybox su -s /bin/sh student -c '{script}'"


def test_only_root_writes():
    result = busybox(f"{as_student(f'echo 1 > {FOLDER}/pipe-max-size')} 2>/dev/null; echo $?; "
                     f"cat {FOLDER}/pipe-max-size")
    status, size = result.text.splitlines()
    assert status != "0" and size == "1048576"


def test_a_small_maximum_makes_small_pipes():
    """A pipe of two pages still carries what is larger."""
    result = busybox(f"echo 8192 > {FOLDER}/pipe-max-size; " + as_student("seq 10000 | wc -l")
                     + "; seq 10000 | wc -l", "--leak-check")
    assert result.text == "10000\n10000\n"


def test_no_pipe_beyond_the_hard_limit():
    """Twenty pages are one pipe: a second one at the same time is refused, but not to root."""
    result = busybox(f"echo 20 > {FOLDER}/pipe-user-pages-hard; " + as_student("echo one | cat")
                     + "; " + as_student("echo two | cat | cat") + " 2>&1; echo three | cat | cat",
                     "--leak-check")
    lines = result.text.splitlines()
    assert lines[0] == "one" and lines[-1] == "three" and "two" not in lines, result.text
