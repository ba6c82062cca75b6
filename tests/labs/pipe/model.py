"""A pipe as it should be: what each step of a script on one that never sleeps must return."""

PAGE = 4096
SMALL = 64          # bytes that a write puts in without looking for whole pages
EAGAIN, EFAULT, EBUSY, EPIPE = 11, 14, 16, 32
POLLIN, POLLOUT, POLLERR, POLLHUP = 1, 4, 8, 16


def stream(seed, n, start=0):
    """What programs/scene.h's fill() makes."""
    return bytes(((place * 2654435761 + seed) >> 11) & 0xff for place in range(start, start + n))


def fnv(data, value=2166136261):
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xffffffff
    return value


class Pipe:
    """Buffers of at most a page, SLOTS of them: [first byte, bytes], both inside the buffer's page."""

    def __init__(self):
        self.bufs, self.slots = [], 16
        self.reader = self.writer = True

    @property
    def held(self):
        return sum(n for _, n in self.bufs)

    def full(self):
        return len(self.bufs) >= self.slots

    def appendable(self, n):
        return bool(self.bufs) and sum(self.bufs[-1]) + n <= PAGE

    def put(self, n):
        """One piece goes in, if there is room."""
        if self.full() and not self.appendable(n):
            return False
        if n < PAGE and self.appendable(n):
            self.bufs[-1][1] += n
        else:
            self.bufs.append([0, n])
        return True

    def write(self, n):
        if not self.reader:
            return -EPIPE
        if n <= SMALL:
            return n if self.put(n) else -EAGAIN
        done = 0
        while done < n:
            left = n - done
            odd = left % PAGE
            if self.full() and not self.appendable(odd or PAGE):
                break
            first = odd if odd and odd < left and self.appendable(odd) else min(left, PAGE)
            if not self.put(first):
                break
            done += first
        return done or -EAGAIN

    def read(self, n):
        done = 0
        while self.bufs and done < n:
            some = min(self.bufs[0][1], n - done)
            self.bufs[0][0] += some
            self.bufs[0][1] -= some
            done += some
            if not self.bufs[0][1]:
                self.bufs.pop(0)
        if not done and n:
            return -EAGAIN if self.writer else 0
        return done

    def ready(self):
        reads = (POLLIN if self.bufs else 0) | (0 if self.writer else POLLHUP) if self.reader else 0
        writes = (0 if self.full() else POLLOUT) | (0 if self.reader else POLLERR) if self.writer else 0
        return f"{reads:x}:{writes:x}"

    def resize(self, n):
        slots = 1
        while slots * PAGE < n:
            slots *= 2
        if slots < len(self.bufs):
            return -EBUSY
        self.slots = slots
        return slots * PAGE


class Player:
    """Plays a script as programs/script.c does."""

    def __init__(self, seed):
        self.pipe, self.seed = Pipe(), seed
        self.taken = 0
        self.sigpipes = 0

    def step(self, word):
        pipe, what, n = self.pipe, word[0], int(word[1:]) if word[1:].isdigit() else 0
        if what in "wv":
            result = pipe.write(n)
        elif what == "f":
            result = 0
            while pipe.write(n) == n:
                result += 1
        elif what == "W":
            result = -EPIPE if not pipe.reader else \
                -EAGAIN if pipe.full() and not pipe.appendable(n % PAGE or PAGE) else -EFAULT
        elif what == "r":
            result = pipe.read(n)
            self.taken += max(result, 0)
        elif what == "u":
            result = pipe.read(64)
            self.taken += max(result, 0)
        elif what == "R":
            result = -EFAULT if pipe.bufs else pipe.read(n)
        elif what == "n":
            result = pipe.held
        elif what == "p":
            result = pipe.ready()
        elif what == "g":
            result = pipe.slots * PAGE
        elif what == "s":
            result = pipe.resize(n)
        else:
            if word[1] == "r":
                pipe.reader = False
            else:
                pipe.writer = False
            result = 0
        self.sigpipes += result == -EPIPE
        return f"{word} {result}"

    def play(self, script):
        return [self.step(word) for word in script]

    def hash(self):
        return fnv(stream(self.seed, self.taken))
