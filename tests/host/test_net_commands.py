"""The commands about the network, over QEMU's own network and on a wire of our own."""

import re
import signal
import subprocess

import pytest

from frames import OUR_IP, Wire, checksum, icmp, ipv4
from support import BUILD, PATIENCE, busybox, run_on_host


def machine(script, *words):
    """What SCRIPT prints in a machine on QEMU's network; commands are ours, by their full names."""
    return busybox(script, "--net", "user", *words).text


def test_ping_this_machine():
    out = machine("/bin/ping -c 3 -i 0.01 127.0.0.1; echo $?; /bin/ping -q -c 1 -s 20000 localhost; echo $?;"
                  "/bin/ping -c 1 -s 0 localhost")
    assert len(re.findall(r"64 bytes from 127.0.0.1: icmp_seq=[123] ttl=64 time=\d+\.\d{3} ms", out)) == 3
    assert "3 sent, 3 received, 0% lost" in out and "icmp_seq=4" not in out
    assert "localhost (127.0.0.1): 20000 bytes of data\n\n---" in out and out.count("\n0\n") == 2
    assert "8 bytes from 127.0.0.1" in out


def test_ping_who_is_not_there():
    out = machine("/bin/ping -c 2 -i 0.1 -W 0.3 10.0.2.77; echo $?; /bin/ping nonesuch.invalid; echo $?")
    assert "2 sent, 0 received" in out and "100% lost\n1\n" in out
    assert "ping: nonesuch.invalid: " in out and out.endswith("\n1\n")


def test_ping_waits_for_no_answer_to_what_was_never_sent():
    out = busybox("/bin/ping -c 3 -i 0.01 -W 100000 10.9.0.1 2>&1; echo $?").text
    assert out.count("ping: 10.9.0.1: Network is unreachable\n") == 3
    assert out.endswith("3 sent, 0 received, 3 errors, 100% lost\n1\n")


def test_ping_shows_its_summary_when_it_is_interrupted():
    """Also when the signal comes just before it goes to sleep."""
    for _ in range(20):
        with subprocess.Popen([f"{BUILD}/user/ping", "-i", "1000000", "127.0.0.1"], stdout=subprocess.PIPE,
                              text=True) as ping:
            assert "56 bytes of data" in ping.stdout.readline() and "icmp_seq=1" in ping.stdout.readline()
            ping.send_signal(signal.SIGINT)
            out, _ = ping.communicate(timeout=PATIENCE)
        assert "1 sent, 1 received, 0% lost" in out and ping.returncode == 0


def test_ping_ends_after_a_time():
    """By the clock of a machine that counts its own time, so that it is known what fits in."""
    out = busybox("/bin/ping -w 0.35 -i 0.1 127.0.0.1; echo $?", "--icount").text
    assert re.search(r"\n4 sent, 4 received, 0% lost\nround trip[^\n]*\n0\n$", out), out


def test_ping_hears_what_routers_say():
    with Wire("/bin/ping -c 1 -W 60 10.9.0.1; echo status $?; /bin/ping -c 1 -W 60 10.9.0.1; echo status $?; "
              "/bin/ping -c 2 -i 0.2 -W 60 10.9.0.1; echo status $?") as wire:
        def echo():
            return wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 8)
        asked = echo()
        assert checksum(asked[34:98]) == 0 and asked[42:98] == bytes(range(56))
        wire.send(ipv4(icmp(11, 0, 0, asked[14:42]), 1))
        wire.terminal.expect_exact("from 10.9.0.1: icmp_seq=1 time to live exceeded")
        wire.terminal.expect_exact("1 sent, 0 received, 1 errors")
        wire.terminal.expect_exact("status 1")
        # Others' answers, errors about others' packets, and what is damaged.
        asked = echo()
        ident = int.from_bytes(asked[38:40], "big")
        wire.send(ipv4(icmp(0, 0, (ident ^ 1) << 16 | 1, asked[42:98]), 1))
        wire.send(ipv4(icmp(11, 0, 0, asked[14:30]), 1))
        wire.send(ipv4(icmp(3, 1, 0, ipv4(asked[34:42], 17)), 1))
        wire.send(ipv4(icmp(0, 0, ident << 16 | 1, b"\1" + asked[43:98]), 1))
        wire.terminal.expect_exact("ms (damaged)")
        wire.terminal.expect_exact("status 0")
        asked = echo()
        for _ in range(2):
            wire.send(ipv4(icmp(0, 0, int.from_bytes(asked[38:40], "big") << 16 | 1, asked[42:98]), 1))
        wire.terminal.expect_exact("ttl=64 (again)")
        asked = echo()
        wire.send(ipv4(icmp(0, 0, int.from_bytes(asked[38:40], "big") << 16 | 2, asked[42:98]), 1))
        wire.terminal.expect_exact("status 0")


def test_traceroute():
    with Wire("/bin/traceroute -n -q 2 -w 200 10.9.0.1; echo status $?; /bin/traceroute -n -m 2 -q 1 -w 0.2 10.9.0.1; "
              "echo status $?; ifconfig eth0 down; /bin/traceroute 10.9.0.1") as wire:
        for ttl, source, kind in ((1, "10.9.9.1", 11), (2, "10.9.9.2", 11), (3, OUR_IP, 3)):
            for _ in range(2):
                probe = wire.expect(lambda f: f[12:14] == b"\x08\x00" and f[23] == 17)
                assert probe[22] == ttl
                wire.send(ipv4(icmp(11, 0, 0, ipv4(probe[34:42], 17, "10.9.0.2", "10.9.0.9")), 1,
                               "10.9.9.9"))
                wire.send(ipv4(icmp(kind, 3 if kind == 3 else 0, 0, probe[14:42]), 1, source))
            wire.terminal.child.expect(rf"{ttl}  {re.escape(source)}  \d+\.\d+ ms  \d+\.\d+ ms\r\n")
        wire.terminal.expect_exact("status 0")
        wire.terminal.expect_exact(" 1  *\r\n 2  *\r\nstatus 1")
        wire.terminal.expect_exact(" 1\r\ntraceroute: 10.9.0.1: Network is unreachable")


def test_ifconfig_shows_and_sets():
    out = machine("ifconfig() { /bin/ifconfig $*; }; ifconfig lo; ifconfig eth0 10.5.6.7/20 mtu 1400; ifconfig; "
                  "ifconfig eth0 netmask 255.255.255.0 broadcast 10.5.6.99; ifconfig eth0 | head -2;"
                  "ifconfig eth0 down; ifconfig; echo; ifconfig -a | grep ^eth; ifconfig eth0 up -arp;"
                  "ifconfig eth0 | head -1; ifconfig nosuch; ifconfig nosuch up; ifconfig eth0 mtu x;"
                  "ifconfig eth0 netmask 300.1.1.1; ifconfig eth0 1.2.3.4/33; ifconfig eth0 mtu; echo $?")
    assert out.startswith("lo: <UP,LOOPBACK,RUNNING> mtu 65536\n        inet 127.0.0.1 netmask 255.0.0.0\n")
    assert "eth0: <UP,BROADCAST,RUNNING,MULTICAST> mtu 1400\n" \
           "        inet 10.5.6.7 netmask 255.255.240.0 broadcast 10.5.15.255\n        ether 52:54:00:12:34:56\n" in out
    assert "inet 10.5.6.7 netmask 255.255.255.0 broadcast 10.5.6.99\n" in out
    assert "\n\neth0: <BROADCAST,MULTICAST> mtu 1400\neth0: <UP,BROADCAST,RUNNING,NOARP,MULTICAST> mtu 1400\n" in out
    for line in ("nosuch: No such device", "nosuch: No such device", "x: not a number of bytes",
                 "300.1.1.1: not an address", "33: not a length of a prefix", "usage: ifconfig"):
        at = out.index(line)
        out = out[at + len(line):]
    assert out.endswith("\n1\n")


def test_ifconfig_shows_further_addresses():
    out = machine("inet() { /bin/ifconfig $1 | grep inet; echo; }; /bin/ifconfig eth0:1 10.5.6.7/20;"
                  "busybox ip addr add 10.5.6.8/20 dev eth0; inet eth0; inet eth0:1; "
                  "/bin/ifconfig eth0:1 down; inet eth0")
    further = "        inet 10.5.6.7 netmask 255.255.240.0 broadcast 10.5.15.255 label eth0:1\n"
    all_, alias, rest, _ = out.split("\n\n")
    first, *others = all_.splitlines()
    assert first == "        inet 10.0.2.15 netmask 255.255.255.0 broadcast 10.0.2.255"
    assert others == [further.rstrip(), "        inet 10.5.6.8"] and alias + "\n" == further
    assert rest.splitlines() == [first]


def test_route_shows_and_changes():
    out = machine("r=/bin/route; $r -n; $r add -net 10.77.0.0 netmask 255.255.0.0 gw 10.0.2.2 metric 5;"
                  "$r add 10.88.0.0/16 dev eth0; $r add 10.99.1.1 reject; $r add -net 172.16.0.0 eth0; echo; $r;"
                  "$r del 10.88.0.0/16; $r del default; $r del 10.99.1.1; echo; $r -n; $r del 10.88.0.0/16;"
                  "$r add 10.1.1.1/40 eth0; $r add x.invalid eth0; $r add 10.1.1.1 gw; $r frob; echo $?")
    first, second, third = out.split("\n\n")
    assert first.splitlines()[1:] == ["10.0.2.0        0.0.0.0         255.255.255.0   U     0      eth0",
                                      "0.0.0.0         10.0.2.2        0.0.0.0         UG    0      eth0"]
    for line in ("10.77.0.0       10.0.2.2        255.255.0.0     UG    5      eth0",
                 "10.88.0.0       *               255.255.0.0     U     0      eth0",
                 "10.99.1.1       *               255.255.255.255 UH!   0      lo",
                 "172.16.0.0      *               255.255.0.0     U     0      eth0",
                 "default         10.0.2.2        0.0.0.0         UG    0      eth0"):
        assert line in second.splitlines()
    assert "0.0.0.0         10.0.2.2" not in third and "10.99.1.1" not in third and "10.77.0.0" in third
    assert re.search(r"route: 10.88.0.0: No such process\nroute: 40: not a length of a prefix\nroute: x.invalid: .*\n"
                     r"usage: route.*\nusage: route.*\n1\n", third)


def test_arp_shows_and_changes():
    out = machine("a=/bin/arp; $a -s 10.0.2.7 2:0:0:0:0:7; /bin/ping -q -c 1 10.0.2.2 >/dev/null; $a -n;"
                  "$a -an | grep -c good; $a -d 10.0.2.7;"
                  "$a -n 10.0.2.7; $a -s 10.0.2.8 rubbish; $a -s 10.0.2.8; $a -n -i lo; $a -d 10.0.2.7; echo $?")
    assert "(10.0.2.7) at 02:00:00:00:00:07 on eth0 for good\n" in out and "\n1\n" in out
    assert "(10.0.2.2) at 52:55:0a:00:02:02 on eth0\n" in out
    assert re.search(r"arp: 10.0.2.7: no entry\narp: rubbish: not a station\nusage: arp.*\narp: 10.0.2.7: .*\n1\n$",
                     out)


def test_netstat_shows_sockets():
    nc = "/bin/busybox nc"
    out = machine(f"{nc} -l -p 80 </dev/zero >/dev/null & until grep -q ':0050 .* 0A ' /proc/net/tcp; do :; done; "
                  f"sleep 1000 | {nc} 127.0.0.1 80 >/dev/null & "
                  "until grep -q ':0050 [^ ]* 01 ' /proc/net/tcp; do :; done; "
                  "/bin/netstat -nat; echo; /bin/netstat -ln; echo; /bin/netstat -s; echo; /bin/netstat -rn; exit")
    sockets, waiting, counters, routes = out.split("\n\n")
    assert re.search(r"tcp +\d+ +\d+ 127.0.0.1:80 +127.0.0.1:\d+ +ESTABLISHED", sockets)
    assert "Path" not in sockets and "ESTABLISHED" not in waiting
    assert re.search(r"Tcp:\n(    .*\n)*    PassiveOpens +1\n", counters)
    assert "UG" in routes


def test_netstat_says_whose_a_socket_is():
    out = machine("/bin/nc -l 70 & one=$!; /bin/nc -lu 71 & two=$!; /bin/nc -lU /tmp/s & three=$!; "
                  "until grep -q :0046 /proc/net/tcp && grep -q :0047 /proc/net/udp && grep -q /tmp/s /proc/net/unix; "
                  "do :; done; echo $one $two $three; /bin/netstat -nalp; echo; "
                  "busybox su -s /bin/netstat nobody -- -ntlp; kill $one $two $three")
    roots, nobodys = out.split("\n\n")
    one, two, three = roots.split("\n", 1)[0].split()
    assert re.search(rf"tcp  .* 0\.0\.0\.0:70 .* LISTEN +{one}/nc\n", roots)
    assert re.search(rf"udp  .* 0\.0\.0\.0:71 .* {two}/nc\n", roots)
    assert re.search(rf"unix +stream +LISTENING +\d+ +{three}/nc +/tmp/s$", roots)
    assert re.search(r"0\.0\.0\.0:70 .* LISTEN +-\n", nobodys)


def test_netstat_lists_interfaces():
    out = machine("/bin/ping -q -c 1 127.0.0.1 > /dev/null; /bin/netstat -i; /bin/ifconfig eth0 down; /bin/netstat -i; "
                  "/bin/netstat -ai")
    assert re.search(r"lo         65536 2            0      0        2            0      0\n"
                     r"eth0       1500  \d+ +0      0        \d+ +0      0\n", out)
    assert out.count("\neth0 ") == 2 and out.count("\nlo ") == 3


def test_linux_has_them_too():
    """The same files, on the host, where they can only look."""
    for words, expected in ((["ping", "-c", "1", "127.0.0.1"], "1 sent, 1 received"), (["ifconfig", "lo"], "127.0.0.1"),
                            (["route", "-n"], "Gateway"), (["netstat", "-nat"], "State")):
        done = run_on_host(f"{BUILD}/user/{words[0]}", *words[1:])
        assert done.status == 0 and expected in done.text, done.err


# What makes no sense, and a word of what is said of it.
SENSELESS = {
    "ping": "usage", "ping -s -1 127.0.0.1": "not a size", "ping -i x 127.0.0.1": "not a number of seconds",
    "ping -c 0 127.0.0.1": "not a count", "ping -t 256 127.0.0.1": "not a time to live", "ping --help": "usage",
    "traceroute": "usage", "traceroute -f 5 -m 3 127.0.0.1": "usage", "traceroute -p 70000 127.0.0.1": "not a port",
    "dhcp a b": "usage", "dhcp -t x": "not a number of seconds", "dhcp nonesuch": "nonesuch: ",
    "host": "usage", "host -t nonsense x": "not a type", "host a..b 127.0.0.1": "not a name",
    "nc": "usage", "nc -w x 127.0.0.1 5": "not a number of seconds", "nc -p 99999 127.0.0.1 5": "99999: ",
    "wget": "usage", "wget ftp://x/": "not a URL", "wget -T x http://127.0.0.1/": "not a number of seconds",
    "wget http://127.0.0.1:99999/": "99999: ",
    "ifconfig nonesuch": "nonesuch: ", "ifconfig -z": "usage", "route frob": "usage", "route add": "usage",
    "arp -s": "usage", "arp -i nonesuch": "no such interface", "netstat extra": "usage", "netstat -z": "usage",
    "tcpdump -c x": "not a count", "tcpdump -i nonesuch": "nonesuch: ", "tcpdump -r /nonesuch": "/nonesuch: ",
    "tcpdump -i lo ( port 80": "lacks a )", "inetd a b": "usage", "inetd /nonesuch": "/nonesuch: ",
}


@pytest.mark.parametrize("line", SENSELESS)
def test_what_makes_no_sense_is_refused(line):
    name, *words = line.split()
    done = run_on_host(f"{BUILD}/user/{name}", *words)
    assert done.status == 1 and SENSELESS[line] in done.err and not done.out, done.err
