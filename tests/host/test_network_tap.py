"""Linux as the neighbour: a tap device in a network of its own (no address of this machine's is touched).

A tap takes and gives packets that nobody has cut or summed up yet, and has as many queues as one likes: here both
ends leave their checksums and their segments to the device.
"""

import contextlib
import ctypes
import hashlib
import os
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from support import PATIENCE
from terminal import Terminal

CLONE_NEWNET = 0x40000000
ITS_IP = "10.9.0.2"
MEGABYTES = 16
LARGEST_FRAME = 14 + 1500
ETH_P_ALL = 3


def in_a_network_of_ones_own(body):
    """Run BODY in a thread that has left the machine's network; its children and its sockets have too."""
    failed = []

    def go():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            failed.append(OSError(ctypes.get_errno(), "unshare"))
            return
        try:
            body()
        except BaseException as error:  # handed on to the test's own thread
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def with_machine(script, nic, body, queues=1, smp=2):
    """BODY(terminal) beside a machine whose eth0 is on a tap, after SCRIPT has begun there."""
    if os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("a tap device is root's")

    def go():
        setup = f"ifconfig eth0 {ITS_IP} netmask 255.255.255.0 up; {script}"
        with Terminal("--debug", "--smp", str(smp), "--net", f"tap:wire0:{queues}", "--nic", nic, "--", "/bin/busybox",
                      "sh", "-c", setup) as terminal:
            terminal.expect_exact("ready\r\n")
            subprocess.run(["busybox", "ifconfig", "wire0", "10.9.0.1", "netmask", "255.255.255.0", "up"], check=True)
            body(terminal)
            terminal.send("\r")
            assert terminal.status() == 0

    in_a_network_of_ones_own(go)


def call(port):
    """A connection to the machine's port, as soon as something listens there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return socket.create_connection((ITS_IP, port), timeout=PATIENCE)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens at port {port}")


@contextlib.contextmanager
def frames_seen():
    """The largest frame that has passed the tap so far, each way: what nobody has cut into segments is seen whole."""
    largest = {"to": 0, "from": 0}
    ended = threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as tap:
        tap.bind(("wire0", ETH_P_ALL))
        tap.settimeout(0.1)

        def look():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    frame, place = tap.recvfrom(1 << 17)
                    way = "to" if place[2] == socket.PACKET_OUTGOING else "from"
                    largest[way] = max(largest[way], len(frame))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield largest
        finally:
            ended.set()
            thread.join()


NICS = ["mrg_rxbuf=on", "mrg_rxbuf=off", "csum=off,host_tso4=off,guest_tso4=off", "guest_csum=off,guest_tso4=off",
        "host_tso4=off", "event_idx=off,indirect_desc=off"]


@pytest.mark.parametrize("nic", NICS)
def test_megabytes_both_ways_with_linux(nic):
    data = random.Random(4).randbytes(MEGABYTES << 20)
    digest = hashlib.sha256(data).hexdigest()

    def body(terminal):
        with frames_seen() as largest:
            with call(80) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                terminal.expect_exact(digest)
            got = hashlib.sha256()
            with call(81) as connection:
                while piece := connection.recv(1 << 16):
                    got.update(piece)
            assert got.hexdigest() == digest
        # Where the device cuts, there are frames that are larger than the link takes, and elsewhere none is.
        assert (largest["to"] > LARGEST_FRAME) == ("guest_tso4=off" not in nic and "mrg_rxbuf=off" not in nic), largest
        assert (largest["from"] > LARGEST_FRAME) == ("host_tso4=off" not in nic), largest

    with_machine("nc -l -p 80 -e dd bs=64k of=/tmp/f 2> /dev/null & echo re''ady; wait; sha256sum /tmp/f; "
                 "nc -l -p 81 -e cat /tmp/f; read x", nic, body)


def test_a_transfer_outlives_its_device():
    """The interface goes down and up, again and again, while megabytes leave by it."""
    def body(terminal):
        expected = terminal.expect("summed").split()[-2]
        got = hashlib.sha256()
        with call(81) as connection:
            while piece := connection.recv(1 << 16):
                got.update(piece)
        assert got.hexdigest() == expected

    with_machine("head -c 16000000 /dev/urandom > /tmp/f; nc -l -p 81 -e cat /tmp/f & "
                 "while kill -0 $! 2> /dev/null; do ifconfig eth0 down; ifconfig eth0 up; usleep 300000; done & "
                 "echo re''ady; sha256sum /tmp/f; echo sum''med; wait; read x",
                 "mq=on,vectors=10", body, queues=4, smp=4)


def test_queue_pairs_are_spread_over_cpus():
    def body(terminal):
        connections = [call(7) for _ in range(64)]
        for round_ in range(20):
            for n, connection in enumerate(connections):
                connection.sendall(bytes([n, round_]) * 300)
            for n, connection in enumerate(connections):
                got = b""
                while len(got) < 600:
                    piece = connection.recv(600)
                    assert piece, "the machine hung up"
                    got += piece
                assert got == bytes([n, round_]) * 300
        for connection in connections:
            connection.close()
        terminal.send("\r")
        # Which CPUs have had interrupts of the device: a column each.
        lines = terminal.expect("that is all")
        busy = {cpu for line in lines.splitlines() if "virtio-net" in line
                for cpu, n in enumerate(re.findall(r"\b\d+\b", line.split(":")[1])[:4]) if int(n) > 0}
        assert len(busy) >= 3, lines

    with_machine("nc -ll -p 7 -e cat & echo re''ady; read x; cat /proc/interrupts; echo that is a''ll; read x; "
                 "kill %1; killall cat 2> /dev/null; true", "mq=on,vectors=10", body, queues=4, smp=4)
