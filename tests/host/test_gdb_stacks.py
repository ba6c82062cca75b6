"""Backtraces: through the kernel's entries into the program and to its end, at any instruction; and none that gdb made
up, for a program whose symbols it has not."""

import os
import re
import subprocess

import pytest

from debugger import Machine, frames, in_order
from support import BUILD, EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
CAT = os.path.join(BUILD, "user", "cat")
LS = os.path.join(BUILD, "user", "ls")
HELLO = os.path.join(BUILD, "user", "demo", "hello_asm")
SCENE = os.path.join(BUILD, "tests", "host", "scene")
FLAVOURS = pytest.mark.parametrize("flavour", [(), ("--debug",)], ids=["release", "debug"])
# What gdb sees of the stack at the next COUNT instructions, the machine's clock and interrupts standing still.
STEPS = """python
def names(frame):
    while frame is not None:
        yield str(frame.name()).split("[")[0].split(".")[0]
        frame = frame.older()
for _ in range({count}):
    print("at", gdb.selected_frame().find_sal().line, *names(gdb.newest_frame()))
    gdb.execute("stepi", to_string=True)
"""


def is_whole(text):
    return not any(word in text for word in ("corrupt", "Cannot access", "??", "Error", "Python", "warning"))


def steps(tmp_path, count):
    path = tmp_path / "steps.gdb"
    path.write_text(STEPS.format(count=count) + "end\n")
    return f"source {path}"


@FLAVOURS
def test_from_the_kernel_to_main(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--", CAT, "/etc/passwd") as machine:
        output = machine.gdb("tbreak cat.c:main", "continue", "break sys_read if $in_program()", "continue", "bt",
                             "up", "delete", "detach")
        ended = machine.finish()
    stack = output.of("bt")
    found = frames(stack)
    assert is_whole(stack) and in_order(["sys_read", "syscall_entry", "main"], found) and found[-1] == "main", stack
    assert re.search(r"syscall_entry \(\) at kernel/x86/entry\.asm:\d+", stack), stack
    assert re.search(r"main \(.*\) at user/cat\.c:\d+", re.sub(r"\n +", " ", stack)), stack
    assert ended[0] == 0, output.all()


@FLAVOURS
def test_from_an_interrupt(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--smp", "1", "--", SCENE, "contend") as machine:
        output = machine.gdb("tbreak change_areas", "continue", "break timer_interrupt if $in_program()", "continue",
                             "bt", "set var meeting.enough = 1", "delete", "detach")
        machine.finish()
    stack = output.of("bt")
    assert is_whole(stack), output.all()
    assert in_order(["timer_interrupt", "interrupt_dispatch", "trap_common", "change_areas"], frames(stack)), stack


@FLAVOURS
def test_down_to_the_first_instructions(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--smp", "2", "--", "/bin/busybox", "sleep", "100") as machine:
        output = machine.gdb("break sys_clock_nanosleep", "continue", "delete", "break cpu_wait_for_interrupt",
                             "continue", "thread apply all bt", "thread 1", "bt", "thread 2", "bt 100", "kill")
    assert is_whole(output.of("bt")) and is_whole(output.of("bt 100")), output.all()
    ends = [frames(output.of(command))[-1] for command in ("bt", "bt 100")]
    assert ends == ["start_high", "ap_high"] or "boot_idle" in output.all(), output.all()
    assert "at boot/start.asm:" in output.of("thread apply all bt"), output.all()


@FLAVOURS
def test_in_the_boot(tmp_path, flavour):
    """Breakpoints that were set before the machine ran are hit in the order in which it goes: the first of these lie
    where programs will, with other code."""
    places = ("pvh_entry", "start32", "start_high", "x86_start", "kernel_main", "sys_write")
    with Machine(tmp_path, *flavour, "--", "/bin/busybox", "echo", "booted") as machine:
        output = machine.gdb(*[f"tbreak {place}" for place in places],
                             *[word for i in range(len(places)) for word in ("continue", f"bt {i + 40}")], "detach")
        ended = machine.finish()
    stacks = [frames(output.of(f"bt {i + 40}")) for i in range(len(places))]
    assert [stack[0] for stack in stacks] == list(places), output.all()
    assert stacks[:5] == [["pvh_entry"], ["start32"], ["start_high"], ["x86_start", "start_high"],
                          ["kernel_main", "x86_start", "start_high"]], output.all()
    assert ended == (0, b"booted\n"), output.all()


def test_a_program_without_library(tmp_path):
    """Its code says nothing of who called it; what lies on its stack there is no address."""
    with Machine(tmp_path, "--", HELLO) as machine:
        output = machine.gdb(f"program {HELLO}", "tbreak *_start if $in_program()", "continue", "bt", "break sys_write",
                             "continue", "bt 40", "delete", "detach")
        ended = machine.finish()
    assert frames(output.of("bt")) == ["_start"], output.all()
    assert frames(output.of("bt 40")) == ["sys_write", "syscall_entry", "_start"], output.all()
    assert ended == (0, b"Hello from assembly.\n"), output.all()


def test_through_a_handler_of_another_library(tmp_path):
    """The host's, whose functions keep no frame pointers and whose handler asks for no siginfo."""
    source, program = tmp_path / "handled.c", str(tmp_path / "handled")
    source.write_text("#include <signal.h>\n"
                      "#include <unistd.h>\n"
                      "static volatile int signals;\n"
                      "static void seen(int signo) { signals += signo; }\n"
                      "int main(void)\n"
                      "{\n"
                      "    signal(SIGUSR1, seen);\n"
                      "    kill(getpid(), SIGUSR1);\n"
                      "    return signals;\n"
                      "}\n")
    subprocess.run(["gcc", "-g", "-O1", "-static", "-o", program, str(source)], check=True)
    with Machine(tmp_path, "--", program) as machine:
        output = machine.gdb("break seen", "continue", "bt", "sigframe", "delete", "detach")
        ended = machine.finish()
    stack = output.of("bt")
    assert is_whole(stack), output.all()
    assert frames(stack) == ["seen", "<signal handler called>", "kill", "main"], output.all()
    assert "isn't said, for want of SA_SIGINFO" in output.of("sigframe"), output.all()
    assert re.search(r"interrupted 0x\w+ (__)?kill", output.of("sigframe")), output.all()
    assert ended == (10, b""), output.all()


@FLAVOURS
def test_at_each_instruction_of_the_entries(tmp_path, flavour):
    """A system call, and what it comes upon on the way back."""
    with Machine(tmp_path, *flavour, "--smp", "1", "--", CAT, "/etc/passwd") as machine:
        walk = steps(tmp_path, 45)
        output = machine.gdb("tbreak cat.c:main", "continue", "break *syscall_entry if $in_program()", "continue", walk,
                             "delete", "break user_return if $in_program()", "continue", "source " + walk.split()[1],
                             "delete", "break trap_common if $in_program()",
                             "continue", "source  " + walk.split()[1], "delete", "detach")
        machine.finish()
    walks = [text for word, text in output if word.startswith("source ")]
    assert len(walks) == 3, output.all()
    for text, first in zip(walks, ("syscall_entry", "user_return", "trap_common")):
        lines = [line.split()[2:] for line in text.splitlines() if line.startswith("at ")]
        assert len(lines) == 45 and lines[0][0] == first, output.all()
        # With the stack just changed and the program's not yet pushed: no way out is better than a wrong one.
        lost = [line for line in lines if line[-1] != "main"]
        assert len(lost) <= 2 and all(line == ["syscall_entry"] for line in lost), text


def test_a_switch_of_stacks(tmp_path):
    with Machine(tmp_path, "--smp", "1", "--", CAT, "/etc/passwd") as machine:
        walk = steps(tmp_path, 25)
        output = machine.gdb("break sys_wait4", "continue", "break switch_stacks", "continue", walk, "delete", "detach")
        machine.finish()
    lines = [line.split()[2:] for line in output.of(walk).splitlines() if line.startswith("at ")]
    assert len(lines) == 25, output.all()
    for line in lines:
        assert line[-1] in ("main", "_start", "start_high", "thread_start_user", "thread_start_kernel", "None"), line
    assert all(in_order(["switch_stacks", "context_switch"], line) for line in lines[:14]), output.all()


def test_the_line_of_an_entry_is_shown(tmp_path):
    """On one CPU: nobody else comes to the breakpoint while gdb steps off it."""
    with Machine(tmp_path, "--smp", "1", "--", "/bin/busybox", "true") as machine:
        output = machine.gdb("break *syscall_entry", "continue", "stepi", "kill")
    for command, instruction in (("continue", "swapgs"), ("stepi", "mov")):
        line = rf"syscall_entry \(\) at kernel/x86/entry.asm:\d+\n\d+\s+{instruction}"
        assert re.search(line, output.of(command)), output.all()


def test_frames_of_other_programs_are_not_made_up(tmp_path):
    """Chosen symbols while another runs; a program without symbols; and then one with, followed again."""
    with Machine(tmp_path, "--", "/bin/busybox", "cat", "/etc/passwd") as machine:
        output = machine.gdb("break sys_exit_group", "continue", "bt", f"program {LS}", "bt 40", "program auto",
                             "delete", "break sys_wait4", "continue", "program", "bt 50", "delete", "detach")
        ended = machine.finish()
    strange, pinned, own = frames(output.of("bt")), frames(output.of("bt 40")), frames(output.of("bt 50"))
    assert strange[-1] == "<code of /bin/busybox, without symbols>", output.all()
    assert strange[-2] == pinned[-2] == "syscall_entry", output.all()
    assert re.fullmatch("<code of /bin/busybox; the symbols are those of build/user/ls: see bt of 2>", pinned[-1]), \
        output.all()
    assert output.of("program") == "symbols of build/user/init\n" and own[-1] == "main", output.all()
    assert ended[0] == 0, output.all()


def test_frames_of_a_sleeper_are_its_own(tmp_path):
    with Machine(tmp_path, "--", SCENE) as machine:
        output = machine.gdb("break scene_is_set", "continue", "view 4", "bt", "view 1", "bt 40", "view", "bt 50",
                             "kill")
    assert in_order(["pipe_read", "syscall_entry"], frames(output.of("bt"))), output.all()
    assert frames(output.of("bt"))[-1].endswith("which this CPU does not run: see bt of 4>"), output.all()
    assert frames(output.of("bt 40"))[-1] == "<code of /init, which this CPU does not run: see bt of 1>", output.all()
    assert is_whole(output.of("bt 50")) and frames(output.of("bt 50"))[-1] == "main", output.all()
