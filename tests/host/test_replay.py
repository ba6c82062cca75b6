"""Recorded runs, forwards and backwards: the planted bug of README.md (planted.c), found as is told there."""

import os
import re

import pytest

from debugger import Machine
from support import BUILD, EXTRA_WORDS, ROOT, run

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
PLANTED = os.path.join(BUILD, "tests", "host", "planted")


@pytest.fixture(name="recording", scope="module", params=[(), ("--debug",)], ids=["release", "debug"])
def the_recording(request, tmp_path_factory):
    """(FILE, options) of a run of the program with the bug."""
    file = str(tmp_path_factory.mktemp("recording") / "bug")
    result = run(*request.param, "--record", file, "--", PLANTED).must_have_run()
    assert result.status == 3 and re.fullmatch(r"\d{5,} visitors on 8 seats\n", result.text), result.text
    return file, request.param, result.text


def test_a_replay_says_the_same(recording):
    file, flavour, text = recording
    for _ in range(2):
        again = run(*flavour, "--replay", file)
        assert (again.status, again.text) == (3, text), again.err


def test_backwards_to_the_write_that_broke_a_variable(recording, tmp_path):
    file, flavour, _ = recording
    with Machine(tmp_path, *flavour, "--replay", file) as machine:
        output = machine.gdb("break complain", "continue", "print hall.visitors", "watch -l hall.visitors",
                             "reverse-continue", "bt", "delete", "break sit_down", "reverse-continue",
                             "print seat", "delete", "continue")
        status, _ = machine.finish()
    broken = re.search(r"= (\d+)", output.of("print hall.visitors"))
    assert broken and int(broken[1]) > 8, output.all()
    stack = output.of("bt")
    assert "strncpy" in stack and re.search(r"sit_down \(.*seat=8\) at tests/host/planted.c:\d+", stack), output.all()
    # Further back, to the call, and forwards again from there.
    assert "sit_down" in [text for word, text in output if word == "reverse-continue"][1], output.all()
    assert "= 8" in output.of("print seat"), output.all()
    assert status == 3, output.all()


def test_backwards_in_the_kernel(tmp_path):
    """The last process that was made: where its number was given."""
    file = str(tmp_path / "recording")
    run("--record", file, "--", "/bin/busybox", "sh", "-c", "/bin/busybox true; exit 5")
    folder = tmp_path / "sockets"
    folder.mkdir()
    with Machine(folder, "--replay", file) as machine:
        output = machine.gdb("break sys_exit_group if status == 5", "continue", "watch last_pid", "reverse-continue",
                             "bt", "ps", "reverse-stepi", "stepi", "delete", "continue")
        status, _ = machine.finish()
    assert "pid_alloc" in output.of("bt") and "sys_" in output.of("bt"), output.all()
    assert "init" in output.of("ps") and "Error" not in output.of("reverse-stepi"), output.all()
    assert status == 5, output.all()


def test_what_cannot_be_recorded_is_refused(tmp_path):
    for words in (["--net", "user"], ["--tty"], ["--iso"], ["--smp", "2"]):
        refused = run("--record", str(tmp_path / "none"), *words, "--", "/bin/true")
        assert refused.status == 126 and "--record can't be used with" in refused.err, refused.err


def test_a_recording_is_of_one_kernel(recording, tmp_path):
    file, flavour, _ = recording
    other = [] if flavour else ["--debug"]
    refused = run(*other, "--replay", file)
    assert refused.status == 126 and "is not the kernel" in refused.err, refused.err
    junk = tmp_path / "junk"
    junk.write_text("no recording")
    assert "is not a recording" in run("--replay", str(junk)).err


def test_readme_shows_these_steps():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    for step in ("tools/run --record bug", "build/tests/host/planted", "tools/run --replay bug --gdb",
                 "break complain", "watch -l hall.visitors", "reverse-continue"):
        assert step in text, step
