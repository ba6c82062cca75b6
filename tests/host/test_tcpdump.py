"""tcpdump: the line for each kind of packet, its filters, its files, and packets that are no such thing."""

import glob
import os
import random
import struct
import subprocess

import pytest

from frames import BROADCAST, OUR_MAC, arp, checksum, icmp, ipv4, udp
from support import BUILD, PATIENCE, ROOT, busybox, run

TCPDUMP = f"{BUILD}/user/tcpdump"
ITS_MAC = bytes.fromhex("020000000002")


def ether(payload, kind=0x800, to=ITS_MAC):
    return to + OUR_MAC + struct.pack("!H", kind) + payload


def tcp(flags, data=b"", options=b"", header=None, seq=100, ack=7):
    length = (20 + len(options)) // 4 if header is None else header
    return struct.pack("!HHIIBBHHH", 4000, 80, seq, ack, length << 4, flags, 512, 0, 9) + options + data


def pcap(frames, order="<", magic=0xa1b2c3d4, link=1):
    text = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
    for n, frame in enumerate(frames):
        text += struct.pack(order + "IIII", 1_700_000_000 + n, 250_000, len(frame), len(frame)) + frame
    return text


def dump(data, *words, status=0):
    done = subprocess.run([TCPDUMP, "-t", "-r", "-", *words], input=data, capture_output=True, timeout=PATIENCE,
                          check=False)
    assert done.returncode == status, done.stderr
    return done.stdout.decode()


QUESTION = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
OPTIONS = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7"
PAIR = "10.9.0.1 > 10.9.0.2: "
PORTS = "IP 10.9.0.1.4000 > 10.9.0.2.80: "
LINES = {
    "arp_request": (ether(arp(1, OUR_MAC, "10.9.0.1", b"\0" * 6, "10.9.0.2"), 0x806, BROADCAST),
                    "ARP who has 10.9.0.2? tell 10.9.0.1"),
    "arp_reply": (ether(arp(2, OUR_MAC, "10.9.0.1", ITS_MAC, "10.9.0.2"), 0x806),
                  "ARP 10.9.0.1 is at 02:00:00:00:00:01"),
    "arp_short": (ether(arp(1, OUR_MAC, "10.9.0.1", b"\0" * 6, "10.9.0.2")[:27], 0x806),
                  "ARP [cut short or wrong], length 41"),
    "echo": (ether(ipv4(icmp(8, 0, 5 << 16 | 6, b"abc"), 1)),
             "IP " + PAIR + "ICMP echo request, id 5, seq 6, length 11"),
    "unreachable": (ether(ipv4(icmp(3, 3, 0, ipv4(udp(b"x"), 17, destination="1.2.3.4")), 1)),
                    "IP " + PAIR + "ICMP port unreachable, of a packet to 1.2.3.4, length 37"),
    "too_big": (ether(ipv4(icmp(3, 4, 1400), 1)), "IP " + PAIR + "ICMP packet too big, mtu 1400, length 8"),
    "igmp": (ether(ipv4(b"\x16\0\0\0\xe0\1\2\3", 2)), "IP " + PAIR + "IGMP report 224.1.2.3"),
    "udp": (ether(ipv4(udp(b"hello"), 17)), "IP 10.9.0.1.4000 > 10.9.0.2.5000: UDP, length 5"),
    "dns": (ether(ipv4(udp(QUESTION, 4000, 53), 17)),
            "IP 10.9.0.1.4000 > 10.9.0.2.53: UDP, length 29, DNS 4660 question type 1 www.example."),
    "udp_wrong": (ether(ipv4(udp(b"hello", length=99), 17)),
                  "IP 10.9.0.1.4000 > 10.9.0.2.5000: UDP, length 91 [wrong]"),
    "syn": (ether(ipv4(tcp(2, options=OPTIONS), 6)),
            PORTS + "Flags [S], seq 100, win 512, options [mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7], length 0"),
    "data": (ether(ipv4(tcp(0x18, b"12345"), 6)), PORTS + "Flags [P.], seq 100:105, ack 7, win 512, length 5"),
    "wraps": (ether(ipv4(tcp(0x10, b"12345", seq=0xfffffffe), 6)),
              PORTS + "Flags [.], seq 4294967294:3, ack 7, win 512, length 5"),
    "sack": (ether(ipv4(tcp(0x10, options=b"\1\1\5\x0a\0\0\0\1\0\0\0\2"), 6)),
             PORTS + "Flags [.], seq 100, ack 7, win 512, options [nop,nop,sack 1:2], length 0"),
    "urgent": (ether(ipv4(tcp(0x20), 6)), PORTS + "Flags [U], seq 100, win 512, urg 9, length 0"),
    "option_too_long": (ether(ipv4(tcp(2, options=b"\2\x09\0\0"), 6)),
                        PORTS + "Flags [S], seq 100, win 512, options [wrong], length 0"),
    "option_of_nothing": (ether(ipv4(tcp(2, options=b"\1\1\x08\0"), 6)),
                          PORTS + "Flags [S], seq 100, win 512, options [nop,nop,wrong], length 0"),
    "tcp_header_wrong": (ether(ipv4(tcp(2, header=4), 6)), PORTS + "Flags [S], a header of 16 bytes [wrong]"),
    "tcp_header_long": (ether(ipv4(tcp(2, header=15), 6)), PORTS + "Flags [S], a header of 60 bytes [wrong]"),
    "first_piece": (ether(ipv4(udp(b"x" * 16, length=100), 17, fragment=0x2000)),
                    "IP 10.9.0.1.4000 > 10.9.0.2.5000: UDP, length 92, a piece at 0, more to come"),
    "last_piece": (ether(ipv4(b"x" * 16, 17, fragment=10)), "IP " + PAIR + "protocol 17, a piece at 80, the last"),
    "another": (ether(ipv4(b"x" * 9, 89)), "IP " + PAIR + "protocol 89, length 9"),
    "padded": (ether(ipv4(udp(b""), 17)).ljust(60, b"\0"), "IP 10.9.0.1.4000 > 10.9.0.2.5000: UDP, length 0"),
    "header_beyond_the_end": (ether(ipv4(b"", 17, ihl=15)), "IP [cut short or wrong], length 34"),
    "another_version": (ether(ipv4(b"", 17, version=6)), "IP [cut short or wrong], length 34"),
    "another_type": (ether(b"x" * 46, 0x86dd), "type 0x86dd, length 60"),
    "vlan": (ether(b"\0\5\x08\0" + ipv4(udp(b""), 17), 0x8100), "IP 10.9.0.1.4000 > 10.9.0.2.5000: UDP, length 0"),
    "nothing": (b"", "type 0x0000, length 0"),
}


@pytest.mark.parametrize("kind", LINES)
def test_the_line_for(kind):
    frame, line = LINES[kind]
    assert dump(pcap([frame])) == line + "\n"


def test_checksums_are_looked_at():
    right, wrong = ipv4(udp(b"hello"), 17), ipv4(udp(b"hello", sum_=1), 17, sum_=2)
    lines = dump(pcap([ether(right), ether(wrong), ether(ipv4(udp(b"", sum_=0), 17))]), "-v").splitlines()
    assert lines[0].endswith(" (ttl 64, id 1)") and lines[2].endswith(" (ttl 64, id 1)")
    assert lines[1].endswith(" (ttl 64, id 1, wrong checksum of IP, wrong checksum of UDP)")


def test_checksums_that_are_left_to_the_device():
    """Such a packet has the sum of addresses, protocol and length; on the loopback it never gets another."""
    def pseudo(protocol, length):
        return 0xffff ^ checksum(bytes([10, 9, 0, 1, 10, 9, 0, 2, 0, protocol]) + struct.pack("!H", length))

    partial = ipv4(udp(b"hello", sum_=pseudo(17, 13)), 17)
    segment = tcp(2)
    segment = segment[:16] + struct.pack("!H", pseudo(6, 20)) + segment[18:]
    one, other = dump(pcap([ether(partial), ether(ipv4(segment, 6))]), "-v").splitlines()
    assert one.endswith(" (ttl 64, id 1, checksum of UDP left to the device)")
    assert other.endswith(" (ttl 64, id 1, checksum of TCP left to the device)")
    out = busybox("/bin/tcpdump -v -i lo -c 3 tcp > /tmp/out 2> /tmp/err & /bin/nc -l 127.0.0.1 7 > /dev/null & "
                  "until grep -q on /tmp/err && grep -q ':0007 .* 0A ' /proc/net/tcp; do :; done; "
                  "echo x | /bin/nc 127.0.0.1 7; wait; cat /tmp/out").text
    assert out.count("checksum of TCP left to the device") == 3 and "wrong" not in out


def test_as_text():
    data = pcap([ether(ipv4(udp(b"GET / HTTP/1.1\r\nHost: x\r\r\n\t\x80"), 17))])
    text = dump(data, "-A").split("\n", 1)[1]
    # In the addresses there are bytes that end lines, too.
    assert text.startswith("E..8....@.f.\n\t..\n\t..") and text.endswith("GET / HTTP/1.1\nHost: x.\n\t.\n")


def test_interfaces_are_named():
    assert busybox("/bin/tcpdump -D", "--net", "user").text == "1.lo\n2.eth0\n"


def test_times_links_and_bytes():
    data = pcap([ether(ipv4(udp(b"hello"), 17))] * 2)
    done = subprocess.run([TCPDUMP, "-r", "-", "-c", "1"], input=data, capture_output=True, check=True,
                          env={"TZ": "UTC0"})
    assert done.stdout.startswith(b"22:13:20.250000 IP ")
    done = subprocess.run([TCPDUMP, "-ttr", "-"], input=data, capture_output=True, check=True)
    assert done.stdout.splitlines()[1].startswith(b"1700000001.250000 IP ")
    done = subprocess.run([TCPDUMP, "-tttr", "-"], input=data, capture_output=True, check=True)
    assert [line[:9] for line in done.stdout.splitlines()] == [b"0.000000 ", b"1.000000 "]
    assert dump(data, "-e", "-c", "1").startswith("02:00:00:00:00:01 > 02:00:00:00:00:02, type 0x0800, length 47: IP")
    out = dump(data, "-c", "1", "-X").splitlines()
    assert out[1].startswith("\t0x0000:  4500 0021") and out[3].endswith("o") and len(out) == 4
    assert dump(data, "-c", "1", "-xx").splitlines()[1] == "\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500"


SET = [ether(arp(1, OUR_MAC, "10.9.0.1", b"\0" * 6, "10.9.0.2"), 0x806, BROADCAST),
       ether(ipv4(icmp(8, 0, 1), 1)),
       ether(ipv4(udp(b"x", 53, 4000), 17, "10.8.0.1")),
       ether(ipv4(tcp(2), 6, destination="10.9.0.77")),
       ether(ipv4(tcp(2, b"y" * 500), 6, "192.168.1.1", "192.168.1.2")),
       ether(b"z" * 100, 0x86dd)]
FILTERS = {
    "arp": [0], "ip": [1, 2, 3, 4], "icmp": [1], "tcp": [3, 4], "udp": [2], "igmp": [], "broadcast": [0],
    "host 10.9.0.1": [0, 1, 3], "src host 10.8.0.1": [2], "dst 10.9.0.2": [0, 1, 2], "src 10.9.0.2": [],
    "net 10.9.0.0/16": [0, 1, 2, 3], "src net 192.168.0.0/16": [4], "net 0.0.0.0/0": [0, 1, 2, 3, 4],
    "port 80": [3, 4], "dst port http": [3, 4], "src port 80": [], "udp port domain": [2], "port 4000": [2, 3, 4],
    "not ip": [0, 5], "! arp and not tcp": [1, 2, 5], "arp or icmp or udp": [0, 1, 2], "tcp and host 10.9.0.77": [3],
    "arp or tcp port 80 and less 60": [0, 3], "(arp or tcp) and greater 100": [4], "not (tcp or udp or arp)": [1, 5],
    "not not arp": [0], "greater 114": [4, 5], "less 42": [0, 1],
}


@pytest.mark.parametrize("words", FILTERS)
def test_filter(words):
    lines = dump(pcap(SET)).splitlines()
    assert dump(pcap(SET), *words.split()).splitlines() == [lines[i] for i in FILTERS[words]]
    assert dump(pcap(SET), words).splitlines() == [lines[i] for i in FILTERS[words]]


@pytest.mark.parametrize("words", ["(", "(arp", "arp )", "and", "host", "host not.a.name.invalid", "port 70000", "port",
                                   "net 10.0.0.0", "net 10.0.0.0/33", "less x", "not", "arp or", "frobnicate",
                                   "(" * 400, "not " * 300 + "arp"])
def test_filters_that_are_none(words):
    assert dump(pcap(SET), words, status=1) == ""


def test_files_are_written_as_they_were_read(tmp_path):
    copy = tmp_path / "copy"
    dump(pcap(SET), "-w", str(copy))
    written = copy.read_bytes()
    assert written[:16] == pcap([])[:16] and written[20:24] == b"\1\0\0\0" and written[24:] == pcap(SET)[24:]
    dump(pcap(SET), "-w", str(copy), "-s", "20", "udp")
    head = struct.pack("<IIII", 1_700_000_002, 250_000, 20, len(SET[2]))
    assert copy.read_bytes()[24:] == head + SET[2][:20]
    for order, magic in ((">", 0xa1b2c3d4), ("<", 0xa1b23c4d), (">", 0xa1b23c4d)):
        assert dump(pcap(SET, order, magic)) == dump(pcap(SET))
    assert dump(pcap([SET[1][14:]], link=101)) == dump(pcap([SET[1]]))
    assert dump(pcap([b"\0" * 14 + b"\x08\0" + SET[1][14:]], link=113)) == dump(pcap([SET[1]]))


def test_files_that_are_none():
    for data in (b"", b"x" * 30, pcap([])[:20], pcap([], link=147)):
        dump(data, status=1)
    assert dump(pcap(SET)[:-5]) == dump(pcap(SET[:-1]))
    assert dump(pcap([]) + struct.pack("<IIII", 0, 0, 0xffffffff, 0xffffffff)) == ""


def test_mutated_frames_do_no_harm(tmp_path):
    """The same sources with the sanitizers, and frames with bytes and lengths changed."""
    program = tmp_path / "tcpdump"
    sources = glob.glob(os.path.join(ROOT, "user", "tcpdump", "*.c"))
    subprocess.run(["gcc", "-std=gnu17", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o",
                    program, *sources], check=True, timeout=PATIENCE)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    originals = [frame for frame, _ in LINES.values() if frame]
    frames = []
    for _ in range(20_000):
        frame = bytearray(chance.choice(originals))
        for _ in range(chance.randrange(5)):
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        frames.append(bytes(frame[:chance.randrange(len(frame) + 1)] if chance.random() < 0.3 else frame))
    done = subprocess.run([program, "-evX", "-r", "-", "net 0.0.0.0/0 or not port 1"], input=pcap(frames),
                          capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0 and not done.stderr, f"seed {seed}: {done.stderr[-3000:]}"


def test_listening_in_the_machine(tmp_path):
    out = tmp_path / "out"
    # One after the other: no question overtakes an answer.
    words = "for i in 1 2 3; do /bin/ping -c 1 -W 600 10.0.2.2; done >/dev/null"
    script = f"tcpdump -w /tmp/out -c 4 -i eth0 icmp & until [ -s /tmp/out ]; do :; done; {words}; wait; " \
             "tcpdump -tnr /tmp/out; tcpdump -lti lo -c 1 udp 2>/tmp/err & until grep -q on /tmp/err; do :; done; " \
             "echo x | /bin/nc -u 127.0.0.1 9; wait; cat /tmp/err; " \
             "tcpdump -w /dev/null port 1 2>/tmp/end & until grep -q on /tmp/end; do :; done; kill -INT $!; wait $!; " \
             "n=$?; cat /tmp/end; echo $n; tcpdump -i nosuch; echo $?"
    result = run("--net", "user", "--fetch", f"/tmp/out:{out}", "--", "/bin/busybox", "sh", "-c", script)
    lines = [line for line in result.text.splitlines() if line.startswith("IP 10")]
    assert [line.split(":")[0] for line in lines] == ["IP 10.0.2.15 > 10.0.2.2", "IP 10.0.2.2 > 10.0.2.15"] * 2
    assert "echo request" in lines[0] and "echo reply" in lines[1] and "4 packets\n" in result.text
    assert dump(out.read_bytes()).splitlines() == lines
    assert "127.0.0.1.9: UDP, length 2\n" in result.text and "listening on lo\n" in result.text
    assert "0 packets\n0\n" in result.text and "tcpdump: nosuch: No such device\n1\n" in result.text


def test_our_own_pcap_is_read():
    file = f"/tmp/tcpdump-{os.getpid()}.pcap"
    try:
        busybox("/bin/ping -c 1 10.0.2.2", "--net", "user", "--pcap", file)
        with open(file, "rb") as data:
            assert "DHCP discover" in dump(data.read())
    finally:
        os.unlink(file)
