"""Open files: whose descriptors they are, what they name, and the queues inside them."""

from kernel import (Broken, Command, address_of, arguments, at, flag_names, gdbs_own, list_of, number, pointer, read,
                    symbol_at, table, text)
import gdb
import slabs
import tasks

PATH_PARTS_MAX = 200
BYTES_SHOWN = 48
ACCESS = ("read only", "write only", "read and write", "neither")
KINDS = {0o140000: "socket", 0o120000: "link", 0o100000: "file", 0o060000: "block device", 0o040000: "directory",
         0o020000: "character device", 0o010000: "FIFO", 0: "no type"}


def path_of(file):
    """The name a file was opened by, as the dentries and mounts are now; [pipe] and the like for the nameless."""
    place = pointer(file["path"])
    if place == 0:
        return kind_of(file)
    return path_from(file["path"]["mnt"], file["path"]["dentry"])


def path_from(mount, dentry):
    parts, gone = [], ""
    for _ in range(PATH_PARTS_MAX):
        if pointer(mount) == 0 or pointer(dentry) == 0:
            return "(no path)"
        if bool(dentry["unlinked"]):
            gone = " (deleted)"
        if pointer(dentry) == pointer(mount["root"]):
            if pointer(mount["parent"]) == 0:
                return "/" + "/".join(reversed(parts)) + gone
            mount, dentry = mount["parent"], mount["point"]
            continue
        parts.append(text(dentry["name"]))
        if pointer(dentry["parent"]) == pointer(dentry):
            return "(detached)/" + "/".join(reversed(parts)) + gone
        dentry = dentry["parent"]
    raise Broken(f"the path of dentry {pointer(dentry):#x} has no end")


def ops_name(file):
    return symbol_at(pointer(file["ops"]))


def kind_of(file):
    """[pipe], [socket], [eventfd] ... of a file by its operations."""
    ops = ops_name(file)
    if pointer(file["ops"]) and pointer(file["ops"]["name"]):
        return text(file["ops"]["name"])
    return "[" + ops.removesuffix("_file_ops").removesuffix("_ops") + "]"


def is_pipe(file):
    return ops_name(file) == "pipe_file_ops"


def is_socket(file):
    return ops_name(file) == "socket_file_ops"


def table_of(proc):
    """(descriptor, file, is it closed by exec) of a process."""
    descriptors = proc["fdtable"]
    if pointer(descriptors) == 0:
        raise Broken(f"process {tasks.process_id(proc)} has no descriptors (any more)")
    slots, flags = descriptors["files"], descriptors["cloexec"]
    for fd in range(int(descriptors["top"])):
        if pointer(slots[fd]):
            yield fd, slots[fd].dereference(), bool(int(flags[fd // 64]) >> fd % 64 & 1)


def holders(wanted):
    """PID:FD of every descriptor of a file."""
    for proc in tasks.processes():
        if pointer(proc["fdtable"]):
            for fd, file, _ in table_of(proc):
                if address_of(file) == wanted:
                    yield f"{tasks.process_id(proc)}:{fd}"


def flags_of(file):
    flags = int(file["flags"])
    names = flag_names("abi/fcntl.h", "O_", flags & ~3, ("O_NDELAY", "O_RSYNC"))
    return ACCESS[flags & 3] + (f", {names}" if names else "")


class Fds(Command):
    """fds PID: a process's descriptors."""

    name = "fds"

    def run(self, words):
        arguments(words, 1, 1, "fds PID")
        rows = []
        for fd, file, cloexec in table_of(tasks.find_process(words[0])):
            rows.append((fd, f"{address_of(file):#x}", int(file["ref"]["count"]), int(file["pos"]),
                         flags_of(file) + (", closed by exec" if cloexec else ""), path_of(file)))
        table(("FD", "struct file", "REFS", "OFFSET", "FLAGS", "NAME"), rows)


class File(Command):
    """file ADDR: an open file: name, flags, who has it, what it is made of. file PROGRAM: as gdb's own."""

    name = "file"
    kind = gdb.COMMAND_FILES

    def invoke(self, argument, from_tty):
        if argument[:2] == "0x" or argument[:1] in "$(&*" and argument:
            super().invoke(argument, from_tty)
        elif not argument:
            raise gdb.GdbError("file: usage: file ADDR | PROGRAM (gdb's own, to forget all symbols: symbol-file)")
        else:
            gdbs_own("exec-file " + argument)
            gdbs_own("symbol-file " + argument)

    def run(self, words):
        arguments(words, 1, 1, "file ADDR")
        file = at(number(words[0]), "file")
        if slabs.object_at(address_of(file)) != ("file", address_of(file)):
            raise Broken(f"{words[0]} is no struct file")
        print(f"{path_of(file)} {kind_of(file)}: {flags_of(file)}")
        print(f"references {int(file['ref']['count'])}, descriptors {' '.join(holders(address_of(file))) or 'none'}, "
              f"offset {int(file['pos'])}, operations {ops_name(file)}")
        if pointer(file["inode"]):
            inode = file["inode"]
            kind = KINDS.get(int(inode["mode"]) & 0o170000, "?")
            print(f"inode {int(inode['ino'])} at {pointer(inode):#x}: {kind}, mode {int(inode['mode']) & 0o7777:o}, "
                  f"{int(inode['nlink'])} names, {int(inode['size'])} bytes")
        if is_pipe(file):
            print_pipe(file["inode"]["pipe"])
        elif is_socket(file):
            print(f"struct socket {pointer(file['private']):#x}: see `sockets`")
        elif pointer(file["private"]):
            print(f"private: {slabs.describe(pointer(file['private']))}")
        for item in list_of(file["epoll_items"], "epoll_item", "file_link"):
            print(f"watched by epoll item {address_of(item):#x}")


# --- queues ------------------------------------------------------------------------------------------------


def sleepers(waitq):
    """Who stands in a wait queue, in words."""
    found = []
    for waiter in list_of(waitq["waiters"], "waiter", "link"):
        wake = pointer(waiter["wake"])
        thread = pointer(waiter["thread"])
        if thread and slabs.object_at(thread) == ("thread", thread):
            who = at(thread, "thread")
            found.append(f"{tasks.thread_id(who) or tasks.KTHREAD} {tasks.name_of(who)}"
                         + (" (exclusive)" if bool(waiter["exclusive"]) else ""))
        else:
            found.append(symbol_at(wake) if wake else f"waiter {address_of(waiter):#x}")
    return ", ".join(found) or "nobody"


def bytes_of(buf):
    data = read(pointer(buf["base"]) + int(buf["off"]), min(int(buf["len"]), BYTES_SHOWN))
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
    return shown + ("..." if int(buf["len"]) > BYTES_SHOWN else "")


def print_queue(queue):
    try:
        bufs = list(list_of(queue["bufs"], "buf", "link"))
    except Broken as error:
        raise Broken(f"at {address_of(queue):#x} is no queue, or one that is just being changed: {error}") from None
    state = [word for word, flag in (("no readers any more", "no_readers"), ("no writers any more", "no_writers"))
             if bool(queue[flag])]
    print(f"queue {address_of(queue):#x}: {int(queue['bytes'])} bytes in {int(queue['nbufs'])} buffers, limit "
          f"{int(queue['limit'])} bytes and {int(queue['slots'])} buffers" + "".join(", " + word for word in state))
    counted = 0
    for buf in bufs:
        flags = flag_names("ipc/queue.h", "BUF_", int(buf["flags"]))
        storage = "a page" if pointer(buf["page"]) else "its own"
        print(f"    buf {address_of(buf):#x}: {int(buf['len'])} bytes at {int(buf['off'])} of {int(buf['room'])}, "
              f"{storage}{', ' + flags if flags else ''}{', with cargo' if pointer(buf['cargo']) else ''}: "
              f"{bytes_of(buf)}")
        counted += int(buf["len"])
    if counted != int(queue["bytes"]):
        print(f"    (the buffers have {counted} bytes: it is just being changed, or wrong)")
    print(f"    asleep for bytes: {sleepers(queue['readable'])}")
    print(f"    asleep for room: {sleepers(queue['writable'])}")


def print_pipe(pipe):
    if pointer(pipe) == 0:
        print("no pipe is there")
        return
    named = "FIFO" if bool(pipe["named"]) else "pipe"
    print(f"{named} {pointer(pipe):#x}: open for reading {int(pipe['readers'])} times, for writing "
          f"{int(pipe['writers'])}; in all {int(pipe['read_opens'])} and {int(pipe['write_opens'])}")
    if bool(pipe["named"]):
        print(f"    asleep for the other side: {sleepers(pipe['opened'])}")
    print_queue(pipe["q"])


class Queue(Command):
    """queue ADDR: what waits in a queue (also that of a pipe or a socket), and who sleeps at its ends."""

    name = "queue"

    def run(self, words):
        arguments(words, 1, 1, "queue ADDR")
        address = number(words[0])
        found = slabs.object_at(address)
        if found == ("pipe", address):
            print_pipe(at(address, "pipe").address)
        elif found and found[0] == "file" and is_socket(at(address, "file")):
            print_queue(at(pointer(at(address, "file")["private"]), "socket")["rx"])
        elif found and found[0] == "file" and is_pipe(at(address, "file")):
            print_pipe(at(address, "file")["inode"]["pipe"])
        else:
            print_queue(at(address, "queue"))


class Pipes(Command):
    """pipes: every pipe and FIFO, what is in it, whose descriptors its ends are."""

    name = "pipes"

    def run(self, words):
        arguments(words, 0, 0, "pipes")
        ends = {}
        for proc in tasks.processes():
            if not pointer(proc["fdtable"]):
                continue
            for fd, file, _ in table_of(proc):
                if is_pipe(file):
                    side = "rw-"[int(file["flags"]) & 3 if int(file["flags"]) & 3 < 2 else 2].replace("-", "rw")
                    ends.setdefault(pointer(file["inode"]["pipe"]), []).append(
                        f"{tasks.process_id(proc)}:{fd}{side}")
        rows = []
        for address in slabs.objects_of("pipe"):
            pipe = at(address, "pipe")
            rows.append((f"{address:#x}", "FIFO" if bool(pipe["named"]) else "pipe", int(pipe["q"]["bytes"]),
                         int(pipe["q"]["nbufs"]), int(pipe["q"]["slots"]), int(pipe["readers"]),
                         int(pipe["writers"]), " ".join(ends.get(address, ["nobody's"]))))
        table(("struct pipe", "KIND", "BYTES", "BUFFERS", "OF", "READERS", "WRITERS", "DESCRIPTORS"), rows)


def setup():
    for kind in (Fds, File, Queue, Pipes):
        kind()
