"""Every way into the kernel, every size of machine, and what a hostile loader could hand over."""

import os
import random
import shutil
import stat
import subprocess

import pytest

from newc import Initrd
from support import BUILD, EXTRA_WORDS, INFRA, PANIC, TIMEOUT, busybox, run
from terminal import PROMPT, Terminal

ON_LINUX = pytest.mark.skipif(bool(EXTRA_WORDS), reason="needs our image")
BUSYBOX = "/bin/busybox"
OWN_WORD = "panic_console=off "  # what tools/run puts in front, where there is room


# --- loaders ------------------------------------------------------------------------------------------


@ON_LINUX
@pytest.mark.parametrize("words", [["--iso"], ["--iso", "--machine", "pc"], ["--iso", "--debug"]],
                         ids=["q35", "pc", "debug"])
def test_grub_image_by_bios(words):
    result = busybox("echo by grub; exit 6", *words)
    assert (result.status, result.out) == (6, b"by grub\n"), result.err


@ON_LINUX
def test_uefi_boots_the_same_image():
    result = busybox("echo by grub; exit 6", "--uefi", "--mem", "512")
    assert (result.status, result.out) == (6, b"by grub\n"), result.err


@ON_LINUX
def test_grub_image_alone_comes_to_a_shell():
    with Terminal("--iso") as terminal:
        terminal.expect(PROMPT)
        assert terminal.command("cat /proc/cmdline") == "\n"
        terminal.send("poweroff -f\r")
        assert terminal.status() == 0


@ON_LINUX
def test_grub_hands_over_words():
    result = busybox("cat /proc/cmdline", "--iso", "--append", "one two=2 four=$five")
    assert result.out.removeprefix(OWN_WORD.encode()) == b"one two=2 four=$five\n"


def test_plain_pc():
    result = busybox("echo pc", "--machine", "pc")
    assert (result.status, result.out) == (0, b"pc\n"), result.err


# --- an initramfs made for Linux ------------------------------------------------------------------------


def linux_initramfs(folder, inittab=None):
    """What a Linux user packs: busybox as /init, its links, device nodes, by GNU cpio or its like."""
    archive = Initrd()
    with open(BUSYBOX, "rb") as file:
        archive.add_file("/init", file.read(), 0o755)
    for name in ("bin/sh", "bin/busybox", "sbin/poweroff"):
        archive.add(name, stat.S_IFLNK | 0o777, b"/init")
    for name in ("proc", "sys", "etc", "tmp"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, rdev=os.makedev(5, 1))
    archive.add("dev/null", stat.S_IFCHR | 0o666, rdev=os.makedev(1, 3))
    if inittab:
        archive.add_file("/etc/inittab", inittab)
    path = folder / "initramfs"
    path.write_bytes(archive.to_bytes())
    return str(path)


def test_an_initramfs_made_for_linux_boots(tmp_path):
    with Terminal("--initrd", linux_initramfs(tmp_path)) as terminal:
        terminal.expect("Please press Enter to activate this console")
        terminal.send("\r")
        terminal.expect("/ # ")
        assert terminal.command("busybox mount -t proc proc /proc; busybox head -n 1 /proc/1/status") \
            == "Name:\tinit\n"
        terminal.send("poweroff -f\r")
        assert terminal.status() == 0


def test_its_inittab_is_obeyed(tmp_path):
    inittab = b"::sysinit:/bin/busybox echo from inittab\n::once:/bin/busybox poweroff -f\n"
    result = run("--initrd", linux_initramfs(tmp_path, inittab))
    assert result.status == 0, result.err
    assert "from inittab" in result.text


@pytest.mark.skipif(os.geteuid() != 0, reason="GNU cpio needs real device nodes: root")
def test_gnu_cpio_packs_it_too(tmp_path):
    root = tmp_path / "root"
    (root / "dev").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "busybox")
    os.mknod(root / "dev" / "console", stat.S_IFCHR | 0o600, os.makedev(5, 1))
    (root / "init").write_text("#!/busybox sh\n/busybox echo packed by cpio $1\n/busybox poweroff -f\n")
    (root / "init").chmod(0o755)
    image = tmp_path / "image"
    with open(image, "wb") as out:
        subprocess.run("find . | cpio --quiet -o -H newc", shell=True, cwd=root, stdout=out, check=True)
    result = run("--initrd", str(image), "--append", "word")
    assert result.status == 0, result.err
    assert "packed by cpio word" in result.text


def test_rdinit_names_another_first_program(tmp_path):
    with Terminal("--initrd", linux_initramfs(tmp_path), "--append", "rdinit=/bin/sh") as terminal:
        terminal.expect("# ")
        terminal.send("echo I am $$\r")
        terminal.expect_exact("I am 1\r\n")
        terminal.send("poweroff -f\r")
        assert terminal.status() == 0


# --- sizes ----------------------------------------------------------------------------------------------


@ON_LINUX
@pytest.mark.parametrize("size", [32, 64, 512, 8192])
def test_memory_of(size):
    result = busybox("head -n 1 /proc/meminfo; find / -xdev | sort | uniq -c | wc -l", "--mem", str(size))
    assert result.status == 0, result.err
    total = int(result.text.split()[1]) / 1024
    assert size - 24 < total <= size


@ON_LINUX
def test_memory_of_8192_can_be_used():
    result = busybox("dd if=/dev/zero of=/tmp/big bs=1M count=3500 2>/dev/null; ls -l /tmp/big", "--mem", "8192")
    assert result.status == 0, result.err
    assert str(3500 << 20) in result.text


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_cpus(cpus):
    result = busybox("grep -c ^processor /proc/cpuinfo; nproc", "--smp", str(cpus))
    assert result.text.split() == [str(cpus), str(cpus)], result.err


@ON_LINUX
@pytest.mark.parametrize("cpus", [1, 4])
def test_debug_build_on_cpus_with_a_seed(cpus):
    result = busybox("for i in 1 2 3 4 5 6; do echo $i | cat | tail -n 1 & done; wait", "--debug", "--leak-check",
                     "--smp", str(cpus), "--append", "seed=7")
    assert result.status == 0, result.err
    assert sorted(result.text.split()) == list("123456")


def test_a_shell_in_32_mib():
    if EXTRA_WORDS:
        pytest.skip("Linux needs more")
    result = busybox("ls -l / | sort | wc -l; echo $(echo works)", "--mem", "32", "--smp", "2")
    assert result.status == 0, result.err
    assert "works" in result.text


# --- hostile input to the boot ---------------------------------------------------------------------------


@ON_LINUX
def test_command_line_of_4000_bytes():
    words = " ".join(f"word{i:03}={'x' * 30}" for i in range(102))[:4000]
    result = busybox("cat /proc/cmdline", "--append", words)
    assert result.status == 0, result.err
    assert result.text.removeprefix(OWN_WORD).strip() == words


@ON_LINUX
def test_command_line_of_the_longest():
    result = busybox("cat /proc/cmdline | wc -c", "--append", "y" * 4095)
    assert (result.status, result.text.strip()) == (0, "4096"), result.err


def test_command_line_too_long_is_refused():
    result = busybox("true", "--append", "y" * 4096)
    assert result.status == INFRA
    assert "4095" in result.err


@ON_LINUX
def test_command_line_too_long_from_grub_is_cut():
    result = busybox("cat /proc/cmdline | wc -c", "--iso", "--append", "z" * 6000)
    assert result.status == 0, result.err
    assert int(result.text) <= 4096


def base_archive():
    with open(BUILD + "/initrd.cpio", "rb") as file:
        return file.read()


def boot_with(tmp_path, image):
    """Boot IMAGE with a first program that ends at once if the archive came so far."""
    path = tmp_path / "image"
    path.write_bytes(image)
    return run("--initrd", str(path), "--append", "rdinit=/bin/poweroff -- -f")


def first_program_is_missing(result):
    return result.status == PANIC and "init" in result.err


@ON_LINUX
def test_garbage_behind_the_archive_is_left_out(tmp_path):
    result = boot_with(tmp_path, base_archive() + random.Random(1).randbytes(5000))
    assert result.status == 0, result.err


@ON_LINUX
@pytest.mark.parametrize("image", [b"", b"\0" * 4096, b"070701", random.Random(2).randbytes(70000),
                                   b"070701" + b"f" * 104 + b"name\0"],
                         ids=["empty", "zeros", "a_magic_alone", "noise", "huge_numbers"])
def test_no_archive_at_all_is_a_readable_panic(tmp_path, image):
    result = boot_with(tmp_path, image)
    assert first_program_is_missing(result), (result.status, result.err)


@ON_LINUX
@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_a_cut_archive(tmp_path, part):
    whole = base_archive()
    result = boot_with(tmp_path, whole[:int(len(whole) * part)])
    assert result.status == 0 or first_program_is_missing(result), (result.status, result.err)


@ON_LINUX
@pytest.mark.parametrize("seed", range(6))
def test_an_archive_with_wrong_headers(tmp_path, seed):
    dice = random.Random(seed)
    image = bytearray(base_archive())
    heads = [i for i in range(0, len(image) - 110, 4) if image[i:i + 6] == b"070701"]
    for head in dice.sample(heads, 12):
        image[head + dice.randrange(110)] = dice.choice(b"0123456789abcdefABCDEFxyz\0\xff")
    result = boot_with(tmp_path, bytes(image))
    assert result.status == 0 or first_program_is_missing(result), (result.status, result.err)
    assert result.status != TIMEOUT
