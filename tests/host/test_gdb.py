"""The debugger: attach before the first instruction, and look at a machine in which something of everything is
going on (scene.c). One boot serves many tests; each looks at what another command printed."""

import fcntl
import json
import os
import re
import subprocess

import pexpect
import pytest

from debugger import Machine, await_file, batch, kernel_of
from support import BUILD, EXTRA_WORDS, PATIENCE, ROOT, RUN

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
SCENE = os.path.join(BUILD, "tests", "host", "scene")
FLAVOURS = [(), ("--debug",)]
# Every command, with arguments that mean something in the scene. 2 is its process, 4 reads an empty pipe.
LOOKS = ("ps", "threads", "cpus", "bt", "bt of 4", "bt of 3", "bt of 2", "bt of all", "waiting", "locks", "fds 2",
         "pipes", "signals 2", "sigframe", "maps 2", "pte &scenes", "pte &scenes 2", "pte &init_proc", "shm", "sockets",
         "tcp", "virtqueue", "slabs", "slabs proc", "pages", "info breakpoints", "program")


def unconnected(folder):
    """A network device with nobody at the other end, so that nothing happens there."""
    return f"dgram:{folder}/here:{folder}/there"


@pytest.fixture(name="scene", scope="module", params=FLAVOURS, ids=["release", "debug"])
def the_scene(request, tmp_path_factory):
    """What every command says when the scene is set; the breakpoint was set before the machine began."""
    folder = tmp_path_factory.mktemp("gdb")
    with Machine(folder, *request.param, "--net", unconnected(folder), "--", SCENE) as machine:
        output = machine.gdb("break scene_is_set", "continue", *LOOKS, "delete", "detach")
        output.status = machine.finish()
    assert "Python Exception" not in output.all() and "Traceback" not in output.all(), output.all()
    return output


def column(text, row, title):
    """The cell under TITLE of the table's row whose line matches ROW."""
    lines = text.splitlines()
    head = next(line for line in lines if title in line)
    line = next(line for line in lines if re.search(row, line))
    return line[head.index(title):].split("  ")[0].strip()


# --- breakpoints and the program's symbols -----------------------------------------------------------------


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["release", "debug"])
def test_breakpoint_on_sys_write_is_hit(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--", "/bin/busybox", "echo", "hello") as machine:
        output = machine.gdb("break sys_write", "continue", "backtrace", "delete", "detach")
        ended = machine.finish()
    assert "Breakpoint 1, sys_write" in output.of("continue"), output.all()
    # The way from the program into the kernel, and nothing invented below the program's call.
    kernel_frames = output.of("backtrace").split("syscall_entry ()")
    assert len(kernel_frames) == 2, output.all()
    assert all("0xffff" not in line for line in kernel_frames[1].splitlines() if line.startswith("#")), output.all()
    assert ended == (0, b"hello\n")


def test_breakpoint_in_a_program_set_before_boot_is_hit(scene):
    assert "scene_is_set (signo=" in scene.of("continue"), scene.all()
    assert "tests/host/scene.c:" in scene.of("continue")
    assert "symbols of " in scene.of("program") and "scene" in scene.of("program")


def test_breakpoint_in_a_program_is_for_that_program(scene):
    assert "stop only if $in_program()" in scene.of("info breakpoints"), scene.of("info breakpoints")


def test_the_stack_goes_through_a_handler_and_our_library(scene):
    stack = scene.of("bt")
    for frame in ("scene_is_set", "on_usr2", "sigqueue", "libc/signal/", "main ("):
        assert frame in stack, stack


def test_the_machine_goes_on_afterwards(scene):
    assert scene.status == (0, b"the scene is over\n")


def test_symbols_follow_exec(tmp_path):
    env = os.path.join(BUILD, "user", "env")
    with Machine(tmp_path, "--", env, "/bin/echo", "followed") as machine:
        output = machine.gdb("break exit", "continue", "bt", "program", "delete", "detach")
        ended = machine.finish()
    # env never exits: it becomes echo.
    assert "symbols of " in output.of("program") and output.of("program").strip().endswith("user/echo"), output.all()
    assert "libc/stdlib/exit.c" in output.of("continue") and "libc/start/start.c" in output.of("bt"), output.all()
    assert ended == (0, b"followed\n")


def test_chosen_symbols_stay(tmp_path):
    env = os.path.join(BUILD, "user", "env")
    with Machine(tmp_path, "--", env, "/bin/echo", "chosen") as machine:
        output = machine.gdb(f"program {env}", "break sys_exit_group", "continue", "program", "program auto", "delete",
                             "detach")
    assert output.of("program").strip().endswith("user/env"), output.all()
    assert output.of("program auto").strip().endswith("user/echo"), output.all()


def test_symbols_of_a_program_that_lies_anywhere(tmp_path):
    """The host's own compiler and library, static-pie; it runs itself a second time, at another place."""
    source, program = tmp_path / "moved.c", str(tmp_path / "moved")
    source.write_text("#include <unistd.h>\n"
                      "int marked(int x) { return 2 * x; }\n"
                      "int main(int argc, char **argv)\n"
                      "{\n"
                      "    if (argc == 1)\n"
                      "        execl(argv[0], argv[0], \"again\", (char *)0);\n"
                      "    return marked(argc);\n"
                      "}\n")
    subprocess.run(["gcc", "-g", "-O0", "-static-pie", "-o", program, str(source)], check=True)
    with Machine(tmp_path, "--", program) as machine:
        output = machine.gdb("break moved.c:5", "continue", "print $pc", "continue", "print $pc + 0", "print argc",
                             "break marked", "continue", "bt", f"program {program}", "delete", "detach")
        ended = machine.finish()
    places = [re.search(r"0x\w+", output.of(f"print $pc{more}"))[0] for more in ("", " + 0")]
    assert places[0] != places[1], output.all()
    assert "= 2" in output.of("print argc") and "marked (x=2)" in output.of("bt"), output.all()
    assert "can be anywhere" in output.of(f"program {program}"), output.all()
    assert ended[0] == 4


def test_code_that_the_kernel_lends_to_programs(tmp_path):
    with Machine(tmp_path, "--", os.path.join(BUILD, "user", "date")) as machine:
        output = machine.gdb("break __vdso_clock_gettime", "continue", "bt", "delete", "detach")
    assert "kernel/x86/vdso/" in output.of("continue"), output.all()
    assert "main (" in output.of("bt") and "user/date.c" in output.of("bt"), output.all()


# --- processes, threads, locks ----------------------------------------------------------------------------------


def test_ps(scene):
    text = scene.of("ps")
    assert column(text, r"^1 ", "NAME") == "init" and column(text, r"^2 ", "NAME") == "scene", text
    assert column(text, r"^2 ", "THREADS") == "2" and column(text, r"^4 ", "PPID") == "2", text
    assert len(re.findall(r"\bzombie\b", text)) == 1 and len(re.findall(r"\bstopped\b", text)) == 1, text


def test_threads(scene):
    text = scene.of("threads")
    assert column(text, r"^3 ", "PID") == "2" and column(text, r"^3 ", "STATE") == "sleeping", text
    assert column(text, r"^2 ", "STATE").startswith("on CPU"), text
    assert len(re.findall(r"idle$", text, re.M)) == 2, text


def test_cpus(scene):
    assert "scene, thread 2" in scene.of("cpus") and "CPU 1" in scene.of("cpus"), scene.of("cpus")


def test_stack_of_a_sleeping_thread(scene):
    text = scene.of("bt of 4")
    order = ["context_switch (", "schedule", "wait_sleep", "pipe_read", "sys_read", "syscall_entry",
             "in the program: child", "set_pipes at tests/host/scene.c"]
    places = [text.find(name) for name in order]
    assert -1 not in places and places == sorted(places), text


def test_stack_of_a_thread_in_a_handler(scene):
    order = ["scene_is_set at", "__restore_rt at libc/start/restore.asm", "scene at tests/host/scene.c", "__libc_start"]
    text = scene.of("bt of 2")
    places = [text.find(f"in the program: {name}") for name in order]
    assert -1 not in places and places == sorted(places), text


def test_stack_of_a_thread_in_a_shared_address_space(scene):
    text = scene.of("bt of 3")
    for name in ("futex_wait", "pthread_mutex_lock", "wait_at_door at tests/host/scene.c"):
        assert name in text, text


def test_stacks_of_all(scene):
    text = scene.of("bt of all")
    assert len(re.findall(r"^thread ", text, re.M)) == 11, text
    assert "cpu_wait_for_interrupt" in text and "stop_wait" in text, text


def test_waiting(scene):
    text = scene.of("waiting")
    for reason in (r"^4 scene: sleeping on pipe 0x\w+ \.q\.readable.*\n.*wait_event.*no_writers",
                   r"^5 scene: sleeping on pipe 0x\w+ \.opened.*\n.*wait_for_partner.*opens",
                   r"^6 scene: sleeping on unix_socket 0x\w+ \.s\.rx\.readable.*\n.*unix_accept",
                   r"^7 scene: sleeping on stream_socket 0x\w+ \.s\.rx\.readable",
                   r"^8 scene: .*until [12]\d\d\d\.\d+ s.*\n.*sleep",
                   r"^3 scene: .*\n.*futex_wait",
                   r"^1 init: sleeping on proc 0x\w+ \.child_wait"):
        assert re.search(reason, text, re.M), reason + "\n" + text


def test_locks_of_a_spinlock(tmp_path):
    with Machine(tmp_path, "--debug", "--", "/bin/busybox", "sh", "-c", "echo x | cat") as machine:
        # The second time as if a thread were just being made.
        output = machine.gdb("break queue_put", "continue", "locks", "set $kept = $task(1)->held_mutexes.next",
                             "set var $task(1)->held_mutexes.next = 0", "locks ",
                             "set var $task(1)->held_mutexes.next = $kept", "delete", "detach")
        machine.finish()
    for words in ("locks", "locks "):
        assert re.search(r"spinlock +\S+ +RANK_QUEUE \(\d+\) +CPU \d +\w+ \(kernel/\S+\.c:\d+\)",
                         output.of(words)), output.all()


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["release", "debug"])
def test_locks_of_a_mutex_that_another_waits_for(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--", SCENE, "contend") as machine:
        # A third comes, while another sleeps for it (not: is about to) and the holder has it for sure.
        first = "((struct mutex_waiter *)m->waiters.next)->thread"
        met = f"m->waiters.next != &m->waiters && {first}->state == THREAD_DEAF && !{first}->on_cpu"
        met += " && m->held.next != &m->held" if flavour else ""
        output = machine.gdb(f"break mutex_lock_contended if {met}", "continue", "locks", "set var meeting.enough = 1",
                             "delete", "detach")
        ended = machine.finish()
    text = output.of("locks")
    assert re.search(r"\d+ scene sleeps for mm 0x\w+ \.lock, held by \d+ scene", text), output.all()
    if flavour:
        assert re.search(r"mutex .*RANK_MM.*scene .*\(kernel/\S+:\d+\) +\d+ scene", text), output.all()
    assert ended == (0, b"they have met\n")


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["release", "debug"])
def test_locks_of_a_cpu_that_spins(tmp_path, flavour):
    with Machine(tmp_path, *flavour, "--smp", "4", "--", SCENE, "contend") as machine:
        # From sys_mmap on only: the boot's CPUs meet too.
        output = machine.gdb("tbreak change_areas", "continue", "break spin_lock_contended if $in_program()",
                             "continue", "locks", "set var meeting.enough = 1", "delete", "detach")
        ended = machine.finish()
    assert re.search(r"hit Breakpoint 2.*spin_lock_contended", output.all()), output.all()
    assert re.search(r"^CPU \d spins for \S+", output.of("locks"), re.M), output.all()
    assert ended[0] == 0


# --- files ----------------------------------------------------------------------------------------------------


def test_fds_and_pipes(scene):
    fds, pipes = scene.of("fds 2"), scene.of("pipes")
    assert column(fds, r"^3 ", "NAME") == "[pipe]" and column(fds, r"^3 ", "FLAGS") == "read only", fds
    assert column(fds, r"^0 ", "NAME") == "/dev/null" and "/dev/console" in column(fds, r"^1 ", "NAME"), fds
    full = next(line for line in pipes.splitlines() if " 2:3r 2:4w" in line)
    assert full.split()[1:7] == ["pipe", "15", "1", "16", "1", "1"], pipes
    assert re.search(r"FIFO +0 ", pipes), pipes


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["release", "debug"])
def test_commands_by_address(tmp_path, flavour):
    """Those that want the address of something, which other commands and expressions give."""
    file = "$proc(2)->fdtable->files[{}]"
    looks = [f"file {file.format(3)}", f"queue {file.format(3)}", f"queue {file.format(5)}",
             f"queue &{file.format(5)}->inode->pipe->q", f"file {file.format(7)}", f"queue {file.format(13)}",
             f"file {file.format(1)}", f"tcp {file.format(13)}", f"tcp {file.format(10)}", "slabs $proc(2)",
             "pages page_array", "pages $proc(2)", "view 4", "info frame", "view",
             "elements proc_list proc all_link pid->nr", "elements $proc(2)->mm->areas vma node start",
             "print proc_list", "print $proc(2)->mm->areas", "print $task(2)->blocked", "print $errno(-11)",
             "print $errno(0)", "print (void *)-12", "print $sigset(5)",
             "print $current()->comm", "bt of $proc(9)->leader", "fds 9", "maps 9", "signals 9", "signals 10",
             "virtqueue $virtqueue", "sigframe $sp+8 2", "bt of $task(4)"]
    with Machine(tmp_path, *flavour, "--net", unconnected(tmp_path), "--", SCENE) as machine:
        output = machine.gdb("break scene_is_set", "continue", "python import virtqueue",
                             "python gdb.set_convenience_variable('virtqueue', next(virtqueue.queues())[1])", *looks,
                             "delete", "detach")
        ended = machine.finish()
    assert "Python Exception" not in output.all() and "Traceback" not in output.all(), output.all()
    check_files(output, file)
    check_printers(output)
    check_the_dead(output)
    assert "0 of 5" not in output.of(f"tcp {file.format(13)}")
    assert re.search(r"ESTABLISHED: 127.0.0.1:7070 to 127.0.0.1:\d+", output.of(f"tcp {file.format(13)}")), output.all()
    assert "receive: 5 bytes unread" in output.of(f"tcp {file.format(13)}"), output.all()
    assert "backlog 5" in output.of(f"tcp {file.format(10)}"), output.all()
    assert "an object of the cache proc" in output.of("slabs $proc(2)"), output.all()
    assert "SLAB" in output.of("pages $proc(2)") and "proc 0x" in output.of("pages $proc(2)"), output.all()
    assert "context_switch" in output.of("view 4") and "context.c" in output.of("info frame"), output.all()
    assert re.search(r"driver has published \d+", output.of("virtqueue $virtqueue")), output.all()
    assert "pipe_read" in output.of("bt of $task(4)")
    assert re.search(r"^sigframe: |signal frame", output.of("sigframe $sp+8 2")), output.all()
    assert ended[0] == 0


def check_the_dead(output):
    """Process 9 is a zombie, which has nothing any more; 10 is stopped."""
    assert "has ended: it has no stack" in output.of("bt of $proc(9)->leader"), output.all()
    assert "has no descriptors" in output.of("fds 9") and "has no address space" in output.of("maps 9"), output.all()
    assert "process 9: zombie" in output.of("signals 9"), output.all()
    assert "process 10: stopped by SIGSTOP" in output.of("signals 10"), output.all()


def check_files(output, file):
    whole = output.of(f"file {file.format(3)}")
    assert "[pipe]" in whole and "2:3" in whole and "hello, debugger" in whole, whole
    assert "15 bytes in 1 buffers" in output.of(f"queue {file.format(3)}"), output.all()
    assert "asleep for bytes: 4 scene (exclusive)" in output.of(f"queue {file.format(5)}"), output.all()
    assert "asleep for bytes: 4 scene" in output.of(f"queue &{file.format(5)}->inode->pipe->q"), output.all()
    assert "struct socket 0x" in output.of(f"file {file.format(7)}"), output.all()
    assert "5 bytes in 1 buffers" in output.of(f"queue {file.format(13)}"), output.all()
    assert "/dev/console" in output.of(f"file {file.format(1)}"), output.all()


def check_printers(output):
    assert re.search(r"= list with \d+ others", output.of("print proc_list")), output.all()
    assert re.search(r"= tree of \d+, height \d", output.of("print $proc(2)->mm->areas")), output.all()
    assert "{SIGHUP SIGUSR1 SIGUSR2 SIGRT38}" in output.of("print $task(2)->blocked"), output.all()
    assert "-EAGAIN" in output.of("print $errno(-11)") and "no error" in output.of("print $errno(0)")
    assert "err_ptr(-ENOMEM)" in output.of("print (void *)-12")
    assert "SIGHUP SIGQUIT" in output.of("print $sigset(5)")
    assert "scene" in output.of("print $current()->comm")
    assert re.search(r"pid->nr = 2$", output.of("elements proc_list proc all_link pid->nr"), re.M), output.all()
    assert "9 elements" in output.of("elements proc_list proc all_link pid->nr"), output.all()


# --- signals ---------------------------------------------------------------------------------------------------


def test_signals(scene):
    text = scene.of("signals 2")
    assert "pending for the process: SIGUSR1 SIGRT38" in text, text
    assert "SIGRT38 SI_QUEUE, from process 2, user 0, value 0x4d2" in text, text
    assert "blocked: SIGHUP SIGUSR1 SIGUSR2 SIGRT38" in text, text
    assert re.search(r"SIGUSR2 +0x\w+ on_usr2 at tests/host/scene.c:\d+ +SA_SIGINFO\S*SA_RESTART +SIGHUP", text), text
    assert re.search(r"SIGPIPE +ignored", text), text


def test_sigframe(scene):
    text = scene.of("sigframe")
    assert "SIGUSR2 SI_QUEUE, from process 2, user 0, value 0x63" in text, text
    assert "mask to come back: SIGUSR1 SIGRT38" in text and "sigqueue" in scene.of("bt"), text
    assert re.search(r"cs 0x33 +ss 0x2b", text), text


# --- memory ----------------------------------------------------------------------------------------------------


def test_maps(scene):
    text = scene.of("maps 2")
    for name in (SCENE, "[heap]", "[stack]", "[vdso]", "/SYSV0005ce4e"):
        assert name in text, text
    assert column(text, r"\[stack\]", "PROT") == "rw-p" and column(text, "SYSV", "PROT") == "rw-s", text
    assert column(text, "SYSV", "PAGES") == "2" and column(text, "SYSV", "PRESENT") == "1", text


def test_pte(scene):
    mine, by_process, kernel = (scene.of(f"pte &{what}") for what in ("scenes", "scenes 2", "init_proc"))
    assert mine == by_process, mine + by_process
    assert re.search(r"PT +\[ *\d+\] 0x\w+ +writable user accessed dirty no-execute", mine), mine
    assert "user" not in kernel.splitlines()[-2] and "is physical" in kernel, kernel


def test_shm(scene):
    text = scene.of("shm")
    assert column(text, "0x5ce4e", "BYTES") == "8192" and column(text, "0x5ce4e", "ATTACHED") == "7", text
    assert len(re.findall(r"\d+@0x", text)) == 7, text


def test_caches_and_pages(scene):
    text = scene.of("slabs")
    assert column(text, r"^proc ", "IN USE") == "9", text
    listed = scene.of("slabs proc").split()
    assert "9 in use" in scene.of("slabs proc") and len(set(listed)) == 9 + 3, scene.of("slabs proc")
    pages = scene.of("pages")
    counts = {kind: int(count) for count, kind in re.findall(r"^(\d+) +(.+)$", pages, re.M)}
    total = int(re.search(r"(\d+) pages of memory", pages)[1])
    assert 0 < counts["page tables"] < counts["free"] < total and counts["slabs"] > 50, pages
    assert total - 64 <= sum(counts.get(kind, 0) for kind in
                             ("free", "slabs", "page tables", "programs' own", "reserved", "other")) \
        <= total + 1024, pages


# --- network ---------------------------------------------------------------------------------------------------


def test_sockets(scene):
    text = scene.of("sockets")
    for row in (r"inet +stream +LISTEN +127.0.0.1:7070 +\*:\* .*0 of 5 wait for accept",
                r"inet +stream +ESTABLISHED +127.0.0.1:7070 +127.0.0.1:\d+ +5 +2:13",
                r"inet +dgram +bound +127.0.0.1:5353", r"unix +dgram .* 8 +2:9 .*1 records",
                r"unix +stream +listening +/tmp/scene.sock .*0 of 3 wait for accept"):
        assert re.search(row, text), row + "\n" + text


def test_tcp(scene):
    text = scene.of("tcp")
    assert len(re.findall("ESTABLISHED", text)) == 2 and len(re.findall("LISTEN", text)) == 1, text
    assert column(text, r"ESTABLISHED +127.0.0.1:7070", "UNREAD") == "5", text


def test_virtqueue(scene):
    text = scene.of("virtqueue")
    assert re.search(r"eth0 receive 0 +256", text) and re.search(r"eth0 send 0 +256", text), text


# --- how one starts it --------------------------------------------------------------------------------------------


def test_every_command_says_what_it_does():
    source = "\n".join(open(os.path.join(ROOT, "tools/gdb", name), encoding="utf-8").read()
                       for name in os.listdir(os.path.join(ROOT, "tools/gdb")) if name.endswith(".py"))
    classes = re.findall(r'^class \w+\((Command|Function)\):\n.*?^    name = "(\w+)"$', source, re.M | re.S)
    assert len([name for kind, name in classes if kind == "Command"]) >= 22, classes
    asks = {name: "help function " + name if kind == "Function" else "help " + name for kind, name in classes}
    helps = batch(kernel_of(()), list(asks.values()))
    for name, ask in asks.items():
        assert re.match(rf"\$?{name}\b.*: \w", helps.of(ask)), helps.all()


def test_every_command_is_tried():
    """In batch mode, by a test that looks at what it says."""
    sources = {folder: "\n".join(open(os.path.join(ROOT, folder, name), encoding="utf-8").read()
                                 for name in sorted(os.listdir(os.path.join(ROOT, folder)))
                                 if re.fullmatch(pattern, name))
               for folder, pattern in (("tools/gdb", r"\w+\.py"), ("tests/host", r"test_gdb\w*\.py"))}
    made = r'^    name = "(\w+)"$|super\(\).__init__\("([a-z-]+)", gdb\.COMMAND'
    names = [one or other for one, other in re.findall(made, sources["tools/gdb"], re.M)]
    assert len(names) >= 24, names
    for name in names:
        assert re.search(rf'\.of\(f?"{name}\b|output\.of\(f?"print [^"]*\${name}\b', sources["tests/host"]), name


def test_many_machines_at_once(tmp_path):
    """As make qemu-gdb and make gdb do it: sockets in one folder; each gdb finds a machine that no other has."""
    folder = str(tmp_path / "gdb")
    words = ["--timeout", str(PATIENCE), "--gdb", folder + "/", "--", "/bin/busybox", "echo"]
    machines = []
    try:
        for i in (1, 2, 3):
            machines.append(subprocess.Popen([RUN, *words, f"machine {i}"], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
            await_file(f"{folder}/{i}.sock")
        with open(f"{folder}/3.sock.lock", "w", encoding="utf-8") as another:
            fcntl.flock(another, fcntl.LOCK_EX)
            first = batch(kernel_of(()), [f"signalbox-connect {folder}", "continue"])
            assert machines[1].communicate(timeout=PATIENCE)[0] == b"machine 2\n", first.all()
            third = batch(kernel_of(()), [f"signalbox-connect {folder}/3.sock"])
            assert f"another gdb has the machine at {folder}/3.sock" in third[1][1], third.all()
        who_has_it = f"shell flock -n {folder}/3.sock.lock echo nobody || echo somebody"
        second = batch(kernel_of(()), [f"signalbox-connect {folder}", who_has_it, f"signalbox-connect {folder}/1.sock",
                                       "detach", who_has_it + " else"])
        assert second.of(who_has_it) == "somebody\n" and second.of(who_has_it + " else") == "nobody\n", second.all()
        assert "this gdb has a machine" in second.of(f"signalbox-connect {folder}/1.sock"), second.all()
        assert machines[2].communicate(timeout=PATIENCE)[0] == b"machine 3\n", second.all()
        third = batch(kernel_of(()), [f"signalbox-connect {folder}/1.sock", "continue"])
        assert machines[0].communicate(timeout=PATIENCE)[0] == b"machine 1\n", third.all()
        nobody = batch(kernel_of(()), [f"signalbox-connect {folder}", f"signalbox-connect {folder}/1.sock"])
        assert "no machine waits" in nobody[1][1] and "Python" not in nobody.all(), nobody.all()
    finally:
        for machine in machines:
            machine.terminate()
            machine.communicate(timeout=PATIENCE)


def test_make_gdb_and_make_qemu_gdb_meet():
    shown = subprocess.run(["make", "-n", "gdb"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"signalbox-connect {ROOT}/build/gdb'" in shown and "tools/gdb/signalbox.py" in shown, shown
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        assert "--gdb $(O)/gdb/\n" in file.read()


def test_make_gdb_on_make_qemu_gdb():
    settings = {"cwd": ROOT, "timeout": PATIENCE, "encoding": "utf-8", "codec_errors": "replace",
                "env": dict(os.environ, TERM="dumb")}
    machine = pexpect.spawn("make", ["qemu-gdb"], **settings)
    try:
        machine.expect("waiting for gdb")
        number = re.search(r"gdb/(\d+)\.sock", machine.before + machine.readline())[1]
        gdb = pexpect.spawn("make", ["gdb", f"RUN={number}"], **settings)
        for line, answer in (("break sys_execve", "Breakpoint 1 at"), ("continue", "hit Breakpoint 1, sys_execve"),
                             ("ps", r"struct proc +NAME"), ("delete", ""), ("detach", "detached")):
            gdb.expect(r"\(gdb\) ")
            gdb.sendline(line)
            gdb.expect(answer)
        gdb.expect(r"\(gdb\) ")
        gdb.sendline("quit")
        gdb.expect(pexpect.EOF)
        machine.expect("# ")
        machine.sendline("echo $((6 * 7))")
        machine.expect("42")
        machine.send("\x01x")
        machine.expect(pexpect.EOF)
    finally:
        machine.close(force=True)


def test_vscode_gives_gdb_commands_that_it_takes(tmp_path):
    """What launch.json has gdb do, by the interface that VS Code uses, with a machine in a folder of the test's."""
    with open(os.path.join(ROOT, ".vscode", "launch.json"), encoding="utf-8") as file:
        commands = [command["text"] for command in json.load(file)["configurations"][0]["customLaunchSetupCommands"]]
    folder = str(tmp_path / "gdb")
    words = ["--timeout", str(PATIENCE), "--gdb", folder + "/", "--", "/bin/busybox", "echo", "by MI"]
    with subprocess.Popen([RUN, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as machine:
        await_file(f"{folder}/1.sock")
        lines = [command.replace("${workspaceFolder}/build/gdb", folder).replace("${workspaceFolder}", ROOT)
                 for command in commands]
        done = subprocess.run(["gdb", "-q", "-nx", "--interpreter=mi3"], text=True, capture_output=True, check=False,
                              timeout=PATIENCE, input="\n".join([*lines, "-break-insert sys_write", "-exec-continue"]))
        machine.terminate()
    results = re.findall(r"^\^(\w+)", done.stdout, re.M)
    assert results[:4] in (["done"] * 4, ["done", "done", "connected", "done"]), done.stdout
    assert "error" not in results, done.stdout


def test_vscode_calls_the_same_targets():
    folder = os.path.join(ROOT, ".vscode")
    with open(os.path.join(folder, "tasks.json"), encoding="utf-8") as file:
        tasks = {task["label"]: task for task in json.load(file)["tasks"]}
    with open(os.path.join(folder, "launch.json"), encoding="utf-8") as file:
        configurations = json.load(file)["configurations"]
    for task in tasks.values():
        assert task["command"] == "make"
        subprocess.run(["make", "-n", *task["args"]], cwd=ROOT, check=True, capture_output=True)
    assert configurations
    for configuration in configurations:
        assert configuration["preLaunchTask"] in tasks
