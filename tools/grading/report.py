"""The report of a grade: one table, and the same table as text, JSON, JUnit XML and Gradescope's results.json.

Everything in the table repeats when the same patch is graded again; what does not (when, how long) is under "run".
"""

import hashlib
import json
import os
import re
import shutil
import xml.etree.ElementTree as xml

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
    for hint in check["hints"]:
        yield f"        hint: {hint}"
    for line in check["panic"].splitlines():
        yield "        | " + line
    if check["attached"]:
        yield f"        attached: {', '.join(check['name'] + '/' + name for name in check['attached'])}"


def text(report, student=False):
    """The report to read. For a student what is hidden is one line of points."""
    lines = [f"{report['lab']}: {report['title']}", f"{report['patch']['name']}, seed {report['seed']}, "
             f"confined by {report['confined']}", ""]
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
    if report["graded"]:
        lines.append(f"{report['verdict']}: {report['score']:g} of {report['points']:g} points")
    else:
        lines.append("INFRA: not graded; the grader itself failed, see above. This is no zero.")
    return "\n".join(lines) + "\n"


def junit(report):
    """JUnit's XML: a check is a test case; what the grader did not manage is an error, and no failure."""
    counted = {kind: sum(check["verdict"] in kinds for check in report["checks"]) for kind, kinds in (
        ("failures", ("FAIL", "TIMEOUT", "PANIC", "LEAK")), ("errors", ("INFRA",)), ("skipped", ("SKIP",)))}
    suite = xml.Element("testsuite", name=report["lab"], tests=str(len(report["checks"])),
                        **{key: str(value) for key, value in counted.items()})
    for check in report["checks"]:
        case = xml.SubElement(suite, "testcase", classname=report["lab"], name=check["name"])
        if check["verdict"] == "PASS":
            continue
        kind = {"SKIP": "skipped", "INFRA": "error"}.get(check["verdict"], "failure")
        body = xml.SubElement(case, kind, message=check["text"].split("\n")[0] or check["title"], type=check["verdict"])
        body.text = clean("\n".join(check_lines(check)))
    if report["stage"]:
        xml.SubElement(suite, "system-err").text = clean(report["words"])
    xml.indent(suite)
    return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def clean(words):
    """What XML may hold."""
    return re.sub("[^\n\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", words)


def gradescope(report):
    """Gradescope's results.json, or None: a patch that was not graded has no score there either."""
    if not report["graded"]:
        return None
    tests = [{"name": check["name"], "score": check["score"], "max_score": check["points"],
              "status": "passed" if check["verdict"] == "PASS" else "failed", "output": "\n".join(check_lines(check)),
              "output_format": "text", "visibility": "visible" if check["visible"] else "hidden"}
             for check in report["checks"]]
    words = f"The {report['stage']} failed:\n{report['words']}" if report["stage"] else ""
    return {"score": report["score"], "output": words, "output_format": "text", "visibility": "visible",
            "stdout_visibility": "hidden", "tests": tests}


def as_json(value):
    return json.dumps(value, indent=1, ensure_ascii=True, sort_keys=False) + "\n"


def equal_part(report):
    """What 20 gradings of one patch have in common, byte for byte."""
    return as_json({key: value for key, value in report.items() if key != "run"})


def write(folder, grade, run):
    """All of it into FOLDER, which is emptied before; the table."""
    made = table(grade, run)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    files = {"report.txt": text(made), "student.txt": text(made, student=True), "report.json": as_json(made),
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
