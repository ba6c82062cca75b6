"""Locks: which are held, by whom, since where in the code, and who waits for them.

The checking build (make DEBUG=1) keeps a list of the spinlocks of each CPU and of the mutexes of each thread,
with rank and place. Without it a mutex still knows its holder, and is found by who sleeps for it; a spinlock
only by who spins for it.
"""

import gdb

from kernel import (Broken, Command, address_of, arguments, at, is_debug_build, list_of, place_at,
                    pointer, selected_cpu, table, text, variable)
import slabs
import stacks
import tasks

WAITERS = 1  # MUTEX_WAITERS: the lowest bit of a mutex's word


def rank_name(number):
    for field in gdb.lookup_type("enum lock_rank").fields():
        if field.enumval == number:
            return f"{field.name} ({number})"
    return str(number)


def name_of_holder(mutex):
    holder = int(mutex["holder"]) & ~WAITERS
    if holder == 0:
        return "nobody"
    thread = at(holder, "thread")
    return f"{tasks.thread_id(thread) or tasks.KTHREAD} {tasks.name_of(thread)}"


def waiters_of(mutex):
    """Sleepers in the order in which they will get it; reading stops where the list is half made."""
    found = []
    try:
        for waiter in list_of(mutex["waiters"], "mutex_waiter", "link"):
            thread = waiter["thread"]
            found.append(f"{tasks.thread_id(thread)} {tasks.name_of(thread)}")
    except Broken as error:
        found.append(f"({error})")
    return ", ".join(found) or "nobody"


def held_spinlocks():
    """(lock, CPU) of those that a CPU holds. Checking build."""
    held = variable("sched/lock.c:held_spinlocks")
    for cpu in tasks.cpus():
        one = held[int(cpu["id"])]
        for i in range(int(one["count"])):
            yield one["lock"][i], int(cpu["id"])


def held_mutexes():
    for thread in tasks.threads():
        if pointer(thread["held_mutexes"]["next"]) == 0:
            continue  # it is just being made, and holds none
        for mutex in list_of(thread["held_mutexes"], "mutex", "held"):
            yield mutex, thread


def variable_of(frame, names):
    """The pointer that a function here or above it had by one of these names; 0: the compiler forgot it."""
    for _ in range(4):
        for name in names:
            try:
                value = frame.read_var(name)
                if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and not value.is_optimized_out:
                    return pointer(value)
            except (ValueError, gdb.error):
                continue
        frame = frame.older()
        if frame is None or frame.type() == gdb.NORMAL_FRAME and frame.pc() < stacks.USER_END:
            break
    return 0


def spinners():
    """(CPU, address of the lock, 0: not known, who wants it) of the CPUs that wait for a spinlock."""
    chosen = selected_cpu()
    try:
        for processor in gdb.selected_inferior().threads():
            processor.switch()
            frames = list(stacks.kernel_frames(gdb.newest_frame()))
            for i, frame in enumerate(frames):
                if frame.name() in ("spin_lock_contended", "spin_acquire"):
                    wants = next((f for f in frames[i:] if not str(f.name()).startswith("spin_")), frame)
                    yield tasks.cpu_of_gdb_thread(processor), variable_of(frame, ["l"]), stacks.line_of(wants)
                    break
    finally:
        chosen.switch()


def sleepers():
    """(thread, address of the mutex) of the threads that sleep for one."""
    for thread in list(tasks.threads()):
        if not tasks.is_asleep(thread) or pointer(thread["kstack"]) == 0:
            continue
        with stacks.Frames(thread) as frames:
            wanted = next((f for f in frames if f.name() == "mutex_lock_contended"), None)
            address = variable_of(wanted, ["m"]) if wanted else 0
        if wanted is not None:
            yield thread, address


class Locks(Command):
    """locks: held spinlocks and mutexes, by whom, of which rank, taken where; and who waits."""

    name = "locks"

    def run(self, words):
        arguments(words, 0, 0, "locks")
        if is_debug_build():
            self.show_held()
        else:
            print("This build keeps no list of held locks (make DEBUG=1 does). Those that somebody waits for:")
        for cpu, address, where in spinners():
            what = slabs.describe(address, "spinlock") if address else "a spinlock"
            print(f"CPU {int(cpu['id'])} spins for {what} in {where}")
        for thread, address in sleepers():
            what = slabs.describe(address, "mutex") if address else "a mutex that the compiler forgot"
            holder = f", held by {name_of_holder(at(address, 'mutex'))}" if address else ""
            print(f"{tasks.thread_id(thread) or tasks.KTHREAD} {tasks.name_of(thread)} sleeps for {what}{holder}")

    @staticmethod
    def show_held():
        rows = []
        for lock, cpu in held_spinlocks():
            rows.append(("spinlock", text(lock["name"]), rank_name(int(lock["rank"])), f"CPU {cpu}",
                         place_at(int(lock["where"]) - 1), "-", slabs.describe(pointer(lock), "spinlock")))
        for mutex, thread in held_mutexes():
            rows.append(("mutex", text(mutex["name"]), rank_name(int(mutex["rank"])),
                         f"{tasks.thread_id(thread) or tasks.KTHREAD} {tasks.name_of(thread)}",
                         place_at(int(mutex["where"]) - 1), waiters_of(mutex),
                         slabs.describe(address_of(mutex), "mutex")))
        table(("KIND", "NAME", "RANK", "HOLDER", "TAKEN AT", "SLEEPING FOR IT", "WHICH"), rows)


def setup():
    Locks()
