"""What programs/place.c and programs/processes.c must see, computed here: two small models of shared memory."""

EPERM, ENOMEM, EINVAL = 1, 12, 22
WINDOW = 24
SHM_DEST = 0o1000


class Window:
    """A window of memory, page by page: nothing, private, or (segment, page where its attach began, read-only)."""

    def __init__(self):
        self.pages = {}

    def attach(self, segment, page, odd=0, flags=""):
        if odd and "r" not in flags:
            return -EINVAL
        span = range(page, page + segment + 2)
        if "m" not in flags and any(at in self.pages for at in span):
            return -EINVAL
        for at in span:
            self.pages[at] = (segment, page, "o" in flags)
        return page

    def detach(self, page, odd=0):
        """All of the object that the lowest page shows which an attach at PAGE has put where it is."""
        mine = sorted(at for at, what in self.pages.items() if what != "p" and what[1] == page)
        if odd or not mine:
            return -EINVAL
        segment = self.pages[mine[0]][0]
        for at in mine:
            if self.pages[at][0] == segment:
                del self.pages[at]
        return 0

    def protect(self, page):
        if page not in self.pages:
            return -ENOMEM
        if self.pages[page] != "p":
            self.pages[page] = (*self.pages[page][:2], True)
        return 0

    def act(self, op):
        word = op.split(":")
        if word[0] == "a":
            return self.attach(int(word[1]), int(word[2]), int(word[3]), word[4] if len(word) > 4 else "")
        if word[0] == "d":
            return self.detach(int(word[1]), int(word[2]) if len(word) > 2 else 0)
        if word[0] == "u":
            self.pages.pop(int(word[1]), None)
            return 0
        if word[0] == "p":
            self.pages[int(word[1])] = "p"
            return int(word[1])
        return self.protect(int(word[1]))

    def picture(self):
        def letter(what):
            return what if isinstance(what, str) else chr(ord("A" if what[2] else "0") + what[0])
        return "".join(letter(self.pages.get(at, ".")) for at in range(WINDOW))

    def run(self, ops):
        """What the program reports of each."""
        return [f"{self.act(op)} {self.picture()}" for op in ops]


class Segment:
    def __init__(self, key):
        self.key = key
        self.mode = 0o606
        self.last = "-"
        self.atime = self.dtime = self.seen_atime = self.seen_dtime = 0
        self.value = 0
        self.gone = False


class World:
    """Processes and the segments they have attached. A place is (segment, areas as a list of ranges of its 3 pages)."""

    def __init__(self, count):
        self.segments = [Segment(key) for key in range(count)]
        self.places = {0: []}       # of each process that lives
        self.strangers = set()      # who has become another user
        self.clock = 1
        self.freed = 0

    def count(self, segment):
        return sum(len(areas) for places in self.places.values() for at, areas in places if at is segment)

    def attached(self, process, segment):
        segment.atime, segment.last = self.clock, process

    def detached(self, process, segment):
        segment.dtime, segment.last = self.clock, process
        self.settle(segment)

    def settle(self, segment):
        if segment.mode & SHM_DEST and not segment.gone and not self.count(segment):
            segment.gone = True
            self.freed += 1

    def attach(self, process, number):
        segment = self.segments[number]
        if segment.gone:
            return -EINVAL
        self.places[process].append((segment, [(0, 3)]))
        self.attached(process, segment)
        return len(self.places[process]) - 1

    def detach(self, process, place):
        segment, areas = self.places[process][place]
        if not areas:
            return -EINVAL
        areas.clear()
        self.detached(process, segment)
        return 0

    def split_middle(self, process, place):
        """Make the middle page an area of its own. False: nothing is there."""
        segment, areas = self.places[process][place]
        if (0, 3) in areas:
            areas[:] = [(0, 1), (1, 2), (2, 3)]
            self.attached(process, segment)
        return (1, 2) in areas

    def unmap(self, process, place):
        if self.split_middle(process, place):
            segment, areas = self.places[process][place]
            areas.remove((1, 2))
            self.detached(process, segment)
        return 0

    def protect(self, process, place):
        return 0 if self.split_middle(process, place) else -ENOMEM

    def fork(self, parent, child):
        self.places[child] = [(segment, list(areas)) for segment, areas in self.places[parent]]
        if parent in self.strangers:
            self.strangers.add(child)
        for segment, areas in self.places[parent]:
            if areas:
                self.attached(parent, segment)
        return 0

    def leave(self, process, places):
        """exit, a signal, exec: the process has PLACES instead of what it had (None: it has ended)."""
        old = self.places.pop(process)
        if places is not None:
            self.places[process] = places
        for segment, areas in old:
            if areas:
                self.detached(process, segment)
        return 0

    def remove(self, number, stranger=False):
        segment = self.segments[number]
        if segment.gone:
            return -EINVAL
        if stranger:
            return -EPERM
        segment.mode |= SHM_DEST
        segment.key = None
        self.settle(segment)
        return 0

    def remove_as_stranger(self, process, number):
        self.strangers.add(process)
        return self.remove(number, stranger=True)

    def make(self, key):
        for number, segment in enumerate(self.segments):
            if segment.key == key and not segment.gone:
                return number
        self.segments.append(Segment(key))
        return len(self.segments) - 1

    def write(self, process, place, value):
        self.places[process][place][0].value = value
        return value

    def act(self, op):
        act, *numbers = op.split(":")
        a, b, c = (*map(int, numbers), 0, 0, 0)[:3]
        if act == "t":
            self.clock += 1
        return {
            "a": lambda: self.attach(a, b), "d": lambda: self.detach(a, b), "u": lambda: self.unmap(a, b),
            "q": lambda: self.protect(a, b), "f": lambda: self.fork(a, b), "x": lambda: self.leave(a, None),
            "k": lambda: self.leave(a, None), "e": lambda: self.leave(a, []), "r": lambda: self.remove(a),
            "R": lambda: self.remove_as_stranger(a, b), "n": lambda: self.make(a), "w": lambda: self.write(a, b, c),
            "g": lambda: self.places[a][b][0].value,
        }.get(act, lambda: 0)()

    def picture(self, segment):
        def stamp(was, now):
            return "-" if not now else "=" if now == was else "+"
        if segment.gone:
            return "-"
        text = (f"{self.count(segment)}/{segment.mode:o}/{'no-key' if segment.key is None else 'key'}/{segment.last}/"
                f"{stamp(segment.seen_atime, segment.atime)}{stamp(segment.seen_dtime, segment.dtime)}")
        segment.seen_atime, segment.seen_dtime = segment.atime, segment.dtime
        return text

    def run(self, ops):
        """What the program reports of each."""
        return [" ".join([str(self.act(op)), *map(self.picture, self.segments)]) for op in ops]
