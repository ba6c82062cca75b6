"""Backtraces from every instruction of our library's assembly, which says where its callers are (abi/cfi.inc)."""

import os
import re
import subprocess

import pytest

from debugger import Machine, frames
from support import BUILD, EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
ASSEMBLY = os.path.join(BUILD, "tests", "host", "assembly")
# Prints the stack at each instruction of some functions, the first times that the program comes there.
WALK = """python
def names(frame):
    while frame is not None and frame.pc() != 0:
        yield str(frame.name()).split("[")[0].split(".")[0]
        frame = frame.older()

def tell(function, begin):
    frame = gdb.newest_frame()
    print("at", function, frame.pc() - begin, *names(frame))

class Walk(gdb.Breakpoint):
    def __init__(self, function, begin, address):
        super().__init__(f"*{{address:#x}}")
        self.function, self.begin, self.times = function, begin, 0

    def stop(self):
        if gdb.parse_and_eval("$in_program()"):
            tell(self.function, self.begin)
            self.times += 1
            self.enabled = self.times < 4
        return False

tell("_start", gdb.newest_frame().pc())
for function, addresses in {instructions}:
    for address in addresses:
        Walk(function, addresses[0], address)
end
"""
THREAD = "read_until_cancelled thread_main __clone"
# Who may be seen behind each function, whichever thread comes first and wherever the signals find them.
BEHIND = {
    "_start": ["_start"],
    "setjmp": ["setjmp jump_and_come_back main", "setjmp keep_the_mask main"],
    "sigsetjmp": ["sigsetjmp keep_the_mask main"],
    "longjmp": ["longjmp jump jump_and_come_back main", "longjmp jump_and_come_back main",
                "longjmp siglongjmp keep_the_mask main", "longjmp keep_the_mask main"],
    "close": ["close call_in_vain main"],
    "write": ["write call_and_sleep main"],
    "read": ["read call_and_sleep main", f"read {THREAD}"],
    "kill": ["kill get_a_signal main"],
    "vfork": ["vfork have_a_child main"],
    "__cancel_point": ["__cancel_point call_in_vain main", "__cancel_point call_and_sleep main",
                       "__cancel_point waitpid have_a_child main", f"__cancel_point {THREAD}"],
    "__cancel_now": [f"__cancel_now {THREAD}"],
    "__syscall_error": ["__syscall_error call_in_vain main"],
    "__clone": ["__clone pthread_create cancel_a_thread main", "__clone"],
    "on_usr1": ["on_usr1 __restore_rt kill get_a_signal main"],
    # Of the signal that cancels nobody knows where in the thread it comes.
    "__restore_rt": ["__restore_rt kill get_a_signal main", r"__restore_rt (\w+ )*__clone"],
}


def instructions_of(program):
    """(function, the addresses of its instructions): of those not run yet the machine has no memory to look at."""
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True)
    parts = re.split(r"^[0-9a-f]+ <(\w+)>:\n", done.stdout, flags=re.M)
    named = dict(zip(parts[1::2], parts[2::2]))
    return [(name, [int(address, 16) for address in re.findall(r"^ +(\w+):\t(?!nop)", named[name], re.M)])
            for name in BEHIND]


def test_at_each_instruction_of_the_library_in_assembly(tmp_path):
    script = tmp_path / "walk.gdb"
    instructions = instructions_of(ASSEMBLY)
    script.write_text(WALK.format(instructions=instructions))
    with Machine(tmp_path, "--", ASSEMBLY) as machine:
        output = machine.gdb(f"program {ASSEMBLY}", "tbreak *_start if $in_program()", "continue", f"source {script}",
                             "continue")
        ended = machine.finish()
    assert ended == (0, b"through it\n"), output.all()
    # gdb's word for a file's part that is described as if it were all of it.
    assert "Internal error" not in output.all() and "Python" not in output.all(), output.all()
    seen = re.findall(r"^at (\w+) (\d+) (.*)$", output.all(), re.M)
    for name, offset, stack in seen:
        assert any(re.fullmatch(pattern, stack) for pattern in BEHIND[name]), (name, offset, stack)
    for name, addresses in instructions:
        come = {stack for function, _, stack in seen if function == name}
        # longjmp's caller is first who called it and then who called setjmp, and clone has two who return.
        assert len(come) >= {"longjmp": 4, "__clone": 2}.get(name, 1), (name, come)
        assert len({offset for function, offset, _ in seen if function == name}) >= min(len(addresses) - 1, 2), name


def test_a_thread_that_has_just_been_made_has_no_callers(tmp_path):
    """Its frame pointer is still that of who made it, whose stack may have changed since."""
    with Machine(tmp_path, "--smp", "1", "--", ASSEMBLY) as machine:
        output = machine.gdb("tbreak cancel_a_thread", "continue", "break thread_start_user if $in_program()",
                             "continue", "bt", "bt of all", "delete", "detach")
        ended = machine.finish()
    assert frames(output.of("bt")) == ["thread_start_user", "__clone"], output.all()
    of_new = re.findall(r"in the program: __clone at libc/start/clone.asm:\d+\n(.*)", output.of("bt of all"))
    # Who made it may stand there too, on its way back from the call, and has its callers.
    of_new = [line for line in of_new if " cancel_a_thread at " not in line]
    assert len(of_new) == 1 and of_new[0].startswith("thread "), output.all()
    assert ended == (0, b"through it\n"), output.all()
