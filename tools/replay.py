"""--record and --replay: one file with all that a run depended on.

QEMU's own recording holds the events from outside (interrupt times, typed bytes, clocks); beside it
stand the initial file system, the words and the size of the machine, and a digest of the kernel, without
which the events mean nothing. A disc that no program sees holds the machine's state at the start: a debugger
that steps backwards goes there and runs forwards to the place, which needs no state in between.
"""

import hashlib
import json
import shutil
import struct
import zipfile

PARTS = ("initrd", "events", "snapshots")
KEPT = ("append", "smp", "mem", "machine", "cpu", "program", "fetch", "timeout")


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


def pack(options, folder, nonce):
    facts = {name: getattr(options, name) for name in KEPT}
    facts.update(nonce=nonce.decode(), kernel=digest(options.kernel))
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


def unpack(options, folder):
    facts = read_facts(options.replay)
    if facts["kernel"] != digest(options.kernel):
        raise OSError(f"{options.kernel} is not the kernel that {options.replay} was recorded with")
    for name in KEPT:
        setattr(options, name, facts[name])
    with zipfile.ZipFile(options.replay) as bundle:
        for name in PARTS:
            with bundle.open(name) as source, open(f"{folder}/{name}", "wb") as out:
                shutil.copyfileobj(source, out)
