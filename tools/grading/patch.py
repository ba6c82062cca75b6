"""What a student hands in: a patch, applied to the skeleton, if it touches nothing but the lab's files.

It is looked at twice: its words, so that what is refused can be named, and then, when git has applied it in an
empty folder that has only the files it is about, what has really changed there.
"""

import os
import re
import shlex
import shutil
import stat
import tempfile

from grading.trees import Failure, git, read

MAX_PATCH = 4 << 20
APPLY_SECONDS = 10  # git looks for a hunk's place line by line: two that are long and hardly differ take it for ever
# Names also go through make and the shell, where a blank, a $ or a ; would mean something.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
HEADER = re.compile(r"^(?:diff --git (?P<pair>.*)|(?:---|\+\+\+) (?P<side>[^\t\n]*).*|"
                    r"(?:rename|copy) (?:from|to|old|new) (?P<moved>.*)|"
                    r"(?P<mode>(?:old|new|deleted file|new file) mode \d+|index [0-9a-f]+\.\.[0-9a-f]+ \d+)|"
                    r"(?P<binary>GIT binary patch|Binary files .*))$", re.M)
NO_FILE = "/dev/null"
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class Refused(Exception):
    """The patch is not graded; the text says why, to the student."""


def pattern(glob):
    """A path with * (inside a folder), ** (any depth), ? and [...] as an expression."""
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*|\*|\?|\[[^]]*\])", glob)
    return re.compile("".join(words.get(piece) or (piece if piece.startswith("[") else re.escape(piece))
                              for piece in pieces))


def how(paths):
    """What to do instead, to the student; PATHS, like git's, may have *, ? and [...]."""
    return (f"A patch is made by `git diff skeleton -- {shlex.join(paths)} > my.patch` in the tree that was handed "
            "out.")


def is_allowed(name, paths):
    return any(pattern(path).fullmatch(name) for path in paths)


def walk(text):
    """(line, whether it is a hunk's) of TEXT: in a hunk a line may look like a header. Lines end where git's do."""
    before = after = 0
    for line in text.split("\n"):
        if before > 0 or after > 0:
            yield line, True
            before -= line[:1] in ("-", " ", "")
            after -= line[:1] in ("+", " ", "")
            continue
        hunk = HUNK.match(line)
        if hunk:
            before, after = (int(count) if count is not None else 1 for count in hunk.groups())
        yield line, bool(hunk)


def look(text, paths):
    """The names that the patch is about. Refused says which one it may not be about."""
    names = set()
    for line, inside in walk(text):
        found = None if inside else HEADER.match(line)
        if not found:
            continue
        if found["binary"]:
            raise Refused(f"binary contents ({line[:80]}): a lab is solved in text")
        if found["mode"]:
            kind = found["mode"].split()[-1]
            if kind not in ("100644",):
                raise Refused(f"a file of mode {kind} ({line}): only plain files of mode 100644, no links or programs")
        for name in named(found):
            if not NAME.fullmatch(name) or ".." in name.split("/"):
                raise Refused(f"{name!r} is no name of a file in the tree")
            if not is_allowed(name, paths):
                raise Refused(f"{name} is none of this lab's files. {how(paths)}")
            names.add(name)
    if not names:
        raise Refused(f"there is no change in it. {how(paths)}")
    return sorted(names)


def named(found):
    """The files that one line of a header names, without a/ and b/."""
    if found["pair"] is not None:
        halves = re.fullmatch(r"a/(.*) b/(.*)", found["pair"])
        yield from halves.groups() if halves else [found["pair"]]
    elif found["side"] is not None:
        name = found["side"].strip()
        if name != NO_FILE:
            yield re.sub(r"^[ab]/", "", name)
    elif found["moved"] is not None:
        yield found["moved"]


def apply(text, skeleton, paths):
    """{name: text, or None when it is deleted}: what the patch makes of the files of the tree SKELETON."""
    if len(text) > MAX_PATCH:
        raise Refused(f"{len(text)} bytes, {MAX_PATCH} are the limit")
    names = look(text, paths)
    folder = tempfile.mkdtemp(prefix="signalbox-patch-")
    try:
        before = {name: read(skeleton, name) for name in names}
        for name in names:
            if before[name] is not None:
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                shutil.copyfile(os.path.join(skeleton, name), os.path.join(folder, name))
        data = text.encode(errors="surrogateescape")
        try:
            for words in (["--check"], []):
                git("apply", *words, "--whitespace=nowarn", "-", cwd=folder, data=data, seconds=APPLY_SECONDS)
        except Failure as failure:
            raise Refused(f"it does not apply to the skeleton:\n{conflict(str(failure))}\n{why(text, paths)}") from None
        return changes(folder, before, paths)
    finally:
        shutil.rmtree(folder)


def why(text, paths):
    """What may be wrong with a patch that does not apply."""
    if "\r" in text:
        return f"It has lines that end in CR LF, and the skeleton has none. {how(paths)}"
    return how(paths)


def conflict(text):
    return re.sub(r"^.*?error:", "error:", text, count=1, flags=re.S)


def changes(folder, before, paths):
    """What has come of it on the disk, whatever the patch said."""
    after = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            inside = os.path.relpath(path, folder)
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                continue
            if not stat.S_ISREG(mode) or not is_allowed(inside, paths) or not NAME.fullmatch(inside):
                raise Refused(f"{inside} is none of this lab's files, or no plain file")
            try:
                after[inside] = read(folder, inside)
            except UnicodeDecodeError:
                raise Refused(f"{inside} is no text in UTF-8") from None
    changed = {name: after.get(name) for name in set(before) | set(after) if after.get(name) != before.get(name)}
    if not changed:
        raise Refused("it changes nothing")
    return changed
