"""The initial file system as tools/run extends it: a cpio archive in the `newc` form.

An Initrd is a set of paths with what stands there. Parents come into being with the mode they have on
the host; everything belongs to root. The kernel unpacks archives one after the other, so the archive
that to_bytes() makes is simply put behind the one that `make` built, and replaces what has the same name.
"""

import os
import stat
import struct
import subprocess

PT_INTERP = 3


class Initrd:
    def __init__(self):
        self.entries = {}  # path without the leading slash -> (mode, content, rdev)

    def add(self, path, mode, content=b"", rdev=0):
        path = path.strip("/")
        self._add_parents(path)
        self.entries[path] = (mode, content, rdev)

    def add_file(self, path, content, mode=0o644):
        self.add(path, stat.S_IFREG | mode, content)

    def add_from_host(self, path, host_path):
        """What stands at HOST_PATH (a link stays a link), under the name PATH."""
        info = os.lstat(host_path)
        if stat.S_ISLNK(info.st_mode):
            content = os.fsencode(os.readlink(host_path))
        elif stat.S_ISREG(info.st_mode):
            with open(host_path, "rb") as file:
                content = file.read()
        else:
            content = b""
        self.add(path, info.st_mode, content, info.st_rdev)

    def add_tree(self, folder):
        """Everything below FOLDER, onto the root."""
        for parent, folders, files in os.walk(folder):
            for name in sorted(folders) + sorted(files):
                host_path = os.path.join(parent, name)
                self.add_from_host(os.path.relpath(host_path, folder), host_path)

    def add_program(self, path):
        """The program at the absolute host path PATH, and for a dynamic one its loader and libraries."""
        with open(path, "rb") as file:
            content = file.read()
        self.add_file(path, content, stat.S_IMODE(os.stat(path).st_mode))
        interpreter = elf_interpreter(content)
        if interpreter is None or not os.path.exists(interpreter):
            return
        listing = subprocess.run([interpreter, "--list", path], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, check=False).stdout
        libraries = {word for word in listing.split() if word.startswith("/")}
        for library in sorted(libraries | {interpreter}):
            with open(library, "rb") as file:
                self.add_file(library, file.read(), 0o755)

    def to_bytes(self):
        out = []
        for number, (path, (mode, content, rdev)) in enumerate(self.entries.items(), 1):
            out.append(newc_entry(number, os.fsencode(path), mode, content, rdev))
        out.append(newc_entry(0, b"TRAILER!!!", 0, b"", 0))
        whole = b"".join(out)
        return whole + bytes(-len(whole) % 512)

    def _add_parents(self, path):
        parent = os.path.dirname(path)
        if not parent or parent in self.entries:
            return
        self._add_parents(parent)
        try:
            mode = stat.S_IMODE(os.stat("/" + parent).st_mode)
        except OSError:
            mode = 0o755
        self.entries[parent] = (stat.S_IFDIR | mode, b"", 0)


def newc_entry(number, name, mode, content, rdev):
    """One header, name and content, each padded to 4 bytes (cpio(5), "New ASCII Format")."""
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0,
              os.major(rdev), os.minor(rdev), len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def elf_interpreter(content):
    """The path in PT_INTERP of an ELF64 program, None for a static one and for anything else."""
    if content[:5] != b"\x7fELF\x02" or len(content) < 64:
        return None
    table, = struct.unpack_from("<Q", content, 32)
    entry_size, entries = struct.unpack_from("<HH", content, 54)
    for i in range(entries):
        at = table + i * entry_size
        if at + 56 > len(content):
            return None
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", content, at)
        if kind == PT_INTERP:
            return os.fsdecode(content[offset:offset + size].rstrip(b"\0"))
    return None
