"""Neighbours on the wire: how often they are asked for, what waits for them, what ages, and who claims our address.

With --icount the machine's clock jumps over idle time, so a minute passes in no time, faster than anybody here answers.
"""

import socket
import struct
import tempfile

from frames import BROADCAST, ITS_IP, OUR_IP, OUR_MAC, Wire, arp, icmp, ipv4, is_datagram, with_program
from support import busybox

PEER, PEER_MAC = "10.9.0.7", bytes.fromhex("020000000007")
OTHER_MAC = bytes.fromhex("020000000077")


def is_question(frame, about):
    return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == socket.inet_aton(about)


def answer(wire, address=PEER, station=PEER_MAC):
    wire.send(arp(2, station, address, wire.mac, ITS_IP), kind=0x806)


def frames_of(script, *words):
    """What a machine on a wire with nobody at the other end sends, and what it prints: its clock jumps."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        here.bind(folder + "/b")
        out = busybox(f"ifconfig eth0 {ITS_IP} netmask 255.255.255.0 up; {script}", "--icount", *words,
                      "--net", f"dgram:{folder}/a:{folder}/b").must_have_run()
        here.setblocking(False)
        frames = []
        while True:
            try:
                frames.append(here.recv(2000))
            except BlockingIOError:
                return frames, out.text


def test_nobody_is_asked_for_more_than_three_times(tmp_path):
    frames, out = frames_of(f"/sender {PEER} 9 lost; ip neigh", *with_program(tmp_path, "sender"))
    asked = [f for f in frames if is_question(f, PEER)]
    assert len(asked) == 3 and all(f[:6] == BROADCAST for f in asked)
    assert not any(is_datagram(f, PEER) for f in frames)
    # The sender hears of it (RFC 1122, section 2.3.2.2), and the entry is gone.
    assert out == f"1 sent\nlost to {PEER}:9: No route to host, type 3 code 1 info 0 from {ITS_IP}\n"


def test_a_connection_to_nobody_fails_at_once():
    frames, out = frames_of(f"nc {PEER} 80 2>&1")
    assert "No route to host" in out, out
    assert len([f for f in frames if is_question(f, PEER)]) == 3


def test_one_packet_waits_and_it_is_the_newest(tmp_path):
    with Wire(f"/sender {PEER} 9 one two three & read x; kill $!", *with_program(tmp_path, "sender")) as wire:
        wire.terminal.expect_exact("3 sent\r\n")
        wire.expect(lambda f: is_question(f, PEER))
        answer(wire)
        frame = wire.expect(lambda f: is_datagram(f, PEER))
        assert frame[:6] == PEER_MAC and frame[42:47] == b"three"
        wire.ping()
        assert not any(is_datagram(f, PEER) for f in iter(lambda: wire.receive(0), None))
        wire.finish()


def test_what_is_old_is_doubted_and_then_given_up(tmp_path):
    """A minute after the last word of a neighbour who is spoken to, it is asked for again, as long as there is hope."""
    script = (f"arp -s {PEER} 02:00:00:00:00:07 temp; sleep 58; /bin/nc -uz {PEER} 9; ip neigh; sleep 4; "
              f"ping -c 1 -W 1 {PEER} > /dev/null; ip neigh; sleep 4; ip neigh; echo end")
    frames, out = frames_of(script)
    lines = [line.strip() for line in out.splitlines()]
    assert lines == [f"{PEER} dev eth0 lladdr 02:00:00:00:00:07 REACHABLE",
                     f"{PEER} dev eth0 lladdr 02:00:00:00:00:07 PROBE", "end"], out
    about = [f for f in frames if f[12:14] == b"\x08\x00" or is_question(f, PEER)]
    # What is sent meanwhile goes to where it was.
    echo = next(i for i, f in enumerate(about) if f[12:14] == b"\x08\x00" and f[23] == 1)
    assert about[echo][:6] == PEER_MAC
    assert len([f for f in about if is_question(f, PEER)]) == 3


def test_who_answers_a_doubt_stays():
    """The machine is busy after the minute, so its clock doesn't outrun the answer."""
    script = (f"read x; arp -s {PEER} 02:00:00:00:00:07 temp; sleep 61; while :; do :; done & busy=$!; "
              f"ping -c 1 -W 1 {PEER} > /dev/null; "
              f"while ip neigh | grep -q '{PEER}.*PROBE'; do :; done; ip neigh; kill $busy; read x")
    with Wire(script, "--icount") as wire:
        wire.terminal.send("\r")
        wire.expect(lambda f: is_question(f, PEER))
        answer(wire, station=OTHER_MAC)  # from elsewhere now
        wire.terminal.expect_exact(f"{PEER} dev eth0 lladdr {OTHER_MAC.hex(':')} REACHABLE")
        wire.finish()


def test_a_storm_leaves_what_was_made_by_hand():
    script = f"read x; arp -s {PEER} 02:00:00:00:00:07; echo th''en; read x; ip neigh show {PEER}; read x"
    with Wire(script) as wire:
        wire.terminal.send("\r")
        wire.terminal.expect_exact("then\r\n")
        for n in range(520):
            address = f"10.9.{n >> 8}.{n & 0xff}" if n >> 8 else f"10.9.77.{n}"
            wire.send(arp(1, OTHER_MAC, address, b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
            if n % 20 == 0:
                wire.ping()
        wire.ping()
        wire.send(arp(1, OTHER_MAC, PEER, b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
        wire.ping()
        wire.terminal.send("\r")
        wire.terminal.expect_exact(f"{PEER} dev eth0 lladdr 02:00:00:00:00:07 PERMANENT")
        wire.finish()


def test_what_nobody_asked_for_makes_no_entry_but_changes_one():
    script = f"read x; ip neigh; arp -s {PEER} 02:00:00:00:00:07 temp; echo th''en; read x; ip neigh; read x"
    with Wire(script) as wire:
        answer(wire, "10.9.0.99", OTHER_MAC)
        wire.send(arp(1, OTHER_MAC, "10.9.0.98", b"\0" * 6, "10.9.0.50"), to=BROADCAST, kind=0x806)
        wire.ping()
        wire.terminal.send("\r")
        wire.terminal.expect_exact("then\r\n")
        seen = wire.terminal.child.before
        assert f"{OUR_IP} dev" in seen and "10.9.0.9" not in seen, seen
        wire.send(arp(2, OTHER_MAC, PEER, b"\0" * 6, PEER), to=BROADCAST, kind=0x806)
        wire.ping()
        wire.terminal.send("\r")
        wire.terminal.expect_exact(f"{PEER} dev eth0 lladdr {OTHER_MAC.hex(':')} REACHABLE")
        wire.finish()


def test_an_address_of_ours_that_somebody_claims_is_defended():
    """RFC 5227, section 2.4: once; who insists is not answered again for ten seconds."""
    script = "read x; dmesg | grep claims; echo en''d; read x"
    with Wire(script) as wire:
        ours = arp(1, wire.mac, ITS_IP, b"\0" * 6, ITS_IP)
        for kind in (1, 2, 1, 1):
            wire.send(arp(kind, OTHER_MAC, ITS_IP, b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x06")
        assert frame[:6] == BROADCAST and frame[14:42] == ours
        wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
        frame = wire.expect(lambda f: True)
        assert frame[12:14] == b"\x08\x00" and frame[34] == 0, "one announcement is enough"
        # It has not been learnt: who asks for us hears of us alone.
        wire.send(arp(1, OUR_MAC, OUR_IP, b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x06")
        assert frame[14:42] == arp(2, wire.mac, ITS_IP, OUR_MAC, OUR_IP)
        wire.terminal.send("\r")
        wire.terminal.expect_exact(f"eth0: {OTHER_MAC.hex(':')} claims our address {ITS_IP}")
        wire.terminal.expect_exact("end\r\n")
        wire.finish()


def test_who_asks_before_taking_our_address_is_told(tmp_path):
    """A probe (RFC 5227, section 2.1.1) is a question from no address; it teaches nothing."""
    with Wire("read x") as wire:
        wire.send(arp(1, OTHER_MAC, "0.0.0.0", b"\0" * 6, ITS_IP), to=BROADCAST, kind=0x806)
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x06")
        assert frame[:6] == OTHER_MAC and frame[14:42] == arp(2, wire.mac, ITS_IP, OTHER_MAC, "0.0.0.0")
        wire.finish()


def arp_packet(hardware=1, protocol=0x800, lengths=0x0604, operation=1, station=OTHER_MAC, sender="10.9.0.9",
               target=ITS_IP):
    return struct.pack("!HHHH6s4s6s4s", hardware, protocol, lengths, operation, station, socket.inet_aton(sender),
                       b"\0" * 6, socket.inet_aton(target))


WRONG = [dict(hardware=n) for n in (0, 6, 0x100, 0xffff)] + [dict(protocol=n) for n in (0, 0x806, 0x86dd, 8)] + \
    [dict(lengths=n) for n in (0, 0x0600, 0x0604 - 1, 0x0605, 0x0504, 0x0704, 0x0610, 0xffff)] + \
    [dict(operation=n) for n in (0, 3, 8, 0x100, 0xffff)] + \
    [dict(station=BROADCAST), dict(station=b"\1\0\x5e\0\0\1")] + \
    [dict(sender=a) for a in ("224.0.0.1", "127.0.0.1", "255.255.255.255")] + \
    [dict(target=a) for a in ("10.9.0.3", "0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "10.9.0.255")]


def test_every_wrong_field_is_passed_over():
    """No answer, and nothing learnt: not of a right question with one thing wrong, nor of one that ends too soon."""
    with Wire("read x; ip neigh; echo en''d; read x") as wire:
        for packet in [arp_packet(**wrong) for wrong in WRONG] + [arp_packet()[:n] for n in range(28)]:
            wire.send(packet, to=BROADCAST, kind=0x806)
            wire.send(ipv4(icmp(8, 0, 0x4444 << 16, b"end"), 1))
            frame = wire.expect(lambda f: True)
            assert frame[12:14] == b"\x08\x00" and frame[38:40] == b"\x44\x44", packet.hex()
        wire.terminal.send("\r")
        wire.terminal.expect_exact("end\r\n")
        listed = wire.terminal.child.before
        assert f"{OUR_IP} dev eth0 lladdr {OUR_MAC.hex(':')} " in listed and listed.count(" dev ") == 1, listed
        wire.send(arp_packet(), to=BROADCAST, kind=0x806)  # that one was right
        assert wire.expect(lambda f: f[12:14] == b"\x08\x06")[:6] == OTHER_MAC
        wire.finish()


def test_pieces_that_wait_too_long_are_told_of():
    """RFC 792: time exceeded, code 1, with the first piece; not when that one is what is missing."""
    # Nobody is asked for our station: the answer would come after hours of the machine's time.
    script = f"arp -s {OUR_IP} {OUR_MAC.hex(':')}; echo kno''wn; read x; " \
        "awk '/^Ip: [0-9]/ { print \"timeouts\", $14 }' /proc/net/snmp; read x"
    with Wire(script, "--icount") as wire:
        wire.terminal.expect_exact("known\r\n")
        first = ipv4(b"f" * 64, 17, ident=0x1111, fragment=0x2000)
        wire.send(ipv4(b"s" * 64, 17, ident=0x2222, fragment=8))
        wire.send(first)
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
        assert frame[34:36] == b"\x0b\1" and frame[42:62] == first[:20]
        wire.terminal.send("\r")
        wire.terminal.expect_exact("timeouts 2\r\n")
        assert not any(f[12:14] == b"\x08\x00" and f[34:36] == b"\x0b\1"
                       for f in iter(lambda: wire.receive(0), None))
        wire.finish()
