"""A network device that lies: it is given up with one line in the log, and everything else goes on.

QEMU's doesn't, so gdb lies for it: it holds the machine where the driver is about to look and writes into the memory
that driver and device share.
"""

import re
import threading
import time

import pytest

from debugger import await_file, batch, kernel_of
from frames import OUR_IP, Connection, Wire, icmp, ipv4, with_program
from support import PATIENCE

MORE_THAN_GIVEN = "says it has finished more buffers than it was given"
NOT_GIVEN = "returns a buffer that it was not given"
BEYOND_THE_END = "says it has written beyond a buffer's end"
NO_HEADER = "gives a packet without its header"
MORE_THAN_THERE_ARE = "says that a packet has more buffers than there are"

# $q is a queue, $used its used ring, $next the entry that the driver will look at.
HEADER = "((struct virtio_net_header *)((struct buf *)$q->slots[$next->id].token)->base)"
ONE_MORE = "set var $used->idx = $q->used_seen + 1"
LIES = {
    # What has been received.
    "rx index ahead": ("rx", MORE_THAN_GIVEN, ["set var $used->idx = $q->used_seen + $q->size + 1"]),
    "rx index behind": ("rx", MORE_THAN_GIVEN, ["set var $used->idx = $q->used_seen - 1"]),
    "rx id too large": ("rx", NOT_GIVEN, ["set var $next->id = $q->size"]),
    "rx id far too large": ("rx", NOT_GIVEN, ["set var $next->id = 0xffffffff"]),
    "rx id twice": ("rx", NOT_GIVEN, ["set var $used->ring[($q->used_seen + 1) % $q->size] = *$next",
                                      "set var $used->idx = $q->used_seen + 2"]),
    "rx too long": ("rx", BEYOND_THE_END, ["set var $next->len = 4097"]),
    "rx far too long": ("rx", BEYOND_THE_END, ["set var $next->len = 0xffffffff"]),
    "rx shorter than its header": ("rx", NO_HEADER, ["set var $next->len = 11"]),
    "rx empty": ("rx", NO_HEADER, ["set var $next->len = 0"]),
    "rx of buffers that are not there": ("rx", MORE_THAN_THERE_ARE, [f"set var {HEADER}->num_buffers = 2"]),
    "rx of no buffers": ("rx", MORE_THAN_THERE_ARE, [f"set var {HEADER}->num_buffers = 0"]),
    # What has been sent.
    "tx index ahead": ("tx", MORE_THAN_GIVEN, ["set var $used->idx = $q->used_seen + $q->size + 1"]),
    "tx id too large": ("tx", NOT_GIVEN, ["set var $next->id = $q->size", ONE_MORE]),
    "tx id of a free descriptor": ("tx", NOT_GIVEN, ["set var $next->id = $q->free_head", ONE_MORE]),
}


class Liar:
    """gdb, which changes the ring when the driver has been told of the next frame and has not looked yet."""

    def __init__(self, folder, socket, queue, lie):
        ready = f"{folder}/{len(list(folder.iterdir()))}.ready"
        self.commands = [
            f"signalbox-connect {socket}", "break *virtio_net_receive", f"shell touch {ready}", "continue",
            f"set var $q = ((struct net_pair *)$rdi)->{queue}", "set var $used = $q->used",
            "set var $next = &$used->ring[$q->used_seen % $q->size]", *lie, "delete", "detach"]
        self.output = None
        self.thread = threading.Thread(target=self.go)
        self.thread.start()
        await_file(ready)

    def go(self):
        self.output = batch(kernel_of(["--debug"]), self.commands)

    def join(self):
        self.thread.join()
        assert "No symbol" not in self.output.all() and "Cannot" not in self.output.all(), self.output.all()


def ask(terminal, command):
    """What the machine's shell prints for COMMAND."""
    terminal.send(f"{command}; echo en''ded\r")
    return terminal.expect("ended\r\n").split("\r\n", 1)[-1]


def complaints(terminal):
    """The log's lines about the device, and none more."""
    ask(terminal, "true")
    return re.findall(r"virtio-net: (.*); the device is disabled", ask(terminal, "dmesg"))


def await_complaint(terminal, before):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = complaints(terminal)
        if len(found) > before:
            return found
    raise AssertionError("the lie was believed")


def await_announcements(terminal, count):
    """Who listens to rtnetlink is told, each time, that the device runs no more."""
    for _ in range(200):
        told = ask(terminal, "cat /tmp/links").splitlines().count("eth0: up, changed: running carrier")
        if told >= count:
            assert told == count
            return
    raise AssertionError("nobody was told")


@pytest.mark.parametrize("nic", ["mrg_rxbuf=on", "event_idx=off,indirect_desc=off,vectors=0"])
def test_a_device_that_lies_is_given_up_with_one_line(nic, tmp_path):
    """Nobody can send then; brought down and up it has another chance, and the connection is still there."""
    socket, overlay = str(tmp_path / "gdb"), tmp_path / "overlay"
    overlay.mkdir()
    machine = Wire("/links >> /tmp/links & nc -ll -p 7 -e cat & while read x; do eval \"$x\"; done", "--nic", nic,
                   "--gdb", socket, "--smp", "2", *with_program(overlay, "links"), timeout=2 * PATIENCE)
    await_file(socket)
    batch(kernel_of(["--debug"]), [f"signalbox-connect {socket}", "detach"])
    with machine as wire:
        terminal = wire.terminal
        connection = Connection(wire, 5000)
        connection.echo(b"before")
        told = complaints(terminal)
        assert not told
        ask(terminal, "until grep -q listening /tmp/links; do sleep 0.1; done")
        for name, (queue, complaint, lie) in LIES.items():
            liar = Liar(tmp_path, socket, queue, lie)
            wire.send(ipv4(icmp(8, 0, 0x77 << 16 | 2, b"look!"), 1))
            liar.join()
            told = await_complaint(terminal, len(told))
            await_announcements(terminal, len(told))
            assert told[-1] == complaint, f"{name}: {told[-1]}"
            assert "Network is down" in ask(terminal, f"busybox ping -c 1 -W 1 {OUR_IP} 2>&1"), name
            assert "Network is down" in ask(terminal, f"busybox nc {OUR_IP} 80 2>&1"), name
            ask(terminal, "ifconfig eth0 down; ifconfig eth0 up")
            assert wire.ping(name.encode()) == name.encode()
            connection.echo(name.encode())
            assert complaints(terminal) == told
        assert len(told) == len(LIES)
        terminal.send("exit\r")
        assert terminal.status() == 0
