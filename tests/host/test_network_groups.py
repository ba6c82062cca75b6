"""Multicast and broadcast on the wire: IGMP version 2 as a router hears it, and who gets what."""

import os
import struct

from frames import BROADCAST, Wire, checksum, ipv4, udp
from support import BUILD

GROUP, GROUP_MAC, GROUP_BYTES = "239.1.2.3", b"\1\0\x5e\1\2\3", b"\xef\1\2\3"
MEMBER = os.path.join(BUILD, "tests", "bench", "group_member")


def igmp(kind, tenths, group=b"\0\0\0\0"):
    head = struct.pack("!BBH4s", kind, tenths, 0, group)
    return struct.pack("!BBH4s", kind, tenths, checksum(head), group)


def reported(wire, kind):
    """The next IGMP message of KIND: its frame's and packet's destinations, and its group. All of RFC 2236 holds."""
    frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 2)
    head = (frame[14] & 15) * 4
    message = frame[14 + head:14 + head + 8]
    assert frame[22] == 1 and checksum(frame[14:14 + head]) == 0 and checksum(message) == 0
    assert frame[34:38] == b"\x94\4\0\0", "the router alert option (RFC 2113)"
    assert message[0] == kind, frame
    return frame[:6], frame[30:34], message[4:]


def test_a_member_says_so_and_answers_and_leaves(tmp_path):
    (tmp_path / "member").write_bytes(open(MEMBER, "rb").read())
    (tmp_path / "member").chmod(0o755)
    report = (GROUP_MAC, GROUP_BYTES, GROUP_BYTES)
    script = f"route add -net 224.0.0.0 netmask 240.0.0.0 eth0; /member {GROUP} 5000; read x"
    with Wire(script, "--overlay", str(tmp_path)) as wire:
        # Joined without a name of the interface, left again, and joined by its number.
        assert reported(wire, 0x16) == report
        assert reported(wire, 0x17) == (b"\1\0\x5e\0\0\2", b"\xe0\0\0\2", GROUP_BYTES)
        assert reported(wire, 0x16) == report
        wire.terminal.expect_exact("joined\r\n")
        # Once more, some time within ten seconds, lest the first was lost.
        assert reported(wire, 0x16) == report
        # A router asks for all groups, and for this one, or a switch without an address; nobody is asked about another.
        wire.send(ipv4(igmp(0x11, 5), 2, destination="224.0.0.1"), to=b"\1\0\x5e\0\0\1")
        assert reported(wire, 0x16) == report
        wire.send(ipv4(igmp(0x11, 5, b"\xef\1\2\4"), 2, destination="224.0.0.1"), to=b"\1\0\x5e\0\0\1")
        wire.send(ipv4(igmp(0x11, 5, GROUP_BYTES), 2, destination=GROUP), to=GROUP_MAC)
        assert reported(wire, 0x16) == report
        wire.send(ipv4(igmp(0x11, 5), 2, source="0.0.0.0", destination="224.0.0.1"), to=b"\1\0\x5e\0\0\1")
        assert reported(wire, 0x16) == report
        # What is for the group comes to both; what is for another, or for all, does not or does.
        for text, destination, mac in ((b"hello", GROUP, GROUP_MAC), (b"other", "239.1.2.4", b"\1\0\x5e\1\2\4"),
                                       (b"wide", "10.9.0.255", BROADCAST), (b"wider", "255.255.255.255", BROADCAST),
                                       (b"leave", GROUP, GROUP_MAC)):
            wire.send(ipv4(udp(text, to=destination), 17, destination=destination), to=mac)
        for line in (f"hello to {GROUP}", "wide to 10.9.0.255", "wider to 255.255.255.255", f"leave to {GROUP}"):
            wire.terminal.expect_exact(f"{line} by interface 2\r\n{line} by interface 2\r\n")
        wire.terminal.expect_exact("one left\r\n")
        # The machine is still a member. Another member that is faster silences it, so it has nothing to say at the end.
        wire.send(ipv4(igmp(0x11, 250, GROUP_BYTES), 2, destination=GROUP), to=GROUP_MAC)
        wire.send(ipv4(igmp(0x16, 0, GROUP_BYTES), 2, destination=GROUP), to=GROUP_MAC)
        wire.send(ipv4(udp(b"end", to=GROUP), 17, destination=GROUP), to=GROUP_MAC)
        wire.terminal.expect_exact("both left\r\n")
        wire.send(ipv4(b"\0" * 8, 2, destination="224.0.0.1"), to=b"\1\0\x5e\0\0\1")
        assert wire.ping(b"alive") == b"alive"
        wire.finish()
