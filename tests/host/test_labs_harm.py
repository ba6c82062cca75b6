"""What is handed in and does harm: its own failing grade each time, and this machine and the next grading unharmed."""

import collections
import contextlib
import os
import re
import socket
import subprocess
import threading
import time

import pytest

import harness
from grading import jail, machine
from grading.machine import Machine
from grading.usage import ASLEEP
from support import EXTRA_WORDS, PATIENCE

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="grades our kernel")
KINDS = [pytest.param(kind, marks=pytest.mark.skipif(not jail.works(kind), reason=f"{kind} can't confine here"))
         for kind in ("bwrap", "unshare")]


def assert_next_is_unharmed(kind):
    made = harness.grade(harness.patch(true=harness.SOLUTION), kind=kind)
    assert (made.verdict, made.score) == ("PASS", 12), harness.student_text(made)


def build_fails(line, kind):
    """What the build says of a Makefile with LINE in it."""
    made = harness.grade(harness.in_makefile(line), kind=kind)
    assert made.verdict == "BUILD" and made.stage == "build" and made.score == 0, harness.student_text(made)
    assert set(harness.verdicts(made).values()) == {"SKIP"}
    return made.words


@pytest.fixture(name="short")
def the_short_limit():
    """A limit on the build's time that one need not wait for long. A build that is to succeed has the real one."""
    @contextlib.contextmanager
    def short():
        real = harness.lab

        def lab():
            made = real()
            made.limits["build_seconds"] = 12
            return made

        harness.lab = lab
        try:
            yield
        finally:
            harness.lab = real
    return short


def test_limits_alone_grade_too():
    """Where nothing better can be had, and it was asked for."""
    assert_next_is_unharmed("limits")


# --- in the build --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step, why", [("seq 2000000 > /dev/null", "no end after 12 seconds"), ("sleep 1", ASLEEP)],
                         ids=["busy", "asleep"])
def test_build_that_loops_for_ever(step, why, kind, short):
    """What one process uses is limited too; here each has an end, and the loop has none."""
    loop = f"while :; do {step}; : {own_word(kind)}; done"
    with short():
        assert why in build_fails(f"X := $(shell {loop})", kind)
    assert_nobody_is_left(own_word(kind))


def own_word(kind):
    """What no other test's processes have among their arguments."""
    return f"harm-{kind}-{os.getpid()}"


def assert_nobody_is_left(words):
    """Who was in a jail is killed when its first process ends, and gone a moment later."""
    end = time.monotonic() + PATIENCE
    while words in (listing := subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True,
                                              check=True).stdout):
        assert time.monotonic() < end, listing
        time.sleep(0.05)


# Each of them stays, so that it doesn't die out where forks fail.
BOMB = "bomb() { bomb & bomb & sleep 1000; : %s; }"


@pytest.mark.parametrize("kind", KINDS)
def test_fork_bomb_in_the_build(kind, short):
    most = [0]
    over = threading.Event()

    def count():
        while not over.wait(0.05):
            users = subprocess.run(["ps", "-eo", "uid"], capture_output=True, text=True, check=True).stdout.split()
            # As root each jail has a user of its own, and other gradings may be at work.
            jails = collections.Counter(user for user in users if user.isdigit() and int(user) >= jail.FIRST_USER)
            most[0] = max(most[0], len(users) if os.geteuid() else max(jails.values(), default=0))

    watcher = threading.Thread(target=count)
    before = len(os.listdir("/proc"))
    watcher.start()
    try:
        with short():
            build_fails(f"X := $(shell {BOMB % own_word(kind)}; bomb)", kind)
    finally:
        over.set()
        watcher.join()
    limit = harness.lab().limits["processes"]
    assert 10 < most[0] <= limit + 20 + (before if os.geteuid() else 0), most
    assert_nobody_is_left(own_word(kind))
    assert_next_is_unharmed(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_build_that_fills_the_disk(kind):
    words = build_fails("X := $(shell mkdir big; i=0; while head -c 8m /dev/zero > big/$$i; do i=$$((i + 1)); done; "
                        "exec >&2; du -sm big)", kind)
    assert "No space left on device" in words, words
    assert 0 < int(re.search(r"^(\d+)\s+big$", words, re.M)[1]) < 512, words
    assert_next_is_unharmed(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_build_that_deletes_and_writes_files(kind, tmp_path):
    victims = [tmp_path / "victim", tmp_path / "folder" / "victim"]
    victims[1].parent.mkdir()
    for victim in victims:
        victim.write_text("precious")
        victim.chmod(0o666)
    for folder in (tmp_path, victims[1].parent):
        folder.chmod(0o777)
    skeleton = os.path.join(harness.ROOT, "build", "labs", "harness", "tree")
    made = harness.grade(harness.in_makefile(
        f"X := $(shell rm -rf {tmp_path}/* {skeleton}/README.md {harness.ROOT}/build/kernel.elf; "
        f"echo changed > {victims[0]}; echo changed >> {skeleton}/Makefile; rm -rf kernel libc user)"), kind=kind)
    assert (made.verdict, made.score) == ("BUILD", 0)
    assert [victim.read_text() for victim in victims] == ["precious", "precious"]
    assert os.path.exists(skeleton + "/README.md") and os.path.exists(harness.ROOT + "/build/kernel.elf")
    assert_next_is_unharmed(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_build_that_says_too_much(kind):
    assert "of output" in build_fails("X := $(shell yes >&2)", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_build_that_takes_too_much_memory(kind):
    words = build_fails("X := $(shell tail -c 1000g /dev/zero >&2 || echo tail failed >&2)\n"
                        "$(error that was all)", kind)
    assert "tail failed" in words, words


@pytest.mark.parametrize("kind", KINDS)
def test_build_has_no_network_and_sees_no_process(kind):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        program = ("import socket,os\ns = socket.socket()\ns.settimeout(3)\n"
                   f"print(s.connect_ex(('127.0.0.1', {port})),"
                   f" os.path.exists('/proc/{os.getpid()}/environ'), os.path.exists('/root'), os.path.exists('/home'))")
        encoded = program.encode().hex()
        words = build_fails("X := $(shell python3 -c 'exec(bytes.fromhex(\"" + encoded + "\"))' >&2)\n"
                            "$(error that was all)", kind)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    said = words.splitlines()[0].split()
    assert said[0] != "0" and said[1:] == ["False", "False", "False"], words


@pytest.mark.parametrize("kind", KINDS)
def test_build_that_reads_the_hosts_files(kind):
    """Neither the compiler nor the assembler, by the C file that a real lab lets a student write."""
    for line in ('#include "/etc/passwd"', 'asm(".incbin \\"/etc/passwd\\"");'):
        made = harness.grade(harness.patch(true=line + "\n" + harness.SOLUTION), kind=kind)
        assert made.verdict == "BUILD" and ("No such file" in made.words or "file not found" in made.words), made.words
        assert "root:" not in made.words


def test_build_that_sends_something_else():
    """What comes out of the jail is looked at: two plain files, whatever else there is."""
    words = build_fails("X := $(shell rm -rf build/kernel.elf && mkdir -p build/kernel.elf)\n"
                        ".PHONY: build/kernel.elf\n$(O)/kernel.elf: ;", None)
    assert "the build made no build/kernel.elf" in words or "kernel.elf" in words, words


# --- in the kernel --------------------------------------------------------------------------------------------


def test_kernel_that_panics_at_boot():
    made = harness.grade(harness.in_kernel('panic("my own fault %d", 42);'))
    assert harness.verdicts(made) == {"boots": "PANIC", "answers": "SKIP", "answers_large_ones": "SKIP"}
    assert (made.verdict, made.score) == ("FAIL", 0)
    assert "my own fault 42" in harness.student_text(made) and "first_process+" in harness.student_text(made)


def test_kernel_that_loops_for_ever():
    made = harness.grade(harness.in_kernel("for (;;) asm volatile(\"\");"), again=False)
    assert harness.verdicts(made)["boots"] == "TIMEOUT" and made.score == 0, harness.student_text(made)


def test_kernel_that_sleeps_for_ever():
    """The machine's own time runs out at once, and nobody has to wait."""
    made = harness.grade(harness.patch(true="#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"))
    assert harness.verdicts(made)["boots"] == "TIMEOUT", harness.student_text(made)


def test_kernel_that_resets_the_machine():
    made = harness.grade(harness.in_kernel(
        'asm volatile("lidt %0; int3" : : "m"(*(const char(*)[10])"\\0\\0\\0\\0\\0\\0\\0\\0\\0"));'))
    assert harness.verdicts(made)["boots"] == "FAIL", harness.student_text(made)
    assert "went off" in harness.student_text(made)


def test_kernel_that_says_too_much():
    made = harness.grade(harness.in_kernel('for (;;) log_info("again and again and again and again and again");'),
                         again=False)
    assert harness.verdicts(made)["boots"] == "FAIL", harness.student_text(made)
    assert "more than 2 MiB in the kernel's log" in harness.student_text(made)


def test_kernel_that_spins_in_the_hosts_time(monkeypatch):
    """With several processors time is the host's: what counts is what they have used."""
    real = Machine.run

    def run(self, program, args, **words):
        return real(self, program, args, **{**words, "icount": False, "smp": 2})

    monkeypatch.setattr(Machine, "run", run)
    monkeypatch.setattr(machine, "REAL_SECONDS", 10000)
    made = harness.grade(harness.in_kernel("for (;;) asm volatile(\"\");"), again=False)
    assert harness.verdicts(made)["boots"] == "TIMEOUT", harness.student_text(made)
