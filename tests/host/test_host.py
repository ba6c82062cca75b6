"""host against a name server of our own: records as they are, and answers that are none."""

import contextlib
import os
import socket
import struct
import subprocess
import threading

import pytest

from support import BUILD, PATIENCE, busybox

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 15, 16, 28, 33


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def record(owner, kind, data, ttl=60):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


OWNER = b"\xc0\x0c"
TO_ORG = b"\xc0\x18"  # "org" of the question www.example.org
RIGHT = {
    ("A", A): ([record(OWNER, A, b"\x0a\0\0\1"), record(OWNER, A, b"\x0a\0\0\2")], "10.0.0.1|10.0.0.2"),
    ("AAAA", AAAA): ([record(OWNER, AAAA, bytes(range(16)))], "1:203:405:607:809:a0b:c0d:e0f"),
    ("MX", MX): ([record(OWNER, MX, b"\0\x0a" + b"\4mail" + TO_ORG)], "10 mail.org"),
    ("NS", NS): ([record(OWNER, NS, name("ns.example.net"))], "ns.example.net"),
    ("TXT", TXT): ([record(OWNER, TXT, b'\5a"\x1b b\3two')], '"a\\034\\027 b" "two"'),
    ("SRV", SRV): ([record(OWNER, SRV, b"\0\1\0\2\0\x50" + name("host.example"))], "1 2 80 host.example"),
    ("SOA", SOA): ([record(OWNER, SOA, name("ns.a") + name("who.a") + struct.pack("!5I", 1, 2, 3, 4, 5))],
                   "ns.a who.a 1 2 3 4 5"),
    ("99", 99): ([record(OWNER, 99, b"abc")], "3 bytes"),
}
# What answers with which the client must end with status 1 look like, and what it says of them.
WRONG = {
    "no_such_name": (dict(code=3), "no such name"),
    "refused": (dict(code=5), "the server refuses"),
    "another_type": (dict(records=[record(OWNER, MX, b"\0\1" + name("x"))]), "no A record"),
    "fewer_records_than_said": (dict(records=[record(OWNER, A, b"\1\2\3\4")], count=3), "damaged"),
    "data_beyond_the_end": (dict(records=[OWNER + struct.pack("!HHIH", A, 1, 0, 400)]), "damaged"),
    "a_name_in_a_circle": (dict(records=[b"\xc0\x21"]), "damaged"),
    "a_name_beyond_the_end": (dict(records=[b"\xff\xff" + bytes(10)]), "damaged"),
}


def own_address():
    """One that no other process has."""
    return f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"


@contextlib.contextmanager
def serving(answer):
    """ANSWER(question) -> what is sent back, in turn. The server's own address on the loopback."""
    address = own_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    question, client = server.recvfrom(512)
                    if question == b"end":
                        return
                    for message in answer(question):
                        server.sendto(message, client)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address
        finally:
            server.sendto(b"end", (address, 53))
            thread.join()


def reply(question, records=(), code=0, flags=0x8180, count=None):
    head = question[:2] + struct.pack("!HHHHH", flags | code, 1, len(records) if count is None else count, 0, 0)
    return head + question[12:] + b"".join(records)


def ask(*words):
    return subprocess.run([f"{BUILD}/user/host", "-W", "60", *words], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)


@pytest.mark.parametrize("word, number", RIGHT)
def test_records(word, number):
    records, expected = RIGHT[word, number]

    def answer(question):
        assert struct.unpack("!HH", question[-4:]) == (number, 1) and question[12:-4] == name("www.example.org")
        return [reply(question, records)]
    with serving(answer) as server:
        done = ask("-t", word, "www.example.org", server)
    kind = word if word != "99" else "TYPE99"
    assert done.stdout.splitlines() == [f"www.example.org {kind} {line}" for line in expected.split("|")], done.stderr
    assert done.returncode == 0


def test_an_alias_is_shown():
    with serving(lambda q: [reply(q, [record(OWNER, CNAME, name("real.org")),
                                      record(name("real.org"), A, b"\1\2\3\4")])]) as server:
        assert ask("www.example.org", server).stdout == "www.example.org CNAME real.org\nreal.org A 1.2.3.4\n"
        assert "www.example.org 60 CNAME real.org" in ask("-v", "www.example.org", server).stdout


def test_an_address_asks_for_its_name():
    def answer(question):
        assert question[12:-4] == name("4.3.2.10.in-addr.arpa") and question[-3] == PTR
        return [reply(question, [record(OWNER, PTR, name("host.example.org"))])]
    with serving(answer) as server:
        assert ask("10.2.3.4", server).stdout == "4.3.2.10.in-addr.arpa PTR host.example.org\n"


@pytest.mark.parametrize("which", WRONG)
def test_what_is_wrong(which):
    words, complaint = WRONG[which]
    with serving(lambda q: [reply(q, **words)]) as server:
        done = ask("www.example.org", server)
    assert done.returncode == 1 and complaint in done.stderr


def test_names_do_not_reach_the_terminal_raw():
    with serving(lambda q: [reply(q, [record(OWNER, NS, b"\6a\x1b[2Jb\0")])]) as server:
        assert ask("-t", "ns", "www.example.org", server).stdout == "www.example.org NS a?[2Jb\n"


def test_what_answers_no_question_of_ours_is_passed_over():
    right = [record(OWNER, A, b"\1\2\3\4")]

    def answer(question):
        other = bytes([question[0] ^ 1]) + question[1:]
        return [b"", b"x", question, reply(other, right), reply(question[:13] + b"x" + question[14:], right),
                reply(question[:-3] + b"\2" + question[-2:], right), reply(question, right)]
    with serving(answer) as server:
        assert ask("www.example.org", server).stdout == "www.example.org A 1.2.3.4\n"


@contextlib.contextmanager
def serving_streams(answer):
    """ANSWER(question) -> the bytes that a connection gets for the question that it brings; then it is hung up."""
    with socket.create_server((own_address(), 53)) as listener:
        def serve():
            while True:
                connection, _ = listener.accept()
                with connection:
                    length = connection.recv(2, socket.MSG_WAITALL)
                    if not length:
                        return
                    question = connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
                    connection.sendall(answer(question))
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield own_address()
        finally:
            socket.create_connection((own_address(), 53)).close()
            thread.join()


def with_length(message):
    return struct.pack("!H", len(message)) + message


MANY = [record(OWNER, A, bytes([10, 0, n >> 8, n & 255])) for n in range(2000)]


def test_what_a_datagram_has_no_room_for_comes_by_a_connection():
    with serving(lambda q: [reply(q, MANY[:1], flags=0x8380)]) as server, \
         serving_streams(lambda q: with_length(reply(q, MANY))):
        done = ask("www.example.org", server)
    assert done.stdout.splitlines() == [f"www.example.org A 10.0.{n >> 8}.{n & 255}" for n in range(2000)], done.stderr
    assert done.returncode == 0


def test_a_connection_can_be_asked_for():
    with serving(lambda q: [reply(q, code=3)]) as server, serving_streams(lambda q: with_length(reply(q, MANY[1:2]))):
        assert ask("-T", "www.example.org", server).stdout == "www.example.org A 10.0.0.1\n"


RUDE_STREAMS = {
    "hangs_up": (lambda q: b"", "Protocol error"),
    "half_a_message": (lambda q: with_length(reply(q, MANY))[:-1], "Protocol error"),
    "another_question": (lambda q: with_length(reply(b"xx" + q[2:], MANY)), "Protocol error"),
    "nothing": (lambda q: b"\0\0", "Protocol error"),
    "cut_short_again": (lambda q: with_length(reply(q, MANY[:1], flags=0x8380)), "cut short"),
}


@pytest.mark.parametrize("which", RUDE_STREAMS)
def test_connections_that_bring_no_answer(which):
    answer, complaint = RUDE_STREAMS[which]
    with serving_streams(answer) as server:
        done = ask("-T", "www.example.org", server)
    assert done.returncode == 1 and complaint in done.stderr and not done.stdout


def test_nobody_takes_the_connection():
    with serving(lambda q: [reply(q, MANY[:1], flags=0x8380)]) as server:
        done = ask("www.example.org", server)
        assert done.returncode == 1 and "refused" in done.stderr
    with socket.create_server((own_address(), 53)):  # the kernel takes it, and nobody reads
        done = ask("-T", "-W", "0.2", "www.example.org", own_address())
        assert done.returncode == 1 and "timed out" in done.stderr


def test_nobody_answers():
    with serving(lambda q: []) as server:
        done = ask("-W", "0.2", "www.example.org", server)
        assert done.returncode == 1 and "timed out" in done.stderr
    for words in ((), ("a", "b", "c"), ("-t", "x", "a"), ("a..b", "127.0.0.1")):
        assert ask(*words).returncode == 1


def test_in_the_machine():
    """QEMU's name server is the host's, of which nothing is known but that it answers or says that it can't."""
    out = busybox("host 127.0.0.1 10.0.2.3; host -W 1 localhost 10.0.2.77; echo $?", "--net", "user").text
    assert "10.0.2.77: " in out and out.endswith("\n1\n")
