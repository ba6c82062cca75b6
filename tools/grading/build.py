"""From a patch to a kernel: the lab's skeleton, kept built, and a copy of it built with the student's files.

The skeleton under build/labs/NAME/tree is ours and made outside of any jail, once and whenever the tree has
changed. The student's copy is made and built in a jail, in memory; only kernel.elf and initrd.cpio come
out, through a pipe.
"""

import contextlib
import fcntl
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time

from grading import jail, skeleton
from grading.trees import ROOT, Failure, read, tree_files, write
from grading.usage import EXHAUSTED, SPENT, Ledger, Meter

PRODUCTS = ("build/kernel.elf", "build/initrd.cpio")
NOT_COPIED = ("tests", "debug", "labs", "iso", "gdb", "grades", "signalbox.iso", "root")
MAX_PRODUCTS = 256 << 20
MAX_WORDS = 1 << 20     # of what the build says
LOOK_EVERY = 0.2
CLOCK_FACTOR = 20       # the slowest host that builds
IDLE_SECONDS = 12       # nobody in a build waits for anything
PROGRESS = re.compile(r"  [A-Z]+ +\S+$")  # make's line for each file
# $1: the skeleton, $2: the student's files, $3: the scratch folder, $4: how many jobs, then the files that go.
BUILD = r"""
set -e
from=$1 changes=$2 to=$3/tree jobs=$4
shift 4
cp -a --no-preserve=ownership "$from" "$to"
cp -r --no-preserve=mode,ownership,timestamps "$changes/." "$to"
cd "$to"
rm -f -- "$@"
# What fails is done once more, one file after the other: so it is always the same that is told.
products='build/kernel.elf build/initrd.cpio'
make -j"$jobs" $products >../log 2>&1 || make -j1 $products >&2
exec tar -cf - $products
"""


class Broken(Exception):
    """The student's tree does not build; the text says why."""


@contextlib.contextmanager
def locked(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_make(folder, *targets):
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("MAKE", "MFLAGS", "SIGNALBOX"))}
    done = subprocess.run(["make", f"-j{os.cpu_count()}", *targets], cwd=folder, env=environment, check=False,
                          capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failure(f"make {' '.join(targets)} in {folder} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def program_path(lab, source):
    """The program that make builds from a source in programs/."""
    name = os.path.relpath(source, ROOT).removesuffix(".c")
    return os.path.join(ROOT, "build", name)


prepared = {}   # lab's folder -> tree: once in a process, or the second patch would be graded by other rules


def prepare(lab):
    """The folder with the lab's skeleton, built and up to date; the lab's programs are built as well."""
    if lab.folder not in prepared:
        prepared[lab.folder] = prepare_now(lab)
    return prepared[lab.folder]


def prepare_now(lab):
    folder = os.path.join(ROOT, "build", "labs", lab.name)
    tree = os.path.join(folder, "tree")
    programs = [os.path.relpath(program_path(lab, source), ROOT) for source in lab.program_sources()]
    if programs:
        with locked(os.path.join(ROOT, "build", "labs", "programs.lock")):
            run_make(ROOT, *programs)
    with locked(folder + ".lock"):
        if lab.is_skeleton:
            export(lab, tree)
        else:
            update(lab, tree)
        run_make(tree, *PRODUCTS)
        # Made afresh whenever it is needed, and partly for root alone.
        shutil.rmtree(os.path.join(tree, "build", "root"), ignore_errors=True)
    return tree


def export(lab, tree):
    """In a student's tree: the skeleton as the student got it."""
    for name, (content, mode) in skeleton.committed_files(lab.root).items():
        path = os.path.join(tree, name)
        if not os.path.exists(path) or read_bytes(path) != content:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def update(lab, tree):
    """Bring TREE up to date with the solution's skeleton: what has not changed keeps its time."""
    made, given = skeleton.files(lab)
    given = [name for name in given if not name.startswith("tests/labs/")]
    if not os.path.exists(tree):
        copy_build(lab.root, tree)
    for name in given:
        source, target = os.path.join(lab.root, name), os.path.join(tree, name)
        if name in made and made[name] != read(lab.root, name):
            if read(tree, name) != made[name]:
                write(tree, name, made[name])
        elif not same_time(source, target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.lexists(target):
                os.unlink(target)
            shutil.copy2(source, target, follow_symlinks=False)
            let_read(target)
    for name in set(tree_files(tree)) - set(given):
        os.unlink(os.path.join(tree, name))


def same_time(one, other):
    try:
        a, b = os.lstat(one), os.lstat(other)
    except FileNotFoundError:
        return False
    return (a.st_mtime_ns, a.st_size, a.st_mode & 0o100) == (b.st_mtime_ns, b.st_size, b.st_mode & 0o100)


def let_read(path):
    """The jail has a user of its own, whatever the umask was when the tree was made."""
    if not os.path.islink(path):
        mode = os.stat(path).st_mode
        os.chmod(path, mode | 0o444 | (0o111 if mode & 0o100 else 0))


def copy_build(root, tree):
    """What is built already need not be again: objects with the times they have."""
    source = os.path.join(root, "build")
    if os.path.exists(os.path.join(source, "obj")):
        shutil.copytree(source, os.path.join(tree, "build"), symlinks=True,
                        ignore=lambda folder, names: NOT_COPIED if folder == source else
                        ("tests",) if folder == os.path.join(source, "obj") else ())


class Build:
    """`with Build(...) as build:` a folder with kernel.elf and initrd.cpio of the student's."""

    def __init__(self, lab, tree, changes, kind, jobs, ledger=None):
        self.folder = tempfile.mkdtemp(prefix="signalbox-grade-")
        os.chmod(self.folder, 0o755)
        self.kernel, self.initrd = (os.path.join(self.folder, os.path.basename(name)) for name in PRODUCTS)
        self.words = ""
        try:
            self._build(lab, tree, changes, kind, jobs, ledger or Ledger())
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _build(self, lab, tree, changes, kind, jobs, ledger):
        source = os.path.join(self.folder, "changes")
        os.mkdir(source)
        for name, text in changes.items():
            if text is not None:
                write(source, name, text)
        gone = [name for name, text in changes.items() if text is None]
        seconds = lab.limits["build_seconds"]
        limits = jail.Limits(memory=lab.limits["build_memory_mib"] * jail.MIB, processes=lab.limits["processes"],
                             seconds=seconds)
        meter = Meter(ledger, most=seconds, idle=IDLE_SECONDS)
        with jail.Jail(kind, read=[tree, source], size=lab.limits["build_disk_mib"]) as cell:
            command = cell.command(["sh", "-c", BUILD, "build", tree, source, cell.scratch, str(jobs), *gone], limits)
            status, out, err, why = converse(command, seconds * CLOCK_FACTOR, MAX_PRODUCTS, MAX_WORDS, meter.look)
        # Where it was built is nobody's business, and differs.
        words = err.decode(errors="replace").replace(cell.scratch + "/tree/", "")
        self.words = "\n".join(line for line in words.splitlines() if not PROGRESS.match(line))
        if why or status != 0:
            why = f"no end after {seconds} seconds" if why in (SPENT, EXHAUSTED) else why
            raise Broken(f"{why}\n{self.words}".strip() or f"make ended with status {status} and said nothing")
        unpack(out, self.folder)


def unpack(data, folder):
    """The two products and nothing else of what the jail sends, which may be anything."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if member.isreg() and member.name in PRODUCTS:
                    with open(os.path.join(folder, os.path.basename(member.name)), "wb") as file:
                        shutil.copyfileobj(archive.extractfile(member), file)
    except tarfile.TarError as error:
        raise Broken(f"the build sent something else than its products: {error}") from None
    missing = [name for name in PRODUCTS if not os.path.exists(os.path.join(folder, os.path.basename(name)))]
    if missing:
        raise Broken(f"the build made no {', '.join(missing)}")


def converse(command, seconds, most_out, most_err, look=lambda _: ""):
    """Run a jail's COMMAND: (status, output, errors, why it was ended early or ""). LOOK is called now and then
    with the jail's process id and gives a reason to end it, or ""."""
    process = jail.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    held, why = {}, []

    def read_all(stream, most, name):
        pieces, size = [], 0
        while piece := stream.read1(1 << 16):
            size += len(piece)
            if size > most:
                why.append(f"more than {most >> 20} MiB of output")
                jail.stop_soon(process)
                break
            pieces.append(piece)
        held[name] = b"".join(pieces)

    readers = [threading.Thread(target=read_all, args=words, daemon=True)
               for words in ((process.stdout, most_out, "out"), (process.stderr, most_err, "err"))]
    for reader in readers:
        reader.start()
    end = time.monotonic() + seconds
    while not why and process.poll() is None:
        if time.monotonic() >= end:
            why.append(f"no end after {seconds} seconds")
        elif reason := look(process.pid):
            why.append(reason)
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_EVERY)
    jail.stop(process)
    for reader in readers:
        reader.join()
    process.stdout.close()
    process.stderr.close()
    return process.returncode, held["out"], held["err"], "; ".join(why)
