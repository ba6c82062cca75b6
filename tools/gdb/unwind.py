"""What a backtrace says where code was not called: at the kernel's entries, at signal handlers, in programs.

The kernel's entries are assembly that describes itself (kernel/x86/cfi.inc): gdb goes on in what was interrupted, but
it calls each of them "<signal handler called>", which is what DWARF has such descriptions for. `bt` gives them
their names back. Where a stack comes to a program whose symbols gdb has not loaded, or that has none, gdb would go
on by guessing, in the words of another program: `bt` shows where that program is, and ends.
"""

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

from kernel import USER_END, function_at, is_boots, relative
import programs
import stacks

FIRST_IN_PROGRAM = "_start"  # of hello_asm, say, with no word of where its caller is
HANDLED = "signal handler called"  # gdb's own words
REGISTERS = ("rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class HandlerUnwinder(Unwinder):
    """What called a signal handler is the restorer, two instructions that are not a function; behind it the
    program goes on where the signal came. At the restorer rsp points at the frame's ucontext. Our library's describes
    itself, if gdb has its symbols."""

    def __init__(self):
        super().__init__("signalbox signal frames")

    def __call__(self, frame):
        pc = int(frame.read_register("rip"))
        if not 0 < pc < 1 << 47:
            return None
        try:
            code = bytes(gdb.selected_inferior().read_memory(pc, 9))
        except gdb.MemoryError:
            return None
        if not code.startswith(stacks.SIGRETURNS) or describes_itself(pc, code):
            return None
        sp = frame.read_register("rsp")
        context = sp.cast(gdb.lookup_type("struct ucontext").pointer()).dereference()["uc_mcontext"]
        info = frame.create_unwind_info(FrameId(sp, frame.read_register("rip")))
        for name in REGISTERS:
            info.add_saved_register(name, context[name].cast(frame.read_register(name).type))
        return info


def describes_itself(pc, code):
    name = gdb.execute(f"info symbol {pc}", to_string=True)
    return code.startswith(stacks.SIGRETURNS[0]) and name.startswith("__restore_rt")


def returns_from_handler(frame):
    """Is it the restorer? With it there, gdb looks for a function one byte before."""
    try:
        code = bytes(gdb.selected_inferior().read_memory(frame.pc(), 9))
    except gdb.MemoryError:
        return False
    return code.startswith(stacks.SIGRETURNS)


class Entry(FrameDecorator):
    """One of the kernel's entries, by its name."""

    def function(self):
        return function_at(self.inferior_frame().pc())

    def filename(self):
        place = self.inferior_frame().find_sal()
        return relative(place.symtab.filename) if place.symtab else None

    def line(self):
        return self.inferior_frame().find_sal().line or None


class Stranger(FrameDecorator):
    """What has no name: where a program is that gdb can't follow any further, where signal handlers return to."""

    def __init__(self, frame, why):
        super().__init__(frame)
        self.why = why

    def function(self):
        return f"<{self.why}>"

    def frame_args(self):
        return None

    def frame_locals(self):
        return None

    def filename(self):
        return None

    def line(self):
        return None


class Named:
    """The filter through which `bt` sees all stacks."""

    name = "signalbox"
    enabled = True
    priority = 100

    @staticmethod
    def filter(frames):
        came_to_program = False
        for shown in frames:
            frame = shown.inferior_frame()
            if stacks.sleeper.covers(frame):
                continue
            if frame.pc() == 0:
                return
            if frame.pc() >= USER_END:
                yield Entry(shown) if frame.type() == gdb.SIGTRAMP_FRAME else shown
                continue
            if is_boots(frame.pc()):
                yield shown  # 32-bit code, whose stack gdb can't read
                return
            thread = stacks.shown_thread()
            why = None if came_to_program else programs.why_unknown(thread)
            if why is None and (frame.type() == gdb.SIGTRAMP_FRAME or returns_from_handler(frame)):
                came_to_program = True
                yield Stranger(shown, HANDLED)
                continue
            if why is None and frame.type() == gdb.NORMAL_FRAME and frame.name() is None:
                why = programs.code_of(thread) + ", without symbols"
            came_to_program = True
            if why:
                yield Stranger(shown, why)
                return
            yield shown
            if frame.name() == FIRST_IN_PROGRAM:
                return


def stopped(_event):
    """At an entry's own instructions gdb says nothing but what it takes them for."""
    try:
        frame = gdb.newest_frame()
        place = frame.find_sal()
        if frame.type() == gdb.SIGTRAMP_FRAME and frame.pc() >= USER_END and place.symtab:
            path = relative(place.symtab.filename)
            print(f"{function_at(frame.pc())} () at {path}:{place.line}")
            gdb.execute(f"list {place.line},{place.line}")
    except gdb.error:
        pass


def setup():
    gdb.events.stop.connect(stopped)
    register_unwinder(None, HandlerUnwinder(), replace=True)
    gdb.frame_filters[Named.name] = Named
