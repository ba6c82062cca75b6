"""Our sh against dash: every script of tests/conform/sh prints the same and ends with the same status under
dash on the host, our sh on the host (our libc, and another), and our sh in the kernel."""

import glob
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from support import BUILD, PATIENCE, ROOT, Verdict, run

SCRIPTS = sorted(glob.glob(f"{ROOT}/tests/conform/sh/*.sh"))
SH = f"{BUILD}/user/sh"
# One boot runs them all: each in a folder of its own, between two lines that no script prints.
DRIVER = """
for script in /scripts/*.sh; do
    name=$(/bin/busybox basename $script)
    mkdir /tmp/$name && cd /tmp/$name || exit 99
    sh $script > /tmp/out 2> /dev/null < /dev/null
    status=$?
    echo "<<<$name $status"
    cat /tmp/out
    echo ">>>"
    cd / && rm -r /tmp/$name /tmp/out
done
"""
cache = {}


def claim(path):
    return os.path.basename(path).removesuffix(".sh")


def run_script(shell, path, folder):
    """(status, output) of the script at PATH under SHELL, which is also what it calls sh."""
    os.makedirs(folder / "bin")
    os.makedirs(folder / "work")
    os.symlink(shell, folder / "bin" / "sh")
    done = subprocess.run(["sh", path], executable=folder / "bin" / "sh", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False,
                          cwd=folder / "work", env={"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": "/root"})
    return done.returncode, done.stdout


def in_the_kernel():
    """claim -> (status, output), of the one boot. Each worker of the tests' has a boot and a folder of its own."""
    if not cache:
        with tempfile.TemporaryDirectory(prefix="scripts-") as folder:
            shutil.copytree(f"{ROOT}/tests/conform/sh", f"{folder}/scripts")
            os.chmod(folder, 0o755)
            result = run("--debug", "--leak-check", "--timeout", str(2 * PATIENCE), "--overlay", folder, "--",
                         SH, "-c", DRIVER)
        for name, status, out in re.findall(rb"<<<(\S+)\.sh (\d+)\n(.*?)>>>\n", result.out, re.S):
            cache[name.decode()] = (int(status), out)
        cache["the run"] = result
    return cache


@pytest.fixture(scope="session", name="musl_sh")
def build_musl_sh(tmp_path_factory):
    program = tmp_path_factory.mktemp("musl") / "sh"
    subprocess.run(["musl-gcc", "-std=gnu17", "-static", "-O1", "-w", "-o", program,
                    *glob.glob(f"{ROOT}/user/sh/*.c")], check=True)
    return str(program)


@pytest.mark.parametrize("path", SCRIPTS, ids=claim)
def test_script(path, tmp_path, musl_sh):
    expected = run_script("/usr/bin/dash", path, tmp_path / "dash")
    assert run_script(SH, path, tmp_path / "ours") == expected
    assert run_script(musl_sh, path, tmp_path / "musl") == expected
    inside = in_the_kernel()
    if claim(path) not in inside:
        inside["the run"].must_have_run()
        raise Verdict("FAIL", f"did not report:\n{inside['the run'].text[-2000:]}")
    assert inside[claim(path)] == expected


def test_the_kernel_is_left_clean():
    assert in_the_kernel()["the run"].must_have_run().status == 0
