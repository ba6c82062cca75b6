"""The commands: what they print, and with what status they end.

A case, in commands/, is a few lines of shell behind a line `# NAME`, run in an empty directory; $X is the
folder of the commands. It is run

    on the host with the host's own commands    the oracle, but of cases that say what they expect, in lines `#> `
    on the host with ours                       the same files as in the machine, byte for byte
    in the machine with ours                    all cases in one boot
    on the host, built with another C library

Standard output and the status must be the same in all, and between host and machine the messages too.
"""

import functools
import glob
import os
import re
import shlex
import shutil
import subprocess

import pytest

from support import BUILD, PATIENCE, ROOT, Verdict, leave_the_others, run
from terminal import shell

COMMANDS = """arp cat cp date dhcp echo env false fingerd grep head hexdump host id ifconfig inetd ipcmk ipcrm
    ipcs kill ln ls mkdir mkfifo mv nc netstat ping poweroff ps pwd rm rmdir route sleep sort stat
    sync tail tcpdump tee time touch traceroute true tty uname wc wget yes""".split()

FOLDER = os.path.join(os.path.dirname(__file__), "commands")

# What a script may use. until_holds PATTERN FILE waits five minutes at most.
PRELUDE = """export LC_ALL=C TZ=UTC0; umask 022
lines() { printf '%s\\n' "$@"; }
numbers() { i=$1; while [ $i -le $2 ]; do echo $i; i=$((i+1)); done; }
until_holds() { i=0; until $X/grep -qs "$1" $2 || [ $i -ge 6000 ]; do $X/sleep 0.05; i=$((i+1)); done; }
"""

# Odd names: a newline, a blank, a leading hyphen, bytes that are no UTF-8, and one as long as names can be.
ODD = r"""odd() { printf 'two\nlines'; echo; }; NL=$(odd); LONG=$(printf '%0255d' 7); BAD=$(printf 'b\377\200d')
$X/touch -- "$NL" 'a b' -r "$BAD" "$LONG" '*'"""

# What each command prints something with, into a full device.
FULL = {
    "cat": "cat f", "cp": "cp -v f g", "date": "date", "echo": "echo x", "env": "env", "grep": "grep a f",
    "head": "head f", "hexdump": "hexdump f", "id": "id", "ipcs": "ipcs",
    "kill": "kill -l", "ls": "ls", "ln": "ln -v f g",
    "mkdir": "mkdir -v d", "mv": "mv -v f g", "ps": "ps -A", "pwd": "pwd", "rm": "rm -v f", "rmdir": "rmdir -v e",
    "sort": "sort f", "stat": "stat f", "tail": "tail f", "tee": "tee < f", "tty": "tty", "uname": "uname",
    "wc": "wc f", "yes": "yes",
}
FAILURE = {"env": 125, "grep": 2, "sort": 2, "ls": 2, "tty": 3}
USAGE_STATUS = {"env": 125, "time": 125, "grep": 2, "sort": 2, "tty": 2}



def read_cases():
    """Those in commands/: NAME -> (script, what it must print; None: what the host's commands do)."""
    cases = {}
    for file in sorted(os.listdir(FOLDER)):
        with open(os.path.join(FOLDER, file), encoding="utf-8") as text:
            for case in re.split("^# ", text.read(), flags=re.M)[1:]:
                name, script = case.split("\n", 1)
                expected = "".join(line + "\n" for line in re.findall("^#> (.*)", script, re.M))
                cases[name] = script, expected or None
    return cases


def failing_output():
    """Every command, printing into what takes nothing: a message and a status that isn't 0."""
    cases = {}
    for name, command in FULL.items():
        for where, redirection, why in (("full", "> /dev/full", "No space"), ("closed", ">&-", "Bad file")):
            script = (f"lines a > f; $X/mkdir e; $X/{command} 2>err {redirection}; echo $?\n"
                      f"$X/grep -Ec '^{name}: .*({why}|write error)' err")
            cases[f"{name}_into_{where}"] = script, f"{FAILURE.get(name, 1)}\n1\n"
    return cases


def bad_options():
    return {f"{name}_bad_option": (f"$X/{name} -@ 2>err </dev/null; echo $?; $X/grep -c '^usage: {name} ' err",
                                   f"{USAGE_STATUS.get(name, 1)}\n1\n")
            for name in COMMANDS if name not in ("echo", "true", "false", "yes")}


CASES = {**read_cases(), **failing_output(), **bad_options()}
JUDGED = [name for name, case in CASES.items() if case[1] is None]
OWN = [name for name, case in CASES.items() if case[1] is not None]


def script_of(name):
    return PRELUDE + re.sub(r"\bODD\b", lambda _: ODD, CASES[name][0]) + "\n"


def on_host(name, folder, where):
    """(standard output, standard error, status) of the case with the commands in FOLDER. Ports and System V objects are
    its own."""
    shared = re.search(r"\$X/(nc|ipc)", CASES[name][0])
    where.mkdir()
    shell = shutil.which("dash") or "sh"
    done = subprocess.run([shell, "-c", f"X={folder}\n{script_of(name)}"], cwd=where, capture_output=True,
                          timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
                          preexec_fn=leave_the_others if shared else None,
                          env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": "/"})
    return done.stdout, done.stderr, done.returncode


def oracle(name):
    """Does the host have every command that the case uses?"""
    return all(os.path.exists(f"/usr/bin/{command}") for command in re.findall(r"\$X/(\w+)", CASES[name][0]))


@pytest.mark.parametrize("name", JUDGED)
def test_as_the_hosts(name, tmp_path):
    if not oracle(name):
        pytest.skip("the host has no such command")
    theirs = on_host(name, "/usr/bin", tmp_path / "theirs")
    ours = on_host(name, f"{BUILD}/user", tmp_path / "ours")
    assert (ours[0], ours[2]) == (theirs[0], theirs[2]), f"{ours[1]} against {theirs[1]}"


@pytest.mark.parametrize("name", OWN)
def test_own(name, tmp_path):
    ours = on_host(name, f"{BUILD}/user", tmp_path / "ours")
    assert ours[0].decode() == CASES[name][1] and ours[2] == 0, ours[1]


# In the machine: a script for each case, and one that runs them all and says what came of each.
DRIVER = """export PATH=/bin:/usr/bin HOME=/
for f in /cases/*; do
    n=${f##*/}
    mkdir /tmp/t; cd /tmp/t
    /bin/busybox ash $f >/tmp/out 2>/tmp/err </dev/null
    s=$?
    cd /; rm -rf /tmp/t
    echo "$n $s $(stat -c %s /tmp/out) $(stat -c %s /tmp/err)"; cat /tmp/out /tmp/err
done
rm /tmp/out /tmp/err
"""


@functools.cache
def in_machine(overlay):
    cases = os.path.join(overlay, "cases")
    os.makedirs(cases)
    for name in CASES:
        with open(os.path.join(cases, name), "w", encoding="utf-8") as file:
            file.write(f"X=/bin\n{script_of(name)}")
    result = run("--debug", "--leak-check", "--timeout", str(2 * PATIENCE), "--overlay", overlay,
                 "--", "/bin/busybox", "ash", "-c", DRIVER)
    result.must_have_run()
    found, rest = {}, result.out
    while rest:
        head, rest = rest.split(b"\n", 1)
        name, status, out, err = head.split()
        out, err = int(out), int(err)
        found[name.decode()] = rest[:out], rest[out:out + err], int(status)
        rest = rest[out + err:]
    return found


def plain_messages(text):
    """Without what the shell itself says, the folder of the commands, and lines with a number that differs."""
    text = text.replace(f"{BUILD}/user/".encode(), b"").replace(b"/bin/", b"")
    of_shell = rb"dash|ash:|\d{4}|Terminated|Killed|Hangup|User def"
    return [line for line in text.split(b"\n") if not re.search(of_shell, line)]


def test_in_the_machine_as_on_the_host(tmp_path):
    inside = in_machine(str(tmp_path / "overlay"))
    problems = []
    for name in CASES:
        host = on_host(name, f"{BUILD}/user", tmp_path / name)
        if name not in inside:
            problems.append(f"{name}: did not report")
        elif inside[name][::2] != host[::2] or plain_messages(inside[name][1]) != plain_messages(host[1]):
            problems.append(f"{name}: {shlex.quote(CASES[name][0])}\n  host   {host}\n  inside {inside[name]}")
    if problems:
        raise Verdict("FAIL", f"{len(problems)} of {len(CASES)} cases differ:\n" + "\n".join(problems))


def test_built_with_another_library(tmp_path):
    """The same sources with musl: no warning, the same output."""
    folder = tmp_path / "musl"
    folder.mkdir()
    for name in COMMANDS:
        source = os.path.join(ROOT, "user", name)
        files = glob.glob(f"{source}/*.c") or [f"{source}.c"]
        subprocess.run(["musl-gcc", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-o", folder / name,
                        *files], check=True, timeout=PATIENCE)
    problems = []
    for name in CASES:
        ours = on_host(name, f"{BUILD}/user", tmp_path / f"{name}.ours")
        musl = on_host(name, folder, tmp_path / name)
        if ours[::2] != musl[::2]:
            problems.append(f"{name}: {shlex.quote(CASES[name][0])}\n  ours {ours}\n  musl {musl}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("command", ["/bin/poweroff", "/bin/poweroff -f", "/bin/poweroff -d 1 -n", "/bin/reboot"])
def test_the_machine_ends(command):
    """Asked by way of init, and at once. tools/run takes a restart for an end, of a run that reported none."""
    with shell() as terminal:
        terminal.send(command + "\r")
        assert terminal.status() in (0, 126)
