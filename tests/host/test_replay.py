"""Recorded runs, forwards and backwards: the planted bug of README.md (planted.c), found as is told there."""

import json
import os
import re
import signal
import subprocess
import zipfile

import pytest

from debugger import Machine, frames, in_order
from support import BUILD, EXTRA_WORDS, PATIENCE, ROOT, RUN, run

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


@pytest.mark.parametrize("words", [["--smp", "4"], ["--net", "user"], ["--tty"], ["--iso"], ["--mem", "64"],
                                   ["--append", "watchdog=1"], ["--env", "A=B"], ["--icount"], ["--leak-check"],
                                   ["--record", "other"], ["--", "/bin/true"]], ids=lambda words: words[0])
def test_a_replay_has_the_machine_of_its_recording(recording, words):
    file, flavour, _ = recording
    refused = run(*flavour, "--replay", file, *words)
    what = "a PROGRAM" if words[0] == "--" else words[0]
    assert (refused.status, refused.out) == (126, b""), refused.err
    assert f"from the recording, so {what} can't be said again" in refused.err, refused.err


def test_where_nothing_can_be_written_nothing_is_run(tmp_path):
    for place in (tmp_path, tmp_path / "none" / "file"):
        refused = run("--record", str(place), "--", "/bin/busybox", "echo", "ran")
        assert (refused.status, refused.out) == (126, b""), refused.err
        assert "no file can be written there" in refused.err, refused.err


def test_an_interrupted_run_is_recorded_as_far_as_it_came(tmp_path):
    file = str(tmp_path / "recording")
    with subprocess.Popen([RUN, "--record", file, "--", "/bin/busybox", "sh", "-c", "echo begun; while :; do :; done"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as machine:
        assert machine.stdout.readline() == b"begun\n"
        machine.send_signal(signal.SIGINT)
        machine.communicate(timeout=PATIENCE)
    assert machine.returncode == 128 + signal.SIGINT
    again = run("--replay", file)
    assert (again.status, again.text) == (126, "begun\n"), again.err
    assert "the recording ends here" in again.err and "Traceback" not in again.err, again.err


def test_a_recording_of_another_qemu_is_refused(tmp_path):
    """Its events come at the instructions that the other had counted."""
    made, other = str(tmp_path / "made"), str(tmp_path / "other")
    run("--record", made, "--", "/bin/busybox", "true").must_have_run()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(other, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == "run.json":
                content = json.dumps(dict(json.loads(content), qemu="QEMU 0.9")).encode()
            copy.writestr(name, content)
    assert run("--replay", made).status == 0
    refused = run("--replay", other)
    assert refused.status == 126 and "was recorded by QEMU 0.9, and this is QEMU" in refused.err, refused.err


def readme_session():
    """The session that README.md shows: [(command of gdb's, [lines that it prints])]."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read().split("### Backwards")[1].split("###")[0]
    shown = re.search(r"((?:^    .*\n)+)", text, re.M)[1].splitlines()
    steps = []
    for line in (line[4:] for line in shown):
        if line.startswith(("$ ", "(gdb) ")):
            steps.append((re.sub(r" {2,}#.*", "", line), []))
        else:
            steps[-1][1].append(line)
    return steps


def says(text, lines):
    """Are LINES what a command printed, in their order, where ... stands for anything?"""
    pattern = ".*".join(".*?".join(re.escape(part) for part in line.split("...")) for line in lines)
    return re.search(pattern, re.sub(r"\s+", " ", text), re.S)


def test_readme_shows_what_comes(recording, tmp_path):
    file, flavour, text = recording
    steps = readme_session()
    assert steps[0] == ("$ tools/run --record bug -- build/tests/host/planted", [text.rstrip()])
    assert steps[1] == ("$ tools/run --replay bug --gdb", [])
    commands = [command.removeprefix("(gdb) ") for command, _ in steps[2:]]
    assert "reverse-continue" in commands and "bt" in commands
    with Machine(tmp_path, *flavour, "--replay", file) as machine:
        output = machine.gdb(*commands)
    for command, (_, lines) in zip(commands, steps[2:]):
        lines = [re.sub(r"\s+", " ", line) for line in lines]
        assert says(output.of(command), lines), (lines, output.all())


def test_each_way_back(recording, tmp_path):
    """Step, next and finish, in a program and in the kernel; a state is kept to go back to that is near."""
    file, flavour, _ = recording
    with Machine(tmp_path, *flavour, "--replay", file) as machine:
        output = machine.gdb("break planted.c:21 if seat == 8", "continue", "reverse-next", "print hall.visitors",
                             "reverse-step", "delete", "break sys_exit_group", "continue", "reverse-finish", "bt",
                             "reverse-stepi", "python import backwards",
                             "python print('kept', len(backwards._kept), 'now', backwards.position())",
                             "python print('near', min(backwards.position() - kept for kept in backwards._kept"
                             " if kept <= backwards.position()))", "delete", "continue")
        status, _ = machine.finish()
    assert "= 7" in output.of("print hall.visitors"), output.all()
    # Where that is depends on what the compiler made of the call.
    assert re.search(r"sit_down|main|hall", output.of("reverse-step")), output.all()
    assert in_order(["call_exit_group", "syscall_entry", "exit", "complain", "main"], frames(output.of("bt"))), \
        output.all()
    near, now = re.search(r"near (\d+)", output.all())[1], re.search(r"now (\d+)", output.all())[1]
    assert int(near) * 5 < int(now), output.all()
    assert status == 3, output.all()
