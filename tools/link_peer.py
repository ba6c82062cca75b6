"""The other end of the measured link: a thread of this machine's that echoes, swallows and pours (tests/bench/link.c).

QEMU's own network brings what the machine sends to 10.0.2.2 to this machine's loopback; nobody else hears it.
"""

import socket
import threading

ADDRESS = "10.0.2.2"
CHUNK = 1 << 16


class LinkPeer:
    """`with LinkPeer() as peer:` peer.words() are what tests/bench/link wants to know."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", 0))

    def words(self):
        return [ADDRESS, str(self.listener.getsockname()[1]), str(self.datagrams.getsockname()[1])]

    def __enter__(self):
        for work in (self.accept, self.echo_datagrams):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_):
        for s in (self.listener, self.datagrams):
            s.close()

    def echo_datagrams(self):
        try:
            while True:
                data, sender = self.datagrams.recvfrom(CHUNK)
                self.datagrams.sendto(data, sender)
        except OSError:  # closed
            pass

    def accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()
        except OSError:  # closed
            pass

    @staticmethod
    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray(CHUNK)
        with connection:
            try:
                what = connection.recv(1)
                if what == b"p":
                    while True:
                        connection.sendall(buffer)
                while n := connection.recv_into(buffer):
                    if what == b"e":
                        connection.sendall(buffer[:n])
            except ConnectionError:  # it has heard enough
                pass
