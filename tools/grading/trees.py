"""Where the tree is, which files belong to it, and how two trees differ."""

import os
import shutil
import signal
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LABS = os.path.join(ROOT, "tests", "labs")
SETTINGS = ["-c", "core.quotepath=off", "-c", "core.attributesFile=/dev/null"]
UNLISTED = ("build", ".git", "__pycache__", ".pytest_cache")


class Failure(Exception):
    """The person at the keyboard has to change something; the text says what."""


def git(*words, cwd, status=(0,), data=None, seconds=None):
    """git with WORDS, whatever repository CWD may lie in and whatever the person's settings are. SECONDS: of processor
    time, which is a Failure when they are used up."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1", LC_ALL="C",
                       GIT_CEILING_DIRECTORIES=os.path.dirname(os.path.abspath(cwd)))
    limit = ["prlimit", f"--cpu={seconds}", "--"] if seconds else []
    done = subprocess.run([*limit, "git", *SETTINGS, *words], cwd=cwd, env=environment, check=False,
                          capture_output=True, input=data)
    if seconds and done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Failure(f"git {words[0]} was ended after {seconds} seconds")
    if done.returncode not in status:
        raise Failure(f"git {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return done


def tree_files(root=ROOT):
    """The names of the files of the tree, those of git where there is git."""
    if os.path.exists(os.path.join(root, ".git")):
        listing = git("ls-files", "-coz", "--exclude-standard", cwd=root).stdout.decode()
        return sorted(name for name in set(listing.split("\0")) if name and os.path.lexists(os.path.join(root, name)))
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in UNLISTED]
        names += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return sorted(names)


def read(root, name):
    """The text of a file, or None when there is none."""
    try:
        with open(os.path.join(root, name), encoding="utf-8", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(root, name, text, mode=None):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    if mode is not None:
        os.chmod(path, mode)


def difference(before, after):
    """The patch, as git writes it, between two dicts of name -> text (absent: no such file)."""
    folder = tempfile.mkdtemp(prefix="signalbox-diff-")
    try:
        for side, files in (("a", before), ("b", after)):
            os.mkdir(os.path.join(folder, side))
            for name, text in files.items():
                if text is not None:
                    write(os.path.join(folder, side), name, text)
        done = git("diff", "--no-index", "--no-prefix", "--no-color", "a", "b", cwd=folder, status=(0, 1))
        return done.stdout.decode()
    finally:
        shutil.rmtree(folder)
