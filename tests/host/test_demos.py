"""The demos: each has a page, runs here and inside with the same output, and its page shows that output."""

import functools
import os
import re
import shutil
import subprocess

import pexpect
import pytest

from support import BUILD, PATIENCE, ROOT, busybox, run, run_on_host
from terminal import Terminal

SOURCES = os.path.join(ROOT, "user", "demo")
FOLDER = os.path.join(BUILD, "user", "demo")
DEMOS = sorted(os.path.splitext(name)[0] for name in os.listdir(SOURCES) if name.endswith((".c", ".asm")))
# demo prints the others' pages and has a test of its own.
COMPARED = [name for name in DEMOS if name != "demo"]
# With another library too, but for the words of an error, and for what shows how large that library's buffers are.
PORTABLE = [name for name in COMPARED if os.path.exists(os.path.join(SOURCES, name + ".c"))
            and name not in ("zombie", "fileapi")]
# All in one boot: a line with the name before each output, one with the status behind it.
# One that hangs costs its own test only.
SCRIPT = 'for name; do echo "=== $name"; timeout 600 /demo/$name 2>&1; echo "=== status $?"; done'
MAX_LINES, MAX_WIDTH = 70, 120
# hello's page asks why it doesn't notice that nothing was printed.
CHECKED = [name for name in COMPARED if name != "hello"]
# The demos of two programs that meet by a name, as a person would start them in two terminals: the second
# waits for the first by its output or by its end, and nothing waits longer than timeout lets it. A socket has its name
# a moment before it takes calls, which __SO_ACCEPTCON says in /proc/net/unix.
TAKES_CALLS = 'grep -q " 00010000 .* $T$" /proc/net/unix'
PAIRS = {
    "fifo": ("mkfifo $T; timeout 600 $D/fifo read $T & timeout 600 $D/fifo write $T hello; wait",
             'reader: got "hello"\nreader: the last writer has closed it\n'),
    "unixecho": (f"timeout 600 $D/unixecho server $T & until {TAKES_CALLS}; do sleep 0.1; done; "
                 "timeout 600 $D/unixecho client $T one; timeout 600 $D/unixecho client $T two; kill $!",
                 'client: sent "one", got "one"\nclient: sent "two", got "two"\n'),
    "udpecho": ("timeout 600 $D/udpecho server 0 > $T.port & until grep -qs port $T.port; do sleep 0.1; done; "
                "timeout 600 $D/udpecho client 127.0.0.1 $(cut -d' ' -f2 $T.port) one two; kill $!; rm $T.port",
                'client: sent "one", got "one"\nclient: sent "two", got "two"\n'),
    "fdpass": ("echo content > $T.file; timeout 600 $D/fdpass send $T $T.file & "
               f"until {TAKES_CALLS}; do sleep 0.1; done; timeout 600 $D/fdpass receive $T; wait; rm $T.file; "
               "[ -e $T ] && echo left",
               'receiver: a file with 1 names\nreceiver: it reads "content\n"\n'),
}


@pytest.fixture(scope="session")
def inside():
    """name -> (output, status) of each demo in the kernel."""
    result = run("--", "/bin/busybox", "sh", "-c", SCRIPT, "sh", *COMPARED)
    result.must_have_run()
    found = re.findall(r"^=== (\w+)\n(.*?)^=== status (\d+)\n", result.text, re.M | re.S)
    return {name: (output, int(status)) for name, output, status in found}


@functools.cache
def on_host(name):
    return run_on_host(os.path.join(FOLDER, name))


def page_of(name):
    with open(os.path.join(SOURCES, name + ".txt"), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("name", COMPARED)
def test_prints_the_same_here_and_inside(name, inside):
    host = on_host(name)
    assert host.status == 0, host.text + host.err
    assert host.out
    assert inside[name] == (host.text, 0)


@pytest.mark.parametrize("name", PORTABLE)
def test_prints_the_same_with_another_library(name, tmp_path):
    program = tmp_path / name
    subprocess.run(["musl-gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", program,
                    os.path.join(SOURCES, name + ".c")], check=True, timeout=PATIENCE)
    other = run_on_host(program)
    assert (other.text, other.status) == (on_host(name).text, 0)


@pytest.mark.parametrize("name", COMPARED)
def test_its_page_shows_what_it_prints(name):
    block = "".join(f"    {line}".rstrip() + "\n"
                    for line in on_host(name).text.splitlines())
    assert f"What to see\n\n{block}" in page_of(name)


@pytest.mark.parametrize("name", CHECKED)
def test_fails_when_nothing_can_be_printed(name):
    assert run_on_host("/bin/sh", "-c", f"{FOLDER}/{name} > /dev/full 2>/dev/null").status not in (0, 127)


@pytest.mark.parametrize("name", ["pipe1", "sigcatch", "eof", "selectloop", "waiter", "producer"])
def test_fails_when_a_call_fails(name):
    host = run_on_host("/bin/sh", "-c", f"ulimit -n 3; exec {FOLDER}/{name}")
    assert host.status == 1 and "Too many open files" in host.err


@pytest.mark.parametrize("name", PAIRS)
def test_two_programs_meet_on_linux(name, tmp_path):
    script, expected = PAIRS[name]
    host = run_on_host("/bin/sh", "-c", f"T={tmp_path}/meet D={FOLDER}; {script}")
    assert host.text == expected, host.err


def test_two_programs_meet_inside():
    script = "; ".join(f'echo "=== {name}"; T=/tmp/{name} D=/demo; {PAIRS[name][0]}' for name in PAIRS)
    result = busybox(script).must_have_run()
    assert result.text == "".join(f"=== {name}\n{PAIRS[name][1]}" for name in PAIRS), result.err


def three_sources(session):
    """selectloop with somebody at the keyboard: SESSION hears the pipe, the socket and the terminal, and ends."""
    session.expect_exact('pipe: "from the pipe"')
    session.send("typed\r")
    session.expect_exact('terminal: "typed"')
    for _ in range(6):  # each word from the keyboard gives the others a turn
        session.send("again\r")
        session.expect_exact('terminal: "again"')
    session.send("\x04")
    session.expect_exact("terminal: ended")


def test_selectloop_hears_the_terminal_on_linux():
    session = pexpect.spawn(os.path.join(FOLDER, "selectloop"), ["terminal"], timeout=PATIENCE, encoding="utf-8")
    three_sources(session)
    session.expect(pexpect.EOF)
    session.close()
    assert session.exitstatus == 0


def test_selectloop_hears_the_terminal_inside():
    with Terminal("--", "/demo/selectloop", "terminal") as session:
        three_sources(session)
        assert session.status() == 0


@pytest.mark.skipif(not shutil.which("gdb"), reason="no gdb on this host")
def test_crash_leaves_what_gdb_reads(tmp_path):
    program, core = os.path.join(FOLDER, "crash"), tmp_path / "core"
    result = run("--fetch", f"/tmp/core:{core}", "--", program, "/tmp")
    assert result.status == 128 + 11, result.text + result.err
    words = ["gdb", "-q", "-batch", "-nx", "-ex", "bt", "-ex", "frame 1", "-ex", "print where", program, core]
    text = subprocess.run(words, capture_output=True, check=True, text=True, timeout=PATIENCE).stdout
    assert re.search(r"#0 .*third .*\n(.*\n)*#1 .*second .*\n(.*\n)*#3 .*main ", text), text
    assert "$1 = (int *) 0x0" in text


@pytest.mark.parametrize("name", DEMOS)
def test_page_is_well_formed(name):
    page = page_of(name)
    lines = page.splitlines()
    assert re.fullmatch(rf"{name} - \S.*[^.\s]", lines[0])
    headings = [line for line in lines if line and not line.startswith(" ")][1:]
    assert headings == ["What it shows", "How to run it", "What to see", "What to change and try"]
    assert f"build/user/demo/{name}" in page
    assert len(lines) <= MAX_LINES and max(map(len, lines)) <= MAX_WIDTH


def test_each_page_has_its_demo():
    pages = sorted(name.removesuffix(".txt") for name in os.listdir(SOURCES) if name.endswith(".txt"))
    assert pages == DEMOS


def test_list_names_every_demo():
    host = run_on_host(os.path.join(FOLDER, "demo"))
    listed = dict(line.split(None, 1) for line in host.text.splitlines())
    assert (host.status, sorted(listed)) == (0, DEMOS)
    assert all(listed[name] == page_of(name).splitlines()[0].split(" - ", 1)[1] for name in DEMOS)
    # By its name alone: /demo is among the folders that are searched.
    assert run("--", "demo").out == host.out


def test_page_by_name():
    inside = run("--", "/demo/demo", "hello")
    assert (inside.status, inside.text) == (0, page_of("hello") + "\nTo run it now: /demo/hello\n")
    host = run_on_host(os.path.join(FOLDER, "demo"), "hello", "forktree")
    assert host.text.startswith(page_of("hello")) and page_of("forktree") in host.text


@pytest.mark.parametrize("name", ["nothing", "../demo/hello", "", "x" * 1000], ids=["unknown", "path", "empty", "long"])
def test_no_such_demo(name):
    host = run_on_host(os.path.join(FOLDER, "demo"), name)
    assert (host.status, host.out) == (1, b"")
    assert "there is no demo" in host.err


def test_errors_are_reported():
    command = f"{FOLDER}/demo > /dev/full"
    assert run_on_host("/bin/sh", "-c", command).status == 1
    assert run_on_host(os.path.join(FOLDER, "forktree"), "7").status == 2
