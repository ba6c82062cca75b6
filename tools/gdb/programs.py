"""The program that runs: its symbols follow exec.

A process's program is known by the path of the file it runs (mm->exe). What `make` built has a file with
symbols under build/; a program that tools/run copied in has the same path outside. That it is the same program is
seen from its entry point and number of program headers, which the kernel keeps for the auxiliary vector.

A hidden breakpoint in the kernel, where exec has made the new memory, loads the program's symbols while the
machine stands there for a moment; so `break main` or `break ls.c:40`, set before boot, is there when the program
begins. All programs lie at the same addresses: gdb holds one program's symbols at a time, those of the one that runs on
the selected CPU, and a breakpoint in user code gets a condition that it is this program which came by.
"""

import os
import struct as layout

import gdb

from kernel import Broken, ROOT, USER_END, addr2line, address_of, is_boots, pointer
import files
import tasks

AT_PHNUM, AT_ENTRY, AT_SYSINFO_EHDR = 5, 9, 33  # abi/auxv.h
VDSO = os.path.join(ROOT, "build", "vdso.debug.so")
ET_DYN = 3
CONDITION = "$in_program()"


class Program:
    """A file with symbols, as it lies in memory: a program that can be moved is another one in each place."""

    def __init__(self, file, entry, headers, moves):
        self.file = file        # the host's, with symbols
        self.entry = entry
        self.headers = headers
        self.moves = moves      # static-pie: it runs wherever it is put
        self.offset = 0

    def moved_to(self, offset):
        """The one and only Program of this file at this offset."""
        found = _known.get((self.file, offset))
        if found is None:
            found = _known[self.file, offset] = Program(self.file, self.entry, self.headers, self.moves)
            found.offset = offset
        return found


_known = {}
loaded = None   # the Program whose symbols gdb has, or None
pinned = False  # the user named it: it stays, whatever runs
vdso = 0        # where gdb believes the kernel's own library for programs to be: each exec puts it elsewhere
hook = None     # the breakpoint at exec
at_exec = []    # others that want to know of it


def read_header(path):
    """The ELF header's facts, or None: no 64-bit program."""
    try:
        with open(path, "rb") as file:
            data = file.read(64)
    except OSError:
        return None
    if len(data) < 64 or data[:5] != b"\x7fELF\x02":
        return None
    kind, _, _, entry = layout.unpack_from("<HHIQ", data, 16)
    headers = layout.unpack_from("<H", data, 56)[0]
    return Program(path, entry, headers, kind == ET_DYN)


def candidates(path):
    """Host files that may be the program PATH of the machine."""
    name = os.path.basename(path)
    build = os.path.join(ROOT, "build")
    if path.startswith(("/bin/", "/sbin/", "/init")):
        yield os.path.join(build, "user", name)
    if path.startswith("/demo/"):
        yield os.path.join(build, "user", "demo", name)
    yield path


def auxiliary(mm):
    vector = mm["auxv"]
    return {int(vector[i]): int(vector[i + 1]) for i in range(0, vector.type.range()[1], 2)}


def of_mm(mm):
    """The Program of an address space; None when its file is not known here."""
    if pointer(mm["exe"]) == 0:
        return None
    values = auxiliary(mm)
    entry, headers = values.get(AT_ENTRY, 0), values.get(AT_PHNUM, 0)
    for path in candidates(files.path_of(mm["exe"])):
        program = read_header(path)
        if program is None or program.headers != headers:
            continue
        if program.entry != entry and not (program.moves and (entry - program.entry) % 4096 == 0):
            continue
        return program.moved_to(entry - program.entry)
    return None


def name_at(mm, address):
    """function+offset of a program's address, by its host file; None when unknown."""
    program = of_mm(mm)
    if program is None:
        return None
    return addr2line(program.file, [address - program.offset])[0] or None


def load(program):
    """Have the symbols of PROGRAM (None: of none) beside the kernel's."""
    global loaded
    if program is loaded:
        return
    if loaded is not None:
        gdb.execute(f"remove-symbol-file {quoted(loaded.file)}", to_string=True)
    loaded = program
    if program is not None:
        gdb.execute(f"add-symbol-file {quoted(program.file)} -o {program.offset:#x}", to_string=True)
        for one in gdb.breakpoints():
            restrict_breakpoint(one)


def quoted(path):
    """As gdb's commands take it; it takes symbols out again only by the name without symbolic links."""
    return '"' + os.path.realpath(path).replace('"', '\\"') + '"'


def shown(program):
    """A program's name to print: in the tree, from its top."""
    inside = program.file.startswith(ROOT + os.sep)
    return os.path.relpath(program.file, ROOT) if inside else program.file


def restrict_breakpoint(one):
    """Other programs have other code at the same addresses."""
    if one.condition is None and one.type in (gdb.BP_BREAKPOINT, gdb.BP_HARDWARE_BREAKPOINT):
        places = [location.address for location in getattr(one, "locations", ()) if location.address]
        if any(place < USER_END and not is_boots(place) for place in places):
            one.condition = CONDITION


def current_mm():
    """The address space that this CPU runs in; None in a thread of the kernel's own, and before there are any."""
    try:
        mm = tasks.current_thread()["mm"]
        return mm.dereference() if pointer(mm) else None
    except (Broken, gdb.error):
        return None


def current_program():
    mm = current_mm()
    return None if mm is None else of_mm(mm)


def code_of(thread):
    """'code of PROGRAM'."""
    return f"code of {files.path_of(thread['mm']['exe'])}"


def why_unknown(thread):
    """Why gdb can't follow the stack of THREAD's program, and who can, in words; None when it can: the symbols that are
    loaded are that program's. Before the kernel has threads, THREAD is None."""
    if thread is None or pointer(thread["mm"]) == 0:
        return "no program's code"
    mm = thread["mm"].dereference()
    code, who = code_of(thread), f"see bt of {tasks.thread_id(thread)}"
    here = current_mm()
    if here is None or address_of(here) != address_of(mm):
        return f"{code}, which this CPU does not run: {who}"
    program = of_mm(mm)
    if program is None:
        return f"{code}, of which there is no file here"
    if program is not loaded:
        return f"{code}; the symbols are {f'those of {shown(loaded)}' if loaded else 'of no program'}: {who}"
    return None


def follow():
    """Whose symbols are right is decided by where we stand. Those of a program that is not known here are nowhere:
    the ones that are loaded stay then, for breakpoints that still wait."""
    program = None if pinned else current_program()
    if program is not None:
        load(program)
    if not pinned:
        load_vdso(auxiliary(current_mm()).get(AT_SYSINFO_EHDR, 0) if current_mm() is not None else 0)


def load_vdso(base):
    """clock_gettime() and the like are code that the kernel lends to programs, with a file of its own."""
    global vdso
    if base in (0, vdso) or not os.path.exists(VDSO):
        return
    if vdso:
        gdb.execute(f"remove-symbol-file {quoted(VDSO)}", to_string=True)
    gdb.execute(f"add-symbol-file {quoted(VDSO)} -o {base:#x}", to_string=True)
    vdso = base


class Exec(gdb.Breakpoint):
    """The kernel has made the new program's memory: arch_exec() is about to set its registers."""

    def __init__(self):
        super().__init__("arch_exec", internal=True)
        self.silent = True

    def stop(self):
        try:
            follow()
        except (gdb.error, Broken) as error:
            print(f"the program's symbols could not be loaded: {error}")
        for function in at_exec:
            function()
        return False


class InProgram(gdb.Function):
    """$in_program(): this CPU runs the program whose symbols are loaded."""

    def __init__(self):
        super().__init__("in_program")

    def invoke(self):
        return loaded is not None and current_program() is loaded


class Following(gdb.Command):
    """program [FILE|auto]: whose symbols are loaded; have those of FILE and keep them; or follow exec again.

    Without a choice, each exec of a known program brings its symbols, and breakpoints in another wait until gdb stops
    in that one again. With one, they are hit whenever that program passes them."""

    def __init__(self):
        super().__init__("program", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        global pinned
        words = gdb.string_to_argv(argument)
        if words == ["auto"]:
            pinned = False
            follow()
        elif words:
            program = read_header(os.path.abspath(words[0]))
            if program is None:
                what = "is no 64-bit ELF file" if os.path.exists(words[0]) else "is not there"
                raise gdb.GdbError(f"program: {words[0]} {what}")
            if program.moves:
                raise gdb.GdbError(f"program: {words[0]} can be anywhere in memory: its symbols come with its exec")
            load(program.moved_to(0))
            pinned = True
        print(f"symbols of {shown(loaded)}" if loaded else "no program's symbols are loaded")


def stopped(_event):
    """gdb shows where we stand."""
    try:
        follow()
        frame = gdb.newest_frame()
        in_program = frame.pc() < USER_END and not is_boots(frame.pc())
        if in_program and loaded is not None and current_program() is not loaded:
            print(f"(user code here is not {shown(loaded)}'s, whose symbols are loaded)")
    except (gdb.error, Broken):
        pass


def start():
    """Once connected."""
    global hook
    if hook is not None:
        return
    hook = Exec()
    gdb.events.breakpoint_created.connect(restrict_breakpoint)
    gdb.events.stop.connect(stopped)


def setup():
    InProgram()
    Following()
