"""--record and --replay: one file with all that a run depended on.

QEMU's own recording holds the events from outside (interrupt times, typed bytes, clocks); beside it
stand the initial file system, the words and the size of the machine, and a digest of the kernel, without
which the events mean nothing.
"""

import hashlib
import json
import shutil
import zipfile

KEPT = ("append", "smp", "mem", "machine", "program", "fetch", "timeout")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def pack(options, folder, nonce):
    facts = {name: getattr(options, name) for name in KEPT}
    facts.update(nonce=nonce.decode(), kernel=digest(options.kernel))
    with zipfile.ZipFile(options.record, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("run.json", json.dumps(facts))
        bundle.write(folder + "/initrd", "initrd")
        bundle.write(folder + "/events", "events")


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
        for name in ("initrd", "events"):
            with bundle.open(name) as source, open(f"{folder}/{name}", "wb") as out:
                shutil.copyfileobj(source, out)
