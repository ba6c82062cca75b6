/*
 * The event rings, read: one line an event, oldest first, with the names of calls, signals and traps.
 *
 * Only some events bring the time along. The others happened between it and the next time that is
 * printed. Where nothing has been written yet a word is zero, which would be call 0: reading stops
 * there unless the ring has been filled to the end once.
 */
#include "x86/event.h"

#include <abi/signal.h>

#include "lib/log.h"
#include "lib/printf.h"
#include "x86/clock.h"
#include "x86/irq.h"
#include "x86/syscall.h"
#include "x86/trap.h"

#define NO_CALL \
    0xffffu /* exec and sigreturn leave this for the number of the call that they were */
#define ERRNO_MAX 4095

static enum event_kind kind_of(uint64_t word)
{
    return (enum event_kind)(word >> EVENT_KIND_SHIFT);
}

bool event_seen_progress(void)
{
    struct cpu *c = this_cpu();
    bool progress = false;

    for (; c->event_seen != c->event_next; c->event_seen++) {
        enum event_kind kind = kind_of(c->events[c->event_seen]);
        progress |= kind == EVENT_CALL || kind == EVENT_SWITCH;
    }
    return progress;
}

/* --- names --- */

static const char *call_name(uint64_t nr)
{
    const char *name = nr < NR_SYSCALLS ? syscall_info[nr].name : NULL;
    return name ? name : "unknown call";
}

static const char *signal_name(unsigned signo)
{
    static const char *const names[] = {
        [SIGHUP] = "HUP",   [SIGINT] = "INT",       [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
        [SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",     [SIGBUS] = "BUS",   [SIGFPE] = "FPE",
        [SIGKILL] = "KILL", [SIGUSR1] = "USR1",     [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
        [SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",     [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
        [SIGCHLD] = "CHLD", [SIGCONT] = "CONT",     [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
        [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",     [SIGURG] = "URG",   [SIGXCPU] = "XCPU",
        [SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
        [SIGIO] = "IO",     [SIGPWR] = "PWR",       [SIGSYS] = "SYS",
    };

    if (signo < ARRAY_SIZE(names) && names[signo])
        return names[signo];
    return "RT";
}

static const char *state_name(uint64_t state)
{
    static const char *const names[] = {"runnable", "sleeps",  "sleeps",
                                        "sleeps",   "stopped", "dead"};
    return state < ARRAY_SIZE(names) ? names[state] : "?";
}

/* --- one event --- */

static void describe_return(char *text, size_t size, uint64_t payload)
{
    uint64_t nr = payload >> 32 & 0xffff;
    int result = (int)(uint32_t)payload;

    if (nr == NO_CALL)
        snprintf(text, size, "return from execve or rt_sigreturn");
    else if (result < 0 && result >= -ERRNO_MAX)
        snprintf(text, size, "return %s = %pe", call_name(nr), err_ptr(result));
    else
        snprintf(text, size, "return %s = %#x", call_name(nr), (unsigned)result);
}

static void describe(char *text, size_t size, uint64_t word)
{
    uint64_t payload = word & EVENT_PAYLOAD;
    unsigned low = (unsigned)payload;

    switch (kind_of(word)) {
    case EVENT_CALL: snprintf(text, size, "call %s", call_name(payload)); break;
    case EVENT_RETURN: describe_return(text, size, payload); break;
    case EVENT_SWITCH:
        snprintf(text, size, "switch to thread %u, the one before %s", low,
                 state_name(payload >> EVENT_STATE_SHIFT));
        break;
    case EVENT_WAKE: snprintf(text, size, "wake thread %u", low); break;
    case EVENT_INTERRUPT: snprintf(text, size, "interrupt %#x (%s)", low, irq_name(low)); break;
    case EVENT_FAULT:
        snprintf(text, size, "page fault at %#lx, error code %#lx",
                 payload & ((1UL << EVENT_ERROR_SHIFT) - 1), payload >> EVENT_ERROR_SHIFT);
        break;
    case EVENT_TRAP: snprintf(text, size, "trap %u (%s)", low, trap_name(low)); break;
    case EVENT_SIGNAL_SENT:
        snprintf(text, size, "signal %u (SIG%s) for process %u", low & 0xff,
                 signal_name(low & 0xff), low >> EVENT_PID_SHIFT);
        break;
    case EVENT_SIGNAL_TAKEN:
        snprintf(text, size, "signal %u (SIG%s) taken by process %u", low & 0xff,
                 signal_name(low & 0xff), low >> EVENT_PID_SHIFT);
        break;
    case EVENT_PACKET_IN:
        snprintf(text, size, "packet of %u bytes in, device %lu", low,
                 payload >> EVENT_DEVICE_SHIFT);
        break;
    case EVENT_PACKET_OUT:
        snprintf(text, size, "packet of %u bytes out, device %lu", low,
                 payload >> EVENT_DEVICE_SHIFT);
        break;
    default: snprintf(text, size, "? %#lx", word); break;
    }
}

/* --- the ring --- */

/* How many words of the ring count: all, or those before event_next when the rest has never been written. */
static unsigned words_written(const struct cpu *c)
{
    for (unsigned i = c->event_next; i < EVENT_WORDS; i++)
        if (c->events[i])
            return EVENT_WORDS;
    return c->event_next;
}

/* How far behind event_next the newest SHOWN events begin. */
static unsigned first_shown(const struct cpu *c, unsigned shown)
{
    unsigned back = 0, written = words_written(c);

    while (back < written && shown) {
        back++;
        shown -= kind_of(c->events[(uint8_t)(c->event_next - back)]) != EVENT_TIME;
    }
    return back;
}

/* The newest time that is older than BACK words, so that the first event shown has one; 0: none is left. */
static uint64_t time_before(const struct cpu *c, unsigned back)
{
    for (unsigned written = words_written(c); back <= written; back++) {
        uint64_t word = c->events[(uint8_t)(c->event_next - back)];
        if (kind_of(word) == EVENT_TIME)
            return word & EVENT_PAYLOAD;
    }
    return 0;
}

void event_print(int cpu, unsigned shown)
{
    const struct cpu *c = &cpus[cpu];
    unsigned back = first_shown(c, shown);
    uint64_t tsc = time_before(c, back);
    char text[80];

    log_at(LOG_EMERG, "events of CPU %d, the newest last:", cpu);
    for (; back > 0; back--) {
        uint64_t word = c->events[(uint8_t)(c->event_next - back)];
        if (kind_of(word) == EVENT_TIME) {
            tsc = word & EVENT_PAYLOAD;
            continue;
        }
        nsec_t when = tsc ? clock_of_tsc(cpu, tsc) : 0;
        describe(text, sizeof(text), word);
        log_at(LOG_EMERG, "  %lld.%09lld  %s", (long long)(when / NSEC_PER_SEC),
               (long long)(when % NSEC_PER_SEC), text);
    }
}
