/*
 * Each CPU's event ring: what happened there last, for the report of a panic (x86/report.h).
 *
 * A ring is EVENT_WORDS words in struct cpu. A word has its kind in the highest byte; a system call is
 * its number alone, so that entry.asm notes it with four instructions. Reading the clock would cost as
 * much again, so events that are rare or far apart put a word with the time before their own, and the
 * others count as of that time.
 *
 * No lock: one instruction takes the place in the ring, and only this CPU writes. An interrupt between
 * that and the store notes its own behind; a CPU that is stopped between the two leaves one old word.
 */
#pragma once

#include "lib/types.h"
#include "x86/cpu.h"

/* What the payload, the lower 56 bits, says stands behind each. entry.asm knows the first two. */
enum event_kind {
    EVENT_CALL,         /* the call's number */
    EVENT_RETURN,       /* debug builds: 32 bits of the result, 16 of the call's number */
    EVENT_TIME,         /* the time stamp counter */
    EVENT_SWITCH,       /* the next thread's number, the previous one's state from bit 32 */
    EVENT_WAKE,         /* the thread's number */
    EVENT_INTERRUPT,    /* the vector */
    EVENT_FAULT,        /* 48 bits of the address, the error code from bit 48 */
    EVENT_TRAP,         /* the vector */
    EVENT_SIGNAL_SENT,  /* the signal's number, the process's from bit 8 */
    EVENT_SIGNAL_TAKEN, /* the same */
    EVENT_PACKET_IN,    /* its length, the device's number from bit 32 */
    EVENT_PACKET_OUT,   /* the same */
    EVENT_KINDS
};

#define EVENT_KIND_SHIFT 56
#define EVENT_PAYLOAD ((1UL << EVENT_KIND_SHIFT) - 1)
#define EVENT_STATE_SHIFT 32
#define EVENT_ERROR_SHIFT 48
#define EVENT_PID_SHIFT 8
#define EVENT_DEVICE_SHIFT 32

/* Take N places in this CPU's ring: the first's index. */
static inline uint8_t event_take(uint8_t n)
{
    asm volatile("xaddb %0, %%gs:%c1" : "+q"(n) : "i"(offsetof(struct cpu, event_next)) : "cc");
    return n;
}

static inline void event_put(uint8_t place, uint64_t word)
{
    asm volatile("movq %0, %%gs:%c2(,%1,8)"
                 :
                 : "r"(word), "r"((uint64_t)place), "i"(offsetof(struct cpu, events))
                 : "memory");
}

/* Callable from anywhere, interrupts and NMIs included. */
static inline void event_note(enum event_kind kind, uint64_t payload)
{
    event_put(event_take(1), (uint64_t)kind << EVENT_KIND_SHIFT | payload);
}

/* The same, and the time with it. */
static inline void event_note_timed(enum event_kind kind, uint64_t payload)
{
    uint32_t low, high;
    uint8_t place = event_take(2);

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    high = (high & (uint32_t)(EVENT_PAYLOAD >> 32)) | EVENT_TIME << (EVENT_KIND_SHIFT - 32);
    event_put(place, (uint64_t)high << 32 | low);
    event_put((uint8_t)(place + 1), (uint64_t)kind << EVENT_KIND_SHIFT | payload);
}

/*
 * True when this CPU has entered a system call or switched threads since it was asked last. Interrupts
 * are off.
 */
bool event_seen_progress(void);

/* The newest SHOWN events of CPU, into the log. For the report: that CPU stands still, or is this one. */
void event_print(int cpu, unsigned shown);
