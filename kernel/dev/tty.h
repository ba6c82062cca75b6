/*
 * Terminals: two queues with a line discipline between the program and a driver.
 *
 *     program --write--> opost --> out --> driver --> line
 *                 echo -----------^
 *     program <--read--- in <-- line being edited <-- tty_receive <-- driver's interrupt
 *
 * The driver gives received bytes to tty_receive() and is asked for output through tty_ops; it takes what
 * there is to send with tty_pull().
 *
 * Locks: lock (RANK_TTY) is the line discipline's; each queue has its own, taken inside it, never both at
 * once. All three may be taken in interrupts. The controlling-terminal fields change with proc_tree_lock
 * and lock held, so either will do to read them.
 */
#pragma once

#include <abi/termios.h>

#include "ipc/queue.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "sched/lock.h"

struct pid;
struct proc;
struct tty;
struct file;
struct inode;

struct tty_ops {
    void (*start)(struct tty *t);   /* there is output: begin or go on sending. t->out.lock held */
    bool (*idle)(struct tty *t);    /* the last byte that was pulled has left the device */
    void (*discard)(struct tty *t); /* forget what was pulled and not sent. t->out.lock held */
    void (*configure)(struct tty *t);          /* termios changed. t->lock held */
    void (*throttle)(struct tty *t, bool on);  /* stop, or go on, receiving. t->lock held */
    void (*set_break)(struct tty *t, bool on); /* hold the line in the break state */
    unsigned (*get_modem)(struct tty *t);      /* TIOCM_* */
    void (*set_modem)(struct tty *t, unsigned clear, unsigned set);
};

#define TTY_LINE_MAX 4096 /* longest line in canonical mode, newline included */

struct tty {
    struct refcount ref;       /* atomic */
    struct tty *next;          /* const after tty_register */
    const struct tty_ops *ops; /* const */
    void *driver;              /* const: the driver's */
    char name[16];             /* const: "ttyS0" */
    dev_t dev;                 /* const */
    struct spinlock lock;      /* RANK_TTY */

    struct termios2 termios; /* changed with lock and in.lock held */
    struct winsize winsize;  /* lock */
    struct queue in;         /* its own lock: finished lines (a record each), or bytes when raw */
    struct queue out;        /* its own lock: to the driver */

    /* input: lock */
    char line[TTY_LINE_MAX]; /* the line being edited; in raw mode bytes on their way to in */
    unsigned line_len;
    unsigned column;      /* of the output, for tabs and erasing */
    unsigned line_column; /* column where the line being edited begins */
    bool literal_next;    /* Ctrl-V was typed */
    bool erasing;         /* between the \ and / of ECHOPRT */
    bool throttled;       /* the driver was told to stop */
    uint64_t lost;        /* bytes dropped for lack of room */

    /* output: out.lock */
    bool stopped;            /* Ctrl-S, or held */
    bool held;               /* TCOOFF: only TCOON lets go on */
    char urgent;             /* START or STOP to be sent before all else, 0 for none */
    bool writing;            /* somebody is in write(2): one at a time */
    struct waitq write_turn; /* who wants to be next */

    /* the session: see above */
    struct pid *session;    /* whose controlling terminal; reference held */
    struct pid *foreground; /* foreground group; reference held */

    /* descriptions: lock */
    unsigned generation; /* a hangup counts it up: older descriptions are dead */
    unsigned count;      /* open descriptions */
    bool exclusive;      /* TIOCEXCL */
};

/* One open description of a terminal: struct file's private. */
struct tty_open {
    struct tty *tty;     /* const: a reference is held */
    unsigned generation; /* const: of tty when it was opened */
    bool console;        /* const: opened as /dev/console: never hung up, no job control on it */
};

/* A terminal with the usual settings; then make it known under its name and number. */
void tty_init(struct tty *t, const char *name, dev_t dev, const struct tty_ops *ops, void *driver);
void tty_register(struct tty *t);
struct tty *tty_find(const char *name); /* NULL */
static inline void tty_get(struct tty *t)
{
    ref_get(&t->ref);
}
void tty_put(struct tty *t);

/* From the driver, in interrupts too. */
void tty_receive(struct tty *t, const char *data, size_t n);
enum tty_error { TTY_BREAK, TTY_PARITY, TTY_FRAMING };
void tty_receive_error(struct tty *t, enum tty_error error, char c);
/* Up to N bytes to send; 0 when there are none or output is stopped. t->out.lock held. */
size_t tty_pull(struct tty *t, char *data, size_t n);

/* Opening /dev/ttyS0, /dev/tty, /dev/console. */
int tty_open(struct inode *i, struct file *f);
/* The session leader exits: the tty is no longer anyone's. proc_tree_lock not held. */
void tty_session_exit(struct proc *leader);

/* Wait a moment for all output to leave the machine, without interrupts' help if need be: before power-off. */
void tty_flush_all(void);

/* /dev/console and process 1's first descriptors; NULL when the machine has no terminal. */
extern struct tty *console_tty;

void tty_init_subsystem(void); /* /dev/tty, before any driver */
void console_init(void);       /* after the drivers: choose console_tty, make /dev/console */
