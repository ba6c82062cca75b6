"""The checks of the lab shm. What must be seen is computed here, by the models in shm_models.py."""

import os
import re
import sys

from grading import check

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shm_models as models  # noqa: E402

MASK = (1 << 64) - 1
PAGE = 4096


def pattern(seed, size):
    """The bytes that programs/attach.c makes of a seed: xorshift64*."""
    made = bytearray()
    for _ in range(size):
        seed ^= seed >> 12
        seed ^= seed << 25 & MASK
        seed ^= seed >> 27
        made.append((seed * 0x2545F4914F6CDD1D & MASK) >> 56)
    return bytes(made)


def number(value):
    """A number that was reported as 0x..., or None."""
    try:
        return int(str(value), 0)
    except ValueError:
        return None


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def follow(t, seen, ops, want, hints):
    """Compare what the program reported of each operation; the first difference is shown, with what led to it."""
    got = [str(line) for line in seen.all("op")]
    for number, (op, line) in enumerate(zip(ops, want)):
        came = got[number] if number < len(got) else None
        if came != line:
            before = " ".join(ops[max(0, number - 6):number])
            t.expect(f"result and state after {op} (operation {number + 1}{', behind ' + before if before else ''})",
                     want=line, got=came, hint=hints.get(op[0]))
            return
    t.expect("operations reported", want=len(want), got=len(got))


# ---- step 1: attach and detach


SHARES_GDB = """
break *sys_getppid
continue
shm
x/32xb $rdi
x/32xb $rsi
x/32xb $rdx
pte $rdi
pte $rsi
pte $rdx
detach
"""


@check(points=10, seconds=5)
def attaches_share_memory(t):
    "Three attaches of one segment show the same pages; seen by the program, by /proc, and by gdb in the page tables."
    size, seed = t.random.randrange(PAGE + 100, 3 * PAGE), t.random.randrange(1, 1 << 63)
    data = pattern(seed, size)
    seen = t.boot("attach", size, seed, gdb=SHARES_GDB)
    t.expect("attaches at different addresses (pairs of four)", want=6, got=seen.one("distinct"))
    t.expect("all addresses begin a page", want=1, got=seen.one("aligned"))
    t.expect("bytes that are not zero in a new segment", want=0, got=seen.one("dirty"))
    t.expect("hash of what the second attach shows", want=fnv(data), got=number(seen.one("second")), hint="private")
    t.expect("hash of what the read-only attach shows", want=fnv(data), got=number(seen.one("third")))
    changed = data[:-1] + bytes([data[-1] ^ 0xFF])
    t.expect("the first attach, after a write through the second", want=fnv(changed),
             got=number(seen.one("back")), hint="private")
    t.expect("bytes that appeared in another segment", want=0, got=seen.one("strangers"))
    maps = [re.sub(r" +", " ", line.replace("\\n", "").strip()) for line in map(str, seen.all("map"))]
    maps = [line for line in maps if line.count(" ") >= 5]
    kinds = sorted(line.split(" ")[1] for line in maps if line.split(" ")[4] == str(seen.one("id")))
    t.expect("rights in /proc/self/maps", want=["r--s", "rw-s", "rw-s"], got=kinds, hint="private")
    t.expect("names in /proc/self/maps", want={"/SYSV00000000 (deleted)"},
             got=next(iter({line.split(" ", 5)[5] for line in maps}), None))
    bytes_seen = re.findall(r"^0x[0-9a-f]+[^:]*:((?:\s+0x[0-9a-f]{2})+)$", seen.gdb, re.M)
    from_outside = bytes(int(word, 16) for line in bytes_seen for word in line.split())
    t.expect("the first 32 bytes at the three addresses, read by gdb", want=3 * data[:32], got=from_outside,
             points=2, hint="private")
    physical = re.findall(r"is physical (0x[0-9a-f]+)", seen.gdb)
    t.expect("the three addresses lead to one physical page: different ones", want=[3, 1],
             got=[len(physical), len(set(physical))], points=2, hint="private")


@check(points=4, needs=("attaches_share_memory",), seconds=5)
def attach_leaves_its_trace(t):
    "shmat sets the time and the process of the last attach."
    seen = t.boot("attach", 5000, 1 + t.random.randrange(1 << 60))
    earliest, latest = map(number, f"{seen.one('clock')} x x".split()[:2])
    t.expect("atime and lpid before any attach", want=[0, 0], got=[seen.one("atime_before"), seen.one("lpid_before")])
    t.expect("lpid after shmat", want=seen.one("pid"), got=seen.one("lpid"), hint="trace")
    t.expect("atime after shmat", want=range(earliest or 0, (latest or 0) + 1), got=seen.one("atime"), hint="trace")
    t.expect("dtime: nothing was detached", want=0, got=seen.one("dtime"), hint="trace")


PLACE_HINTS = {"a": "place", "h": "place", "n": "place", "i": "place", "d": "detach", "u": "detach", "q": "detach"}


@check(points=10, seconds=5)
def attach_goes_where_it_is_told(t):
    "Addresses: rounded or refused, free or taken, replaced with SHM_REMAP, none at all, beyond everything."
    odd, slot = t.random.randrange(1, PAGE), t.random.randrange(4)
    base = 8 + slot
    ops = [f"a:0:{slot}:0:", f"a:1:{base}:{odd}:", f"a:1:{base}:{odd}:r", f"a:2:{base + 1}:0:",
           f"p:{base + 5}", f"a:2:{base + 3}:0:", f"a:2:{base + 3}:{odd}:mr", f"a:3:{base + 8}:0:r",
           f"a:0:{base + 8}:0:m", f"d:{base + 8}:0", f"a:1:{base + 8}:0:"]
    window = models.Window()
    want = window.run(ops)
    still = window.picture()
    special = [("n:m", "-22"), ("n:", "somewhere"), ("h:0xfffffffffffff000", "-22"), ("i:5", "-22"), ("i:-", "-22"),
               ("i:32768", "-22")]
    ops += [op for op, _ in special]
    want += [f"{result} {still}" for _, result in special]
    follow(t, t.boot("place", *ops), ops, want, PLACE_HINTS)


@check(points=8, seconds=5)
def attach_asks_for_the_rights(t):
    "Owner, group, others and root attach segments of several modes in four ways; and what memory then lets be done."
    uid, gid = t.random.sample(range(1000, 30000), 2)
    modes = [t.random.randrange(0o1000) for _ in range(3)] + [0o640, 0o075]
    seen = t.boot("rights", uid, gid, *(f"{mode:o}" for mode in modes))
    wanted = {"read": 4, "read, write": 6, "read, execute": 5, "read, write, execute": 7}
    for caller, shift in (("owner", 6), ("group", 3), ("other", 0)):
        want = [" ".join("0" if mode >> shift & bits == bits else "13" for bits in wanted.values()) for mode in modes]
        t.expect(f"errno for {', '.join(wanted)}, by {caller}, modes {' '.join(f'{mode:03o}' for mode in modes)}",
                 want=want, got=[str(line).strip() for line in seen.all(caller)], hint="rights")
    t.expect("errno for root", want=["0 0 0 0"] * len(modes), got=[str(line).strip() for line in seen.all("root")],
             hint="rights")
    t.expect("atime and lpid after attempts that were refused", want="0 0", got=str(seen.one("refused")), hint="trace")
    segv, eacces = 11, 13
    t.expect("signals of a read, a write, a call; errno of mprotect to writable: plain attach",
             want=f"0 0 {segv} 0", got=str(seen.one("plain")), hint="rights")
    t.expect("the same with SHM_RDONLY", want=f"0 {segv} {segv} {eacces}", got=str(seen.one("readonly")), points=2,
             hint="max-prot")
    t.expect("the same with SHM_RDONLY and SHM_EXEC", want=f"0 {segv} 0 {eacces}", got=str(seen.one("exec")),
             hint="rights")


@check(points=8, needs=("attach_goes_where_it_is_told",), seconds=5)
def detach_takes_one_attach(t):
    "shmdt takes what one shmat made, as far as it is still there, and nothing else."
    extra = t.random.randrange(2)
    ops = ["a:3:2:0:", "a:3:7:0:", "d:3", "d:2:8", "d:2", "d:2", "d:7",                     # neighbours of one segment
           f"a:3:{4 + extra}:0:", f"u:{6 + extra}", f"p:{7 + extra}", f"d:{4 + extra}", f"d:{4 + extra}",  # holes
           f"u:{7 + extra}",
           "a:2:10:0:", "u:10", "d:11", "d:10",                                            # the beginning is gone
           "a:2:12:0:", "q:13", "a:0:13:0:m", "d:12", "d:13",                               # cut, and replaced
           "a:3:1:0:", "a:0:1:0:m", "d:1", "d:1",                                           # two with one beginning
           "a:1:16:0:", "a:1:18:0:m", "d:16", "d:18"]                                       # one over its own end
    follow(t, t.boot("place", *ops), ops, models.Window().run(ops), PLACE_HINTS)


def random_window(random, count):
    ops, bases = [], [0]
    for _ in range(count):
        act = random.choice("aaaadddupq")
        if act == "a":
            bases.append(random.randrange(models.WINDOW - 6))
            odd = random.choice((0, 0, 0, random.randrange(1, PAGE)))
            ops.append(f"a:{random.randrange(4)}:{bases[-1]}:{odd}:" + random.choice(("", "m", "r", "mr", "o", "mo")))
        elif act == "d":
            ops.append(f"d:{random.choice(bases[-8:])}:{random.choice((0, 0, 0, 0, 16))}")
        else:
            ops.append(f"{act}:{random.randrange(models.WINDOW)}")
    return ops


@check(points=5, visible=False, needs=("detach_takes_one_attach",), seconds=10)
def any_attaches_and_detaches(t):
    "Sixty attaches, detaches and other changes at random in one window of memory."
    ops = random_window(t.random, 60)
    follow(t, t.boot("place", *ops), ops, models.Window().run(ops), PLACE_HINTS)


# ---- step 2: counting, over fork and whatever else makes and takes areas


COUNT_HINTS = {"a": "count", "d": "count", "u": "split", "q": "split", "f": "fork", "x": "exit", "k": "exit",
               "e": "exit", "g": "private", "r": "removal", "n": "key", "R": "owner"}
COUNT_GDB = """
break segment_free
ignore $bpnum 1000000
break sys_getppid
continue
shm
info breakpoints
detach
"""


def gdb_segments(text):
    """id -> (ATTACHED, how many areas gdb itself finds in the address spaces) of the command `shm`."""
    found = {}
    for line in text.splitlines():
        match = re.match(r" *(\d+) +0x[0-9a-f]+ +\d+ +[0-7]+ +(?:\S+ +)?(\d+) +\d+ +\d+ +\d+ +0x[0-9a-f]+ *(.*)$", line)
        if match:
            found[int(match[1])] = [int(match[2]), len(match[3].split())]
    return found


def hits(text, function):
    """How often gdb's breakpoint on FUNCTION was hit."""
    match = re.search(rf"\bin {function}\b.*\n(?:\s+breakpoint already hit (\d+) time)?", text)
    return int(match[1] or 0) if match else None


@check(points=10, needs=("attaches_share_memory",), seconds=5)
def attaches_are_counted(t):
    "shm_nattch through attach, fork, exec, exit, SIGKILL, munmap and mprotect of the middle; and the areas gdb finds."
    value = t.random.randrange(1, 1 << 30)
    ops = ["a:0:0", "a:0:0", "f:0:1", f"w:0:0:{value}", "g:1:0", "a:1:1", "d:0:0", "f:1:2", "u:2:2", "q:1:1", "q:1:1",
           "u:1:1", "f:1:3", "d:3:2", "e:2", "a:2:1", "x:3", "k:2", f"w:1:0:{value + 1}", "g:0:1", "!"]
    world = models.World(2)
    want = [re.sub(r"(/no)?(-)?key/[^ ]*", "", line) for line in world.run(ops)]
    seen = t.boot("processes", 2, *ops, gdb=COUNT_GDB)
    got = [re.sub(r"(/no)?(-)?key/[^ ]*", "", str(line)) for line in seen.all("op")]
    for number, (op, line) in enumerate(zip(ops, want)):
        came = got[number] if number < len(got) else None
        if not t.expect(f"result, and count/mode of each segment, after {' '.join(ops[max(0, number - 6):number + 1])}",
                        want=line, got=came, hint=COUNT_HINTS.get(op[0])):
            break
    areas = [world.count(segment) for segment in world.segments]
    t.expect("areas that gdb finds, counted by the kernel and in the address spaces", points=3,
             want=[[n, n] for n in areas], got=list(gdb_segments(seen.gdb).values()), hint="count")


@check(points=8, needs=("attaches_are_counted",), seconds=12)
def the_last_to_touch_is_known(t):
    "atime, dtime and lpid: of attach, fork, a cut area, exit, exec, detach, each a second after the other."
    ops = ["a:0:0", "t", "f:0:1", "t", "u:1:0", "t", "x:1", "f:0:2", "t", "e:2", "t", "a:2:0", "t", "d:0:0", "t", "k:2"]
    follow(t, t.boot("processes", 1, *ops), ops, models.World(1).run(ops), dict.fromkeys("afuxedk", "told"))


# ---- step 3: removal


@check(points=11, needs=("attaches_share_memory",), seconds=5)
def removal_waits_for_the_last(t):
    "IPC_RMID: the key goes at once, the id with the last that has it, however that one leaves; the memory lives."
    value = t.random.randrange(1, 1 << 30)
    ops = ["r:0", "r:0", "a:0:0",                                       # nobody has it
           "a:0:1", "f:0:1", "r:1", f"w:0:0:{value}", "g:1:0",         # two have it
           "a:0:1", "n:1", "r:1", "f:0:2", "d:0:0", "g:2:0", "d:0:1", "x:2", "e:1",
           "a:1:2", "f:1:3", "r:2", "d:1:0", "k:3",                     # the last is killed
           "a:1:3", "u:1:1", "r:3", "d:1:1", "!"]                       # and one in two pieces
    world = models.World(3)
    want = world.run(ops)
    seen = t.boot("processes", 3, *ops, gdb=COUNT_GDB)
    follow(t, seen, ops, want, COUNT_HINTS | dict.fromkeys("daxek", "removal"))
    t.expect("segments whose structure was freed: gdb's breakpoint on segment_free was hit", points=3, want=world.freed,
             got=hits(seen.gdb, "segment_free"), hint="leak")


@check(points=3, needs=("removal_waits_for_the_last",), seconds=5)
def removal_is_for_the_owner(t):
    "IPC_RMID by another user is EPERM and changes nothing."
    ops = ["a:0:0", "f:0:1", "R:1:0", "n:0", "x:1", "d:0:0", "n:0", "r:0", "n:0"]
    follow(t, t.boot("processes", 1, *ops), ops, models.World(1).run(ops), COUNT_HINTS | {"R": "owner"})


@check(points=8, visible=False, needs=("attaches_share_memory",), seconds=10)
def memory_comes_back(t):
    "When all have left, no id, no page and no kernel memory of the segments is left."
    rounds, pages = 8 + t.random.randrange(5), t.random.randrange(3, 40)
    seen = t.boot("memory", rounds, pages, gdb=COUNT_GDB)
    t.expect("segments, pages of all, pages present: before", want="0 0 0", got=str(seen.one("before")))
    t.expect("while one is attached", want=f"1 {pages} {pages}", got=str(seen.one("during")))
    t.expect("after the last has gone", want="0 0 0", got=str(seen.one("after")), hint="leak")
    shmem = seen.all("shmem")
    t.expect("KiB of shared memory after the last has gone, as before any segment", want=shmem[:1], got=shmem[-1:],
             hint="leak")
    t.expect("hits of gdb's breakpoint on segment_free", want=2 * rounds, hint="leak",
             got=hits(seen.gdb, "segment_free"))
    t.expect(f"areas, address spaces, objects, other pieces of memory that {rounds} segments have left in the kernel",
             want="0 0 0 0", got=str(seen.one("objects")), hint="leak")


def random_world(random, count):
    """Operations that a world allows: a leaf alone ends, a process detaches only what it has."""
    world, ops, parents = models.World(2), [], {}

    def step(op):
        ops.append(op)
        world.act(op)

    def held(process):
        return [at for at, (_, areas) in enumerate(world.places[process]) if areas]

    while len(ops) < count:
        process = random.choice(list(world.places))
        act = random.choice("aaaaffdduqxkerrn")
        if act == "a" and len(world.places[process]) < 7:
            step(f"a:{process}:{random.randrange(len(world.segments))}")
        elif act == "f" and len(parents) < 7:
            parents[len(parents) + 1] = process
            step(f"f:{process}:{len(parents)}")
        elif act in "duq" and held(process):
            step(f"{act}:{process}:{random.choice(held(process))}")
        elif act in "xk" and process and not any(parents[child] == process for child in world.places if child):
            step(f"{act}:{process}")
        elif act == "e":
            step(f"e:{process}")
        elif act == "r" and random.random() < 0.5:
            step(f"r:{random.randrange(len(world.segments))}")
        elif act == "n" and len(world.segments) < 4:
            step(f"n:{random.randrange(2)}")
    return ops + ["!"]


@check(points=6, visible=False, needs=("removal_waits_for_the_last", "attaches_are_counted"), seconds=10)
def any_order_of_events(t):
    "Fifty attaches, forks, ends and removals at random."
    ops = random_world(t.random, 50)
    world = models.World(2)
    want = world.run(ops)
    seen = t.boot("processes", 2, *ops, gdb=COUNT_GDB)
    follow(t, seen, ops, want, COUNT_HINTS)
    t.expect("segments whose structure was freed", want=world.freed, got=hits(seen.gdb, "segment_free"), hint="leak")


# An attach stands in front of mm_map, and gdb calls shmctl(ID, IPC_RMID) there: it comes back to the same place, and
# the attach goes on. Below the stack pointer nothing is in use.
RACE_GDB = """
break *sys_getppid
continue
delete
set $id = $rdi
hbreak *mm_map
continue
python
import gdb
NAMES = "rax rcx rdx rsi rdi r8 r9 r10 r11 rsp rip".split()
kept = {name: int(gdb.parse_and_eval(f"(unsigned long)${name}")) for name in NAMES}
below = (kept["rsp"] - 512 & ~15) - 8
gdb.selected_inferior().write_memory(below, kept["rip"].to_bytes(8, "little"))
for name, value in {"rsp": below, "rdi": "$id", "rsi": 0, "rdx": 0, "rip": "(unsigned long)&sys_shmctl"}.items():
    gdb.execute(f"set ${name} = {value}")
gdb.execute("continue")
print("@removed", int(gdb.parse_and_eval("(long)$rax")))
for name, value in kept.items():
    gdb.execute(f"set ${name} = {value}")
end
delete
detach
"""


@check(points=9, visible=False, needs=("removal_waits_for_the_last",), seconds=8)
def removal_while_attaching(t):
    "A segment is removed while shmat is between finding it and mapping it: it fails, or has the segment."
    # First where it hurts, each time the same; then as often as may be, for what only two processors do to each other.
    often = {"smp": 2, "icount": False, "append": "watchdog=5"}
    for rounds, words in ((0, {"gdb": RACE_GDB, "seconds": 1}), (200, often)):
        seen = t.boot("race", rounds, **words)
        if not rounds:
            removed = re.search(r"^@removed (-?\d+)$", seen.gdb, re.M)
            t.expect("the result of IPC_RMID in front of mm_map", want=0, got=removed and int(removed[1]), hint="race")
        ends = [seen.one("attached"), seen.one("refused")]
        t.expect("attaches that succeeded or were refused", want=rounds or 1, hint="race",
                 got=sum(ends) if all(isinstance(end, int) for end in ends) else None)
        t.expect("attaches whose memory was not the segment's", want=0, got=seen.one("wrong"), hint="race")
        t.expect("segments, pages of all, pages present: afterwards", want="0 0 0", got=str(seen.one("left")),
                 hint="race")
