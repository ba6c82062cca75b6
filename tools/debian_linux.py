"""Debian's Linux, to be measured beside ours: the kernel of the package linux-image-cloud-amd64.

That package is empty and names the one with the kernel. apt-get downloads it (nothing is installed, no
root is needed), dpkg-deb takes the kernel out, and it stays in a folder of ours until `make clean`.
"""

import glob
import os
import re
import subprocess

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
    package = package_with_the_kernel(folder)
    # As root apt would download as another user, who may not write here.
    words_of(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], folder)
    archive, = glob.glob(os.path.join(glob.escape(folder), package + "_*.deb"))
    words_of(["dpkg-deb", "--extract", archive, "package"], folder)
    kernel, = glob.glob(os.path.join(glob.escape(folder), "package/boot/vmlinuz-*"))
    words_of(["rm", "-rf", archive, "vmlinuz"], folder)
    os.rename(kernel, os.path.join(folder, "vmlinuz"))
    words_of(["rm", "-rf", "package"], folder)
    with open(os.path.join(folder, "version"), "w", encoding="utf-8") as file:
        file.write(os.path.basename(archive).removesuffix(".deb") + "\n")


def debian_linux(folder):
    """The path of Debian's kernel, kept in FOLDER. Raises NoLinux."""
    kernel = os.path.join(folder, "vmlinuz")
    if not os.path.exists(kernel):
        os.makedirs(folder, exist_ok=True)
        download(folder)
    return kernel
