/*
 * callfuzz [SEED [ROUNDS]]: every system call with hostile arguments.
 *
 * A round is a child in a root directory of its own that makes CALLS calls, drawn at random over all
 * numbers, with arguments drawn from what is likely to hurt: good, read-only, forbidden, missing and
 * kernel memory, lengths and offsets at their limits, open, closed and absurd descriptors, paths, all
 * bits. The child may end in any way; it must end. Calls that would end the test or the machine are
 * left out or tamed.
 *
 * Children have no rights, except that on Signalbox, where nothing can be broken, half of them are root.
 */
#include "fuzz.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define CALLS 60
#define AT_ONCE 4
#define PAGE 4096UL

static char dir[] = "/tmp/callfuzz-XXXXXX";
static int null_fd; /* opened before anybody could spoil /dev/null */
static char *writable, *read_only, *forbidden, *cliff;

/* Left out: they would take the test down with them, or make it wait for nothing. */
static const int excluded[] = {
    SYS_exit,          SYS_exit_group,      SYS_reboot,       SYS_pause,
    SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_settimeofday, SYS_clock_settime,
    SYS_sethostname,   SYS_setdomainname,   SYS_syslog,       SYS_swapon,
    SYS_swapoff,       SYS_init_module,     SYS_finit_module, SYS_delete_module,
    SYS_kexec_load,    SYS_kexec_file_load, SYS_adjtimex,     SYS_clock_adjtime,
    SYS_iopl,          SYS_ioperm,          SYS_acct,         SYS_vhangup,
    SYS_setsid,        SYS_setpgid,
};

static bool is_excluded(long nr)
{
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
        if (excluded[i] == nr)
            return true;
    return false;
}

static long a_number(void)
{
    static const long values[] = {0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  7,
                                  8,
                                  10,
                                  15,
                                  16,
                                  63,
                                  64,
                                  65,
                                  100,
                                  127,
                                  128,
                                  255,
                                  256,
                                  511,
                                  512,
                                  1000,
                                  1023,
                                  1024,
                                  4095,
                                  4096,
                                  4097,
                                  65535,
                                  65536,
                                  1 << 20,
                                  1 << 24,
                                  0x7ffff000,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  1L << 40,
                                  1L << 47,
                                  0x7ffffffffffff000,
                                  0x7fffffffffffffff,
                                  (long)(1UL << 63),
                                  -1,
                                  -2,
                                  -4096,
                                  -100,
                                  -22,
                                  0x5401,
                                  0x541b,
                                  02000000,
                                  0100};
    switch (below(8)) {
    case 0: return (long)draw();
    case 1: return 1L << below(64);
    case 2: return (long)(1UL << below(32) | 1UL << below(32) | 1UL << below(32));
    default: return ONE_OF(values);
    }
}

static long a_pointer(void)
{
    switch (below(12)) {
    case 0: return 0;
    case 1: return (long)read_only + (long)below(64);
    case 2: return (long)forbidden;
    case 3: return (long)cliff - (long)below(64);
    case 4: return (long)0xffffffff80000000 + (long)below(1 << 24);
    case 5: return (long)0xffff888000000000 + (long)below(1 << 28);
    case 6: return (long)(1UL << 63) + (long)below(4096);
    case 7: return 0x7fffffffe000 + (long)below(8192);
    default: return (long)writable + (long)below(PAGE) * (below(2) ? 1 : 8) % (long)(4 * PAGE);
    }
}

static long a_path(void)
{
    static const char *const paths[] = {"file",
                                        "dir",
                                        "link",
                                        "loop",
                                        "fifo",
                                        "dir/file",
                                        ".",
                                        "..",
                                        "/",
                                        "",
                                        "new",
                                        "dir/new",
                                        "dev/null",
                                        "dev/zero",
                                        "dev/full",
                                        "dev/tty",
                                        "proc/self/maps",
                                        "proc/self/fd/3",
                                        "proc/self/stat",
                                        "proc/self/exe",
                                        "proc/meminfo",
                                        "proc/self/fd",
                                        "./././dir/../file",
                                        "file/x",
                                        "proc/self/cwd/file",
                                        "proc/self/environ",
                                        "script"};
    return (long)ONE_OF(paths);
}

static long an_argument(void)
{
    switch (below(8)) {
    case 0:
    case 1: return (long)below(20); /* a descriptor, a small number */
    case 2:
    case 3: return a_pointer();
    case 4: return a_path();
    case 5: return below(2) ? AT_FDCWD : 100;
    default: return a_number();
    }
}

static long a_call(void)
{
    for (;;) {
        long nr = below(50) == 0 ? a_number() : (long)(below(8) ? below(335) : 424 + below(28));
        if (!is_excluded(nr & 0xffffffff))
            return nr;
    }
}

/* Fill the memory that calls read structures from with numbers that look like something. */
static void prepare_memory(void)
{
    for (size_t i = 0; i < 4 * PAGE / 8; i++)
        ((long *)writable)[i] = below(3) ? (long)below(64) : an_argument();
}

/* Signals reach oneself and one's group only; nobody sleeps for long; nobody becomes two. */
static void tame(long nr, long *a)
{
    static const long brief[4] = {0, 1000000, 0, 1000};
    switch (nr & 0xffffffff) {
    case SYS_kill:
    case SYS_tkill:
    case SYS_rt_sigqueueinfo: a[0] = below(2) ? getpid() : 0x3fffffff; break;
    case SYS_tgkill:
    case SYS_rt_tgsigqueueinfo: a[0] = a[1] = getpid(); break;
    case SYS_pidfd_send_signal: a[0] = syscall(SYS_pidfd_open, getpid(), 0); break;
    case SYS_fcntl: /* F_SETOWN and F_SETSIG could aim at strangers */
        if (a[1] == F_SETOWN || a[1] == F_SETOWN_EX)
            a[1] = F_GETFL;
        break;
    case SYS_nanosleep: a[0] = (long)brief; break;
    case SYS_clock_nanosleep:
        a[1] = 0;
        a[2] = (long)brief;
        break;
    case SYS_poll: a[2] = (long)below(3); break;
    case SYS_prlimit64:
    case SYS_setpriority:
    case SYS_sched_setscheduler:
    case SYS_sched_setparam:
    case SYS_sched_setaffinity:
    case SYS_sched_setattr: a[nr == SYS_setpriority] = 0; break;
    case SYS_mknod: /* not the terminal that this prints on */
    case SYS_mknodat: a[nr == SYS_mknod ? 2 : 3] = below(2) ? 0x105 : 0xfa4d; break;
    case SYS_ptrace:
    case SYS_pidfd_open: a[nr == SYS_ptrace] = 0x3fffffff; break;
    }
}

static bool makes_a_process(long nr)
{
    nr &= 0xffffffff;
    return nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3;
}

/* In assembly and inline, so that a vfork child, or one on the same stack, does nothing before it exits. */
static inline __attribute__((always_inline)) long call(long nr, const long *a)
{
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void one_call(void)
{
    long a[6], nr = a_call();
    for (int i = 0; i < 6; i++)
        a[i] = an_argument();
    tame(nr, a);
    long result = call(nr, a);
    if (result == 0 && makes_a_process(nr))
        for (;;)
            call(SYS_exit, a);
}

static void open_things(void)
{
    static const char *const names[] = {"file", "dir", "dev/null", "dev/zero", "link", "dir/file"};
    int p[2];
    for (int fd = 3; fd < 40; fd++)
        close(fd);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (open(names[i], O_RDWR | O_NONBLOCK) < 0)
            open(names[i], O_RDONLY | O_NONBLOCK);
    if (pipe2(p, O_NONBLOCK) == 0)
        write(p[1], "0123456789", 10);
    pipe(p);
    open("fifo", O_RDONLY | O_NONBLOCK);
    open("file", O_PATH);
}

static void map_things(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    writable = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    read_only = mmap(NULL, PAGE, PROT_READ, flags, -1, 0);
    forbidden = mmap(NULL, PAGE, PROT_NONE, flags, -1, 0);
    cliff = (char *)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) + PAGE;
    munmap(cliff, PAGE);
}

_Noreturn static void child(unsigned long seed, bool privileged)
{
    setsid(); /* a group to be killed by, and no terminal to write on */
    random_seed(seed);
    limit(RLIMIT_AS, 256 << 20);
    limit(RLIMIT_CPU, 2);
    limit(RLIMIT_FSIZE, 1 << 20);
    limit(RLIMIT_NOFILE, 64);
    limit(RLIMIT_NPROC, 60);
    limit(RLIMIT_CORE, 0);
    if (chroot(dir) < 0 || chdir("/") < 0)
        _exit(99);
    if (!privileged)
        become_nobody();
    for (int fd = 0; fd < 3; fd++)
        dup2(null_fd, fd);
    open_things();
    map_things();
    for (int i = 0; i < CALLS; i++) {
        if (i % 10 == 0)
            prepare_memory();
        one_call();
    }
    _exit(0);
}

/* A root directory for the children: what an ordinary one has, small. */
static void furnish(void)
{
    static const struct {
        const char *name;
        int minor_nr;
    } devices[] = {{"dev/null", 3}, {"dev/zero", 5}, {"dev/full", 7}};
    if (!mkdtemp(dir) || chdir(dir) < 0 || chmod(dir, 0777) < 0)
        die(dir);
    umask(0);
    mkdir("dir", 0777);
    mkdir("dev", 0755);
    mkdir("proc", 0555);
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (mknod(devices[i].name, S_IFCHR | 0666, (dev_t)(1 << 8 | devices[i].minor_nr)) < 0)
            die("mknod");
    mknod("dev/tty", S_IFCHR | 0666, 5 << 8);
    mkfifo("fifo", 0666);
    symlink("file", "link");
    symlink("loop", "loop");
    close(open("file", O_WRONLY | O_CREAT, 0666));
    close(open("dir/file", O_WRONLY | O_CREAT, 0666));
    int fd = open("script", O_WRONLY | O_CREAT, 0777);
    write(fd, "#!/script2\n", 11);
    close(fd);
}

/* What children made or broke is put right between batches. */
static void refurnish(void)
{
    umount2("proc", MNT_DETACH);
    chdir("/");
    remove_tree(AT_FDCWD, dir);
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    furnish();
}

/* What outlives its makers: System V objects and message queues. On Linux only the children's own. */
static void sweep_ipc(bool here)
{
    union {
        struct shmid_ds shm;
        struct semid_ds sem;
        struct msqid_ds msg;
        struct shminfo limits;
    } u;
    int id, last = shmctl(0, IPC_INFO, &u.shm);

    for (int i = 0; i <= last; i++)
        if ((id = shmctl(i, SHM_STAT, &u.shm)) >= 0 && (here || u.shm.shm_perm.uid == NOBODY))
            shmctl(id, IPC_RMID, NULL);
    last = semctl(0, 0, IPC_INFO, &u);
    for (int i = 0; i <= last; i++)
        if ((id = semctl(i, 0, SEM_STAT, &u.sem)) >= 0 && (here || u.sem.sem_perm.uid == NOBODY))
            semctl(id, 0, IPC_RMID);
    last = msgctl(0, IPC_INFO, &u.msg);
    for (int i = 0; i <= last; i++)
        if ((id = msgctl(i, MSG_STAT, &u.msg)) >= 0 && (here || u.msg.msg_perm.uid == NOBODY))
            msgctl(id, IPC_RMID, NULL);
    DIR *d = opendir("/dev/mqueue");
    struct dirent *e;
    struct stat st;
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (here || st.st_uid == NOBODY))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

int main(int argc, char **argv)
{
    unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : 1000, killed = 0;
    bool here = access("/proc/kstat", F_OK) == 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        die("/dev/null");
    furnish();
    for (long i = 0; i < rounds; i += AT_ONCE) {
        pid_t pid[AT_ONCE];
        if (i % 100 == 0) {
            refurnish();
            if (here && mount("proc", "proc", "proc", 0, NULL) < 0)
                die("mount proc");
        }
        for (int k = 0; k < AT_ONCE; k++) {
            fflush(stdout);
            pid[k] = fork();
            if (pid[k] < 0)
                die("fork");
            if (pid[k] == 0)
                child(seed + (unsigned long)(i + k), here && (i + k) % 2);
        }
        for (int k = 0; k < AT_ONCE; k++) {
            int status = put_an_end_to(pid[k]);
            killed += WIFSIGNALED(status);
        }
        reap_orphans();
        sweep_ipc(here);
    }
    kill_leftovers();
    sweep_ipc(here);
    umount2("proc", MNT_DETACH);
    chdir("/");
    remove_tree(AT_FDCWD, dir);
    printf("callfuzz: seed %lu: %ld children, %ld killed\n", seed, rounds, killed);
    return 0;
}
