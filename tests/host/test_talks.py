"""Demonstrations that talk from machine to machine: datagrams, a multicast group."""

import contextlib
import os
import select
import socket
import struct
import subprocess

import pytest

from guest import guest
from support import BUILD, PATIENCE
from terminal import Terminal

DEMOS = os.path.join(BUILD, "user", "demo")


def test_the_hosts_client_asks_our_udp_server():
    with guest("/demo/udpecho server 7000", ports=[("udp", 7000)], first="port 7000") as (_, ports):
        for _ in range(60):
            # It waits for a second, five times, and takes an answer that comes later for the next one's.
            client = subprocess.run([f"{DEMOS}/udpecho", "client", "127.0.0.1", str(ports[0]), "one", "", "x" * 1400],
                                    capture_output=True, text=True, check=False, timeout=PATIENCE)
            if client.returncode == 0:
                break
        assert client.stdout.splitlines()[:2] == ['client: sent "one", got "one"', 'client: sent "", got ""']
        assert f'got "{"x" * 1400}"' in client.stdout, client.stderr
        # Python's client, and a datagram that the guest's network cuts into pieces.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(3)
            s.connect(("127.0.0.1", ports[0]))
            for _ in range(100):
                s.send(bytes(range(256)) * 40)
                with contextlib.suppress(TimeoutError):
                    assert s.recv(1 << 16) == bytes(range(256)) * 40
                    break
            else:
                raise AssertionError("no answer")


def test_our_udp_client_asks_pythons_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        # Whoever gets no answer within five seconds gives up without a word.
        client = f"/demo/udpecho client 10.0.2.2 {server.getsockname()[1]} hello"
        script = f"cd /tmp; for i in $(seq 60); do {client} > o 2> e; s=$?; [ -s o ] && break; done; cat o; exit $s"
        with guest(script) as (process, _):
            while not select.select([process.stdout], [], [], 0)[0]:
                with contextlib.suppress(TimeoutError):
                    data, address = server.recvfrom(1000)
                    assert data == b"hello"
                    server.sendto(b"HELLO", address)
            assert process.stdout.readline() == 'client: sent "hello", got "HELLO"\n'
            assert process.wait(PATIENCE) == 1  # it isn't what was sent


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


MAPPER, BANK = 100000, 0x20000b4e
BALANCE, DEPOSIT, WITHDRAW = 1, 2, 3


class Rpc:
    """A client as RFC 5531 has it: every message packed by hand."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(2)
        self.socket.connect(("127.0.0.1", port))
        self.xid = 1000

    def send(self, message):
        """The answer to MESSAGE; sent again when none comes, as a datagram can be lost. What is answered late, to a
        message before, is passed over."""
        for _ in range(100):
            self.socket.send(message)
            with contextlib.suppress(TimeoutError):
                while True:
                    answer = self.socket.recv(2000)
                    if answer[:4] == message[:4]:
                        return answer
        raise AssertionError("no answer")

    def call(self, program, version, procedure, args=b"", again=0):
        """(accept_stat, results), of the last answer if the same call is sent AGAIN."""
        self.xid += 1
        message = struct.pack("!6I", self.xid, 0, 2, program, version, procedure) + bytes(16) + args
        for _ in range(again + 1):
            answer = self.send(message)
        assert struct.unpack("!5I", answer[:20]) == (self.xid, 1, 0, 0, 0)
        return struct.unpack("!I", answer[20:24])[0], answer[24:]

    def bank(self, version, procedure, amount=None, again=0):
        """(refused, balance) of the account "ben"."""
        args = b"\0\0\0\3ben\0" + (b"" if amount is None else struct.pack("!q", amount))
        status, results = self.call(BANK, version, procedure, args, again)
        assert status == 0
        return struct.unpack("!Iq", results)


def test_procedures_are_called_from_another_machine():
    ports = [("udp", 111), ("udp", 2000), ("udp", 2001)]
    script = "/demo/rpc portmap & until busybox netstat -lun | grep -q :111; do :; done; /demo/rpc bank 111 2000"
    with guest(script, ports=ports, first="open") as (_, outside):
        mapper, first, second = map(Rpc, outside)
        where = lambda version: mapper.call(MAPPER, 2, 3, struct.pack("!4I", BANK, version, 17, 0))
        assert [where(n) for n in (1, 2, 3)] == [(0, struct.pack("!I", port)) for port in (2000, 2001, 0)]
        assert mapper.call(MAPPER, 2, 0) == (0, b"")
        status, listed = mapper.call(MAPPER, 2, 4)
        assert status == 0 and len(listed) == 3 * 20 + 4 and struct.pack("!4I", BANK, 1, 17, 2000) in listed
        # Strangers may not say where a program is.
        assert mapper.call(MAPPER, 2, 1, struct.pack("!4I", 4711, 1, 17, 80)) == (0, bytes(4))
        assert mapper.call(MAPPER, 2, 2, struct.pack("!4I", BANK, 1, 0, 0)) == (0, bytes(4))
        assert second.bank(2, DEPOSIT, 100, again=3) == (0, 100)
        assert second.bank(2, DEPOSIT, 100) == (0, 200)
        assert second.bank(2, WITHDRAW, 300) == (1, 200)
        assert second.bank(2, DEPOSIT, 1 << 62) == (0, 200 + (1 << 62))
        assert second.bank(2, DEPOSIT, 1 << 62) == (1, 200 + (1 << 62))
        assert first.bank(1, DEPOSIT, 100, again=3)[1] >= 400
        assert second.call(BANK, 1, BALANCE) == (2, struct.pack("!2I", 2, 2))
        for args in (b"", b"\0\0\0\0", b"\xff" * 4, b"\0\0\0\3be", b"\0\0\0\x20" + b"x" * 32):
            assert second.call(BANK, 2, BALANCE, args) == (4, b"")
        # Another version of the protocol is denied; what is no call isn't answered, and does no harm.
        assert second.send(struct.pack("!6I", 9, 0, 3, BANK, 2, 0) + bytes(16)) == struct.pack("!6I", 9, 1, 1, 0, 2, 2)
        for wrong in (b"", b"x", struct.pack("!6I", 10, 1, 2, BANK, 2, 0), struct.pack("!6I", 10, 0, 2, BANK, 2, 0),
                      struct.pack("!8I", 10, 0, 2, BANK, 2, 0, 0, 0xffffffff), os.urandom(1400)):
            second.socket.send(wrong)
        assert second.bank(2, BALANCE) == (0, 200 + (1 << 62))


SENSELESS = [
    "mcastchat --help", "mcastchat anna 10.1.2.3", "mcastchat anna 239.1.2.3 port", "mcastchat anna 239.1.2.3 70000",
    "mcastchat anna 239.1.2.3 5007 here", "mcastchat anna 239.1.2.3 5007 127.0.0.1 more", "udpecho server x",
    "udpecho server 65536", "udpecho client x 7 a", "udpecho client 127.0.0.1 0 a", "udpecho --help",
    "udpecho client 127.0.0.1 7", "rpc --help", "rpc portmap x", "rpc portmap 65536", "rpc portmap 1 2", "rpc bank",
    "rpc bank x", "rpc bank 0", "rpc bank 1 x", "rpc ask 127.0.0.1 1 2 frob anna", "rpc ask x 1 2 balance anna",
    "rpc ask 127.0.0.1 x 2 balance anna", "rpc ask 127.0.0.1 1 x balance anna", "rpc ask 127.0.0.1 1 2 deposit anna",
    "rpc ask 127.0.0.1 1 2 deposit anna x", "rpc ask 127.0.0.1 1 2 deposit anna -5", "httpd1 --help", "httpd2 65536",
    "httpd3 -1", "httpd4 80x", "httpd5 0 / more",
]


@pytest.mark.parametrize("line", SENSELESS)
def test_what_makes_no_sense_is_refused(line):
    name, *words = line.split()
    done = subprocess.run([f"{DEMOS}/{name}", *words], capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("usage: ") and name in done.stderr


@pytest.mark.parametrize("words", [["bank"], ["ask", "127.0.0.1"]])
def test_without_a_port_mapper_there_is_no_bank(words):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:  # it is there, and never answers
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        more = ["2", "balance", "anna"] if words[0] == "ask" else []
        done = subprocess.run([f"{DEMOS}/rpc", *words, port, *more], capture_output=True, text=True, check=False,
                              timeout=PATIENCE)
    assert done.returncode == 1 and done.stderr.startswith("rpc: "), done
