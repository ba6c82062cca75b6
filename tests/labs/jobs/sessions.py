"""A session at the terminal, as programs/drive.c plays it: first what is to be done is noted, then all of it is run."""

import re

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Step:
    """One operation; after the run, its result."""

    def __init__(self, session, text):
        self.session, self.text, self.number = session, text, len(session.steps)

    @property
    def result(self):
        seen = self.session.seen.all(f"op{self.number}")
        return str(seen[0]) if seen else None

    def __getitem__(self, fact):
        """Of a probe that came, or of the shell's facts: a number, the words as a text; None: it did not come."""
        match = re.search(rf"\b{fact}=(\S*)", self.result or "")
        if not match:
            return None
        if fact == "words":
            return match[1]
        try:
            return int(match[1], 16 if fact in ("ignored", "blocked") else 8 if fact == "modes" else 10)
        except ValueError:
            return None


class Session:
    def __init__(self, t, how="terminal"):
        self.t, self.how, self.steps, self.seen = t, how, [], None

    def do(self, text):
        self.steps.append(Step(self, text))
        return self.steps[-1]

    def type(self, text):
        return self.do(f"type:{text}")

    def meet(self, *names):
        steps = [self.do(f"meet:{name}") for name in names]
        return steps if len(steps) > 1 else steps[0]

    def ask(self, name, *words):
        """Have the shell run a probe with WORDS and end at once: what the words have become."""
        self.type(f"probe {name} {' '.join(words)}")
        step = self.meet(name)
        self.leave(name)
        return step

    def leave(self, name, status=0):
        self.do(f"tell:{name}:exit {status}")
        return self.do(f"end:{name}")

    def run(self, **words):
        """Play it. The first operation that did not come about is shown; what comes behind it may make no sense."""
        self.seen = self.t.boot("drive", self.how, *(step.text for step in self.steps), **words)
        return self

    def expect_all(self, hints=None, but=None):
        """All operations that wait for something came about, but for the step BUT."""
        for step in self.steps:
            if step is not but and step.result in ("no", "nobody", "silent", "gone", None):
                before = ", ".join(other.text for other in self.steps[max(0, step.number - 8):step.number])
                hint = next((hint for start, hint in (hints or {}).items() if step.text.startswith(start)), None)
                return self.t.expect(f"{step.text} comes about, after {before or 'the start'}", want="done",
                                     got=step.result, hint=hint)
        return True

    def shown(self):
        """What a person saw, without escape sequences, as lines."""
        return [line.rstrip() for line in re.split(r"[\r\n]+", ESCAPES.sub("", self.seen.console))]
