"""The test runner: what pytest finds under tests/, and how each kind is run and judged.

    conform/NAME        a TAP program, run on the host's Linux and in the kernel: both must pass and print
                        the same, and the kernel must have leaked nothing; conform/NAME+musl is the same
                        source with another C library
    kernel/AREA/CLAIM   a self-test inside the kernel
    unit/NAME           pure code, compiled for the host with sanitizers
    stress/, fuzz/      long random runs in the kernel
    host/FILE::NAME     a pytest function that looks at the machine from outside

A verdict is PASS, FAIL, TIMEOUT, PANIC, LEAK, BUILD, INFRA or SKIP with its reason. The last line is
`N passed, N failed`; no test at all is a failure.
"""

import fnmatch
import os
import random
import re
import signal

import pytest

from support import BUILD, PATIENCE, Verdict, run, run_on_host

# What was started in the background of a shell, or with nohup, ignores these, and so would all it starts.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

LONG_FIRST = ("stress/", "host/test_labs", "host/test_boot.py::test_uefi", "fuzz/", "host/test_example",
              "unit/tcp_random")


def pytest_addoption(parser):
    parser.addoption("--select", metavar="PATTERN", help="only tests whose name has PATTERN in it")


# --- finding ----------------------------------------------------------------------------------------


def pytest_collect_file(file_path, parent):
    folder = file_path.parent.name
    if file_path.suffix != ".c":
        return None
    kinds = {"conform": ConformFile, "kernel": KernelFile, "unit": UnitFile, "stress": StressFile,
             "fuzz": FuzzFile}
    return kinds[folder].from_parent(parent, path=file_path) if folder in kinds else None


class ConformFile(pytest.File):
    def collect(self):
        text = self.path.read_text()
        if "int main" not in text:
            return
        name = self.path.stem
        yield ConformTest.from_parent(self, name=f"conform/{name}", program=f"conform/{name}")
        if "musl" in text.splitlines()[0]:
            yield ConformTest.from_parent(self, name=f"conform/{name}+musl", program=f"musl/{name}")


class KernelFile(pytest.File):
    def collect(self):
        for area, claim in re.findall(r"^KTEST\((\w+),\s*(\w+)\)", self.path.read_text(), re.M):
            yield KernelTest.from_parent(self, name=f"kernel/{area}/{claim}")


class UnitFile(pytest.File):
    def collect(self):
        yield UnitTest.from_parent(self, name=f"unit/{self.path.stem}")


class StressFile(pytest.File):
    def collect(self):
        yield StressTest.from_parent(self, name=f"stress/{self.path.stem}")


class FuzzFile(pytest.File):
    def collect(self):
        if "int main" in self.path.read_text():
            yield FuzzTest.from_parent(self, name=f"fuzz/{self.path.stem}")


def label(item):
    """The name a person knows a test by: no folder `tests/`, and host tests with their file."""
    if isinstance(item, Test):
        return item.name
    return item.nodeid.removeprefix("tests/")


def pytest_collection_modifyitems(config, items):
    pattern = config.getoption("--select")
    if pattern:
        wanted = [item for item in items if fnmatch.fnmatch(label(item), f"*{pattern}*")]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        items[:] = wanted
    items.sort(key=lambda item: not label(item).startswith(LONG_FIRST))


# --- running ----------------------------------------------------------------------------------------


class Test(pytest.Item):
    """One test of ours: runtest() returns, or raises a Verdict."""

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, Verdict):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, self.name


class ConformTest(Test):
    def __init__(self, program, **words):
        super().__init__(**words)
        self.program = f"{BUILD}/tests/{program}"

    def runtest(self):
        if not os.path.exists(self.program):
            raise Verdict("BUILD", f"{self.program} was not built")
        inside = run("--debug", "--leak-check", "--", self.program)
        inside.must_have_run()
        check_tap("in the kernel", inside)
        if os.geteuid() != 0:
            # The host's half makes users and mounts.
            self.user_properties.append(("note", "in the kernel alone: on the host it needs root"))
            return
        host = run_on_host(self.program, alone=True)
        check_tap("on the host's Linux", host)
        if host.out != inside.out:
            raise Verdict("FAIL", "the kernel's output differs from the host's:\n"
                          + difference(host.text, inside.text))


def check_tap(where, result):
    """A TAP program that ended well: every line ok, as many as planned, and not none."""
    lines = result.text.splitlines()
    bad = [i for i, line in enumerate(lines) if line.startswith("not ok")]
    plan = [int(line[3:]) for line in lines if re.fullmatch(r"1\.\.\d+", line)]
    tests = sum(1 for line in lines if re.match(r"(not )?ok\b", line))
    if bad:
        shown = [line for i in bad for line in with_diagnostics(lines, i)]
        raise Verdict("FAIL", f"{where}: {len(bad)} of {tests} checks failed:\n" + "\n".join(shown))
    if result.status != 0 or not plan or plan[0] != tests or tests == 0:
        raise Verdict("FAIL", f"{where}: status {result.status}, {tests} checks, planned {plan}:\n"
                      f"{result.text[-2000:]}{result.err[-2000:]}")


def with_diagnostics(lines, i):
    """A line of TAP and the comments that belong to it (before or after: both are done)."""
    first = i
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    last = i + 1
    while last < len(lines) and lines[last].startswith("#"):
        last += 1
    return lines[first:last]


def difference(expected, got):
    import difflib
    return "\n".join(list(difflib.unified_diff(expected.splitlines(), got.splitlines(),
                                               "Linux", "Signalbox", lineterm="", n=1))[:60])


class KernelTest(Test):
    results = None  # of the one boot that runs them all: name -> (ok, text); kept by each worker

    def runtest(self):
        claim = self.name.removeprefix("kernel/")
        if KernelTest.results is None:
            KernelTest.results = run_kernel_tests("all")[0]
        if claim not in KernelTest.results:
            # Something ended that boot before this one's turn: give it a boot of its own.
            results, run_result = run_kernel_tests(claim)
            run_result.must_have_run()
            if claim not in results:
                raise Verdict("FAIL", f"{claim} did not report:\n{run_result.text[-2000:]}")
            KernelTest.results[claim] = results[claim]
        ok, text = KernelTest.results[claim]
        if not ok:
            raise Verdict("FAIL", text)


def run_kernel_tests(pattern):
    result = run("--debug", "--append", f"ktest={pattern}")
    lines = result.text.splitlines()
    results = {}
    for i, line in enumerate(lines):
        match = re.match(r"(not )?ok \d+ - (\S+)", line)
        if match:
            results[match[2]] = (not match[1], "\n".join(with_diagnostics(lines, i)))
    return results, result


class UnitTest(Test):
    def runtest(self):
        result = run_on_host(f"{BUILD}/tests/{self.name}", timeout=3 * PATIENCE)
        if result.status != 0:
            raise Verdict("FAIL", f"status {result.status}:\n{both_ends(result.text)}{both_ends(result.err)}")


def both_ends(text):
    """Of a long text: what went wrong stands at its beginning, with the seed, or at its end."""
    return text if len(text) <= 4000 else f"{text[:2000]}\n[...]\n{text[-2000:]}"


class StressTest(Test):
    def runtest(self):
        seconds = int(os.environ.get("STRESS_SECONDS", "60"))
        seed = os.environ.get("STRESS_SEED") or str(random.SystemRandom().randrange(1 << 31))
        self.user_properties.append(("note", f"seed {seed}, {seconds} seconds, 4 CPUs"))
        result = run("--debug", "--leak-check", "--smp", "4", "--mem", "512", "--append", f"seed={seed}",
                     "--timeout", str(seconds * 2 + 2 * PATIENCE), "--", f"{BUILD}/tests/{self.name}",
                     seed, str(seconds), note=f"seed {seed}")
        result.must_have_run()
        if result.status != 0:
            raise Verdict("FAIL", f"seed {seed}: status {result.status}\n{result.text[-3000:]}")


class FuzzTest(Test):
    def runtest(self):
        seed = os.environ.get("FUZZ_SEED") or str(random.SystemRandom().randrange(1 << 31))
        self.user_properties.append(("note", f"seed {seed}"))
        result = run("--debug", "--leak-check", "--timeout", str(3 * PATIENCE), "--", f"{BUILD}/tests/{self.name}",
                     seed, note=f"seed {seed}")
        result.must_have_run()
        if result.status != 0:
            raise Verdict("FAIL", f"seed {seed}: status {result.status}\n{result.text[-3000:]}")


# --- reporting --------------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None and isinstance(call.excinfo.value, Verdict):
        report.verdict = call.excinfo.value.kind
        report.longrepr = str(call.excinfo.value)


def verdict_of(report):
    return getattr(report, "verdict", {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}[report.outcome])


def counts_as_end(report):
    return report.when == "call" or report.failed or report.skipped


def pytest_report_teststatus(report):
    """No letter or word of pytest's own: pytest_runtest_logreport prints a line for each test."""
    return (report.outcome, "", "") if counts_as_end(report) else ("", "", "")


counts = {"passed": 0, "failed": 0, "skipped": 0}
closing = []    # what tests have to say that is read when all have ended


def pytest_runtest_logreport(report):
    if not counts_as_end(report):
        return
    counts[report.outcome] += 1
    path, name = report.nodeid.split("::", 1)
    shown = name if path.endswith(".c") else f"{path.removeprefix('tests/')}::{name}"
    notes = [value for key, value in report.user_properties if key == "note"]
    if report.skipped:
        notes.append(report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr))
    closing.extend(value for key, value in report.user_properties if key == "closing")
    tail = f": {'; '.join(notes)}" if notes else ""
    print(f"{verdict_of(report):8}{shown} ({report.duration:.1f} s){tail}", flush=True)


def pytest_collectreport(report):
    if report.failed:
        counts["failed"] += 1


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        for words in closing:
            print(words)
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}", flush=True)
