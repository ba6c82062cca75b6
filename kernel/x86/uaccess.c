/*
 * Copies to and from user memory.
 *
 * Every function checks that the range ends below USER_END; after that only the pages decide. A
 * fault in a copy comes to kernel_page_fault() (trap.c), which makes the page and lets the
 * instruction run again, or goes on at the copy's fixup. It does the latter at once when interrupts
 * are off: so a copy that must not sleep turns them off, and that is all that the _nofault
 * functions are.
 */
#include "x86/uaccess.h"

#include "sched/lock.h"
#include "x86/cpu.h"
#include "x86/upcalls.h"

/* uaccess.asm: the number of bytes not done. */
size_t copy_user(void *dst, const void *src, size_t n);
size_t zero_user(void *dst, size_t n);

void uaccess_assert_may_sleep(void)
{
    lock_assert_may_sleep();
}

int copy_from_user_any(void *dst, const void __user *src, size_t n)
{
    size_t left = n;

    if (likely(user_range_ok(src, n)))
        left = copy_user(dst, src, n);
    if (likely(!left))
        return 0;
    memset((char *)dst + (n - left), 0, left);
    return -EFAULT;
}

int copy_to_user_any(void __user *dst, const void *src, size_t n)
{
    if (likely(user_range_ok(dst, n)) && likely(!copy_user(dst, src, n)))
        return 0;
    return -EFAULT;
}

/* The part of [p, p + n) that lies in the user half. */
static size_t user_part(const void __user *p, size_t n)
{
    return (uintptr_t)p >= USER_END ? 0 : min(n, USER_END - (uintptr_t)p);
}

size_t copy_from_user_partial(void *dst, const void __user *src, size_t n)
{
    size_t part = user_part(src, n);

    lock_assert_may_sleep();
    return n - part + copy_user(dst, src, part);
}

size_t copy_to_user_partial(void __user *dst, const void *src, size_t n)
{
    size_t part = user_part(dst, n);

    lock_assert_may_sleep();
    return n - part + copy_user(dst, src, part);
}

size_t copy_to_user_nofault(void __user *dst, const void *src, size_t n)
{
    size_t part = user_part(dst, n);

    irq_push_off();
    size_t left = copy_user(dst, src, part);
    irq_pop_off();
    return n - part + left;
}

size_t clear_user(void __user *dst, size_t n)
{
    size_t part = user_part(dst, n);

    lock_assert_may_sleep();
    return n - part + zero_user(dst, part);
}

int user_fault_in(const void __user *p, bool write)
{
    int sigcode;

    lock_assert_may_sleep();
    if (!user_range_ok(p, 1))
        return -EFAULT;
    int error = mm_fault((uintptr_t)p, write ? FAULT_WRITE : 0, &sigcode);
    return !error || error == -ENOMEM ? error : -EFAULT;
}

/*
 * Bytes of a word that are zero have their top bit set in the result; exact for the lowest of them.
 */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - 0x0101010101010101UL) & ~word & 0x8080808080808080UL;
}

long strncpy_from_user(char *dst, const char __user *src, size_t size)
{
    uintptr_t s = (uintptr_t)src;
    size_t room = user_part(src, size);
    size_t i = 0;

    lock_assert_may_sleep();
    while (i < room) {
        /* A word at a time, but never into a page that the string may not reach. */
        if (room - i >= 8 && ((s + i) & ~PAGE_MASK) <= PAGE_SIZE - 8) {
            uint64_t word;
            if (!load_user_64(&word, s + i))
                return -EFAULT;
            __builtin_memcpy(dst + i, &word, sizeof(word));
            if (zero_bytes(word))
                return (long)(i + (size_t)__builtin_ctzl(zero_bytes(word)) / 8);
            i += 8;
        } else {
            uint8_t byte;
            if (!load_user_8(&byte, s + i))
                return -EFAULT;
            dst[i] = (char)byte;
            if (!byte)
                return (long)i;
            i++;
        }
    }
    return i == size ? -ENAMETOOLONG : -EFAULT;
}

int cmpxchg_user_u32(uint32_t __user *p, uint32_t old, uint32_t new_value, uint32_t *seen)
{
    int error = -EFAULT;

    if (!user_range_ok(p, sizeof(*p)))
        return -EFAULT;
    irq_push_off();
    asm goto(STAC "1:\tlock cmpxchgl %2, (%1)\n\t" EXTABLE("1b", "%l[fault]", 0)
             : "+a"(old)
             : "r"(p), "r"(new_value)
             : "memory", "cc"
             : fault);
    *seen = old;
    error = 0;
fault:
    asm volatile(CLAC ::: "memory");
    irq_pop_off();
    return error;
}

int load_user_u32_nofault(uint32_t *value, const uint32_t __user *p)
{
    if (!user_range_ok(p, sizeof(*p)))
        return -EFAULT;
    irq_push_off();
    bool ok = load_user_32(value, (uintptr_t)p);
    irq_pop_off();
    return ok ? 0 : -EFAULT;
}
