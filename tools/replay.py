"""--record and --replay: one file with all that a run depended on.

QEMU's own recording holds the events from outside (interrupt times, typed bytes, clocks); beside it
stand the initial file system, the words and the size of the machine, and a digest of the kernel, without
which the events mean nothing. A disc that no program sees holds the machine's state at the start: a debugger
that steps backwards goes there and runs forwards to the place, which needs no state in between.
"""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import zipfile

from machine import QEMU

PARTS = ("initrd", "events", "snapshots")
KEPT = ("append", "smp", "mem", "machine", "cpu", "program", "fetch")
WITH_REPLAY = ("replay", "gdb", "timeout", "debug", "kernel", "kernel_log", "monitor", "end")


def check_words(options, parser):
    """What the machine is and what it runs stands in the recording; only how one looks at it can be said anew."""
    said = [name for name, value in vars(options).items() if name != "program" and value != parser.get_default(name)]
    wrong = [name for name in said if name not in WITH_REPLAY]
    if wrong or options.program:
        what = "--" + wrong[0].replace("_", "-") if wrong else "a PROGRAM"
        raise OSError(f"--replay takes the machine and its program from the recording, so {what} can't be said again")


def make_disc(path):
    """An empty disc that QEMU can keep the machine's state in: a qcow2 image (QEMU's docs/interop/qcow2.txt)
    of version 3 with a cluster each for its header, its table of reference counts, these and its map."""
    bits = 16
    cluster = 1 << bits
    header = struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, bits, 1 << 20, 0, 1, 3 * cluster,
                         cluster, 1, 0, 0, 0, 0, 0, 4, 104)
    counts_at = struct.pack(">Q", 2 * cluster)
    counts = struct.pack(">4H", 1, 1, 1, 1)
    with open(path, "wb") as file:
        for part in (header, counts_at, counts, b""):
            file.write(part.ljust(cluster, b"\0"))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def qemu_version():
    """Another QEMU may take other steps between the same events."""
    done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def check_place(path):
    """Before the run, not after it: can the recording be written there?"""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise OSError(f"--record {path}: no file can be written there")


def pack(options, folder, nonce, whole):
    """Write the file; not WHOLE: the run was broken off, and can be seen again as far as it came."""
    if not all(os.path.exists(f"{folder}/{name}") for name in PARTS):
        return  # QEMU never began
    facts = {name: getattr(options, name) for name in KEPT}
    facts.update(nonce=nonce.decode(), kernel=digest(options.kernel), qemu=qemu_version(), whole=whole)
    with zipfile.ZipFile(options.record, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("run.json", json.dumps(facts))
        for name in PARTS:
            bundle.write(f"{folder}/{name}", name)


def read_facts(path):
    try:
        with zipfile.ZipFile(path) as bundle:
            return json.loads(bundle.read("run.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise OSError(f"{path} is not a recording: {error}") from error


def read_nonce(options):
    return read_facts(options.replay)["nonce"].encode()


def is_whole(options):
    return read_facts(options.replay)["whole"]


def unpack(options, folder):
    facts = read_facts(options.replay)
    if facts["kernel"] != digest(options.kernel):
        raise OSError(f"{options.kernel} is not the kernel that {options.replay} was recorded with: record "
                      "again, or build that kernel again and name it by --kernel")
    if facts.get("qemu") != qemu_version():
        made_by = facts.get("qemu", "another QEMU")
        raise OSError(f"{options.replay} was recorded by {made_by}, and this is {qemu_version()}")
    for name in KEPT:
        setattr(options, name, facts[name])
    with zipfile.ZipFile(options.replay) as bundle:
        for name in PARTS:
            with bundle.open(name) as source, open(f"{folder}/{name}", "wb") as out:
                shutil.copyfileobj(source, out)
