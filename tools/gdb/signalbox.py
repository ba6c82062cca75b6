"""What gdb should know before it looks at the kernel. `make gdb` reads this and connects.

    kernel.py     symbols, lists, constants: what all commands are made of
    unwind.py     what backtraces say at the kernel's entries, and where programs begin
    stacks.py     bt of, view, waiting: threads that sleep
    tasks.py      ps, threads, cpus             files.py      fds, file, pipes, queue
    locks.py      locks                         signals.py    signals, sigframe
    memory.py     maps, pte, shm                slabs.py      slabs, pages
    network.py    sockets, tcp                  virtqueue.py  virtqueue
    programs.py   symbols of the program that runs
    printers.py   lists, trees, sets of signals, errors
    backwards.py  recorded runs: places to go back to
"""

import fcntl
import glob
import os
import sys

import gdb

# pylint: disable=wrong-import-position
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import backwards  # noqa: E402
import files  # noqa: E402
import locks  # noqa: E402
import memory  # noqa: E402
import network  # noqa: E402
import printers  # noqa: E402
import programs  # noqa: E402
import signals  # noqa: E402
import slabs  # noqa: E402
import stacks  # noqa: E402
import tasks  # noqa: E402
import unwind  # noqa: E402
import virtqueue  # noqa: E402
from kernel import gdbs_own  # noqa: E402

SETTINGS = (
    # The machine starts in 16-bit mode; without this gdb takes its registers for shorter ones when it
    # attaches early, and breaks off later with "'g' packet reply is too long".
    "set architecture i386:x86-64",
    # gdb's own two seconds are over while a busy host leaves QEMU standing. It asks again then, and from there on takes
    # each answer for that to its next question.
    "set remotetimeout 120",
    "set pagination off",
    "set confirm off",
    "set print pretty on",
    "set disassembly-flavor intel",
    # `break main` before any program runs: its place is found when the program's symbols are.
    "set breakpoint pending on",
)
# The tree's own sources, wherever the compiler's cache had them from.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS = (tasks, stacks, locks, files, memory, slabs, signals, network, virtqueue, programs, printers,
            unwind)


def take(path, what=".lock"):
    """The lock that makes the machine at this socket ours, or (".run") its place, or None: another has it."""
    lock = os.open(path + what, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def waiting_machines(folder):
    """The sockets of machines that no gdb has, the youngest first, with their locks."""
    sockets = glob.glob(os.path.join(glob.escape(folder), "*.sock"))
    for path in sorted(sockets, key=os.path.getmtime, reverse=True):
        lock = take(path)
        if lock is not None:
            yield path, lock


class Connect(gdb.Command):
    """signalbox-connect SOCKET|PORT|FOLDER: attach to the machine there; in a folder, to the youngest that waits."""

    def __init__(self):
        super().__init__("signalbox-connect", gdb.COMMAND_RUNNING, gdb.COMPLETE_FILENAME)
        self.lock = None  # held as long as we are connected
        gdb.events.connection_removed.connect(self.release)

    def release(self, _event=None):
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def invoke(self, argument, from_tty):
        if gdb.selected_inferior().connection is not None:
            raise gdb.GdbError("this gdb has a machine: detach from it first")
        if os.path.isdir(argument):
            self.connect_youngest(argument)
        else:
            self.connect_to(argument)
        # A CPU is a thread to gdb: stepping one shall not let the others run away.
        gdb.execute("set scheduler-locking step")
        programs.start()
        backwards.start()
        print("The machine is halted. `help NAME` tells of ours: ps, threads, cpus, bt of TID, view, waiting, locks,\n"
              "fds, file, pipes, queue, signals, sigframe, maps, pte, shm, slabs, pages, sockets, tcp, virtqueue,\n"
              "elements, program.")

    def connect_to(self, argument):
        if os.path.exists(argument) and os.access(os.path.dirname(os.path.abspath(argument)), os.W_OK):
            self.lock = take(argument)
            if self.lock is None:
                raise gdb.GdbError(f"another gdb has the machine at {argument}")
        try:
            gdbs_own(f"target remote {argument}")
        except gdb.GdbError:
            self.release()
            raise

    def connect_youngest(self, folder):
        for path, lock in waiting_machines(folder):
            try:
                gdb.execute(f"target remote {path}")
            except gdb.error:
                place = take(path, ".run")
                if place is not None:  # who made it is gone
                    os.unlink(path)
                    os.close(place)
                os.close(lock)
                continue
            self.lock = lock
            return
        raise gdb.GdbError("no machine waits for gdb: start one with make qemu-gdb")


for setting in SETTINGS:
    gdb.execute(setting, to_string=True)
gdb.execute(f'directory "{ROOT}"', to_string=True)
for module in COMMANDS:
    module.setup()
Connect()
