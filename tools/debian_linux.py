"""Debian's Linux, to be measured beside ours: the kernel of the package linux-image-cloud-amd64.

That package is empty and names the one with the kernel. apt-get downloads it (nothing is installed, no
root is needed), dpkg-deb takes out the kernel and the modules that drive a network card, and they stay in a
folder of ours until `make clean`.
"""

import glob
import os
import re
import subprocess
import tempfile

PACKAGE = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_net")  # and those that they name themselves


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
        keep_modules(work, os.path.join(folder, "modules"))
        with open(os.path.join(folder, "version"), "w", encoding="utf-8") as file:
            file.write(os.path.basename(archive).removesuffix(".deb") + "\n")
        os.rename(kernel, os.path.join(folder, "vmlinuz"))


def keep_modules(package, folder):
    """Copy MODULES and what they need to FOLDER; `order` there names them as they are to be loaded."""
    found = {os.path.basename(path).removesuffix(".ko").replace("-", "_"): os.path.join(package, path)
             for path in glob.glob("**/*.ko", root_dir=package, recursive=True)}
    order = []

    def add(name):
        if name in order:
            return
        if name not in found:
            raise NoLinux(f"the package has no module {name}")
        with open(found[name], "rb") as file:
            content = file.read()
        needed = re.search(rb"\0depends=([^\0]*)\0", content)
        for other in needed[1].decode().split(",") if needed and needed[1] else []:
            add(other)
        order.append(name)
        with open(os.path.join(folder, f"{name}.ko"), "wb") as file:
            file.write(content)

    os.makedirs(folder, exist_ok=True)
    for name in MODULES:
        add(name)
    with open(os.path.join(folder, "order"), "w", encoding="utf-8") as file:
        file.write("\n".join(order) + "\n")


def the_one(folder, pattern):
    found = glob.glob(pattern, root_dir=folder)
    if len(found) != 1:
        raise NoLinux(f"the package should have one file {pattern}, it has {len(found)}")
    return os.path.join(folder, found[0])


def debian_linux(folder):
    """The path of Debian's kernel, kept in FOLDER. Raises NoLinux."""
    kernel = os.path.join(folder, "vmlinuz")
    if not os.path.exists(kernel) or not os.path.exists(os.path.join(folder, "modules", "order")):
        os.makedirs(folder, exist_ok=True)
        download(folder)
    return kernel


def modules_of(kernel):
    """File name -> content of the modules that were kept with KERNEL, and of `order`; of another Linux none."""
    folder = os.path.join(os.path.dirname(kernel), "modules")
    files = {}
    for path in glob.glob(os.path.join(folder, "*")):
        with open(path, "rb") as file:
            files[os.path.basename(path)] = file.read()
    return files
