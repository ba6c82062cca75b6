"""The lecture's web servers in the machine, with clients that nobody here wrote: curl, ab, Python's and busybox's."""

import contextlib
import hashlib
import http.server
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from guest import call, exchange, guest
from hostfwd import copy_of
from relay import Relay
from support import BUILD, PATIENCE, busybox

SERVERS = [f"httpd{n}" for n in range(1, 6)]
REQUESTS, CONCURRENCY = int(os.environ.get("AB_REQUESTS", "10000")), 50
PORTS = 25  # see relay.py
FILE = random.Random(1).randbytes(300000)


@pytest.fixture(scope="module", name="folder")
def make_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    www = root / "www"
    (www / "sub").mkdir(parents=True)
    (www / "file").write_bytes(FILE)
    (www / "index.html").write_text("<p>first</p>\n")
    (www / "sub" / "index.html").write_text("<p>second</p>\n")
    (www / "a b%.txt").write_text("odd\n")
    (www / "closed.txt").write_text("no\n")
    (www / "closed.txt").chmod(0)
    return str(root)


def serving(name, folder, *words, ports=1):
    return guest(f"/demo/{name} 80 /www", "--overlay", folder, *words, ports=[("tcp", 80)] * ports,
                 first="port 80")


def curl(*words):
    command = ["curl", "-sS", "--max-time", str(PATIENCE), *words]
    return subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE).stdout


def ab(port, requests, concurrency, *words):
    """(complete, failed, kept alive)"""
    done = subprocess.run(["ab", "-q", "-s", str(PATIENCE), "-n", str(requests), "-c", str(concurrency), *words,
                           f"http://127.0.0.1:{port}/sub/index.html"], capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    assert done.returncode == 0 and "Non-2xx" not in done.stdout, done.stdout + done.stderr
    number = lambda name: int((re.findall(rf"^{name} requests: +(\d+)", done.stdout, re.M) or ["0"])[0])
    return number("Complete"), number("Failed"), number("Keep-Alive")


@pytest.mark.parametrize("name", SERVERS)
def test_ab_finds_no_failure(name, folder):
    with serving(name, folder, ports=PORTS) as (_, ports), Relay(ports) as relay:
        assert ab(relay.port, REQUESTS, CONCURRENCY) == (REQUESTS, 0, 0)



@pytest.mark.parametrize("name", ["httpd3", "httpd5"])
def test_a_thousand_requests_leave_nothing_behind(name, folder):
    """With the checking kernel, on four processors. Connections that are being ended, and
    neighbours, are no leak: the first are waited for, the second go with eth0."""
    script = f"/demo/{name} 80 /www & busybox nc -l -p 81; kill $!; wait; " \
             "while busybox netstat -ant | grep -q 'ESTAB\\|FIN_\\|LAST\\|CLOS'; do :; done; ifconfig eth0 down"
    with guest(script, "--overlay", folder, "--debug", "--leak-check", "--smp", "4",
               ports=[("tcp", 80)] * PORTS + [("tcp", 81)], first="port 80") as (process, ports):
        with Relay(ports[:-1]) as relay:
            assert ab(relay.port, 1000, CONCURRENCY) == (1000, 0, 0)
        call(ports[-1]).close()
        assert process.wait(PATIENCE) == 0


def may_copy_descriptors():
    """Of a child, as tools/hostfwd.py does: some containers refuse it."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        process = os.pidfd_open(child.pid)
        copy = copy_of(process, 0)
        for descriptor in (process, copy):
            if descriptor >= 0:
                os.close(descriptor)
        child.stdin.close()
    return copy >= 0


def test_many_may_call_at_once_at_one_port(folder):
    """QEMU itself has a queue for two: while it stands still, no others would get through."""
    if not may_copy_descriptors():
        pytest.skip("this host lets nobody copy a child's descriptors")
    with serving("httpd5", folder) as (process, ports), contextlib.ExitStack() as stack:
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
            machine, = map(int, children.read().split())
        os.kill(machine, signal.SIGSTOP)
        try:
            connections = [stack.enter_context(call(ports[0])) for _ in range(2 * CONCURRENCY)]
        finally:
            os.kill(machine, signal.SIGCONT)
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        for connection in connections:
            assert b"".join(iter(lambda c=connection: c.recv(1 << 16), b"")).endswith(b"<p>first</p>\n")


def test_ab_on_connections_that_last(folder):
    with serving("httpd5", folder, ports=PORTS) as (_, ports), Relay(ports) as relay:
        assert ab(relay.port, 2000, CONCURRENCY, "-k") == (2000, 0, 2000)


@pytest.mark.parametrize("name", SERVERS)
def test_curl_gets_files(name, folder):
    with serving(name, folder) as (_, ports):
        url = f"http://127.0.0.1:{ports[0]}"
        assert curl(url + "/file") == FILE
        assert curl(url + "/", url + "/sub/") == b"<p>first</p>\n<p>second</p>\n"
        assert curl("-L", "--connect-to", f"::127.0.0.1:{ports[0]}", url + "/sub") == b"<p>second</p>\n"
        assert curl(url + "/a%20b%25.txt?query") == b"odd\n"
        head = curl("-I", url + "/file").decode()
        assert "200 OK" in head and f"Content-Length: {len(FILE)}\r\n" in head
        statuses = {"/nothing": 404, "/../www/file": 403, "/%2e%2e/etc/passwd": 403, "/sub": 301, "/a%00": 400,
                    "/file/x": 404, "/" + 5000 * "x": 431, "/" + 300 * "x": 404, "//file": 200}
        for path, status in statuses.items():
            code = curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", url + path)
            assert int(code) == status, path[:20]


def test_a_connection_lasts_for_several_requests(folder):
    with serving("httpd5", folder) as (_, ports):
        url = f"http://127.0.0.1:{ports[0]}"
        assert curl("-w", "%{num_connects}", url + "/", url + "/sub/") == b"<p>first</p>\n1<p>second</p>\n0"
        # All at once, and byte by byte.
        ask = b"GET /sub/ HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET / HTTP/1.0\r\n\r\n"
        text = exchange(ports[0], ask * 20 + last).decode()
        assert text.count("<p>second</p>") == 20 and text.endswith("<p>first</p>\n")
        with call(ports[0]) as connection:
            for byte in ask + last:
                connection.sendall(bytes([byte]))
            text = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()
        assert text.count("200 OK") == 2


WRONG = {
    b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n": 200,
    b"GET / HTTP/1.1\nHost: x\nConnection: close\n\n": 200,
    b"GET http://x/sub/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n": 200,
    b"GET / HTTP/1.1\r\n\r\n": 400,
    b"GET /\r\n\r\n": 400,
    b"GET  HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    b"GET / HTTP/1.1 x\r\nHost: x\r\n\r\n": 400,
    b"GET / FTP/1.1\r\n\r\n": 400,
    b"GET x HTTP/1.0\r\n\r\n": 400,
    b"GET /%zz HTTP/1.0\r\n\r\n": 400,
    b"GET /\0 HTTP/1.0\r\n\r\n": 400,
    b"GET / HTTP/2.0\r\nHost: x\r\n\r\n": 505,
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc": 405,
    b"get / HTTP/1.0\r\n\r\n": 400,
    b"G" * 100 + b"\r\n\r\n": 400,
    b"x: " + b"y" * 5000 + b"\r\n\r\n": 431,
    bytes(range(14, 256)) * 10 + b"\n\n": 400,
}


def test_requests_that_are_odd_or_wrong(folder):
    with serving("httpd5", folder) as (_, ports):
        for request, status in WRONG.items():
            answer = exchange(ports[0], request)
            assert answer.startswith(b"HTTP/1.1 %d " % status), (request[:60], answer[:60])
        chance = random.Random(11)
        for _ in range(200):
            request = bytearray(chance.choice(list(WRONG)))
            for _ in range(chance.randrange(1, 6)):
                request[chance.randrange(len(request))] = chance.randrange(256)
            with call(ports[0]) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass
        assert exchange(ports[0], b"GET / HTTP/1.0\r\n\r\n").endswith(b"<p>first</p>\n")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def test_busybox_wget_from_pythons_server(folder):
    class Handler(Quiet):
        def __init__(self, *words):
            super().__init__(*words, directory=folder + "/www")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = f"busybox wget -q -O - http://10.0.2.2:{server.server_port}/file | sha256sum"
        with guest(script) as (process, _):
            assert process.stdout.readline().split()[0] == hashlib.sha256(FILE).hexdigest()
        server.shutdown()


def test_python_from_busybox_httpd(folder):
    with guest("busybox httpd -p 80 -h /www; echo up; sleep 1000000", "--overlay", folder, ports=[("tcp", 80)],
               first="up") as (_, ports):
        with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/file", timeout=PATIENCE) as answer:
            assert answer.read() == FILE


def test_busyboxs_and_our_own_programs_talk_to_each_other():
    """In the machine: each server has the other's client. busybox's nc hangs up when its caller has no more to say."""
    script = """cd /tmp; seq 100000 > up; seq 200000 300000 > down
until_listens() { until grep -q ":$1 .* 0A " /proc/net/tcp; do usleep 1000; done; }
compare() { cmp up up.got && cmp down down.got && echo "$1"; rm -f up.got down.got; }
busybox httpd -p 8001 -h /tmp; until_listens 1F41; /bin/wget -q -O up.got http://127.0.0.1:8001/up
/demo/httpd5 8002 /tmp > /dev/null & until_listens 1F42; busybox wget -q -O down.got http://127.0.0.1:8002/down
compare web; busybox wget -S -O - http://127.0.0.1:8002/none 2>&1 | grep -c 'HTTP/1.1 404'
busybox nc -l -p 8003 < /dev/null > up.got & nc=$!; until_listens 1F43; /bin/nc 127.0.0.1 8003 < up > down.got; wait $nc
cat down >> down.got; compare calls
/bin/nc -l 8004 < down > up.got & nc=$!; until_listens 1F44; busybox nc 127.0.0.1 8004 < up > down.got; wait $nc
compare called
"""
    out = busybox(script).must_have_run()
    assert out.text == "web\n2\ncalls\ncalled\n", out.text + out.err


def dumped(pcap):
    """What tcpdump shows of PCAP so far."""
    return subprocess.run(["tcpdump", "-nvr", pcap, "tcp port 80"], capture_output=True, text=True, check=False,
                          timeout=PATIENCE).stdout


def test_tcpdump_reads_our_pcap(folder, tmp_path):
    pcap = tmp_path / "pcap"
    with serving("httpd5", folder, "--pcap", str(pcap)) as (process, ports):
        assert curl(f"http://127.0.0.1:{ports[0]}/file") == FILE
        while "Flags [F.]" not in dumped(pcap):  # the end comes after the last byte that curl wants
            assert process.poll() is None, "it never hung up"
            time.sleep(0.1)
    text = dumped(pcap)
    assert re.search(r"> 10\.0\.2\.15\.80: Flags \[S\], cksum 0x\w+ \(correct\)", text)
    assert re.search(r"10\.0\.2\.15\.80 > .*: Flags \[S\.\], cksum 0x\w+ \(correct\)", text)
    assert "GET /file HTTP/1.1" in text and "HTTP/1.1 200 OK" in text and "Flags [F.]" in text
    assert "incorrect" not in text


def test_it_serves_the_host_too(folder):
    """The same binary on Linux."""
    command = [os.path.join(BUILD, "user", "demo", "httpd5"), "0", folder + "/www"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline().split()[1])
            assert curl(f"http://127.0.0.1:{port}/file") == FILE
            assert ab(port, 2000, CONCURRENCY) == (2000, 0, 0)
        finally:
            server.terminate()
