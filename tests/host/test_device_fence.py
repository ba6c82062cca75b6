"""What lies between what the driver of the network card says and its look at what the card has said, on one CPU.

QEMU's TCG translates a fence between CPUs into nothing there, but its card is another thread (kernel/x86/io.h). How
rarely that goes wrong depends on the processor below, so no number of packets tells; the instructions do.
"""

import re

import pytest

from debugger import Machine
from support import EXTRA_WORDS

pytestmark = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our symbols")
# The functions and instructions from where gdb stands to the end of that function.
WALK = """python
end = gdb.newest_frame().older().pc()
while (frame := gdb.newest_frame()).pc() != end:
    print("at", frame.name(), "|", frame.architecture().disassemble(frame.pc())[0]["asm"])
    gdb.execute("stepi", to_string=True)
end
"""
FENCE, PORT = r"lock|mfence", r"out +0x80,"
WRITE, READ = r"mov +WORD PTR \[", r"movzx +\w+,WORD PTR \["
INDEX = r"\w+\+0x2\]"  # of the ring that is filled, and of the one that is used


def walk(folder, function, *words):
    """(function, instruction) of each step through FUNCTION, the first time that it is called."""
    path = folder / "walk.gdb"
    path.write_text(WALK)
    with Machine(folder, "--smp", "1", "--net", "user", *words, "--", "/bin/true") as machine:
        output = machine.gdb("set disassembly-flavor intel", f"break {function}", "continue", f"source {path}", "kill")
    found = re.findall(r"^at (\w+) \| (.*)", output.of(f"source {path}"), re.M)
    assert found and found[0][0] == function, output.all()
    return found


def parts(pattern, instructions):
    """What is done before such an instruction, and what behind it."""
    at = [i for i, instruction in enumerate(instructions) if re.match(pattern, instruction)]
    assert at, instructions
    return "\n".join(instructions[:at[0]]), "\n".join(instructions[at[-1] + 1:])


@pytest.mark.parametrize("words, by_port", [((), True), (("--cpu", "max,tcg-cpuid=off"), False),
                                            (("--cpu", "max,-hypervisor"), False)])
def test_asking_is_seen_before_the_look(tmp_path, words, by_port):
    """Where the processor doesn't say that it is QEMU's, it is taken for one that knows what a fence is."""
    found = [instruction for _, instruction in walk(tmp_path, "virtqueue_listen", *words)]
    for fence in [FENCE, PORT] if by_port else [FENCE]:
        before, behind = parts(fence, found)
        assert re.search(WRITE, before) and not re.search(WRITE, behind), found
        assert re.search(READ + INDEX, behind) and not re.search(READ + INDEX, before), found
    assert any(re.match(PORT, instruction) for instruction in found) == by_port, found


def test_what_is_sent_is_seen_before_the_look(tmp_path):
    """kick(): asked, published, one fence, looked for who wants to be told, looked for what is done."""
    found = walk(tmp_path, "kick")
    first = list(dict.fromkeys("port" if re.match(PORT, instruction) else name for name, instruction in found))
    order = [what for what in first if what == "port" or what.startswith("virtqueue")]
    assert order[:4] == ["virtqueue_ask_later", "virtqueue_notify", "port", "virtqueue_look_later"], found
    names = [name for name, _ in found]  # in what is inlined, that of the inlined function
    notify, look = names.index("virtqueue_notify"), names.index("virtqueue_look_later")
    before, behind = parts(PORT, [instruction for _, instruction in found[notify:look]])
    assert re.search(WRITE + INDEX, before) and not re.search(WRITE + INDEX, behind), found
    assert re.search(READ, behind), found
