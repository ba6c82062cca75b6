"""What every command here is made of: the kernel's symbols and types, its lists and trees, its constants.

Symbols are looked for in the kernel's own file, never by gdb's usual search: once a program's symbols are
loaded too, `struct list` or `table` may be the program's. Nothing that is read is trusted: the machine may
stand in the middle of changing it, or before it was made. A list that does not close, a pointer to nowhere,
a structure not yet there end in a line that says so.
"""

import bisect
import os
import re
import subprocess

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
USER_END = 1 << 47
ELEMENTS_MAX = 100000
DIRECT_MAP = 0xffff888000000000  # mm/page.h
PAGE_SIZE = 4096


class Broken(Exception):
    """What we looked at is not what it should be."""


class Command(gdb.Command):
    """A command of ours: its first line of documentation is its usage, and its failures are one line."""

    kind = gdb.COMMAND_DATA
    name = ""

    def __init__(self):
        super().__init__(self.name, self.kind)

    def invoke(self, argument, from_tty):
        try:
            selected_cpu()
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as error:
            early = "" if has_booted() else " (has the kernel got that far?)"
            raise gdb.GdbError(f"{self.name}: {error}{early}") from None
        except (gdb.error, Broken) as error:
            raise gdb.GdbError(f"{self.name}: {error}") from None
        except (ValueError, OverflowError) as error:
            raise gdb.GdbError(f"{self.name}: can't make sense of what is there: {error}") from None

    def run(self, words):
        raise NotImplementedError


class Function(gdb.Function):
    """A function of ours for gdb's expressions: its failures are one line as well."""

    name = ""
    takes = 0  # arguments

    def __init__(self):
        super().__init__(self.name)

    def invoke(self, *args):
        if len(args) != self.takes:
            raise gdb.GdbError(f"${self.name}: it takes {self.takes} arguments, not {len(args)}")
        try:
            return self.value(*args)
        except (gdb.error, Broken, ValueError, OverflowError) as error:
            raise gdb.GdbError(f"${self.name}: {error}") from None

    def value(self, *args):
        raise NotImplementedError


def has_booted():
    """Is there a first process?"""
    try:
        return pointer(variable("init_proc")) != 0
    except (gdb.error, Broken):
        return False


def gdbs_own(command, from_tty=False):
    """Run a command of gdb's; its failure is one line as well."""
    try:
        gdb.execute(command, from_tty)
    except gdb.error as error:
        raise gdb.GdbError(str(error)) from None


def selected_cpu():
    """The gdb thread that is a CPU, or a failure."""
    chosen = gdb.selected_thread()
    if chosen is None:
        raise Broken("no machine is connected, or it has ended")
    return chosen


def arguments(words, least, most, usage):
    if not least <= len(words) <= most:
        raise Broken("usage: " + usage)
    return words


def number(word):
    """An address or number as typed: any expression of gdb's."""
    return int(gdb.parse_and_eval(word)) & (1 << 64) - 1


# --- symbols and types ----------------------------------------------------------------------------------


class Memory(dict):
    """Remembers what a function of one argument said, until the kernel's file changes."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def __missing__(self, key):
        value = self[key] = self.function(key)
        return value


def kernel_file():
    for objfile in gdb.objfiles():
        if objfile.filename and os.path.basename(objfile.filename).startswith("kernel"):
            return objfile
    raise Broken("no symbols of the kernel: file build/kernel.elf")


def is_boots(address):
    """Is it code of the kernel's before paging, which lies where programs will?"""
    symtab = gdb.find_pc_line(address).symtab
    return address < USER_END and symtab is not None and symtab.objfile == kernel_file()


def _find_struct(name):
    symbol = kernel_file().lookup_static_symbol(name, gdb.SYMBOL_STRUCT_DOMAIN)
    if symbol is None:
        raise Broken(f"this kernel has no struct {name}")
    return symbol.type


_structs = Memory(_find_struct)


def struct(name):
    return _structs[name]


def _find_variable(name):
    file, _, plain = name.rpartition(":")
    objfile = kernel_file()
    if not file:
        symbol = objfile.lookup_global_symbol(plain) or objfile.lookup_static_symbol(plain)
        return symbol
    for symbol in gdb.lookup_static_symbols(plain):
        if symbol.symtab.filename.endswith(file) and symbol.symtab.objfile.filename == objfile.filename:
            return symbol
    return None


_variables = Memory(_find_variable)


def variable(name):
    """The kernel's variable; a static one of a common name by its file as well: 'net/netdev.c:devices'."""
    symbol = _variables[name]
    if symbol is None:
        raise Broken(f"this kernel has no variable {name}")
    return symbol.value()


def forget_symbols(_event=None):
    _structs.clear()
    _variables.clear()
    _functions.clear()
    enumerators.clear()


def is_debug_build():
    return any(field.name == "held_mutexes" for field in struct("thread").fields())


def at(address, name):
    """The structure NAME at an address."""
    return gdb.Value(int(address) & (1 << 64) - 1).cast(struct(name).pointer()).dereference()


def address_of(value):
    return int(value.address)


def pointer(value):
    """A pointer's number, unsigned."""
    return int(value.cast(gdb.lookup_type("unsigned long")))


def find_field(type_, name):
    """(offset in bytes, field) of a member, which may stand in a nameless union."""
    for field in type_.strip_typedefs().fields():
        if field.name == name:
            return field.bitpos // 8, field
        if not field.name:
            found = find_field(field.type, name)
            if found is not None:
                return field.bitpos // 8 + found[0], found[1]
    return None


def offset_in(type_, path):
    """Where the member `a.b.c` of a type begins, in bytes."""
    total = 0
    for name in path.split("."):
        found = find_field(type_, name)
        if found is None:
            raise Broken(f"{type_} has no member {name}")
        total, type_ = total + found[0], found[1].type
    return total


def container(address, name, member):
    return at(int(address) - offset_in(struct(name), member), name)


def symbol_at(address):
    """NAME+0x12 of a kernel address, or its number. Frames' addresses: give the call's, one less."""
    text = gdb.execute(f"info symbol {int(address):#x}", to_string=True)
    if text.startswith("No symbol"):
        return f"{int(address):#x}"
    name = re.sub(r"\[.*?\]", "", text.split(" in section ")[0].strip())  # a label inside: entry[done]
    return name.replace(" + ", "+")


def _read_functions(path):
    """(addresses, names) of a file's functions, in order. Assembly's macro labels (..@) are nobody's."""
    try:
        done = subprocess.run(["nm", "--numeric-sort", "--defined-only", path], capture_output=True, text=True,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return [], []
    lines = (line.split() for line in done.stdout.splitlines())
    found = [(int(words[0], 16), words[2]) for words in lines if words[1] in "tTwW" and not words[2].startswith("..@")]
    return [address for address, _ in found], [name.split(".")[0] for _, name in found]


_functions = Memory(_read_functions)


def function_at(address):
    """The kernel's function that an address lies in. Of labels in assembly gdb may know none, or the wrong one."""
    addresses, names = _functions[kernel_file().filename]
    place = bisect.bisect_right(addresses, int(address) & (1 << 64) - 1)
    return names[place - 1] if place else f"{int(address):#x}"


def addr2line(file, addresses):
    """function at file:line of a program's addresses, by its file on the host; empty where it knows nothing."""
    try:
        done = subprocess.run(["addr2line", "-f", "-e", file, *(f"{address:#x}" for address in addresses)],
                              capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ["" for _ in addresses]
    lines = done.stdout.splitlines()
    places = []
    for function, place in zip(lines[::2], lines[1::2]):
        path, _, line = place.split(" (")[0].rpartition(":")
        known = "" if path == "??" else f" at {relative(path)}:{line}"
        places.append("" if function == "??" else function + known)
    return places


def place_at(address):
    """function (file:line) of an address of code."""
    place = gdb.find_pc_line(int(address))
    name = function_at(address)
    if place.symtab is None:
        return name
    return f"{name} ({relative(place.symtab.filename)}:{place.line})"


def _below_root(path):
    """A source's path below this tree, wherever it was compiled (a compiler's cache may say another place)."""
    path = os.path.normpath(path)
    parts = [part for part in path.split("/") if part]
    for i in range(len(parts)):
        below = "/".join(parts[i:])
        if below and os.path.exists(os.path.join(ROOT, below)):
            return below
    return path


_paths = Memory(_below_root)


def relative(path):
    return _paths[path]


def text(value, limit=256):
    """A string in the kernel's memory, or an array that holds one; unreadable ones say so."""
    try:
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and pointer(value) == 0:
            return ""
        return value.string(errors="backslashreplace", length=-1)[:limit]
    except (gdb.error, UnicodeError):
        return "(unreadable)"


# --- memory ----------------------------------------------------------------------------------------------


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(int(address) & (1 << 64) - 1, size))


def read_word(address):
    return int.from_bytes(read(address, 8), "little")


def read_physical(address, size):
    return read(DIRECT_MAP + address, size)


# --- lists and trees ---------------------------------------------------------------------------------------


def list_nodes(head):
    """The addresses of what a `struct list` links, its head not among them."""
    start = address_of(head)
    seen = {start}
    node = pointer(head["next"])
    previous = start
    if node == 0:
        raise Broken(f"the list at {start:#x} has not been made yet")
    while node != start:
        link = at(node, "list")
        if pointer(link["prev"]) != previous:
            raise Broken(f"the list at {start:#x} is broken or just being changed at {node:#x}")
        if node in seen or len(seen) > ELEMENTS_MAX:
            raise Broken(f"the list at {start:#x} goes in circles at {node:#x}")
        yield node
        seen.add(node)
        previous, node = node, pointer(link["next"])


def list_of(head, name, member):
    """The structures NAME that the list at HEAD links by MEMBER."""
    offset = offset_in(struct(name), member)
    for node in list_nodes(head):
        yield at(node - offset, name)


def tree_nodes(tree):
    """The addresses of a `struct tree`'s nodes in order."""
    start = address_of(tree)
    above, node, count = [], pointer(tree["root"]), 0
    while node or above:
        while node:
            if len(above) > 64:
                raise Broken(f"the tree at {start:#x} is deeper than a balanced one can be")
            above.append(node)
            node = pointer(at(node, "tree_node")["left"])
        node = above.pop()
        count += 1
        if count > ELEMENTS_MAX:
            raise Broken(f"the tree at {start:#x} has no end")
        yield node
        node = pointer(at(node, "tree_node")["right"])


def tree_of(tree, name, member):
    offset = offset_in(struct(name), member)
    for node in tree_nodes(tree):
        yield at(node - offset, name)


# --- constants: macros leave no trace in the symbols, so they are read from the headers ------------------------


def _read_defines(path):
    found = {}
    with open(os.path.join(ROOT, "kernel", path), encoding="utf-8") as file:
        source = file.read()
    for name, value in re.findall(r"^#define (\w+)[ \t]+\(?(-?\w+)\)?", source, re.M):
        try:
            digits = value.rstrip("uUlL")
            octal = re.fullmatch(r"0[0-7]+", digits)
            found[name] = int(digits, 8) if octal else int(digits, 0)
        except ValueError:
            continue
    return found


defines = Memory(_read_defines)


def constant_name(path, prefix, value):
    """The macro in PATH whose name begins with PREFIX and whose value this is, or the number."""
    for name, known in defines[path].items():
        if known == value and name.startswith(prefix):
            return name
    return str(value)


def flag_names(path, prefix, value, leave_out=()):
    """The single bits of VALUE by their names in PATH."""
    names = []
    for name, bit in defines[path].items():
        single = bit > 0 and bit & (bit - 1) == 0
        if name.startswith(prefix) and single and value & bit and name not in leave_out:
            names.append(name)
            value &= ~bit
    if value:
        names.append(f"{value:#x}")
    return "|".join(names)


def _find_enumerator(name):
    symbol = kernel_file().lookup_static_symbol(name)
    if symbol is None:
        raise Broken(f"this kernel has no {name}")
    return int(symbol.value())


enumerators = Memory(_find_enumerator)


def enum_name(value, prefix=""):
    return str(value).removeprefix(prefix)


def errno_name(value):
    """EAGAIN of 11 or of -11."""
    return constant_name("abi/errno.h", "E", abs(int(value)))


# --- output --------------------------------------------------------------------------------------------------


def table(titles, rows):
    """Columns as wide as what is in them; the last is not padded."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(titles), *rows]) for i in range(len(titles) - 1)]
    for row in [titles, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        print("  ".join([*cells, row[-1]]).rstrip())


def seconds(nanoseconds):
    return f"{int(nanoseconds) / 1e9:.6f} s"


gdb.events.new_objfile.connect(forget_symbols)
gdb.events.clear_objfiles.connect(forget_symbols)
