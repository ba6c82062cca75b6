/*
 * Backtraces: a walk along the frame pointers, into the log.
 *
 * Trap entries leave an odd one: the address of the interrupted code's registers plus one, from where
 * the walk goes on. Whatever is read may be broken, so every word is fetched with care, and the number
 * of frames has a limit. Of a deep stack both ends are shown: where it is, and how it began.
 */
#include "x86/backtrace.h"

#include "lib/log.h"
#include "lib/symbols.h"
#include "sched/thread.h"
#include "x86/context.h"
#include "x86/extable.h"

#define MAX_DEPTH 1200 /* a stack that is full has fewer */
#define INNER_FRAMES 24
#define OUTER_FRAMES 16
#define PUSH_RBP 0x55
#define PROLOGUE_SIZE 4 /* push rbp; mov rbp, rsp */
#define KERNEL_HALF 0xffff800000000000UL
#define SAVED_RBP 40 /* in what switch_stacks() pushes, see context.c */

/* One code address. A return address may lie behind its function's end: 1 back it is inside. */
static void print_frame(uintptr_t ip, unsigned back)
{
    uintptr_t offset;
    const char *name = symbol_lookup(ip - back, &offset);

    if (name)
        log_at(LOG_EMERG, "  %016lx %s+%#lx", ip, name, offset + back);
    else
        log_at(LOG_EMERG, "  %016lx", ip);
}

/*
 * Code that was interrupted before it made its frame, or that never makes one (a leaf, a jump to
 * nowhere), is not in the chain with its caller: that one's address is on top of the stack at SP.
 * Functions with a frame begin by pushing rbp.
 */
static void print_frameless_caller(uintptr_t ip, uintptr_t sp)
{
    uintptr_t offset;
    uint64_t code, caller;

    if (symbol_lookup(ip, &offset) && offset >= PROLOGUE_SIZE &&
        kernel_read_word(&code, ip - offset) && (code & 0xff) == PUSH_RBP)
        return;
    if (kernel_read_word(&caller, sp) && symbol_lookup(caller, &offset))
        print_frame(caller, 1);
}

/* The registers that a trap left at ADDR. False when they can't be read. */
static bool read_regs(struct regs *r, uintptr_t addr)
{
    return kernel_read_word(&r->rip, addr + offsetof(struct regs, rip)) &&
           kernel_read_word(&r->cs, addr + offsetof(struct regs, cs)) &&
           kernel_read_word(&r->rsp, addr + offsetof(struct regs, rsp)) &&
           kernel_read_word(&r->rbp, addr + offsetof(struct regs, rbp));
}

static void print_trap(const struct regs *r)
{
    log_at(LOG_EMERG, "  --- trap ---");
    if (regs_from_user(r)) {
        log_at(LOG_EMERG, "  %016lx in user mode", r->rip);
        return;
    }
    print_frame(r->rip, 0);
    print_frameless_caller(r->rip, r->rsp);
}

/* Go up from BP, and print what comes from number FIRST to before LAST. How many there are, traps as well. */
static unsigned walk(uintptr_t bp, unsigned first, unsigned last)
{
    uintptr_t ip;
    struct regs r;
    unsigned n;

    for (n = 0; n < MAX_DEPTH && bp >= KERNEL_HALF; n++) {
        bool shown = n >= first && n < last;

        if (bp & 1) {
            if (!read_regs(&r, bp - 1))
                return n;
            if (shown)
                print_trap(&r);
            bp = regs_from_user(&r) ? 0 : r.rbp;
        } else {
            if (!kernel_read_word(&ip, bp + 8) || !kernel_read_word(&bp, bp))
                return n;
            if (shown)
                print_frame(ip, 1);
        }
    }
    return n;
}

void backtrace(const struct regs *from, bool called)
{
    log_at(LOG_EMERG, "call trace:");
    if (regs_from_user(from)) {
        log_at(LOG_EMERG, "  %016lx in user mode", from->rip);
        return;
    }
    print_frame(from->rip, called);
    if (!called)
        print_frameless_caller(from->rip, from->rsp);
    unsigned depth = walk(from->rbp, 0, 0);
    if (depth <= INNER_FRAMES + OUTER_FRAMES) {
        walk(from->rbp, 0, depth);
    } else {
        walk(from->rbp, 0, INNER_FRAMES);
        log_at(LOG_EMERG, "  --- %u more ---", depth - INNER_FRAMES - OUTER_FRAMES);
        walk(from->rbp, depth - OUTER_FRAMES, depth);
    }
}

size_t backtrace_sleeping(const struct thread *t, uintptr_t *ips, size_t max)
{
    uint64_t bp = t->arch.rsp + SAVED_RBP, ip;
    size_t n = 0;

    while (n < max && bp >= KERNEL_HALF && !(bp & 7)) {
        uint64_t up;
        if (!kernel_read_word(&ip, bp + 8) || !kernel_read_word(&up, bp))
            break;
        ips[n++] = ip;
        if (up <= bp)
            break;
        bp = up;
    }
    return n;
}
