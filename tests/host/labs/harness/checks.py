"""What the patches of the tests of the grader are graded by."""

from grading import check


@check(points=4, seconds=1)
def boots(t):
    """The machine starts a program, which starts another."""
    seen = t.boot("asks")
    t.expect("whether the other exited", want=1, got=seen.one("exited"))
    t.expect("the program's status", want=3, got=seen.status)


@check(points=6, needs=("boots",), seconds=2)
def answers(t):
    """It answers a question."""
    question = t.random.randrange(1, 1000)
    seen = t.boot("asks", question)
    t.expect("the answer", want=question * 3 & 127, got=seen.one("answer"), points=5, hint="three")
    t.expect("the program's status", want=3, got=seen.status)


@check(points=2, visible=False, needs=("boots",))
def answers_large_ones(t):
    """It answers a large question."""
    question = t.random.randrange(1 << 20, 1 << 24)
    seen = t.boot("asks", question)
    t.expect("the answer to a secret question", want=question * 3 & 127, got=seen.one("answer"))
