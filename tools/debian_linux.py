"""Debian's Linux, to be measured beside ours: the kernel of the package linux-image-cloud-amd64.

That package is empty and names the one with the kernel. apt-get downloads it (nothing is installed, no
root is needed), dpkg-deb takes the kernel out, and it stays in a folder of ours until `make clean`.
"""

import glob
import os
import re
import subprocess
import tempfile

PACKAGE = "linux-image-cloud-amd64"


class NoLinux(Exception):
    """It can't be had; the text says why and what can be done."""


def words_of(command, folder):
    """What COMMAND prints, run in FOLDER; or NoLinux with what it complained of."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
    except OSError as error:
        raise NoLinux(f"{command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise NoLinux(f"{' '.join(command)}:\n{done.stderr.strip()}")
    return done.stdout


def package_with_the_kernel(folder):
    listing = words_of(["apt-cache", "depends", PACKAGE], folder)
    match = re.search(r"Depends: (linux-image-\S+)", listing)
    if not match:
        raise NoLinux(f"apt knows no package {PACKAGE}: run apt-get update")
    return match[1]


def download(folder):
    """Everything lies in a folder of its own until it is whole; then the kernel moves to its place."""
    package = package_with_the_kernel(folder)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        # As root apt would download as another user, who may not write here.
        words_of(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], work)
        archive = the_one(work, "*.deb")
        words_of(["dpkg-deb", "--extract", archive, "package"], work)
        kernel = the_one(work, "package/boot/vmlinuz-*")
        with open(os.path.join(folder, "version"), "w", encoding="utf-8") as file:
            file.write(os.path.basename(archive).removesuffix(".deb") + "\n")
        os.rename(kernel, os.path.join(folder, "vmlinuz"))


def the_one(folder, pattern):
    found = glob.glob(pattern, root_dir=folder)
    if len(found) != 1:
        raise NoLinux(f"the package should have one file {pattern}, it has {len(found)}")
    return os.path.join(folder, found[0])


def debian_linux(folder):
    """The path of Debian's kernel, kept in FOLDER. Raises NoLinux."""
    kernel = os.path.join(folder, "vmlinuz")
    if not os.path.exists(kernel):
        os.makedirs(folder, exist_ok=True)
        download(folder)
    return kernel
