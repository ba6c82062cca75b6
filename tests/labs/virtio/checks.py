"""The checks of the lab `virtio`. Half of them play the device by gdb (device.py); the others look at the wire."""

import json
import os
import struct

from grading import check

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "@device "  # device.py
SIZE = 8
WRAP = 1 << 16
INDIRECT, EVENT_IDX = 1 << 28, 1 << 29
ENOSPC = -28
EXPERIMENT = 0x88b5  # programs/frames.c


# --- the device that gdb plays ---


def play(t, operations):
    """What device.py says of each operation, as [(operation, answer)]."""
    with open(os.path.join(HERE, "device.py"), encoding="utf-8") as file:
        device = file.read()
    script = f"hbreak virtio_net_init\ncontinue\ndelete\npython\nOPERATIONS = {operations!r}\n{device}\nend\ndetach\n"
    # Not by instructions: with them QEMU lets time jump whenever gdb halts the machine. Nothing here depends on time:
    # between two operations the machine stands still, and what is called runs with interrupts off.
    seen = t.boot("/bin/busybox", "true", gdb=script, icount=False)
    answers = [json.loads(line.removeprefix(MARK)) for line in seen.gdb.splitlines() if line.startswith(MARK)]
    if len(answers) < len(operations):
        t.fail(f"virtqueue operation {operations[len(answers)]} did not come to an end", hint="stuck")
    return list(zip(operations, answers))


def some_pieces(t, most):
    """(lengths, how many of them the device reads)."""
    lengths = [t.random.randrange(1, 30) for _ in range(t.random.randrange(1, most + 1))]
    return lengths, t.random.randrange(len(lengths) + 1)


def described(lengths, out):
    """What a device should find: each piece's place, length, and whether it may write there."""
    return [[sum(lengths[:i]), length, i >= out] for i, length in enumerate(lengths)]


def near_the_wrap(t):
    return t.random.randrange(WRAP - 5, WRAP)


def puts_that_fill(t, most=4, table=SIZE):
    """Puts of random buffers that fill an empty ring; from TABLE pieces on, one descriptor is enough for all."""
    puts, left = [["put", [t.random.randrange(1, 30) for _ in range(2)], 1]], SIZE - 2
    while left:
        lengths, out = some_pieces(t, most if left > 1 else 1)
        needed = 1 if len(lengths) >= table else len(lengths)
        if needed <= left:
            puts.append(["put", lengths, out])
            left -= needed
    return puts


@check(points=5)
def the_machine_runs(t):
    "The kernel finds the device and boots, whatever its rings do."
    mac = "52:54:00:" + ":".join(f"{t.random.randrange(256):02X}" for _ in range(3))
    seen = t.boot("/bin/ifconfig", "-a", net=wire(t), nic=f"mac={mac}")
    t.expect("eth0 has the address that QEMU gave it", want=True, got=mac.lower() in seen.console.lower())


@check(points=11, needs=("the_machine_runs",))
def buffers_are_described(t):
    "virtqueue_put: what a device finds in the descriptor table and in the available ring."
    at = near_the_wrap(t)
    puts = puts_that_fill(t)
    plain = [["queue", 0, at], *puts, ["put", [1], 0], ["given"]]
    tables = [["queue", INDIRECT, at], *puts_that_fill(t, 6, table=3), ["given"]]
    answers = play(t, plain + tables)
    free = SIZE
    for (_, lengths, out), (_, answer) in zip(puts, answers[1:]):
        free -= len(lengths)
        t.expect(f"putting {len(lengths)} pieces of {free + len(lengths)} free descriptors", want=0,
                 got=answer["result"], hint="put")
        t.expect(f"pieces {lengths}, {out} to be read: [place, length, writable] of each", want=described(lengths, out),
                 got=answer.get("chain"), hint="chain")
        t.expect("descriptors that are free then", want=free, got=answer["free"], hint="free-chain")
        t.expect("the index, which is published later", want=at, got=answer["published"], hint="published-early")
    t.expect("putting into a full ring", want=ENOSPC, got=answers[len(puts) + 1][1]["result"])
    t.expect("all buffers in the full ring", want=[described(*put[1:]) for put in puts],
             got=answers[len(puts) + 2][1]["chains"], points=4, hint="overlap")
    t.expect("all buffers in a ring with tables", want=[described(*put[1:]) for put in tables[1:-1]],
             got=answers[-1][1]["chains"], points=3, hint="chain")


@check(points=14, needs=("buffers_are_described",))
def the_device_is_told(t):
    "virtqueue_notify: the index is published, and the device woken when it wants that, and only then."
    told = tells_by_event(t)
    quiet = [["queue", 0, 7], ["put", [4], 0], ["event", 1], ["notify"], ["put", [4], 0], ["event", 0], ["notify"],
             ["notify"]]
    race = [["queue", EVENT_IDX, 100], ["put", [4], 0], ["event", 200], ["race", "notify", "event", 100]]
    answers = play(t, [operation for operation, _ in told] + quiet + race)
    for (operation, want), (_, answer) in zip(told, answers):
        if want:
            t.expect(f"the index after a notification ({want['why']})", want=want["published"],
                     got=answer["published"], hint="publish")
            t.expect(f"the device is woken: {want['why']}", want=want["notified"], got=answer["notified"],
                     hint="event-index")
    flags = answers[len(told):]
    for number, want in ((3, False), (6, True), (7, False)):
        why = {3: "the device has said NO_NOTIFY", 6: "it wants to be told", 7: "there is nothing new"}[number]
        t.expect(f"the device is woken, by its flags: {why}", want=want, got=flags[number][1]["notified"], hint="flags")
    last = answers[-1][1]
    t.expect("the device is woken though it changed its mind while the index was published", want=True,
             got=last["notified"], points=4, hint="lost-notification")
    t.expect("between the store of the index and the load of the event the processor is stopped by",
             want="a full fence", got=between(last["trace"], "write avail.idx", "read avail_event"), points=4,
             hint="fence")


def tells_by_event(t):
    """[(operation, what it should do or None)] with the event index, over the wrap."""
    index = near_the_wrap(t)
    done = [(["queue", EVENT_IDX, index], None)]
    for _ in range(SIZE):
        old, index = index, (index + 1) % WRAP
        event = (old + t.random.choice((-2, -1, 0, 0, 1, 2, 30000))) % WRAP
        why = f"it wants {event}, {old} was published, now {index}"
        done += [(["put", [4], 0], None), (["event", event], None),
                 (["notify"], {"why": why, "published": index, "notified": event == old})]
    old = index = near_the_wrap(t)
    done.append((["queue", EVENT_IDX, index], None))
    event = (old + t.random.randrange(1, SIZE)) % WRAP
    done += [(["put", [4], 0], None) for _ in range(SIZE)] + [(["event", event], None)]
    index = (old + SIZE) % WRAP
    done.append((["notify"], {"why": f"it wants {event}, {old} was published, now {index}", "published": index,
                              "notified": True}))
    return done


def between(trace, first, second):
    """What orders the two accesses."""
    if first not in trace or second not in trace[trace.index(first):]:
        return f"nothing: the accesses were {trace}"
    at = trace.index(first)
    return "a full fence" if "fence" in trace[at:trace.index(second, at)] else "no fence"


@check(points=14, needs=("buffers_are_described",))
def buffers_come_back(t):
    "virtqueue_take: what the device is done with, in whatever order, over the wrap of the numbers."
    at = near_the_wrap(t)
    puts = puts_that_fill(t, 3)
    writable = [sum(lengths[out:]) for _, lengths, out in puts]
    order = t.random.sample(range(len(puts)), len(puts))
    lengths = [t.random.choice((0, writable[nth], t.random.randrange(writable[nth] + 1))) for nth in order]
    again = puts_that_fill(t)
    uses = [operation for nth, length in zip(order, lengths) for operation in (["use", nth, length], ["take"])]
    operations = [["queue", 0, at], *puts, ["notify"], ["take"], *uses, ["take"], *again, ["given"],
                  ["queue", EVENT_IDX, 65535], ["put", [8], 0], ["use", 0, 5], ["race", "take"]]
    answers = [answer for _, answer in play(t, operations)]
    before = 1 + len(puts) + 1
    t.expect("a buffer is taken though none is done", want=0, got=answers[before]["result"], hint="used-index")
    free = 0
    for i, (nth, length) in enumerate(zip(order, lengths)):
        free += len(puts[nth][1])
        answer = answers[before + 2 + 2 * i]
        t.expect("the token of the buffer that is done", want=nth + 1, got=answer["result"], hint="token")
        t.expect("the bytes that the device wrote", want=length, got=answer["written"], hint="token")
        t.expect("descriptors that are free then", want=free, got=answer["free"], points=6 if i == 0 else None,
                 hint="descriptors-lost")
    ends = before + 1 + len(uses)
    t.expect("one more", want=0, got=answers[ends]["result"], hint="used-index")
    chains = answers[ends + 1 + len(again)]["chains"][len(puts):]
    t.expect("the buffers of a ring that is filled again", want=[described(*put[1:]) for put in again], got=chains,
             hint="descriptors-lost")
    trace = answers[-1]["trace"]
    t.expect("times that the id and the length are read from the device's memory", want=[1, 1],
             got=[trace.count("read id"), trace.count("read len")], points=3, hint="read-twice")
    t.expect("the index is read before the entry that it makes valid", want=True,
             got="read id" in trace and "read used.idx" in trace[:trace.index("read id")], hint="used-index")


LIES = {
    "an id beyond the table": [["lie", SIZE, 0]],
    "an id far beyond it": [["lie", 0xffffffff, 0]],
    # Who looks there finds whatever lies behind the table: something that looks like a buffer, sooner or later.
    **{f"an id {n} beyond the table": [["lie", SIZE + n, 0]]
       for n in (1, 2, 3, 5, 7, 8, 9, 12, 16, 24, 32, 64, 200, 1000)},
    "a descriptor that is free": [["lie", 7, 0]],
    "the middle of a buffer": [["lie", 1, 0]],
    "a buffer twice": [["use", 1, 4], ["take"], ["use", 1, 4]],
    "more bytes than there is room": [["use", 1, 5]],
    "bytes in a buffer that it may only read": [["use", 0, 1]],
    "more buffers than the ring has": [["use", 0, 0], ["ahead", SIZE]],
}


@check(points=10, needs=("buffers_come_back",))
def a_device_that_lies_is_given_up(t):
    "virtqueue_take believes nothing that can't be: the device is disabled, and nothing changes."
    operations = []
    for lie in LIES.values():
        # Descriptors 0 and 1 are a buffer to be read, 2 is one of four bytes to be written.
        operations += [["queue", 0, near_the_wrap(t)], ["put", [9, 9], 2], ["put", [4], 0], *lie, ["take"]]
    answers = play(t, operations)
    takes = [answer for (operation, answer), (following, _) in zip(answers, [*answers[1:], (["queue"], 0)])
             if following[0] == "queue" and operation[0] == "take"]
    for what, answer in zip(LIES, takes):
        t.expect(f"the device says it is done with {what}: it is given up", want=True, got=answer["stopped"],
                 hint="believed")
        t.expect("and what is taken", want=0, got=answer["result"], hint="believed")
        t.expect("and the descriptors that are free", want=6 if "twice" in what else 5, got=answer["free"],
                 hint="believed")


@check(points=12, needs=("buffers_come_back",))
def interrupts_are_asked_for(t):
    "virtqueue_quiet, _listen, _ask_, _look_, _listen_later: which interrupt is wanted, and what has come before."
    at, many, few = near_the_wrap(t), SIZE, t.random.randrange(1, 4)
    later = many * 3 // 4
    fill = [["put", [4], 0]] * many + [["notify"]]
    events = [["queue", EVENT_IDX, at], *fill, ["quiet"], ["listen"], ["later"], ["quiet"], ["ask_later"],
              *[["use", 0, 0]] * few, ["listen"], ["later"], ["ahead", later - few], ["look_later"], ["later"],
              ["ahead", 1], ["look_later"], ["later"]]
    flags = [["queue", 0, at], *fill, ["quiet"], ["listen"], ["quiet"], ["later"], ["quiet"], ["ask_later"],
             ["ahead", 1], ["listen"]]
    races = [["queue", EVENT_IDX, at], *fill, ["quiet"], ["race", "listen", "ahead", 1],
             ["queue", EVENT_IDX, at], *fill, ["quiet"], ["race", "later", "ahead", later + 1]]
    answers = [answer for _, answer in play(t, events + flags + races)]
    first = 1 + len(fill)
    quiet, listen, late, _, asked = answers[first:first + 5]
    t.expect("quiet, with the event index: the number at which an interrupt is wanted", want=(at - 1) % WRAP,
             got=quiet["wanted"], hint="event-index")
    t.expect("and the flags, which then stay 0", want=0, got=quiet["flags"], hint="event-index")
    t.expect("listen: the number", want=at, got=listen["wanted"], hint="event-index")
    t.expect("listen_later, ask_later: the number", want=[(at + later) % WRAP] * 2,
             got=[late["wanted"], asked["wanted"]], hint="three-quarters")
    t.expect("something has come: listen, listen_later", want=[0, 0], got=[listen["result"], late["result"]])
    behind = answers[first + 5 + few:]
    t.expect(f"listen when {few} have come", want=1, got=behind[0]["result"], hint="look-again")
    t.expect(f"listen_later when {few}, {later} and {later + 1} of {many} have come", want=[0, 0, 1],
             got=[behind[i]["result"] for i in (1, 4, 7)], hint="three-quarters")
    t.expect(f"look_later when {later} and {later + 1} of {many} have come", want=[0, 1],
             got=[behind[i]["result"] for i in (3, 6)], hint="three-quarters")
    plain = answers[len(events) + first:]
    t.expect("by the flags: NO_INTERRUPT after quiet, listen, quiet, listen_later, quiet, ask_later",
             want=[1, 0, 1, 0, 1, 0], got=[answer["flags"] for answer in plain[:6]], hint="flags")
    t.expect("by the flags: listen when one has come", want=1, got=plain[7]["result"], hint="look-again")
    race_listen, race_later = raced = answers[len(events) + len(flags) + first + 1], answers[-1]
    t.expect("listen and listen_later when it comes at the very moment they ask", want=[1, 1],
             got=[race_listen["result"], race_later["result"]], points=4, hint="look-again")
    t.expect("between asking and looking again the processor is stopped by", want=["a full fence"] * 2,
             got=[between(answer["trace"], "write used_event", "read used.idx") for answer in raced], points=3,
             hint="fence")


# --- the device that QEMU plays ---


def wire(t):
    """A network where nobody else is."""
    return f"dgram:{t.folder}/machine:{t.folder}/nobody"


def frames_on(path):
    """Every frame that passed, from a pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    frames, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def experiments(path, length):
    """The numbers of programs/frames.c's frames on the wire; "damaged" for one that isn't as it was sent."""
    numbers = []
    for frame in frames_on(path):
        if frame[12:14] != EXPERIMENT.to_bytes(2, "big"):
            continue
        number = int.from_bytes(frame[14:18], "little")
        good = frame[18:] == bytes(number * 7 + at & 255 for at in range(18, length))
        numbers.append(number if good else "damaged")
    return numbers


def within(number, low, high, word, unit):
    """WORD for a number in these bounds, which says no more than it must: reports shall repeat."""
    return word if isinstance(number, int) and low <= number <= high else f"{number} {unit}"


def told_shortly(numbers, count):
    """What became of the frames 0, 1, ... in words: how many were lost differs from run to run."""
    if not numbers:
        return "none"
    wrong = {"damaged ones": "damaged" in numbers, "missing ones": len(set(numbers) - {"damaged"}) < count,
             "some twice": len(set(numbers)) < len(numbers), "another order": numbers != list(range(count))}
    return next((f"not all well: {what}" for what, so in wrong.items() if so), "each once, in order")


def amount(number, count):
    """Of COUNT: all, some or none."""
    return "all" if number == count else "some" if number else "none"


@check(points=9, needs=("the_device_is_told", "buffers_come_back"), seconds=30)
def frames_leave(t):
    "What a program sends is on the wire, each frame once, as it was; and its memory comes back."
    # Each burst has fewer than the ring has room for. Of what a driver forgets some always is taken out in passing, by
    # who sends: how much depends on the device. Of so many frames enough is left.
    burst, length = t.random.randrange(150, 180), t.random.randrange(900, 1500)
    count = 16 * burst
    seen = t.boot("frames", count, length, burst, net=wire(t))
    t.expect("frames that the kernel took from the program", want=count, got=seen.one("accepted"), hint="send-stuck")
    t.expect("frames on the wire", want="each once, in order",
             got=told_shortly(experiments(seen.pcap, length), count), hint="wire")
    t.expect("memory that is free in the end", want="as much as before",
             got=within(seen.one("lost"), -60, 60, "as much as before", "pages fewer"), hint="leak")


@check(points=10, needs=("frames_leave", "interrupts_are_asked_for"), seconds=30)
def a_full_ring_waits(t):
    "A device that takes its time: the send ring is full again and again, nothing is lost, and nobody spins."
    count, length = t.random.randrange(900, 1100), t.random.randrange(60, 300)
    slow = f"tx=timer,x-txtimer={t.random.randrange(8, 16)}000000,event_idx=off"
    seen = t.boot("frames", count, length, net=wire(t), nic=slow)
    t.expect("frames that the kernel took from the program", want=count, got=seen.one("accepted"), hint="send-stuck")
    t.expect("frames on the wire", want="each once, in order",
             got=told_shortly(experiments(seen.pcap, length), count), hint="full-ring")


def echoed(count, length):
    """programs/echoes.c's sum of the answers 1 to COUNT."""
    total = 0
    for number in range(1, count + 1):
        one = 1
        for i in range(length):
            one = (one * 31 + (number * 13 + i & 255)) % (1 << 32)
        total += one ^ number
    return total % (1 << 32)


def answers_on(path):
    """Echo replies on the wire."""
    icmp = (frame for frame in frames_on(path) if frame[12:14] == b"\x08\0" and frame[23:24] == b"\1")
    return sum(frame[34:35] == b"\0" for frame in icmp)


@check(points=9, needs=("frames_leave", "interrupts_are_asked_for"), seconds=60)
def frames_come(t):
    "Hundreds of packets, more than the ring has buffers: all that were on the wire are read, whole and in order."
    count, length = t.random.randrange(300, 500), t.random.randrange(1, 1000)
    seen = t.boot("echoes", count, length, net="user")
    t.expect("the first answer", want=1, got=seen.one("first"), hint="no-buffers")
    t.expect("requests that were answered on the wire", want="all", got=amount(answers_on(seen.pcap) - 1, count),
             hint="receive-stops")
    t.expect("answers that were read", want="all", got=amount(seen.one("answers"), count), hint="receive-stops")
    if seen.one("answers") == count:
        t.expect("answers out of order", want=[0, 0], got=seen.all("disorder"), hint="wire")
        t.expect("the sum of their data", want=echoed(count, length), got=(seen.all("sum") or [""])[-1], hint="wire")


@check(points=6, needs=("frames_come",), visible=False, seconds=60)
def no_memory_for_buffers(t):
    "Memory for receive buffers runs out, and with it the ring; when there is some again, packets come again."
    script = """
python
import gdb
def refilling():
    "Is it a receive buffer that is asked for?"
    back = int(gdb.parse_and_eval("*(unsigned long *)$rsp"))
    table = gdb.find_pc_line(back - 1).symtab
    return table is not None and table.filename.endswith("dev/virtio_net.c")

def refuse():
    "buf_alloc() returns NULL."
    gdb.execute("set $rax = 0", to_string=True)
    gdb.execute("set $pc = *(unsigned long *)$rsp", to_string=True)
    gdb.execute("set $rsp = $rsp + 8", to_string=True)
end
hbreak sys_getppid
continue
python
asked = gdb.Breakpoint("*buf_alloc")
refused = 0
gdb.execute("continue", to_string=True)
while gdb.selected_frame().name() == "buf_alloc":
    if refilling():
        refuse()
        refused += 1
    gdb.execute("continue", to_string=True)
print(f"@refused {refused}")
end
delete
detach
"""
    count, length = t.random.randrange(280, 320), t.random.randrange(1, 100)
    seen = t.boot("echoes", count, length, "late", net="user", gdb=script)
    refused = [int(line.split()[1]) for line in seen.gdb.splitlines() if line.startswith("@refused")]
    t.expect("the kernel asked for buffers while there was no memory", want=True, got=sum(refused) > 2,
             hint="refill-gives-up")
    # The ring had 256 of them at most, and the device drops the rest whenever gdb halts the machine.
    t.expect("answers read before the ring was empty", want="some",
             got=within(seen.one("answers"), 1, 256, "some", "answers"))
    t.expect("answers read when there was memory again", want="all", got=amount(seen.one("late"), count),
             hint="refill-gives-up")
