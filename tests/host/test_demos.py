"""The demos: each has a page, runs here and inside with the same output, and its page shows that output."""

import os
import re

import pytest

from support import BUILD, ROOT, run, run_on_host

SOURCES = os.path.join(ROOT, "user", "demo")
FOLDER = os.path.join(BUILD, "user", "demo")
DEMOS = sorted(os.path.splitext(name)[0] for name in os.listdir(SOURCES) if name.endswith((".c", ".asm")))
# demo prints the others' pages and has a test of its own.
COMPARED = [name for name in DEMOS if name != "demo"]
# All in one boot: a line with the name before each output, one with the status behind it.
SCRIPT = 'for name; do echo "=== $name"; /demo/$name 2>&1; echo "=== status $?"; done'
MAX_LINES, MAX_WIDTH = 70, 120


@pytest.fixture(scope="session")
def inside():
    """name -> (output, status) of each demo in the kernel."""
    result = run("--timeout", "120", "--", "/bin/busybox", "sh", "-c", SCRIPT, "sh", *COMPARED)
    result.must_have_run()
    found = re.findall(r"^=== (\w+)\n(.*?)^=== status (\d+)\n", result.text, re.M | re.S)
    return {name: (output, int(status)) for name, output, status in found}


def page_of(name):
    with open(os.path.join(SOURCES, name + ".txt"), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("name", COMPARED)
def test_prints_the_same_here_and_inside(name, inside):
    host = run_on_host(os.path.join(FOLDER, name))
    assert host.status == 0, host.text + host.err
    assert host.out
    assert inside[name] == (host.text, 0)


@pytest.mark.parametrize("name", COMPARED)
def test_its_page_shows_what_it_prints(name):
    block = "".join(f"    {line}".rstrip() + "\n"
                    for line in run_on_host(os.path.join(FOLDER, name)).text.splitlines())
    assert f"What to see\n\n{block}" in page_of(name)


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
