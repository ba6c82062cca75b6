/* What the files of the terminal code share with each other: see dev/tty.h for the picture. */
#pragma once

#include <abi/ioctl.h>
#include <abi/termios.h>

#include "dev/tty.h"

struct file;
struct poll_table;
struct uio;

#define TTY_IN_LIMIT (32u * 1024)             /* bytes that wait to be read */
#define TTY_IN_HIGH (TTY_IN_LIMIT - 8 * 1024) /* more: ask the driver to stop */
#define TTY_IN_LOW (4u * 1024)                /* less: to go on */
#define TTY_IN_LINES 1024u                    /* lines that wait to be read, with limits likewise */
#define TTY_IN_LINES_HIGH (TTY_IN_LINES - 256)
#define TTY_IN_LINES_LOW (TTY_IN_LINES / 8)
#define TTY_OUT_LIMIT (4u * 1024)  /* bytes a writer may leave behind */
#define TTY_OUT_WAKE (3u * 1024)   /* less: writers go on */
#define TTY_ECHO_EXTRA (4u * 1024) /* echo may go beyond by so much */

/* Is C the control character that termios has at INDEX? A zero there means none. */
static inline bool tty_is_cc(const struct tty *t, unsigned char c, int index)
{
    return c == t->termios.c_cc[index] && c != _POSIX_VDISABLE;
}

/* tty_ldisc.c */
void tty_flush_input(struct tty *t); /* t->lock held */
/* The reader has made room. No lock held. */
void tty_unthrottle(struct tty *t);
/* New settings take effect. No lock held. */
void tty_set_termios(struct tty *t, const struct termios2 *new_termios);

/* tty_read.c */
ssize_t tty_read(struct file *f, struct uio *u, off_t *pos);
unsigned tty_poll(struct file *f, struct poll_table *pt);

/* tty_output.c */
/* Expand what a program writes; at most 8 bytes come of one. t->lock held. Returns the length. */
size_t tty_opost(struct tty *t, char c, char out[8]);
void tty_flush_output(struct tty *t);               /* t->lock held */
void tty_stop_output(struct tty *t, bool hold);     /* t->out.lock held; HOLD: TCOOFF */
void tty_start_output(struct tty *t, bool release); /* t->out.lock held; RELEASE: TCOON */
void tty_send_urgent(struct tty *t, char c);        /* t->out.lock held */
ssize_t tty_write(struct file *f, struct uio *u, off_t *pos);
/* Sleep until all output is sent, at most until DEADLINE. 0, -ERESTARTSYS or -ETIMEDOUT. */
int tty_drain(struct tty *t, nsec_t deadline);

/* tty.c */
static inline bool tty_is_hung_up(const struct tty_open *o)
{
    return !o->console && o->generation != READ_ONCE(o->tty->generation);
}
void tty_hangup(struct tty *t, bool leader_exits);

/* tty_job.c */
struct pid *tty_async_owner(struct file *f, int *type);
/* May the current process read (SIGTTIN) from, or change or write to (SIGTTOU) T? 0, -EIO, -ERESTARTSYS. */
int tty_check_job(struct tty *t, int signo);
/* Opened by a session leader that has no terminal: becomes its controlling terminal. */
void tty_maybe_acquire(struct tty *t, const struct file *f);
struct tty *tty_controlling(void);     /* of the current process, with a reference; NULL */
bool tty_is_mine(const struct tty *t); /* it is the current process's controlling terminal */
int tty_acquire(struct tty *t, const struct file *f, bool steal); /* TIOCSCTTY */
int tty_release_session(struct tty *t);                           /* TIOCNOTTY */
int tty_set_foreground(struct tty *t, int nr);                    /* TIOCSPGRP */
int tty_get_foreground(struct tty *t);                            /* 0 for none */
int tty_get_session(struct tty *t);                               /* 0 for none */
/* The foreground group with a reference, for signals from the keyboard; NULL. t->lock held. */
struct pid *tty_foreground_get(struct tty *t);
void tty_signal_foreground(struct tty *t, int signo); /* no lock held */
/* For a hangup: T is nobody's controlling terminal any more, and its session is told. */
void tty_forget_session(struct tty *t, bool leader_exits);

/* tty_ioctl.c */
long tty_ioctl(struct file *f, unsigned cmd, unsigned long arg);
