"""Backtraces of threads that sleep, and what each of them waits for.

A thread that is not running left the registers that C keeps on its kernel stack (struct switch_frame in
kernel/x86/context.c). While we look at it, an unwinder tells gdb that the innermost frame of this CPU was
called from there. So gdb itself finds the frames, with their locals, and nothing in the machine is
written. Below the kernel's frames the program's are found by their frame pointers, through the process's own
page tables, and named by its file on the host.
"""

import linecache
import os
import re

import gdb
from gdb.unwinder import Unwinder, register_unwinder

from kernel import (Broken, Command, ROOT, USER_END, addr2line, arguments, at, enum_name, function_at, gdbs_own,
                    pointer, relative, selected_cpu, struct, variable)
import memory
import programs
import slabs
import tasks

KEPT = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")  # struct switch_frame, lowest address first
FRAMES_MAX = 200
SLEEPS = re.compile(r"wait_|sleep|schedule\(")
FIRST_IN_C = ("kernel_main", "x86_start_ap")  # what calls them is the boot's assembly
TRAPNO_SYSCALL = 0x100  # x86/context.h
CLONES = (56, 435)  # clone and clone3, abi/syscalls.tbl
# mov $__NR_rt_sigreturn, %eax (as our library has it) or %rax; syscall
SIGRETURNS = (b"\xb8\x0f\0\0\0\x0f\x05", b"\x48\xc7\xc0\x0f\0\0\0\x0f\x05")
# How sleeping is done, as against why.
MACHINERY = ("kernel/x86/", "kernel/sched/sched.", "kernel/sched/wait.", "kernel/sched/lock.")


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Sleeper(Unwinder):
    """While THREAD is set, the frame at (RSP, PC), the newest, has that thread's stack behind it."""

    def __init__(self):
        super().__init__("signalbox sleeper")
        self.thread = None
        self.rsp = self.pc = 0

    def show(self, thread):
        self.thread = None
        gdb.invalidate_cached_frames()
        if thread is None:
            return
        selected_cpu()
        newest = gdb.newest_frame()
        self.rsp, self.pc = unsigned(newest.read_register("rsp")), newest.pc()
        self.thread = thread
        gdb.invalidate_cached_frames()

    def covers(self, frame):
        """Is FRAME the CPU's own, in front of the thread's?"""
        return self.thread is not None and unsigned(frame.read_register("rsp")) == self.rsp

    def __call__(self, frame):
        if not self.covers(frame) or unsigned(frame.read_register("rip")) != self.pc:
            return None
        saved = int(self.thread["arch"]["rsp"])
        info = frame.create_unwind_info(FrameId(gdb.Value(saved), gdb.Value(self.pc)))
        word = gdb.lookup_type("unsigned long")
        for i, name in enumerate(KEPT):
            slot = gdb.Value(saved + 8 * i).cast(word.pointer()).dereference()
            if name in ("rip", "rbp"):
                slot = slot.cast(frame.read_register(name).type)
            info.add_saved_register(name, slot)
        top = gdb.Value(saved + 8 * len(KEPT)).cast(frame.read_register("rsp").type)
        info.add_saved_register("rsp", top)
        return info


sleeper = Sleeper()


def shown_thread():
    """Whose stack gdb shows: that of the sleeper, or of who runs on the selected CPU; None before there is anybody."""
    if sleeper.thread is not None:
        return sleeper.thread
    try:
        return tasks.current_thread()
    except (Broken, gdb.error):
        return None


def unsigned(value):
    return int(value) & (1 << 64) - 1


def require_stack(thread):
    """The boot CPU's idle thread has the stack that the machine booted on, and no memory of its own for it."""
    bottom, saved = pointer(thread["kstack"]), int(thread["arch"]["rsp"])
    if enum_name(thread["state"]) == "THREAD_DEAD":
        raise Broken(f"thread {tasks.thread_id(thread)} has ended: it has no stack any more")
    if saved == 0 or bottom and not bottom <= saved < bottom + stack_size():
        raise Broken(f"thread {tasks.thread_id(thread)} has not been switched away from yet")


def stack_size():
    return 4 * 4096  # KSTACK_SIZE, mm/kstack.h


class Frames:
    """`with Frames(thread) as frames:` its kernel frames, the innermost first."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        if bool(self.thread["on_cpu"]):
            self.chosen = selected_cpu()
            self.switch_to_cpu()
            return list(kernel_frames(gdb.newest_frame()))
        self.chosen = None
        require_stack(self.thread)
        sleeper.show(self.thread)
        frame = gdb.newest_frame()
        while frame is not None and sleeper.covers(frame):
            frame = frame.older()
        return list(kernel_frames(frame))

    def switch_to_cpu(self):
        for cpu in gdb.selected_inferior().threads():
            if int(tasks.cpu_of_gdb_thread(cpu)["id"]) == int(self.thread["cpu"]):
                cpu.switch()
                return

    def __exit__(self, *_):
        if self.chosen is not None:
            self.chosen.switch()
        else:
            sleeper.show(None)


def kernel_frames(frame):
    """FRAME and its callers as far as they are the kernel's."""
    for _ in range(FRAMES_MAX):
        if frame is None or frame.pc() < USER_END:
            return
        yield frame
        if frame.name() in FIRST_IN_C:
            return
        try:
            frame = frame.older()
        except gdb.error:
            return


def line_of(frame):
    """One line of a backtrace: function, arguments, place."""
    symbol = frame.function()
    name = symbol.name if symbol else function_at(frame.pc())
    where = frame.find_sal()
    place = f" at {relative(where.symtab.filename)}:{where.line}" if where.symtab else ""
    return f"{name} ({', '.join(arguments_of(frame, symbol))}){place}"


def arguments_of(frame, function):
    if function is None:
        return
    try:
        block = frame.block()
    except (RuntimeError, gdb.error):
        return
    while block is not None and block.function is None:
        block = block.superblock
    for symbol in block or ():
        if symbol.is_argument:
            try:
                value = symbol.value(frame)
                yield f"{symbol.name}={value.format_string(symbols=True, max_elements=4)}"
            except (gdb.error, gdb.MemoryError):
                yield f"{symbol.name}=?"


def user_start(thread):
    """(rip, is it behind a system call, rbp) of its program, None in a thread of the kernel's: the CPU's own while it
    runs there, else as the kernel's entry saved them. Behind a call there may be another function already."""
    if bool(thread["on_cpu"]):
        with Frames(thread):
            newest = gdb.newest_frame()
            if newest.pc() < USER_END:
                return newest.pc(), False, unsigned(newest.read_register("rbp"))
    regs = at(pointer(thread["kstack"]) + stack_size() - struct("regs").sizeof, "regs")
    if int(regs["cs"]) & 3 != 3:
        return None
    in_call = int(regs["trapno"]) == TRAPNO_SYSCALL
    # One that was cloned and has not run yet has the frame pointer of who made it, on another stack.
    just_made = in_call and int(regs["orig_rax"]) in CLONES and int(regs["rax"]) == 0
    return int(regs["rip"]), in_call, 0 if just_made else int(regs["rbp"])


def user_frames(thread):
    """(address, is it a return address) of the program's frames, by its frame pointers."""
    proc = pointer(thread["proc"])
    mm = pointer(at(proc, "proc")["mm"]) if proc else 0
    start = user_start(thread) if mm else None
    if start is None:
        return
    pc, called, frame = start
    yield pc, called
    for _ in range(FRAMES_MAX):
        pair = memory.read_user(at(mm, "mm"), frame, 16)
        if pair is None:
            return
        above, back = int.from_bytes(pair[:8], "little"), int.from_bytes(pair[8:], "little")
        context = interrupted(at(mm, "mm"), back, frame + 16)
        if context is not None:
            yield back, False
            yield int(context["rip"]), False
            frame = int(context["rbp"])
            continue
        if not 0 < back < USER_END or above <= frame:
            return
        yield back, True
        frame = above


def interrupted(mm, back, frame):
    """The registers of what a signal came upon, when BACK is where handlers return to and FRAME the stack there."""
    code = memory.read_user(mm, back, 9)
    if code is None or not code.startswith(SIGRETURNS):
        return None
    context = memory.read_user(mm, frame, struct("ucontext").sizeof)
    return gdb.Value(context, struct("ucontext"))["uc_mcontext"] if context else None


def user_places(thread, addresses):
    """What addr2line says of them, by the program's file on the host."""
    mm = thread["mm"]
    program = programs.of_mm(mm.dereference()) if pointer(mm) else None
    if program is None:
        return ["" for _ in addresses]
    return addr2line(program.file, [pc - called - program.offset for pc, called in addresses])


def print_stack(thread):
    print(f"thread {tasks.thread_id(thread) or tasks.KTHREAD} {tasks.name_of(thread)}: "
          f"{tasks.state_of(thread)}, struct thread {int(thread.address):#x}")
    with Frames(thread) as frames:
        for i, frame in enumerate(frames):
            print(f"#{i:<2} {frame.pc():#018x} in {line_of(frame)}")
    addresses = list(user_frames(thread))
    for i, ((pc, _), place) in enumerate(zip(addresses, user_places(thread, addresses)), len(frames)):
        print(f"#{i:<2} {pc:#018x} in the program" + (f": {place}" if place else ""))


class Bt(Command):
    """bt of TID|ADDR|all: the stack of any thread, asleep or not. Otherwise as gdb's own backtrace."""

    name = "bt"
    kind = gdb.COMMAND_STACK

    def invoke(self, argument, from_tty):
        if argument.split(None, 1)[:1] == ["of"]:
            super().invoke(argument, from_tty)
        else:
            gdbs_own("backtrace " + argument, from_tty)

    def run(self, words):
        arguments(words, 2, 2, "bt of TID | ADDR | all")
        if words[1] != "all":
            print_stack(tasks.find_thread(words[1]))
            return
        for thread in list(tasks.threads()):
            try:
                print_stack(thread)
            except Broken as error:
                print(error)


class View(Command):
    """view TID|ADDR: up, info locals, print see this sleeping thread's frames. `view` alone: the CPU's again."""

    name = "view"
    kind = gdb.COMMAND_STACK

    def run(self, words):
        arguments(words, 0, 1, "view [TID | ADDR]")
        if not words:
            sleeper.show(None)
            return
        thread = tasks.find_thread(words[0])
        if bool(thread["on_cpu"]):
            raise Broken("it runs: select its CPU (`cpus`, `thread N`)")
        require_stack(thread)
        sleeper.show(thread)
        frame = gdb.newest_frame()
        while frame is not None and sleeper.covers(frame):
            frame = frame.older()
        if frame is None:
            raise Broken("no frames found")
        frame.select()
        print(line_of(frame))


# --- what they wait for -----------------------------------------------------------------------------------


def reason(frames):
    """Of a sleeper's frames the first that is no machinery: (frame, the line of source it is at)."""
    for frame in frames:
        where = frame.find_sal()
        if where.symtab is None:
            continue
        path = relative(where.symtab.filename)
        if not path.startswith(MACHINERY):
            return (frame, *statement_of(frame, path, where.line))
    return None, "", ""


def statement_of(frame, path, line):
    """(place, text) of the statement that sleeps. The compiler may call its line that of the condition, which is
    inline and elsewhere: then it is the function's only one that waits."""
    statement = source_line(os.path.join(ROOT, path), line)
    function = frame.function()
    if function is None or SLEEPS.search(statement):
        return f"{path}:{line}", statement
    own = relative(function.symtab.filename)
    waits = []
    for i in range(function.line, function.line + 200):
        here = linecache.getline(os.path.join(ROOT, own), i)
        if SLEEPS.search(here):
            waits.append(i)
        if here.startswith("}"):
            break
    if len(waits) != 1:
        return f"{path}:{line}", statement
    return f"{own}:{waits[0]}", source_line(os.path.join(ROOT, own), waits[0])


def source_line(path, line):
    """The statement at a line: what it needs of the next, up to its semicolon."""
    statement = ""
    for i in range(line, line + 4):
        statement = f"{statement} {linecache.getline(path, i).strip()}".strip()
        if statement.endswith((";", "{", ")")) and statement.count("(") <= statement.count(")"):
            break
    return statement


def deadline_of(thread):
    timer = thread["sleep_timer"]
    if not bool(timer["armed"]):
        return "no time limit"
    return f"until {int(timer['expires']) / 1e9:.3f} s after boot (it is about {now():.3f})"


def now():
    """Seconds since boot, as far as the run queues know: no more than a tick behind on a busy CPU."""
    queues = variable("runqueues")
    return max(int(queues[int(cpu["id"])]["clock"]) for cpu in tasks.cpus()) / 1e9


class Waiting(Command):
    """waiting: every sleeping thread: on what it sleeps, for which condition, until when."""

    name = "waiting"

    def run(self, words):
        arguments(words, 0, 0, "waiting")
        for thread in list(tasks.threads()):
            if not tasks.is_asleep(thread):
                continue
            try:
                self.show(thread)
            except Broken as error:
                print(f"    {error}")

    @staticmethod
    def show(thread):
        queue = pointer(thread["waiting_on"])
        what = slabs.describe(queue, "waitq") if queue else "no queue of its own"
        print(f"{tasks.thread_id(thread) or tasks.KTHREAD} {tasks.name_of(thread)}: {tasks.state_of(thread)} on "
              f"{what}, {deadline_of(thread)}")
        with Frames(thread) as frames:
            frame, place, statement = reason(frames)
            if frame is not None:
                print(f"    {frame.name() or '?'} at {place}: {statement}")


def forget(_event=None):
    """The machine runs again: what was shown is no more."""
    sleeper.thread = None


def setup():
    register_unwinder(None, sleeper, replace=True)
    gdb.events.cont.connect(forget)
    for kind in (Bt, View, Waiting):
        kind()
