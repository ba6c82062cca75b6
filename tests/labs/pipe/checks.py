"""The blocking queue: what is run, and what must be seen. model.py says what a pipe that never sleeps returns."""

import os
import re
import sys

from grading import check

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from model import PAGE, Player, fnv, stream

SIZES = (64, 700, PAGE, 3 * PAGE, 70000)
EINTR, EAGAIN, EPIPE, EPERM, ENXIO = 4, 11, 32, 1, 6

# gdb, outside the machine, notes each sleep of a reader. It tells no more than who slept.
COUNT_SLEEPS = """
python
class Sleep(gdb.Breakpoint):
    def stop(self):
        frame, names = gdb.selected_frame(), []
        while frame is not None and len(names) < 8:
            names.append(frame.name())
            frame = frame.older()
        thread = gdb.parse_and_eval("$current()")
        if "pipe_read" in names and thread["comm"].string() == "readers":
            print("asleep:", int(thread["pid"]["nr"]))
        return False
Sleep("wait_sleep")
end
break machine_power_off
continue
delete
detach
"""


def play(t, script, what, points, hint):
    """Play SCRIPT in the machine and in the model; each step counts, and what was read."""
    seed = t.random.randrange(1 << 31)
    player = Player(seed)
    want = player.play(script)
    seen = t.boot("script", seed, *script)
    t.expect(what, want=want, got=seen.all("step"), points=points, hint=hint)
    t.expect("a hash of the bytes that were read", want=player.hash(), got=seen.one("hash"), hint="wrong-bytes")
    t.expect("how often SIGPIPE came", want=player.sigpipes, got=seen.one("sigpipes"), hint="sigpipe")


def numbers(lines):
    """Each line as a list of its numbers; what is none stays a word."""
    return [[int(word) if re.fullmatch(r"-?\d{1,20}", word) else word for word in str(line).split()] for line in lines]


# --- step 1: short writes, and reads that sleep -------------------------------------------------------------------


@check(points=14)
def short_writes_are_read(t):
    """Writes of up to 64 bytes come out of a pipe in order, and what can't be copied stays in."""
    script = []
    for _ in range(40):
        script.append(t.random.choice("wwwr") + str(t.random.randrange(1, 65)))
        if t.random.random() < 0.4:
            script.append(t.random.choice(["n", "u", f"W{t.random.randrange(1, 65)}", "w7", "R5",
                                           f"v{t.random.randrange(2, 65)}"]))
    script += ["r4000", "r1", "r0", "v50", "w60", "w60", "R100", "n", "r100", "u", "n"]
    play(t, script, "what each step returned (programs/script.c says what the letters mean)", 9, "short-writes")


@check(points=10)
def readers_that_sleep_are_woken(t):
    """Each of several readers asleep gets its byte, when bytes come one by one and when they come together."""
    count = t.random.randrange(5, 9)
    together = t.random.randrange(2, count - 1)
    seen = t.boot("readers", count, 1, together, 1)
    due = [1, 1 + together, 2 + together]
    t.expect("the states of the readers before anything was written", want="S" * count, got=seen.one("states"),
             hint="no-sleep")
    t.expect("bytes written so far, readers that had one, the sum of these bytes",
             want=[[n, n, n * (n + 1) // 2] for n in due], got=numbers(seen.all("after")), points=6,
             hint="lost-wakeup")


@check(points=6, needs=("readers_that_sleep_are_woken",))
def one_buffer_wakes_one_reader(t):
    """Counted from outside, by a breakpoint: no reader sleeps twice, so none was woken for nothing."""
    count = t.random.randrange(5, 8)
    seen = t.boot("readers", count, 1, 1, 1, gdb=COUNT_SLEEPS)
    sleeps = sum(line.startswith("asleep:") for line in seen.gdb.splitlines())
    t.expect("sleeps of readers, of which there were as many", want=count, got=sleeps, hint="herd")


# --- step 2: the ends ---------------------------------------------------------------------------------------------


@check(points=12)
def the_end_is_heard(t):
    """End of file behind the last byte, EPIPE and SIGPIPE without a reader, and signals that end a sleep."""
    n = t.random.randrange(1, 61)
    seen = t.boot("ends", n)
    t.expect("results of a reader whose writer wrote and went", want=[n, 0],
             got=seen.all("last"), points=2, hint="end-of-file")
    t.expect("that reader's end", want="exit 7", got=seen.one("reader"), hint="end-of-file")
    t.expect("a read while the writer has one of two descriptors left", want=-EAGAIN, got=seen.one("still"))
    t.expect("a read when it has none", want=0, got=seen.one("gone"), hint="end-of-file")
    t.expect("a reader that sleeps when the writer goes: state, result, end", want=["S", 0, "exit 7"],
             got=[seen.one("state"), seen.one("asleep"), seen.one("sleeper")], points=3, hint="end-of-file")
    t.expect("a write without a reader: result, SIGPIPEs", want=f"{-EPIPE} 1", got=seen.one("broken"), points=2,
             hint="sigpipe")
    t.expect("... from an address that is not there", want=f"{-EPIPE} 2", got=seen.one("bad_broken"),
             hint="pipe-first")
    t.expect("a read that a handler ended: result and state", want=f"exit {EINTR} Z",
             got=seen.one("interrupted"), hint="signals")
    t.expect("... with SA_RESTART", want="exit 101 S", got=seen.one("restarted"), hint="signals")


# --- step 3: writers that sleep -----------------------------------------------------------------------------------


@check(points=14)
def a_full_pipe_holds_its_writers(t):
    """A pipe holds what it should, down to the byte; writers sleep until there is room, and all of them go on."""
    size = t.random.choice([33, 48, 60, 63])
    odd = PAGE % size
    script = [f"f{size}", f"w{odd + 1}", f"w{odd}", "w1", "n", "W3", "r1", "w1", "n", f"r{PAGE - 1}",
              f"w{size}", f"W{size}", "n"]
    play(t, script, "what each step returned", 5, "full")
    writers, n = t.random.randrange(4, 8), t.random.randrange(3, 61)
    seen = t.boot("writers", writers, n)
    t.expect("bytes in a full pipe", want=65536, got=seen.one("full"), hint="full")
    t.expect("states of the writers, before and after a read that empties no buffer",
             want=f"{'S' * writers} {'S' * writers}", got=seen.one("states"), points=2, hint="no-sleep")
    t.expect("their ends, when a read has emptied two", want=[f"exit {100 + n}"] * writers,
             got=seen.all("fate"), points=3, hint="writer-left-behind")
    t.expect("bytes in the pipe then", want=65536 - 2 * PAGE + writers * n, got=seen.one("held"))
    t.expect("what their writes returned, and SIGPIPEs; at last those whose reader went",
             want=[f"{n} 0"] * writers + [f"{-EPIPE} 1"] * writers, got=seen.all("wrote"), hint="sigpipe")
    t.expect("... and how these ended (32 is EPIPE)", want=[f"exit {EPIPE}"] * writers, got=seen.all("told"),
             hint="writer-not-told")
    t.expect("a write that a handler ended: result and state", want=f"exit {EINTR} Z",
             got=seen.one("interrupted"), hint="signals")
    t.expect("... with SA_RESTART", want="exit 102 S", got=seen.one("restarted"), hint="signals")


# --- step 4: long writes ------------------------------------------------------------------------------------------


@check(points=12)
def long_writes_are_whole(t):
    """A write that sleeps returns when all is written; up to PIPE_BUF bytes stay together among many writers."""
    script = []
    for _ in range(30):
        script.append(t.random.choice("wwr") + str(t.random.randrange(1, t.random.choice(SIZES))))
        if t.random.random() < 0.3:
            script.append(t.random.choice(["n", "u", "R9", f"w{PAGE}", "W5000", f"v{t.random.randrange(66, 3000)}"]))
    play(t, script, "what each step returned", 4, "long-writes")

    seed, total = t.random.randrange(1 << 31), t.random.randrange(100000, 300000)
    chunks = [t.random.randrange(1, most) for most in (30000, 700, 5000)]
    writers, records, size = t.random.randrange(3, 6), 20, t.random.randrange(PAGE // 2 + 1, PAGE)
    rounds = 3
    seen = t.boot("long", "whole", seed, total, *chunks, "--", "atomic", writers, records, size, "--",
                  "crossing", rounds)
    t.expect("one long write: its result, SIGPIPEs", want=f"{total} 0", got=seen.one("wrote"), hint="partial")
    t.expect("... its end, and its state while nobody read", want="exit 0 S", got=seen.one("writer"),
             hint="partial")
    t.expect("... bytes read, their hash, and what the last read returned",
             want=f"{total} {fnv(stream(seed, total))} 0", got=seen.one("read"), points=2, hint="wrong-bytes")
    t.expect(f"records of {size} bytes from each writer, and its end", want=[f"{records} exit 0"] * writers,
             got=seen.all("records"), hint="torn")
    t.expect("records with bytes of another writer in them", want=f"0 of {writers * records}",
             got=seen.one("mixed"), points=2, hint="torn")
    t.expect("bytes of three writers of 1, 4096 and 65536 bytes, and their ends",
             want=[f"{rounds * n} exit 0" for n in (1, PAGE, 65536)], got=seen.all("bytes"), points=2,
             hint="writer-left-behind")


@check(points=8)
def long_writes_end_early(t):
    """A fault, a reader that goes and a signal, each in the middle of a write: what was written is told."""
    seed, offset, pages = t.random.randrange(1 << 31), t.random.randrange(PAGE), t.random.randrange(1, 6)
    seen = t.boot("long", "fault", seed, offset, "--", "broken", pages, "--", "signal")
    whole = (5 * PAGE - offset) // PAGE * PAGE
    t.expect("a write that runs into a missing page, and one that begins there", want=f"{whole} -14",
             got=seen.one("fault"), points=2, hint="fault")
    t.expect("what can be read then, and its hash", want=f"{whole} {fnv(stream(seed, whole))}",
             got=seen.one("before_fault"), points=2, hint="fault")
    t.expect(f"the writer's state when {pages} pages have been read", want="S", got=seen.one("asleep_again"))
    t.expect("a write whose reader goes: result, SIGPIPEs", want=f"{(16 + pages) * PAGE} 1",
             got=seen.one("wrote_in_vain"), points=2, hint="broken")
    t.expect("its end", want="exit 0", got=seen.one("broken"), hint="writer-not-told")
    t.expect("a write that a handler ends, SA_RESTART or not", want=65536, got=seen.one("begun"),
             hint="signals")


# --- step 5: poll -------------------------------------------------------------------------------------------------


@check(points=8)
def poll_tells_and_wakes(t):
    """What poll says of each end in each state, what wakes it, and how many edges epoll sees."""
    script = ["p", "w1", "p", "r1", "p"] + [f"w{PAGE}"] * 15
    script += ["p", f"w{PAGE - 64}", "p", "w60", "p", f"r{PAGE - 1}", "p",
                                                              "r1", "p", t.random.choice(["cw", "cr"]), "p"]
    if script[-2] == "cw":
        script += [f"r{16 * PAGE}", "p"]
    play(t, script, "what each step returned (p: POLL bits of reader:writer, in hexadecimal)", 3, "poll-bits")
    seen = t.boot("polls", t.random.randrange(2, 61))
    for key, want, what in (("bytes", "1", "a byte is written"), ("end", "10", "the writer goes"),
                            ("room", "4", "a buffer is emptied"), ("nobody", "8", "the reader goes")):
        t.expect(f"the bits when {what} under a poll that sleeps", want=want, got=str(seen.one(key)),
                 hint="poll-asleep")
    t.expect("... their states before, and their ends",
             want=[f"{key} S exit 0" for key in ("bytes", "end", "room", "nobody")], got=seen.all("fate"),
             hint="poll-asleep")
    t.expect("edges: after a write, again, after a read that leaves bytes, after the next write",
             want="1 0 0 1", got=seen.one("edges"), points=1, hint="edges")
    t.expect("a FIFO before, during and after its first writer, and with the next", want="0 0 10 0",
             got=seen.one("hangups"), points=1, hint="hangups")


# --- step 6: FIFOs ------------------------------------------------------------------------------------------------


@check(points=10)
def fifos_are_opened_together(t):
    """Who opens a FIFO waits for the other side, however short it stays, and is not counted when it gives up."""
    n = t.random.randrange(1, 61)
    seen = t.boot("fifos", n)
    t.expect("two readers wait; a writer comes, writes, goes: their states, the write", want=f"SS {n}",
             got=seen.one("hasty"), hint="fifo-waits")
    t.expect("... what the two have read, and the end of the file", want=sorted(["0 0", f"{n} 0"]),
             got=sorted(str(seen.one(key)) for key in ("first", "second")), points=3, hint="fifo-counts")
    t.expect("a writer that waits: state, end", want="S exit 0", got=seen.one("patient"), hint="fifo-waits")
    t.expect("... what it wrote, and the end of the file", want=[3, 0], got=seen.all("left"))
    t.expect("opens that a signal ended", want=[-EINTR, -EINTR],
             got=[seen.one("reader_gave_up"), seen.one("writer_gave_up")], hint="fifo-waits")
    t.expect("a write when one reader gave up and the other has gone", want=-EPIPE, got=seen.one("no_reader"),
             points=2, hint="fifo-gave-up")
    t.expect("a read behind the bytes of one writer, when the other gave up", want="3 0",
             got=seen.one("no_writer"), points=1, hint="fifo-gave-up")
    t.expect("an open that is refused, while a writer waits", want=-ENXIO, got=seen.one("refused"),
             hint="fifo-refused")
    t.expect("... and a read behind that writer's bytes", want="3 0", got=seen.one("after_refusal"), points=1,
             hint="fifo-refused")
    t.expect("the ends of those that went on waiting", want=["signal 9", "exit 0", "exit 0"],
             got=seen.all("other"), hint="fifo-waits")
    t.expect("a read when one of two writers is gone, and when both are", want=f"{-EAGAIN} 0",
             got=seen.one("two_writers"), hint="end-of-file")
    t.expect("what a FIFO opened for both gives back", want=5, got=seen.one("both"))


# --- step 7: sizes ------------------------------------------------------------------------------------------------


@check(points=4)
def sizes_are_changed_and_charged(t):
    """F_SETPIPE_SZ: rounding, EBUSY for what does not fit, room for who waits, and the user's account."""
    script = []
    for _ in range(25):
        script.append(t.random.choice(["g", f"s{t.random.randrange(1, 40) * 2000}",
                                       f"w{t.random.randrange(1, 9 * PAGE)}",
                                       f"r{t.random.randrange(1, 9 * PAGE)}", "n"]))
    script += ["s65536", f"w{5 * PAGE}", f"s{4 * PAGE}", "g", "r1000000", *["w2100"] * 3, f"s{2 * PAGE}", "g"]
    play(t, script, "what each step returned", 1, "sizes")
    seen = t.boot("sizes", t.random.randrange(1000, 60000))
    t.expect("a full pipe is enlarged: its writer's state, the call, the writer's end", want="S 131072 exit 0",
             got=seen.one("fate"), points=1, hint="grown")
    t.expect("a user asks for more than the most", want=-EPERM, got=seen.one("over_most"), hint="sizes")
    # pipe-user-pages-soft, 16384 pages, are 64 pipes of a MiB. The 65th has its first 16 at most; the rest is refused.
    t.expect("pipes of a MiB that one user gets; one more, when all have shrunk; and again when all are closed",
             want="64 1048576 64", got=seen.one("large"), hint="account")


# --- all of it ----------------------------------------------------------------------------------------------------


@check(points=2, visible=False, seconds=5)
def nobody_is_forgotten(t):
    """Many readers and writers of random sizes on four CPUs: every byte, and everyone comes to an end."""
    readers, writers, each = t.random.randrange(2, 6), t.random.randrange(2, 6), 3000000
    seen = t.boot("storm", t.random.randrange(1 << 31), readers, writers, each, smp=4, icount=False)
    t.expect("who came to an end well", want=readers + writers, got=seen.one("well"), hint="lost-wakeup")
    t.expect("bytes written and read", want=f"{writers * each} {writers * each}", got=seen.one("bytes"))
    t.expect("their sums are the same", want=1, got=seen.one("same"), hint="wrong-bytes")
