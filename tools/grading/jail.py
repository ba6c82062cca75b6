"""Confinement: what a student wrote is built and run where it can do no harm.

Nothing of the network, no process of the machine's, and of its files only those that are named, to be read;
what is written goes to a temporary file system of bounded size, or into a folder that is named. Every process has
limits on memory, time, files and the number of processes. Killing the jail kills all that is in it.

bubblewrap does this where it is installed. Where it is not, the same is made of util-linux's unshare, mount,
pivot_root and setpriv, by a shell script. Where not even namespaces may be made (inside some containers), only
the limits are left: that confines no files and no network, and is used only when it is asked for.
"""

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from grading.trees import ROOT, Failure

KINDS = ("bwrap", "unshare", "limits")
SCRATCH = "/work"       # the file system of bounded size, in the jail
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache",
          "/etc/ld.so.conf", "/etc/ld.so.conf.d")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/tmp", "LC_ALL": "C.UTF-8",
               "PYTHONDONTWRITEBYTECODE": "1"}
FIRST_USER = 200000     # as root each jail has a user of its own: limits on processes don't bind root
MIB = 1 << 20
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)

# $1 is an empty folder for the new root, $2 the size in MiB; then lines on standard input: what to make.
# As root the command runs as $3; as anybody else it is root of a user namespace, without its capabilities.
# This shell stays: it is process 1 there, and when it goes everything goes.
SCRIPT = r"""
set -e
root=$1 size=$2 user=$3 plan=$4
shift 4
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=8m,nosuid,nodev jail "$root"
read_only() {
    mount -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev,noexec "$1"
}
while read -r kind from to; do
    case $kind in
    link) ln -s "$from" "$root$to" ;;
    tmpfs) mkdir -p "$root$to" && mount -t tmpfs -o "mode=1777,size=${size}m,nosuid,nodev" jail "$root$to" ;;
    *)  if [ -d "$from" ]; then mkdir -p "$root$to"; else mkdir -p "$root${to%/*}"; : > "$root$to"; fi
        mount --rbind "$from" "$root$to"
        [ "$kind" != read ] || read_only "$root$to" ;;
    esac
done < "$plan"
mkdir -p "$root/proc" "$root/old"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
ln -s /proc/self/fd "$root/dev/fd"
cd "$root"
pivot_root . old
umount -l /old
mount -o remount,bind,ro,nosuid,nodev /
cd /
identity=
[ "$user" = 0 ] || identity="--reuid=$user --regid=$user --clear-groups"
setpriv $identity --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@functools.lru_cache(None)
def works(kind):
    """Whether this machine can make such a jail."""
    if kind == "limits":
        return True
    if not shutil.which("bwrap" if kind == "bwrap" else "unshare"):
        return False
    with Jail(kind) as jail:
        return subprocess.run(jail.command(["true"], Limits()), stdin=subprocess.DEVNULL, capture_output=True,
                              check=False).returncode == 0


def choose(wanted=None):
    """The best kind there is, or the one that is wanted."""
    tool = os.path.join(ROOT, "tools", "run")
    if os.geteuid() == 0 and os.stat(tool).st_mode & 0o5 != 0o5:
        raise Failure(f"who is confined can't read {tool}: grade as somebody else than root, or chmod -R o+rX {ROOT}")
    if wanted:
        if not works(wanted):
            raise Failure(f"this machine can't make a jail of the kind {wanted}")
        return wanted
    for kind in KINDS[:2]:
        if works(kind):
            return kind
    raise Failure("nothing here confines what students write: install bubblewrap (tools/deps grade), or allow user "
                  "namespaces; --jail limits grades all the same, with limits but with your files and your network")


class Limits:
    """Of one process: bytes, seconds of processor time; and the number of processes together."""

    def __init__(self, memory=None, file=64 * MIB, seconds=None, processes=None):
        self.memory, self.file, self.seconds, self.processes = memory, file, seconds, processes

    def words(self):
        words = ["prlimit", "--core=0", f"--fsize={self.file}", "--nofile=512"]
        if self.memory:
            words.append(f"--as={self.memory}")
        if self.seconds:
            words.append(f"--cpu={int(self.seconds)}")
        if self.processes:
            words.append(f"--nproc={self.processes}")
        return [*words, "--"]


class Jail:
    """`with Jail(kind, ...) as jail: Popen(jail.command(argv, limits))`. READ: what may be read. WRITE: folders
    that may be written. SIZE: MiB of the temporary file system, /tmp and /work in the jail."""

    def __init__(self, kind, read=(), write=(), size=256):
        self.kind, self.size = kind, size
        self.read, self.write = [os.path.abspath(path) for path in read], [os.path.abspath(path) for path in write]
        self.folder = tempfile.mkdtemp(prefix="signalbox-jail-")
        # With neither root nor a user of its own, the person's own.
        self.user = FIRST_USER + os.getpid() % 100000 * 64 + next_number() % 64 if os.geteuid() == 0 else 0
        if self.user and kind != "limits":
            for path in self.write:
                os.chown(path, self.user, self.user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def scratch(self):
        """The folder for what is thrown away, as those inside see it."""
        return self.folder if self.kind == "limits" else SCRATCH

    def command(self, argv, limits):
        """The words that run ARGV in the jail. Its end is the end of all in it."""
        inner = ["env", "-i", *(f"{key}={value}" for key, value in ENVIRONMENT.items()), *limits.words(), *argv]
        return getattr(self, "_" + self.kind)(inner)

    @staticmethod
    def _limits(inner):
        return inner

    def _system(self):
        """('link', TARGET, PATH) or ('read', PATH, PATH) for what every program needs."""
        for path in SYSTEM:
            if os.path.islink(path):
                yield "link", os.readlink(path), path
            elif os.path.exists(path):
                yield "read", path, path

    def _bwrap(self, inner):
        words = ["bwrap", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
                 "--die-with-parent", "--new-session", "--dev", "/dev", "--proc", "/proc"]
        if self.user:
            words += ["--cap-drop", "ALL", *(word for cap in ("SETUID", "SETGID", "SETPCAP")
                                             for word in ("--cap-add", "CAP_" + cap))]
            inner = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--no-new-privs",
                     "--bounding-set=-all", "--inh-caps=-all", "--", *inner]
        else:
            words += ["--unshare-user", "--cap-drop", "ALL"]
        # What bwrap makes by itself on the way to a place is for root alone.
        words += folder_words(SYSTEM)
        for kind, source, path in self._system():
            words += ["--symlink" if kind == "link" else "--ro-bind", source, path]
        for path in (SCRATCH, "/tmp"):
            words += ["--perms", "1777", "--size", str(self.size * MIB), "--tmpfs", path]
        words += folder_words([*self.read, *self.write])
        for path in self.read:
            words += ["--ro-bind", path, path]
        for path in self.write:
            words += ["--bind", path, path]
        return [*words, "--remount-ro", "/", "--chdir", "/", "--", *inner]

    def _unshare(self, inner):
        root, plan = os.path.join(self.folder, "root"), os.path.join(self.folder, "plan")
        os.makedirs(root, exist_ok=True)
        lines = [*self._system(), ("tmpfs", "-", SCRATCH), ("tmpfs", "-", "/tmp"), ("tmpfs", "-", "/dev/shm")]
        lines += [("write", "/dev/" + name, "/dev/" + name) for name in DEVICES if os.path.exists("/dev/" + name)]
        lines += [("read", path, path) for path in self.read] + [("write", path, path) for path in self.write]
        with open(plan, "w", encoding="utf-8") as file:
            file.writelines(" ".join(line) + "\n" for line in lines)
        become = [] if self.user else ["--user", "--map-root-user"]
        return ["unshare", *become, "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
                "--kill-child=KILL", "--", "/bin/sh", "-c", SCRIPT, "jail", root, str(self.size), str(self.user), plan,
                *inner]


numbers = iter(range(1 << 62))


def next_number():
    return next(numbers)


def folder_words(paths):
    """bwrap's words for the folders above PATHS, but / and /tmp, outer ones first."""
    found = set()
    for path in paths:
        while (path := os.path.dirname(path)) not in ("/", "/tmp"):
            found.add(path)
    return [word for path in sorted(found) for word in ("--perms", "0755", "--dir", path)]


running = set()
over = threading.Event()


def start(command, **words):
    """A jail's process. It goes when we go."""
    process = subprocess.Popen(command, preexec_fn=die_with_parent, start_new_session=True, **words)
    running.add(process)
    if over.is_set():
        stop(process)
    return process


def stop_soon(process):
    """End the jail and everything in it; who waits for it sees the end."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(process):
    """End the jail and everything in it, and wait for that."""
    stop_soon(process)
    process.wait()
    running.discard(process)


def stop_all():
    """Whoever graded was told to end: so do all jails, and those that a thread may just begin."""
    over.set()
    for process in list(running):
        stop_soon(process)
