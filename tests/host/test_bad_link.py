"""TCP between two machines over a link that does what bad links do."""

import os
import re
import shutil
import struct
import subprocess

import pytest

from bad_link import BadLink
from support import BUILD, EXTRA_WORDS, PATIENCE, RUN

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="two machines of our own")
PORT = 5000
DONE = r"sent (\d+) got (\d+) ms (\d+) again (\d+)"


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    """What is laid over the machines' root: the program that moves the bytes."""
    os.makedirs(tmp_path / "tree" / "bin")
    shutil.copy(f"{BUILD}/tests/host/transfer", tmp_path / "tree" / "bin" / "transfer")
    return str(tmp_path / "tree")


def start(link, which, tree, words, *options, first="true"):
    """Machine 0 or 1, 10.9.0.1 or .2, which runs the program with WORDS, and stays: its last ACK may be lost. What it
    counted comes behind what the program says; FIRST is a command before it."""
    script = (f"{first}; ifconfig eth0 10.9.0.{which + 1} netmask 255.255.255.0; /bin/transfer {words}; "
              "awk '/^TcpExt: [0-9]/ { print $7 }' /proc/net/netstat; sleep 1000000")
    return subprocess.Popen([RUN, "--timeout", str(PATIENCE), "--overlay", tree, *link.options(which),
                             *options, "--", "/bin/busybox", "sh", "-c", script],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def transfer(link, tree, what, mebibytes, *options, first="true"):
    """From machine 0 to 1 (send), or both ways. What each says: [sent, got, milliseconds, sent again, timeouts]."""
    other = {"send": "receive", "both": "both"}[what]
    machines = []
    try:
        machines.append(start(link, 1, tree, f"listen {PORT} {other} {mebibytes}"))
        assert machines[0].stdout.readline() == "listening\n"
        machines.append(start(link, 0, tree, f"10.9.0.2 {PORT} {what} {mebibytes}", *options,
                              first=first))
        said = []
        for machine in reversed(machines):
            line = machine.stdout.readline()
            assert re.match(DONE, line), (line, link.counts)
            said.append([int(n) for n in (*re.match(DONE, line).groups(), machine.stdout.readline())])
        return said
    finally:
        for machine in machines:
            machine.terminate()
            machine.communicate()


BAD = {"loss": 0.05, "doubles": 0.05, "damage": 0.05, "late": 0.05}


@pytest.mark.parametrize("evil", [*BAD, "all"])
def test_megabytes_arrive_whole_both_ways(evil, tmp_path, tree):
    with BadLink(tmp_path, seed=7, **(BAD if evil == "all" else {evil: BAD[evil]})) as link:
        for sent, got, *_ in transfer(link, tree, "both", 8):
            assert sent == got == 8 << 20
        count = {"loss": "lost", "doubles": "doubled", "damage": "damaged", "late": "late", "all": "lost"}[evil]
        assert link.counts[count] > 100


def tcp_data(frame):
    """(ports, sequence number, bytes of data) of a frame with some; None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    header = 14 + (frame[14] & 15) * 4
    length = 14 + struct.unpack("!H", frame[16:18])[0] - header - (frame[header + 12] >> 4) * 4
    return (frame[header:header + 4], struct.unpack("!I", frame[header + 4:header + 8])[0], length) if length else None


def pcap(path):
    """The frame of each record (QEMU writes the file in the order of bytes of this machine)."""
    with open(path, "rb") as file:
        data = file.read()
    assert struct.unpack("=I", data[:4])[0] == 0xa1b2c3d4
    at = 24
    while at + 16 <= len(data):
        _, _, size, _ = struct.unpack("=IIII", data[at:at + 16])
        yield data[at + 16:at + 16 + size]
        at += 16 + size


NO_TIMEOUT = "echo 60000000 > /proc/sys/net/ipv4/tcp_rto_min_us"


def test_single_losses_need_no_timeout(tmp_path, tree):
    """One segment of each three hundred is lost, once, and comes again though no timeout can bring it: the shortest
    that the sender allows itself is a minute, and there is none in all the time."""
    lost, seen = [], 0

    def choose(frame):
        nonlocal seen
        data = tcp_data(frame)
        if not data or data[2] < 1000:
            return False
        seen += 1
        if seen % 300 or data in lost:
            return False
        lost.append(data)
        return True

    with BadLink(tmp_path, choose=choose) as link:
        (sent, _, _, again, timeouts), (_, got, *_) = transfer(link, tree, "send", 8, "--pcap", str(tmp_path / "pcap"),
                                                               first=NO_TIMEOUT)
    assert sent == got == 8 << 20
    assert timeouts == 0
    assert len(lost) >= 15
    times = {}
    for data in filter(None, map(tcp_data, pcap(tmp_path / "pcap"))):
        times[data[:2]] = times.get(data[:2], 0) + 1
    assert all(times[data[:2]] == 2 for data in lost), [times[data[:2]] for data in lost]
    # What was not lost is sent again once a recovery at most (RFC 6675, NextSeg, rules 3 and 4).
    assert again <= 2 * len(lost) + 5
