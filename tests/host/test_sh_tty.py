"""Our sh as it is typed at: editing, history, and jobs in the foreground, the background and stopped."""

import pytest

from support import BUILD
from terminal import Terminal, plain

PROMPT = "READY> "
LEFT, UP, DOWN, HOME, END, DELETE = "\x1b[D", "\x1b[A", "\x1b[B", "\x1b[1~", "\x1b[4~", "\x1b[3~"
CTRL_A = "\x01a"  # tools/run takes the first
SUSPEND, INTERRUPT, EOF = "\x1a", "\x03", "\x04"


class Shell(Terminal):
    """An interactive sh of its own, on the console, whose prompt nothing else prints."""

    def __init__(self):
        super().__init__("--env", "PS1=" + PROMPT, "--", f"{BUILD}/user/sh", "-i")
        self.expect(PROMPT)

    def type(self, *keys, wait=PROMPT):
        """Type; what appears until WAIT does, as a person sees it, newlines plain."""
        self.send("".join(keys))
        return self.expect(wait).replace("\r", "")

    def run(self, *keys):
        """The output of the command that KEYS and Enter make."""
        shown = self.type(*keys, "\r")
        return shown.split("\n", 1)[1]

    def start(self, command):
        """Start COMMAND, which says `started` when it runs."""
        self.send(command + "\r")
        self.expect("\r\nstarted")


@pytest.fixture(name="sh", scope="module")
def open_shell():
    with Shell() as shell:
        yield shell


SLEEPER = "sh -c 'echo started; exec sleep 1000'"


@pytest.mark.parametrize("keys, output", [
    (("cho abX\x7f", LEFT, "c", HOME, "e"), "acb\n"),
    (("echo ab", LEFT, LEFT, DELETE, END, "c"), "bc\n"),
    (("wrong\x15echo right",), "right\n"),
    (("echo abc\x02\x02\x0b",), "a\n"),
    (("cho x", CTRL_A, "e\x05y",), "xy\n"),
    (("echo \u00e4\u00f6\u00fc",), "\u00e4\u00f6\u00fc\n"),
], ids=["backspace_left_home", "delete_end", "kill_line", "kill_rest", "control_a_e", "utf8"])
def test_a_line_is_edited(sh, keys, output):
    assert sh.run(*keys) == output


def test_a_line_longer_than_the_terminal_is_edited(sh):
    digits = "0123456789" * 25
    assert sh.run("echo ", digits, HOME, "\x06" * 5, "(", END, ")\"\x02", HOME, "\x06" * 5,
                  '"').endswith(f"({digits})\n")


def test_history_is_walked(sh):
    sh.run("echo first")
    sh.run("echo second")
    assert sh.run(UP, UP) == "first\n"
    assert sh.run(UP, UP, DOWN, DOWN, "echo new") == "new\n"


def test_interrupt_drops_the_line(sh):
    assert sh.type("garbage", INTERRUPT).endswith("^C\n")
    assert sh.run("echo alive $?") == "alive 130\n"


def test_a_command_goes_on_over_lines(sh):
    sh.type("for i in 1 2\r", wait="\n> ")
    sh.type("do echo $i\r", wait="> ")
    assert sh.run("done") == "1\n2\n"
    sh.type("echo 'a\r", wait="\n> ")
    assert sh.run("b'") == "a\nb\n"


def test_an_error_leads_back_to_the_prompt(sh):
    assert "unexpected" in sh.run("if then")
    assert "not set" in sh.run("f() { { echo ${nope?}; } > /tmp/lost; }; x=2; x=1 f; echo no")
    assert sh.run("echo $x out") == "2 out\n"
    assert "nested too deeply" in sh.run("g() { g; }; g")
    assert sh.run("echo alive") == "alive\n"


def test_interrupt_ends_the_foreground(sh):
    sh.start(SLEEPER)
    sh.type(INTERRUPT)
    assert sh.run("echo $?") == "130\n"
    sh.start("while :; do echo started; sleep 1000; done")
    sh.type(INTERRUPT)
    sh.start("echo started; while :; do :; done")
    sh.type(INTERRUPT)
    assert sh.run("echo alive") == "alive\n"


def test_a_job_is_stopped_and_continued(sh):
    sh.start(SLEEPER)
    assert "[1] + Stopped" in sh.type(SUSPEND)
    assert sh.run("echo $?") == "148\n"
    assert "[1] + Stopped" in sh.run("jobs")
    assert sh.run("bg").startswith("[1] sh -c")
    assert "[1] + Running" in sh.run("jobs")
    sh.send("fg\r")
    sh.expect("exec sleep 1000'\r\n")
    sh.type(INTERRUPT)
    assert sh.run("jobs") == ""


def test_a_stopped_pipeline_is_one_job(sh):
    sh.start(SLEEPER + " | cat")
    assert sh.type(SUSPEND).count("Stopped") == 1
    assert sh.run("kill %1; wait %1; echo $?").endswith("143\n")


def test_the_background_is_told_of_when_it_ends(sh):
    # The notice stands before whichever prompt comes next.
    shown = sh.run("sleep 0 &") + sh.run("wait")
    assert shown.startswith("[1] ") and "[1] + Done" in shown
    assert "Done(3)" in sh.run("(exit 3) &") + sh.run("wait")
    sh.run("sleep 1000 &")
    assert "Terminated" in sh.run("kill %%; wait")


def test_a_background_job_may_not_read_the_terminal(sh):
    sh.run("cat &")
    sh.run("until jobs > /tmp/j; grep -q Stopped /tmp/j; do sleep 0.1; done")
    assert "[1] + Stopped" in sh.run("jobs")
    assert sh.run("kill -9 %1; wait %1; echo $?").endswith("137\n")


def test_jobs_have_numbers(sh):
    sh.run("sleep 1001 &")
    sh.run("sleep 1002 &")
    shown = sh.run("jobs")
    assert "[2] + Running" in shown and "[1]   Running" in shown
    assert sh.run("kill %+; wait %2; echo $?").endswith("143\n")
    assert sh.run("kill %1; wait %1; echo $?").endswith("143\n")


def test_the_terminal_is_restored_after_a_crash(sh):
    assert "Killed" in sh.run("sh -c 'stty raw -echo; kill -9 $$'")
    assert " icanon" in sh.run("stty -a") and "-icanon" not in sh.run("stty -a")
    assert sh.run("sh -c 'stty -icanon; kill -STOP $$'").count("Stopped") == 1
    assert "-icanon" not in sh.run("stty -a")
    sh.type("fg\r")
    sh.run("stty sane")


def test_wait_is_interrupted(sh):
    sh.start("sh -c 'echo started; exec sleep 1000' & wait")
    sh.type(INTERRUPT)
    assert sh.run("kill %1; wait %1; echo $?").endswith("143\n")


def test_exec_gives_the_program_its_signals_back():
    with Shell() as shell:
        assert "not found" in shell.run("exec nonexistent_program")
        shell.start("exec sh -c 'echo started; grep SigIgn /proc/self/status; exec cat'")
        shell.expect(r"SigIgn:\s+0+\r\n")
        shell.send(INTERRUPT)
        assert shell.status() == 130


def test_end_of_file_ends_the_shell():
    with Shell() as shell:
        shell.send("(exit 3)\r")
        shell.expect(PROMPT)
        assert plain(shell.child.after) == PROMPT
        shell.send(EOF)
        assert shell.status() == 3
