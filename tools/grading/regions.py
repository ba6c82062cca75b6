"""Regions: what of the solution a lab leaves to the student.

A region lies between two lines of the solution that end in marks,

    static long pipe_read(...)
    { /* LAB pipe:read begin */
        ...
    } /* LAB pipe:read end */

Both lines stay, without their marks; what stands between them is, in the skeleton, the text of
tests/labs/pipe/regions/read.c. A line may carry marks of several labs, but regions of one lab don't overlap.
Marks of other labs vanish, and what they enclose stays: a skeleton lacks its own lab's regions alone.
"""

import glob
import os
import re

from grading.trees import Failure, difference, read

MARK = re.compile(r"[ \t]*(?:/\*|;|#)[ \t]*LAB (?P<lab>[\w-]+):(?P<region>[\w-]+) (?P<which>begin|end)[ \t]*(?:\*/)?"
                  r"(?=[ \t]*(?:/\*[ \t]*LAB |$))")
MARKED = ("kernel/", "user/", "boot/", "libc/")
SUFFIXES = (".c", ".h", ".asm")


def may_be_marked(name):
    return name.startswith(MARKED) and name.endswith(SUFFIXES)


def without_marks(text):
    """TEXT as the student sees it where nothing is cut."""
    if "LAB " not in text:
        return text
    return "".join(bare(line) for line in text.splitlines(keepends=True))


def bare(line):
    """A line without its marks."""
    return MARK.sub("", line.rstrip("\n")) + "\n" if MARK.search(line.rstrip("\n")) else line


class Region:
    """One region: in which file, and what stands there in the solution. Its texts have no marks."""

    def __init__(self, lab, name, path, first):
        self.lab, self.name, self.path = lab, name, path
        self.first = first      # index of the first line inside
        self.end = None         # and of the line behind the last


def find_in(lab, path, text):
    """The regions of LAB in one file, in order."""
    found, open_region = [], None
    for index, line in enumerate(text.splitlines()):
        for mark in MARK.finditer(line):
            if mark["lab"] != lab:
                continue
            where = f"{path}:{index + 1}: LAB {lab}:{mark['region']} {mark['which']}"
            if mark["which"] == "begin":
                if open_region:
                    raise Failure(f"{where}: the region {open_region.name} is still open")
                open_region = Region(lab, mark["region"], path, index + 1)
            else:
                if not open_region or open_region.name != mark["region"]:
                    raise Failure(f"{where}: no such region is open")
                open_region.end = index
                found.append(open_region)
                open_region = None
    if open_region:
        raise Failure(f"{path}: LAB {lab}:{open_region.name} has no end")
    return found


class Solution:
    """The solution tree's marked files, and everything that can be made of them for one lab."""

    def __init__(self, lab, root, names):
        """NAMES: the files of the tree ROOT. LAB has .name and .folder."""
        self.lab = lab
        self.files = {}     # name -> text with marks, of every file that has any
        self.regions = {}   # name -> Region, of this lab alone
        for name in names:
            text = read(root, name) if may_be_marked(name) else None
            if text is None or "LAB " not in text:
                continue
            self.files[name] = text
            for region in find_in(lab.name, name, text):
                if region.name in self.regions:
                    raise Failure(f"{name}: LAB {lab.name}:{region.name} is also in {self.regions[region.name].path}")
                self.regions[region.name] = region

    def handout(self, region):
        """What the skeleton has instead of REGION."""
        found = glob.glob(os.path.join(glob.escape(self.lab.folder), "regions", region.name + ".*"))
        if len(found) != 1:
            raise Failure(f"{self.lab.name}: regions/{region.name}.c is missing, or there are two")
        with open(found[0], encoding="utf-8") as file:
            return file.read()

    def cut(self, solved=()):
        """name -> text of every marked file, where the regions named in SOLVED are as in the solution."""
        made = {}
        for name, text in self.files.items():
            lines = text.splitlines(keepends=True)
            mine = sorted((region for region in self.regions.values() if region.path == name), key=lambda r: -r.first)
            for region in mine:
                if region.name not in solved:
                    lines[region.first:region.end] = self.handout(region).splitlines(keepends=True)
            made[name] = "".join(bare(line) for line in lines)
        return made

    def patch(self, solved):
        """The patch that turns the skeleton into one where SOLVED is done."""
        return difference(self.cut(), self.cut(solved))

    def patch_of_files(self, changed):
        """The patch that turns the skeleton into the solution with CHANGED (name -> text or None, marks and all)."""
        after = self.cut(tuple(self.regions))
        before = self.cut()
        for name, (old, new) in changed.items():
            after[name] = new and without_marks(new)
            before.setdefault(name, old and without_marks(old))
        return difference(before, after)
