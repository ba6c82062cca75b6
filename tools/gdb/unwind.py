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


register_unwinder(None, EntryUnwinder(), replace=True)
