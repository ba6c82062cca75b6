"""A failing run once more, the same to the instruction, with a person and gdb in it.

The report has the patch and the seed; the same questions are asked of the same kernel, and with --icount the
same questions give the same run. Machines of the check that come before the one that is looked at run by
themselves.
"""

import json
import os
import shutil
import signal
import subprocess
import time

from grading import build, jail
from grading.checks import Trial
from grading.lab import Lab
from grading.patch import apply
from grading.session import chosen
from grading.trees import ROOT, Failure, write

PATIENCE = 60   # seconds for a machine to come up


def find(report_path, name, labs):
    """(report, lab, check, its entry in the report)"""
    try:
        with open(report_path, encoding="utf-8") as file:
            report = json.load(file)
    except ValueError as error:
        raise Failure(f"{report_path} is no report.json: {error}") from None
    lab = Lab(report["lab"], labs)
    entry = next((one for one in report["checks"] if one["name"] == name), None)
    if entry is None:
        there = ", ".join(one["name"] for one in report["checks"])
        raise Failure(f"{report_path} has no check {name}; it has {there}")
    if not entry["machines"]:
        raise Failure(f"{name} ran no machine: {entry['verdict']} {entry['text']}")
    return report, lab, chosen(lab.load_checks(), [name])[-1], entry


def student_tree(folder, tree, changes):
    """The student's sources, for gdb to show."""
    shutil.copytree(tree, folder, symlinks=True, ignore=lambda where, _: ("build",) if where == tree else ())
    for name, text in changes.items():
        if text is None:
            os.unlink(os.path.join(folder, name))
        else:
            write(folder, name, text)
            os.utime(os.path.join(folder, name), (0, 0))    # gdb warns of what is younger than the kernel


def debugger(tree, sources, programs, commands):
    """A function that, given the words that attach, lets a person debug: or COMMANDS, where there are any."""
    def debug(words):
        *words, kernel = words
        end = time.monotonic() + PATIENCE
        socket = next(word.split()[1] for word in words if word.startswith("signalbox-connect "))
        while not os.path.exists(socket):
            if time.monotonic() > end:
                raise Failure("the machine did not come up")
            time.sleep(0.05)
        for place in (jail.SCRATCH + "/tree", tree, ROOT):
            words += ["-ex", f"set substitute-path {place} {sources}"]
        if commands:
            words.append("-batch")
            words += [word for command in commands for word in ("-ex", command)]
        elif programs:
            print("symbols of the test programs: `program FILE`, of", *programs, sep="\n    ", flush=True)
        return subprocess.run([*words, kernel], check=False).returncode
    return debug


def replay(report_path, name, labs, kind, machine, commands):
    """tools/grade --replay; its status."""
    report, lab, check, entry = find(report_path, name, labs)
    machine = machine or entry["machines"]
    if not 1 <= machine <= entry["machines"]:
        raise Failure(f"{name} ran {entry['machines']} machines, so --machine {machine} is none of them")
    kind = jail.choose(kind)
    tree = build.prepare(lab)
    changes = apply(report["patch"]["text"], tree, lab.paths) if report["patch"]["text"] else {}
    with build.Build(lab, tree, changes, kind, os.cpu_count() or 1) as built:
        sources = os.path.join(built.folder, "tree")
        student_tree(sources, tree, changes)
        programs = [build.program_path(lab, source) for source in lab.program_sources()]
        debug = debugger(tree, sources, programs, commands)
        # Ctrl-C is gdb's; a handler, unlike "ignore", does not go over to it.
        signal.signal(signal.SIGINT, lambda *_: None)
        before = os.umask(0)
        print(f"{name}, machine {machine} of {entry['machines']}, seed {report['seed']}: it came out "
              f"{entry['verdict']}", flush=True)
        test = Trial(lab, check, built, kind, report["seed"], (machine, debug))
        outcome = test.run()
        os.umask(before)
    if not test.debugged:
        raise Failure(f"the check did not come to its machine {machine} again: {outcome.verdict} {outcome.text}")
    return 0
