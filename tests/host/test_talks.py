"""Demonstrations that talk from machine to machine: datagrams, a multicast group."""

import os
import socket
import subprocess

import pytest

from guest import guest
from support import BUILD
from terminal import Terminal

DEMOS = os.path.join(BUILD, "user", "demo")


def test_the_hosts_client_asks_our_udp_server():
    with guest("/demo/udpecho server 7000", ports=[("udp", 7000)], first="port 7000") as (_, ports):
        text = subprocess.run([f"{DEMOS}/udpecho", "client", "127.0.0.1", str(ports[0]), "one", "", "x" * 1400],
                              capture_output=True, text=True, check=True, timeout=60).stdout
        assert text.splitlines()[:2] == ['client: sent "one", got "one"', 'client: sent "", got ""']
        assert f'got "{"x" * 1400}"' in text
        # Python's client, and a datagram that the guest's network cuts into pieces.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(20)
            s.connect(("127.0.0.1", ports[0]))
            s.send(bytes(range(256)) * 40)
            assert s.recv(1 << 16) == bytes(range(256)) * 40


def test_our_udp_client_asks_pythons_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        script = f"/demo/udpecho client 10.0.2.2 {server.getsockname()[1]} hello"
        with guest(script) as (process, _):
            data, client = server.recvfrom(1000)
            assert data == b"hello"
            server.sendto(b"HELLO", client)
            assert process.stdout.readline() == 'client: sent "hello", got "HELLO"\n'
            assert process.wait(30) == 1  # it isn't what was sent


@pytest.fixture(name="wire")
def make_wire(tmp_path):
    """The options of two machines on one wire, 10.9.0.1 and 10.9.0.2."""
    a, b = f"{tmp_path}/a", f"{tmp_path}/b"
    return [["--net", f"dgram:{here}:{there}", "--nic", f"mac=52:54:00:00:00:0{n}", "--", "/bin/busybox", "sh", "-c"]
            for n, here, there in ((1, a, b), (2, b, a))]


def test_two_machines_talk_on_one_group(wire):
    script = "ifconfig eth0 10.9.0.{0} netmask 255.255.255.0; /demo/mcastchat {1} 239.1.2.3 5007 10.9.0.{0}"
    with Terminal(*wire[0], script.format(1, "anna")) as anna:
        anna.expect_exact("anna: has joined")
        with Terminal(*wire[1], script.format(2, "ben")) as ben:
            ben.expect_exact("ben: has joined")
            anna.expect_exact("ben: has joined")
            anna.send("is anybody here?\r")
            ben.expect_exact("anna: is anybody here?")
            for n in range(20):
                ben.send(f"number {n}\r")
                anna.expect_exact(f"ben: number {n}")
            ben.send("\x04")
            anna.expect_exact("ben: has left")
            assert ben.status() == 0
        anna.send("\x04")
        assert anna.status() == 0
