/* musl: what the system says of itself, prctl, and random bytes. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static unsigned char a[512], b[512];

TEST(uname_names_the_machine)
{
    struct utsname uts;
    works(uname(&uts));
    same_text(uts.machine, "x86_64");
    same_text(uts.sysname, "Linux");
    check(uts.release[0] && uts.version[0] && uts.nodename[0], "every field is filled");
}

TEST(hostname_is_for_root_and_has_a_limit)
{
    char name[70];
    memset(name, 'x', sizeof(name));
    fails(sethostname(name, 65), EINVAL);
    fails(syscall(SYS_sethostname, name, -1), EINVAL);
    fails(syscall(SYS_setdomainname, name, 65), EINVAL);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(sethostname("x", 1), EPERM);
}

TEST(sysinfo_is_plausible)
{
    struct sysinfo info;
    works(sysinfo(&info));
    check(info.mem_unit >= 1, "unit");
    check(info.totalram > 0 && info.freeram <= info.totalram, "memory");
    check(info.procs >= 2, "processes");
}

TEST(process_name_is_set_and_cut)
{
    char name[16];
    works(prctl(PR_SET_NAME, "a rather long name"));
    works(prctl(PR_GET_NAME, name));
    same_text(name, "a rather long n");
    works(prctl(PR_SET_NAME, ""));
    works(prctl(PR_GET_NAME, name));
    same_text(name, "");
    fails(prctl(PR_SET_NAME, NOWHERE), EFAULT);
    fails(prctl(PR_GET_NAME, NOWHERE), EFAULT);
}

TEST(no_new_privs_only_goes_on)
{
    same(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    fails(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    fails(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    works(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    same(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    pid_t pid;
    CHILD (pid) {
        same(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    }
    exits(pid, 0);
}

TEST(pdeathsig_is_set_and_read)
{
    int sig = -1;
    works(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    works(prctl(PR_GET_PDEATHSIG, &sig));
    same(sig, SIGUSR1);
    fails(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
    pid_t pid;
    CHILD (pid) {
        works(prctl(PR_GET_PDEATHSIG, &sig));
        same(sig, 0);
    }
    exits(pid, 0);
}

TEST(dumpable_and_keepcaps)
{
    same(prctl(PR_GET_DUMPABLE), 1);
    works(prctl(PR_SET_DUMPABLE, 0));
    same(prctl(PR_GET_DUMPABLE), 0);
    fails(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    same(prctl(PR_GET_KEEPCAPS), 0);
    works(prctl(PR_SET_KEEPCAPS, 1));
    same(prctl(PR_GET_KEEPCAPS), 1);
    fails(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
}

TEST(unknown_prctl_is_einval)
{
    fails(prctl(123456, 0, 0, 0, 0), EINVAL);
}

TEST(personality_is_linux)
{
    same(syscall(SYS_personality, 0xffffffffUL), 0);
}

TEST(random_bytes_differ)
{
    same(getrandom(a, sizeof(a), 0), sizeof(a));
    same(getrandom(b, sizeof(b), 0), sizeof(b));
    check(memcmp(a, b, sizeof(a)) != 0, "two blocks are not equal");
    int ones = 0;
    for (size_t i = 0; i < sizeof(a); i++)
        ones += __builtin_popcount(a[i]);
    check(ones > 1700 && ones < 2400, "about half of the bits are set, got %d of 4096", ones);
}

TEST(random_bytes_differ_after_fork)
{
    int p[2];
    pid_t pid;
    works(pipe(p));
    CHILD (pid) {
        same(getrandom(a, 32, 0), 32);
        same(write(p[1], a, 32), 32);
    }
    same(getrandom(b, 32, 0), 32);
    same(read(p[0], a, 32), 32);
    check(memcmp(a, b, 32) != 0, "parent and child");
    exits(pid, 0);
}

TEST(getrandom_checks_its_arguments)
{
    same(getrandom(a, 0, 0), 0);
    same(getrandom(a, 10, GRND_NONBLOCK), 10);
    same(getrandom(a, 10, GRND_RANDOM), 10);
    fails(getrandom(a, 10, 0x80), EINVAL);
    fails(getrandom(a, 10, GRND_RANDOM | 4 /* GRND_INSECURE */), EINVAL);
    fails(getrandom(NOWHERE, 10, 0), EFAULT);
}

TEST(large_getrandom_is_complete)
{
    enum { SIZE = 1 << 20 };
    unsigned char *big = calloc(1, SIZE);
    same(getrandom(big, SIZE, 0), SIZE);
    int zeroes = 0;
    for (int i = SIZE - 4096; i < SIZE; i++)
        zeroes += big[i] == 0;
    check(zeroes < 100, "the end is random too");
}

TEST(reboot_wants_its_magic_words)
{
    fails(syscall(SYS_reboot, 1, 2, 0, 0), EINVAL);
    fails(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x12345, 0), EINVAL);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x1234567, 0), EPERM);
}

TEST(thread_area_is_kept_by_arch_prctl)
{
    unsigned long gs = 1, was;
    works(syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, &was));
    works(syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, 0x123456));
    pause_a_little();
    works(syscall(SYS_arch_prctl, 0x1004, &gs));
    same(gs, 0x123456);
    fails(syscall(SYS_arch_prctl, 0x1001, 1UL << 63), EPERM);
    fails(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
    fails(syscall(SYS_arch_prctl, 0x1004, NOWHERE), EFAULT);
}

int main(void)
{
    return tap_run("system");
}
