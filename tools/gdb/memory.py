"""Address spaces: areas, page tables, shared segments; and reading a program's memory.

A program's memory is read through its process's page tables and the direct map, so it need not be the process
that runs, and a page that is not there is not fetched: gdb changes nothing.
"""

import gdb

from kernel import (Broken, Command, PAGE_SIZE, USER_END, arguments, at, flag_names, number,
                    pointer, read_physical, symbol_at, table, text, tree_of, variable)
import files
import tasks

LEVELS = ("PML4", "PDPT", "PD", "PT")  # Intel SDM volume 3, 4.5
ADDRESS = 0x000FFFFFFFFFF000
PRESENT, LARGE = 1, 1 << 7
BITS = ((1, "writable"), (2, "user"), (3, "write-through"), (4, "uncached"), (5, "accessed"), (6, "dirty"),
        (7, "large"), (8, "global"), (63, "no-execute"))


def walk(root, address):
    """(level, entry) from the top down, to the first that is absent or maps a page."""
    node = root & ADDRESS
    for level in range(4):
        shift = 39 - 9 * level
        index = address >> shift & 511
        entry = int.from_bytes(read_physical(node + 8 * index, 8), "little")
        yield level, index, entry
        if not entry & PRESENT or (entry & LARGE and level in (1, 2)):
            return
        node = entry & ADDRESS


def translate(root, address):
    """(physical address, bytes up to the end of its page), or None when nothing is mapped there."""
    for level, _, entry in walk(root, address):
        if not entry & PRESENT:
            return None
        if level == 3 or (entry & LARGE and level in (1, 2)):
            size = 1 << (39 - 9 * level)
            return (entry & ADDRESS & ~(size - 1)) + (address & size - 1), size - (address & size - 1)
    return None


def read_user(mm, address, size):
    """Bytes of a program's memory; None when not all of it is present."""
    data = b""
    while size > 0:
        if not 0 <= address < USER_END:
            return None
        found = translate(int(mm["pt_root"]), address)
        if found is None:
            return None
        piece = min(size, found[1])
        data += read_physical(found[0], piece)
        address += piece
        size -= piece
    return data


def space_of(proc):
    mm = pointer(proc["mm"])
    if mm == 0:
        raise Broken(f"process {tasks.process_id(proc)} has no address space (any more)")
    return at(mm, "mm")


def areas(mm):
    yield from tree_of(mm["areas"], "vma", "node")


def rights(area):
    prot, flags = int(area["prot"]), int(area["flags"])
    return "".join(letter if prot & bit else "-" for bit, letter in ((1, "r"), (2, "w"), (4, "x"))) + \
        ("s" if flags & 1 else "p")


def area_name(area):
    if pointer(area["file"]):
        return files.path_of(area["file"])
    return text(area["name"])


class Maps(Command):
    """maps PID: the areas of a process's memory, how many of their pages are present, and their objects."""

    name = "maps"

    def run(self, words):
        arguments(words, 1, 1, "maps PID")
        mm = space_of(tasks.find_process(words[0]))
        rows = []
        for area in areas(mm):
            start, end = int(area["start"]), int(area["end"])
            flags = flag_names("mm/mm.h", "VMA_", int(area["flags"]) & ~1)
            rows.append((f"{start:012x}-{end:012x}", rights(area), (end - start) // PAGE_SIZE,
                         present(mm, start, end), f"{int(area['offset']):#x}",
                         f"{pointer(area['object']):#x}" if pointer(area["object"]) else "private", flags,
                         area_name(area)))
        table(("RANGE", "PROT", "PAGES", "PRESENT", "OFFSET", "OBJECT", "FLAGS", "NAME"), rows)
        print(f"struct mm {int(mm.address):#x}, tables at {int(mm['pt_root']):#x}, brk "
              f"{int(mm['brk_start']):#x}-{int(mm['brk']):#x}, present: {int(mm['rss_anon'])} own, "
              f"{int(mm['rss_file'])} of objects")


def present(mm, start, end):
    """How many pages of a range the page table holds; tables that are absent are passed over whole."""
    count, address, root = 0, start, int(mm["pt_root"])
    while address < end:
        last = list(walk(root, address))[-1]
        if not last[2] & PRESENT:
            size = 1 << (39 - 9 * last[0])
            address = (address & ~(size - 1)) + size
            continue
        if last[0] < 3:
            size = 1 << (39 - 9 * last[0])
            step = min(end, (address & ~(size - 1)) + size) - address
            count += step // PAGE_SIZE
            address += step
            continue
        # The whole last table at once.
        above = list(walk(root, address))[2][2] & ADDRESS
        first = address >> 12 & 511
        number_of = min(512 - first, (end - address) // PAGE_SIZE)
        data = read_physical(above + 8 * first, 8 * number_of)
        count += sum(data[8 * i] & PRESENT for i in range(number_of))
        address += number_of * PAGE_SIZE
    return count


class Pte(Command):
    """pte ADDR [PID]: walk the page tables to ADDR: this CPU's, or process PID's."""

    name = "pte"

    def run(self, words):
        arguments(words, 1, 2, "pte ADDR [PID]")
        address = number(words[0])
        if USER_END <= address < (1 << 64) - USER_END:
            raise Broken(f"{address:#x} is not canonical: no table has room for it")
        root = self.root(words[1:])
        print(f"tables at {root & ADDRESS:#x}")
        for level, index, entry in walk(root, address):
            names = [name for bit, name in BITS if entry >> bit & 1] if entry & PRESENT else ["absent"]
            print(f"    {LEVELS[level]:4} [{index:3}] {entry:#018x}  {' '.join(names)}")
        found = translate(root, address)
        if found is None:
            print(f"{address:#x} is not mapped")
            return
        print(f"{address:#x} is physical {found[0]:#x}, kernel address {symbol_at(0xffff888000000000 + found[0])}")

    @staticmethod
    def root(words):
        if words:
            return int(space_of(tasks.find_process(words[0]))["pt_root"])
        return int(gdb.parse_and_eval("$cr3"))


class Shm(Command):
    """shm: System V segments, and who has them mapped."""

    name = "shm"

    def run(self, words):
        arguments(words, 0, 0, "shm")
        rows = []
        for segment in tree_of(variable("ipc/shm.c:segments")["objects"], "segment", "o.node"):
            common, backing = segment["o"], pointer(segment["object"])
            held = at(backing, "vmobject") if backing else None
            mode = int(common["mode"])
            rows.append((int(common["id"]), f"{int(common['key']) & 0xffffffff:#x}", int(segment["size"]),
                         f"{mode & 0o777:o}", flag_names("abi/shm.h", "SHM_", mode & ~0o777),
                         int(held["nareas"]) if held else 0, int(held["npages"]) if held else 0,
                         int(segment["cpid"]), int(segment["lpid"]), f"{int(segment.address):#x}",
                         " ".join(self.users(backing))))
        table(("ID", "KEY", "BYTES", "MODE", "FLAGS", "ATTACHED", "PAGES", "CREATOR", "LAST", "struct segment",
               "MAPPED BY"), rows)

    @staticmethod
    def users(backing):
        for proc in tasks.processes():
            if not pointer(proc["mm"]):
                continue
            for area in areas(space_of(proc)):
                if backing and pointer(area["object"]) == backing:
                    yield f"{tasks.process_id(proc)}@{int(area['start']):#x}"


def setup():
    for kind in (Maps, Pte, Shm):
        kind()
