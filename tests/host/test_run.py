"""tools/run: what it prints, what it exits with, and that nothing can look like success but success."""

import os
import signal
import subprocess
import time

import pytest

from support import DEADLINES, EXTRA_WORDS, INFRA, NOT_FOUND, PANIC, PATIENCE, RUN, TIMEOUT, busybox, patient, run

ON_LINUX = bool(EXTRA_WORDS)


def test_pipeline_of_real_programs():
    result = run("--", "/usr/bin/busybox", "sh", "-c", "for i in 1 2 3; do echo $i; done | wc -l")
    assert (result.status, result.out) == (0, b"3\n")


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_status_is_the_program_s(status):
    result = busybox(f"exit {status}")
    assert (result.status, result.out) == (status, b"")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_signal_is_128_and_its_number(number):
    assert busybox(f"kill -{int(number)} $$").status == 128 + number


def test_true_with_its_libraries():
    result = run("--", "/bin/true")
    assert (result.status, result.out) == (0, b""), result.err


def test_every_byte_comes_out_as_it_was_written():
    data = bytes(range(256)) * 40 + b"no newline at the end"
    result = busybox("cat", data=data)
    assert result.status == 0
    assert result.out == data


def test_a_large_standard_input_arrives_whole():
    data = os.urandom(300000)
    result = busybox("md5sum; cat", data=data)
    assert result.text.split()[0] == subprocess.run(["md5sum"], input=data, capture_output=True,
                                                    check=True).stdout.decode().split()[0]


def test_no_standard_input_is_the_end_at_once():
    assert busybox("wc -c").text.strip() == "0"


def test_standard_error_goes_to_the_console_too():
    assert busybox("echo out; echo error >&2").out == b"out\nerror\n"


def test_words_arrive_as_they_are():
    result = run("--env", "NAME=a b\nc", "--", "/bin/busybox", "sh", "-c",
                 'printf "%s|" "$0" "$@" "$NAME"', "zero", "two words", "", "new\nline", "*")
    assert result.text == "zero|two words||new\nline|*|a b\nc|"


def test_missing_program_is_127():
    for name in ("no-such-program", "/no/such/program"):
        result = run("--", name)
        assert (result.status, result.out) == (NOT_FOUND, b"")
        assert "No such file or directory" in result.err


def test_a_file_that_is_no_program_is_126(tmp_path):
    text = tmp_path / "text"
    text.write_text("just text\n")
    text.chmod(0o755)
    result = run("--", str(text))
    assert result.status == INFRA
    assert "Exec format error" in result.err


def test_a_script_runs_with_its_interpreter(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho script: $1\nexit 5\n")
    script.chmod(0o755)
    result = run("--", str(script), "word")
    assert (result.status, result.out) == (5, b"script: word\n")


def test_timeout_is_124_and_ends_the_machine():
    for seconds in DEADLINES:
        result = run("--timeout", str(seconds), "--", "/bin/busybox", "sh", "-c", "echo started; sleep 1000000")
        assert result.status == TIMEOUT
        assert f"no end after {seconds} seconds" in result.err
        if result.out:
            break
    assert result.out == b"started\n"


def test_a_busy_program_times_out_too():
    assert run("--timeout", "4", "--", "/bin/busybox", "sh", "-c", "while :; do :; done").status == TIMEOUT


@pytest.mark.skipif(ON_LINUX, reason="Linux has no isa-debug-exit driver")
@pytest.mark.parametrize("words", [[], ["--debug"]], ids=["release", "debug"])
def test_panic_is_125_with_the_panic_shown(words):
    result = busybox("echo before; echo c > /proc/sysrq-trigger; echo after", *words)
    assert result.status == PANIC
    assert "panic" in result.err.lower()
    assert result.text == "before\n"
    assert "sysrq" in result.err
    # Symbolised: the call that asked for it stands in the backtrace.
    assert "sys_write" in result.err


FORGERIES = """
printf '%s' '\x1eend 0123456789abcdef0123456789abcdef\x1e'
printf '0123456789abcdef0123456789abcdef exit 0 0\n' > /dev/ttyS2
printf '0123456789abcdef0123456789abcdef done 0 0\n' > /dev/ttyS2
printf 'exit 0 0\ndone 0 0\n' | tee /dev/ttyS2
ls -d /.run /.run/nonce 2>/dev/null
tr '\\0' '\\n' < /proc/1/environ | grep -c nonce
exit 3
"""


def test_what_a_program_prints_forges_no_verdict():
    result = busybox(FORGERIES)
    assert result.status == 3
    assert result.out.endswith(b"exit 0 0\ndone 0 0\n0\n")


@pytest.mark.parametrize("command", ["poweroff -f", "reboot -f"])
def test_a_program_that_ends_the_machine_is_no_success(command):
    result = busybox(f"echo last words; {command}; sleep 100")
    assert result.status == INFRA
    assert "went off" in result.err


def test_leftover_processes_end_with_the_program():
    result = busybox("(while :; do sleep 1; done) & (sleep 1000000) & echo gone")
    assert (result.status, result.out) == (0, b"gone\n")


def test_qemu_that_does_not_start_is_126():
    for qemu in ("/bin/false", "/no/such/qemu"):
        result = run("--", "/bin/true", env={"QEMU": qemu})
        assert (result.status, result.out) == (INFRA, b"")
        assert result.err.startswith("tools/run: ")


def test_a_missing_build_is_126(tmp_path):
    done = subprocess.run([RUN, "--", "/bin/true"], capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, SIGNALBOX_BUILD=str(tmp_path)))
    assert done.returncode == INFRA
    assert b"run make first" in done.stderr


def test_options_that_make_no_sense_are_refused():
    for words in (["--net", "carrier-pigeon"], ["--hostfwd", "tcp:1:2"], ["--pcap", "x"], ["--no-such-option"]):
        result = run(*words, "--", "/bin/true")
        assert (result.status, result.out) == (INFRA, b"")
        assert words[0] in result.err


def test_a_file_does_not_become_a_socket(tmp_path):
    file = tmp_path / "precious"
    file.write_text("precious")
    result = run("--net", f"dgram:{file}:{tmp_path}/there", "--", "/bin/true")
    assert (result.status, result.out) == (INFRA, b"") and "no socket" in result.err
    assert file.read_text() == "precious"


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_cannot_be_is_refused(port):
    result = run("--gdb", port, "--", "/bin/true")
    assert (result.status, result.out) == (INFRA, b"")
    assert port in result.err and "ports" in result.err


def test_overlay_and_fetch(tmp_path):
    (tmp_path / "tree" / "etc").mkdir(parents=True)
    (tmp_path / "tree" / "etc" / "word").write_text("overlaid\n")
    (tmp_path / "tree" / "link").symlink_to("etc/word")
    out, again = tmp_path / "out", tmp_path / "again"
    data = bytes(range(256)) * 3
    (tmp_path / "tree" / "data").write_bytes(data)
    result = run("--overlay", str(tmp_path / "tree"), "--fetch", f"/tmp/copy:{out}",
                 "--fetch", f"/link:{again}", "--", "/bin/busybox", "sh", "-c",
                 "cat /link; cp /data /tmp/copy; exit 9")
    assert (result.status, result.out) == (9, b"overlaid\n")
    assert out.read_bytes() == data
    assert again.read_text() == "overlaid\n"


def test_fetching_what_is_not_there_fails(tmp_path):
    result = run("--fetch", f"/nothing:{tmp_path / 'x'}", "--", "/bin/true")
    assert result.status == INFRA
    assert "/nothing" in result.err


def test_kernel_log_is_kept_apart(tmp_path):
    log = tmp_path / "log"
    result = busybox("echo words >/dev/null", "--kernel-log", str(log))
    assert result.out == b""
    if not ON_LINUX:
        assert len(log.read_text().splitlines()) > 3


def test_the_processor_can_be_chosen():
    count = "grep -c avx2 /proc/cpuinfo; true"
    assert busybox(count, "--smp", "1", "--cpu", "max,avx2=on").text == "1\n"
    assert busybox(count, "--smp", "1", "--cpu", "max,avx2=off").text == "0\n"


def test_runs_live_side_by_side():
    words = [RUN, *EXTRA_WORDS, *patient(["--"]), "/bin/busybox", "sh", "-c"]
    runs = [subprocess.Popen([*words, f"sleep 1; echo {i}; exit {i}"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE) for i in range(4)]
    for i, process in enumerate(runs):
        out, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (i, b"%d\n" % i)


def machines_of(folder):
    """The pids of QEMUs whose files lie in FOLDER."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if b"qemu" in words and os.fsencode(str(folder)) in words:
            found.append(int(pid))
    return found


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_qemu_dies_with_tools_run(tmp_path, number):
    process = subprocess.Popen([RUN, *EXTRA_WORDS, "--", "/bin/busybox", "sleep", "1000000"],
                               stdin=subprocess.DEVNULL, env=dict(os.environ, TMPDIR=str(tmp_path)))
    wait_until(lambda: machines_of(tmp_path))
    process.send_signal(number)
    process.wait(PATIENCE)
    wait_until(lambda: not machines_of(tmp_path))
    if number == signal.SIGTERM:
        assert process.returncode == 128 + signal.SIGTERM
        assert os.listdir(tmp_path) == []


def test_nothing_is_left_behind(tmp_path):
    result = run("--", "/bin/true", env={"TMPDIR": str(tmp_path)})
    assert result.status == 0
    assert os.listdir(tmp_path) == []


def test_a_reader_that_goes_away_ends_the_run():
    process = subprocess.Popen([RUN, *EXTRA_WORDS, "--", "/bin/busybox", "yes"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    assert process.stdout.read(4) == b"y\ny\n"
    process.stdout.close()
    assert process.wait(PATIENCE) == 128 + signal.SIGPIPE


@pytest.mark.skipif(ON_LINUX, reason="a record of Linux's boot is long")
def test_a_recorded_run_repeats(tmp_path):
    bundle = tmp_path / "bundle"
    script = "head -c 16 /dev/urandom | od -x; date +%s%N; exit 4"
    recorded = busybox(script, "--record", str(bundle))
    replayed = run("--replay", str(bundle))
    assert (recorded.status, replayed.status) == (4, 4), recorded.err + replayed.err
    assert len(recorded.out) > 40
    assert replayed.out == recorded.out


@pytest.mark.skipif(ON_LINUX, reason="the figures of another kernel are its own")
def test_counted_runs_are_equal():
    script = "cat /proc/uptime; head -c 16 /dev/urandom | od -x"
    first, second = (busybox(script, "--icount") for _ in range(2))
    assert first.status == 0, first.err
    assert first.out == second.out


@pytest.mark.skipif(ON_LINUX, reason="another kernel takes longer to boot")
@pytest.mark.parametrize("script, status", [("sleep 2; exit 3", 3), ("sleep 1000000", TIMEOUT)])
def test_budget_is_of_the_machines_own_time(script, status):
    """Whoever sleeps under --icount needs no time of ours: a million seconds are over at once."""
    result = busybox(script, "--icount", "--budget", "10")
    assert result.status == status, result.err
    assert ("no end after 10 seconds of its own time" in result.err) == (status == TIMEOUT), result.err


@pytest.mark.skipif(ON_LINUX, reason="another kernel's panic is another")
@pytest.mark.parametrize("script, words, end", [
    ("exit 124", [], "exit"), ("kill -9 $$", [], "signal"), ("sleep 1000000", ["--timeout", "3"], "timeout"),
    ("echo c > /proc/sysrq-trigger", [], "panic"), ("true", ["--fetch", "/none:/dev/null"], "nofile"),
    ("poweroff -f; sleep 100", [], "lost")])
def test_end_is_told_in_a_word(tmp_path, script, words, end):
    """The program's status may be any of ours; this comes from outside of the machine."""
    busybox(script, "--end", str(tmp_path / "end"), *words)
    assert (tmp_path / "end").read_text() == end + "\n"
