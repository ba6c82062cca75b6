"""inetd and its small servers, called from the host: in the machine at their well-known ports, on Linux at others."""

import contextlib
import getpass
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from guest import call, exchange, free_ports, guest
from support import BUILD, PATIENCE
from terminal import shell

TCP = {"echo": 7, "discard": 9, "systat": 11, "daytime": 13, "netstat": 15, "chargen": 19, "time": 37, "finger": 79}
UDP = {"echo": 7, "discard": 9, "systat": 11, "daytime": 13, "chargen": 19, "time": 37}
PLACES = [("tcp", name) for name in TCP] + [("udp", name) for name in UDP]
MINUTE = 59  # of inetd's, which counts whole seconds
PROGRAMS = {"systat": "ps ps -ef", "netstat": "netstat netstat -an", "finger": "fingerd fingerd"}


@contextlib.contextmanager
def inside():
    ports = [("tcp", port) for port in TCP.values()] + [("udp", port) for port in UDP.values()]
    with guest("inetd; echo up; sleep 1000000", "--debug", ports=ports, first="up") as (_, outside):
        yield dict(zip(PLACES, outside))


def lines_for_host(ports):
    for (kind, name), port in ports.items():
        program = f"{BUILD}/user/{PROGRAMS[name]}" if name in PROGRAMS else f"internal {name}"
        how = ("stream tcp", "nowait") if kind == "tcp" else ("dgram udp", "nowait" if name in PROGRAMS else "wait")
        yield f"{port} {how[0]} {how[1]} {getpass.getuser()} {program}\n"


@contextlib.contextmanager
def on_linux():
    kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
    with free_ports(kinds[kind] for kind, _ in PLACES) as found, tempfile.TemporaryDirectory() as folder:
        ports = dict(zip(PLACES, found))
        path = folder + "/inetd.conf"
        with open(path, "w", encoding="ascii") as file:
            file.writelines(lines_for_host(ports))
        with subprocess.Popen([f"{BUILD}/user/inetd", "-d", path]) as process:
            try:
                until(lambda: exchange(ports["tcp", "daytime"], b""))
                yield ports
            finally:
                process.terminate()


def until(holds):
    """Ask again and again until it can be said."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return holds()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module", params=["inside", "on_linux"], name="ports")
def make_ports(request):
    with {"inside": inside, "on_linux": on_linux}[request.param]() as ports:
        yield ports


def until_refused(port):
    """Call again and again until nobody listens at PORT."""
    with contextlib.suppress(ConnectionRefusedError):
        while True:
            call(port).close()
            time.sleep(0.05)


def ask(port, data):
    """The datagram that comes back for DATA; asked again, as a datagram can be lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.connect(("127.0.0.1", port))
        for _ in range(100):
            s.send(data)
            with contextlib.suppress(TimeoutError):
                return s.recv(1 << 16)
    raise AssertionError("no answer")


def test_echo(ports):
    data = os.urandom(200000)
    with call(ports["tcp", "echo"]) as s:
        got = b""
        for at in range(0, len(data), 10000):
            s.sendall(data[at:at + 10000])
            while len(got) < at + 10000:
                got += s.recv(1 << 16)
        assert got == data
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""
    for n in (0, 1, 1400):
        assert ask(ports["udp", "echo"], data[:n]) == data[:n]


def test_discard(ports):
    with call(ports["tcp", "discard"]) as s:
        s.sendall(bytes(100000))
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", ports["udp", "discard"]))
        s.send(b"x")
        s.settimeout(0.2)
        with pytest.raises(TimeoutError):
            s.recv(1)


def test_chargen(ports):
    with call(ports["tcp", "chargen"]) as s:
        text = b""
        while len(text) < 20000:
            text += s.recv(1 << 16)
    lines = text.split(b"\r\n")[:-1]
    assert all(len(line) == 72 and line.isascii() and line.decode().isprintable() for line in lines)
    assert all(b[:71] == a[1:] for a, b in zip(lines, lines[1:])) and len(set(lines)) == 95
    sizes = {len(ask(ports["udp", "chargen"], b"")) for _ in range(8)}
    assert max(sizes) <= 512 and len(sizes) > 1


def test_daytime_and_time(ports):
    form = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n"
    assert re.fullmatch(form, exchange(ports["tcp", "daytime"], b"").decode())
    assert re.fullmatch(form, ask(ports["udp", "daytime"], b"x").decode())
    for question in (lambda: exchange(ports["tcp", "time"], b""), lambda: ask(ports["udp", "time"], b"")):
        before, answer, after = time.time(), question(), time.time()
        assert len(answer) == 4
        assert before - 100 < int.from_bytes(answer, "big") - 2208988800 < after + 100


def test_systat_and_netstat(ports):
    assert b"inetd" in exchange(ports["tcp", "systat"], b"") and b"PID" in ask(ports["udp", "systat"], b"")
    text = exchange(ports["tcp", "netstat"], b"").decode()
    assert "LISTEN" in text and "ESTABLISHED" in text


def test_finger(ports):
    port = ports["tcp", "finger"]
    assert exchange(port, b"\r\n").startswith(b"Login ")
    assert exchange(port, b"root\r\n").startswith(b"Login: root\r\nName: root\r\n")
    assert b"Directory: /root\r\n" in exchange(port, b"/W root\r\n")
    assert b"Directory" not in exchange(port, b"root\r\n")
    assert exchange(port, b"nobody-here\r\n") == b"No such user.\r\n"
    assert b"forwarding" in exchange(port, b"root@elsewhere\r\n")
    assert exchange(port, b"x" * 1000 + b"\r\n") == b"No such user.\r\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may have such a port")
def test_other_small_servers_are_not_answered():
    """Two of them would answer each other for ever: who asks from a port below 1024 hears nothing."""
    with on_linux() as ports, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for port in range(600, 1024):
            with contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                break
        s.settimeout(0.3)
        for name in ("echo", "chargen", "daytime", "time", "systat"):
            s.sendto(b"x", ("127.0.0.1", ports["udp", name]))
        with pytest.raises(TimeoutError):
            s.recv(1)
        assert ask(ports["udp", "echo"], b"x") == b"x"


def test_it_runs_when_the_machine_is_booted():
    with free_ports([socket.SOCK_STREAM]) as (port,), \
            shell("--net", "user", "--hostfwd", f"tcp:127.0.0.1:{port}-:79"):
        text = until(lambda: exchange(port, b"\r\n", timeout=20) or no_answer()).decode()
        assert re.search(r"^root .* sh\r$", text, re.M), text


def no_answer():
    raise OSError("hung up without a word: it isn't there yet")


def test_many_at_once(ports):
    held = []
    for n in range(40):
        held.append(call(ports["tcp", "echo"]))
        held[-1].sendall(b"%d" % n)
        assert held[-1].recv(10) == b"%d" % n
    for n, s in enumerate(held):
        s.sendall(b"again")
        assert s.recv(10) == b"again"
        s.close()
    assert exchange(ports["tcp", "daytime"], b"")


@pytest.fixture(name="own_ports")
def make_own_ports():
    with free_ports([socket.SOCK_STREAM] * 2) as ports:
        yield ports


def started(path):
    return subprocess.Popen([f"{BUILD}/user/inetd", "-d", path], stderr=subprocess.PIPE, text=True)


def test_it_reads_its_file_again(tmp_path, own_ports):
    """SIGHUP: new services come, old ones go, and who is being served is served to the end."""
    first, second = own_ports
    path, me = tmp_path / "conf", getpass.getuser()
    path.write_text(f"{first} stream tcp nowait {me} internal echo # a remark\n")
    with started(str(path)) as process:
        try:
            with until(lambda: call(first)) as s:
                s.sendall(b"x")
                assert s.recv(1) == b"x"
                path.write_text(f"{second} stream tcp nowait {me} /bin/echo echo hello\n\n")
                process.send_signal(signal.SIGHUP)
                assert until(lambda: exchange(second, b"")) == b"hello\n"
                until_refused(first)
                s.sendall(b"still")
                assert s.recv(10) == b"still"
        finally:
            process.terminate()


def ask_too_often(path, port, other):
    """A new inetd, called four times, of which it takes three in a minute. False: it took us a minute."""
    began = time.monotonic()
    with started(path) as process:
        try:
            for _ in range(3):
                assert until(lambda: exchange(port, b""))
            if time.monotonic() - began > MINUTE:
                return False
            assert "too often" in process.stderr.readline()
            answer = None
            with contextlib.suppress(TimeoutError):
                answer = exchange(port, b"", timeout=0.5)
            if time.monotonic() - began > MINUTE:
                return False
            assert answer is None
            assert len(exchange(other, b"")) == 4
            return True
        finally:
            process.terminate()


def test_who_is_asked_for_too_often_rests(tmp_path, own_ports):
    port, other = own_ports
    path, me = tmp_path / "conf", getpass.getuser()
    path.write_text(f"{port} stream tcp nowait.3 {me} internal daytime\n{other} stream tcp nowait {me} internal time\n")
    assert any(ask_too_often(str(path), port, other) for _ in range(10)), "the machine is too busy to ask often"


def test_a_server_that_waits_gets_the_socket(tmp_path, own_ports):
    """`wait`: the program is given the listening socket itself."""
    port = own_ports[0]
    program = "import socket; s = socket.socket(fileno=0); c, _ = s.accept(); c.sendall(b'mine')"
    script = tmp_path / "server.py"
    script.write_text(program)
    (tmp_path / "conf").write_text(f"{port} stream tcp wait {getpass.getuser()} /usr/bin/python3 python3 {script}\n")
    with started(str(tmp_path / "conf")) as process:
        try:
            for _ in range(3):
                assert until(lambda: exchange(port, b"")) == b"mine"
        finally:
            process.terminate()


@pytest.mark.parametrize("line", ["echo", "echo stream udp nowait root internal",
                                  "nobody-has-it stream tcp nowait root internal",
                                  "echo stream tcp later root internal", "echo stream tcp nowait no-such-user internal",
                                  "finger stream tcp nowait root internal", "echo stream tcp wait root internal",
                                  "70000 stream tcp nowait root internal echo"])
def test_wrong_lines_are_reported(line, tmp_path):
    path = tmp_path / "conf"
    path.write_text("# remark\n" + line + "\n")
    done = subprocess.run([f"{BUILD}/user/inetd", "-d", path], capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    assert done.returncode == 1 and f"{path}:2: " in done.stderr
