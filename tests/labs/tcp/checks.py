"""The checks of the lab `tcp`: the peer is made by hand (programs/peer.c), and the kernel is read on the wire."""

import errno
import struct

from grading import check

EXPERIMENT = 0x88b5  # programs/peer.c: a frame of this type before each step
LISTEN_PORT = 7000
LETTERS = "FSRPAU"
WRAP = 1 << 32
SYN = 2
# TCP_INFO's states (kernel/net/tcp.h)
ESTABLISHED, SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED, CLOSE_WAIT, LAST_ACK = range(1, 10)
CLOSING = 11


# --- the wire ---


def checksum(data):
    """RFC 1071: 0 when it is right."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def steps_on_the_wire(path):
    """{step: [IP packet...]}, from a pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    steps, step, at = {}, 0, 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        kind = int.from_bytes(frame[12:14], "big")
        if kind == EXPERIMENT:
            step = int.from_bytes(frame[14:15])
        elif kind == 0x800 and frame[23:24] == b"\x06":
            steps.setdefault(step, []).append(frame[14:14 + int.from_bytes(frame[16:18], "big")])
    return steps


class Flow:
    """One connection as the wire shows it: where both sides' numbers begin."""

    def __init__(self, port, isn):
        self.port, self.isn, self.iss = port, isn, 0

    def tell(self, packet):
        """A segment of the kernel's, its numbers counted from where they begin: "SA 0 1 0"."""
        tcp = packet[20:]
        if len(tcp) < 20:
            return "a segment that is cut off"
        seq, ack, offset, flags = struct.unpack_from("!IIBB", tcp, 4)
        pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(tcp))
        if checksum(packet[:20]) or checksum(pseudo + tcp):
            return "a segment with a wrong checksum"
        if flags & SYN:
            self.iss = seq
        letters = "".join(letter for i, letter in enumerate(LETTERS) if flags >> i & 1 and letter not in "PU")
        ack = (ack - self.isn) % WRAP if "A" in letters else 0
        return f"{letters} {(seq - self.iss) % WRAP} {ack} {len(tcp) - (offset >> 4) * 4}"


def on_the_wire(path, steps):
    """
    What was sent on the step's own connection, for each step: others may be sending again what they sent before. And
    the peer's port and our first number of each connection that began, in order.
    """
    seen, flows, current, told, firsts = steps_on_the_wire(path), {}, None, [], []
    for number, step in enumerate(steps, 1):
        words = step.split()
        if words[0] == "flow":
            current = flows[int(words[1])] = Flow(int(words[2]), int(words[3]))
        elif words[0] == "on":
            current = flows[int(words[1])]
        segments = []
        for packet in seen.get(number, []):
            port = int.from_bytes(packet[22:24], "big")
            flow = next((flow for flow in flows.values() if flow.port == port), None)
            text = flow.tell(packet) if flow else f"a segment to port {port}"
            segments += [text] if flow is current or not flow else []
            if text.startswith("S") and flow and (port, flow.iss) not in firsts:
                firsts.append((port, flow.iss))
        told.append(segments)
    return told, firsts


# --- scripts ---


def part(points, what):
    """What follows in a script, up to the next part, earns so many points together."""
    return (part, points, what)


def play(t, script, **words):
    """
    Run a script, [(step, what is called's result or None, [segments that leave] or None for any, hint)...] with parts
    in between, and compare. Entries may be shorter: nothing leaves then. Returns what was seen, with the
    connections' ports and first numbers as .firsts.
    """
    steps = [entry[0] for entry in script if entry[0] is not part]
    seen = t.boot("peer", *steps, net=f"dgram:{t.folder}/machine:{t.folder}/nobody", **words)
    calls = dict(words for words in (str(call).split() for call in seen.all("call")) if len(words) == 2)
    sent, seen.firsts = on_the_wire(seen.pcap, steps)
    number, history, good, earned = 0, [], True, None
    for entry in [*script, part(0, "")]:
        if entry[0] is part:
            if earned:
                t.expect(f"{earned[2]}: all went as it should", want=True, got=good, points=earned[1])
            good, earned = True, entry
            continue
        step, result, segments, hint = (*entry, *(None, [], None)[len(entry) - 1:])
        number += 1
        if step.split()[0] in ("flow", "on"):
            history = [] if step.startswith("flow") else history
            continue
        behind = f"{step} (behind {', '.join(history[-4:])})" if history else step
        history.append(step)
        if result is not None:
            good &= t.expect(f"the result of {behind}", want=result, got=calls.get(str(number)), hint=hint)
        if segments is not None:
            good &= t.expect(f"the answer to {behind}", want=segments or ["nothing"],
                             got=sent[number - 1] or ["nothing"], hint=hint)
    return seen


def flow(t, number, isn=None):
    """The step that begins connection NUMBER."""
    isn = isn if isn is not None else t.random.randrange(WRAP // 4, WRAP // 4 * 3)
    return (f"flow {number} {20000 + number * 1000 + t.random.randrange(1000)} {isn}",)


def near_the_wrap(t):
    """Where a peer begins whose sequence numbers are about to turn."""
    return WRAP - t.random.randrange(3, 8)


def port_of(entry):
    return int(entry[0].split()[2])


def called(t, number, isn=None):
    """Connection NUMBER, opened by the kernel."""
    return [flow(t, number, isn), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]), ("in SA 0 1 0", None, ["A 1 1 0"]),
            ("state", ESTABLISHED)]


def answered(t, number):
    """Connection NUMBER, opened by the peer, to a listener that is there."""
    begin = flow(t, number)
    return [begin, ("in S 0 0 0", None, ["SA 0 1 0"]), ("in A 1 1 0",), ("accept", port_of(begin))]


# --- the checks ---


@check(points=5)
def the_machine_runs(t):
    "The kernel boots, and a program runs in it."
    word = f"{t.random.randrange(1 << 64):x}"
    seen = t.boot("/bin/busybox", "echo", word)
    t.expect("what the program says", want=word, got=seen.console.strip())


@check(points=16, needs=("the_machine_runs",), seconds=20)
def it_calls(t):
    "Active open: SYN, sent again when nobody answers; what an answer must be; data and windows from then on."
    n, m = t.random.randrange(1, 500), t.random.randrange(1, 500)
    room = t.random.randrange(600, 1200)
    play(t, [
        part(6, "a call, its answer with data on it, and data from here"),
        flow(t, 0), ("connect", -errno.EINPROGRESS, ["S 0 0 0"], "syn"),
        ("sleep 1200", None, ["S 0 0 0"], "syn-timer"),
        (f"in SA 0 1 {n}", None, [f"A 1 {n + 1} 0"], "text-of-syn"),
        ("state", ESTABLISHED), ("read 5000", n, [], "text-of-syn"), (f"write {m}", m, [f"A 1 {n + 1} {m}"]),
        part(2, "a window that isn't scaled though a scale is agreed on"),
        flow(t, 1), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]),
        (f"in SA 0 1 0 {room} 020405b401030307", None, ["A 1 1 0"]),
        ("write 3000", 3000, [f"A 1 1 {room}"], "syn-window"),
        part(5, "answers that are none, and one that says no"),
        flow(t, 2), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]),
        ("in SA 0 0 0", None, ["R 0 0 0"], "bad-ack"), ("in SA 0 2 0", None, ["R 2 0 0"], "bad-ack"),
        ("in R 0 0 0", None, [], "reset-proves-nothing"), ("in RA 0 5 0", None, [], "reset-proves-nothing"),
        ("in A 5 1 0",), ("state", SYN_SENT, [], "reset-proves-nothing"),
        ("in RA 0 1 0",), ("error", errno.ECONNREFUSED, [], "refused"), ("state", CLOSED),
        part(3, "both call at once"),
        flow(t, 3), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]),
        ("in S 0 0 0", None, ["SA 0 1 0"], "both-call"), ("state", SYN_RECEIVED, [], "both-call"),
    ])


@check(points=16, needs=("it_calls",), seconds=20)
def it_answers(t):
    "Passive open: SYN,ACK, sent again when it is lost; which ACK makes the connection; what a listener refuses."
    n = t.random.randrange(1, 500)
    first, second = flow(t, 0), flow(t, 2)
    play(t, [
        part(6, "a call is answered, accepted, and carries data"), ("listen 8", 0),
        first, ("in S 0 0 0", None, ["SA 0 1 0"], "syn-answer"), ("in S 0 0 0", None, ["SA 0 1 0"], "syn-answer"),
        ("in A 1 1 0",), ("accept", port_of(first), [], "accept"), ("state", ESTABLISHED),
        (f"in A 1 1 {n}", None, [f"A 1 {n + 1} 0"]), ("read 5000", n), (f"write {n}", n, [f"A 1 {n + 1} {n}"]),
        part(2, "an answer that is lost"),
        flow(t, 1), ("in S 0 0 0", None, ["SA 0 1 0"]), ("sleep 1200", None, ["SA 0 1 0"], "synack-timer"),
        part(3, "ACKs of what was not sent, and a good one with data"),
        second, ("in S 0 0 0", None, ["SA 0 1 0"]), ("in A 1 2 0", None, ["R 2 0 0"], "bad-ack"),
        ("in A 1 0 0", None, ["R 0 0 0"], "bad-ack"), ("accept", -errno.EAGAIN, [], "bad-ack"),
        (f"in A 1 1 {n}", None, [f"A 1 {n + 1} 0"]), ("accept", port_of(second)), ("read 5000", n),
        part(3, "what a listener refuses, and what it ignores"),
        flow(t, 3), ("in A 9 77 0", None, ["R 77 0 0"], "listener-refuses"),
        ("in R 9 0 0", None, [], "listener-refuses"), ("in SA 0 78 0", None, ["R 78 0 0"], "listener-refuses"),
        ("in SF 0 0 0", None, [], "listener-refuses"),
        part(2, "both have called: a SYN,ACK acknowledges the SYN, and its own SYN is known"),
        flow(t, 4), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]), ("in S 0 0 0", None, ["SA 0 1 0"]),
        ("in SA 0 1 0", None, None), ("state", ESTABLISHED, [], "both-call"),
    ])


@check(points=11, needs=("it_answers",))
def callers_wait_in_a_queue(t):
    "The accept queue: its length, its order, what happens to a call when it is full, who is woken."
    backlog = t.random.randrange(2, 4)
    ready = [flow(t, number) for number in range(backlog)]
    third, fourth = flow(t, backlog), flow(t, backlog + 1)
    script = [(f"listen {backlog}", 0)]
    for one in ready:
        script += [one, ("in S 0 0 0", None, ["SA 0 1 0"]), ("in A 1 1 0",)]
    script += [
        third, ("in S 0 0 0", None, ["SA 0 1 0"]), fourth, ("in S 0 0 0", None, ["SA 0 1 0"]),
        (f"on {backlog}",), ("in A 1 1 0",), (f"on {backlog + 1}",), ("in A 1 1 0", None, [], "queue-full"),
        ("sleep 1200", None, ["SA 0 1 0"], "queue-full"),  # still an embryo: its SYN,ACK is sent again
        flow(t, 6), ("in S 0 0 0", None, [], "queue-full"),
        ("accept", port_of(ready[0]), [], "queue-order"), (f"on {backlog + 1}",), ("in A 1 1 0",),
        *[("accept", port_of(one), [], "queue-order") for one in (*ready[1:], third, fourth)],
        ("accept", -errno.EAGAIN, [], "queue-full"),
        ("blocked", 0, [], "accept-woken"), flow(t, 7), ("in S 0 0 0", None, ["SA 0 1 0"]), ("in A 1 1 0",),
    ]
    play(t, script)


@check(points=14, needs=("it_calls",), seconds=300)
def it_closes_first(t):
    "FIN-WAIT-1, FIN-WAIT-2, CLOSING: FIN behind the data, what answers it, and a peer that never closes."
    n = t.random.randrange(1, 500)
    play(t, [
        part(3, "a close behind data"),
        *called(t, 0), (f"write {n}", n, [f"A 1 1 {n}"]), ("close", 0, [f"FA {n + 1} 1 0"], "fin"),
        (f"in A 1 {n + 2} 0",), (f"in FA 1 {n + 2} 0", None, [f"A {n + 2} 2 0"], "fin-answered"),
        part(3, "both close at once"),
        *called(t, 1), ("shutdown", 0, ["FA 1 1 0"], "fin"), ("state", FIN_WAIT_1, [], "fin"), ("shutdown", 0),
        (f"in A 1 1 {n}", None, [f"A 2 {n + 1} 0"]), ("read 5000", n, [], "half-closed"),
        (f"in FA {n + 1} 1 0", None, [f"A 2 {n + 2} 0"], "fin-answered"), ("state", CLOSING, [], "closing"),
        (f"in A {n + 2} 2 0",), ("state", CLOSED, [], "closing"),
        part(3, "half a connection, and then none"),
        *called(t, 2), ("shutdown", 0, ["FA 1 1 0"]), ("in A 1 2 0",), ("state", FIN_WAIT_2, [], "fin-acknowledged"),
        (f"in A 1 2 {n}", None, [f"A 2 {n + 1} 0"], "half-closed"), ("read 5000", n, [], "half-closed"),
        (f"in FA {n + 1} 2 0", None, [f"A 2 {n + 2} 0"], "fin-answered"), ("state", CLOSED), ("read 5", 0),
        part(1, "the peer's FIN and its ACK of ours in one segment"),
        *called(t, 3), ("shutdown", 0, ["FA 1 1 0"]), ("in FA 1 2 0", None, ["A 2 2 0"], "fin-answered"),
        ("state", CLOSED, [], "fin-acknowledged"),
        part(4, "a peer that never closes"),
        *called(t, 4), ("close", 0, ["FA 1 1 0"]), ("in A 1 2 0",), ("sleep 30000",), ("in A 1 2 0",),
        ("sleep 40000",), ("in A 1 2 0", None, ["R 2 0 0"], "fin-wait-2-timer"),
        *called(t, 5), ("shutdown", 0, ["FA 1 1 0"]), ("in A 1 2 0",), ("sleep 90000",), ("state", FIN_WAIT_2),
        ("close", 0), ("in A 1 2 0",), ("sleep 70000",), ("in A 1 2 0", None, ["R 2 0 0"], "fin-wait-2-timer"),
    ])


@check(points=12, needs=("it_calls",), seconds=20)
def the_peer_closes_first(t):
    "CLOSE-WAIT and LAST-ACK: data to the last byte, then EOF; half a connection goes on; when close is a reset."
    n, m = t.random.randrange(2, 500), t.random.randrange(1, 500)
    play(t, [
        part(7, "data, end of file, data back, and the last ACK; a call that is closed before it is answered"),
        *called(t, 0), (f"in FA 1 1 {n}", None, [f"A 1 {n + 2} 0"], "eof"), ("read 5000", n, [], "eof"),
        ("read 5000", 0, [], "eof"), ("state", CLOSE_WAIT, [], "eof"),
        (f"write {m}", m, [f"A 1 {n + 2} {m}"], "half-closed"), (f"in A {n + 2} {m + 1} 0",),
        ("close", 0, [f"FA {m + 1} {n + 2} 0"], "fin"), (f"in A {n + 2} {m + 1} 0",), (f"in A {n + 2} {m + 2} 0",),
        (f"in A {n + 2} {m + 2} 0", None, [f"R {m + 2} 0 0"], "last-ack"),
        flow(t, 4), ("connect", -errno.EINPROGRESS, ["S 0 0 0"]), ("close", 0, [], "close-early"),
        ("sleep 1500", None, [], "close-early"), ("in SA 0 1 0", None, ["R 1 0 0"], "close-early"),
        part(5, "an end behind a hole; ends that are resets: unread data, and an abort"),
        *called(t, 1), (f"in FA {n + 1} 1 0", None, ["A 1 1 0"]), ("read 5000", -errno.EAGAIN, [], "eof-early"),
        (f"in A 1 1 {n}", None, [f"A 1 {n + 2} 0"], "eof"), ("read 5000", n), ("read 5000", 0, [], "eof"),
        *called(t, 2), (f"in A 1 1 {n}", None, [f"A 1 {n + 1} 0"]), ("close", 0, [f"RA 1 {n + 1} 0"], "unread"),
        (f"in A {n + 1} 1 0", None, ["R 1 0 0"], "unread"),
        *called(t, 3), ("abort", 0, ["RA 1 1 0"], "abort"),
    ])


@check(points=10, needs=("it_answers", "the_peer_closes_first"), seconds=20)
def it_is_not_fooled(t):
    "What is outside the window is answered, not believed; a reset is believed at exactly the right place."
    n = t.random.randrange(1, 500)
    near, far = t.random.randrange(2, 60000), 65536 + t.random.randrange(10, 60000)
    late = flow(t, 3, near_the_wrap(t))
    play(t, [
        part(5, "what lies outside the window, and resets of every kind"),
        *called(t, 0, near_the_wrap(t)),
        (f"in A {WRAP - n} 1 {n}", None, ["A 1 1 0"], "window"), (f"in A {far} 1 {n}", None, ["A 1 1 0"], "window"),
        ("read 5000", -errno.EAGAIN, [], "window"),
        (f"in FA {far} 1 0", None, ["A 1 1 0"], "window"), ("state", ESTABLISHED, [], "window"),
        (f"in R {far} 0 0", None, [], "reset-window"), (f"in R {WRAP - n} 0 0", None, [], "reset-window"),
        ("state", ESTABLISHED, [], "reset-window"),
        (f"in R {near} 0 0", None, ["A 1 1 0"], "challenge"), ("state", ESTABLISHED, [], "challenge"),
        # At the right edge itself an ACK is good, and one behind it is not; such answers come twice a second at most.
        ("sleep 1000",), ("in A 65536 1 0", None, [], "right-edge"),
        ("in A 65537 1 0", None, ["A 1 1 0"], "right-edge"),
        # Inside, beyond the turn of the numbers: kept until the hole before it is filled.
        ("in A 11 1 5", None, ["A 1 1 0"], "window"), ("in A 1 1 10", None, ["A 1 16 0"], "window"),
        ("read 5000", 15, [], "window"),
        ("in R 16 0 0",), ("error", errno.ECONNRESET, [], "reset"), ("state", CLOSED, [], "reset"),
        part(2, "a reset behind the peer's end"),
        *called(t, 1), ("in FA 1 1 0", None, ["A 1 2 0"]), ("in FA 1 1 0", None, ["A 1 2 0"], "window"),
        ("in R 2 0 0",), ("error", errno.EPIPE, [], "reset-close-wait"),
        part(3, "calls that are reset, or answered from outside the window"),
        ("listen 2", 0), flow(t, 2), ("in S 0 0 0", None, ["SA 0 1 0"]), ("in R 1 0 0", None, [], "reset"),
        ("in A 1 1 0", None, ["R 1 0 0"], "reset"), ("accept", -errno.EAGAIN, [], "reset"),
        late, ("in S 0 0 0", None, ["SA 0 1 0"]), (f"in A {far} 1 {n}", None, ["A 1 1 0"], "window"),
        ("accept", -errno.EAGAIN, [], "window"), ("in A 1 1 0",), ("accept", port_of(late)),
    ])


STAMP = "0101080a{:08x}{:08x}"  # a timestamp option, two NOPs in front


@check(points=10, needs=("it_answers", "it_closes_first"), seconds=600)
def time_wait_waits(t):
    "TIME-WAIT: the last ACK again and again, 2 MSL from the last FIN, no end by a reset, and a call that is younger."
    first, second = answered(t, 0), answered(t, 1)
    ours = [("close", 0, ["FA 1 1 0"]), ("in FA 1 2 0", None, ["A 2 2 0"])]
    younger = (int(second[0][0].split()[3]) + 100) % WRAP
    seen = play(t, [
        part(5, "the wait"), ("listen 8", 0), *first, *ours,
        ("in FA 1 2 0", None, ["A 2 2 0"], "fin-again"), ("in A 2 2 0", None, [], "chatter"),
        ("in R 2 0 0", None, [], "assassination"), ("in RA 2 2 0", None, [], "assassination"),
        ("in FA 1 2 0", None, ["A 2 2 0"], "assassination"),
        ("in A 1 2 0", None, ["A 2 2 0"], "old-segment"), ("in S 1 0 0", None, ["A 2 2 0"], "old-call"),
        ("sleep 45000",), ("in FA 1 2 0", None, ["A 2 2 0"], "fin-again"),
        ("sleep 45000",), ("in FA 1 2 0", None, ["A 2 2 0"], "wait-restarts"),
        ("sleep 65000",), ("in FA 1 2 0", None, ["R 2 0 0"], "wait-ends"),
        part(2, "a younger call, by its number"), *second, *ours, (f"flow 1 {port_of(second[0])} {younger}",),
        ("in S 0 0 0", None, ["SA 0 1 0"], "young-call"), ("in A 1 1 0",),
        ("accept", port_of(second[0]), [], "young-call"),
        part(2, "a younger call, by its timestamp"), *stamped(t, 2),
    ])
    firsts = [first for port, first in seen.firsts if port == port_of(second[0])]
    t.expect("how far the young connection's first number is above the old one's last", want=range(65536, WRAP // 2),
             got=(firsts[1] - firsts[0] - 2) % WRAP if len(firsts) == 2 else "there is none", points=1,
             hint="young-call")


def stamped(t, number):
    """A connection with timestamps, in TIME-WAIT: an older call and a younger one, both below what was received."""
    now = t.random.randrange(1 << 20, 1 << 31)
    begin = flow(t, number)
    below = f"flow {number} {port_of(begin)} {(int(begin[0].split()[3]) - 1000) % WRAP}"
    stamp = lambda at: f" 5000 {STAMP.format(at, 0)}"
    return [begin, ("in S 0 0 0" + stamp(now), None, ["SA 0 1 0"]), ("in A 1 1 0" + stamp(now),),
            ("accept", port_of(begin)), ("close", 0, ["FA 1 1 0"]), ("in FA 1 2 0" + stamp(now + 5), None, ["A 2 2 0"]),
            ("in FA 1 2 0" + stamp(now + 5), None, ["A 2 2 0"], "fin-again"),
            ("in S 1 0 0" + stamp(now - 9), None, ["A 2 2 0"], "old-call"),
            (below,), ("in S 0 0 0" + stamp(now + 9), None, ["SA 0 1 0"], "young-call")]


@check(points=6, needs=("it_closes_first", "the_peer_closes_first"), visible=False, seconds=60)
def states_as_the_figure_has_them(t):
    "A watchpoint on the state of a connection: the arrows of the figure that are gone, in order."
    # gdb notes each value that the state of the first connection takes, whoever writes it.
    watch = """
hbreak tcp_connect
continue
delete
python
import gdb
place = int(gdb.parse_and_eval("&((struct tcp_conn *)$rdi)->state"))
gdb.execute(f"watch *(int *){place}")
for change in range(CHANGES):
    gdb.execute("continue", to_string=True)
    print("@state", int(gdb.parse_and_eval(f"*(int *){place}")))
end
delete
detach
"""
    ways = {
        "an active close": ([("shutdown", 0, ["FA 1 1 0"]), ("in A 1 2 0",), ("in FA 1 2 0", None, ["A 2 2 0"])],
                            [SYN_SENT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED]),
        "closing at once": ([("shutdown", 0, ["FA 1 1 0"]), ("in FA 1 1 0", None, ["A 2 2 0"]), ("in A 2 2 0",)],
                            [SYN_SENT, ESTABLISHED, FIN_WAIT_1, CLOSING, TIME_WAIT, CLOSED]),
        "a passive close": ([("in FA 1 1 0", None, ["A 1 2 0"]), ("shutdown", 0, ["FA 1 2 0"]), ("in A 2 2 0",)],
                            [SYN_SENT, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED]),
    }
    for way, (script, states) in ways.items():
        seen = play(t, [*called(t, 0), *script], gdb=watch.replace("CHANGES", str(len(states))))
        passed = [int(line.split()[1]) for line in seen.gdb.splitlines() if line.startswith("@state")]
        t.expect(f"the states of {way}", want=states, got=passed, hint="arrows")
