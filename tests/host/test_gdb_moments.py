"""The debugger's commands when there is little to see or something is wrong: before the kernel runs, in a panic, on
broken lists, on what is no such thing, after the machine's end."""

import re

import pytest

from debugger import Machine, frames, in_order
from support import EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
LOOKS = ("ps", "threads", "cpus", "bt", "bt of 1", "bt of all", "waiting", "locks", "fds 1", "pipes", "signals 1",
         "sigframe", "maps 1", "pte $sp", "pte &init_proc", "shm", "sockets", "tcp", "virtqueue", "slabs", "slabs proc",
         "pages", "info breakpoints", "program", "elements proc_list proc all_link pid->nr")


def test_commands_before_the_kernel_runs(tmp_path):
    looks = [*LOOKS, "view 1", "queue 0", "file 0x10"]
    with Machine(tmp_path, "--", "/bin/true") as machine:
        output = machine.gdb(*looks, "break pvh_entry", "continue", *[" " + look for look in looks], "delete", "detach")
    assert "Python Exception" not in output.all() and "Traceback" not in output.all(), output.all()
    for command in ("threads", "bt of all", "waiting", "fds 1", "maps 1", "tcp"):
        for moment in ("", " "):
            assert re.search(r"\w+: \S+", output.of(moment + command)), output.all()


def test_commands_in_a_panic(tmp_path):
    """`break die`: nothing runs any more but who panics, with a spinlock and a mutex in his hands."""
    with Machine(tmp_path, "--debug", "--smp", "1", "--", "/bin/busybox", "sh", "-c",
                 "until grep -q ' S ' /proc/1/stat; do :; done; "
                 "sleep 1000 | cat & echo Plocks > /proc/sysrq-trigger") as machine:
        output = machine.gdb("break die", "continue", *LOOKS, "view 1", "frame", "kill")
    assert "Python" not in output.all() and "Traceback" not in output.all(), output.all()
    stack = frames(output.of("bt"))
    assert in_order(["die", "panic", "plant_locks", "sys_write", "syscall_entry"], stack), output.all()
    for kind in ("spinlock", "mutex"):
        assert re.search(rf"^{kind} +planted {kind} .*plant_locks \(", output.of("locks"), re.M), output.all()
    assert re.search(r"^1 init: sleeping on proc 0x\w+ \.child_wait", output.of("waiting"), re.M), output.all()
    assert re.search(r"^2 +2 +on CPU 0 .*busybox$", output.of("threads"), re.M), output.all()
    assert "sys_wait4" in output.of("bt of 1") and "sys_wait4" in output.of("bt of all"), output.all()
    assert "context_switch" in output.of("view 1") and "context_switch" in output.of("frame"), output.all()
    for command in ("ps", "fds 1", "signals 1", "maps 1", "slabs", "pages", "pte &init_proc"):
        text = output.of(command)
        assert text.count("\n") > 2 and not re.match(r"\w+: ", text), (command, output.all())


def test_a_machine_that_stands_is_waited_for(tmp_path):
    """A busy host leaves QEMU standing: an answer that comes late is still the answer to what was asked."""
    with Machine(tmp_path, "--", "/bin/busybox", "true") as machine:
        with open(f"/proc/{machine.process.pid}/task/{machine.process.pid}/children", encoding="ascii") as children:
            qemu = children.read().strip()
        stand = f"shell kill -STOP {qemu}; (sleep 5; kill -CONT {qemu}) >/dev/null 2>&1 &"
        output = machine.gdb("break sys_exit_group", "continue", stand, "ps", "threads")
    assert re.search(r"^2 .* busybox$", output.of("ps"), re.M), output.all()
    assert re.search(r"^2 +2 +on CPU \d .*busybox$", output.of("threads"), re.M), output.all()


def test_commands_on_what_is_broken(tmp_path):
    """Lists cut, circular, pointing nowhere; addresses of nothing: one line each, and the machine is left as it was."""
    looks = ["set $next = proc_list.next", "set var proc_list.next = 0", "ps",
             "set var proc_list.next = (struct list *)8", "waiting", "set var proc_list.next = $next->next", "threads",
             "set var proc_list.next = $next", "ps 1", "queue 0xffff888000100000", "queue 0x10",
             "file 0xffff888000100000", "bt of 999", "bt of init_proc", "fds 999", "signals 0", "maps nothing",
             "pte 0x800000000000", "tcp 0xffff888000100000", "virtqueue 0x8", "slabs nothing", "pages 0x7fffffffffff",
             "print *(struct list *)0x10", "elements num_cpus proc all_link", "program /etc/passwd",
             "sigframe 0x1000 1", "view 2"]
    with Machine(tmp_path, "--", "/bin/busybox", "true") as machine:
        output = machine.gdb("break sys_exit_group", "continue", *looks, "delete", "detach")
        ended = machine.finish()
    assert "Python Exception" not in output.all() and "Traceback" not in output.all(), output.all()
    for command in ("ps", "waiting", "threads", "bt of 999", "fds 999", "pte 0x800000000000", "slabs nothing"):
        assert re.search(r"^\w+: \S+", output.of(command), re.M), command + output.all()
    assert ended[0] == 0, output.all()


# What a hand types that slips, and what it is told: one line, which names what is wrong.
SLIPS = {"fds -1": "fds: there is no process -1", "fds 99": "fds: there is no process 99", "maps 0": "no process 0",
         "fds 1 2": "fds: usage: fds PID", "maps x": 'maps: No symbol "x"', "bt of -1": "bt: at -1 is no struct thread",
         "bt of 99": "bt: there is no thread 99", "view 0xffff888000001000": "view: at 0xffff888000001000 is no struct",
         "bt of $proc(1)": "bt: at $proc(1) is no struct thread", "queue $proc(1)": "is no queue, or one that is just",
         "queue 0": "queue: Cannot access memory", "file $proc(1)->fdtable": "is no struct file",
         "file": "file: usage: file ADDR | PROGRAM",
         "virtqueue 0": "virtqueue: at 0 is no virtqueue", "virtqueue 0xffff888000000000": "is no virtqueue",
         "tcp 0xffff888000000000": "tcp: 0xffff888000000000 is no connection", "pages -1": "no memory that has",
         "print $proc(99)": "$proc: there is no process 99", "print $task(99)": "$task: there is no thread 99",
         "print $proc()": "$proc: it takes 1 arguments, not 0", "print $sigset(proc_list)": "$sigset: ",
         "print $errno(4000)": '"4000 (no error)"', "print $errno(-4095)": '"-4095 (no error)"',
         "program /none": "program: /none is not there", "program /etc/passwd": "/etc/passwd is no 64-bit ELF",
         "sigframe 0 99": "sigframe: there is no process 99"}


def test_slips_of_the_hand(tmp_path):
    with Machine(tmp_path, "--", "/bin/busybox", "true") as machine:
        output = machine.gdb("break sys_exit_group", "continue", *SLIPS, "symbol-file", "ps ", "bt ",
                             f"file {machine.kernel}", "ps  ", "delete", "continue", "ps", "bt of all", "locks",
                             "pte 0", "print $current()")
        ended = machine.finish()
    assert output.of("ps ") == "ps: no symbols of the kernel: file build/kernel.elf\n", output.all()
    assert output.of("ps  ").count("\n") == 3, output.all()
    for command, answer in SLIPS.items():
        text = output.of(command)
        assert answer in text and text.count("\n") == 1 and "has the kernel got" not in text, (command, text)
    for command in ("ps", "bt of all", "locks", "pte 0", "print $current()"):
        assert "no machine is connected, or it has ended" in [text for word, text in output if word == command][-1], \
            output.all()
    assert "Python Exception" not in output.all() and "Traceback" not in output.all(), output.all()
    assert ended[0] == 0, output.all()
