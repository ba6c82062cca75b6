"""wget against servers of Python's and of our own that isn't polite: in the machine, and here."""

import contextlib
import hashlib
import http.server
import os
import socket
import struct
import subprocess
import threading

import pytest

from support import BUILD, PATIENCE, busybox

BODY = os.urandom(300_000)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b"", *headers):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.split("?")[0]
        if name == "/big":
            self.answer(200, BODY)
        elif name == "/moved":
            self.answer(302, b"elsewhere", ("Location", "/folder/here?x"))
        elif name == "/folder/here":
            self.answer(301, b"", ("Location", "there"))
        elif name == "/folder/there":
            self.answer(200, f"{self.path} {self.headers['Host']} {self.headers['User-Agent']}\n".encode())
        elif name == "/circle":
            self.answer(302, b"", ("Location", "/circle"))
        elif name == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for size in (1, 10, 70_000, 229_989):
                self.wfile.write(b"%x;ext=1\r\n" % size + BODY[:size] + b"\r\n")
            self.wfile.write(b"0\r\nTrailer: x\r\n\r\n")
        else:
            self.answer(404, b"no such thing")

    def do_POST(self):
        self.answer(200, b"got " + self.rfile.read(int(self.headers["Content-Length"])) + b"\n")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


SCRIPT = """export PATH=$X:$PATH; mkdir /tmp/w$$; cd /tmp/w$$
$X/wget -q $U/big; echo $?; $X/wget -qO - $U/big | sha256sum | cut -c 1-64
$X/wget $U/folder/there 2>&1; $X/cat there
$X/wget -qO - -U me $U/moved | $X/grep -c '/folder/there .* me$'
$X/wget -O - $U/circle 2>&1; echo $?
$X/wget $U/none 2>&1 | $X/grep -c 'says 404'; $X/ls -1
$X/wget -qO c $U/chunks; echo $?; $X/wc -c < c
$X/wget -qO - -p a=b $U/form
$X/wget -qS -O - $U/form/ 2>&1 | $X/grep -c 'HTTP/1.1 404'
$X/wget -q ftp://x/ http:// http://a@b/ 'http://h/a b' http://h:x/ 2>&1 | $X/grep -c 'not a URL'
$X/wget -q http://127.0.0.1:1/ 2>/dev/null; echo $?
cd /; rm -r /tmp/w$$
"""


def expected(host):
    return f"""0
{hashlib.sha256(BODY).hexdigest()}
there: {len(f'/folder/there {host} wget') + 1} bytes
/folder/there {host} wget
1
wget: http://{host}/circle: leads from one to the next
1
1
big
there
0
300000
got a=b
1
5
1
"""


def test_wget_here():
    with serving() as port:
        done = subprocess.run(["sh", "-c", f"X={BUILD}/user U=http://127.0.0.1:{port}\n{SCRIPT}"], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
    assert done.stdout == expected(f"127.0.0.1:{port}"), done.stderr


def test_wget_in_the_machine():
    with serving() as port:
        out = busybox(f"X=/bin U=http://10.0.2.2:{port}\n{SCRIPT}", "--net", "user", "--leak-check")
    assert out.text == expected(f"10.0.2.2:{port}")


def test_nobody_takes_the_connection():
    """An address of QEMU's network that nobody has: sooner than the kernel, wget gives it up."""
    out = busybox("/bin/wget -T 0.3 http://10.0.2.77/ 2>&1; echo $?", "--net", "user").text
    assert out == "wget: 10.0.2.77:80: Connection timed out\n1\n"


# What a server may say, and what wget says of it and how it ends.
RUDE = {
    "nothing": (b"", "no HTTP"),
    "no_http": (b"SSH-2.0-x\r\n\r\n", "no HTTP"),
    "no_end_of_headers": (b"HTTP/1.1 200 OK\r\nA: b\r\n", "no end of its headers"),
    "too_many_headers": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n", "no end of its headers"),
    "a_line_too_long": (b"HTTP/1.1 200 " + b"x" * 9000 + b"\r\n\r\n", "no HTTP"),
    "too_short": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "5 bytes too early"),
    "chunk_without_length": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "without a length"),
    "chunk_negative": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "without a length"),
    "chunk_cut_short": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12", "3 bytes too early"),
    "no_last_chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", "ends within its chunks"),
    "bad_location": (b"HTTP/1.1 302 OK\r\nLocation: gopher://x/\r\n\r\n", "not a URL"),
    "silent": (None, "nothing comes"),
}


@pytest.mark.parametrize("name", RUDE)
def test_rude_servers(name):
    said, complaint = RUDE[name]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wget = subprocess.Popen([f"{BUILD}/user/wget", "-q", "-T", "0.5" if said is None else "100", "-O", "-",
                                 f"http://127.0.0.1:{listener.getsockname()[1]}/"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            if said is not None:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
            _, err = wget.communicate(timeout=PATIENCE)
    assert wget.returncode == 1 and complaint in err


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_a_connection_that_breaks_is_no_rude_server(said):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        wget = subprocess.Popen([f"{BUILD}/user/wget", "-q", "-O", "-", url], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            connection.sendall(said)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _, err = wget.communicate(timeout=PATIENCE)
    assert wget.returncode == 1 and err == "wget: receive: Connection reset by peer\n"


def test_an_answer_without_length_ends_with_the_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wget = subprocess.Popen([f"{BUILD}/user/wget", "-q", "-O", "-",
                                 f"http://127.0.0.1:{listener.getsockname()[1]}"], stdout=subprocess.PIPE)
        connection, _ = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            assert request.startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:") and b"\r\nConnection: close\r\n" in request
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\n\nall of it")
        assert wget.communicate(timeout=PATIENCE)[0] == b"all of it" and wget.returncode == 0
