"""Our terminal as the keyboard of the machine that tools/run --tty starts."""

import os
import select
import termios
import tty

CTRL_A = b"\x01"
CTRL_D = b"\x04"


class Terminal:
    """Our terminal in raw mode while the machine has it, and Ctrl-A as the way out."""

    def __init__(self, wanted, send_break):
        self.raw = wanted and os.isatty(0)
        self.send_break = send_break
        self.escape = False
        if self.raw:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)

    def restore(self):
        if self.raw:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

    def read(self):
        """(bytes for the machine, whether to end, whether input has ended)"""
        data = os.read(0, 4096)
        out = b""
        for byte in (data[i:i + 1] for i in range(len(data))):
            if self.escape:
                self.escape = False
                if byte in b"xX":
                    return out, True, False
                if byte in b"bB":
                    self.send_break()
                    continue
                out += CTRL_A if byte in (CTRL_A, b"a") else byte
            elif byte == CTRL_A and self.raw:
                self.escape = True
            else:
                out += byte
        return out, False, not data


class Keyboard:
    """What was typed and not yet taken: the machine reads slowly, and we must never wait for it. Before
    the program runs nothing is sent: a serial port that is being set up forgets what it has heard."""

    def __init__(self, machine, console, poll):
        self.console = console
        self.descriptor = machine.console_in.fileno()
        self.poll = poll
        self.waiting = b""
        os.set_blocking(self.descriptor, False)

    def send(self, data):
        self.waiting += data
        if not self.console.passing:
            return
        try:
            self.waiting = self.waiting[os.write(self.descriptor, self.waiting):]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.waiting = b""  # it has ended: its output will say so
        if self.waiting:
            self.poll.register(self.descriptor, select.POLLOUT)
        else:
            try:
                self.poll.unregister(self.descriptor)
            except KeyError:
                pass
