"""What routers say of what the machine sends (RFC 792), and who of its programs hears of it."""

import struct

from frames import ACK, FIN, OUR_IP, PSH, RST, SYN, Wire, icmp, ipv4, is_datagram, tcp, with_program


def is_segment(frame, flags):
    return frame[12:14] == b"\x08\x00" and frame[23] == 6 and frame[47] & (SYN | FIN | RST) == flags


def packet_in(frame):
    return frame[14:14 + struct.unpack("!H", frame[16:18])[0]]


def tcp_answer(frame, flags, data=b""):
    """The packet that acknowledges the segment in FRAME, and all before it."""
    start = 14 + (frame[14] & 15) * 4
    source, destination, seq, ack, offset = struct.unpack("!HHIIB", frame[start:start + 13])
    length = 14 + struct.unpack("!H", frame[16:18])[0] - start - (offset >> 4) * 4 + (frame[47] & SYN) // SYN
    return ipv4(tcp(data, destination, source, ack or 7000, seq + length, flags), 6)


def test_what_a_router_says_reaches_who_asked(tmp_path):
    """ICMP errors of each kind, back into a socket with IP_RECVERR."""
    said = [((3, 0, 0), "Network is unreachable", 0), ((3, 3, 0), "Connection refused", 0),
            ((3, 4, 1300), "Message too long", 1300), ((3, 13, 0), "No route to host", 0),
            ((11, 0, 0), "No route to host", 0), ((12, 0, 0), "Protocol error", 0)]
    script = (f"route add default gw {OUR_IP}; for n in $(seq {len(said)}); do /sender 192.0.2.1 33434 text$n; done; "
              "read x")
    with Wire(script, *with_program(tmp_path, "sender")) as wire:
        for n, ((kind, code, rest), text, info) in enumerate(said, 1):
            frame = wire.expect(lambda f: is_datagram(f, "192.0.2.1"))
            wire.send(ipv4(icmp(kind, code, rest, packet_in(frame)), 1, source="192.0.2.254"))
            wire.terminal.expect_exact(f"text{n} to 192.0.2.1:33434: {text}, type {kind} code {code} info {info} "
                                       "from 192.0.2.254\r\n")
        wire.finish()


def test_what_a_router_says_reaches_a_connection(tmp_path):
    """With IP_RECVERR at once, and the connection goes on; a call of such a one ends, whatever is said."""
    script = f"/caller {OUR_IP} 80 hello; /caller {OUR_IP} 80 again; read x"
    with Wire(script, *with_program(tmp_path, "caller")) as wire:
        wire.send(tcp_answer(wire.expect(lambda f: is_segment(f, SYN)), SYN | ACK))
        frame = wire.expect(lambda f: is_segment(f, 0) and b"hello" in f)
        for kind, code, text in ((3, 1, "No route to host"), (11, 0, "No route to host"),
                                 (3, 0, "Network is unreachable"), (3, 3, "Connection refused"),
                                 (12, 0, "Protocol error")):
            wire.send(ipv4(icmp(kind, code, 0, packet_in(frame)), 1, source="10.9.0.254"))
            wire.terminal.expect_exact(f"error: {text}\r\n")
        wire.send(tcp_answer(frame, ACK | PSH, b"still here"))
        wire.terminal.expect_exact("heard: still here\r\n")
        frame = wire.expect(lambda f: is_segment(f, SYN))
        wire.send(ipv4(icmp(3, 0, 0, packet_in(frame)), 1, source="10.9.0.254"))
        wire.terminal.expect_exact("no call: Network is unreachable\r\n")
        wire.finish()
