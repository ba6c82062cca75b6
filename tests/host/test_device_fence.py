"""What lies between asking the network card for an interrupt and looking at its ring again, on one CPU.

QEMU's TCG translates a fence between CPUs into nothing there, but its card is another thread (kernel/x86/io.h). How
rarely that goes wrong depends on the processor below, so no number of packets tells; the instructions do.
"""

import re

import pytest

from debugger import Machine
from support import EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
# The instructions of the function in which gdb stands, up to its end.
WALK = """python
end = gdb.newest_frame().older().pc()
while (frame := gdb.newest_frame()).pc() != end:
    print("at", frame.architecture().disassemble(frame.pc())[0]["asm"])
    gdb.execute("stepi", to_string=True)
end
"""
# Writing the word that the device reads, and reading its index, which no other 16 bits there are.
ASKED, LOOKED = r"mov +WORD PTR \[", r"movzx? +\w+,WORD PTR \[\w+\+0x2\]"


def walk(folder, *words):
    path = folder / "walk.gdb"
    path.write_text(WALK)
    with Machine(folder, "--smp", "1", "--net", "user", *words, "--", "/bin/true") as machine:
        output = machine.gdb("set disassembly-flavor intel", "break virtqueue_listen", "continue", f"source {path}",
                             "kill")
    found = re.findall("^at (.*)", output.of(f"source {path}"), re.M)
    assert found, output.all()
    return found


def place(pattern, instructions):
    found = [i for i, instruction in enumerate(instructions) if re.match(pattern, instruction)]
    assert len(found) == 1, (pattern, instructions)
    return found[0]


@pytest.mark.parametrize("words, by_port", [((), True), (("--cpu", "max,tcg-cpuid=off"), False),
                                            (("--cpu", "max,-hypervisor"), False)])
def test_asking_is_seen_before_the_look(tmp_path, words, by_port):
    found = walk(tmp_path, *words)
    between = found[place(ASKED, found) + 1:place(LOOKED, found)]
    assert any(re.match("lock|mfence", instruction) for instruction in between), found
    assert any(re.match(r"out +0x80,", instruction) for instruction in between) == by_port, found
