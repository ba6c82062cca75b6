"""Configuration by rtnetlink and by ioctl, as busybox's programs ask for it, on a machine whose wire leads nowhere."""

import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from frames import Wire
from support import PATIENCE, busybox

# What the leak check would take for lost.
UNDO = "; rm -f /tmp/r; { ip addr flush dev eth0; ip link set eth0 down; } > /dev/null 2>&1"
UP = "ip addr add 10.9.0.2/24 brd + dev eth0; ip link set eth0 up; "


@pytest.fixture(name="wired")
def fixture_wired():
    """Runs a script on a machine with one interface, and gives back what it printed, a list of lines."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        def go(script):
            done = busybox(f"{{ {script}; }} 2>&1" + UNDO, "--debug", "--leak-check",
                           "--net", f"dgram:{folder}/a:{folder}/b").must_have_run()
            return [line.strip() for line in done.text.splitlines()]
        yield go


def test_links_and_addresses_are_listed(wired):
    out = wired(UP + "ip addr show; ip -o -f inet addr; ip link show dev lo")
    assert "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000" in out
    assert "inet 127.0.0.1/8 scope host lo" in out
    assert "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo qlen 1000" in out
    assert any(re.fullmatch(r"link/ether ([0-9a-f]{2}:){5}[0-9a-f]{2} brd ff:ff:ff:ff:ff:ff", line) for line in out)
    assert "inet 10.9.0.2/24 brd 10.9.0.255 scope global eth0" in out
    assert "2: eth0    inet 10.9.0.2/24 brd 10.9.0.255 scope global eth0" in out


def test_a_link_goes_up_and_down_and_takes_an_mtu(wired):
    out = wired(UP + "ip link set eth0 mtu 1400 qlen 77; ip link show eth0; ip route; ip link set eth0 down; "
                "ip link show eth0; ip route; echo end; ip link set eth0 mtu 20; ip link set eth0 up; ip route")
    assert out[0] == "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc pfifo qlen 77"
    assert out[2] == "10.9.0.0/24 dev eth0 scope link  src 10.9.0.2"
    assert out[3] == "2: eth0: <BROADCAST,MULTICAST> mtu 1400 qdisc pfifo qlen 77"
    assert out[5:] == ["end", "ip: SIOCSIFMTU: Invalid argument", "10.9.0.0/24 dev eth0 scope link  src 10.9.0.2"]


def test_addresses_come_and_go(wired):
    out = wired(UP + "ip addr add 10.9.0.3/24 dev eth0; ip addr add 10.9.0.3/24 dev eth0; "
                "ip addr add 224.0.0.1/24 dev eth0; ip addr add 10.1.1.1/8 dev nosuch; "
                "ip addr del 10.8.8.8/24 dev eth0; "
                "ip addr add 10.9.0.4/25 brd + dev eth0; "
                "ip addr del 10.9.0.2/24 dev eth0; ip -o addr show dev eth0; ip route; "
                "ip addr flush dev eth0; ip addr show dev eth0; ip route; echo end")
    assert out[:4] == ["ip: RTNETLINK answers: File exists", "ip: RTNETLINK answers: Invalid argument",
                       "ip: can't find device 'nosuch'", "ip: RTNETLINK answers: Cannot assign requested address"]
    # With the first of its network the second has gone; what is reachable is so from the address that is left.
    assert out[4] == "2: eth0    inet 10.9.0.4/25 brd 10.9.0.127 scope global eth0"
    assert out[5] == "10.9.0.0/25 dev eth0 scope link  src 10.9.0.4"
    assert len(out) == 9 and out[6].startswith("2: eth0:") and out[8] == "end"


def test_routes_are_added_found_changed_and_removed(wired):
    out = wired(UP + "ip route add default via 10.9.0.1; ip route add 10.20.0.0/16 via 10.9.0.9 metric 5; "
                "ip route add unreachable 10.66.0.0/16; ip route; ip route get 8.8.8.8; ip route get 10.20.1.1; "
                "ip route get 10.9.0.2; ip route get 10.66.0.1; ip route replace default via 10.9.0.3; "
                "ip route change default via 10.9.0.4; ip route | tail -n 1; ip route del 10.20.0.0/16; "
                "ip route del unreachable 10.66.0.0/16; ip route flush dev eth0; ip route; echo end")
    assert out == ["10.9.0.0/24 dev eth0 scope link  src 10.9.0.2",
                   "unreachable 10.66.0.0/16", "10.20.0.0/16 via 10.9.0.9 dev eth0  metric 5",
                   "default via 10.9.0.1 dev eth0",
                   "8.8.8.8 via 10.9.0.1 dev eth0  src 10.9.0.2", "10.20.1.1 via 10.9.0.9 dev eth0  src 10.9.0.2",
                   "local 10.9.0.2 dev lo table local  src 10.9.0.2", "ip: RTNETLINK answers: No route to host",
                   "default via 10.9.0.4 dev eth0", "end"]


def test_without_an_address_there_is_no_way_out(wired):
    """Who changes the only address (by ioctl: takes it away and gives another) asks for routes anew."""
    default = "default via 10.9.0.1 dev eth0"
    out = wired(UP + "ip route add default via 10.9.0.1; ip addr add 10.7.0.1/24 dev eth0; "
                "ip addr del 10.7.0.1/24 dev eth0; ip route; echo; ifconfig eth0 10.9.0.3; ip route; echo; "
                "ip route add default via 10.9.0.1; ip route; echo; "
                "ip addr del 10.9.0.3/8 dev eth0; ip route; echo end")
    first, second, third, last = "\n".join(out).split("\n\n")
    assert default in first and default not in second and "10.0.0.0/8 dev eth0" in second
    assert default in third and last == "end"


def test_routes_that_make_no_sense_are_refused(wired):
    exists, no_net = "ip: RTNETLINK answers: File exists", "ip: RTNETLINK answers: Network is unreachable"
    out = wired(UP + "ip route add default via 10.9.0.1; ip route add default via 10.9.0.8; "
                "ip route add default via 10.9.0.1; ip route add 10.30.0.0/16 via 10.77.0.1; "
                "ip route del 10.99.0.0/16; ip route change 10.98.0.0/16 via 10.9.0.1; "
                "ip route add 10.1.1.1/8 dev eth0; "
                "ip route add 10.40.0.0/16 dev nosuch; ip route add 10.41.0.0/16 dev eth0 src 10.3.3.3; "
                "ip link set eth0 down; ip route add 10.42.0.0/16 dev eth0; ip route")
    assert out == [exists, exists, no_net, "ip: RTNETLINK answers: No such process",
                   "ip: RTNETLINK answers: No such file or directory", "ip: RTNETLINK answers: Invalid argument",
                   "ip: can't find device 'nosuch'", "ip: RTNETLINK answers: Invalid argument",
                   "ip: RTNETLINK answers: Network is down"]


def test_neighbours_by_ioctl_are_listed_by_netlink(wired):
    out = wired(UP + "arp -s 10.9.0.7 02:00:00:00:00:07; ip neigh; arp -n; arp -d 10.9.0.7; arp -d 10.9.0.7; "
                "ping -c 1 -W 1 10.9.0.8 > /dev/null & until ip neigh > /tmp/r; grep -q 10.9.0.8 /tmp/r; do :; done; "
                "cat /tmp/r; wait; "
                "ip neigh flush dev eth0; ip neigh; ip rule")
    assert out[0] == "10.9.0.7 dev eth0 lladdr 02:00:00:00:00:07 PERMANENT"
    assert out[1] == "? (10.9.0.7) at 02:00:00:00:00:07 [ether] PERM on eth0"
    assert out[2] == "No ARP entry for 10.9.0.7"
    assert out[3] == "10.9.0.8 dev eth0  INCOMPLETE"
    assert out[-2:] == ["0:\tfrom all lookup local", "32766:\tfrom all lookup main"]


def test_what_is_not_there_is_refused(wired):
    out = wired("ip link show dev nosuch; ip link add foo type dummy; ip link del lo; ip link set nosuch up; "
                "su nobody -s /bin/sh -c 'ip addr add 10.1.1.1/8 dev lo; ip route del default; ip -o -f inet addr'")
    assert out[:4] == ["ip: can't find device 'nosuch'", "ip: RTNETLINK answers: Operation not supported",
                       "ip: RTNETLINK answers: Operation not supported",
                       "ip: SIOCGIFFLAGS: No such device"]
    assert out[4:] == ["ip: RTNETLINK answers: Operation not permitted"] * 2 + \
        ["1: lo    inet 127.0.0.1/8 scope host lo"]


def test_a_thousand_routes_are_listed_whole(wired):
    out = wired(UP + "i=0; while [ $i -lt 1000 ]; do "
                "echo route add 10.$((100 + i / 256)).$((i % 256)).0/24 via 10.9.0.1; i=$((i + 1)); "
                "done > /tmp/r; while read l; do ip $l; done < /tmp/r; ip route | wc -l; "
                "ip route flush dev eth0; ip route | wc -l")
    assert out == ["1001", "0"]


MONITOR = """
/usr/sbin/theirs monitor link address route neigh >> /tmp/m & monitor=$!
while ! grep -q mtu.60000 /tmp/m; do ip link set lo mtu 65535; ip link set lo mtu 60000; done; > /tmp/m
ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.9.0.1
ip route replace default via 10.9.0.3; arp -s 10.9.0.7 02:00:00:00:00:07; arp -d 10.9.0.7
ping -c 1 -W 4 10.9.0.9 > /dev/null; while ! grep -q FAILED /tmp/m; do usleep 10000; done
ip link set eth0 mtu 1400; ip route del default
ip addr del 10.9.0.2/24 dev eth0; ip link set eth0 down
while ! grep -q 'BROADCAST,MULTICAST>' /tmp/m; do sleep 0.1; done
kill $monitor; wait; cat /tmp/m; rm /tmp/m; ip link set lo mtu 65536
"""
TOLD = ["2: eth0    inet 10.9.0.2/24 brd 10.9.0.255 scope global eth0",
        "local 10.9.0.2 dev eth0 table local proto kernel scope host src 10.9.0.2",
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo state UP group default",
        "broadcast 10.9.0.255 dev eth0 table local proto kernel scope link src 10.9.0.2",
        "10.9.0.0/24 dev eth0 proto kernel scope link src 10.9.0.2",
        "default via 10.9.0.1 dev eth0", "default via 10.9.0.3 dev eth0",
        "10.9.0.7 dev eth0 lladdr 02:00:00:00:00:07 PERMANENT",
        "Deleted 10.9.0.7 dev eth0 lladdr 02:00:00:00:00:07 PERMANENT",
        "10.9.0.9 dev eth0 FAILED",
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc pfifo state UP group default",
        "Deleted default via 10.9.0.3 dev eth0",
        "Deleted 10.9.0.0/24 dev eth0 proto kernel scope link src 10.9.0.2",
        "Deleted 2: eth0    inet 10.9.0.2/24 brd 10.9.0.255 scope global eth0",
        "2: eth0: <BROADCAST,MULTICAST> mtu 1400 qdisc pfifo state DOWN group default"]


@pytest.fixture(name="iproute")
def fixture_iproute(tmp_path):
    """tools/run's words for a machine that has iproute2's ip, unmodified, with its libraries, as /usr/sbin/theirs."""
    if not os.path.exists("/bin/ip"):
        pytest.skip("no iproute2 here")
    listed = subprocess.run(["ldd", "/bin/ip"], capture_output=True, check=True, text=True, timeout=PATIENCE).stdout
    for there, inside in [("/bin/ip", "/usr/sbin/theirs")] + [(x, x) for x in re.findall(r"(/\S+) \(0x", listed)]:
        os.makedirs(tmp_path / "root" / os.path.dirname(inside)[1:], exist_ok=True)
        shutil.copy(there, tmp_path / "root" / inside[1:])
    return "--overlay", str(tmp_path / "root")


def test_changes_are_announced_to_who_listens(iproute, tmp_path):
    out = busybox(MONITOR, "--debug", "--leak-check", *iproute,
                  "--net", f"dgram:{tmp_path}/a:{tmp_path}/b").must_have_run()
    lines = [line.strip() for line in out.text.splitlines()]
    at = 0
    for line in TOLD:
        assert line in lines[at:], f"{line!r} isn't told, or too early, in\n{out.text}"
        at = lines.index(line, at) + 1


def test_a_link_that_goes_and_comes_is_announced(iproute, tmp_path):
    """The cable is pulled by QEMU, and put in again."""
    begin = MONITOR[:MONITOR.index("ip addr")]
    script = begin + "echo list''ens; await() { while ! grep -q \"$1\" /tmp/m; do usleep 20000; done; }; " \
        "await NO-CARRIER; cat /tmp/m; > /tmp/m; echo pul''led; await eth0.*LOWER_UP; cat /tmp/m; kill $monitor; read x"
    with Wire(script, *iproute, "--monitor", str(tmp_path / "monitor")) as wire, \
            socket.socket(socket.AF_UNIX) as talk:
        talk.connect(str(tmp_path / "monitor"))
        wire.terminal.expect_exact("listens\r\n")
        talk.sendall(b"set_link net off\n")
        wire.terminal.expect_exact("eth0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo state DOWN")
        wire.terminal.expect_exact("pulled\r\n")
        talk.sendall(b"set_link net on\n")
        wire.terminal.expect_exact("eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo state UP")
        wire.finish()


def test_neighbours_that_nobody_uses_are_forgotten():
    """The machine's clock counts instructions, so five minutes pass in no time."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        out = busybox(UP + "arp -s 10.9.0.7 02:00:00:00:00:07 temp; "
                      "arp -s 10.9.0.8 02:00:00:00:00:08; sleep 290; ip neigh; sleep 20; echo; ip neigh",
                      "--icount", "--net", f"dgram:{folder}/a:{folder}/b").must_have_run()
    lines = [line.split("dev")[0].strip() for line in out.text.splitlines()]
    assert sorted(lines[:2]) == ["10.9.0.7", "10.9.0.8"] and lines[2:] == ["", "10.9.0.8"], out.text
