"""One machine of one check: a student's kernel, run by tools/run in a jail, and what was seen of it.

A program of the lab's gets a key of its own here, new in each run (tests/labs/lab.h); what it reports is believed
by that. How the machine ended is known from tools/run's word, which comes from outside of it.
"""

import contextlib
import os
import re
import subprocess
import threading
import traceback

from grading import jail
from grading.build import converse, program_path
from grading.trees import ROOT
from grading.usage import ASLEEP, EXHAUSTED, SPENT, Ledger, Meter

PLACEHOLDER = b"@LAB-KEY-HERE-@!"
REPORTS = "/lab/reports"
UPTIME = "/proc/uptime"
# What tools/run and gdb need of the tree.
READ = ("tools", "kernel", "build/tests/labs", "build/user", "build/vdso.debug.so")
# What gdb shows goes into a student's report, and the sources that it would find here are the solution's.
NO_SOURCES = ["-batch", "-ex", "set source open off"]
MAX_REPORTS = 100000
WALL_SECONDS = 100      # for each second of virtual time, and once more: the slowest host that grades
REAL_SECONDS = 20       # the same without --icount, where the machine's time is this one's, busy or not
SPIN_SECONDS = 3        # and of each processor for each second, once more: it does nothing but spin
COUNTED_PART = 0.05     # of a grading's processor time, with --icount, when the machine's own time is not over before
IDLE_SECONDS = 12       # nothing runs, and with --icount sleep takes no time
WAIT_SECONDS = 15       # more, where something goes on beside it: gdb starts, a peer counts
MEMORY = 6 << 30        # of addresses, of which QEMU's translations take one GiB
MAX_OUTPUT = 64 << 20
MASK = (1 << 64) - 1
# How a machine ended, by the word of tools/run --end.
KINDS = {"exit": "EXIT", "signal": "EXIT", "nofile": "EXIT", "panic": "PANIC", "timeout": "TIMEOUT", "leak": "LEAK",
         "lost": "FAIL", "noexec": "FAIL", "error": "FAIL"}
LOST = {"lost": "the machine went off before the program's end (a triple fault, or a reset?)",
        "noexec": "the program could not be started", "error": "init could not do its work"}


class Infra(Exception):
    """Not the student's doing: this run says nothing."""


class Ended(Exception):
    """The check can't go on: KIND is its verdict."""

    def __init__(self, kind, text, hint=None):
        super().__init__(text)
        self.kind, self.hint = kind, hint


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def siphash(key, data):
    """SipHash-2-4, as in lab.h."""
    k = [int.from_bytes(key[i:i + 8], "little") for i in (0, 8)]
    v = [k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d, k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573]

    def mix():
        v[0] = v[0] + v[1] & MASK
        v[1] = rotate(v[1], 13) ^ v[0]
        v[0] = rotate(v[0], 32)
        v[2] = v[2] + v[3] & MASK
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = v[0] + v[3] & MASK
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = v[2] + v[1] & MASK
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xff])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i:i + 8], "little")
        v[3] ^= word
        mix()
        mix()
        v[0] ^= word
    v[2] ^= 0xff
    for _ in range(4):
        mix()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def believed(data, key):
    """The reports in a file that programs wrote whose key was KEY: {name: [text]}. The rest is not theirs."""
    keys, reports = [key], {}
    for line in data.split(b"\n"):
        tag, _, text = line.partition(b" ")
        words = text.split(b" ", 2)
        if len(tag) != 16 or len(words) != 3 or not words[0].isdigit() or len(words[0]) > 6:
            continue
        index = int(words[0])
        while len(keys) <= index < MAX_REPORTS:
            keys.append(b"".join(siphash(keys[-1], digit).to_bytes(8, "little") for digit in (b"0", b"1")))
        if index < len(keys) and tag == b"%016x" % siphash(keys[index], text):
            value = re.sub(rb"\\(.)", lambda match: b"\n" if match[1] == b"n" else match[1], words[2])
            reports.setdefault(words[1].decode(errors="replace"), []).append(value.decode(errors="replace"))
    return reports


def number(text):
    """TEXT as a number if it looks like one."""
    try:
        return int(text, 0)
    except ValueError:
        return text


class Seen:
    """What was seen of one machine."""

    def __init__(self):
        self.end, self.status, self.why = None, None, ""
        self.reports, self.console, self.log, self.panic = {}, "", "", ""
        self.fetched, self.gdb, self.pcap, self.beside, self.words = {}, "", None, None, ""
        self.asleep = False     # whether it was ended since nothing ran in it: by the kernel, or now and then by QEMU
        self.trouble = None     # an exception of what went on beside: it counts if the machine did end well

    def one(self, key):
        """What was reported under KEY, None unless just once: a number if it looks like one."""
        values = self.reports.get(key, [])
        return number(values[0]) if len(values) == 1 else None

    def all(self, key):
        """Everything that was reported under KEY."""
        return [number(value) for value in self.reports.get(key, [])]


def panic_report(log):
    """What a panic says first, with the stacks, and without times."""
    lines = [re.sub(r"^\[ *\d+\.\d+\] ?", "", line) for line in log.splitlines()]
    first = next((i for i, line in enumerate(lines) if "kernel panic" in line.lower()), None)
    if first is None:
        return ""
    last = next((i for i in range(first, len(lines)) if lines[i].startswith("events of CPU")), len(lines))
    return "\n".join(lines[first:min(last, first + 60)])


class Machine:
    """One run. FOLDER is its own; SOCKETS the check's, that both sides can write."""

    def __init__(self, lab, build, kind, folder, sockets, ledger=None):
        self.lab, self.build, self.kind, self.folder, self.sockets = lab, build, kind, folder, sockets
        self.ledger = ledger or Ledger()
        self.key = os.urandom(16)

    def overlay(self):
        """The lab's programs, with the key."""
        inside = os.path.join(self.folder, "overlay", "lab")
        os.makedirs(inside)
        for source in self.lab.program_sources():
            path = program_path(self.lab, source)
            with open(path, "rb") as file:
                data = file.read()
            if data.count(PLACEHOLDER) > 1:
                raise Infra(f"{path} has more than one place for the key")
            target = os.path.join(inside, os.path.basename(path))
            with open(target, "wb") as file:
                file.write(data.replace(PLACEHOLDER, self.key))
            os.chmod(target, 0o755)
        reports = os.path.join(inside, os.path.basename(REPORTS))
        with open(reports, "wb"):
            pass
        os.chmod(reports, 0o666)
        return os.path.dirname(inside)

    def run(self, program, args, *, seconds, icount=True, smp=1, mem=None, net="none", nic="", append="",
            env=None, fetch=(), stdin=None, gdb=None, beside=None, leak_check=False, interactive=None):
        """Run it and return what was Seen. INTERACTIVE: a function that is given the words of gdb and lets a person
        debug; then there is no budget."""
        out = os.path.join(self.folder, "out")
        os.makedirs(out)
        overlay = self.overlay()
        files = {path: os.path.join(out, f"fetched{n}") for n, path in enumerate([REPORTS, UPTIME, *fetch])}
        words = [os.path.join(ROOT, "tools", "run"), "--kernel", self.build.kernel, "--initrd", self.build.initrd,
                 "--overlay", overlay, "--smp", str(smp), "--mem", str(mem or self.lab.limits["machine_memory_mib"]),
                 "--end", out + "/end", "--kernel-log", out + "/log", "--net", net]
        wall = seconds * WALL_SECONDS + WALL_SECONDS
        if icount:
            words += ["--icount"]
        if icount and not interactive:
            words += ["--budget", str(seconds)]
        if not icount:
            wall = seconds * REAL_SECONDS + 2 * REAL_SECONDS
        words += ["--timeout", str(0 if interactive else wall)]
        words += ["--leak-check"] if leak_check else []
        words += ["--append", append] if append else []
        words += ["--nic", nic] if nic else []
        words += ["--pcap", out + "/pcap"] if net != "none" else []
        words += ["--gdb", out + "/gdb"] if gdb is not None or interactive else []
        for key, value in (env or {}).items():
            words += ["--env", f"{key}={value}"]
        for inside, path in files.items():
            words += ["--fetch", f"{inside}:{path}"]
        # By way of /lab, which the host has not: tools/run would bring the host's /bin/sh along.
        words += ["--", "/lab/.." + program if "/" in program else f"/lab/{program}", *(str(arg) for arg in args)]
        if stdin is not None:
            with open(out + "/stdin", "wb") as file:
                file.write(stdin)
            words = ["sh", "-c", 'exec < "$0"; exec "$@"', out + "/stdin", *words]
        most = self.ledger.share(COUNTED_PART) if icount else SPIN_SECONDS + SPIN_SECONDS * seconds * smp
        idle = IDLE_SECONDS + (0 if icount else seconds) + (WAIT_SECONDS if gdb is not None or beside else 0)
        seen = self._run(words, wall, (most, idle), out, gdb, beside, interactive)
        self._look(seen, files, seconds if icount and not interactive else None, out)
        return seen

    def _run(self, words, wall, limits_of_use, out, gdb, beside, interactive):
        limits = jail.Limits(memory=MEMORY, processes=self.lab.limits["processes"])
        most = self.lab.limits["output_mib"] * jail.MIB
        debugger = Meter(self.ledger)
        meter = Meter(self.ledger, *limits_of_use, beside=debugger)

        def look(pid):
            with contextlib.suppress(FileNotFoundError):
                if os.path.getsize(out + "/log") > most:
                    return f"more than {most >> 20} MiB in the kernel's log"
            return meter.look(pid)

        seen, helpers, results = Seen(), [], {}
        reads = [self.build.folder, os.path.join(self.folder, "overlay")]
        reads += [path for path in (os.path.join(ROOT, name) for name in READ) if os.path.exists(path)]
        with jail.Jail(self.kind, read=reads, write=[out, self.sockets], size=512) as cell:
            command = cell.command(words, limits)
            if interactive:
                converse_until(command, lambda: interactive(self.gdb_words(out)))
                raise Infra("it was debugged")
            if gdb is not None:
                helpers.append(Helper(results, "gdb", lambda: self._debug(cell, out, gdb, wall, debugger)))
            if beside:
                helpers.append(Helper(results, "beside", beside))
            status, console, errors, why = converse(command, wall + 60, most, MAX_OUTPUT, look)
        for helper in helpers:
            helper.join(60)
        for name, value in results.items():
            setattr(seen, name, value)
        seen.trouble = next((helper.error for helper in helpers if helper.error), None) or next(
            (Infra("what goes on beside the machine did not end with it") for helper in helpers if helper.is_alive()),
            None)
        seen.status, seen.console = status, console.decode(errors="replace")
        seen.words = errors.decode(errors="replace") + (f"tools/grade: {why}\n" if why else "")
        seen.why = why
        return seen

    def gdb_words(self, out):
        """The command that attaches; gdb itself may look at what the student compiled, but not obey it."""
        return ["gdb", "-q", "-nx", "-iex", "set auto-load no", "-x", os.path.join(ROOT, "tools/gdb/signalbox.py"),
                "-ex", f"signalbox-connect {out}/gdb", self.build.kernel]

    def _debug(self, cell, out, commands, wall, meter):
        script = os.path.join(self.folder, "overlay", "commands.gdb")
        with open(script, "w", encoding="utf-8") as file:
            file.write(commands)
        *words, kernel = self.gdb_words(out)
        waiting = 'while [ ! -S "$0" ]; do sleep 0.05; done; exec "$@"'
        limits = jail.Limits(memory=MEMORY, processes=self.lab.limits["processes"])
        command = cell.command(["sh", "-c", waiting, out + "/gdb", *words, *NO_SOURCES, "-x", script, kernel], limits)
        _, said, errors, _ = converse(command, wall + 30, MAX_OUTPUT, MAX_OUTPUT, meter.look)
        return (said + errors).decode(errors="replace")

    def _look(self, seen, files, budget, out):
        word = read_text(out + "/end").strip()
        seen.log = read_text(out + "/log")
        seen.panic = panic_report(seen.log)
        if os.path.exists(out + "/pcap"):
            seen.pcap = out + "/pcap"
        for inside, path in files.items():
            seen.fetched[inside] = read_bytes(path)
        if seen.why in (SPENT, ASLEEP, EXHAUSTED):
            # The same words as when the clock was first: which it is depends on how busy this machine is.
            seen.end, seen.asleep = "TIMEOUT", seen.why == ASLEEP
            seen.why = seen.why if seen.why == EXHAUSTED else ""
            return
        if seen.why.startswith("more than"):
            seen.end = "FAIL"
            return
        if word not in KINDS:
            raise Infra(f"tools/run: {word or 'no end'}: {seen.why or seen.words[-2000:].strip()}")
        seen.end, seen.why = KINDS[word], LOST.get(word, "")
        if seen.end == "FAIL":
            seen.why += "".join("\n" + line for line in seen.words.splitlines() if line.startswith("tools/run: "))
        seen.reports = believed(seen.fetched.pop(REPORTS) or b"", self.key)
        uptime = re.match(rb"\d+\.\d+ ", seen.fetched.pop(UPTIME) or b"")
        if budget is not None and seen.end == "EXIT" and uptime and float(uptime[0]) > budget:
            seen.end = "TIMEOUT"
        elif budget is not None and seen.end == "TIMEOUT" and "of its own time" not in seen.words:
            raise Infra("this machine was too slow for the time of the clock that is left for a run")


def converse_until(command, function):
    """Run a jail's COMMAND as long as FUNCTION needs it."""
    process = jail.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        function()
    finally:
        jail.stop(process)


class Helper(threading.Thread):
    """Something that goes on beside the machine: RESULTS[NAME] becomes its result, or `error` how it failed."""

    def __init__(self, results, name, function):
        super().__init__(daemon=True)
        self.results, self.key, self.function, self.error = results, name, function, None
        self.start()

    def run(self):
        try:
            self.results[self.key] = self.function()
        except Ended as ended:
            self.error = ended
        except Exception as error:  # whatever a check's own code raises
            self.error = Infra(f"{self.key}: " + "".join(traceback.format_exception(error)))


def read_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def read_text(path):
    return (read_bytes(path) or b"").decode(errors="replace")
