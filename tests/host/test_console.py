"""The console as it is typed at: the line discipline, the shell on it, and the programs people use."""

import pytest

from terminal import PROMPT, Terminal, shell

ERASE, KILL, WORD_ERASE, EOF, INTERRUPT, QUIT = "\x7f", "\x15", "\x17", "\x04", "\x03", "\x1c"
CTRL_A = "\x01"


def cat():
    """cat on the terminal: what the line discipline hands on comes back as a second line. The first
    answer shows that it is cat who listens, not yet the shell that starts it and ignores SIGQUIT."""
    terminal = Terminal("--", "/bin/busybox", "sh", "-c", "echo ready; exec cat")
    terminal.expect_exact("ready\r\n")
    terminal.send("?\r")
    terminal.expect_exact("?\r\n?\r\n")
    return terminal


def test_a_line_is_echoed_and_then_read():
    with cat() as terminal:
        terminal.send("hello\r")
        terminal.expect_exact("hello\r\nhello\r\n")


@pytest.mark.parametrize("typed, line", [
    ("abX" + ERASE + "c\r", "abc"),
    ("wrong" + KILL + "right\r", "right"),
    ("one two  three" + WORD_ERASE + "four\r", "one two  four"),
    (ERASE * 5 + "x\r", "x"),
], ids=["erase", "kill", "word_erase", "erase_nothing"])
def test_a_line_is_edited_before_it_is_read(typed, line):
    with cat() as terminal:
        terminal.send(typed)
        terminal.expect_exact("\r\n" + line + "\r\n")


def test_end_of_file_ends_the_reader():
    with cat() as terminal:
        terminal.send("last\r" + EOF)
        assert terminal.status() == 0


def test_end_of_file_in_a_line_hands_on_what_is_there():
    with cat() as terminal:
        terminal.send("part" + EOF)
        terminal.expect_exact("partpart")
        terminal.send("\r" + EOF)
        assert terminal.status() == 0


def test_interrupt_kills_the_foreground():
    with cat() as terminal:
        terminal.send("gone" + INTERRUPT)
        assert terminal.status() == 128 + 2


def test_quit_kills_the_foreground():
    with cat() as terminal:
        terminal.send(QUIT)
        assert terminal.status() == 128 + 3


def test_terminal_size_is_ours():
    with Terminal("--", "/bin/busybox", "stty", "size") as terminal:
        terminal.expect_exact("30 100\r\n")
        assert terminal.status() == 0


def test_a_terminal_without_a_size_has_the_usual_one():
    with Terminal("--", "/bin/busybox", "stty", "size", size=(0, 0)) as terminal:
        terminal.expect_exact("24 80\r\n")
        assert terminal.status() == 0


def test_shell_knows_the_size_when_the_terminal_tells():
    for _ in range(20):
        with Terminal() as terminal:
            terminal.answer_size(41, 132)
            terminal.expect(PROMPT)
            size = terminal.command("stty size").splitlines()[-1]
        if size != "0 0":  # that is what it knows when a busy machine's answer came after the second that init waits
            break
    assert size == "41 132"
    with Terminal() as terminal:  # one that doesn't answer
        terminal.expect(PROMPT)
        assert terminal.command("echo alive") == "alive\n"


def test_a_shell_whose_terminal_has_no_size_takes_80_columns():
    with Terminal() as terminal:
        terminal.expect(PROMPT)
        terminal.send("echo " + 40 * "x" + "\r")
        assert "echo " + 40 * "x" in terminal.expect(PROMPT)


def test_raw_mode_gives_each_byte_at_once():
    script = "stty raw -echo; printf ready; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane"
    with Terminal("--", "/bin/busybox", "sh", "-c", script) as terminal:
        terminal.expect_exact("ready")
        terminal.send("a" + INTERRUPT + EOF)
        terminal.expect_exact("61 03 04")
        assert terminal.status() == 0


def test_a_read_with_a_time_limit_ends():
    script = "stty -icanon min 0 time 2; dd bs=1 count=1 2>/dev/null | wc -c; stty sane"
    with Terminal("--", "/bin/busybox", "sh", "-c", script) as terminal:
        terminal.expect_exact("0\r\n")
        assert terminal.status() == 0


def test_ctrl_a_x_ends_the_machine():
    with cat() as terminal:
        terminal.send(CTRL_A + "x")
        assert terminal.status() == 126


def test_shell_runs_commands():
    with shell() as terminal:
        assert terminal.command("echo $((6*7)) | sed s/4/four/") == "four2\n"
        assert terminal.command("echo in > /tmp/f; cat < /tmp/f; rm /tmp/f; false || echo $?") == "in\n1\n"
        assert terminal.command("echo $(echo a; echo b)") == "a b\n"
        assert terminal.command("ls -ld /tmp").startswith("drwxrwxrwt")
        assert terminal.command("cat <<X\rhere\rX").endswith("here\n")


def test_shell_edits_its_line():
    with shell() as terminal:
        # Left twice, insert; home, insert; the line before, from the history.
        assert terminal.command("cho ac\x1b[Db\x1b[1~e").endswith("abc\n")
        assert terminal.command("\x1b[A").endswith("abc\n")


def test_shell_survives_interrupts():
    with shell() as terminal:
        # Either side of sleep's start.
        for line in ("echo star''ted; sleep 1000", "sh -c 'echo star\"\"ted; exec sleep 1000'"):
            terminal.send(line + "\r")
            terminal.expect_exact("started")
            terminal.send(INTERRUPT)
            terminal.expect(PROMPT)
        terminal.send("echo star''ted; while :; do :; done\r")
        terminal.expect_exact("started")
        terminal.send(INTERRUPT)
        terminal.expect(PROMPT)
        assert terminal.command("echo alive") == "alive\n"


def test_shell_is_started_again():
    with shell() as terminal:
        terminal.send("exit\r")
        terminal.expect(PROMPT)
        assert terminal.command("echo again") == "again\n"


def test_poweroff_ends_the_machine():
    with shell() as terminal:
        terminal.send("poweroff -f\r")
        assert terminal.status() == 0


def test_vi_edits_a_file():
    with shell() as terminal:
        terminal.send("vi /tmp/text\r")
        terminal.expect("- /tmp/text")
        terminal.send("ione\rtwo\rthree\x1b")
        terminal.expect("- /tmp/text.*3/3")
        terminal.send(":2d\r")
        terminal.send(":wq\r")
        terminal.expect(PROMPT)
        assert terminal.command("cat /tmp/text") == "one\nthree\n"


COMMANDS = {
    "ps": ("ps -e", "init"),
    "top": ("top -b -n1", "Mem:"),
    "find": ("find / -xdev | sort | uniq -c | tail -n 1", "/var"),
    "tar": ("cd /tmp; tar cf t.tar /etc 2>/dev/null; tar tf t.tar | grep passwd; cd", "etc/passwd"),
    "gzip": ("gzip < /etc/passwd | gunzip | head -n 1", "root:"),
    "awk": ("awk -F: '{ n += $3 } END { print NR, n }' /etc/passwd", "66535"),
    "mount": ("mount", "proc on /proc type proc"),
    "free": ("free", "Mem:"),
    "uptime": ("uptime", "load average"),
    "dmesg": ("dmesg | wc -l; dmesg | head -n 3", "["),
    "df": ("df /tmp", "/tmp"),
    "id": ("id", "uid=0(root)"),
    "maps": ("cat /proc/self/maps", "[stack]"),
    "fd": ("ls -l /proc/self/fd", "/dev/tty"),
    "interrupts": ("cat /proc/interrupts", "CPU0"),
    "slabinfo": ("head -n 2 /proc/slabinfo", "slabinfo"),
    "status": ("cat /proc/self/status", "State:"),
    "urandom": ("head -c 8 /dev/urandom | wc -c", "8"),
    "subshells": ("(cd /tmp; pwd); pwd", "/tmp"),
    "background": ("sleep 0 & wait; echo waited", "waited"),
}


def test_the_commands_of_every_day():
    wrong = []
    with shell() as terminal:
        terminal.command("stty cols 200; cd /")
        for name, (line, expected) in COMMANDS.items():
            output = terminal.command(line)
            if expected not in output:
                wrong.append(f"{name}: {line}: expected {expected!r}, got:\n{output}")
    assert not wrong, "\n".join(wrong)
