"""What the kernel says when it panics, hangs or is asked: tests plant the fault and read the report."""

import os
import re
import signal
import subprocess
import time

import pytest

from debugger import await_file
from support import DEADLINES, EXTRA_WORDS, PANIC, PATIENCE, RUN, TIMEOUT, Verdict, busybox, patient, run
from terminal import shell

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="our kernel's report")
EVENTS = 64


def planted(fault, *words, before=""):
    """The report after one of the faults of tests/kernel/plant.c, without the log's times."""
    result = busybox(f"{before} echo P{fault} > /proc/sysrq-trigger", "--debug", *words)
    assert result.status == PANIC, result.err[-3000:]
    return plain(result.err)


def plain(text):
    return re.sub(r"^\[ *\d+\.\d+\] ", "", text, flags=re.M)


def sections(report):
    """(name, lines) of each part, in order: a part begins with a line that isn't indented and ends in a colon."""
    parts = re.split(r"^(\S.*):\n", report, flags=re.M)
    return list(zip(parts[1::2], (body.splitlines() for body in parts[2::2])))


def events_of(report, cpu):
    wanted = [lines for name, lines in sections(report) if name.startswith(f"events of CPU {cpu},")]
    assert len(wanted) == 1, report
    return [line for line in wanted[0] if line.startswith("  ")]


# --- what a panic says -----------------------------------------------------------------------------------


def test_every_cpu_has_its_stack_and_its_events():
    report = planted("locks", "--smp", "3")
    for cpu in range(3):
        assert len(re.findall(rf"^CPU {cpu}, thread ", report, re.M)) == 1
        events = events_of(report, cpu)
        assert 0 < len(events) <= EVENTS
        times = [float(line.split()[0]) for line in events]
        assert times == sorted(times)
    assert "does not answer" not in report
    assert report.rstrip().endswith("end of panic")


def test_the_last_events_are_what_the_program_did():
    # The shell's last steps: it opens the file and writes to it; that call never returned. The machine counts its own
    # time, so that there are not more ticks between two steps the busier the host is.
    report = planted("locks", "--icount", before="sleep 0.05;")
    events = events_of(report, 0)
    assert len(events) == EVENTS
    # An interrupt may come between any two steps.
    text = "\n".join(event for event in events if re.search(r" (call|return) ", event))
    assert text.endswith("  call write"), text
    assert re.search(r"call openat\n.*return openat = 0x3\n", text), text


def test_signals_wakeups_and_switches_are_named():
    script = "trap : USR1; (kill -USR1 $$); echo c > /proc/sysrq-trigger"
    result = busybox(script, "--debug", "--icount")
    text = "\n".join(events_of(plain(result.err), 0))
    assert result.status == PANIC
    assert re.search(r"signal 10 \(SIGUSR1\) for process 2", text), text
    assert re.search(r"signal 10 \(SIGUSR1\) taken by process 2", text), text
    assert re.search(r"wake thread 2", text), text
    assert re.search(r"switch to thread 2, the one before (dead|sleeps|runnable)", text), text
    assert re.search(r"page fault at 0x[0-9a-f]+, error code", text), text


def test_the_release_build_has_events_too():
    result = busybox("echo c > /proc/sysrq-trigger", "--smp", "2")
    report = plain(result.err)
    assert result.status == PANIC
    calls = [[event for event in events_of(report, cpu) if re.search(r" (call|return) ", event)] for cpu in range(2)]
    assert any(events and events[-1].endswith("call write") for events in calls), report


def test_packets_are_events():
    script = "ifconfig lo up 2>/dev/null; ping -c 1 127.0.0.1 > /dev/null; echo c > /proc/sysrq-trigger"
    result = busybox(script, "--icount")
    text = "\n".join(events_of(plain(result.err), 0))
    assert result.status == PANIC
    assert re.search(r"packet of \d+ bytes (in|out), device 1", text), text


def test_locks_are_named_with_their_holders():
    report = planted("locks")
    assert re.search(r"spinlock 0x[0-9a-f]+ \(planted spinlock, rank \d+\) by CPU \d, taken at plant_locks\+", report)
    assert re.search(r"holds mutex 0x[0-9a-f]+ \(planted mutex, rank \d+\), taken at plant_locks\+", report)


def test_sleepers_say_what_they_wait_for():
    script = ("(echo Phold > /proc/sysrq-trigger) & sleep 0.3; (echo Pwait > /proc/sysrq-trigger) & "
              "sleep 1000 | cat & sleep 0.5; echo c > /proc/sysrq-trigger")
    # By the machine's own time: whoever has something to do comes to it before a sleep is over.
    result = busybox(script, "--debug", "--icount")
    report = plain(result.err)
    assert result.status == PANIC
    threads = report.split("threads (process/thread name: what it does):\n")[1]
    assert re.search(r"1/1 init: sleeps: .*sys_wait4", threads), threads
    assert re.search(r"cat: sleeps: pipe_\w+ < .*\n +on wait queue 0x[0-9a-f]+, guarded by queue\n", threads), threads
    assert re.search(r"sleep: sleeps: .*sys_clock_nanosleep", threads), threads
    # One thread sleeps with the mutex held, another waits for it and knows whose it is.
    holder = re.search(r"holds mutex (0x[0-9a-f]+) \(planted mutex, .*by thread (0x[0-9a-f]+)", threads)
    assert holder, threads
    assert re.search(rf"deaf to signals: mutex_lock_contended < .*\n +waits for mutex {holder[1]} \(planted mutex.*"
                     rf"by thread {holder[2]}", threads), threads


def stack_of(report, cpu):
    """The frames that are shown of a CPU's stack, the innermost first."""
    part = re.search(rf"^CPU {cpu}, thread .*?\ncall trace:\n((?:  [^\n]*\n)+)", report, re.M | re.S)
    assert part, report
    return part[1].splitlines()


def whole(report, cpus=4):
    """A report with all its parts, of all CPUs."""
    assert report.rstrip().endswith("end of panic") and "kernel panic in a report" not in report, report[-3000:]
    assert [len(re.findall(rf"^CPU {cpu}, thread ", report, re.M)) for cpu in range(cpus)] == [1] * cpus, report
    assert all(events_of(report, cpu) for cpu in range(cpus)), report
    # Init waits for its child, unless it has not come to that yet, or has just been woken from it.
    init = r"^  1/1 init: (sleeps: .*sys_wait4|sleeps, |runnable: |runs on CPU \d)"
    assert "spinlocks held:" in report and re.search(init, report, re.M), report
    return report


def test_a_spinlock_taken_twice_is_named():
    report = whole(planted("self", "--smp", "4"))
    assert re.search(r"kernel panic: spinlock planted spinlock taken again at plant_self\+\S+, held since plant_self\+",
                     report), report
    assert re.search(r"\(planted spinlock, rank \d+\) by CPU \d, taken at plant_self\+", report), report


def test_a_fault_in_an_interrupt_shows_what_was_interrupted():
    report = whole(planted("null", "--smp", "4"))
    assert "kernel panic: kernel read from 0x8, error code 0" in report
    place = re.search(r"^CPU (\d), thread .*in an interrupt$", report, re.M)
    stack = "\n".join(stack_of(report, int(place[1])))
    way = r"follow_null\+.*interrupt_dispatch\+.*--- trap ---.*plant_null\+.*syscall_entry\+"
    assert re.search(way, stack, re.S), stack


def test_a_stack_that_is_full_shows_both_its_ends():
    report = whole(planted("overflow", "--smp", "4"))
    assert re.search(r"kernel panic: kernel stack overflow at 0x\w+", report), report
    cpu = re.search(r"^CPU (\d), thread .*\(busybox\)", report, re.M)[1]
    stack = stack_of(report, int(cpu))
    assert "plant_deeper+" in stack[0] and "syscall_entry+" in stack[-1], stack
    assert "plant_overflow+" in "".join(stack) and len(stack) < 50, stack
    left_out = re.search(r"--- (\d+) more ---", "".join(stack))
    # A frame of it is 256 bytes and a bit, of a stack of 16 KiB.
    assert left_out and int(left_out[1]) + "".join(stack).count("plant_deeper+") < 16384 // 256, stack


def test_broken_lists_end_the_report_not_the_reporter():
    report = planted("wild")  # flags that are neither true nor false among them
    assert "kernel panic: planted, with broken lists" in report
    assert "kernel panic in a report" not in report
    assert "unreadable" in report
    assert report.rstrip().endswith("end of panic")
    assert len(report) < 200_000


# --- the watchdog -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--smp", "1"], ["--smp", "2"], ["--smp", "1", "--icount"],
                                   ["--smp", "2", "--machine", "pc"]],
                         ids=["alone", "two", "counted", "pc"])
def test_a_cpu_with_interrupts_off_is_a_hang(words):
    report = planted("irqs", "--append", "watchdog=2", *words)
    assert re.search(r"kernel panic: watchdog: CPU \d is busy and has taken no interrupt for 2 seconds", report)
    assert "plant_irqs+" in report


def test_a_loop_in_the_kernel_is_a_hang():
    report = planted("loop", "--append", "watchdog=1")
    assert re.search(r"kernel panic: watchdog: CPU \d has been in the kernel for 1 seconds", report)
    assert "plant_loop+" in report


def test_a_lock_that_never_comes_free_is_named():
    report = planted("spin", "--append", "watchdog=1")
    assert "kernel panic: watchdog" in report
    assert re.search(r"\(planted spinlock, rank \d+\) by CPU \d, taken at plant_spin\+", report)


def test_one_cpu_of_four_with_interrupts_off_is_a_hang():
    report = whole(planted("irqs", "--append", "watchdog=2", "--smp", "4"))
    stuck = re.search(r"kernel panic: watchdog: CPU (\d) is busy and has taken no interrupt for 2 seconds", report)
    assert "plant_irqs+" in stack_of(report, int(stuck[1]))[0], report


def test_two_cpus_that_wait_for_each_others_lock():
    result = busybox("for i in 1 2; do echo Pcycle > /proc/sysrq-trigger & done; wait", "--debug", "--smp", "4",
                     "--append", "watchdog=2")
    assert result.status == PANIC, result.err[-3000:]
    report = whole(plain(result.err))
    assert "kernel panic: watchdog: " in report
    held = re.findall(r"spinlock (0x\w+) \(planted (\w+), rank \d+\) by CPU (\d), taken at plant_cycle\+", report)
    wanted = re.findall(r"spinlock (0x\w+) \(planted (\w+), rank \d+\) is what CPU (\d) spins for", report)
    assert len(held) == len(wanted) == 2 and {lock[:2] for lock in held} == {lock[:2] for lock in wanted}, report
    assert not set(held) & set(wanted) and {lock[2] for lock in held} == {lock[2] for lock in wanted}, report
    for lock in held:
        assert "spin_lock_contended+" in "".join(stack_of(report, int(lock[2]))[:2]), report


def test_a_broken_run_queue_is_a_hang():
    report = whole(planted("queue", "--append", "watchdog=2", "--smp", "4"))
    assert "kernel panic: watchdog: " in report
    # Who walks it does so with its lock.
    assert re.search(r"\(runqueue, rank \d+\) by CPU \d, taken at sched", report), report


@pytest.mark.parametrize("words", ["watchdog=1 nowatchdog", "watchdog=0"])
def test_the_watchdog_can_be_off(words):
    for seconds in DEADLINES[1:]:
        result = busybox("echo begun; echo Pirqs > /proc/sysrq-trigger", "--debug", "--smp", "2", "--append", words,
                         "--timeout", str(seconds))
        assert result.status == TIMEOUT
        assert "kernel panic" not in result.err
        if "plant_irqs+" in result.err:
            break
    # Nothing ended it; but asked by an NMI before the end, it says where it was.
    assert result.out == b"begun\n" and "plant_irqs+" in result.err


def test_an_idle_machine_does_not_hang():
    result = busybox("cat /proc/uptime; sleep 100; cat /proc/uptime", "--icount", "--append", "watchdog=1")
    first, second = (float(line.split()[0]) for line in result.text.splitlines())
    assert (result.status, second - first >= 100) == (0, True), result.err


def test_busy_programs_are_no_hang():
    """One that never calls the kernel, and one that is hardly ever anywhere else."""
    script = ("(while :; do :; done) & (dd if=/dev/zero of=/dev/null bs=1M 2>/dev/null) & "
              "while [ $(cut -d. -f1 /proc/uptime) -lt 6 ]; do :; done; echo went on; kill %1 %2")
    result = busybox(script, "--icount", "--append", "watchdog=1")
    assert (result.status, result.out) == (0, b"went on\n"), result.err


# --- asked while it runs ------------------------------------------------------------------------------------


class Running:
    """tools/run, with what it says in files: nobody reads a pipe while we wait for it."""

    def __init__(self, folder, *words, env=None):
        self.out, self.err = folder / "out", folder / "err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([RUN, *patient(words)], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, env=dict(os.environ, **(env or {})))

    def wait_for(self, path, text, times=1):
        end = time.monotonic() + PATIENCE
        while path.read_text(errors="replace").count(text) < times:
            if time.monotonic() > end or self.process.poll() is not None:
                raise Verdict("FAIL", f"{text!r} did not come:\n{self.err.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.mark.parametrize("words", [["--smp", "4"], ["--debug", "--smp", "2"], ["--smp", "1", "--icount"]],
                         ids=["four", "debug", "counted"])
def test_sigusr1_reports_and_the_run_goes_on(tmp_path, words):
    # It goes on until its log has had all three.
    script = ("echo ready; n=0; while [ $n -lt 3 ]; do sleep 0.1 | cat; "
              "n=$((n + $(dmesg -c | grep -c 'end of report'))); done; echo done; exit 7")
    with Running(tmp_path, *words, "--", "/bin/busybox", "sh", "-c", script) as machine:
        machine.wait_for(machine.out, "ready")
        for n in range(1, 4):
            machine.process.send_signal(signal.SIGUSR1)
            machine.wait_for(machine.err, "end of report", n)
        assert machine.process.wait(PATIENCE) == 7
        report = plain(machine.err.read_text())
        assert machine.out.read_text() == "ready\ndone\n"
    assert report.count("report: asked for by an NMI") == 3
    assert "kernel panic" not in report
    assert "does not answer" not in report
    states = r"sleeps: \w+ < \w+|sleeps, |runs on CPU|runnable"
    assert len(re.findall(rf"^ +2/2 busybox: (?:{states})", report, re.M)) == 3, report


def test_sigusr1_finds_a_cpu_that_spins(tmp_path):
    script = "echo ready; echo Pirqs > /proc/sysrq-trigger"
    with Running(tmp_path, "--debug", "--smp", "1", "--append", "nowatchdog", "--", "/bin/busybox", "sh", "-c",
                 script) as machine:
        machine.wait_for(machine.out, "ready")
        end = time.monotonic() + PATIENCE
        asked = 0
        while "plant_irqs+" not in machine.err.read_text() and time.monotonic() < end:
            asked += 1
            machine.process.send_signal(signal.SIGUSR1)
            machine.wait_for(machine.err, "end of report", asked)
        assert "plant_irqs+" in machine.err.read_text()


def test_sigusr1_while_recording_is_refused(tmp_path):
    # QEMU waits until we have asked, so that the run isn't over before.
    qemu = tmp_path / "qemu"
    qemu.write_text(f'#!/bin/sh\n: > {tmp_path}/begun\nuntil [ -e {tmp_path}/asked ]; do sleep 0.05; done\n'
                    f'exec {os.environ.get("QEMU") or "qemu-system-x86_64"} "$@"\n')
    qemu.chmod(0o755)
    with Running(tmp_path, "--record", str(tmp_path / "record"), "--", "/bin/busybox", "echo", "went on",
                 env={"QEMU": str(qemu)}) as machine:
        await_file(tmp_path / "begun")
        machine.process.send_signal(signal.SIGUSR1)
        (tmp_path / "asked").touch()
        assert machine.process.wait(PATIENCE) == 0
        assert "no report: " in machine.err.read_text() and machine.out.read_text() == "went on\n"


def test_a_break_reports_and_the_shell_goes_on():
    with shell() as terminal:
        terminal.send("\x01b")
        report = plain(terminal.expect("end of report").replace("\r", ""))
        assert "report: asked for by a break on the console" in report
        assert "serial_interrupt+" in report
        # It may just be on its way to sleep, having printed its prompt.
        assert re.search(r"\d+/\d+ sh: (sleeps: \w+ < |runs on CPU|runnable)", report), report
        terminal.send("\r")
        terminal.expect("# ")
        assert terminal.command("echo $((6 * 7))").strip().endswith("42")


def test_a_letter_to_sysrq_reports_and_goes_on():
    result = busybox("echo t > /proc/sysrq-trigger; dmesg | grep -c 'end of report'; exit 3")
    assert (result.status, result.text) == (3, "1\n"), result.err


def test_a_run_that_takes_too_long_says_where_it_was():
    for seconds in DEADLINES:
        result = run("--timeout", str(seconds), "--", "/bin/busybox", "sleep", "1000000")
        assert result.status == TIMEOUT
        found = re.search(r"2/2 busybox: sleeps: .*sys_clock_nanosleep", result.err)
        if found:
            break
    assert found, result.err


def test_reports_under_stress(tmp_path):
    """A report stops CPUs wherever they are, locks held and all; nothing may get lost or stuck by that."""
    script = ("i=0; n=0; while [ $n -lt 30 ]; do echo $i | cat | cat; i=$((i + 1)); "
              "n=$((n + $(dmesg -c | grep -c 'end of report'))); done")
    with Running(tmp_path, "--debug", "--smp", "4", "--leak-check", "--", "/bin/busybox", "sh", "-c",
                 script) as machine:
        # Whenever the machine has come a step further, wherever it is then.
        asked = seen = 0
        while machine.process.poll() is None:
            steps = machine.out.read_text().count("\n")
            if steps >= seen + 2 and machine.err.read_text().count("end of report") == asked:
                machine.process.send_signal(signal.SIGUSR1)
                asked, seen = asked + 1, steps
            time.sleep(0.02)
        assert machine.process.wait(PATIENCE) == 0, machine.err.read_text()[-4000:]
        lines = machine.out.read_text().splitlines()
        assert lines == [str(i) for i in range(len(lines))]
    # Whoever's question was the last may have gone before it was shown the answer.
    assert asked >= 30 and asked - 1 <= machine.err.read_text().count("end of report") <= asked
