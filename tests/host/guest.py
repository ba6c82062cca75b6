"""A machine on QEMU's own network, whose ports the host's clients can reach."""

import contextlib
import random
import socket
import subprocess

from support import EXTRA_WORDS, RUN


def free_ports(kinds):
    """A port of the host's loopback for each of KINDS, that nobody has now: below those that Linux chooses from, as
    what others connect from may be taken in the next moment."""
    with contextlib.ExitStack() as held:
        ports = []
        for kind in kinds:
            s = held.enter_context(socket.socket(socket.AF_INET, kind))
            while True:
                port = random.randrange(10000, 32000)
                with contextlib.suppress(OSError):
                    s.bind(("127.0.0.1", port))
                    break
            ports.append(port)
        return ports


@contextlib.contextmanager
def guest(script, *words, ports=(), first=None):
    """A machine that runs SCRIPT on the network 10.0.2.0/24. PORTS: (kind, port of the guest) each; yields the process
    and the host's ports for them, when the script has printed the line FIRST, if one is named."""
    kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
    outside = free_ports(kinds[kind] for kind, _ in ports)
    forwards = [f"--hostfwd={kind}:127.0.0.1:{out}-:{port}" for (kind, port), out in zip(ports, outside)]
    command = [RUN, *EXTRA_WORDS, "--net", "user", *forwards, *words, "--", "/bin/busybox", "sh", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            while first is not None:
                line = process.stdout.readline()
                assert line, f"the machine ended before it said {first}"
                if line.rstrip("\n") == first:
                    break
            yield process, outside
        finally:
            process.terminate()
            process.stdout.read()


def call(port, timeout=30):
    """A connection to the host's PORT."""
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def exchange(port, data, timeout=30):
    """Send DATA, and all that comes back until the other end has no more to say."""
    with call(port, timeout) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
        return answer
