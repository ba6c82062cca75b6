/* Port input and output, and memory-mapped registers: for drivers in dev/ and for x86/. */
#pragma once

#include "lib/types.h"

static inline void outb(uint16_t port, uint8_t v)
{
    asm volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outw(uint16_t port, uint16_t v)
{
    asm volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outl(uint16_t port, uint32_t v)
{
    asm volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;
    asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;
    asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t mmio_read32(const volatile void *p)
{
    return *(const volatile uint32_t *)p;
}
static inline void mmio_write32(volatile void *p, uint32_t v)
{
    *(volatile uint32_t *)p = v;
}

/* Fences between CPUs order nothing for devices here: see device_fence(). Const after cpu_features_detect(). */
extern bool fence_by_port;

/*
 * What was stored is seen by a device before what is loaded next is read (a full fence, for memory that both use).
 *
 * QEMU's TCG leaves out the order of locked instructions, and up to version 8.0 mfence, where it runs all CPUs in one
 * thread (one CPU, or -icount): between the CPUs nothing is lost, but its devices are another thread, and the host's
 * processor lets loads pass stores. A port access waits for both everywhere (Intel SDM 3A, 8.2.5), and there it takes
 * the lock that the devices hold. Port 0x80 is the power-on diagnostics', and says nothing now.
 */
static inline void device_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (fence_by_port)
        outb(0x80, 0);
}

/*
 * Map SIZE bytes of device memory at PA, uncached, for good. NULL when out of kernel address space.
 */
volatile void *mmio_map(paddr_t pa, size_t size);
