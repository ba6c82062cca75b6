"""The machine that tools/run starts: QEMU's command line, its process, its end.

Three serial ports: the console is QEMU's standard input and output, joined to ours by pipes; the
kernel's log and the status channel are files. Everything a run needs lies in one temporary folder, so
any number of runs live side by side.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess

# The port and width of isa-debug-exit: a panic writes a value there and QEMU exits with 2 * value + 1.
DEBUG_EXIT = "isa-debug-exit,iobase=0xf4,iosize=0x04"
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
# What makes one instruction one nanosecond and two runs equal.
COUNTED_CPU = "max,pku=off,la57=off,erms=off"
COUNTED_CLOCK = ["-seed", "1", "-rtc", "clock=vm,base=2025-01-01"]
SNAPSHOT = "start"
MAX_SOCKETS = 1000
PR_SET_PDEATHSIG = 1
QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
libc = ctypes.CDLL(None)


def escape(path):
    """A path as a value in one of QEMU's comma-separated options."""
    return os.path.abspath(path).replace(",", ",,")


def qemu_command(options, folder, kernel_log):
    counted = options.icount or options.record or options.replay
    command = [QEMU, "-no-user-config", "-nodefaults",
               "-display", "none", "-machine", options.machine, "-m", str(options.mem),
               "-smp", str(options.smp)]
    if counted:
        command += ["-accel", "tcg,thread=single", "-cpu", options.cpu or COUNTED_CPU, *COUNTED_CLOCK,
                    "-icount", icount_words(options, folder), *snapshot_words(options, folder)]
    else:
        command += ["-accel", os.environ.get("ACCEL", "tcg"), "-cpu", options.cpu or "max"]
    if not options.allow_reboot:
        command.append("-no-reboot")
    command += ["-device", DEBUG_EXIT,
                "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
                "-chardev", f"file,id=log,path={escape(kernel_log)}", "-serial", "chardev:log",
                "-chardev", f"file,id=status,path={escape(folder + '/status')}",
                "-serial", "chardev:status"]
    monitors = [folder + "/monitor"] + ([options.monitor] if options.monitor else [])
    if options.budget is not None:
        monitors.append(folder + "/clock")
    for n, path in enumerate(monitors):
        command += ["-chardev", f"socket,id=monitor{n},server=on,wait=off,path={escape(path)}",
                    "-mon", f"chardev=monitor{n}"]
    if options.iso:
        command += iso_words(options, folder)
    else:
        command += ["-kernel", options.kernel, "-initrd", folder + "/initrd",
                    "-append", options.append]
    if options.net != "none":
        command += net_words(options)
    if options.gdb is not None:
        command += gdb_words(options, folder)
    return command


def net_words(options):
    """A virtio network device, and what it is joined to."""
    if options.net == "user":
        backend = "user,id=net" + "".join(",hostfwd=" + rule for rule in options.hostfwd)
    elif options.net.startswith("tap:"):
        name, queues = options.net.split(":")[1:]
        backend = f"tap,id=net,ifname={name},queues={queues},script=no,downscript=no,vhost=off"
    else:
        here, there = options.net.split(":")[1:]
        backend = (f"dgram,id=net,local.type=unix,local.path={escape(here)},"
                   f"remote.type=unix,remote.path={escape(there)}")
    device = "virtio-net-pci,netdev=net,romfile=" + ("," + options.nic if options.nic else "")
    words = ["-netdev", backend, "-device", device]
    if options.pcap:
        words += ["-object", f"filter-dump,id=dump,netdev=net,file={escape(options.pcap)}"]
    return words


def icount_words(options, folder):
    words = "shift=0,sleep=off"
    if options.record or options.replay:
        mode = "record" if options.record else "replay"
        words += f",rr={mode},rrfile={escape(folder + '/events')},rrsnapshot={SNAPSHOT}"
    return words


def snapshot_words(options, folder):
    """The disc that has the machine as it was at the start: going backwards is going forwards from there."""
    if not options.record and not options.replay:
        return []
    # vapic, a help for old guests, asks each CPU to do something when it is reset: when the machine goes back to
    # the snapshot, that CPU waits for the very thread that waits for it.
    return ["-drive", f"if=none,id=snapshots,format=qcow2,file={escape(folder + '/snapshots')}",
            "-global", "apic-common.vapic=off"]


def iso_words(options, folder):
    """Boot the image through its own loader; a second disc carries the words and files of this run."""
    words = []
    if options.uefi:
        shutil.copy(OVMF_VARS, folder + "/vars.fd")
        words += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_CODE}",
                  "-drive", f"if=pflash,unit=1,format=raw,file={escape(folder + '/vars.fd')}"]
    words += ["-drive", f"if=none,id=image,media=cdrom,readonly=on,format=raw,file={escape(options.image)}",
              "-device", "ide-cd,drive=image,bus=ide.0,bootindex=0"]
    if os.path.exists(folder + "/run.iso"):
        # A hard disk: of compact discs a BIOS shows the loader only the one it was started from; and with a
        # boot index: UEFI shows only what it might boot from.
        words += ["-drive", f"if=none,id=run,format=raw,file={escape(folder + '/run.iso')}",
                  "-device", "ide-hd,drive=run,bus=ide.1,bootindex=1"]
    return words


def make_run_disc(folder, append):
    """The second disc: boot/grub.cfg reads run.cfg from it."""
    tree = folder + "/disc/signalbox"
    os.makedirs(tree)
    os.rename(folder + "/initrd", tree + "/initrd.cpio")
    quoted = append.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    with open(tree + "/run.cfg", "w", encoding="utf-8") as file:
        file.write(f'set words="{quoted}"\nset initrd=($run)/signalbox/initrd.cpio\n')
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", folder + "/run.iso",
                    folder + "/disc"], check=True, capture_output=True)


def free_socket(folder):
    """The first of 1.sock, 2.sock ... that nobody uses. Who makes the lock beside it has it."""
    os.makedirs(folder, exist_ok=True)
    for number in range(1, MAX_SOCKETS):
        path = os.path.join(folder, f"{number}.sock")
        claim = os.open(path + ".run", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(claim)
            continue
        return path  # the lock goes with this process
    raise OSError(f"{folder} has no free socket")


def gdb_words(options, folder):
    """Halt before the first instruction and listen: on a port of ours, a unix socket, a new one in a folder
    (a name with a slash at its end), or a new one in the run's own."""
    if options.gdb.isdigit():
        where = f"host=127.0.0.1,port={options.gdb}"
        target = "localhost:" + options.gdb
    else:
        path = options.gdb or folder + "/gdb.sock"
        if path.endswith("/"):
            path = free_socket(path)
        if os.path.exists(path):
            os.unlink(path)
        where = f"path={escape(path)}"
        target = os.path.abspath(path)
    options.gdb_target = target
    return ["-chardev", f"socket,id=gdb,server=on,wait=off,{where}", "-gdb", "chardev:gdb", "-S"]


class Machine:
    """A running QEMU. console_in is None unless someone types."""

    def __init__(self, command, folder, typed):
        parent = os.getpid()

        def die_with_parent():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        self.monitor_path = folder + "/monitor"
        self.monitor_socket = None
        self.errors = folder + "/qemu.errors"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if typed else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, bufsize=0,
                start_new_session=True, preexec_fn=die_with_parent)
        self.console_in = self.process.stdin
        self.console_out = self.process.stdout

    def monitor(self, command):
        """Type a command of QEMU's monitor. True unless there is no monitor, or not yet."""
        try:
            if self.monitor_socket is None:
                self.monitor_socket = socket.socket(socket.AF_UNIX)
                self.monitor_socket.connect(self.monitor_path)
                self.monitor_socket.setblocking(False)
            self.monitor_socket.sendall(command.encode() + b"\n")
        except OSError:
            self.monitor_socket = None
            return False
        try:
            while self.monitor_socket.recv(1 << 16):
                pass  # what it echoes
        except OSError:
            pass
        return True

    def stop(self, patience=2):
        """End it if it still runs: ask, wait PATIENCE seconds, insist."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def error_text(self):
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            return errors.read().strip()
