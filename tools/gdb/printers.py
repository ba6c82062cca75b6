"""How gdb shows what the kernel is made of: lists, trees, sets of signals, errors in pointers; and `elements`."""

import gdb
import gdb.printing

from kernel import (Broken, Command, Function, address_of, arguments, errno_name, list_nodes, offset_in, pointer,
                    struct, tree_nodes)
import signals

ERRORS = 4095  # err_ptr(): the last page of addresses


class ListPrinter:
    """A list, by what can be said without knowing what it links: how many, and where."""

    def __init__(self, value):
        self.value = value

    def nodes(self):
        if self.value.address is None:
            raise Broken("not in memory")
        return list(list_nodes(self.value))

    def to_string(self):
        try:
            count = len(self.nodes())
        except (Broken, gdb.error) as error:
            return f"list ({error})"
        return "empty list" if count == 0 else f"list with {count} other{'s' if count > 1 else ''}"

    def children(self):
        yield "next", self.value["next"]
        yield "prev", self.value["prev"]


class TreePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        try:
            nodes = list(tree_nodes(self.value))
        except (Broken, gdb.error) as error:
            return f"tree ({error})"
        height = int(self.value["root"]["height"]) if nodes else 0
        return f"tree of {len(nodes)}, height {height}"

    def children(self):
        yield "root", self.value["root"]


class SigsetPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "{" + signals.set_names(self.value.cast(gdb.lookup_type("unsigned long"))) + "}"


class ErrorPointerPrinter:
    """A pointer that is an error number: err_ptr(-ENOMEM)."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"err_ptr(-{errno_name((1 << 64) - pointer(self.value))})"


def find_printer(value):
    """By the name before typedefs are stripped: a ksigset_t is an ordinary number otherwise."""
    if value.type.name == "ksigset_t":
        return SigsetPrinter(value)
    type_ = value.type.strip_typedefs()
    if type_.code == gdb.TYPE_CODE_PTR:
        try:
            return ErrorPointerPrinter(value) if pointer(value) >= (1 << 64) - ERRORS else None
        except gdb.error:
            return None
    if type_.code == gdb.TYPE_CODE_STRUCT and type_.name in ("list", "tree"):
        names = [field.name for field in type_.fields()]
        if names == ["next", "prev"]:
            return ListPrinter(value)
        if names == ["root", "update"]:
            return TreePrinter(value)
    return None


find_printer.name = "signalbox"


class Errno(Function):
    """$errno(VALUE): the name of an error as the kernel returns it, -EAGAIN of -11; or of libc's errno."""

    name = "errno"
    takes = 1

    def value(self, number):
        value = int(number)
        if value >= 1 << 63:
            value -= 1 << 64
        name = errno_name(value)
        return ("-" if value < 0 else "") + name if name.startswith("E") else f"{value} (no error)"


class Sigset(Function):
    """$sigset(MASK): the names of the signals in a set, whatever its type."""

    name = "sigset"
    takes = 1

    def value(self, mask):
        return signals.set_names(mask)


class Elements(Command):
    """elements HEAD STRUCT MEMBER [FIELD...]: what a list or tree links. elements proc_list proc all_link pid->nr"""

    name = "elements"

    def run(self, words):
        arguments(words, 3, 20, "elements HEAD STRUCT MEMBER [FIELD...]")
        head = gdb.parse_and_eval(words[0])
        if head.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            head = head.dereference()
        kind = head.type.strip_typedefs().name
        if kind not in ("list", "tree"):
            raise Broken(f"{words[0]} is neither a struct list nor a struct tree")
        type_ = struct(words[1])
        offset = offset_in(type_, words[2])
        count = 0
        for node in (list_nodes if kind == "list" else tree_nodes)(head):
            address, count = node - offset, count + 1
            values = [f"{field} = " + gdb.parse_and_eval(f"((struct {words[1]} *){address:#x})->{field}").format_string(
                max_elements=8) for field in words[3:]]
            print(f"{address:#x}" + "".join("  " + value for value in values))
        print(f"{count} elements of {address_of(head):#x}")


def setup():
    gdb.pretty_printers.insert(0, find_printer)
    for kind in (Errno, Sigset, Elements):
        kind()
