"""The checks of the lab jobs. A driver types, probes tell what the shell has made of them; see programs/."""

import hashlib
import os
import re
import sys

from grading import check

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sessions import Session  # noqa: E402 (it lies here)

SIGINT, SIGQUIT, SIGKILL, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU = 2, 3, 9, 18, 19, 20, 21, 22
CONTINUED = {"fore": "fg", "state": "continued"}


def bits(*signals):
    return sum(1 << number for number in signals)


def numbers(mask):
    """The signals of a set, as numbers."""
    return [number for number in range(1, 32) if (mask or 0) >> number & 1]


def line(number, mark, state, text):
    return f"[{number}] {mark} {state:16} {text}"


def lines(step):
    """The lines of a file that was brought as one report."""
    return [text for text in re.split(r"\\n|\n", step.result or "") if text]


# ---- step 1: pipelines


@check(points=7, seconds=20)
def data_goes_through(t):
    "Random lines through four stages, and a megabyte through three, compared with what this side computes."
    lines = [str(t.random.randrange(10 ** 9)) for _ in range(3000)] + ["7"] * 50
    letters = str.maketrans("0123456789", "abcdefghij")
    want = "".join(line.translate(letters) + "\n" for line in sorted(set(lines))).encode()
    word = f"{t.random.randrange(1 << 60):x}"
    size = 1_000_000 + t.random.randrange(100_000)
    endless = (word + "\n").encode() * (size // (len(word) + 1) + 1)
    script = ("sort | busybox uniq | busybox tr 0-9 a-j | tee /tmp/all | wc -l > /tmp/count\n"
              f"busybox yes {word} | busybox head -c {size} | busybox md5sum > /tmp/sum\n"
              "echo $? > /tmp/status\n"
              f"while true; do echo {word}; done | busybox head -n 3 > /tmp/head\n")
    seen = t.boot("/bin/sh", "-c", script, stdin="".join(line + "\n" for line in lines).encode(),
                  fetch=["/tmp/all", "/tmp/count", "/tmp/sum", "/tmp/status", "/tmp/head"])
    t.expect("sort | uniq | tr | tee: what came out", want=want, got=seen.fetched["/tmp/all"] or b"", hint="pipeline")
    t.expect("... | wc -l", want=str(len(set(lines))), hint="pipeline",
             got=(seen.fetched["/tmp/count"] or b"").decode(errors="replace").strip())
    t.expect("MD5 of the beginning of an endless stream", want=hashlib.md5(endless[:size]).hexdigest(),
             got=(seen.fetched["/tmp/sum"] or b"").decode(errors="replace").split(" ")[0], hint="sigpipe")
    t.expect("$? of that", want=b"0\n", got=seen.fetched["/tmp/status"], hint="status")
    t.expect("three lines of an endless loop", want=3 * f"{word}\n".encode(), got=seen.fetched["/tmp/head"],
             hint="sigpipe")


@check(points=9, seconds=20)
def stages_run_together(t):
    "Three stages at once, children of the shell; every end of a pipe where it belongs, nowhere else; EOF, SIGPIPE."
    status = t.random.randrange(1, 100)
    s = Session(t, "script:probe a | probe b | probe c; probe d $?; true")
    a, b, c = s.meet("a", "b", "c")
    shell, holders = s.do("facts"), s.do("holders")
    s.do("tell:a:write")
    byte = s.do("order:b:read")
    s.do("order:a:modes")
    s.leave("a")
    end = s.do("order:b:read")
    s.leave("c", status)
    s.do("tell:b:write")
    s.do("end:b")
    d = s.meet("d")
    s.run()
    if not s.expect_all({"meet:": "together", "end:b": "sigpipe", "order:b": "holders"}):
        return
    t.expect("their parents", want=[shell["pid"]] * 3, got=[a["ppid"], b["ppid"], c["ppid"]], hint="together")
    t.expect("who has the pipes open, by which descriptor", want="a/1+b/0 b/1+c/0", got=holders.result, points=3,
             hint="holders")
    t.expect("what b reads: a byte, and after a's end", want=["1", "0"], got=[byte.result, end.result], hint="holders")
    t.expect("the pipeline's status", want=str(status), got=d["words"], hint="status")


@check(points=6, seconds=20)
def a_stage_is_a_world_of_its_own(t):
    "What a stage or a subshell changes stays there; ! and the status of the last stage."
    x, n, m = t.random.randrange(1000), t.random.randrange(1, 128), t.random.randrange(1, 128)
    s = Session(t, f"script:x={x}; x=1 | x=2; probe a $x; (x=3; cd /tmp); probe b $x $PWD; cd / | true; probe c $PWD;"
                   f" sh -c 'exit {n}' | sh -c 'exit {m}'; probe d $?; ! false | true; probe e $?; ! true | false;"
                   f" probe f $?; for i in 1 2; do echo $i; done | while read i; do x=$i; done; probe g $x; true")
    steps = []
    for name in "abcdefg":
        steps.append(s.meet(name))
        s.leave(name)
    s.run()
    s.expect_all({"meet:": "pipeline"})
    words = [step["words"] for step in steps]
    home = (words[1] or ",").split(",")[-1]
    t.expect("$x and $PWD after stages and subshells changed theirs", want=[str(x), f"{x},{home}", home, str(x)],
             got=[words[0], words[1], words[2], words[6]], hint="subshell")
    t.expect("the statuses", want=[str(m), "1", "0"], got=words[3:6], hint="status")


@check(points=6, needs=("a_stage_is_a_world_of_its_own",), seconds=20)
def nothing_stays_open(t):
    "After sixty pipelines the shell has as many descriptors as before, and no child that it has not waited for."
    s = Session(t, "script:probe before; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do"
                   " true | true | true; : | : ; (true) | (true; true); done; probe after; true")
    s.meet("before")
    before = s.do("files")
    s.leave("before")
    s.meet("after")
    after = s.do("files")
    s.run()
    s.expect_all({"meet:": "descriptors"})
    was = before.result or ""
    t.expect("descriptors of the shell, before and after", hint="descriptors", got=after.result,
             want=was if was.isdigit() and int(was) > 2 else "three or more")


# ---- step 2: groups and the terminal


@check(points=6, seconds=20)
def the_shell_takes_the_terminal(t):
    "The shell leads a group in the foreground; started in the background it stops until it is brought to the front."
    s = Session(t)
    s.do("fore:sh")
    s.ask("first")
    facts = s.do("facts")
    s.run()
    s.expect_all()
    t.expect("group and session, relative to the shell's number", want=[0, 0],
             got=[(facts[fact] or 0) - (facts["pid"] or 0) for fact in ("group", "session")], hint="control")
    wanted = bits(SIGTSTP, SIGTTIN, SIGTTOU) >> 1  # SigIgn begins with signal 1
    t.expect("SIGTSTP, SIGTTIN and SIGTTOU are ignored", want=wanted, got=(facts["ignored"] or 0) & wanted,
             hint="control")
    s = Session(t, "background")
    s.do("state:sh:T")
    s.do("front")
    s.do(f"signal:sh:{SIGCONT}")
    first = s.ask("first")
    s.do("fore:sh")
    facts = s.do("facts")
    s.run()
    s.expect_all({"state:sh:T": "control", "meet:": "control"})
    t.expect("started in the background and brought to the front: the shell's group", want=facts["pid"],
             got=facts["group"], hint="control")
    t.expect("the group of a job", want=first["pid"], got=first["group"], hint="groups")


@check(points=9, needs=("stages_run_together",), seconds=20)
def a_job_is_a_group(t):
    "All stages in one group, which has the terminal before any of them runs; both sides of fork see to it (gdb)."
    s = Session(t)
    s.type("probe a | probe b | probe c")
    stages = s.meet("a", "b", "c")
    s.do("fore:a")
    for name in "abc":
        s.leave(name)
    s.do("fore:sh")
    after = s.ask("d")
    s.do("fore:sh")
    s.run(gdb="break sys_setpgid\nignore $bpnum 1000000\nbreak sys_shutdown\nbreak sys_reboot\ncontinue\n"
              "info breakpoints\ndetach\n")
    s.expect_all({"fore:": "terminal", "meet:": "groups"})
    a = stages[0]
    for fact in ("group", "foreground"):
        t.expect(f"{fact} of the stages, as each saw it when it began", want=[a["pid"]] * 3,
                 got=[stage[fact] for stage in stages], hint="groups" if fact == "group" else "terminal")
    t.expect("signals that the stages ignore or block", want=[[]] * 3, hint="child-signals",
             got=[numbers((stage["ignored"] or 0) | (stage["blocked"] or 0)) for stage in stages])
    t.expect("a single command after it: its group", want=[after["pid"]] * 2, got=[after["group"], after["foreground"]],
             hint="groups")
    hits = re.search(r"in sys_setpgid\b.*\n\s+breakpoint already hit (\d+) time", s.seen.gdb)
    t.expect("calls of setpgid that gdb counted: of four children each two, its own and the parent's; and the shell's",
             want=range(9, 1000), got=int(hits[1]) if hits else None, points=3, hint="both-sides")


@check(points=7, needs=("a_job_is_a_group",), seconds=20)
def interrupt_ends_the_job_alone(t):
    "Ctrl-C ends every stage, and what stands behind on the line; the shell lives, and $? is 130."
    s = Session(t)
    s.type("probe a | probe b; probe never")
    s.meet("a", "b")
    s.do("fore:a")
    s.do("key:c")
    s.do("end:a")
    s.do("end:b")
    s.do("fore:sh")
    status = s.ask("s", "$?")
    s.type("probe d; probe e $?")
    s.meet("d")
    s.do("fore:d")
    s.do(f"signal:d:{SIGKILL}")
    killed = s.meet("e")
    s.leave("e")
    never = s.do("tell:never:modes")
    s.run()
    s.expect_all({"end:": "interrupt", "meet:": "interrupt", "fore:": "terminal"}, but=never)
    t.expect("$? after Ctrl-C", want="130", got=status["words"], hint="interrupt")
    t.expect("what stands behind the job on the line", want="gone", got=never.result, hint="interrupt")
    t.expect("$? after SIGKILL, behind which the line goes on", want="137", got=killed["words"], hint="status")


@check(points=6, seconds=20)
def modes_come_back(t):
    "What a program that ended well has set for the terminal stays; what one that was killed left is mended."
    s = Session(t)
    s.type("probe a")
    s.meet("a")
    s.do("order:a:cooked")
    s.leave("a")
    s.type("probe b")
    s.meet("b")
    s.do("order:b:raw")
    s.do(f"signal:b:{SIGKILL}")
    mended = s.ask("c")
    s.type("probe d")
    s.meet("d")
    s.do("order:d:raw")
    s.leave("d")
    kept = s.ask("e")
    s.run()
    s.expect_all()
    t.expect("ISIG, ICANON, ECHO as the next program finds them: after one that was killed", want=0o13,
             got=mended["modes"], hint="modes")
    t.expect("after one that switched them off and ended well", want=0, got=kept["modes"], hint="modes")


@check(points=6, needs=("a_job_is_a_group",), seconds=20)
def background_stays_there(t):
    "A job with & has a group of its own, no terminal, its number in $!; and stops when it reads."
    s = Session(t)
    s.type("probe a | probe b &")
    a, b = s.meet("a", "b")
    s.do("fore:sh")
    last = s.ask("c", "$!", "$?")
    s.do("tell:a:read")
    s.do("state:a:T")
    s.do("fore:sh")
    shell = s.do("facts")
    s.run()
    s.expect_all({"meet:c": "background", "state:": "background"})
    t.expect("groups of the stages", want=[a["pid"]] * 2, got=[a["group"], b["group"]], hint="groups")
    t.expect("the foreground when they began", want=[shell["pid"]] * 2, got=[a["foreground"], b["foreground"]],
             hint="background")
    t.expect("$! and $?", want=f"{b['pid']},0", got=last["words"], hint="background")
    t.expect("lines [number] pid that were shown", want=[f"[1] {b['pid']}"],
             got=[line for line in s.shown() if re.fullmatch(r"\[\d+\] \d+", line)], hint="background")


@check(points=4, needs=("stages_run_together",), seconds=20)
def background_of_a_script(t):
    "Without job control what is in the background ignores SIGINT and SIGQUIT, and reads nothing; the rest is as ever."
    s = Session(t, "script:probe a & probe b $!; probe c | probe d & probe e; true")
    a, b = s.meet("a", "b")
    reads = [s.do("order:a:read"), s.do("order:b:read")]
    s.leave("b")
    c, d, e = s.meet("c", "d", "e")
    reads.append(s.do("order:c:read"))
    shell = s.do("facts")
    s.run()
    s.expect_all({"": "script"})
    deaf = bits(SIGINT, SIGQUIT)
    t.expect("ignored of SIGINT and SIGQUIT: with &, without, both stages with &, without",
             want=[numbers(deaf), [], numbers(deaf), numbers(deaf), []], hint="script",
             got=[numbers((one["ignored"] or 0) & deaf) for one in (a, b, c, d, e)])
    t.expect("bytes read from standard input, an endless file: with &, without, first stage with &",
             want=["0", "1", "0"], got=[read.result for read in reads], hint="script")
    t.expect("all are in the script's own group", want={shell["group"]}, got=a["group"], hint="script")
    t.expect("$!", want=str(a["pid"]), got=b["words"], hint="background")


# ---- step 3: stopped, continued, told


@check(points=10, needs=("a_job_is_a_group",), seconds=20)
def a_job_stops_and_goes_on(t):
    "Ctrl-Z stops all stages and gives the shell the terminal; fg gives it back and waits; $? is 148, then theirs."
    status = t.random.randrange(1, 100)
    s = Session(t)
    s.type("probe a | probe b")
    s.meet("a", "b")
    for turn in range(2):
        s.do("fore:a")
        s.do("key:z")
        s.do("state:a:T")
        s.do("state:b:T")
        s.do("fore:sh")
        stopped = s.ask(f"s{turn}", "$?")
        s.type("fg" if turn else "fg %1")
        s.do("fore:a")
        s.do("state:a:RS")
        s.do("state:b:RS")
    s.leave("a")
    s.leave("b", status)
    s.do("fore:sh")
    ended = s.ask("e", "$?")
    s.run()
    s.expect_all({"fore:sh": "stopped", "meet:s": "stopped", "fore:a": "fg", "state:a:RS": "continued",
                  "state:b:RS": "continued", "meet:e": "fg"})
    t.expect("$? after Ctrl-Z", want="148", got=stopped["words"], hint="stopped")
    t.expect("$? of the job in the end", want=str(status), got=ended["words"], hint="fg")


@check(points=6, needs=("a_job_stops_and_goes_on",), seconds=20)
def a_job_goes_on_behind(t):
    "bg: the job runs, the shell keeps the terminal; a job that stops to read goes on with fg."
    s = Session(t)
    s.type("probe a")
    s.meet("a")
    s.do("fore:a")
    s.do("key:z")
    s.do("state:a:T")
    s.do("fore:sh")
    s.type("bg")
    s.do("state:a:RS")
    s.do("fore:sh")
    listed = s.type("jobs > /tmp/list; probe l")
    s.meet("l")
    s.leave("l")
    listed = s.do("cat:/tmp/list")
    s.do("tell:a:read")
    s.do("state:a:T")
    s.type("fg")
    s.do("fore:a")
    s.do("state:a:RS")
    s.do("key:c")
    s.do("end:a")
    s.do("fore:sh")
    status = s.ask("s", "$?")
    s.run()
    s.expect_all({"state:a:RS": "continued", "fore:sh": "bg", "fore:a": "fg"})
    t.expect("the list of jobs after bg", want=[line(1, "+", "Running", "probe a")], got=lines(listed), hint="list")
    t.expect("lines [number] text that bg and fg have shown", want=["[1] probe a"] * 2,
             got=[text for text in s.shown() if text == "[1] probe a"], hint="bg")
    t.expect("$? after fg and Ctrl-C", want="130", got=status["words"], hint="fg")


def list_jobs(s, name):
    s.type(f"jobs > /tmp/{name}; probe {name}")
    s.meet(name)
    s.leave(name)
    return s.do(f"cat:/tmp/{name}")


@check(points=8, needs=("background_stays_there",), seconds=30)
def jobs_are_listed(t):
    "jobs, newest first, with the state of each: by signals from another hand, of several stages, ended and killed."
    status = t.random.randrange(1, 100)
    s = Session(t)
    texts = ["probe a one &", "probe b | probe c &", "probe d &"]
    for text, names in zip(texts, ("a", "bc", "d")):
        s.type(text)
        s.meet(*names)
    first = list_jobs(s, "x")
    s.do(f"signal:a:{SIGSTOP}")
    s.do("state:a:T")
    s.do(f"signal:b:-{SIGSTOP}")
    s.do("state:b:T")
    s.do("state:c:T")
    second = list_jobs(s, "y")
    s.do(f"signal:b:-{SIGCONT}")
    s.do("state:c:RS")
    s.do(f"signal:a:{SIGKILL}")
    s.do("end:a")
    s.leave("c", 0)
    s.ask("m")  # a prompt
    third = list_jobs(s, "z")
    s.leave("b", 0)
    s.leave("d", status)
    s.ask("n")
    fourth = list_jobs(s, "w")
    fifth = list_jobs(s, "v")
    s.run()
    s.expect_all()
    t.expect("three jobs", want=[line(3, "+", "Running", texts[2]), line(2, " ", "Running", texts[1]),
                                 line(1, " ", "Running", texts[0])], got=lines(first), hint="list")
    t.expect("two of them stopped", want=[line(3, "+", "Running", texts[2]), line(2, " ", "Stopped", texts[1]),
                                          line(1, " ", "Stopped", texts[0])], got=lines(second), hint="list")
    t.expect("one goes on, with one of its stages; one was killed, and that was told at the prompt",
             want=[[line(3, "+", "Running", texts[2]), line(2, " ", "Running", texts[1])], 1],
             got=[lines(third)[:2], s.shown().count(line(1, " ", "Killed", texts[0]))], hint="list")
    t.expect("the ends were told at the prompt: nothing is left to list", want=[[], []],
             got=[lines(fourth), lines(fifth)], hint="forgotten")
    told = [text[:4] + text[6:] for text in s.shown()]  # which of them is the newest meanwhile is another matter
    t.expect("lines that tell how they ended", want=[1, 1], hint="once",
             got=[told.count(f"[2] {'Done':16} {texts[1]}"), told.count(f"[3] {f'Done({status})':16} {texts[2]}")])


@check(points=4, visible=False, needs=("a_job_goes_on_behind",), seconds=20)
def everything_is_told_once(t):
    "A stop that was told is not told again at the next prompt, one that comes anew is; and neither is going on."
    s = Session(t)
    s.type("probe a")
    s.meet("a")
    for turn in range(2):
        s.do("fore:a")
        s.do("key:z")
        s.do("state:a:T")
        s.do("fore:sh")
        s.ask(f"s{turn}")
        s.ask(f"t{turn}")
        s.type("fg")
        s.do("state:a:RS")
    s.leave("a")
    s.ask("u")
    s.run()
    s.expect_all(CONTINUED)
    t.expect("times that Stopped was shown, of two stops", want=2,
             got=s.shown().count(line(1, "+", "Stopped", "probe a")), hint="once")
    t.expect("times that Running or Done was shown", want=0,
             got=len([text for text in s.shown() if re.match(r"\[1\] . (Running|Done)", text)]), hint="once")


@check(points=6, visible=False, needs=("a_job_goes_on_behind", "jobs_are_listed"), seconds=60)
def any_jobs_in_any_order(t):
    "Jobs that are started, stopped, brought to the front and sent back at random; the list after each."
    s = Session(t)
    jobs, count, want, got = {}, 0, [], []

    def listing():
        newest = max(jobs, default=0)
        want.append([line(n, "+" if n == newest else " ", jobs[n][1], jobs[n][0]) for n in sorted(jobs, reverse=True)])
        got.append(list_jobs(s, f"l{len(got)}"))

    for _ in range(9):
        act = t.random.choice(["start", "start", "stop", "fg", "bg", "end"] if jobs else ["start", "stop"])
        number = t.random.choice(list(jobs)) if jobs else 0
        if act in ("start", "stop") and len(jobs) < 3:
            count += 1
            text = f"probe j{count} {t.random.randrange(1000)}" + (" &" if act == "start" else "")
            number = max(jobs, default=0) + 1
            jobs[number] = [text, "Running", f"j{count}"]
            s.type(text)
            s.meet(f"j{count}")
        elif act in ("fg", "bg") and jobs:
            jobs[number][1] = "Running"
            s.type(f"{act} %{number}")
            s.do(f"state:{jobs[number][2]}:RS")
        elif act == "end" and jobs:
            name = jobs.pop(number)[2]
            s.do(f"signal:{name}:{SIGKILL}")
            s.do(f"end:{name}")
            s.ask(f"p{len(got)}")
        if act in ("stop", "fg") and number in jobs and not (act == "stop" and jobs[number][0].endswith("&")):
            s.do(f"fore:{jobs[number][2]}")
            s.do("key:z")
            s.do(f"state:{jobs[number][2]}:T")
            jobs[number][1] = "Stopped"
        s.do("fore:sh")
        listing()
    s.run()
    s.expect_all(CONTINUED)
    for number, (wanted, came) in enumerate(zip(want, got)):
        if wanted != lines(came):
            t.expect(f"list {number + 1} of the jobs", want=wanted, got=lines(came), hint="list")
            return
    t.expect("lists of the jobs", want=len(want), got=len([came for came in got if came.result is not None]))
