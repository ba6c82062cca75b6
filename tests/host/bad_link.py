"""A link between two machines that loses, doubles, delays and damages what passes, as it is told."""

import os
import random
import select
import socket
import threading

HOLD = 0.01  # seconds without a frame until what is held back goes on all the same


class BadLink:
    """
    Frames from each machine (sockets a and b in FOLDER) go to the other. LOSS, DOUBLES, DAMAGE and LATE are the
    shares of frames that are lost, sent twice, have one bit turned over, and are overtaken by up to eight others.
    CHOOSE, if given, is asked of each frame instead of LOSS: True to lose it.
    """

    def __init__(self, folder, seed=1, *, loss=0.0, doubles=0.0, damage=0.0, late=0.0, choose=None):
        self.random = random.Random(seed)
        self.loss, self.doubles, self.damage, self.late = loss, doubles, damage, late
        self.choose = choose
        self.counts = {"passed": 0, "lost": 0, "doubled": 0, "damaged": 0, "late": 0}
        self.names = [os.path.join(folder, name) for name in ("a", "b")]
        self.sockets = []
        for name in self.names:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(name + "-relay")
            self.sockets.append(s)
        self.held = [[], []]  # by direction: [frames that may still overtake it, frame]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.carry)

    def options(self, which):
        """tools/run's for machine 0 or 1."""
        name = self.names[which]
        return ["--net", f"dgram:{name}:{name}-relay", "--nic", f"mac=52:54:00:00:00:0{which + 1}"]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for s in self.sockets:
            s.close()

    def carry(self):
        while not self.ended.is_set():
            ready = select.select(self.sockets, [], [], HOLD)[0]
            for s in ready:
                self.pass_on(self.sockets.index(s), s.recv(1 << 17))
            if not ready:
                for way in (0, 1):
                    self.release(way, everything=True)

    def send(self, way, frame):
        """To the other machine; one that has gone, or isn't there yet, hears nothing."""
        try:
            self.sockets[1 - way].sendto(frame, self.names[1 - way])
            self.counts["passed"] += 1
        except (ConnectionError, FileNotFoundError):
            pass

    def release(self, way, everything=False):
        """A frame has passed: who has been overtaken often enough goes on."""
        held, self.held[way] = self.held[way], []
        for left, frame in held:
            if left > 1 and not everything:
                self.held[way].append((left - 1, frame))
            else:
                self.send(way, frame)

    def is_lost(self, frame):
        return self.choose(frame) if self.choose else self.random.random() < self.loss

    def pass_on(self, way, frame):
        if self.is_lost(frame):
            self.counts["lost"] += 1
            return
        if self.random.random() < self.damage:
            self.counts["damaged"] += 1
            bit = self.random.randrange(len(frame) * 8)
            frame = bytearray(frame)
            frame[bit // 8] ^= 1 << bit % 8
        if self.random.random() < self.doubles:
            self.counts["doubled"] += 1
            self.send(way, frame)
        if self.random.random() < self.late:
            self.counts["late"] += 1
            self.held[way].append((self.random.randint(1, 8), frame))
            return
        self.send(way, frame)
        self.release(way)
