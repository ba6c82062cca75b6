"""What a core file says: a little of the ELF format, its notes alone."""

import struct

PT_NOTE = 4
NT_PRSTATUS, NT_SIGINFO = 1, 0x53494749
# struct elf_prstatus: the signal, and the registers in the order of struct user_regs_struct.
CURSIG, REGISTERS = 12, 112
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss").split()


class Broken(Exception):
    """It is no core file, or one without the notes that every core file has."""


def notes(core):
    """type -> what the first note of that type holds, in the only segment of notes."""
    found = {}
    offset, = struct.unpack_from("<Q", core, 32)
    size, count = struct.unpack_from("<HH", core, 54)
    for i in range(count):
        kind, _, start, _, _, length, _, _ = struct.unpack_from("<IIQQQQQQ", core, offset + i * size)
        place, end = start, start + length
        if kind != PT_NOTE:
            continue
        while place + 12 <= end:
            name, data, note = struct.unpack_from("<III", core, place)
            place += 12 + (name + 3) // 4 * 4
            found.setdefault(note, core[place:place + data])
            place += (data + 3) // 4 * 4
        break
    return found


class Core:
    """.signal, .code (si_code) and .registers, name -> value, of the thread that died. The kernel under test wrote it,
    and so it may hold anything: Broken."""

    def __init__(self, core):
        try:
            self._read(notes(core))
        except (struct.error, OverflowError, KeyError) as error:
            raise Broken(f"it can't be read as a core file: {error}") from None

    def _read(self, found):
        status = found[NT_PRSTATUS]
        self.signal, = struct.unpack_from("<h", status, CURSIG)
        self.registers = dict(zip(NAMES, struct.unpack_from(f"<{len(NAMES)}Q", status, REGISTERS)))
        _, _, self.code = struct.unpack_from("<iii", found[NT_SIGINFO])
