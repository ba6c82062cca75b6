"""Every field of what comes from the wire with something wrong in turn, layer by layer: nobody answers, and the next
that is right is served.

What a wrong packet would have brought about is always told apart from what the right one behind it does, so nothing
here waits for silence.
"""

import socket
import struct

import pytest

from frames import (ACK, BROADCAST, ITS_IP, OUR_IP, OUR_MAC, PSH, SYN, Wire, checksum, icmp, ipv4, is_datagram, tcp,
                    udp, with_program)
from test_network_bad import DOWN, echo_server, quiet, with_sums

DATA = b"abcdefghijklmnopqrstuvwxyz012345"  # a frame with so much is not filled up
ECHO = ipv4(icmp(8, 0, 0x5555 << 16, DATA), 1)
GROUP_STATION, ALL_HOSTS_STATION = b"\1\0\x5e\1\2\3", b"\1\0\x5e\0\0\1"


def bits_of(packet, first, last):
    """PACKET with each bit of bytes FIRST to LAST changed in turn."""
    for at in range(first, last):
        for bit in range(8):
            wrong = bytearray(packet)
            wrong[at] ^= 1 << bit
            yield bytes(wrong)


def put(packet, at, data):
    """PACKET with DATA at AT, and its checksums right again."""
    wrong = bytearray(packet)
    wrong[at:at + len(data)] = data
    return bytes(with_sums(wrong))


def answers(wire, packet, **words):
    """How many frames answer PACKET before the echo that is sent behind it is answered."""
    wire.send(packet, **words)
    wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
    for count in range(100):
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x00")
        if frame[23] == 1 and frame[34] == 0 and frame[38:40] == b"\x44\x44":
            return count
    raise AssertionError("too many answers")


def test_of_ethernet():
    with Wire("nc -ll -p 7 -e cat & read x; kill %1" + DOWN, "--leak-check") as wire:
        wire.send(ECHO)  # that one is right
        assert wire.expect(lambda f: f[12:14] == b"\x08\x00")[38:40] == b"\x55\x55"
        for kind in [*range(0x40), *(1 << n for n in range(6, 16) if n != 11), 0x5dc, 0x5ff, 0x600, 0x801, 0x7ff, 0x8,
                     0x8100, 0x86dd, 0xffff]:
            assert answers(wire, ECHO, kind=kind) == 0, kind
        # To other stations; to all, what was meant for one.
        for to in (b"\2\0\0\0\0\x99", wire.mac[:5] + bytes([wire.mac[5] ^ 1]), bytes([wire.mac[0] ^ 2]) + wire.mac[1:],
                   b"\0" * 6):
            assert answers(wire, ECHO, to=to) == 0, to
        for to in (BROADCAST, GROUP_STATION, ALL_HOSTS_STATION):
            assert answers(wire, ECHO, to=to) == 0, to
            assert answers(wire, ipv4(tcp(b"", 3000, 7, 1, 0, SYN), 6), to=to) == 0, to
            assert answers(wire, ipv4(tcp(b"", 3000, 9, 1, 0, SYN), 6), to=to) == 0, to
            assert answers(wire, ipv4(udp(b"x"), 17), to=to) == 0, to
        # Shorter than any frame can be, and longer.
        whole = wire.mac + OUR_MAC + b"\x08\0" + ECHO
        for n in range(1, len(whole)):
            wire.socket.sendto(whole[:n], wire.here)
        for n in (1501, 2000, 4000, 4096, 9000, 60000):
            wire.send(ipv4(icmp(13, 0, 0, b"x" * (n - 28)), 1))
        assert wire.ping(b"alive") == b"alive"
        wire.finish()


def test_of_ipv4():
    with Wire("read x" + DOWN, "--leak-check") as wire:
        quiet(wire, bits_of(ECHO, 0, 20))
        quiet(wire, [put(ECHO, 0, bytes([version << 4 | 5])) for version in range(16) if version != 4])
        for words in [*range(5), *range(6, 16)]:  # of the header; the echo's first bytes are no options
            wrong = bytearray(put(ECHO, 0, bytes([0x40 | words])))
            wrong[10:12] = b"\0\0"
            wrong[10:12] = struct.pack("!H", checksum(bytes(wrong[:words * 4])))
            quiet(wire, [bytes(wrong)])
        quiet(wire, [ipv4(icmp(8, 0, 0x5555 << 16, DATA), 1, length=n)
                     for n in (*range(len(ECHO)), *range(len(ECHO) + 1, 200), 1500, 32768, 65535)])
        quiet(wire, [ECHO[:n] for n in range(len(ECHO))])
        quiet(wire, [put(ECHO, 12, socket.inet_aton(a)) for a in
                     ("0.0.0.0", "0.0.0.1", "0.255.255.255", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.1.2.3",
                      "255.255.255.255", "10.9.0.0", "10.9.0.255", ITS_IP)])
        quiet(wire, [put(ECHO, 16, socket.inet_aton(a)) for a in
                     ("0.0.0.0", "127.0.0.1", "127.0.0.2", "224.0.0.1", "239.1.2.3", "10.9.0.0", "10.9.0.255",
                      "10.9.0.3", OUR_IP, "192.0.2.1", "255.255.255.255")])
        assert answers(wire, ECHO) == 1
        # Pieces: none alone is a packet, or goes beyond the longest one. That they are given up may be said.
        for n, fragment in enumerate((0x2000, 1, 0x2001, 0x1fff, 0x3fff, 0x1ffd, 0x0fff, 0x8001, 0xa000)):
            wire.send(ipv4(icmp(8, 0, 0x5555 << 16, DATA), 1, ident=1000 + n, fragment=fragment))
        wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 0)
        assert frame[38:40] == b"\x44\x44", frame
        wire.finish()


@pytest.mark.parametrize("kind", [7, 68, 130, 131, 133, 136, 137, 148, 2, 77, 255])
def test_of_the_options_of_ipv4(kind):
    """Source routes are refused, as is what has no end; the rest is passed over."""
    with Wire("read x" + DOWN, "--leak-check") as wire:
        for before in range(4):
            for length in (*range(12), 39, 40, 41, 127, 128, 255):
                options = (b"\1" * before + bytes([kind, length])).ljust(8, b"\0")
                fits = 2 <= length <= 8 - before and kind not in (131, 137)
                packet = ipv4(icmp(8, 0, 0x5555 << 16, DATA), 1, options=options)
                assert answers(wire, packet) == fits, options
            # The last byte of the header begins one.
            options = b"\1" * 7 + bytes([kind])
            assert answers(wire, ipv4(icmp(8, 0, 0x5555 << 16, DATA), 1, options=options)) == 0
        wire.finish()


def test_of_icmp():
    """No message but an echo is answered, and no wrong echo."""
    with Wire("read x" + DOWN, "--leak-check") as wire:
        quiet(wire, [ECHO[:20] + message for message in bits_of(ECHO[20:], 0, 8)])
        quiet(wire, [ipv4(ECHO[20:20 + n], 1) for n in range(8)])
        quiet(wire, [ipv4(icmp(kind, 0, 0x5555 << 16, DATA), 1) for kind in range(256) if kind != 8])
        quote = ipv4(udp(b"x", 5000, 4000, from_=ITS_IP, to=OUR_IP), 17, ITS_IP, OUR_IP)
        quiet(wire, [ipv4(icmp(kind, code, 0, quote[:n]), 1)
                     for kind in (3, 4, 5, 11, 12) for code in (0, 4, 15, 16, 255) for n in (0, 1, 19, 20, 27, 28)])
        assert answers(wire, ECHO) == 1
        wire.finish()


def test_of_what_icmp_quotes(tmp_path):
    """The sender hears only of the packet that it has sent, though many other things are said before that."""
    script = "route add default gw 10.9.0.1; /sender 192.0.2.1 33434 text" + DOWN
    with Wire(script, *with_program(tmp_path, "sender"), "--leak-check") as wire:
        frame = wire.expect(lambda f: is_datagram(f, "192.0.2.1"))
        sent = frame[14:14 + struct.unpack("!H", frame[16:18])[0]]
        wrong = [sent[:n] for n in range(28)]
        wrong += [bytes([n << 4 | 5]) + sent[1:] for n in range(16) if n != 4]
        wrong += [bytes([0x40 | n]) + sent[1:] for n in range(16) if n != 5]
        wrong += [sent[:6] + struct.pack("!H", n) + sent[8:] for n in (1, 2, 0x2001, 0x4001, 0x1fff)]
        wrong += [sent[:9] + bytes([n]) + sent[10:] for n in range(256) if n != 17]
        wrong += [sent[:12] + socket.inet_aton(a) + sent[16:] for a in
                  ("0.0.0.0", "10.9.0.1", "10.9.0.3", "10.9.0.255", "224.0.0.1", "255.255.255.255")]
        wrong += [sent[:20] + struct.pack("!H", struct.unpack("!H", sent[20:22])[0] ^ 1 << n) + sent[22:]
                  for n in range(16)]
        for quote in wrong:
            wire.send(ipv4(icmp(3, 1, 0, quote), 1, source="192.0.2.254"))
        for code in (16, 17, 128, 255):
            wire.send(ipv4(icmp(3, code, 0, sent), 1, source="192.0.2.254"))
        for kind in set(range(256)) - {3, 11, 12}:
            wire.send(ipv4(icmp(kind, 1, 0, sent), 1, source="192.0.2.254"))
        for n in range(16):
            right = checksum(icmp(3, 1, 0, sent, sum_=0))
            wire.send(ipv4(icmp(3, 1, 0, sent, sum_=right ^ 1 << n), 1, source="192.0.2.254"))
        wire.send(ipv4(icmp(3, 13, 0, sent), 1, source="192.0.2.254"))
        wire.terminal.expect(r"text to 192.0.2.1:33434: ([^\r]*)\r\n")
        assert wire.terminal.child.match[1] == "No route to host, type 3 code 13 info 0 from 192.0.2.254"
        assert wire.terminal.status() == 0, wire.terminal.child.before


def test_of_udp():
    """An echo server hears what is right, and that only, in the order in which it came."""
    script = "/demo/udpecho server 5000 & read x; kill %1; wait" + DOWN
    with Wire(script, "--leak-check") as wire:
        wire.terminal.expect_exact("port 5000")
        right = udp(b"wrong")
        wrong = [udp(b"wrong", length=n) for n in (*range(8), *range(14, 60), 1000, 65535)]
        wrong += [udp(b"wrong", length=n) for n in range(8, 13)]  # the checksum is of another length
        wrong += [right[:n] for n in range(13)]
        wrong += [message for message in bits_of(right, 0, 13) if message[6:8] != b"\0\0"]
        wrong += [udp(b"wrong", from_="10.9.0.3"), udp(b"wrong", to="10.9.0.3")]  # another pseudo-header
        for n in (0, 1, 4):  # the padding of a frame is no data, nor is what follows in the packet
            for message in wrong:
                wire.send(ipv4(message + b"\0" * n, 17))
                wire.idle(4)
            wire.send(ipv4(udp(b"right %d" % n) + b"\xff" * n, 17))
            heard = wire.expect(lambda f: is_datagram(f, OUR_IP))
            length = struct.unpack("!H", heard[16:18])[0]
            assert heard[42:14 + length] == b"right %d" % n
        wire.send(ipv4(udp(b"no sum", sum_=0), 17))
        assert wire.expect(lambda f: is_datagram(f, OUR_IP))[42:48] == b"no sum"
        wire.finish()


def test_of_tcp():
    """Each bit of a segment's header, and its checksum over what isn't so, on a connection that lives."""
    with echo_server() as (wire, old):
        right = tcp(b"wrong", old.source, old.destination, old.seq, old.ack, ACK | PSH)
        for segment in bits_of(right, 0, len(right)):
            wire.send(ipv4(segment, 6))
            wire.idle(4)
        for n in range(len(right)):
            wire.send(ipv4(right[:n], 6))
        for words in ({"from_": "10.9.0.3"}, {"to": "10.9.0.3"}):
            wire.send(ipv4(tcp(b"wrong", old.source, old.destination, old.seq, old.ack, ACK | PSH, **words), 6))
        old.echo(b"right")
        for offset in (*range(5), *range(11, 16)):  # beyond its end, when it has five words and no data
            wire.send(ipv4(tcp(b"wrong", old.source, old.destination, old.seq, old.ack, ACK | PSH,
                               offset=offset), 6))
            old.echo(b"offset %d" % offset)


def igmp(kind, tenths, group=b"\0\0\0\0", flip=0):
    head = struct.pack("!BBH4s", kind, tenths, 0, group)
    return struct.pack("!BBH4s", kind, tenths, checksum(head) ^ flip, group)


def test_of_igmp(tmp_path):
    """Wrong questions are answered by nobody, and wrong reports of others silence nobody."""
    group = socket.inet_aton("239.1.2.3")
    script = ("route add -net 224.0.0.0 netmask 240.0.0.0 eth0; /group_member 239.1.2.3 5000 > /dev/null & "
              "read x; sleep 2; echo sle''pt; read x; kill %1; wait" + DOWN)

    def query(message, destination="224.0.0.1", to=ALL_HOSTS_STATION):
        wire.send(ipv4(message, 2, destination=destination), to=to)

    def next_of_igmp():
        return wire.expect(lambda f: f[12:14] == b"\x08\0" and (f[23] == 2 or f[38:40] == b"\x44\x44"))

    with Wire(script, *with_program(tmp_path, "group_member", "bench"), "--leak-check") as wire:
        for kind in (0x16, 0x17, 0x16, 0x16):  # joined, left, joined, and within ten seconds once more
            assert next_of_igmp()[38] == kind
        right = igmp(0x11, 1)
        for message in [*bits_of(right, 0, 8), *(right[:n] for n in range(8)),
                        *(igmp(kind, 1) for kind in range(256) if kind != 0x11),
                        igmp(0x11, 1, b"\xef\1\2\4"), igmp(0x11, 1, b"\1\2\3\4"), igmp(0x11, 1, b"\xff\xff\xff\xff")]:
            query(message)
        wire.ping()
        # Two seconds of the machine's own time: what was to be said within a tenth has been said.
        wire.terminal.send("\r")
        wire.terminal.expect_exact("slept\r\n")
        wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
        assert next_of_igmp()[23] == 1, "a wrong question was answered"
        # Asked rightly, and others report wrongly: it answers all the same.
        query(igmp(0x11, 20))
        for message in [*(igmp(0x16, 0, group, 1 << n) for n in range(16)),
                        *(igmp(0x16, 0, group)[:n] for n in range(8)), igmp(0x16, 0, b"\xef\1\2\4"),
                        igmp(0x16, 0), igmp(0x17, 0, group), igmp(0, 0, group)]:
            query(message, "239.1.2.3", GROUP_STATION)
        assert next_of_igmp()[38:46] == igmp(0x16, 0, group)
        wire.finish()
