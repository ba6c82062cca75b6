"""The network seen from the wire: frames that are right, frames that are wrong, and QEMU's own network."""

import hashlib
import os
import random
import re
import socket
import struct

import pytest

from frames import ACK, BROADCAST, ITS_IP, PSH, Connection, Wire, arp, checksum, icmp, ipv4, udp
from guest import call, guest
from support import BUILD, busybox, run


def test_an_echo_is_answered():
    with Wire("read x") as wire:
        for n in (0, 1, 55, 56, 1000, 1472):
            data = bytes(i & 0xff for i in range(n))
            assert wire.ping(data) == data
        wire.finish()


def test_pieces_are_put_together_in_any_order():
    data = bytes(random.Random(1).randrange(256) for _ in range(1400))
    message = icmp(8, 0, 1, data)
    pieces = [(at, message[at:at + 400]) for at in range(0, len(message), 400)]
    with Wire("read x") as wire:
        for seed in range(6):
            order = pieces[:]
            random.Random(seed).shuffle(order)
            for at, piece in order:
                more = 0x2000 if at + len(piece) < len(message) else 0
                wire.send(ipv4(piece, 1, ident=100 + seed, fragment=more | at // 8))
            answer = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 0)
            assert answer[42:42 + len(data)] == data
        wire.finish()


def test_pieces_that_overlap_are_dropped():
    message = icmp(8, 0, 1, b"x" * 1000)
    with Wire("read x") as wire:
        wire.send(ipv4(message[:800], 1, ident=7, fragment=0x2000))
        wire.send(ipv4(message[400:], 1, ident=7, fragment=400 // 8))
        wire.send(ipv4(b"A" * 24, 17, ident=8, fragment=0x2000))
        wire.send(ipv4(b"B" * 4, 17, ident=8, fragment=1))
        wire.send(ipv4(b"B" * 64, 17, ident=9, fragment=0x1fff))
        assert wire.ping(b"after") == b"after"
        wire.finish()


def test_what_is_too_long_goes_out_in_pieces():
    with Wire("ping -c 1 -W 1 -s 4000 10.9.0.1; true") as wire:
        got = {}
        while len(got) < 3:
            frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
            assert checksum(frame[14:34]) == 0
            fragment = struct.unpack("!H", frame[20:22])[0]
            length = struct.unpack("!H", frame[16:18])[0]
            got[(fragment & 0x1fff) * 8] = (frame[34:14 + length], bool(fragment & 0x2000))
        whole = b"".join(piece for _, (piece, _) in sorted(got.items()))
        assert len(whole) == 4008 and whole[:2] == b"\x08\0" and checksum(whole) == 0
        assert [more for _, (_, more) in sorted(got.items())] == [True, True, False]


def test_a_closed_port_is_unreachable():
    with Wire("read x") as wire:
        wire.send(ipv4(udp(b"hello", 4000, 5000), 17))
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
        assert frame[34:36] == b"\3\3"
        assert checksum(frame[34:14 + struct.unpack("!H", frame[16:18])[0]]) == 0
        assert frame[42:62] == ipv4(udp(b"hello", 4000, 5000), 17)[:20]
        wire.send(ipv4(b"what?", 200))
        frame = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1)
        assert frame[34:36] == b"\3\2"
        wire.finish()


def silent(wire, send):
    """Nothing comes back for what SEND sends but the answer to the echo behind it."""
    send()
    wire.send(ipv4(icmp(8, 0, 0x4444, b"end"), 1))
    frame = wire.expect(lambda f: f[12:14] == b"\x08\x00")
    assert frame[23] == 1 and frame[34] == 0 and frame[38:42] == b"\0\0\x44\x44", frame


def test_headers_that_are_wrong_are_dropped():
    echo = icmp(8, 0, 1, b"data")
    wrong = [ipv4(echo, 1, version=6), ipv4(echo, 1, ihl=4), ipv4(echo, 1, ihl=15), ipv4(echo, 1, length=19),
             ipv4(echo, 1, length=60000), ipv4(echo, 1, sum_=0), ipv4(echo, 1)[:10], b"", b"E",
             ipv4(icmp(8, 0, 1, b"data", sum_=1), 1), ipv4(echo[:7], 1),
             ipv4(echo, 1, source="127.0.0.1"), ipv4(echo, 1, source="224.0.0.1"),
             ipv4(echo, 1, source="255.255.255.255"), ipv4(echo, 1, destination="10.9.0.3"),
             ipv4(echo, 1, destination="10.9.0.255"), ipv4(echo, 1, destination="224.0.0.1"),
             ipv4(echo, 1, options=b"\x83\x07\x04\x0a\x09\x00\x05\x00"),
             ipv4(echo, 1, options=b"\x44\x01\x00\x00"), ipv4(echo, 1, options=b"\x07\xff\x04\x00"),
             ipv4(udp(b"x", length=7), 17), ipv4(udp(b"x", length=200), 17), ipv4(udp(b"x", sum_=1), 17),
             ipv4(udp(b"x")[:5], 17), ipv4(icmp(3, 3, 0, b"short"), 1),
             ipv4(icmp(3, 3, 0, ipv4(udp(b""), 17, ihl=15)), 1)]
    with Wire("read x") as wire:
        for packet in wrong:
            silent(wire, lambda: wire.send(packet))
        wire.finish()


def test_other_stations_frames_are_not_ours():
    with Wire("read x") as wire:
        silent(wire, lambda: wire.send(ipv4(icmp(8, 0, 1), 1), to=b"\2\0\0\0\0\x99"))
        silent(wire, lambda: wire.send(ipv4(udp(b"x"), 17), to=BROADCAST))
        silent(wire, lambda: wire.send(b"garbage" * 20, kind=0x1234))
        silent(wire, lambda: wire.send(b"garbage" * 20, kind=40))
        wire.finish()


OPTIONS = ["mrg_rxbuf=off", "event_idx=off", "indirect_desc=off", "mq=on", "csum=off", "vectors=0",
           "rx_queue_size=1024", "iommu_platform=on,disable-legacy=on", "disable-legacy=on", "packed=on"]


@pytest.mark.parametrize("options", OPTIONS)
def test_each_kind_of_device_works(options):
    with Wire("read x", "--nic", options, "--smp", "4") as wire:
        for n in (10, 1472):
            assert wire.ping(b"z" * n) == b"z" * n
        for n in range(600):
            wire.send(ipv4(icmp(8, 0, n, b"many" * (n % 300)), 1))
            wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 0)
        wire.finish()


def test_a_device_goes_down_and_up_under_fire():
    """Each time it is reset and set up again; what comes meanwhile is lost, and nothing else."""
    script = ("read x; i=0; while [ $i -lt 60 ]; do ifconfig eth0 down; ifconfig eth0 up; "
              "i=$((i + 1)); done; echo ro''und; read x")
    with Wire(script, "--smp", "4") as wire:
        wire.terminal.send("\r")
        for n in range(2000):
            wire.send(ipv4(icmp(8, 0, n, b"many" * (n % 300)), 1))
        wire.terminal.expect_exact("round\r\n")
        wire.drain()
        assert wire.ping(b"z" * 1472) == b"z" * 1472
        wire.finish()


def test_a_link_that_goes_is_noticed(tmp_path):
    monitor = str(tmp_path / "monitor")
    script = ("show() { while ! ip link show eth0 | grep -q \"$1\"; do usleep 20000; done; echo is''now$1; }; "
              "show ,UP,LOWER_UP; show ',UP> mtu'; show ,UP,LOWER_UP; read x")
    with Wire(script, "--monitor", monitor) as wire, socket.socket(socket.AF_UNIX) as talk:
        talk.connect(monitor)
        wire.terminal.expect_exact("isnow,UP,LOWER_UP\r\n")
        talk.sendall(b"set_link net off\n")
        wire.terminal.expect("isnow,UP[^\n]*mtu\r\n")
        talk.sendall(b"set_link net on\n")
        wire.terminal.expect_exact("isnow,UP,LOWER_UP\r\n")
        assert wire.ping(b"again") == b"again"
        wire.finish()


def announces(frame, address, mac):
    """A question to all for ADDRESS, which its owner asks itself (RFC 5227, section 3)."""
    return frame[:14] == BROADCAST + mac + b"\x08\x06" and \
        frame[14:42] == arp(1, mac, address, b"\0" * 6, address)


def test_addresses_are_announced_when_set_and_when_the_link_comes_up(tmp_path):
    """Each address of the interface is, and of one that goes away nobody hears."""
    monitor = str(tmp_path / "monitor")
    others = [f"10.9.0.{n}" for n in range(11, 23)]
    script = ("until_it_is() { while ! ip link show eth0 | grep -q \"$1\"; do usleep 20000; done; }; read x; "
              "for n in $(seq 11 22); do ip addr add 10.9.0.$n/24 dev eth0; done; read x; "
              "ip addr del 10.9.0.22/24 dev eth0; ifconfig eth0 down; ifconfig eth0 up; read x; "
              "until_it_is ',UP> mtu'; echo go''ne; read x")
    with Wire(script, "--monitor", monitor) as wire, socket.socket(socket.AF_UNIX) as talk:
        talk.connect(monitor)

        def next_step(addresses):
            wire.terminal.send("\r")
            for address in addresses:
                wire.expect(lambda f: announces(f, address, wire.mac))

        next_step(others)
        del others[-1]
        next_step([ITS_IP, *others])
        talk.sendall(b"set_link net off\n")
        next_step([])
        wire.terminal.expect_exact("gone\r\n")
        wire.idle(1000)
        talk.sendall(b"set_link net on\n")
        heard = []
        while len(heard) <= len(others):
            frame = wire.expect(lambda f: f[12:14] == b"\x08\x06")
            heard.append(socket.inet_ntoa(frame[28:32]))
            assert announces(frame, heard[-1], wire.mac)
        assert heard == [ITS_IP, *others]
        assert wire.ping(b"again") == b"again"
        wire.finish()


def test_an_old_machine_has_it_too():
    with Wire("read x", "--machine", "pc") as wire:
        assert wire.ping(b"pc") == b"pc"
        wire.finish()


def test_qemus_network():
    out = busybox("nslookup localhost | head -2", "--net", "user")
    assert "10.0.2.3" in out.text


# QEMU takes calls whether or not somebody listens inside: who calls waits for the word.
LISTENS = "listens() { until grep -q ':0050 .* 0A ' /proc/net/tcp; do usleep 10000; done; echo listens; }; "


def test_megabytes_from_a_real_tcp():
    data = random.Random(3).randbytes(8 << 20)
    with guest(LISTENS + "listens & sleep 1000000 | nc -l -p 80 | sha256sum", ports=[("tcp", 80)],
               first="listens") as (process, ports):
        with call(ports[0]) as connection:
            connection.sendall(data)
        assert process.stdout.readline().split()[0] == hashlib.sha256(data).hexdigest()


def test_megabytes_to_a_real_tcp():
    digest, size = hashlib.sha256(), 0
    script = "head -c 8000000 /dev/urandom > /tmp/f; listens & nc -l -p 80 < /tmp/f; sha256sum /tmp/f"
    with guest(LISTENS + script, ports=[("tcp", 80)], first="listens") as (process, ports):
        with call(ports[0]) as connection:
            while size < 8000000 and (piece := connection.recv(1 << 16)):
                digest.update(piece)
                size += len(piece)
        assert process.stdout.readline().split()[0] == digest.hexdigest()


def test_a_hundred_megabytes_each_way():
    """Up through the forwarded port, and the same file down again."""
    data = random.Random(5).randbytes(100 << 20)
    digest = hashlib.sha256(data).hexdigest()
    script = ("listens & nc -l -p 80 -e dd bs=64k of=/tmp/f 2> /dev/null; sha256sum /tmp/f; "
              "listens & nc -l -p 80 -e cat /tmp/f; sleep 1000000")  # it is all handed over before it is all sent
    with guest(LISTENS + script, "--mem", "512", ports=[("tcp", 80)], first="listens") as (process, ports):
        with call(ports[0]) as connection:
            connection.sendall(data)
        assert process.stdout.readline().split()[0] == digest
        assert process.stdout.readline() == "listens\n"
        down, size = hashlib.sha256(), 0
        with call(ports[0]) as connection:
            while size < len(data) and (piece := connection.recv(1 << 16)):
                down.update(piece)
                size += len(piece)
        assert (size, down.hexdigest()) == (len(data), digest)


def test_udhcpc_gets_a_lease(tmp_path):
    script = tmp_path / "etc" / "lease"
    script.parent.mkdir()
    script.write_text("#!/bin/busybox sh\necho $1 $ip $router $dns\n")
    script.chmod(0o755)
    out = busybox("ifconfig eth0 up; busybox udhcpc -f -n -q -t 30 -i eth0 -s /etc/lease", "--net", "user",
                  "--overlay", str(tmp_path))
    assert "bound 10.0.2.15 10.0.2.2 10.0.2.3" in out.text


def test_netstat_and_friends_read_our_tables():
    out = busybox(LISTENS + "nc -l -p 80 & listens; ping -c 1 10.0.2.2; netstat -ant; route -n; arp -n; ifconfig",
                  "--net", "user").text
    assert "0.0.0.0:80" in out and "LISTEN" in out
    assert "10.0.2.2        0.0.0.0         UG" in out
    assert "(10.0.2.2) at" in out
    assert "1 packets received" in out and "RX packets:" in out


def test_busyboxs_ifconfig_and_route_configure_us():
    """From nothing to a way out, by ioctl, as an administrator of old would."""
    out = busybox("""ifconfig eth0 0.0.0.0
ifconfig eth0 10.0.2.20 netmask 255.255.255.0 broadcast 10.0.2.255 mtu 1400 up
route add default gw 10.0.2.2
route add -net 10.9.0.0 netmask 255.255.0.0 gw 10.0.2.2 metric 3
route add -host 10.8.1.1 dev eth0
route add -net 10.7.0.0 netmask 255.255.0.0 reject
route -n
route del -net 10.9.0.0 netmask 255.255.0.0 && route del -host 10.8.1.1 || echo no such route
route del -net 10.7.0.0 netmask 255.255.0.0 reject || echo no such route
route -n | grep -c '^10'
ping -c 1 10.0.2.3
arp -s 10.0.2.9 2:2:2:2:2:2; arp -n 10.0.2.9; arp -d 10.0.2.9; ifconfig eth0 promisc allmulti; ifconfig eth0
ifconfig eth0 -promisc -allmulti; ifconfig eth0 | grep -c -e PROMISC -e ALLMULTI
ifconfig eth0:1 10.6.0.1 netmask 255.255.0.0; ifconfig eth0:1 | grep inet; ifconfig eth0:1 down
ifconfig eth0:2 up || echo none; ifconfig | grep -c 10.0.2.20; ifconfig -a | grep -c 10.6
""", "--net", "user").text
    for line in ("10.8.1.1        0.0.0.0         255.255.255.255 UH    0      0        0 eth0",
                 "10.0.2.0        0.0.0.0         255.255.255.0   U     0      0        0 eth0",
                 "10.9.0.0        10.0.2.2        255.255.0.0     UG    3      0        0 eth0",
                 "0.0.0.0         10.0.2.2        0.0.0.0         UG    0      0        0 eth0"):
        assert line in out.splitlines(), out
    assert "\n1\nPING" in out and "1 packets received" in out and "no such" not in out, out
    assert "(10.0.2.9) at 02:02:02:02:02:02 [ether] PERM on eth0" in out
    assert "inet addr:10.0.2.20  Bcast:10.0.2.255  Mask:255.255.255.0" in out and "MTU:1400" in out
    assert "          UP BROADCAST RUNNING PROMISC ALLMULTI MULTICAST" in out, out
    assert "inet addr:10.6.0.1" in out and out.endswith("\nnone\n1\n0\n"), out


def test_tcp_is_adjusted_while_it_runs():
    """Every call of twenty is made by a cookie, since that was asked for; what makes no sense is refused."""
    out = busybox("cd /proc/sys/net/ipv4; echo 2 > tcp_syncookies; echo 5000000 > tcp_rto_min_us; "
                  "for wrong in 3 x -1; do echo $wrong > tcp_syncookies; done; echo 0 > tcp_rto_min_us; cat tcp_*; "
                  "awk '/^Tcp: [0-9]/ { print $3 }' /proc/net/snmp; "
                  "nc -ll -p 7 -e cat & while ! grep -q ':0007 .* 0A' /proc/net/tcp; do usleep 1000; done; "
                  "for i in $(seq 20); do echo $i | nc 127.0.0.1 7; done | tr '\\n' ' '; "
                  "awk '/^TcpExt: [0-9]/ { print $2, $3, $4 }' /proc/net/netstat; kill %1").text
    assert out.count("Invalid argument") == 4 and "5000000\n2\n5000\n" in out, out
    assert out.endswith(" ".join(map(str, range(1, 21))) + " 20 20 0\n"), out


def test_ten_thousand_idle_connections_fit():
    """Both ends of each in one machine of 256 MiB, and the memory comes back."""
    out = run("--leak-check", "--mem", "256", "--",
              os.path.join(BUILD, "tests", "bench", "idle_connections")).must_have_run()
    assert re.fullmatch(r"10000 connections, \d+ MiB\n", out.text), out.text


def test_a_connection_goes_on_when_its_interface_takes_less():
    with Wire("nc -ll -p 7 -e cat & read x; ip link set eth0 mtu 1000; echo small''er; read x; kill %1") as wire:
        connection = Connection(wire, 1000)
        connection.send(b"x" * 1400, ACK | PSH)
        first = connection.hear(lambda t: t["data"])
        assert len(first["data"]) == 1400
        wire.terminal.send("\r")
        wire.terminal.expect_exact("smaller\r\n")
        again = connection.hear(lambda t: t["data"] and len(t["data"]) <= 960)
        assert again["seq"] == first["seq"]
        wire.finish()
