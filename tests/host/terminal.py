"""A terminal session with the machine, as a person at a keyboard would have it."""

import re

import pexpect

from support import EXTRA_WORDS, PATIENCE, RUN

PROMPT = r"[~/]\S* # "


def plain(text):
    """What the terminal shows, without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class Terminal:
    """tools/run --tty under a pseudo-terminal of 30 rows and 100 columns, or of another size."""

    def __init__(self, *words, timeout=PATIENCE, size=(30, 100)):
        words = [*EXTRA_WORDS, "--tty", "--timeout", str(2 * PATIENCE), *words]
        self.child = pexpect.spawn(RUN, words, timeout=timeout, encoding="utf-8", codec_errors="replace",
                                   dimensions=size, echo=False)
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:  # killed, but a busy machine had no time yet to bury it
            if self.child.isalive():
                self.child.wait()

    def send(self, text):
        self.child.send(text)

    def expect(self, pattern):
        """Wait for the pattern; what came before it, without escape sequences."""
        self.child.expect(pattern)
        return plain(self.child.before)

    def expect_exact(self, text):
        self.child.expect_exact(text)

    def command(self, line):
        """Type a command at the prompt; its output, up to the next prompt."""
        self.send(line + "\r")
        self.child.expect_exact("\r\n")  # the echo of the line
        return self.expect(PROMPT).replace("\r\n", "\n")

    def answer_size(self, rows=30, columns=100):
        """Answer as a terminal does when init asks where the cursor is, in the far corner."""
        self.expect_exact("\x1b[6n")
        self.send(f"\x1b[{rows};{columns}R")

    def status(self):
        """Wait for the end of the run."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


def shell(*words):
    """A machine booted to its own shell, at the prompt."""
    terminal = Terminal(*words)
    try:
        terminal.answer_size()
        terminal.expect(PROMPT)
    except BaseException:
        terminal.child.close(force=True)
        raise
    return terminal
