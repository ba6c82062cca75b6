"""Raw frames: a machine on one end of QEMU's dgram network, this test on the other.

The formats are the RFCs', packed by hand so that every field can be wrong.
"""

import os
import select
import socket
import struct
import tempfile
import time

from support import BUILD, PATIENCE
from terminal import Terminal

OUR_MAC = bytes.fromhex("020000000001")
BROADCAST = b"\xff" * 6
OUR_IP, ITS_IP = "10.9.0.1", "10.9.0.2"


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arp(operation, sender_mac, sender_ip, target_mac, target_ip):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation, sender_mac,
                       socket.inet_aton(sender_ip), target_mac, socket.inet_aton(target_ip))


def ipv4(payload, protocol, source=OUR_IP, destination=ITS_IP, *, version=4, ihl=None, length=None, ident=1,
         fragment=0, ttl=64, sum_=None, options=b""):
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if length is None else length
    head = [version << 4 | ihl, 0, length, ident, fragment, ttl, protocol, 0,
            socket.inet_aton(source), socket.inet_aton(destination)]
    head[7] = checksum(struct.pack("!BBHHHBBH4s4s", *head) + options) if sum_ is None else sum_
    return struct.pack("!BBHHHBBH4s4s", *head) + options + payload


def icmp(kind, code, rest, data=b"", sum_=None):
    head = struct.pack("!BBHI", kind, code, 0, rest)
    sum_ = checksum(head + data) if sum_ is None else sum_
    return struct.pack("!BBHI", kind, code, sum_, rest) + data


def udp(data, source=4000, destination=5000, *, length=None, sum_=None, from_=OUR_IP, to=ITS_IP):
    length = 8 + len(data) if length is None else length
    pseudo = socket.inet_aton(from_) + socket.inet_aton(to) + struct.pack("!BBH", 0, 17, 8 + len(data))
    sum_ = checksum(pseudo + struct.pack("!HHHH", source, destination, length, 0) + data) or 0xffff \
        if sum_ is None else sum_
    return struct.pack("!HHHH", source, destination, length, sum_) + data


def is_datagram(frame, to):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[30:34] == socket.inet_aton(to)


def with_program(folder, name, kind="host"):
    """tools/run's words for a machine that has /NAME, of the programs in tests/KIND."""
    with open(os.path.join(BUILD, "tests", kind, name), "rb") as file:
        (folder / name).write_bytes(file.read())
    (folder / name).chmod(0o755)
    return "--overlay", str(folder)


FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def tcp(data, source, destination, seq, ack, flags, *, window=65535, options=b"", offset=None, urgent=0, sum_=None,
        from_=OUR_IP, to=ITS_IP):
    offset = 5 + len(options) // 4 if offset is None else offset
    head = [source, destination, seq & 0xffffffff, ack & 0xffffffff, offset << 4, flags, window, 0, urgent]
    form = "!HHIIBBHHH"
    length = 20 + len(options) + len(data)
    pseudo = socket.inet_aton(from_) + socket.inet_aton(to) + struct.pack("!BBH", 0, 6, length)
    head[7] = checksum(pseudo + struct.pack(form, *head) + options + data) if sum_ is None else sum_
    return struct.pack(form, *head) + options + data


class Connection:
    """Our end of a TCP connection with an echo server of the machine's, on a wire that loses nothing."""

    def __init__(self, wire, source, destination=7):
        self.wire, self.source, self.destination = wire, source, destination
        self.seq, self.ack = 0x10000 * source & 0xffffffff, 0
        for _ in range(PATIENCE // 2):
            self.send(b"", SYN, options=b"\2\4\5\xb4")
            answer = self.hear(lambda t: t["flags"] == SYN | ACK and t["ack"] == self.seq + 1 & 0xffffffff, 2)
            if answer:
                break
        assert answer, "nobody answers"
        self.seq, self.ack = self.seq + 1, answer["seq"] + 1
        self.send(b"", ACK)

    def send(self, data, flags, **words):
        self.wire.send(ipv4(tcp(data, self.source, self.destination, self.seq, self.ack, flags, **words), 6))

    def hear(self, claim, timeout=PATIENCE):
        """The next segment to us of which CLAIM holds; None when none comes."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            frame = self.wire.receive(left)
            if not frame or frame[12:14] != b"\x08\x00" or frame[23] != 6:
                continue
            start = 14 + (frame[14] & 15) * 4
            source, destination, seq, ack, offset, flags = struct.unpack("!HHIIBB", frame[start:start + 14])
            if (source, destination) != (self.destination, self.source):
                continue
            length = struct.unpack("!H", frame[16:18])[0]
            segment = {"seq": seq, "ack": ack, "flags": flags,
                       "data": frame[start + (offset >> 4) * 4:14 + length]}
            if claim(segment):
                return segment
        return None

    def echo(self, data):
        """DATA goes there and comes back: the connection lives. Sent again when it is lost."""
        got, tries = b"", 0
        while len(got) < len(data):
            if tries % 5 == 0:
                self.send(data, ACK | PSH)
            tries += 1
            assert tries < PATIENCE // 2, "the connection is dead"
            segment = self.hear(lambda t: t["data"] or t["flags"] & RST, 2)
            if not segment:
                continue
            assert not segment["flags"] & RST, "the connection was reset"
            if segment["seq"] == self.ack & 0xffffffff:
                got += segment["data"]
                self.ack += len(segment["data"])
        assert got == data
        self.seq += len(data)
        self.send(b"", ACK)


class Wire:
    """A running machine whose eth0 is ITS_IP, and its wire. `script` begins when this end has spoken with it, so that
    no frame of the script's is missed."""

    def __init__(self, script, *words, timeout=PATIENCE):
        self.folder = tempfile.TemporaryDirectory(prefix="wire-")
        self.here, self.there = self.folder.name + "/machine", self.folder.name + "/test"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(self.there)
        setup = f"ifconfig eth0 {ITS_IP} netmask 255.255.255.0 up; echo re''ady; read x; "
        self.terminal = Terminal("--debug", "--timeout", str(timeout), "--net", f"dgram:{self.here}:{self.there}",
                                 *words, "--", "/bin/busybox", "sh", "-c", setup + script)
        self.mac = None

    def __enter__(self):
        self.terminal.expect_exact("ready\r\n")
        self.send(arp(1, OUR_MAC, OUR_IP, b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
        answer = self.expect(lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2")
        self.mac = answer[6:12]
        self.terminal.send("\r")
        return self

    def __exit__(self, *_):
        self.terminal.__exit__()
        self.socket.close()
        self.folder.cleanup()

    def send(self, payload, to=None, kind=0x800):
        frame = (to or self.mac) + OUR_MAC + struct.pack("!H", kind) + payload
        try:
            self.socket.sendto(frame.ljust(60, b"\0"), self.here)
        except ConnectionRefusedError as error:
            self.terminal.status()
            raise AssertionError("the machine has ended: " + self.terminal.child.before) from error

    def receive(self, timeout=5):
        """The next frame, its sender's questions for our address answered; None when none comes."""
        end = time.monotonic() + timeout
        while True:
            left = max(end - time.monotonic(), 0)
            if not select.select([self.socket], [], [], left)[0]:
                return None
            frame = self.socket.recv(70000)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and \
                    frame[38:42] == socket.inet_aton(OUR_IP):
                self.send(arp(2, OUR_MAC, OUR_IP, frame[22:28], ITS_IP), to=frame[6:12], kind=0x806)
                continue
            return frame

    def expect(self, claim, timeout=PATIENCE):
        """The first frame of which CLAIM holds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            frame = self.receive(end - time.monotonic())
            if frame and claim(frame):
                return frame
        raise AssertionError("the frame that was expected did not come")

    def idle(self, n):
        """Take the next frames that have come already, at most N, and forget them."""
        while n > 0 and self.receive(0):
            n -= 1

    def drain(self):
        """Forget what has come, until nothing does for a while."""
        while self.receive(0.3):
            pass

    def ping(self, data=b"still there?", ident=0x77):
        """An echo and its answer: all that was sent before has been handled."""
        self.send(ipv4(icmp(8, 0, ident << 16 | 1, data), 1))
        answer = self.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 0 and
                             f[38:42] == struct.pack("!HH", ident, 1))
        assert checksum(answer[14:34]) == 0
        length = struct.unpack("!H", answer[16:18])[0]
        assert checksum(answer[34:14 + length]) == 0
        return answer[42:14 + length]

    def finish(self):
        """Let the script, which waits for a line, go on and end."""
        self.terminal.send("\r")
        assert self.terminal.status() == 0, self.terminal.child.before
