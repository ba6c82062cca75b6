/* musl: the memory devices, and what is no terminal. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

static char buf[10000];

TEST(null_swallows_and_gives_nothing)
{
    int fd = works(open("/dev/null", O_RDWR));
    same(write(fd, buf, sizeof(buf)), sizeof(buf));
    same(read(fd, buf, 10), 0);
    same(lseek(fd, 5, SEEK_SET), 0);
}

TEST(zero_gives_zeroes)
{
    int fd = works(open("/dev/zero", O_RDWR));
    memset(buf, 1, sizeof(buf));
    same(read(fd, buf, sizeof(buf)), sizeof(buf));
    for (size_t i = 0; i < sizeof(buf); i++)
        same(buf[i], 0);
    same(write(fd, buf, 10), 10);
    fails(read(fd, NOWHERE, 10), EFAULT);
}

TEST(zero_can_be_mapped)
{
    int fd = works(open("/dev/zero", O_RDWR));
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(p != MAP_FAILED, "mmap");
    same(p[PAGE], 0);
    p[PAGE] = 1;
}

TEST(full_is_always_full)
{
    int fd = works(open("/dev/full", O_RDWR));
    fails(write(fd, "x", 1), ENOSPC);
    memset(buf, 1, 10);
    same(read(fd, buf, 10), 10);
    same(buf[9], 0);
}

TEST(random_devices_give_different_bytes)
{
    char a[64], b[64];
    int fd = works(open("/dev/urandom", O_RDONLY)), r = works(open("/dev/random", O_RDONLY));
    same(read(fd, a, 64), 64);
    same(read(fd, b, 64), 64);
    check(memcmp(a, b, 64) != 0, "urandom");
    same(read(r, b, 64), 64);
    check(memcmp(a, b, 64) != 0, "random");
}

TEST(what_is_no_terminal_says_enotty)
{
    struct termios t;
    struct winsize w;
    int fd = works(open("/dev/null", O_RDWR)), p[2];
    make_file("f", "");
    int f = works(open("f", O_RDWR));
    works(pipe(p));
    fails(ioctl(fd, TCGETS, &t), ENOTTY);
    fails(ioctl(f, TCGETS, &t), ENOTTY);
    fails(ioctl(p[0], TIOCGWINSZ, &w), ENOTTY);
    fails(tcgetpgrp(f), ENOTTY);
    same(isatty(f), 0);
    fails(ioctl(f, 0x12345678, 0), ENOTTY);
    fails(ioctl(99, TCGETS, &t), EBADF);
}

TEST(generic_ioctls_work_on_files)
{
    int on = 1, n = 0;
    make_file("f", "12345");
    int fd = works(open("f", O_RDONLY));
    works(ioctl(fd, FIOCLEX));
    same(fcntl(fd, F_GETFD), FD_CLOEXEC);
    works(ioctl(fd, FIONCLEX));
    same(fcntl(fd, F_GETFD), 0);
    works(ioctl(fd, FIONBIO, &on));
    same(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    on = 0;
    works(ioctl(fd, FIONBIO, &on));
    same(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    works(ioctl(fd, FIONREAD, &n));
    same(n, 5);
    fails(ioctl(fd, FIONREAD, NOWHERE), EFAULT);
}

TEST(no_controlling_terminal_no_dev_tty)
{
    pid_t pid;
    CHILD (pid) {
        works(setsid());
        fails(open("/dev/tty", O_RDWR), ENXIO);
    }
    exits(pid, 0);
}

TEST(a_device_without_driver_is_enxio)
{
    works(mknod("c", S_IFCHR | 0600, (250UL << 8) | 77));
    fails(open("c", O_RDONLY), ENXIO);
}

TEST(devices_cannot_be_cut)
{
    int fd = works(open("/dev/null", O_RDWR));
    fails(ftruncate(fd, 0), EINVAL);
    fails(truncate("/dev/null", 0), EINVAL);
    works(close(works(open("/dev/null", O_RDWR | O_TRUNC))));
}

TEST(random_is_polled_for_reading)
{
    struct pollfd random = {.fd = works(open("/dev/random", O_RDWR)), .events = POLLIN | POLLOUT};
    struct pollfd urandom = {.fd = works(open("/dev/urandom", O_RDWR)), .events = POLLIN | POLLOUT};
    same(poll(&random, 1, 0), 1);
    same(random.revents, POLLIN);
    same(poll(&urandom, 1, 0), 1);
    same(urandom.revents, POLLIN | POLLOUT);
}

int main(void)
{
    return tap_run("devices");
}
