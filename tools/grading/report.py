"""The report of a grade: one table, and the same table as text, JSON, JUnit XML and Gradescope's results.json.

Everything in the table repeats when the same patch is graded again; what does not (when, how long) is under "run".
"""

import contextlib
import hashlib
import json
import os
import re
import xml.etree.ElementTree as xml

from grading.patch import NAME
from grading.trees import Failure

FORMAT = 1
MAX_TEXT = 20000
NAMES = ("report.txt", "student.txt", "report.json", "junit.xml", "results.json")


def table(grade, run):
    """The report as a dict. RUN: what is different each time."""
    return {
        "format": FORMAT, "lab": grade.lab.name, "title": grade.lab.title,
        "patch": {"name": grade.name, "sha256": hashlib.sha256(grade.text.encode(errors="surrogateescape")).hexdigest(),
                  "text": grade.text},
        "seed": grade.seed, "confined": grade.kind, "verdict": grade.verdict, "graded": grade.graded,
        "score": grade.score, "points": grade.points, "stage": grade.stage, "words": grade.words[-MAX_TEXT:],
        "interrupted": grade.interrupted, "notes": grade.notes,
        "checks": [of_check(grade, result) for result in grade.results], "run": run,
    }


def of_check(grade, result):
    check, outcome = result.check, result.outcome
    hints = [grade.lab.symptoms.get(hint, hint) for hint in dict.fromkeys(outcome.hints)]
    return {
        "name": check.name, "title": check.title, "points": check.points, "visible": check.visible,
        "needs": list(check.needs), "verdict": outcome.verdict, "score": outcome.score, "text": outcome.text,
        "expectations": outcome.expectations, "hints": hints, "panic": outcome.panic, "flaky": result.flaky,
        "attached": sorted(outcome.attached), "machines": outcome.machines,
    }


def shown_points(points):
    return f"{points:g}" if points is not None else "-"


def check_lines(check):
    """One check as lines of text."""
    yield (f"{check['verdict']:8}{shown_points(check['score']):>4} of {check['points']:g}  "
           f"{check['name']}: {check['title']}{'' if check['visible'] else '  (hidden)'}"
           + (f"  ({check['flaky']})" if check["flaky"] else ""))
    if check["verdict"] == "PASS":
        return
    for line in check["text"].splitlines():
        yield "        " + line
    for one in check["expectations"]:
        if not one["ok"]:
            yield f"        {one['what']}: expected {one['want']}, came {one['got']}"
            if one["parting"]:
                yield f"            {one['parting']}"
    for hint in check["hints"]:
        yield f"        hint: {hint}"
    for line in check["panic"].splitlines():
        yield "        | " + line
    if check["attached"]:
        yield f"        attached: {', '.join(check['name'] + '/' + name for name in check['attached'])}"


def text(report, student=False):
    """The report to read. For a student what is hidden is one line of points."""
    lines = [f"{report['lab']}: {report['title']}", f"{report['patch']['name']}, seed {report['seed']}, "
             f"confined by {report['confined']}", *("note: " + note for note in report["notes"]), ""]
    if report["stage"]:
        lines += ["The patch was refused:" if report["stage"] == "patch" else "It does not build:"]
        lines += ["    " + line for line in report["words"].splitlines()] + [""]
    visible = [check for check in report["checks"] if check["visible"] or not student]
    hidden = [check for check in report["checks"] if not check["visible"] and student]
    if not report["stage"]:
        for check in visible:
            lines += check_lines(check)
        if hidden:
            lines.append(f"{'':8}{shown_points(sum(check['score'] for check in hidden)):>4} of "
                         f"{sum(check['points'] for check in hidden):g}  {len(hidden)} hidden checks")
        lines.append("")
    if report["interrupted"]:
        lines.append("INTERRUPTED: not graded; this report is a part. This is no zero.")
    elif report["graded"]:
        lines.append(f"{report['verdict']}: {report['score']:g} of {report['points']:g} points")
    else:
        lines.append("INFRA: not graded; the grader itself failed, see above. This is no zero.")
    return "\n".join(map(clean, lines)) + "\n"


def junit(report):
    """JUnit's XML: a check is a test case; what the grader did not manage is an error, and no failure. A patch that
    does not come to the checks fails in a case of its own."""
    counted = {kind: sum(check["verdict"] in kinds for check in report["checks"]) for kind, kinds in (
        ("failures", ("FAIL", "TIMEOUT", "PANIC", "LEAK")), ("errors", ("INFRA",)), ("skipped", ("SKIP",)))}
    counted["failures"] += bool(report["stage"])
    suite = xml.Element("testsuite", name=report["lab"], tests=str(len(report["checks"]) + bool(report["stage"])),
                        **{key: str(value) for key, value in counted.items()})
    for check in report["checks"]:
        case = xml.SubElement(suite, "testcase", classname=report["lab"], name=check["name"])
        if check["verdict"] == "PASS":
            continue
        kind = {"SKIP": "skipped", "INFRA": "error"}.get(check["verdict"], "failure")
        body = xml.SubElement(case, kind, message=clean(check["text"].split("\n")[0] or check["title"]),
                              type=check["verdict"])
        body.text = clean("\n".join(check_lines(check)))
    if report["stage"]:
        case = xml.SubElement(suite, "testcase", classname=report["lab"], name=f"the {report['stage']}")
        body = xml.SubElement(case, "failure", message=clean(report["words"].split("\n")[0]), type=report["verdict"])
        body.text = clean(report["words"])
    xml.indent(suite)
    return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def clean(words):
    """What XML may hold, and a terminal shows: a kernel's words may move the cursor, and show another report."""
    return re.sub("[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words)


def gradescope(report):
    """Gradescope's results.json, or None: a patch that was not graded has no score there either."""
    if not report["graded"]:
        return None
    tests = [{"name": check["name"], "score": check["score"], "max_score": check["points"],
              "status": "passed" if check["verdict"] == "PASS" else "failed", "output": "\n".join(check_lines(check)),
              "output_format": "text", "visibility": "visible" if check["visible"] else "hidden"}
             for check in report["checks"]]
    words = "".join(f"note: {note}\n" for note in report["notes"])
    words += f"The {report['stage']} failed:\n{report['words']}" if report["stage"] else ""
    return {"score": report["score"], "output": words, "output_format": "text", "visibility": "visible",
            "stdout_visibility": "hidden", "tests": tests}


def rejection(words):
    """results.json of a submission in which there is nothing to grade."""
    return {"score": 0, "output": words, "output_format": "text", "visibility": "visible",
            "stdout_visibility": "hidden", "tests": []}


def as_json(value):
    return json.dumps(value, indent=1, ensure_ascii=True, sort_keys=False) + "\n"


def equal_part(report):
    """What 20 gradings of one patch have in common, byte for byte."""
    return as_json({key: value for key, value in report.items() if key != "run"})


def earlier(folder):
    """The paths in FOLDER that an earlier report of ours is made of; the deepest last."""
    try:
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as file:
            old = json.load(file)
        checks = [(check["name"], check["attached"]) for check in old["checks"] if check["attached"]]
        if old["format"] != FORMAT or not {"lab", "patch", "seed"} <= set(old):
            return []
    except (OSError, ValueError, TypeError, KeyError):
        return []
    ours = [*NAMES, *(name for name, _ in checks), *(f"{name}/{file}" for name, files in checks for file in files)]
    return [name for name in ours if NAME.fullmatch(name)]


def look_for_room(folder, lab):
    """Failure where FOLDER has something in the report's place that is none of ours. Nothing is changed."""
    if os.path.islink(folder) or os.path.lexists(folder) and not os.path.isdir(folder):
        raise Failure(f"{folder} is no folder, so the report can't go there: see -o")
    ours = earlier(folder)
    for name in [*NAMES, *(check.name for check in lab.load_checks())]:
        path = os.path.join(folder, name)
        if os.path.islink(path) or name not in ours and os.path.lexists(path):
            raise Failure(f"{path} is in the way and no report of tools/grade's: see -o")


def clear(folder):
    """Take away what an earlier report was made of, and nothing else."""
    for name in reversed(earlier(folder)):
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):  # not there any more, or a folder with somebody else's files
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            else:
                os.unlink(path)


def write(folder, grade, run):
    """All of it into FOLDER, in place of an earlier report of ours; the table."""
    look_for_room(folder, grade.lab)
    clear(folder)
    made = table(grade, run)
    os.makedirs(folder, exist_ok=True)
    # First the one by which what follows is known to be ours.
    files = {"report.json": as_json(made), "report.txt": text(made), "student.txt": text(made, student=True),
             "junit.xml": junit(made)}
    results = gradescope(made)
    if results is not None:
        files["results.json"] = as_json(results)
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(content)
    for result in grade.results:
        for name, content in result.outcome.attached.items():
            path = os.path.join(folder, result.check.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
    return made
