"""Processes and threads: who there is, who runs, who sleeps."""

import gdb

from kernel import (Broken, Command, Function, arguments, at, enum_name, gdbs_own, list_of, number, pointer,
                    selected_cpu, table, text, variable)
import slabs

KTHREAD = "-"


def cpus():
    """The struct cpu of every processor."""
    array = variable("cpus")
    for i in range(max(1, int(variable("num_cpus")))):
        yield array[i]


def cpu_of_gdb_thread(thread):
    """A CPU is a thread to gdb; QEMU numbers them from 1 in the order of their APIC ids."""
    for cpu in cpus():
        if int(cpu["apic_id"]) == thread.num - 1:
            return cpu
    raise Broken("this CPU has not started")


def running_on(cpu):
    """The struct thread that runs there, or None."""
    address = pointer(cpu["running"])
    return at(address, "thread") if address else None


def current_thread():
    """Of the CPU that gdb looks at."""
    thread = running_on(cpu_of_gdb_thread(selected_cpu()))
    if thread is None:
        raise Broken("no thread runs on this CPU yet")
    return thread


def processes():
    yield from list_of(variable("proc_list"), "proc", "all_link")


def threads_of(proc):
    yield from list_of(proc["threads"], "thread", "proc_link")


def idle_threads():
    """Their addresses. The first CPU's lies in no slab."""
    found = (pointer(variable("runqueues")[int(cpu["id"])]["idle"]) for cpu in cpus())
    return [address for address in found if address]


def kernel_threads():
    """Those of no process stand on no list of their own: the idle threads, and what the slabs hold."""
    seen = idle_threads()
    for address in seen:
        yield at(address, "thread")
    for address in slabs.objects_of("thread"):
        thread = at(address, "thread")
        if pointer(thread["proc"]) == 0 and address not in seen:
            yield thread


def threads():
    for proc in processes():
        yield from threads_of(proc)
    yield from kernel_threads()


def process_id(proc):
    pid = proc["pid"]
    return int(pid["nr"]) if pointer(pid) else 0


def thread_id(thread):
    return int(thread["pid"]["nr"]) if pointer(thread["pid"]) else 0


def find_process(word):
    wanted = number(word)
    for proc in processes():
        if process_id(proc) == wanted:
            return proc
    raise Broken(f"there is no process {word}")


def find_thread(word):
    """A thread by its id, or by the address of its structure."""
    wanted = number(word)
    if wanted > 1 << 47:
        if slabs.object_at(wanted) != ("thread", wanted) and wanted not in idle_threads():
            raise Broken(f"at {word} is no struct thread")
        return at(wanted, "thread")
    for thread in (t for proc in processes() for t in threads_of(proc)):
        if thread_id(thread) == wanted:
            return thread
    raise Broken(f"there is no thread {word}: `threads` lists them (kernel threads go by address)")


def name_of(thread):
    return text(thread["comm"])


def state_of(thread):
    """As one would say it: running on which CPU, ready, or asleep and for what it can be woken."""
    if bool(thread["on_cpu"]):
        return f"on CPU {int(thread['cpu'])}"
    state = enum_name(thread["state"], "THREAD_").lower()
    return "ready" if state == "running" else state


def is_asleep(thread):
    return not bool(thread["on_cpu"]) and enum_name(thread["state"]) in (
        "THREAD_SLEEPING", "THREAD_KILLABLE", "THREAD_DEAF", "THREAD_STOPPED")


def process_state(proc):
    if bool(proc["zombie"]):
        return "zombie"
    if bool(proc["exiting"]):
        return "exiting"
    if bool(proc["stopped"]):
        return "stopped"
    return "alive"


class Ps(Command):
    """ps: every process, with its parent, group, session, threads and address."""

    name = "ps"

    def run(self, words):
        arguments(words, 0, 0, "ps")
        rows = []
        for proc in processes():
            parent = proc["parent"]
            leader = proc["leader"]
            rows.append((process_id(proc), process_id(parent) if pointer(parent) else 0,
                         int(proc["group"]["nr"]) if pointer(proc["group"]) else 0,
                         int(proc["session"]["nr"]) if pointer(proc["session"]) else 0,
                         process_state(proc), int(proc["nthreads"]), f"{int(proc.address):#x}",
                         name_of(leader) if pointer(leader) else ""))
        table(("PID", "PPID", "GROUP", "SESSION", "STATE", "THREADS", "struct proc", "NAME"), rows)


class Threads(Command):
    """threads: every thread, the kernel's own as well (they have no id), with its state and address."""

    name = "threads"

    def run(self, words):
        arguments(words, 0, 0, "threads")
        rows = []
        for thread in threads():
            proc = pointer(thread["proc"])
            rows.append((thread_id(thread) or KTHREAD,
                         process_id(at(proc, "proc")) if proc else KTHREAD,
                         state_of(thread), int(thread["cpu"]), int(thread["nice"]),
                         f"{int(thread.address):#x}", name_of(thread)))
        table(("TID", "PID", "STATE", "CPU", "NICE", "struct thread", "NAME"), rows)


class Cpus(Command):
    """cpus: what runs on each CPU, and where it is."""

    name = "cpus"
    kind = gdb.COMMAND_STATUS

    def run(self, words):
        arguments(words, 0, 0, "cpus")
        gdbs_own("info threads")
        for cpu in cpus():
            thread = running_on(cpu)
            who = f"{name_of(thread)}, thread {thread_id(thread) or KTHREAD}" if thread else "nobody yet"
            print(f"CPU {int(cpu['id'])}: {who}{', in an interrupt' if bool(cpu['in_interrupt']) else ''}")


class CurrentThread(Function):
    """$current(): the struct thread that runs on the CPU that gdb looks at."""

    name = "current"

    def value(self):
        return current_thread().address


class ThreadById(Function):
    """$task(TID): the struct thread with this id."""

    name = "task"
    takes = 1

    def value(self, tid):
        return find_thread(str(int(tid))).address


class ProcessById(Function):
    """$proc(PID): the struct proc with this id."""

    name = "proc"
    takes = 1

    def value(self, pid):
        return find_process(str(int(pid))).address


def setup():
    for kind in (Ps, Threads, Cpus, CurrentThread, ThreadById, ProcessById):
        kind()
