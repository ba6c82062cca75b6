"""What is handed in, made the text of a patch as `git diff` writes it.

Settings and systems change how a patch looks and not what it means: line ends of Windows, UTF-16 from a PowerShell
that redirects, colours, other prefixes than a/ and b/ or none. Such a patch is taken as it was meant, and the report
says so. patch.py judges what the text is about; here nothing is refused but what is no plain file, or too large.
"""

import codecs
import os
import re
import stat

from grading.patch import MAX_PATCH, NO_FILE, is_allowed, walk
from grading.skeleton import TAG
from grading.trees import Failure, git

SUFFIXES = (".patch", ".diff")
MAX_BYTES = 3 * MAX_PATCH   # of the file: UTF-16, and colours
COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
HEADER_CR = re.compile(r"^(?:diff --git|---|\+\+\+|@@) [^\n]*\r$", re.M)
PAIR = re.compile(r"diff --git (\S+) (\S+)")
PREFIXED = re.compile(r"([a-z0-9])/(\S+) ([a-z0-9])/(\S+)")
CRLF = "its lines end in CR LF, which was taken for LF"
UTF16 = "it is in UTF-16, as PowerShell writes what it redirects (`git diff --output=FILE` does not)"
COLOURED = "it has colours in it (`git diff --no-color` has none)"
PREFIXES = "its names have other prefixes than a/ and b/, or none (`git diff --src-prefix=a/ --dst-prefix=b/`)"


class HandedIn:
    """const: one patch. NAME names its report; REFUSAL: why it can't even be looked at, or ""."""

    def __init__(self, name, text="", notes=(), refusal=""):
        self.name, self.text, self.notes, self.refusal = name, text, list(notes), refusal


def taken(name, data):
    """The HandedIn of the bytes of a patch's file."""
    notes = []
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
        notes.append(UTF16)
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape")
    if re.search(r"^(?:\x1b\[[0-9;]*[mK])+diff --git ", text, re.M):
        text = COLOUR.sub("", text)
        notes.append(COLOURED)
    if HEADER_CR.search(text):
        text = text.replace("\r\n", "\n")
        notes.append(CRLF)
    prefixed = with_prefixes(text)
    if prefixed != text:
        notes.append(PREFIXES)
    return HandedIn(name, prefixed, notes)


def with_prefixes(text):
    """TEXT with a/ and b/ before the names in its headers."""
    lines, bare = [], None  # bare: whether the names of this file's header have no prefix; None: who knows
    for line, inside in walk(text):
        if not inside and line.startswith("diff --git "):
            bare = None
            if pair := PAIR.fullmatch(line):
                both = PREFIXED.fullmatch(line.removeprefix("diff --git "))
                bare = not both or both[1] == both[3]
                names = pair.groups() if bare else (both[2], both[4])
                line = f"diff --git a/{names[0]} b/{names[1]}"
        elif not inside and line.startswith(("--- ", "+++ ")) and line[4:].split("\t")[0].strip() != NO_FILE:
            prefix = "a/" if line[0] == "-" else "b/"
            has_one = re.match(r"[a-z0-9]/", line[4:])
            if bare or bare is None and not has_one:
                line = line[:4] + prefix + line[4:]
            elif has_one:
                line = line[:4] + prefix + line[6:]
        lines.append(line)
    return "\n".join(lines)


def read_plain(path, follow):
    """(bytes, "") of a plain file, or (b"", why not). FOLLOW: a link is the instructor's, and not handed in."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if follow:
            raise
        return b"", f"it can't be opened as a plain file: {error.strerror}"
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return b"", "it is no plain file"
    with open(descriptor, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    return (data, "") if len(data) <= MAX_BYTES else (b"", f"more than {MAX_BYTES} bytes, too large for a patch")


def patch_files(paths):
    """(path, whether a link is followed) of the patches among PATHS, those of folders by name."""
    for path in paths:
        if not os.path.isdir(path):
            yield path, True
            continue
        found = sorted(name for name in os.listdir(path) if name.endswith(SUFFIXES))
        if not found:
            raise Failure(f"{path} has no .patch and no .diff")
        yield from ((os.path.join(path, name), False) for name in found)


def handed_in(paths):
    """Each of the patches, under a name of its own."""
    used = set()
    for path, follow in patch_files(paths):
        data, refusal = read_plain(path, follow)
        # The name becomes a line on a terminal, where a line's end, or a sequence that moves, would tell lies.
        stem = "".join(c if c.isprintable() else "?" for c in os.path.splitext(os.path.basename(path))[0])
        name = next(name for name in (stem if n == 1 else f"{stem}-{n}" for n in range(1, 1 << 20)) if name not in used)
        used.add(name)
        yield HandedIn(name, refusal=refusal) if refusal else taken(name, data)


def working_tree(lab):
    """What has changed in a student's tree, of the lab's files; others, tests of the student's own, are named."""
    unknown = git("ls-files", "-oz", "--exclude-standard", cwd=lab.root).stdout.decode(errors="surrogateescape")
    new = [name for name in unknown.split("\0") if name and is_allowed(name, lab.paths)]
    if new:
        git("add", "-N", "--", *new, cwd=lab.root)
    changed = git("diff", "--name-only", "--no-renames", "-z", TAG, cwd=lab.root).stdout.decode(
        errors="surrogateescape").split("\0")[:-1]
    ours = [name for name in changed if is_allowed(name, lab.paths)]
    left_out = [name for name in changed if name not in ours]
    notes = [f"left out, for it is none of this lab's files: {name}" for name in left_out]
    if not ours:
        return HandedIn("working-tree", "", notes)
    text = git("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", TAG, "--",
               *(f":(literal){name}" for name in ours), cwd=lab.root).stdout.decode(errors="surrogateescape")
    return HandedIn("working-tree", text, notes)
