"""A machine on QEMU's own network, whose ports the host's clients can reach."""

import contextlib
import random
import socket
import subprocess

from support import EXTRA_WORDS, PATIENCE, RUN, patient


@contextlib.contextmanager
def free_ports(kinds):
    """A port of the host's loopback for each of KINDS, that nobody has now: below those that Linux chooses from, as
    what others connect from may be taken in the next moment. One of TCP is held until the end: a server that sets
    SO_REUSEADDR gets it, and no other test."""
    with contextlib.ExitStack() as held:
        ports, free = [], held.enter_context(contextlib.ExitStack())
        for kind in kinds:
            stack = held if kind == socket.SOCK_STREAM else free
            s = stack.enter_context(socket.socket(socket.AF_INET, kind))
            while True:
                port = random.randrange(10000, 32000)
                with contextlib.suppress(OSError):
                    s.bind(("127.0.0.1", port))
                    break
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ports.append(port)
        free.close()
        yield ports


@contextlib.contextmanager
def guest(script, *words, ports=(), first=None):
    """A machine that runs SCRIPT on the network 10.0.2.0/24. PORTS: (kind, port of the guest) each; yields the process
    and the host's ports for them, when the script has printed the line FIRST, if one is named."""
    kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(contextlib.ExitStack())
        outside = held.enter_context(free_ports(kinds[kind] for kind, _ in ports))
        forwards = [f"--hostfwd={kind}:127.0.0.1:{out}-:{port}" for (kind, port), out in zip(ports, outside)]
        options = patient([*words, "--", "/bin/busybox", "sh", "-c", script])
        process = stack.enter_context(subprocess.Popen([RUN, *EXTRA_WORDS, "--net", "user", *forwards, *options],
                                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True))
        try:
            while first is not None:
                line = process.stdout.readline()
                assert line, f"the machine ended before it said {first}"
                if line.rstrip("\n") == first:
                    held.close()
                    break
            yield process, outside
        finally:
            process.terminate()
            process.stdout.read()


def call(port, timeout=PATIENCE):
    """A connection to the host's PORT."""
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def exchange(port, data, timeout=PATIENCE):
    """Send DATA, and all that comes back until the other end has no more to say."""
    with call(port, timeout) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
        return answer
