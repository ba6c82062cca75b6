"""How gdb finds its way through the kernel's entries, which are assembly.

Each of them stores the interrupted registers as a `struct regs` (kernel/x86/context.h) on the kernel's
stack, keeps 8 bytes for alignment and calls a C function. So in a frame that has called, rsp + 8 is that
structure, and the caller is what was interrupted: the program that made the system call, or whatever a
trap came upon. Without this gdb would guess, and show frames that never were.
"""

import gdb
from gdb.unwinder import Unwinder, register_unwinder

ENTRIES = ("syscall_entry", "trap_entries", "trap_common", "trap_own_stack", "user_return", "thread_start_user")
ALIGNMENT = 8
# mov $__NR_rt_sigreturn, %eax or %rax; syscall
SIGRETURNS = (b"\xb8\x0f\0\0\0\x0f\x05", b"\x48\xc7\xc0\x0f\0\0\0\x0f\x05")
REGISTERS = ("rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class EntryUnwinder(Unwinder):
    def __init__(self):
        super().__init__("signalbox entries")

    def __call__(self, frame):
        if frame.level() == 0:
            return None  # it may be anywhere between its first push and the call
        pc = frame.read_register("rip")
        symbol = gdb.execute(f"info symbol {int(pc) - 1:#x}", to_string=True).split()
        if not symbol or symbol[0].split(".")[0] not in ENTRIES:
            return None
        sp = frame.read_register("rsp")
        regs = (sp + ALIGNMENT).cast(gdb.lookup_type("struct regs").pointer())
        info = frame.create_unwind_info(FrameId(sp, pc))
        for name in REGISTERS:
            info.add_saved_register(name, regs.dereference()[name])
        return info


class HandlerUnwinder(Unwinder):
    """What called a signal handler is the restorer, two instructions that are not a function; behind it the
    program goes on where the signal came. At the restorer rsp points at the frame's ucontext."""

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
        if not code.startswith(SIGRETURNS):
            return None
        sp = frame.read_register("rsp")
        context = sp.cast(gdb.lookup_type("struct ucontext").pointer()).dereference()["uc_mcontext"]
        info = frame.create_unwind_info(FrameId(sp, frame.read_register("rip")))
        for name in REGISTERS:
            info.add_saved_register(name, context[name].cast(frame.read_register(name).type))
        return info


register_unwinder(None, EntryUnwinder(), replace=True)
register_unwinder(None, HandlerUnwinder(), replace=True)
