/*
 * Device numbers: a dev_t is a major number (which driver) and a minor one (which of its devices),
 * interleaved so that the 16-bit numbers of old fit in the low half. struct stat carries this form.
 */
#pragma once

#include <abi/types.h>

static inline dev_t makedev(unsigned major_nr, unsigned minor_nr)
{
    dev_t ma = major_nr, mi = minor_nr;
    return (ma & 0xfffff000UL) << 32 | (ma & 0xfffUL) << 8 | (mi & 0xffffff00UL) << 12 |
           (mi & 0xffUL);
}

static inline unsigned major(dev_t dev)
{
    return (unsigned)((dev >> 32 & 0xfffff000UL) | (dev >> 8 & 0xfffUL));
}

static inline unsigned minor(dev_t dev)
{
    return (unsigned)((dev >> 12 & 0xffffff00UL) | (dev & 0xffUL));
}
