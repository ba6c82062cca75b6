"""Signals: who blocks what, what is pending, what will be done; and the frame on a program's stack."""

from kernel import (Broken, Command, PAGE_SIZE, USER_END, address_of, arguments, constant_name, defines, flag_names,
                    list_of, number, offset_in, pointer, struct, table)
import gdb
import memory
import programs
import tasks

HEADER = "abi/signal.h"
SEARCHED = 1 << 16  # bytes of stack that `sigframe` looks through
USER_CODE, USER_DATA = 0x33, 0x2B
SA_SIGINFO = 4  # abi/signal.h
REGISTERS = ("rip", "rsp", "rbp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
             "r13", "r14", "r15")
NOT_SIGNALS = ("SIGSTKSZ", "SIGIOT", "SIGPOLL", "SIGEV_SIGNAL")


def signal_name(number_):
    for name, value in defines[HEADER].items():
        if value == number_ and name.startswith("SIG") and "_" not in name and name not in NOT_SIGNALS:
            return name
    return f"SIGRT{number_}" if 32 <= number_ <= 64 else str(number_)


def set_names(mask):
    """The signals of a set, by name; of nearly all, those that are missing."""
    mask = int(mask) & (1 << 64) - 1
    names = [signal_name(i + 1) for i in range(64) if mask >> i & 1]
    if len(names) > 48:
        missing = [signal_name(i + 1) for i in range(64) if not mask >> i & 1]
        return "all" + (" but " + " ".join(missing) if missing else "")
    return " ".join(names) or "none"


def code_name(signo, code):
    if code <= 0 or code == defines[HEADER]["SI_KERNEL"]:
        return constant_name(HEADER, "SI_", code)
    prefix = {11: "SEGV_", 7: "BUS_", 8: "FPE_", 4: "ILL_", 5: "TRAP_", 17: "CLD_", 29: "POLL_", 31: "SYS_"}
    return constant_name(HEADER, prefix.get(signo, "SI_"), code)


def info_text(info):
    """A siginfo as a sentence: which of its fields mean something depends on number and code."""
    signo, code = int(info["si_signo"]), int(info["si_code"])
    start = f"{signal_name(signo)} {code_name(signo, code)}"
    if signo in (4, 5, 7, 8, 11) and code > 0:
        return f"{start}, at address {pointer(info['si_addr']):#x}"
    if signo == 17 and code > 0:
        return f"{start}, child {int(info['si_pid'])}, status {int(info['si_status'])}"
    if code == defines[HEADER]["SI_TIMER"]:
        return (f"{start}, timer {int(info['si_timerid'])}, overrun {int(info['si_overrun'])}, value "
                f"{pointer(info['si_value']['sival_ptr']):#x}")
    if code == defines[HEADER]["SI_KERNEL"]:
        return start
    value = f", value {pointer(info['si_value']['sival_ptr']):#x}" if code in (-1, -3) else ""
    return f"{start}, from process {int(info['si_pid'])}, user {int(info['si_uid'])}{value}"


def print_pending(owner, what):
    print(f"    pending for {what}: {set_names(owner['pending'])}")
    for entry in list_of(owner["sigqueue"], "sigqueue", "link"):
        print(f"        {address_of(entry):#x}: {info_text(entry['info'])}")


def handler_name(handler, mm):
    if handler == 0:
        return "default"
    if handler == 1:
        return "ignored"
    named = programs.name_at(mm, handler) if mm is not None else None
    return f"{handler:#x}" + (f" {named}" if named else "")


class Signals(Command):
    """signals PID: of each thread what it blocks and what is pending, with siginfo; and the actions."""

    name = "signals"

    def run(self, words):
        arguments(words, 1, 1, "signals PID")
        proc = tasks.find_process(words[0])
        state = [f"process {tasks.process_id(proc)}: {tasks.process_state(proc)}"]
        if bool(proc["stopped"]):
            state.append(f"by {signal_name(int(proc['stop_signal']))}")
        print(" ".join(state))
        print_pending(proc, "the process")
        for thread in tasks.threads_of(proc):
            print(f"thread {tasks.thread_id(thread)} {tasks.name_of(thread)}, {tasks.state_of(thread)}")
            print(f"    blocked: {set_names(thread['blocked'])}")
            if int(thread["awaited"]):
                print(f"    awaited by sigwait: {set_names(thread['awaited'])}")
            print_pending(thread, "it alone")
            stack = thread["altstack"]
            if not int(stack["ss_flags"]) & 2 and int(stack["ss_size"]):
                print(f"    alternate stack: {int(stack['ss_size'])} bytes at {pointer(stack['ss_sp']):#x}")
        self.actions(proc)

    @staticmethod
    def actions(proc):
        if pointer(proc["actions"]) == 0:
            print("no actions (any more)")
            return
        mm = memory.space_of(proc) if pointer(proc["mm"]) else None
        rows = []
        for i in range(64):
            action = proc["actions"]["action"][i]
            handler = pointer(action["handler"])
            if handler:
                rows.append((signal_name(i + 1), handler_name(handler, mm),
                             flag_names(HEADER, "SA_", int(action["flags"]) & 0xFFFFFFFF) or "-",
                             set_names(action["mask"])))
        if rows:
            table(("SIGNAL", "ACTION", "FLAGS", "BLOCKED MEANWHILE"), rows)
        print("all others: default" if rows else "all signals: default")


# --- the frame on the user's stack -------------------------------------------------------------------------


def looks_like_frame(data):
    """Could these bytes be a struct rt_sigframe? Selectors and addresses as programs have them."""
    word = lambda name, size: int.from_bytes(data[offset_in(struct("rt_sigframe"), name):][:size], "little")
    register = lambda name, size=8: word("uc.uc_mcontext." + name, size)
    return (register("cs", 2) == USER_CODE and register("ss", 2) == USER_DATA and word("uc.uc_flags", 8) < 8
            and all(register(name) < USER_END for name in ("rip", "rsp", "fpstate")))


def told_of(proc, info):
    """What a frame says of its signal: nothing when the handler has not asked for it, whatever lies there."""
    signo = int(info["si_signo"])
    action = proc["actions"]["action"][signo - 1] if 0 < signo <= 64 and pointer(proc["actions"]) else None
    if action is None or not int(action["flags"]) & SA_SIGINFO:
        return "of which signal isn't said, for want of SA_SIGINFO"
    return info_text(info)


class Sigframe(Command):
    """sigframe [ADDR [PID]]: decode the signal frame at ADDR, or find those on the current thread's stack."""

    name = "sigframe"

    def run(self, words):
        arguments(words, 0, 2, "sigframe [ADDR [PID]]")
        if len(words) == 2:
            proc = tasks.find_process(words[1])
        else:
            thread = tasks.current_thread()
            if pointer(thread["proc"]) == 0:
                raise Broken("a thread of the kernel's own has no signals")
            proc = thread["proc"].dereference()
        mm = memory.space_of(proc)
        if words:
            self.show(mm, proc, number(words[0]))
            return
        found = list(self.search(mm, proc, self.user_rsp(thread)))
        for address in found:
            self.show(mm, proc, address)
        if not found:
            raise Broken("no signal frame on this stack: its handler is not running (or give its address)")

    @staticmethod
    def user_rsp(thread):
        frame = gdb.newest_frame()
        if frame.pc() < USER_END:
            return int(frame.read_register("rsp"))
        top = pointer(thread["kstack"]) + 4 * 4096
        return int(gdb.Value(top - struct("regs").sizeof).cast(struct("regs").pointer())["rsp"])

    @staticmethod
    def search(mm, proc, start):
        """A frame begins with its return address, the restorer of some action."""
        restorers = {pointer(proc["actions"]["action"][i]["restorer"]) for i in range(64)} - {0}
        size = struct("rt_sigframe").sizeof
        place, end = start & ~7, start + SEARCHED
        while place < end:
            length = PAGE_SIZE - place % PAGE_SIZE
            data = memory.read_user(mm, place, length)
            if data is None:
                return
            for i in range(0, length, 8):
                if int.from_bytes(data[i:i + 8], "little") in restorers:
                    frame = memory.read_user(mm, place + i, size)
                    if frame is not None and looks_like_frame(frame):
                        yield place + i
            place += length

    @staticmethod
    def show(mm, proc, address):
        data = memory.read_user(mm, address, struct("rt_sigframe").sizeof)
        if data is None:
            raise Broken(f"{address:#x} is no memory of process {tasks.process_id(proc)} that is present")
        frame = gdb.Value(data, struct("rt_sigframe"))
        if not looks_like_frame(data):
            print("(this does not look like a signal frame: what follows may mean nothing)")
        context, info = frame["uc"]["uc_mcontext"], frame["info"]
        interrupted = int(context["rip"])
        named = programs.name_at(mm, interrupted)
        print(f"signal frame at {address:#x}: {told_of(proc, info)}")
        print(f"    returns to {handler_name(int(frame['return_address']), mm)}, interrupted {interrupted:#x}"
              + (f" {named}" if named else ""))
        print(f"    mask to come back: {set_names(frame['uc']['uc_sigmask'])}")
        values = [f"{name} {int(context[name]):#x}" for name in REGISTERS]
        for i in range(0, len(values), 4):
            print("    " + "  ".join(values[i:i + 4]))
        print(f"    eflags {int(context['eflags']):#x}  cs {int(context['cs']):#x}  ss {int(context['ss']):#x}  trap "
              f"{int(context['trapno'])}  error {int(context['err']):#x}  cr2 {int(context['cr2']):#x}")
        stack = frame["uc"]["uc_stack"]
        print(f"    alternate stack: {int(stack['ss_size'])} bytes at {pointer(stack['ss_sp']):#x}, flags "
              f"{flag_names(HEADER, 'SS_', int(stack['ss_flags'])) or '0'}; FPU state at "
              f"{pointer(context['fpstate']):#x}")


def setup():
    Signals()
    Sigframe()
