"""Patches for the lab `harness`, and their grading inside this process."""

import os

from grading import report, session
from grading.intake import HandedIn
from grading.lab import Lab
from grading.trees import ROOT, difference, read

LABS = os.path.join(ROOT, "tests", "host", "labs")
SOLUTION = """\
/* true: answer a question. */
#include <stdlib.h>

int main(int argc, char **argv)
{
    return argc > 1 ? atoi(argv[1]) * 3 & 127 : 0;
}
"""


def lab():
    return Lab("harness", LABS)


def patch(**texts):
    """A patch that makes these files read so: true=, main=, makefile=."""
    names = {"true": "user/true.c", "main": "kernel/main.c", "makefile": "Makefile"}
    after = {names[key]: text for key, text in texts.items()}
    return difference({name: read(ROOT, name) for name in after}, after)


def in_makefile(line):
    """A patch with a line more in front of the Makefile's first rule."""
    text = read(ROOT, "Makefile")
    return patch(makefile=text.replace("## all:", line + "\n\n## all:", 1))


def in_kernel(statement):
    """A patch with a statement more where the kernel starts the first process."""
    text = read(ROOT, "kernel/main.c")
    head, tail = text.split("static void first_process(void *unused)\n{\n")
    return patch(main=f"{head}static void first_process(void *unused)\n{{\n    {statement}\n{tail}")


def grade(text, **words):
    """The Grade of a patch by the lab `harness`. WORDS are a Plan's."""
    return grade_handed(HandedIn("handed-in", text), **words)


def grade_handed(handed, **words):
    return session.grade(lab(), handed, session.Plan(**{"jobs": 1, **words}))


def verdicts(made):
    return {result.check.name: result.outcome.verdict for result in made.results}


def student_text(made):
    return report.text(report.table(made, {}), student=True)
