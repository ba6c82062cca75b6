"""gdb in batch mode on a machine of tools/run's: what each command printed."""

import os
import re
import signal
import subprocess
import time

from support import BUILD, PATIENCE, ROOT, RUN, Verdict

SCRIPT = os.path.join(ROOT, "tools", "gdb", "signalbox.py")
MARK = "=====signalbox-test====="


def kernel_of(flavour):
    return os.path.join(BUILD, "debug" if "--debug" in flavour else "", "kernel.elf")


def await_file(path, process=None):
    """Wait until there is such a file; a process that was to make it must not have ended."""
    end = time.monotonic() + PATIENCE
    while not os.path.exists(path):
        if time.monotonic() > end or process and process.poll() is not None:
            said = process.communicate()[1].decode(errors="replace") if process else ""
            raise Verdict("INFRA", f"there is no {path}: {said}")
        time.sleep(0.05)


def frames(text):
    """The functions of a backtrace, the innermost first."""
    whole = re.sub(r"\n +", " ", text)
    return re.findall(r"^#\d+ +(?:0x\w+ in )?(<.*>|[\w.]+) \(", whole, re.M)


def in_order(wanted, found):
    rest = iter(found)
    return all(name in rest for name in wanted)


class Output(list):
    """(command, what it printed) in order."""

    def of(self, command):
        """What the only such command printed."""
        found = [text for word, text in self if word == command]
        assert len(found) == 1, f"{command} was given {len(found)} times"
        return found[0]

    def all(self):
        return "".join(f"(gdb) {word}\n{text}" for word, text in self)


def batch(kernel, commands, timeout=PATIENCE):
    """Run gdb with our script and COMMANDS, whether they fail or not."""
    words = ["gdb", "-q", "-batch", "-nx", "-x", SCRIPT]
    for command in commands:
        words += ["-ex", f"echo \\n{MARK}\\n", "-ex", command]
    try:
        done = subprocess.run([*words, kernel], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        text = (error.stdout or b"").decode(errors="replace")
        raise Verdict("TIMEOUT", f"gdb did not end in {timeout} s:\n{text[-3000:]}") from error
    pieces = done.stdout.decode(errors="replace").split(f"\n{MARK}\n")
    return Output(zip(["(start)", *commands], pieces))


class Machine:
    """`with Machine(folder, options..., "--", program...) as machine:` halted before its first instruction."""

    def __init__(self, folder, *words):
        self.socket = str(folder / f"{len(os.listdir(folder))}.sock")
        cut = words.index("--") if "--" in words else len(words)
        options = ["--gdb", self.socket, *([] if "--timeout" in words else ["--timeout", str(PATIENCE)])]
        self.kernel = kernel_of(words)
        self.process = subprocess.Popen([RUN, *words[:cut], *options, *words[cut:]], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        await_file(self.socket, self.process)
        return self

    def gdb(self, *commands):
        """Attach, run COMMANDS, and let the machine go on."""
        return batch(self.kernel, [f"signalbox-connect {self.socket}", *commands])

    def finish(self):
        """(status, output) once the machine has ended by itself."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=PATIENCE)
