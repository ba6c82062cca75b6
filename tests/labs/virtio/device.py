"""A virtio device that is played by gdb: the driver's functions are called in a halted kernel, one at a time, and the
memory that both sides share is read and written from outside. So what a check sees is what lies in memory, not what
the kernel says of itself; and a device can lie, or be late, at the very instruction where it hurts.

gdb is given this text with OPERATIONS set, a list of [name, arguments...], when the machine stands still at a place
where the kernel can allocate memory. For each operation it prints one line, MARK and JSON: what came back, and what
is in memory then.

    [queue, BITS, AT]        a new queue of SIZE entries whose registers are plain memory. The device has offered the
                             features BITS, and all numbers stand at AT, as if the queue had long been running
    [put, [LENGTH...], OUT]  a buffer of pieces, of which the device reads the first OUT. Tokens are 1, 2, 3 ...
    [event, NUMBER]          the device wants to be told at NUMBER; without the event index its flags are NUMBER
    [use, NTH, LENGTH]       the device is done with the NTH buffer (from 0) and has written LENGTH
    [lie, ID, LENGTH]        it says so of descriptor ID
    [ahead, N]               its used index goes N on without a word about what
    [take], [reclaim], [notify], [quiet], [listen], [later], [ask_later], [look_later]
    [given]                  all buffers that it was given, as it would read them now
    [race, FUNCTION, OPERATION...]   FUNCTION runs instruction by instruction; OPERATION is the device's as soon as
                             the driver has written a word that it shares. What it touched comes back, in order
"""

import json
import re

import gdb

MARK = "@device "
SIZE = 8
EVENT_IDX, VERSION_1 = 1 << 29, 1 << 32
DIRECT_MAP = 0xffff888000000000  # kernel/mm/page.h
# In the common configuration (virtio 1.2, 4.1.4.3).
NUM_QUEUES, QUEUE_SIZE = 18, 24
NEXT, WRITE, INDIRECT = 1, 2, 4
NOT_NOTIFIED = 0xffff
STEPS_MAX = 500


def value(text):
    return int(gdb.parse_and_eval(text)) & 0xffffffffffffffff


def load(at, n=2):
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(at, n)), "little")


def store(at, number, n=2):
    gdb.selected_inferior().write_memory(at, (number & (1 << n * 8) - 1).to_bytes(n, "little"))


def quietly(command):
    return gdb.execute(command, to_string=True)


class Caller:
    """Calls functions of the kernel from where it stands; they return to there."""

    def __init__(self):
        self.home, self.stack = value("$pc"), value("$rsp")
        self.below = (self.stack - 512 & ~15) - 8
        self.flags = value("$eflags")
        quietly("hbreak *$pc")

    def begin(self, function, *arguments):
        """Everything but to let it run. No interrupts: a driver has its queue's lock."""
        store(self.below, self.home, 8)
        for register, argument in zip(("rdi", "rsi", "rdx", "rcx", "r8", "r9"), arguments):
            quietly(f"set ${register} = {argument}")
        quietly("set $eflags = $eflags & ~0x200")
        quietly(f"set $rsp = {self.below}")
        quietly(f"set $pc = (unsigned long)&{function}")

    def is_back(self):
        return value("$pc") == self.home and value("$rsp") == self.below + 8

    def leave(self):
        """The machine goes on as if nothing had been called."""
        quietly(f"set $eflags = {self.flags}")
        quietly("delete")

    def result(self, bits):
        back = value("$rax") & (1 << bits) - 1
        quietly(f"set $rsp = {self.stack}")
        return back - (1 << bits) if bits == 32 and back >> 31 else back

    def call(self, function, *arguments, bits=64):
        self.begin(function, *arguments)
        quietly("continue")
        if not self.is_back():
            raise gdb.GdbError(f"{function} did not return")
        return self.result(bits)

    def step(self, function, *arguments, bits=64):
        """Run it like call(), but yield the text of each instruction before it is executed; at last the result."""
        self.begin(function, *arguments)
        for _ in range(STEPS_MAX):
            if self.is_back():
                return self.result(bits)
            yield quietly("x/i $pc").split("\t", 1)[1].strip()
            quietly("stepi")
        raise gdb.GdbError(f"{function} did not return in {STEPS_MAX} instructions")


def touched(instruction):
    """[(place, bytes, kind)] of memory that it reads or writes."""
    operand = re.search(r"(BYTE|WORD|DWORD|QWORD) PTR \[([^\]]+)\]", instruction)
    if not operand or "rip" in operand[2] or instruction.startswith("lea"):
        return []
    place = value(re.sub(r"\b(r\w+|e\w\w)\b", r"$\1", operand[2]))
    n = {"BYTE": 1, "WORD": 2, "DWORD": 4, "QWORD": 8}[operand[1]]
    words = instruction.split(None, 1)
    is_first = "PTR [" in words[1].split(",")[0]
    if words[0] in ("cmp", "test") or not is_first:
        return [(place, n, "read")]
    if words[0] == "mov":
        return [(place, n, "write")]
    return [(place, n, "read"), (place, n, "write")]


def is_fence(instruction):
    return "mfence" in instruction or instruction.startswith("lock") or \
        instruction.startswith("xchg") and "PTR [" in instruction


class Device:
    def __init__(self, caller):
        self.caller = caller

    def get(self, name):
        return value(f"((struct virtqueue *){self.q})->{name}")

    def set(self, name, number):
        quietly(f"set var ((struct virtqueue *){self.q})->{name} = {number}")

    def state(self):
        return {"free": self.get("free_count"), "stopped": bool(value(f"((struct virtio_device *){self.v})->stopped")),
                "published": load(self.avail + 2), "flags": load(self.avail),
                "wanted": load(self.avail + 4 + SIZE * 2),
                "notified": load(self.doorbell) != NOT_NOTIFIED}

    # --- operations ---

    def queue(self, bits, at):
        """Each has memory of its own, so that a queue that was damaged spoils no later one."""
        call = self.caller.call
        base = call("kzalloc", 2048)
        self.bits, self.v, self.doorbell = bits, base + 1024, base + 512
        self.data = call("kzalloc", 2048)
        store(base + NUM_QUEUES, 1)
        store(base + QUEUE_SIZE, SIZE)
        gdb.selected_inferior().write_memory(base + 600, b"lab device\0")
        for name, number in (("common", base), ("notify", self.doorbell), ("notify_size", 4), ("name", base + 600),
                             ("features", bits | VERSION_1)):
            quietly(f"set var ((struct virtio_device *){self.v})->{name} = {number}")
        self.q = call("virtqueue_create", self.v, 0, SIZE)
        call("virtio_start", self.v)
        self.desc, self.avail, self.used = (self.get(name) for name in ("desc", "avail", "used"))
        for name in ("avail_next", "avail_published", "used_seen"):
            self.set(name, at)
        store(self.avail + 2, at)
        store(self.used + 2, at)
        self.event(at if bits & EVENT_IDX else 0)
        store(self.doorbell, NOT_NOTIFIED)
        self.at, self.heads, self.tokens = at, [], 0

    def put(self, lengths, out):
        """The pieces lie one behind the other: each has a place of its own."""
        pieces, place = self.data + 1024, self.data
        for i, length in enumerate(lengths):
            store(pieces + i * 16, place, 8)
            store(pieces + i * 16 + 8, length, 8)
            place += length
        self.tokens += 1
        error = self.caller.call("virtqueue_put", self.q, pieces, len(lengths), out, self.tokens, bits=32)
        answer = {"result": error}
        if not error:
            self.heads.append(load(self.avail + 4 + (self.at + len(self.heads)) % SIZE * 2))
            answer["chain"] = self.chain(self.heads[-1])
        return answer

    def chain(self, head):
        """The pieces of the buffer at HEAD as a device reads them: [[offset, length, writable]...], or a complaint."""
        pieces, table, at, entries = [], self.desc, head, SIZE
        while len(pieces) <= SIZE:
            if at >= entries:
                return f"descriptor {at} of {entries}"
            where = table + at * 16
            address, length, flags = load(where, 8) + DIRECT_MAP, load(where + 8, 4), load(where + 12)
            if flags & INDIRECT:
                table, at, entries = address, 0, length // 16
                continue
            pieces.append([address - self.data, length, bool(flags & WRITE)])
            if not flags & NEXT:
                return pieces
            at = load(where + 14)
        return "it has no end"

    def given(self):
        return {"chains": [self.chain(head) for head in self.heads]}

    def event(self, number):
        store(self.used + 4 + SIZE * 8 if self.bits & EVENT_IDX else self.used, number)

    def lie(self, number, length):
        index = load(self.used + 2)
        store(self.used + 4 + index % SIZE * 8, number, 4)
        store(self.used + 4 + index % SIZE * 8 + 4, length, 4)
        store(self.used + 2, index + 1)

    def use(self, nth, length):
        self.lie(self.heads[nth], length)

    def ahead(self, n):
        store(self.used + 2, load(self.used + 2) + n)

    def take(self):
        store(self.data + 2040, 0xdeadbeef, 4)
        token = self.caller.call("virtqueue_take", self.q, self.data + 2040)
        return {"result": token, "written": load(self.data + 2040, 4)}

    def reclaim(self):
        return {"result": self.caller.call("virtqueue_reclaim", self.q)}

    def notify(self):
        store(self.doorbell, NOT_NOTIFIED)
        self.caller.call("virtqueue_notify", self.q)

    def quiet(self):
        self.caller.call("virtqueue_quiet", self.q)

    def listen(self):
        return {"result": self.caller.call("virtqueue_listen", self.q, bits=8)}

    def later(self):
        return {"result": self.caller.call("virtqueue_listen_later", self.q, bits=8)}

    def ask_later(self):
        self.caller.call("virtqueue_ask_later", self.q)

    def look_later(self):
        return {"result": self.caller.call("virtqueue_look_later", self.q, bits=8)}

    def shared(self):
        """The words that both sides touch, by place: each byte's name."""
        entry = self.used + 4 + self.get("used_seen") % SIZE * 8
        names = {self.avail: ("avail.flags", 2), self.avail + 2: ("avail.idx", 2),
                 self.avail + 4 + SIZE * 2: ("used_event", 2), self.used: ("used.flags", 2),
                 self.used + 2: ("used.idx", 2), self.used + 4 + SIZE * 8: ("avail_event", 2), entry: ("id", 4),
                 entry + 4: ("len", 4), self.doorbell: ("doorbell", 2)}
        return {at + i: name for at, (name, n) in names.items() for i in range(n)}

    def race(self, function, *operation):
        names, trace, answered = self.shared(), [], not operation
        arguments = (self.q, self.data + 2040) if function == "take" else (self.q,)
        name = "virtqueue_listen_later" if function == "later" else f"virtqueue_{function}"
        store(self.doorbell, NOT_NOTIFIED)
        steps, before = self.caller.step(name, *arguments, bits=8), None
        while True:
            try:
                instruction = next(steps)
            except StopIteration as end:
                return {"result": end.value, "trace": trace}
            if not answered and before in ("avail.idx", "used_event", "avail.flags"):
                getattr(self, operation[0])(*operation[1:])
                answered = True
            before = None
            for place, n, kind in touched(instruction):
                for what in dict.fromkeys(names[at] for at in range(place, place + n) if at in names):
                    trace.append(f"{kind} {what}")
                    before = what if kind == "write" else before
            if is_fence(instruction):
                trace.append("fence")


def perform(operations):
    caller = Caller()
    device = Device(caller)
    for name, *arguments in operations:
        answer = getattr(device, name)(*arguments) or {}
        print(MARK + json.dumps({"name": name, **answer, **device.state()}), flush=True)
    caller.leave()


perform(OPERATIONS)  # noqa: F821  (set by who gives this to gdb)
