"""Bad input from the wire: floods, storms, and frames with something wrong in every place.

What is counted and dropped must cost nothing that lasts: a connection that was there before lives on, new ones are
answered, the shell goes on, and the kernel's counters are the same at the end (--leak-check). NET_FRAMES says how many
mutated frames are sent (200,000), NET_SEED which.
"""

import contextlib
import os
import random
import socket
import struct

import pexpect

from frames import (ACK, BROADCAST, FIN, ITS_IP, OUR_IP, OUR_MAC, PSH, RST, SYN, URG, Connection, Wire, arp, checksum,
                    icmp, ipv4, tcp, udp, with_program)
from support import PATIENCE

# What the leak check would take for lost: the address, and what is known of the neighbours.
DOWN = "; ip addr flush dev eth0; ifconfig eth0 down"
# The port of the connection whose segments are mutated.
CAPTURED = 1500
BEGIN = "nc -ll -p 7 -e cat & "
END = "read x; kill %1; killall cat 2> /dev/null; wait 2> /dev/null; " \
    "while grep -q ' 0[1-57-9B] ' /proc/net/tcp; do usleep 20000; done; echo go''ne; read x" + DOWN
SERVER = BEGIN + END


@contextlib.contextmanager
def echo_server(timeout=2 * PATIENCE, words=()):
    """A machine with an echo server, and a connection to it that must outlive the test."""
    with Wire(SERVER, "--leak-check", *words, timeout=timeout) as wire:
        old = Connection(wire, 1000)
        old.echo(b"before")
        yield wire, old
        wire.drain()
        old.echo(b"after all of it")
        new = Connection(wire, 1001)
        new.echo(b"a new one")
        wire.terminal.send("\r")
        reset_all(wire)
        assert wire.ping(b"alive") == b"alive"
        wire.finish()


def reset_all(wire):
    """The servers have been told to end: put an end to every connection, until the machine says that none is left.

    The captured one may have been told that our window is closed, and be silent: a SYN makes it speak (RFC 5961, 4).
    """
    while wire.terminal.child.expect_exact(["gone\r\n", pexpect.TIMEOUT], timeout=0) != 0:
        frame = wire.receive(1)
        if not frame:
            wire.send(ipv4(tcp(b"", CAPTURED, 7, 77, 0, SYN), 6))
            continue
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        at = 14 + (frame[14] & 15) * 4
        source, destination, _, ack = struct.unpack("!HHII", frame[at:at + 12])
        to = socket.inet_ntoa(frame[30:34])
        wire.send(ipv4(tcp(b"", destination, source, ack, 0, RST, from_=to), 6, source=to))


def packets(wire):
    """One of each kind of frame that the machine understands, and their EtherTypes."""
    quoted = ipv4(udp(b"x", 5000, 4000, from_=ITS_IP, to=OUR_IP), 17, ITS_IP, OUR_IP)
    data = bytes(range(64))
    options = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
    conn = Connection(wire, CAPTURED)  # whose segments are among the captured ones
    conn.echo(b"captured")
    now = {"source": CAPTURED, "destination": 7, "seq": conn.seq, "ack": conn.ack}
    segments = [tcp(b"", 2000, 7, 1, 0, SYN, options=options), tcp(b"", flags=ACK, **now),
                tcp(data, flags=ACK | PSH, **now),
                tcp(b"", flags=ACK, options=b"\1\1\5\x0a" + struct.pack("!II", conn.ack, conn.ack + 9), **now),
                tcp(data, flags=ACK | URG, urgent=9, **now), tcp(b"", flags=FIN | ACK, **now),
                tcp(b"", 2001, 7, 5, 6, ACK), tcp(b"", 2002, 9999, 5, 6, SYN)]
    ip = [ipv4(icmp(8, 0, 1, data), 1), ipv4(udp(data), 17), ipv4(udp(data, 4000, 5001), 17),
          ipv4(icmp(3, 3, 0, quoted), 1), ipv4(icmp(3, 4, 576, quoted), 1), ipv4(icmp(11, 0, 0, quoted), 1),
          ipv4(icmp(5, 1, 0x0a090001, quoted), 1), ipv4(icmp(13, 0, 1, b"\0" * 12), 1),
          ipv4(data, 17, ident=5, fragment=0x2000), ipv4(data, 17, ident=5, fragment=8),
          ipv4(b"\x11\x64\xee\x9b\0\0\0\0", 2, destination="224.0.0.1"),
          ipv4(b"\x16\0\x09\xfb\xe0\0\0\1", 2, destination="224.0.0.1"),
          ipv4(icmp(8, 0, 1, data), 1, options=b"\x07\x07\x04\0\0\0\0\0"), ipv4(data, 200)]
    ip += [ipv4(segment, 6) for segment in segments]
    return [(packet, 0x800) for packet in ip] + \
        [(arp(1, OUR_MAC, "10.9.0.9", b"\0" * 6, ITS_IP), 0x806), (arp(2, OUR_MAC, OUR_IP, b"\0" * 6, ITS_IP), 0x806)]


def with_sums(packet):
    """PACKET with an IP header's, and a transport's, checksum that is right, so that the rest is looked at."""
    head = (packet[0] & 15) * 4
    if len(packet) < 20 or head < 20 or len(packet) < head:
        return packet
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", checksum(bytes(packet[:head])))
    body, at = packet[head:], {1: 2, 2: 2, 6: 16, 17: 6}.get(packet[9])
    if at is None or len(body) < at + 2:
        return packet
    pseudo = bytes(packet[12:20]) + struct.pack("!BBH", 0, packet[9], len(body)) if at > 2 else b""
    body[at:at + 2] = b"\0\0"
    body[at:at + 2] = struct.pack("!H", checksum(pseudo + bytes(body)))
    return packet[:head] + body


def mutate(chance, packet):
    """PACKET with up to three bytes or bits changed, its end cut off, or something put in."""
    packet = bytearray(packet)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(min(len(packet), 64))
        kind = chance.randrange(4)
        if kind == 0:
            packet[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            packet[at] = chance.choice((0, 1, 0x7f, 0x80, 0xff))
        else:
            packet[at] = chance.randrange(256)
    shape = chance.random()
    if shape < 0.15:
        del packet[chance.randrange(len(packet)):]
    elif shape < 0.25:
        at = chance.randrange(len(packet) + 1)
        packet[at:at] = chance.randbytes(chance.randrange(1, 1400 - len(packet) if len(packet) < 1300 else 2))
    return packet


def test_mutated_frames_do_no_harm(request):
    seed = int(os.environ.get("NET_SEED") or random.SystemRandom().randrange(1 << 31))
    frames = int(os.environ.get("NET_FRAMES") or 200000)
    request.node.user_properties.append(("note", f"NET_SEED={seed}, {frames} frames"))
    chance = random.Random(seed)
    with echo_server(frames // 50 + 2 * PATIENCE) as (wire, old):
        kinds = packets(wire)
        for n in range(frames):
            wire.send(**mutant(chance, kinds))
            wire.idle(4)
            if n % 2000 == 1999:
                old.echo(struct.pack("!I", n))


def mutant(chance, kinds):
    """One of KINDS, changed, as arguments for Wire.send."""
    packet, kind = chance.choice(kinds)
    packet = mutate(chance, packet)
    if kind == 0x800 and packet and chance.random() < 0.8:
        packet = with_sums(packet)
    return {"payload": bytes(packet), "kind": kind if chance.random() < 0.98 else chance.randrange(1 << 16),
            "to": chance.choice((None, None, None, BROADCAST, b"\1\0\x5e\0\0\1"))}


def test_a_flood_beside_a_program_that_fuzzes(request, tmp_path):
    """Mutated frames on four CPUs while sockets of every kind are ill-treated: nothing is lost by it."""
    seed = int(os.environ.get("NET_SEED") or random.SystemRandom().randrange(1 << 31))
    request.node.user_properties.append(("note", f"NET_SEED={seed}"))
    chance = random.Random(seed)
    script = f"/sockfuzz {seed} 25 nobody; echo fuz''zed $?; "
    with Wire(BEGIN + script + END, "--leak-check", "--smp", "4", *with_program(tmp_path, "sockfuzz", "fuzz"),
              timeout=6 * PATIENCE) as wire:
        kinds = packets(wire)
        ended = False
        while not ended:
            for _ in range(100):
                wire.send(**mutant(chance, kinds))
                wire.idle(4)
            ended = wire.terminal.child.expect_exact([pexpect.TIMEOUT, "fuzzed "], timeout=0)
        wire.terminal.expect_exact("0\r\n")
        wire.drain()
        wire.terminal.send("\r")
        reset_all(wire)
        assert wire.ping(b"alive") == b"alive"
        wire.finish()


def test_a_flood_of_syns_is_survived():
    """From everywhere, to a port that listens and to one that does not; and the connections behind it are served."""
    chance = random.Random(5)
    with echo_server(words=("--smp", "2")) as (wire, old):
        for n in range(100000):
            source = f"10.9.{chance.randrange(256)}.{chance.randrange(3, 255)}" if n % 2 else OUR_IP
            port, to = chance.randrange(2000, 65536), 7 if n % 8 else 8
            wire.send(ipv4(tcp(b"", port, to, chance.randrange(1 << 32), 0, SYN, options=b"\2\4\5\xb4", from_=source),
                           6, source=source))
            wire.idle(2)
            if n % 20000 == 19999:
                old.echo(struct.pack("!I", n))
                Connection(wire, 1100 + n // 20000).echo(b"in the middle of it")


def test_a_full_backlog_answers_with_cookies():
    """Of a call that finds the queue full nothing is kept; the answer to its answer makes the connection."""
    script = ("nc -ll -p 7 -e cat & count() { cat /proc/net/netstat; grep -c ' 03 ' /proc/net/tcp; echo coun''ted; }; "
              "read x; count; read x; count; read x; kill %1; killall cat 2> /dev/null")

    def counted(wire):
        """The numbers of /proc/net/netstat by name, and how many calls are half made."""
        wire.terminal.send("\r")
        lines = wire.terminal.expect("counted\r\n").splitlines()
        names, numbers = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
        return dict(zip(names, map(int, numbers)), half_made=int(lines[-1]))

    def call(port):
        """The first half of a call."""
        wire.send(ipv4(tcp(b"", port, 7, 5000, 0, SYN, options=b"\2\4\5\xb4"), 6))

    with Wire(script) as wire:
        Connection(wire, 2000).echo(b"before")
        before = counted(wire)
        for port in range(3000, 3064):
            call(port)
        made = Connection(wire, 2001)
        made.echo(b"by a cookie")
        # A cookie that nobody was given.
        wire.send(ipv4(tcp(b"", 2002, 7, 5001, 12345, ACK), 6))
        assert wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 6 and f[36:38] == b"\x07\xd2")[47] & RST
        after = counted(wire)
        made.echo(b"and still there")
        wire.finish()
    assert before["half_made"] == before["SyncookiesSent"] == before["SyncookiesRecv"] == 0
    assert after["SyncookiesSent"] >= 60 and after["SyncookiesRecv"] == 1 and after["SyncookiesFailed"] == 1
    assert 1 <= after["half_made"] <= 4 and after["ListenOverflows"] == 0


def test_a_storm_of_questions_costs_little():
    with echo_server() as (wire, _):
        for n in range(10000):
            address = f"10.9.{n >> 8 & 0x7f}.{n & 0xff}" if n >> 8 else f"10.9.77.{n & 0xff}"
            wire.send(arp(1 + n % 2, OUR_MAC[:4] + struct.pack("!H", n), address, b"\0" * 6, ITS_IP), to=BROADCAST,
                      kind=0x806)
            wire.idle(4)


def test_a_forged_mtu_is_nothing_to_connections():
    """ICMP about a datagram that nobody has sent (RFC 5927, section 4.1); but a connection hears of its own."""
    with echo_server() as (wire, old):
        for port in (4000, 5000):
            quote = ipv4(udp(b"x", 5000, port, from_=ITS_IP, to=OUR_IP), 17, ITS_IP, OUR_IP)
            wire.send(ipv4(icmp(3, 4, 552, quote), 1))
        assert wire.ping(b"both have come") == b"both have come"
        old.echo(b"x" * 1400)
        old.send(b"y" * 1400, ACK | PSH)
        answer = old.hear(lambda t: t["data"])
        assert len(answer["data"]) == 1400
        quote = ipv4(tcp(b"", 7, old.source, old.ack & 0xffffffff, 0, ACK, from_=ITS_IP, to=OUR_IP), 6, ITS_IP, OUR_IP)
        wire.send(ipv4(icmp(3, 4, 600, quote), 1))
        old.seq += 1400
        while old.ack & 0xffffffff != (answer["seq"] + 1400) & 0xffffffff:
            piece = old.hear(lambda t: t["data"] and t["seq"] == old.ack & 0xffffffff and len(t["data"]) <= 560)
            old.ack += len(piece["data"])
        old.send(b"", ACK)


def test_pieces_never_completed_are_forgotten():
    with echo_server() as (wire, _):
        for n in range(20000):
            wire.send(ipv4(b"x" * (8 + n % 3 * 400), 17, ident=n & 0xffff, fragment=0x2000 | (n * 7 & 0x1ff)))
            wire.idle(4)


def teardrops():
    """Pairs of pieces that overlap in each way there is, as (offset, length, more) in units of eight bytes."""
    for first in ((0, 4, 1), (2, 4, 1), (0, 8, 1)):
        for start in range(0, 9):
            for length in (1, 2, 4, 8):
                for more in (0, 1):
                    second = (start, length, more)
                    if start < first[0] + first[1] and start + length > first[0] and second[:2] != first[:2]:
                        yield first, second


def test_pieces_that_overlap_make_no_packet():
    """Whichever way round they come: the packet is dropped, and what would complete it makes none."""
    message = icmp(8, 0, 0x5555 << 16, b"y" * 120)
    with Wire("read x" + DOWN, "--leak-check") as wire:
        ident = 1
        for pair in list(teardrops()):
            for order in (pair, pair[::-1]):
                ident += 1
                for start, length, more in order:
                    part = message[start * 8:(start + length) * 8]
                    wire.send(ipv4(part.ljust(length * 8, b"z"), 1, ident=ident, fragment=start | more << 13))
            wire.idle(4)
        answer = None
        wire.send(ipv4(icmp(8, 0, 0x77 << 16 | 1, b"end"), 1))
        while not (answer and answer[38:40] == b"\0\x77"):
            answer = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
            assert answer[38:40] != b"\x55\x55", "an answer to overlapping pieces"
        wire.finish()


def quiet(wire, frames):
    """Nothing answers FRAMES but what answers the echo behind each."""
    for frame in frames:
        wire.send(frame)
        wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
        answer = wire.expect(lambda f: f[12:14] == b"\x08\x00")
        assert answer[23] == 1 and answer[34] == 0 and answer[38:40] == b"\x44\x44", (frame, answer)


def test_every_wrong_offset_length_and_checksum_of_tcp_is_dropped():
    good = b"\2\4\5\xb4"
    with echo_server() as (wire, old):
        wrong = [tcp(b"", 3000, 7, 1, 0, SYN, offset=n) for n in range(5)]
        wrong += [tcp(b"", 3000, 7, 1, 0, SYN, offset=n, options=good) for n in range(7, 16)]
        wrong += [tcp(b"", 3000, 7, 1, 0, SYN, sum_=n) for n in (0, 1, 0xffff)]
        wrong += [tcp(b"", 3000, 7, 1, 0, SYN)[:n] for n in range(20)]
        wrong += [tcp(b"", 3000, 7, 1, 0, flags) for flags in (0, FIN, PSH, URG, FIN | PSH | URG, RST, RST | ACK)]
        quiet(wire, [ipv4(segment, 6) for segment in wrong])
        # For all, from nobody, from itself (LAND).
        quiet(wire, [ipv4(tcp(b"", 3000, 7, 1, 0, SYN, to="10.9.0.255"), 6, destination="10.9.0.255"),
                     ipv4(tcp(b"", 3000, 7, 1, 0, SYN, to="224.0.0.1"), 6, destination="224.0.0.1"),
                     ipv4(tcp(b"", 3000, 7, 1, 0, SYN, from_="10.9.0.255"), 6, source="10.9.0.255"),
                     ipv4(tcp(b"", 7, 7, 1, 0, SYN, from_=ITS_IP), 6, source=ITS_IP)])
        # What is not in the window of the connection that is there.
        far = old.seq + (1 << 30)
        for flags in (RST, RST | ACK, SYN, FIN | ACK, ACK | PSH):
            wire.send(ipv4(tcp(b"blind" if flags & PSH else b"", 1000, 7, far, old.ack, flags), 6))
            old.echo(b"still")


TCP_OPTIONS = [b"\2", b"\2\0\0\0", b"\2\1\0\0", b"\2\3\5\0", b"\2\5\5\xb4\0\0\0\0", b"\2\xff\5\xb4", b"\2\4\0\0",
               b"\2\4\0\1", b"\2\4\xff\xff", b"\3\3\xff\0", b"\3\2\0\0", b"\3\4\1\1", b"\x08\x0a\0\0",
               b"\x08\x02\0\0", b"\5\x0a\0\0", b"\5\3\0\0", b"\4\3\0\0", b"\4\1\0\0", b"\xfe\2\xfe\0",
               b"\xfd\x00\0\0", b"\0\xff\xff\xff", b"\1" * 40, b"\2\4\5\xb4" * 10, b"\x1e\3\0\0"]


def test_every_odd_option_of_tcp_is_passed_over():
    """A SYN with it is answered or dropped, and a segment with it changes nothing."""
    with echo_server() as (wire, old):
        for n, options in enumerate(TCP_OPTIONS):
            options = options.ljust((len(options) + 3) // 4 * 4, b"\0")
            wire.send(ipv4(tcp(b"", 4000 + n, 7, 1, 0, SYN, options=options), 6))
            old.send(b"", ACK, options=options)
            wire.idle(4)
        old.echo(b"still there")


def test_an_urgent_byte_before_its_turn_stops_nobody():
    """Its reader sleeps on until what comes before it is there, and then steps over it."""
    with echo_server() as (wire, old):
        early = Connection(wire, 1002)
        begin = early.seq
        early.seq += 100
        early.send(b"Urest", ACK | PSH | URG, urgent=1)
        old.echo(b"not held up")
        early.seq = begin
        early.send(b"f" * 100, ACK | PSH)
        early.seq += 105
        got = b""
        while len(got) < 104:
            segment = early.hear(lambda t: t["data"])
            assert segment, f"only {got} came back"
            if segment["seq"] == early.ack & 0xffffffff:
                got += segment["data"]
                early.ack += len(segment["data"])
                early.send(b"", ACK)  # Nagle's rule: the rest waits for it
        assert got == b"f" * 100 + b"rest"


def test_counters_say_what_was_dropped():
    script = ("count() { awk '/^Ip: [0-9]/ { print $5, $6 } /^Udp: [0-9]/ { print $4 } /^Icmp: [0-9]/ { print $4, $6 } "
              "/^Tcp: [0-9]/ { print $13 }' "
              "/proc/net/snmp | tr '\\n' ' '; }; echo ze''ro $(count); read x; echo en''d $(count); read x" + DOWN)
    with Wire(script, "--leak-check") as wire:
        wire.terminal.expect_exact("zero ")
        before = [int(word) for word in wire.terminal.expect("\r\n").split()]
        for _ in range(3):
            wire.send(ipv4(b"", 1, sum_=1))
            wire.send(ipv4(b"", 1, source="127.0.0.1"))
            wire.send(ipv4(icmp(8, 0, 1), 1, source="10.9.0.255"))
            wire.send(ipv4(tcp(b"", 7, 7, 1, 0, SYN, from_=ITS_IP), 6, source=ITS_IP))  # LAND
            wire.send(ipv4(icmp(8, 0, 1, sum_=1), 1))
            wire.send(ipv4(udp(b"x"), 17))  # to nobody, who says so: nothing is dropped
            wire.send(ipv4(udp(b"x", sum_=1), 17))
            wire.send(ipv4(tcp(b"", 3000, 7, 1, 0, SYN, sum_=1), 6))
        wire.ping()
        wire.terminal.send("\r")
        wire.terminal.expect_exact("end ")
        after = [int(word) for word in wire.terminal.expect("\r\n").split()]
        assert [b - a for a, b in zip(before, after)] == [3, 9, 3, 0, 3, 3]
        wire.finish()
