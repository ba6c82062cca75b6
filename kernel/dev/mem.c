/*
 * The devices that are only an idea: null swallows all, zero gives endless zeroes, full is a disk without
 * room, random and urandom are one generator (dev/random.c) under two names.
 *
 * None has an offset: lseek says 0, pread and pwrite work as read and write do.
 */
#include "dev/mem.h"

#include <abi/ioctl.h>
#include <abi/poll.h>
#include <abi/sysmacros.h>

#include "dev/random.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "proc/cred.h"
#include "sched/sched.h"
#include "x86/uaccess.h"

#define MEM_MAJOR 1

/* linux/random.h */
#define RNDGETENTCNT _IOR('R', 0x00, int)
#define RNDADDTOENTCNT _IOW('R', 0x01, int)
#define RNDADDENTROPY _IOW('R', 0x03, int[2])
#define RNDZAPENTCNT _IO('R', 0x04)
#define RNDCLEARPOOL _IO('R', 0x06)
#define RNDRESEEDCRNG _IO('R', 0x07)
#define ENTROPY_BITS 256 /* the size of the key: what Linux reports once it is seeded */

/* A long read gives others a turn, and ends early for a signal. */
static bool must_stop(void)
{
    if (READ_ONCE(current->work) & WORK_RESCHED)
        schedule();
    return signal_pending(current);
}

static off_t no_offset(struct file *f, off_t offset, int whence)
{
    (void)offset, (void)whence;
    return f->pos = 0;
}

static ssize_t null_read(struct file *f, struct uio *u, off_t *pos)
{
    (void)f, (void)u, (void)pos;
    return 0;
}

static ssize_t null_write(struct file *f, struct uio *u, off_t *pos)
{
    size_t n = u->left;

    (void)f, (void)pos;
    uio_skip(u, n);
    return (ssize_t)n;
}

static ssize_t zero_read(struct file *f, struct uio *u, off_t *pos)
{
    size_t done = 0;

    (void)f, (void)pos;
    while (u->left) {
        size_t chunk = min(u->left, PAGE_SIZE);
        size_t n = uio_zero(u, chunk);
        done += n;
        if (n < chunk)
            return done ? (ssize_t)done : -EFAULT;
        if (u->left && must_stop())
            break;
    }
    return (ssize_t)done;
}

static ssize_t full_write(struct file *f, struct uio *u, off_t *pos)
{
    (void)f, (void)u, (void)pos;
    return -ENOSPC;
}

/* A private mapping of /dev/zero is anonymous memory: no object. */
static struct vmobject *zero_mmap_object(struct file *f)
{
    (void)f;
    return NULL;
}

static ssize_t random_read(struct file *f, struct uio *u, off_t *pos)
{
    char bytes[256];
    size_t done = 0;

    (void)f, (void)pos;
    while (u->left) {
        size_t chunk = min(u->left, sizeof(bytes));
        random_bytes(bytes, chunk);
        size_t n = uio_copy_out(u, bytes, chunk);
        done += n;
        if (n < chunk) {
            if (!done)
                return -EFAULT;
            break;
        }
        if (done % PAGE_SIZE == 0 && u->left && must_stop())
            break;
    }
    return (ssize_t)done;
}

static ssize_t random_write(struct file *f, struct uio *u, off_t *pos)
{
    char bytes[256];
    size_t done = 0;

    (void)f, (void)pos;
    while (u->left) {
        size_t chunk = min(u->left, sizeof(bytes));
        size_t n = uio_copy_in(u, bytes, chunk);
        random_mix(bytes, n);
        done += n;
        if (n < chunk)
            return done ? (ssize_t)done : -EFAULT;
        if (done % PAGE_SIZE == 0 && u->left && must_stop())
            break;
    }
    return (ssize_t)done;
}

/* RNDADDENTROPY: a count of bits, a count of bytes, the bytes. */
static long add_entropy(int __user *arg)
{
    int head[2];
    char bytes[256];

    if (copy_from_user(head, arg, sizeof(head)))
        return -EFAULT;
    if (head[0] < 0 || head[1] < 0)
        return -EINVAL;
    const char __user *from = (const char __user *)(arg + 2);
    for (size_t left = (size_t)head[1]; left;) {
        size_t chunk = min(left, sizeof(bytes));
        if (copy_from_user(bytes, from, chunk))
            return -EFAULT;
        random_mix(bytes, chunk);
        from += chunk;
        left -= chunk;
    }
    return 0;
}

static long random_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    int bits;

    (void)f;
    switch (cmd) {
    case RNDGETENTCNT: return put_user(ENTROPY_BITS, (int __user *)arg);
    case RNDADDTOENTCNT:
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        if (get_user(bits, (int __user *)arg))
            return -EFAULT;
        return bits < 0 ? -EINVAL : 0;
    case RNDADDENTROPY: return capable(CAP_SYS_ADMIN) ? add_entropy((int __user *)arg) : -EPERM;
    case RNDZAPENTCNT:
    case RNDCLEARPOOL:
    case RNDRESEEDCRNG:
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        random_mix(NULL, 0);
        return 0;
    default: return -EINVAL;
    }
}

/* The generator is seeded before the first program runs: /dev/random is never waited for. */
static unsigned random_poll(struct file *f, struct poll_table *pt)
{
    (void)f, (void)pt;
    return POLLIN | POLLRDNORM;
}

static const struct file_ops null_ops = {.read = null_read,
                                         .write = null_write,
                                         .lseek = no_offset,
                                         .seekable = true,
                                         .splice_to = true};
static const struct file_ops zero_ops = {.read = zero_read,
                                         .write = null_write,
                                         .lseek = no_offset,
                                         .seekable = true,
                                         .splice_from = true,
                                         .splice_to = true,
                                         .mmap_object = zero_mmap_object};
static const struct file_ops full_ops = {.read = zero_read,
                                         .write = full_write,
                                         .lseek = no_offset,
                                         .seekable = true,
                                         .splice_from = true};
static const struct file_ops random_ops = {.read = random_read,
                                           .write = random_write,
                                           .lseek = no_offset,
                                           .seekable = true,
                                           .splice_from = true,
                                           .splice_to = true,
                                           .ioctl = random_ioctl,
                                           .poll = random_poll};
static const struct file_ops urandom_ops = {.read = random_read,
                                            .write = random_write,
                                            .lseek = no_offset,
                                            .seekable = true,
                                            .splice_from = true,
                                            .splice_to = true,
                                            .ioctl = random_ioctl};

static struct chrdev devices[] = {
    {.name = "null", .mode = 0666, .fops = &null_ops},
    {.name = "zero", .mode = 0666, .fops = &zero_ops},
    {.name = "full", .mode = 0666, .fops = &full_ops},
    {.name = "random", .mode = 0666, .fops = &random_ops},
    {.name = "urandom", .mode = 0666, .fops = &urandom_ops},
};
static const unsigned minors[] = {3, 5, 7, 8, 9};

void mem_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        devices[i].dev = makedev(MEM_MAJOR, minors[i]);
        chrdev_register(&devices[i]);
    }
}
