"""What gdb should know before it looks at the kernel. `make gdb` reads this and connects."""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import unwind  # noqa: E402,F401  (reading it is what registers it)

SETTINGS = (
    # The machine starts in 16-bit mode; without this gdb takes its registers for shorter ones when it
    # attaches early, and breaks off later with "'g' packet reply is too long".
    "set architecture i386:x86-64",
    "set pagination off",
    "set confirm off",
    "set print pretty on",
    "set disassembly-flavor intel",
)


class Connect(gdb.Command):
    """signalbox-connect SOCKET: attach to the machine that listens there."""

    def __init__(self):
        super().__init__("signalbox-connect", gdb.COMMAND_RUNNING, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        gdb.execute(f"target remote {argument}")
        # A CPU is a thread to gdb: stepping one shall not let the others run away.
        gdb.execute("set scheduler-locking step")
        print("The machine is halted. Breakpoints before the kernel is loaded: hbreak, e.g. hbreak sys_write")


class Cpus(gdb.Command):
    """cpus: where each CPU is."""

    def __init__(self):
        super().__init__("cpus", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        gdb.execute("info threads")


for setting in SETTINGS:
    gdb.execute(setting, to_string=True)
Connect()
Cpus()
