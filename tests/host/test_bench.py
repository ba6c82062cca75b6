"""tools/bench: its table, and what it says when it can't make one."""

import os
import re
import subprocess

import pytest

from support import BUILD, EXTRA_WORDS, ROOT

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="compares kernels itself")
LINUX = os.path.join(BUILD, "linux", "vmlinuz")


def bench(*words, env=None):
    return subprocess.run([os.path.join(ROOT, "tools", "bench"), *words], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))


def test_ours_alone():
    done = bench("--linux", "none", "calls", "boot")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["name", "ours"]
    rows = dict(line.split() for line in lines[1:])
    assert list(rows)[0] == "getppid" and list(rows)[-1] == "boot"
    assert all(re.fullmatch(r"[1-9][0-9,]*|-", figure) for figure in rows.values())


@pytest.mark.skipif(not os.path.exists(LINUX), reason="make bench has not fetched Debian's Linux")
def test_both_kernels_with_a_ratio():
    done = bench("calls")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["name", "ours", "linux", "ratio"]
    name, ours, linux, ratio = lines[1].split()
    assert name == "getppid"
    assert abs(float(ratio) - int(ours) / int(linux)) <= 0.005
    assert 200 < int(linux) < 500


def test_a_kernel_that_does_not_boot_is_no_table(tmp_path):
    (tmp_path / "vmlinuz").write_bytes(b"no kernel")
    done = bench("--linux", str(tmp_path / "vmlinuz"), "calls")
    assert (done.returncode, done.stdout) == (1, "")
    assert "on linux" in done.stderr


def test_without_apt_it_says_what_can_be_done(tmp_path):
    """In a copy of tools/, which has fetched nothing yet, where apt-get fails."""
    failing = tmp_path / "bin" / "apt-get"
    failing.parent.mkdir()
    failing.write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
    failing.chmod(0o755)
    subprocess.run(["cp", "-r", os.path.join(ROOT, "tools"), str(tmp_path)], check=True)
    done = subprocess.run([tmp_path / "tools" / "bench"], capture_output=True, text=True, check=False,
                          env=dict(os.environ, PATH=f"{failing.parent}:{os.environ['PATH']}"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Linux can't be had" in done.stderr and "LINUX=none" in done.stderr


def test_an_unknown_program_is_refused():
    done = bench("no_such_program")
    assert done.returncode == 2
    assert "no_such_program" in done.stderr
