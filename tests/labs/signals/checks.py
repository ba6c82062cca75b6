"""Signals: what is run, and what must be seen."""

import os
import re
import sys

from grading import check

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from core import Broken, Core

NAMES = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx".split()
SIGILL, SIGKILL, SIGUSR1, SIGSEGV, SIGALRM, SIGSTOP = 4, 9, 10, 11, 14, 19
EINTR, EPERM, ENOMEM, EINVAL = 4, 1, 12, 22
SS_ONSTACK, SS_AUTODISARM = 1, -1 << 31
FLAGS_ALWAYS = 0x202            # IF, and the bit that is always set
FLAGS_OF_PROGRAMS = 0xcd5       # CF PF AF ZF SF DF OF
DF = 0x400
RF = 0x10000                    # a processor may set it in the flags that a fault saves


def bit(signo):
    return 1 << (signo - 1)


class Trip:
    """What programs/trip.h loads: random registers, flags, a word for the red zone."""

    def __init__(self, t, flags=0):
        self.registers = [t.random.getrandbits(64) for _ in NAMES]
        self.flags = t.random.getrandbits(12) & FLAGS_OF_PROGRAMS | flags | 2
        self.words = [f"{word:x}" for word in [*self.registers, self.flags, t.random.getrandbits(64)]]


def hexadecimal(words):
    return " ".join(f"{word:x}" for word in words)


def from_hexadecimal(text):
    """The number, or what it is instead of one."""
    return int(text, 16) if re.fullmatch("(0x)?[0-9a-f]{1,16}", text) else text


def without_rf(text):
    flags = from_hexadecimal(str(text)) if text is not None else None
    return flags & ~RF if isinstance(flags, int) else flags


# --- step 1: the frame --------------------------------------------------------------------------------------------


@check(points=16)
def a_handler_finds_its_frame(t):
    """What stands in the registers and on the stack when a handler begins."""
    trip, value = Trip(t, DF), t.random.getrandbits(63)
    mask = t.random.getrandbits(31) & ~(bit(SIGKILL) | bit(SIGSTOP) | bit(SIGALRM))
    seen = t.boot("frame", *trip.words, f"{value:x}", f"{mask:x}")
    t.expect("the handler's arguments: the signal; siginfo and ucontext, from the stack pointer",
             want="4 312 8", got=seen.one("arguments"), points=2, hint="arguments")
    t.expect("the stack pointer modulo 16, and RAX", want="8 0", got=seen.one("entry"), points=1,
             hint="alignment")
    t.expect("the return address, from the restorer", want=0, got=seen.one("return"), points=1, hint="restorer")
    t.expect("RF, DF and TF in the handler", want="0", got=str(seen.one("handler_flags")), points=1,
             hint="direction")
    t.expect("the registers in the frame", want=hexadecimal(trip.registers), got=str(seen.one("registers")),
             points=2, hint="frame-registers")
    t.expect("RIP and RSP in the frame, from where the program was", want=[0, 0],
             got=[seen.one("rip"), seen.one("rsp")], hint="frame-registers")
    t.expect("the flags in the frame", want=trip.flags | FLAGS_ALWAYS, got=without_rf(seen.one("eflags")),
             points=1, hint="frame-registers")
    t.expect("CS and SS in the frame", want="33 2b", got=seen.one("selectors"), hint="frame-registers")
    t.expect("uc_flags (XSAVE is there)", want=7, got=seen.one("uc_flags"), points=1, hint="uc-flags")
    t.expect("the frame's alternate stack, when there is none", want="(nil) 0 0", got=seen.one("stack"),
             hint="uc-stack")
    t.expect("the mask in the frame of a fault, and of a signal that was queued", want=["0", f"{mask:x}"],
             got=[str(seen.one("frame_mask")), str(seen.one("queued_mask"))], points=1, hint="frame-mask")
    t.expect("siginfo of the fault: signal, code, address from the UD2", want="4 2 0", got=seen.one("siginfo"),
             points=1, hint="siginfo")
    t.expect("siginfo of a queued signal: signal, code, is it its parent's, value", want=f"38 -1 1 {value:x}",
             got=seen.one("queued"), hint="siginfo")
    t.expect("places with something in them that should be zero", want=0, got=seen.one("leaked"), points=1,
             hint="leak")
    t.expect("the FPU state: modulo 64; above the frame; below the red zone", want="0 1 1",
             got=seen.one("fpstate"), points=1, hint="fpstate-place")
    t.expect("words of the red zone that have changed", want=0, got=seen.one("zone"), points=1, hint="red-zone")
    t.expect("how the two children ended", want=["exit 0", "exit 0"],
             got=[seen.one("fault_end"), seen.one("queue_end")])


# gdb stands at the handler's first instruction and tells what the processor has, and what is in memory.
LOOK_AT_ENTRY = """
python
import struct
class Entry(gdb.Breakpoint):
    def stop(self):
        if gdb.parse_and_eval("$current()")["comm"].string() != "entered":
            return False
        value = lambda name: int(gdb.parse_and_eval(name)) & (1 << 64) - 1
        memory = gdb.selected_inferior()
        rsp, uc = value("$rsp"), value("$rdx")
        back, = struct.unpack("<Q", memory.read_memory(rsp, 8))
        frame = struct.unpack("<18Q", memory.read_memory(uc + 40, 144))
        print("entry:", value("$rdi"), rsp % 16, hex(back), hex(value("$eflags") & 0x10500), value("$cs"), value("$ss"))
        print("frame:", " ".join(hex(word)[2:] for word in frame))
        return False
Entry("*HANDLER", gdb.BP_HARDWARE_BREAKPOINT)
end
break machine_power_off
continue
delete
detach
"""


@check(points=8)
def the_debugger_stands_at_the_handler(t):
    """Seen from outside: how often the handler is entered, with which registers, and the frame in memory."""
    trip, count = Trip(t, DF), t.random.randrange(2, 5)
    places = [from_hexadecimal(word) for word in str(t.boot("entered", *trip.words, 0).one("places")).split()]
    if len(places) != 3 or not all(isinstance(place, int) for place in places):
        t.fail("the program did not say where its handler is")
    entry, restorer, at = places
    seen = t.boot("entered", *trip.words, count, gdb=LOOK_AT_ENTRY.replace("HANDLER", hex(entry)))
    told = {"entry:": [], "frame:": []}
    for line in seen.gdb.splitlines():
        word, _, rest = line.partition(" ")
        if word in told:
            told[word].append(rest)
    t.expect("RDI, RSP modulo 16, return address, RF DF TF, CS, SS at each entry",
             want=[f"{SIGILL} 8 {restorer:#x} 0x0 51 43"] * count, got=told["entry:"], points=3,
             hint="arguments")
    frames = [[from_hexadecimal(word) for word in line.split()] for line in told["frame:"]]
    t.expect("the registers in each frame in memory", want=[trip.registers] * count,
             got=[frame[:15] for frame in frames], points=3, hint="frame-registers")
    t.expect("RIP in each frame", want=[[at]] * count, got=[frame[16:17] for frame in frames],
             hint="frame-registers")
    t.expect("how the children ended", want=["exit 5"] * count, got=seen.all("end"), hint="frame-registers")


# --- step 2: the way back -----------------------------------------------------------------------------------------


def way_back(t):
    """The words for programs/back.c and refused.c, and the registers that their handler writes."""
    trip, new = Trip(t), [t.random.getrandbits(64) for _ in NAMES]
    return trip, new, [*trip.words, *(f"{word:x}" for word in new)]


@check(points=14)
def a_handler_returns(t):
    """All registers come back, as they were or as the handler changed them, and nothing a program may not have."""
    trip, new, words = way_back(t)
    seen = t.boot("back", *words)
    t.expect("the registers behind the fault", want=hexadecimal(trip.registers), got=seen.one("same"), points=4,
             hint="back-registers")
    t.expect("the flags behind the fault", want=trip.flags | FLAGS_ALWAYS, got=without_rf(seen.one("flags")),
             points=2, hint="back-flags")
    t.expect("the stack pointer behind it, from before, and words of the red zone that have changed",
             want="0 0", got=seen.one("rsp"), hint="back-registers")
    t.expect("how often it came there", want=1, got=seen.one("returns"), hint="back-registers")
    t.expect("registers that the handler wrote into the frame", want=hexadecimal(new), got=seen.one("written"),
             points=2, hint="back-registers")
    t.expect("IF IOPL NT VM AC and above, when the frame has all of them", want="200",
             got=str(seen.one("forbidden")), points=3, hint="forbidden-flags")
    t.expect("CF PF AF ZF SF DF OF then", want="cd5", got=seen.one("allowed"), hint="back-flags")
    t.expect("signals that the frame's mask has let in", want=1, got=seen.one("let_in"), hint="back-mask")
    t.expect("the mask, when the frame blocks all", want=f"{(1 << 64) - 1 & ~bit(SIGKILL) & ~bit(SIGSTOP):x}",
             got=seen.one("mask"), points=1, hint="back-mask")


@check(points=8, needs=("a_handler_returns",))
def forged_frames_are_refused(t):
    """A frame with what IRET would refuse, or none at all, costs the program a SIGSEGV, and nobody else anything."""
    _, _, words = way_back(t)
    seen = t.boot("back", *words, "forge")
    for key, what in (("kernel_code", "the kernel's code selector"), ("no_selector", "no code selector"),
                      ("kernel_stack", "the kernel's stack selector"), ("odd_rip", "a RIP that is not canonical"),
                      ("kernel_rip", "a RIP of the kernel's"), ("no_frame", "no frame"),
                      ("kernel_frame", "a frame in the kernel's memory")):
        t.expect(f"the end after {what}", want=f"signal {SIGSEGV}", got=seen.one(key), points=1, hint="forged")
    t.expect("... after the program's code selector that asks for ring 0, which is none", want="exit 0",
             got=seen.one("code_for_ring_0"), hint="selectors")
    t.expect("the handler of such a SIGSEGV: signal, SI_KERNEL, is it shown the registers that were asked for?",
             want="11 128 1", got=seen.one("refusal"), hint="taken-back-first")
    t.expect("... after a wrong stack selector without UC_STRICT_RESTORE_SS", want="exit 0",
             got=seen.one("repaired_stack"), hint="selectors")


@check(points=6, needs=("a_handler_returns",))
def a_core_file_shows_what_was_refused(t):
    """The core file of a program that returned through a forged frame, read here."""
    _, new, words = way_back(t)
    seen = t.boot("refused", *words, fetch=["/lab/core"])
    t.expect("signals that the handler saw", want=SIGILL, got=seen.one("handler"))
    t.expect("how the program ended: 128 and SIGSEGV", want=128 + SIGSEGV, got=seen.status, hint="forged")
    if not seen.fetched["/lab/core"]:
        t.fail("there is no core file", hint="forged")
    try:
        core = Core(seen.fetched["/lab/core"])
    except Broken as broken:
        t.fail(str(broken), hint="forged")
    t.expect("the core file's signal and code (SI_KERNEL)", want=(SIGSEGV, 128), got=(core.signal, core.code),
             points=2, hint="forged")
    t.expect("its registers: those of the frame", want=hexadecimal([*new, 0x1234567]),
             got=hexadecimal(core.registers[name] for name in [*NAMES, "rip"]), points=2,
             hint="taken-back-first")
    t.expect("its selectors: the program's", want=(0x33, 0x2b),
             got=(core.registers["cs"], core.registers["ss"]), hint="taken-back-first")


# --- step 3: the FPU ----------------------------------------------------------------------------------------------


class Fpu:
    """Random vector registers, an MXCSR and an x87 control word that are legal."""

    def __init__(self, t):
        self.xmm = [t.random.getrandbits(64) for _ in range(8)]
        self.upper = [t.random.getrandbits(64) for _ in range(2)]
        self.mxcsr = t.random.choice([0x1f80, 0x1fa0, 0x3f80, 0x5f80, 0x9f80])
        self.control = t.random.choice([0x37f, 0x33f, 0x77f, 0xb7f])
        self.new = t.random.getrandbits(64)
        self.words = [f"{word:x}" for word in [*self.xmm, *self.upper, self.mxcsr, self.control, self.new]]

    def text(self, xmm=None, upper=None):
        """What fpu.c says of the registers when a handler has run."""
        upper = self.upper if upper is None else upper
        return hexadecimal([*(xmm or self.xmm), *upper, self.mxcsr, self.control]) + " 1"


@check(points=12)
def the_fpu_survives_a_handler(t):
    """Vector registers, MXCSR and the x87 over a handler that spoils them, and what a handler writes into the frame."""
    fpu = Fpu(t)
    seen = t.boot("fpu", *fpu.words)
    if not t.expect("does the machine have AVX?", want=1, got=seen.one("avx")):
        t.fail("this check needs a processor with AVX")
    t.expect("xmm0, 7, 8, 15, the upper half of ymm3, MXCSR, control word behind the signal", want=fpu.text(),
             got=seen.one("same"), points=3, hint="fpu-lost")
    t.expect("xmm0, xmm15, MXCSR, control word at the start of the handler", want="0 0 1f80 37f",
             got=seen.one("fresh"), points=1, hint="fpu-fresh")
    t.expect("magic1, magic2 at the end, the size, x87 and SSE among the features", want="1 1 1 1",
             got=seen.one("layout"), points=2, hint="fpu-layout")
    t.expect("x87 and SSE are said to be in use", want=3, got=seen.one("in_use"), hint="fpu-layout")
    t.expect("xmm0, MXCSR, control word in the frame", want=hexadecimal([fpu.xmm[0], fpu.mxcsr, fpu.control]),
             got=seen.one("in_frame"), points=1, hint="fpu-layout")
    written = [*fpu.xmm[:2], fpu.new, *fpu.xmm[3:]]
    t.expect("... when the handler wrote into xmm7 of the frame", want=fpu.text(written),
             got=seen.one("written"), points=2, hint="fpu-lost")
    t.expect("... when the frame has no FPU state any more", want="0 " * 10 + "1f80 37f 1",
             got=seen.one("no_state"), points=1, hint="fpu-none")
    for key, what in (("no_magic1", "the first magic number"), ("no_magic2", "the second magic number"),
                      ("too_large", "a size that can be")):
        t.expect(f"... when the state lacks {what}: FXSAVE's part alone", want=fpu.text(upper=(0, 0)),
                 got=seen.one(key), hint="fpu-legacy")


@check(points=6, needs=("the_fpu_survives_a_handler",))
def forged_fpu_state_is_refused(t):
    """FPU state that the processor would refuse, or that is not the program's, is a SIGSEGV."""
    seen = t.boot("fpu", *Fpu(t).words, "forge")
    forgeries = ("reserved_mxcsr", "compact_form", "unknown_features", "reserved_header", "misaligned", "unmapped",
                 "the_kernels")
    t.expect("the ends", want=[f"{key} signal {SIGSEGV}" for key in forgeries], got=seen.all("refused"),
             hint="fpu-forged")


# --- step 4: masks ------------------------------------------------------------------------------------------------


@check(points=10)
def masks_nest(t):
    """What is blocked in a handler, what the frame says, what comes back; signals on top of signals."""
    mask = t.random.choice([bit(33), bit(40) | bit(2), bit(64) | bit(23)])
    sa_mask = t.random.choice([bit(50) | bit(15), bit(63), bit(3) | bit(35)])
    seen = t.boot("masks", f"{mask:x}", f"{sa_mask:x}")
    usr1, hup = bit(SIGUSR1), bit(1)
    inside = [(mask | sa_mask | usr1, mask), (mask | sa_mask, mask)]
    waited = (hup | sa_mask | usr1, mask | usr1)
    t.expect("blocked in the handler, and in the frame: SIGUSR1, with SA_NODEFER, in sigsuspend, in ppoll",
             want=[hexadecimal(pair) for pair in [*inside, waited, waited]], got=seen.all("masks"), points=3,
             hint="masks")
    t.expect("blocked afterwards, and handlers that ran", want=f"{mask:x} 2", got=seen.one("after"), points=1,
             hint="masks-back")
    t.expect("sigsuspend and ppoll: result, mask afterwards, handlers",
             want=[f"-4 {mask | usr1:x} {n}" for n in (3, 4)], got=[seen.one("suspended"), seen.one("polled")],
             points=1, hint="masks-suspend")
    t.expect("SIGUSR2 while SIGUSR1's handler runs", want="([].)()", got=seen.one("let_in"), points=1,
             hint="masks-nest")
    t.expect("... when sa_mask holds it back", want="(.)()[]", got=seen.one("held_back"), hint="masks-nest")
    t.expect("both at once: the frame of the second on top of the first", want="[]()", got=seen.one("at_once"),
             hint="masks-nest")
    t.expect("handlers inside one another with SA_NODEFER", want=3, got=seen.one("deepest"), hint="masks-nest")
    t.expect("the end when a frame can't be written: without and with a handler for SIGSEGV, which has no room either",
             want=[f"signal {SIGSEGV}"] * 2, got=seen.all("no_room"), points=2, hint="no-room")
    t.expect("how the children ended", want=["exit 0", "exit 0"], got=seen.all("end"))


# --- step 5: interrupted calls ------------------------------------------------------------------------------------

STOPPED, HANDLED, RESTARTED, IGNORED = range(4)
WAYS = "0 stopped and continued, 1 a handler, 2 one with SA_RESTART, 3 ignored"
# What each call does when a handler has run: ends, or goes on with SA_RESTART. Without a handler all go on.
RESTARTS = {"read": True, "wait": True, "poll": False, "ppoll": False, "pause": False, "suspend": False,
            "nanosleep": False}
IN_THE_END = {"read": 1, "poll": 1, "ppoll": 1, "nanosleep": 100, "wait": 100}


@check(points=10)
def interrupted_calls_go_on_or_end(t):
    """Seven calls, each stopped and continued, with a handler, with SA_RESTART, and with a signal that is ignored."""
    calls = t.random.sample(sorted(RESTARTS), len(RESTARTS))
    seen = t.boot("restarts", *calls)
    states, results = ([str(line) for line in seen.all(key)] for key in ("state", "result"))
    for call in calls:
        want_states, want_results = [], []
        for way in (STOPPED, HANDLED, RESTARTED, IGNORED):
            again = way in (STOPPED, IGNORED) or way == RESTARTED and RESTARTS[call]
            result = IN_THE_END.get(call, -EINTR) if again else -EINTR
            handlers = (way in (HANDLED, RESTARTED)) + (again and call in ("pause", "suspend"))
            want_states.append(f"{call} {way} {'S' if again else 'Z'} exit 0")
            want_results.append(f"{call} {way} {result} {handlers}")
        t.expect(f"{call}, WAY, asleep again (S) or over (Z), end; ways: {WAYS}", want=want_states,
                 got=[line for line in states if line.startswith(call + " ")], points=1, hint="restart")
        t.expect(f"{call}, WAY, result, handlers that ran", want=want_results,
                 got=[line for line in results if line.startswith(call + " ")], hint="restart")


# --- step 6: the alternate stack ----------------------------------------------------------------------------------


@check(points=8)
def the_alternate_stack(t):
    """Where handlers run, what sigaltstack says and allows, and a program whose own stack is full."""
    size = t.random.randrange(8192, 60000, 16)
    seen = t.boot("stacks", size)
    t.expect("none at first, and none at last", want=["0 2 0", "0 2 0"],
             got=[seen.one("first"), seen.one("last")])
    t.expect("to set one that is too small, one with wrong flags, one that is right",
             want=f"{-ENOMEM} {-EINVAL} 0", got=seen.one("set"), points=1, hint="altstack-set")
    t.expect("what was set (is it ours, flags, size)", want=f"1 0 {size}", got=seen.one("set_to"),
             hint="altstack-set")
    t.expect("handlers, and whether on it: SIGUSR1, SIGUSR2 without one, SIGUSR1 with SS_AUTODISARM",
             want=["10 1", "12 0", "10 1"], got=seen.all("handler"), points=2, hint="altstack-used")
    t.expect("what the frame says of it", want=[f"1 0 {size}", "0 2 0", f"1 {SS_AUTODISARM} {size}"],
             got=seen.all("frame_stack"), hint="uc-stack")
    t.expect("what sigaltstack says meanwhile", want=[f"1 {SS_ONSTACK} {size}", "0 2 0", "0 2 0"],
             got=seen.all("during"), points=1, hint="altstack-flags")
    t.expect("to change it meanwhile", want=[-EPERM, 0, 0], got=seen.all("change"),
             hint="altstack-eperm")
    t.expect("what is set afterwards, and with SS_AUTODISARM",
             want=[f"1 0 {size}", f"1 {SS_AUTODISARM} {size}"],
             got=[seen.one("after"), seen.one("armed_again")], points=1, hint="altstack-back")
    t.expect("a second handler on top: still on it, and below the first; the last pair not on it at all",
             want=["1 1", "1 1", "1 1", "0 1"], got=seen.all("above"), points=1, hint="altstack-nested")
    t.expect("flags with the stack pointer at its base, one above, at its top, one above that", want="0 1 1 0",
             got=seen.one("edges"), hint="altstack-edges")
    t.expect("overflows of the program's own stack that its handler was told of", want=2,
             got=seen.one("overflows"), hint="altstack-used")
    t.expect("a frame that has no room on the program's stack: told on the alternate one", want=1,
             got=seen.one("told"), hint="no-room")
    t.expect("the end when it is full itself, did handlers run, bytes below that were touched",
             want=f"signal {SIGSEGV} 1 0", got=seen.one("full"), points=1, hint="altstack-full")
    t.expect("how the children ended", want=["exit 0"] * 5, got=seen.all("end"))


# --- all of it ----------------------------------------------------------------------------------------------------


@check(points=2, visible=False, seconds=5)
def each_call_happens_once(t):
    """A child makes system calls on one CPU while signals come from another: every call once, every register kept."""
    seen = t.boot("storm", 30000, smp=2, icount=False)
    t.expect("the end of the child", want="exit 0", got=seen.one("victim"), hint="storm")
    t.expect("calls with a wrong result", want=0, got=seen.one("wrong"), hint="storm")
    # How many there are differs from run to run, and reports may not.
    taken = seen.one("taken")
    t.expect("twenty signals and more were taken", want=True, hint="storm",
             got=taken >= 20 if isinstance(taken, int) else taken)
