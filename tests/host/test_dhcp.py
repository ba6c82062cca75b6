"""dhcp and what init does with it: QEMU's network as it is, and a server of our own that isn't always kind."""

import socket
import struct

import pexpect
import pytest

from frames import BROADCAST, OUR_IP, Wire, arp, ipv4, udp
from support import busybox
from terminal import shell

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE = 1, 2, 3, 4, 5, 6, 7
GIVEN = "10.9.0.77"
OTHER_MAC = bytes.fromhex("020000000077")


def test_a_program_finds_the_network_set_up():
    out = busybox("ifconfig eth0; route -n; cat /etc/resolv.conf; dmesg | grep -c dhcp", "--net", "user").text
    assert "inet addr:10.0.2.15" in out and "Mask:255.255.255.0" in out
    assert "10.0.2.2        0.0.0.0         UG" in out
    assert out.endswith("nameserver 10.0.2.3\n0\n")


def test_without_an_interface_nothing_is_said():
    assert busybox("ps -A | grep -c dhc[p]; cat /etc/resolv.conf 2>/dev/null").text == "0\n"


def test_a_shell_finds_the_network_soon():
    with shell("--net", "user") as terminal:
        terminal.command("until grep -qs 10.0.2.3 /etc/resolv.conf; do sleep 0.1; done")
        assert "10.0.2.15" in terminal.command("/bin/busybox ifconfig eth0")
        assert "dhcp -f" in terminal.command("ps -A -o args 2>/dev/null || ps -A")


class Server:
    """The other end of the wire, as far as DHCP goes."""

    def __init__(self, wire):
        self.wire = wire
        self.kept = []  # requests to prolong a lease that came while it was being given

    @staticmethod
    def is_message(frame):
        return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[34:38] == b"\0\x44\0\x43"

    def hear(self, *kinds):
        """The client's next message of one of KINDS: its frame, and its options."""
        def is_wanted(frame):
            return self.is_message(frame) and self.options(frame[42:])[53][0] in kinds
        kept, self.kept = list(filter(is_wanted, self.kept)), []
        frame = kept[0] if kept else self.wire.expect(is_wanted)
        return frame, self.options(frame[42:])

    @staticmethod
    def options(message):
        assert message[236:240] == b"\x63\x82\x53\x63"
        found, at = {}, 240
        while message[at] != 255:
            found[message[at]] = message[at + 2:at + 2 + message[at + 1]]
            at += 2 + message[at + 1]
        return found

    @staticmethod
    def message(question, kind, *, address=GIVEN, lease=3600, more=b"", **wrong):
        q = question[42:]
        head = bytearray(struct.pack("!BBBB4sHH4s4s4s4s16s", wrong.get("op", 2), 1, 6, 0, wrong.get("xid", q[4:8]), 0,
                                     0x8000, b"\0" * 4, socket.inet_aton(address), b"\0" * 4, b"\0" * 4, q[28:44]))
        if "station" in wrong:
            head[28:34] = wrong["station"]
        options = bytes([53, 1, kind, 54, 4]) + socket.inet_aton(wrong.get("server", OUR_IP))
        if kind != NAK:
            options += b"\1\4\xff\xff\xff\0" + b"\3\4" + socket.inet_aton(OUR_IP) + \
                struct.pack("!BBI", 51, 4, lease)
        return bytes(head) + b"\0" * 192 + wrong.get("cookie", b"\x63\x82\x53\x63") + options + more + b"\xff"

    def say(self, question, kind, to="255.255.255.255", **words):
        payload = udp(self.message(question, kind, **words), 67, 68, to=to, from_=OUR_IP)
        self.wire.send(ipv4(payload, 17, OUR_IP, to), to=BROADCAST)

    def serve(self, frame, **words):
        """Answer a frame that asks for an address. Who was answered too late asks anew."""
        if not self.is_message(frame):
            return
        options = self.options(frame[42:])
        kind = options[53][0]
        if kind == DISCOVER:
            self.say(frame, OFFER, **words)
        elif kind == REQUEST and 54 in options:
            assert options[50] == socket.inet_aton(GIVEN) and options[54] == socket.inet_aton(OUR_IP)
            self.say(frame, ACK, **words)
        elif kind == REQUEST:
            self.kept.append(frame)

    def give(self, **words):
        """A lease, from the first question on."""
        has = f"eth0: has {GIVEN}"
        while self.wire.terminal.child.expect_exact([has, pexpect.TIMEOUT], timeout=0.1) != 0:
            while frame := self.wire.receive(0):
                self.serve(frame, **words)

    def give_until(self, claim, **words):
        """A lease, from the first question on, until there is a frame of which CLAIM holds."""
        while not claim(frame := self.wire.expect(lambda f: True)):
            self.serve(frame, **words)
        return frame


def started(words):
    return Wire(f"trap : INT; read x; ifconfig eth0 0.0.0.0; dhcp -fv {words} eth0; echo status $?; ifconfig eth0; "
                "route -n; cat /etc/resolv.conf")


@pytest.fixture
def server():
    with started("") as wire:
        wire.terminal.send("\r")
        yield Server(wire)


@pytest.fixture
def slow_server():
    """Its client asks the link for long enough that even a busy machine's answers come in time."""
    with started("-p 9") as wire:
        wire.terminal.send("\r")
        yield Server(wire)


def times(renewal, rebinding):
    """The options that say when a lease's server is asked again, and when everybody is (RFC 2132, 9.11 and 9.12)."""
    return struct.pack("!BBIBBI", 58, 4, renewal, 59, 4, rebinding)


def end(server):
    """^C, and what the machine shows then."""
    server.wire.terminal.send("\x03")
    server.hear(RELEASE)
    server.wire.terminal.expect_exact("status 0")
    return server.wire.terminal


def test_what_a_client_asks(server):
    frame, options = server.hear(DISCOVER)
    assert frame[:6] == BROADCAST and frame[26:34] == b"\0\0\0\0\xff\xff\xff\xff"
    message = frame[42:]
    assert message[:4] == b"\1\1\6\0" and message[28:34] == server.wire.mac
    assert options[61] == b"\1" + server.wire.mac and {1, 3, 6} <= set(options[55])
    length = struct.unpack("!H", frame[38:40])[0]
    assert udp(frame[42:34 + length], 68, 67, from_="0.0.0.0", to="255.255.255.255") == frame[34:34 + length]
    # It asks again, by another question.
    again, _ = server.hear(DISCOVER)
    assert again[46:50] != frame[46:50]


def test_a_lease_is_used_and_given_back(server):
    server.give(more=b"\6\x08\x0a\x09\0\1\x0a\x09\0\3" + b"\x0f\x0bexample.org")
    terminal = end(server)
    terminal.expect_exact("nameserver 10.9.0.1\r\nnameserver 10.9.0.3")


LIES = [dict(xid=b"\0\0\0\0"), dict(op=1), dict(station=b"\2\2\2\2\2\2"), dict(cookie=b"\0\0\0\0"),
        dict(address="0.0.0.0"), dict(address="127.0.0.1"), dict(address="224.0.0.1"), dict(address="255.255.255.255"),
        dict(server="0.0.0.0"), dict(more=b"\x36\xff")]


def test_lies_are_passed_over(server):
    question, _ = server.hear(DISCOVER)
    for lie in LIES[:-1]:
        server.say(question, OFFER, **lie)
    for n in range(0, 251, 7):
        payload = Server.message(question, OFFER)[:n]
        server.wire.send(ipv4(udp(payload, 67, 68, to="255.255.255.255"), 17, OUR_IP, "255.255.255.255"), to=BROADCAST)
    server.say(question, ACK, address="10.9.0.66")
    server.say(question, OFFER)
    # It asks anew when that took too long.
    while (asked := server.hear(DISCOVER, REQUEST))[1][53][0] == DISCOVER:
        server.say(asked[0], OFFER)
    question, options = asked
    assert options[50] == socket.inet_aton(GIVEN)
    for lie in LIES[:-1]:
        server.say(question, ACK, **lie)
    server.say(question, ACK, lease=0)
    more = b"\x0f\x08\n\nsearch" + b"\x36\xff"
    server.say(question, ACK, more=more)
    server.give(more=more)
    end(server)


def test_a_refusal_begins_anew(server):
    while (asked := server.hear(DISCOVER, REQUEST))[1][53][0] == DISCOVER:
        server.say(asked[0], OFFER)
    server.say(asked[0], NAK)
    server.give()
    end(server)


def test_a_lease_is_renewed_with_its_server(server):
    server.give(more=times(1, 1800))
    frame, options = server.hear(REQUEST)
    assert frame[30:34] == socket.inet_aton(OUR_IP) and frame[26:30] == socket.inet_aton(GIVEN)
    assert frame[54:58] == socket.inet_aton(GIVEN) and 50 not in options and 54 not in options
    server.wire.send(ipv4(udp(Server.message(frame, ACK, more=times(1, 9)), 67, 68, to=GIVEN), 17, OUR_IP, GIVEN))
    frame, _ = server.hear(REQUEST)
    assert frame[30:34] == socket.inet_aton(OUR_IP)
    # Nobody answers: everybody is asked, and answers.
    frame, _ = server.hear(REQUEST)
    assert frame[30:34] == b"\xff\xff\xff\xff"
    server.wire.send(ipv4(udp(Server.message(frame, ACK), 67, 68, to=GIVEN), 17, OUR_IP, GIVEN))
    server.wire.terminal.expect_exact(f"eth0: has {GIVEN}")
    end(server)


def test_a_lease_that_is_over_is_given_up(server):
    server.give(lease=3)
    server.wire.terminal.expect_exact(f"has lost {GIVEN}")
    server.give()
    end(server)


def test_a_lease_that_is_refused_is_given_up(server):
    server.give(more=times(1, 1800))
    frame, _ = server.hear(REQUEST)
    server.wire.send(ipv4(udp(Server.message(frame, NAK), 67, 68, to=GIVEN), 17, OUR_IP, GIVEN))
    server.wire.terminal.expect_exact(f"has lost {GIVEN}")
    server.give()
    end(server)


def is_probe(frame):
    """The client asks whether somebody has the address."""
    return frame[12:14] == b"\x08\x06" and frame[38:42] == socket.inet_aton(GIVEN)


def test_the_link_is_asked_before_an_address_is_used(server):
    probes = [server.give_until(is_probe), *(server.wire.expect(is_probe) for _ in range(3))]
    for frame in probes[:3]:
        assert frame[:6] == BROADCAST
        assert frame[14:42] == arp(1, server.wire.mac, "0.0.0.0", b"\0" * 6, GIVEN)
    # Then it is told (RFC 5227, section 2.3).
    assert probes[3][14:42] == arp(1, server.wire.mac, GIVEN, b"\0" * 6, GIVEN)
    server.wire.terminal.expect_exact(f"eth0: has {GIVEN}")
    end(server)


CLAIMS = {
    "an answer": lambda mac: arp(2, OTHER_MAC, GIVEN, mac, "0.0.0.0"),
    "an announcement": lambda mac: arp(1, OTHER_MAC, GIVEN, b"\0" * 6, GIVEN),
    "another's question": lambda mac: arp(1, OTHER_MAC, "0.0.0.0", b"\0" * 6, GIVEN),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_somebody_has_is_declined(slow_server, claim):
    server = slow_server
    server.give_until(is_probe)
    server.wire.send(CLAIMS[claim](server.wire.mac), to=BROADCAST, kind=0x806)
    frame, options = server.hear(DECLINE)
    assert options[50] == socket.inet_aton(GIVEN) and options[54] == socket.inet_aton(OUR_IP)
    assert frame[26:34] == b"\0\0\0\0\xff\xff\xff\xff" and frame[54:58] == b"\0" * 4  # from nobody, ciaddr
    assert frame[52:54] == b"\0\0" and not {55, 57} & set(options)  # RFC 2131, table 5
    server.wire.terminal.expect_exact(f"somebody else has {GIVEN}")
    server.give()
    end(server)


def test_what_others_say_of_other_addresses_is_no_claim(slow_server):
    server = slow_server
    frame = server.give_until(is_probe)
    for packet in (arp(2, OTHER_MAC, "10.9.0.78", server.wire.mac, "0.0.0.0"),
                   arp(1, OTHER_MAC, "10.9.0.78", b"\0" * 6, GIVEN),  # only looks for it
                   arp(1, OTHER_MAC, "0.0.0.0", b"\0" * 6, "10.9.0.78"),
                   frame[14:42],  # our own, come back
                   b"\0" * 28, b"\0\x0f" + arp(2, OTHER_MAC, GIVEN, server.wire.mac, "0.0.0.0")[2:]):  # of no Ethernet
        server.wire.send(packet, to=BROADCAST, kind=0x806)
    server.wire.terminal.expect_exact(f"eth0: has {GIVEN}")
    end(server)


def test_nobody_gives_an_address():
    with Wire("dhcp -q -t 1.5; echo status $?; dhcp nonesuch; dhcp lo; echo status $?") as wire:
        wire.terminal.expect_exact("eth0: nobody gives an address")
        wire.terminal.expect_exact("status 1")
        wire.terminal.expect_exact("dhcp: nonesuch: ")
        wire.terminal.expect_exact("dhcp: lo: ")
        wire.terminal.expect_exact("status 1")
