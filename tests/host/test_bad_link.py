"""TCP between two machines over a link that does what bad links do."""

import os
import re
import shutil
import subprocess

import pytest

from bad_link import BadLink
from support import BUILD, EXTRA_WORDS, RUN

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="two machines of our own")
PORT = 5000
DONE = r"sent (\d+) got (\d+) ms (\d+) again (\d+)"


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    """What is laid over the machines' root: the program that moves the bytes."""
    os.makedirs(tmp_path / "tree" / "bin")
    shutil.copy(f"{BUILD}/tests/host/transfer", tmp_path / "tree" / "bin" / "transfer")
    return str(tmp_path / "tree")


def start(link, which, tree, words, *options):
    """Machine 0 or 1, 10.9.0.1 or .2, which runs the program with WORDS, and stays: its last ACK may be lost."""
    script = f"ifconfig eth0 10.9.0.{which + 1} netmask 255.255.255.0; /bin/transfer {words}; sleep 150"
    return subprocess.Popen([RUN, "--timeout", "150", "--overlay", tree, *link.options(which),
                             *options, "--", "/bin/busybox", "sh", "-c", script],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def transfer(link, tree, what, mebibytes, *options):
    """From machine 0 to 1 (send), or both ways. What each says of it: [sent, got, milliseconds, sent again]."""
    other = {"send": "receive", "both": "both"}[what]
    machines = []
    try:
        machines.append(start(link, 1, tree, f"listen {PORT} {other} {mebibytes}"))
        assert machines[0].stdout.readline() == "listening\n"
        machines.append(start(link, 0, tree, f"10.9.0.2 {PORT} {what} {mebibytes}", *options))
        said = []
        for machine in reversed(machines):
            line = machine.stdout.readline()
            assert re.match(DONE, line), (line, link.counts)
            said.append([int(n) for n in re.match(DONE, line).groups()])
        return said
    finally:
        for machine in machines:
            machine.terminate()
            machine.communicate()


BAD = {"loss": 0.05, "doubles": 0.05, "damage": 0.05, "late": 0.05}


@pytest.mark.parametrize("evil", [*BAD, "all"])
def test_megabytes_arrive_whole_both_ways(evil, tmp_path, tree):
    with BadLink(tmp_path, seed=7, **(BAD if evil == "all" else {evil: BAD[evil]})) as link:
        for sent, got, _, _ in transfer(link, tree, "both", 8):
            assert sent == got == 8 << 20
        count = {"loss": "lost", "doubles": "doubled", "damage": "damaged", "late": "late", "all": "lost"}[evil]
        assert link.counts[count] > 100
