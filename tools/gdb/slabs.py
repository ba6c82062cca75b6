"""Small objects: the slab caches, what is in them, and which of them an address belongs to.

A full slab is on no list, so slabs are found by the flags of their pages: the array of page descriptors is
read whole, and of a slab's first page its header leads to its cache (mm/slab.c).
"""

import struct as layout

import gdb

from kernel import (Broken, Command, DIRECT_MAP, PAGE_SIZE, address_of, arguments, at, enumerators, number,
                    offset_in, pointer, read, read_word, struct, symbol_at, table, text, variable)

PIECE = 1 << 16


def page_flag(name):
    return enumerators["PAGE_" + name]


def page_descriptors():
    """(number of the frame, count of references, flags, order, users) of every page."""
    array, base, end = (pointer(variable("page_array")), int(variable("page_base")), int(variable("page_end")))
    if array == 0 or end <= base:
        raise Broken("the pages' descriptors have not been made yet")
    size = struct("page").sizeof
    offsets = [offset_in(struct("page"), name) for name in ("ref", "flags", "order", "users")]
    length = (end - base) * size
    data = b"".join(read(array + at_, min(PIECE, length - at_)) for at_ in range(0, length, PIECE))
    if offsets == [0, 4, 5, 6]:
        pattern = layout.Struct(f"<iBBH{size - 8}x")
        for i, (ref, flags, order, users) in enumerate(pattern.iter_unpack(data)):
            yield base + i, ref, flags, order, users
        return
    raise Broken("struct page has another shape than this command knows")


def caches():
    node = pointer(variable("mm/slab.c:all_caches"))
    while node:
        cache = at(node, "slab_cache")
        yield cache
        node = pointer(cache["next"])


def cache_by_name(name):
    for cache in caches():
        if text(cache["name"]) == name:
            return cache
    raise Broken(f"there is no slab cache {name}: `slabs` lists them")


def slab_addresses():
    """Of every slab's header, in the direct map."""
    flag = page_flag("SLAB")
    for frame, _, flags, order, _ in page_descriptors():
        if flags & flag and not flags & page_flag("FREE") and frame & ((1 << order) - 1) == 0:
            yield DIRECT_MAP + frame * PAGE_SIZE


def link_offset(cache):
    """Where a free object keeps the link to the next (mm/slab.c: link_of)."""
    if any(field.name == "rank" for field in struct("spinlock").fields()):
        return int(cache["stride"]) - 16
    return 0


def chain(cache, first):
    """The free objects from FIRST on."""
    offset, seen = link_offset(cache), set()
    while first:
        if first in seen:
            raise Broken(f"the free objects of {text(cache['name'])} go in circles at {first:#x}")
        seen.add(first)
        first = read_word(first + offset)
    return seen


def chained(cache):
    """Free objects at the CPUs' hands."""
    free = set()
    lengths = cache["chain"]
    for i in range(lengths.type.range()[1] + 1):
        one = lengths[i]
        if pointer(one["head"]):
            free |= chain(cache, pointer(one["head"]))
        if pointer(one["drained"]):
            free |= chain(cache, pointer(one["drained"]))
    return free


def first_object(cache):
    align = max(int(cache["align"]), 1)
    return (struct("slab").sizeof + align - 1) // align * align


def objects_of(name):
    """The addresses of all objects in use of the cache NAME."""
    cache = cache_by_name(name)
    wanted, stride = address_of(cache), int(cache["stride"])
    free = chained(cache)
    for address in slab_addresses():
        slab = at(address, "slab")
        if pointer(slab["cache"]) != wanted:
            continue
        unused = free | chain(cache, pointer(slab["free"]))
        begin = address + first_object(cache)
        for i in range(int(slab["total"])):
            if begin + i * stride not in unused:
                yield begin + i * stride


def object_at(address):
    """(name of the cache, address of the object) that an address lies in; None: it is in no slab."""
    frame = (address - DIRECT_MAP) // PAGE_SIZE
    base = int(variable("page_base"))
    if not base <= frame < int(variable("page_end")):
        return None
    page = variable("page_array")[frame - base]
    if not int(page["flags"]) & page_flag("SLAB"):
        return None
    slab = at(address & ~((PAGE_SIZE << int(page["order"])) - 1), "slab")
    cache = slab["cache"].dereference()
    begin = address_of(slab) + first_object(cache)
    if address < begin:
        return None
    stride = int(cache["stride"])
    return text(cache["name"]), begin + (address - begin) // stride * stride


def field_at(type_, offset, wanted=None):
    """The member that stands at an offset, as a.b.c, down to one of type WANTED or to a scalar."""
    type_ = type_.strip_typedefs()
    if wanted is not None and type_.name == wanted and offset == 0:
        return ""
    if type_.code == gdb.TYPE_CODE_ARRAY:
        size = type_.target().sizeof
        rest = field_at(type_.target(), offset % size, wanted)
        return f"[{offset // size}]" + ("." + rest if rest and rest[0] != "[" else rest)
    if type_.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        return ""
    for field in type_.fields():
        begin = field.bitpos // 8
        if begin <= offset < begin + max(field.type.sizeof, 1):
            rest = field_at(field.type, offset - begin, wanted)
            if not field.name:
                return rest
            return field.name + ("." + rest if rest and rest[0] != "[" else rest)
    return f"+{offset}"


# Functions that may know what an object of a general cache is: its struct's name of its address, or None.
guesses = []


def describe(address, wanted=None):
    """What stands at an address, in words: `pipe 0xffff... .q.readable`, or a variable's name."""
    if address == 0:
        return "nothing"
    found = object_at(address)
    if found is None:
        return symbol_at(address)
    cache, begin = found
    cache = next((name for guess in guesses if (name := guess(begin))), cache)
    try:
        path = field_at(struct(cache), address - begin, wanted)
    except Broken:
        path = f"+{address - begin:#x}" if address > begin else ""
        return f"{cache} {begin:#x} {path}".rstrip()
    return f"{cache} {begin:#x}" + (f" .{path}" if path else "")


class Slabs(Command):
    """slabs [CACHE | ADDR]: all caches; or the objects in use of one; or what an address belongs to."""

    name = "slabs"

    def run(self, words):
        arguments(words, 0, 1, "slabs [CACHE | ADDR]")
        if not words:
            self.show_all()
        elif any(text(cache["name"]) == words[0] for cache in caches()):
            found = list(objects_of(words[0]))
            for address in found:
                print(f"{address:#x}")
            print(f"{len(found)} in use")
        else:
            found = object_at(number(words[0]))
            if found is None:
                raise Broken(f"{words[0]} is no slab cache and lies in no slab")
            print(f"{describe(number(words[0]))}: an object of the cache {found[0]}, which begins at "
                  f"{found[1]:#x}")

    @staticmethod
    def show_all():
        rows = []
        for cache in caches():
            free = sum(int(cache["chain"][i]["count"]) for i in range(cache["chain"].type.range()[1] + 1))
            rows.append((text(cache["name"]), int(cache["size"]), int(cache["stride"]),
                         int(cache["out"]) - free, free, int(cache["total"]), int(cache["pages"]),
                         f"{address_of(cache):#x}"))
        table(("CACHE", "SIZE", "STRIDE", "IN USE", "AT CPUS", "TOTAL", "PAGES", "struct slab_cache"), rows)


class Pages(Command):
    """pages [ADDR]: what memory is used for; or the descriptor of one page (a physical or kernel address)."""

    name = "pages"

    def run(self, words):
        arguments(words, 0, 1, "pages [ADDR]")
        if words:
            self.show_one(number(words[0]))
            return
        kinds = {"free": 0, "slabs": 0, "page tables": 0, "programs' own": 0, "reserved": 0, "other": 0}
        blocks = [0] * 11
        for _, ref, flags, order, _ in page_descriptors():
            if flags & page_flag("FREE"):
                cached = order >= len(blocks)
                kinds["free"] += 1 if cached else 1 << order
                if not cached:
                    blocks[order] += 1
            elif flags & page_flag("RESERVED"):
                kinds["reserved"] += 1
            elif flags & page_flag("SLAB"):
                kinds["slabs"] += 1
            elif flags & page_flag("TABLE"):
                kinds["page tables"] += 1
            elif flags & page_flag("ANON"):
                kinds["programs' own"] += 1
            elif ref > 0:
                kinds["other"] += 1
        table(("PAGES", "USED AS"), [(count, kind) for kind, count in kinds.items()])
        print(f"{int(variable('mm/page.c:total'))} pages of memory in all; free blocks by order: "
              + " ".join(f"{order}:{count}" for order, count in enumerate(blocks)))

    @staticmethod
    def show_one(address):
        physical = address - DIRECT_MAP if address >= DIRECT_MAP else address
        frame, base = physical // PAGE_SIZE, int(variable("page_base"))
        if not base <= frame < int(variable("page_end")):
            raise Broken(f"{physical:#x} is no memory that has a descriptor")
        page = variable("page_array")[frame - base]
        flags = int(page["flags"])
        names = [name for name in ("FREE", "SLAB", "RESERVED", "TABLE", "POISONED", "ANON")
                 if flags & page_flag(name)]
        print(f"physical {frame * PAGE_SIZE:#x}, kernel address {DIRECT_MAP + frame * PAGE_SIZE:#x}, "
              f"struct page {address_of(page):#x}")
        print(f"references {int(page['ref']['count'])}, flags {'|'.join(names) or 'none'}, order "
              f"{int(page['order'])}, users {int(page['users'])}")
        if "SLAB" in names:
            print(f"it holds {describe(DIRECT_MAP + physical)}")


def setup():
    Slabs()
    Pages()
