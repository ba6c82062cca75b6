/*
 * What a program can ask of a terminal: ioctl requests, as tty_ioctl(2) lists them. Requests that change
 * something are job control's business: a process in the background is stopped first.
 */
#include <abi/ioctl.h>
#include <abi/signal.h>

#include "dev/tty_internal.h"
#include "fs/file.h"
#include "lib/string.h"
#include "proc/cred.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define NCC 8
/* The System V form that TCGETA and TCSETA carry. */
struct termio {
    unsigned short c_iflag, c_oflag, c_cflag, c_lflag;
    unsigned char c_line;
    unsigned char c_cc[NCC];
};

static const unsigned baud_table[] = {0,   50,   75,   110,  134,  150,  200,   300,
                                      600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const unsigned high_baud_table[] = {0,      57600,  115200, 230400,
                                           460800, 500000, 576000, 921600};

/* The speed that c_cflag names; CURRENT when it says BOTHER. */
static unsigned baud_rate(tcflag_t cflag, unsigned current_speed)
{
    unsigned code = cflag & CBAUD;

    if (code == BOTHER)
        return current_speed;
    if (!(code & CBAUDEX))
        return baud_table[code & 15];
    code &= 15;
    return code < ARRAY_SIZE(high_baud_table) ? high_baud_table[code] : current_speed;
}

static struct termios2 current_termios(struct tty *t)
{
    spin_lock(&t->lock);
    struct termios2 tio = t->termios;
    spin_unlock(&t->lock);
    return tio;
}

/* Drain for a program: a signal that arrives cuts it short. */
static int wait_until_sent(struct tty *t)
{
    return tty_drain(t, DEADLINE_NONE);
}

enum form { FORM_TERMIO, FORM_TERMIOS, FORM_TERMIOS2 };
enum when { NOW, DRAINED, FLUSHED };

static long get_termios(struct tty *t, void __user *arg, enum form form)
{
    struct termios2 tio = current_termios(t);
    struct termio old;

    switch (form) {
    case FORM_TERMIOS: return copy_to_user(arg, &tio, sizeof(struct termios));
    case FORM_TERMIOS2: return copy_to_user(arg, &tio, sizeof(tio));
    default: break;
    }
    memset(&old, 0, sizeof(old));
    old.c_iflag = (unsigned short)tio.c_iflag;
    old.c_oflag = (unsigned short)tio.c_oflag;
    old.c_cflag = (unsigned short)tio.c_cflag;
    old.c_lflag = (unsigned short)tio.c_lflag;
    old.c_line = tio.c_line;
    memcpy(old.c_cc, tio.c_cc, NCC);
    return copy_to_user(arg, &old, sizeof(old));
}

/* Settings from user memory into *TIO, which holds the present ones. */
static int fetch_termios(struct termios2 *tio, const void __user *arg, enum form form)
{
    struct termio old;

    switch (form) {
    case FORM_TERMIOS:
        if (copy_from_user(tio, arg, sizeof(struct termios)))
            return -EFAULT;
        break;
    case FORM_TERMIOS2:
        if (copy_from_user(tio, arg, sizeof(*tio)))
            return -EFAULT;
        break;
    case FORM_TERMIO:
        if (copy_from_user(&old, arg, sizeof(old)))
            return -EFAULT;
        tio->c_iflag = (tio->c_iflag & 0xffff0000) | old.c_iflag;
        tio->c_oflag = (tio->c_oflag & 0xffff0000) | old.c_oflag;
        tio->c_cflag = (tio->c_cflag & 0xffff0000) | old.c_cflag;
        tio->c_lflag = (tio->c_lflag & 0xffff0000) | old.c_lflag;
        tio->c_line = old.c_line;
        memcpy(tio->c_cc, old.c_cc, NCC);
        break;
    }
    tio->c_ospeed = baud_rate(tio->c_cflag, tio->c_ospeed);
    tio->c_ispeed = tio->c_ospeed;
    return 0;
}

static long set_termios(struct tty *t, const void __user *arg, enum form form, enum when when)
{
    int error = tty_check_job(t, SIGTTOU);
    if (error)
        return error;
    struct termios2 tio = current_termios(t);
    error = fetch_termios(&tio, arg, form);
    if (error)
        return error;
    if (when == FLUSHED) {
        spin_lock(&t->lock);
        tty_flush_input(t);
        spin_unlock(&t->lock);
    }
    if (when != NOW && (error = wait_until_sent(t)))
        return error;
    tty_set_termios(t, &tio);
    tty_unthrottle(t);
    return 0;
}

static long get_winsize(struct tty *t, void __user *arg)
{
    spin_lock(&t->lock);
    struct winsize w = t->winsize;
    spin_unlock(&t->lock);
    return copy_to_user(arg, &w, sizeof(w));
}

static long set_winsize(struct tty *t, const void __user *arg)
{
    struct winsize w;

    if (copy_from_user(&w, arg, sizeof(w)))
        return -EFAULT;
    spin_lock(&t->lock);
    bool changed = memcmp(&w, &t->winsize, sizeof(w)) != 0;
    t->winsize = w;
    spin_unlock(&t->lock);
    if (changed)
        tty_signal_foreground(t, SIGWINCH);
    return 0;
}

static long set_foreground(struct tty *t, const int __user *arg)
{
    int nr;
    int error = tty_check_job(t, SIGTTOU);

    if (error)
        return error == -EIO ? -ENOTTY : error;
    if (get_user(nr, arg))
        return -EFAULT;
    if (nr < 0)
        return -EINVAL;
    return tty_set_foreground(t, nr);
}

static long send_break(struct tty *t, nsec_t duration)
{
    t->ops->set_break(t, true);
    int error = sched_sleep_until(clock_monotonic() + duration, WAIT_INTERRUPTIBLE);
    t->ops->set_break(t, false);
    return error ? -EINTR : 0;
}

/* TCSBRK, TCSBRKP, TIOCSBRK: after what is on its way has been sent. */
static long break_request(struct tty *t, unsigned cmd, unsigned long arg)
{
    int error = tty_check_job(t, SIGTTOU);

    if (error)
        return error;
    if (cmd != TIOCCBRK && wait_until_sent(t))
        return -EINTR;
    switch (cmd) {
    case TIOCSBRK: t->ops->set_break(t, true); return 0;
    case TIOCCBRK: t->ops->set_break(t, false); return 0;
    case TCSBRK: return arg ? 0 : send_break(t, 250 * NSEC_PER_MSEC);
    default: return send_break(t, (arg ? (nsec_t)(arg & 0xffff) * 100 : 250) * NSEC_PER_MSEC);
    }
}

/* tcflow(3). */
static long flow(struct tty *t, unsigned long how)
{
    int error = tty_check_job(t, SIGTTOU);

    if (error)
        return error;
    if (how > TCION)
        return -EINVAL;
    char start = (char)t->termios.c_cc[VSTART], stop = (char)t->termios.c_cc[VSTOP];
    spin_lock(&t->out.lock);
    switch (how) {
    case TCOOFF: tty_stop_output(t, true); break;
    case TCOON: tty_start_output(t, true); break;
    case TCIOFF: tty_send_urgent(t, stop); break;
    case TCION: tty_send_urgent(t, start); break;
    }
    spin_unlock(&t->out.lock);
    return 0;
}

/* tcflush(3). */
static long flush(struct tty *t, unsigned long what)
{
    int error = tty_check_job(t, SIGTTOU);

    if (error)
        return error;
    if (what > TCIOFLUSH)
        return -EINVAL;
    spin_lock(&t->lock);
    if (what != TCOFLUSH)
        tty_flush_input(t);
    if (what != TCIFLUSH)
        tty_flush_output(t);
    spin_unlock(&t->lock);
    tty_unthrottle(t);
    return 0;
}

static long queued_input(struct tty *t, int __user *arg)
{
    spin_lock(&t->in.lock);
    int bytes = (int)t->in.bytes;
    spin_unlock(&t->in.lock);
    return put_user(bytes, arg);
}

static long queued_output(struct tty *t, int __user *arg)
{
    spin_lock(&t->out.lock);
    int bytes = (int)t->out.bytes;
    spin_unlock(&t->out.lock);
    return put_user(bytes, arg);
}

/* TIOCSTI: as if the byte had been typed. */
static long simulate_input(struct tty *t, const char __user *arg)
{
    char c;

    if (!tty_is_mine(t) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (get_user(c, arg))
        return -EFAULT;
    tty_receive(t, &c, 1);
    return 0;
}

static long modem_request(struct tty *t, unsigned cmd, unsigned __user *arg)
{
    const unsigned settable = TIOCM_DTR | TIOCM_RTS;
    unsigned bits;

    if (cmd == TIOCMGET)
        return put_user(t->ops->get_modem(t), arg);
    if (get_user(bits, arg))
        return -EFAULT;
    bits &= settable;
    switch (cmd) {
    case TIOCMBIS: t->ops->set_modem(t, 0, bits); break;
    case TIOCMBIC: t->ops->set_modem(t, bits, 0); break;
    default: t->ops->set_modem(t, settable, bits); break;
    }
    return 0;
}

static long set_soft_carrier(struct tty *t, const int __user *arg)
{
    int on;

    if (get_user(on, arg))
        return -EFAULT;
    struct termios2 tio = current_termios(t);
    tio.c_cflag = (tio.c_cflag & ~(tcflag_t)CLOCAL) | (on ? CLOCAL : 0);
    tty_set_termios(t, &tio);
    return 0;
}

static long set_discipline(struct tty *t, const int __user *arg)
{
    int which;
    int error = tty_check_job(t, SIGTTOU);

    if (error)
        return error;
    if (get_user(which, arg))
        return -EFAULT;
    return which == N_TTY ? 0 : -EINVAL;
}

static void set_exclusive(struct tty *t, bool on)
{
    spin_lock(&t->lock);
    t->exclusive = on;
    spin_unlock(&t->lock);
}

static long hang_up(struct tty *t)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    tty_hangup(t, false);
    return 0;
}

/* Sessions and groups. */
static long session_request(struct tty *t, struct file *f, unsigned cmd, unsigned long arg)
{
    int __user *number = (int __user *)arg;

    switch (cmd) {
    case TIOCSCTTY: return tty_acquire(t, f, arg == 1);
    case TIOCNOTTY: return tty_release_session(t);
    case TIOCSPGRP: return set_foreground(t, number);
    case TIOCGPGRP: return tty_is_mine(t) ? put_user(tty_get_foreground(t), number) : -ENOTTY;
    default:
        if (!tty_is_mine(t) || !tty_get_session(t))
            return -ENOTTY;
        return put_user(tty_get_session(t), number);
    }
}

static long termios_request(struct tty *t, unsigned cmd, void __user *arg)
{
    switch (cmd) {
    case TCGETS: return get_termios(t, arg, FORM_TERMIOS);
    case TCSETS: return set_termios(t, arg, FORM_TERMIOS, NOW);
    case TCSETSW: return set_termios(t, arg, FORM_TERMIOS, DRAINED);
    case TCSETSF: return set_termios(t, arg, FORM_TERMIOS, FLUSHED);
    case TCGETS2: return get_termios(t, arg, FORM_TERMIOS2);
    case TCSETS2: return set_termios(t, arg, FORM_TERMIOS2, NOW);
    case TCSETSW2: return set_termios(t, arg, FORM_TERMIOS2, DRAINED);
    case TCSETSF2: return set_termios(t, arg, FORM_TERMIOS2, FLUSHED);
    case TCGETA: return get_termios(t, arg, FORM_TERMIO);
    case TCSETA: return set_termios(t, arg, FORM_TERMIO, NOW);
    case TCSETAW: return set_termios(t, arg, FORM_TERMIO, DRAINED);
    default: return set_termios(t, arg, FORM_TERMIO, FLUSHED);
    }
}

long tty_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;
    int __user *number = (int __user *)arg;

    if (tty_is_hung_up(o))
        return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
    switch (cmd) {
    case TCGETS:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCGETS2:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCGETA:
    case TCSETA:
    case TCSETAW:
    case TCSETAF: return termios_request(t, cmd, (void __user *)arg);
    case TIOCSCTTY:
    case TIOCNOTTY:
    case TIOCSPGRP:
    case TIOCGPGRP:
    case TIOCGSID: return session_request(t, f, cmd, arg);
    case TIOCGWINSZ: return get_winsize(t, (void __user *)arg);
    case TIOCSWINSZ: return set_winsize(t, (void __user *)arg);
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK: return break_request(t, cmd, arg);
    case TCXONC: return flow(t, arg);
    case TCFLSH: return flush(t, arg);
    case TIOCINQ: return queued_input(t, number);
    case TIOCOUTQ: return queued_output(t, number);
    case TIOCSTI: return simulate_input(t, (const char __user *)arg);
    case TIOCMGET:
    case TIOCMSET:
    case TIOCMBIS:
    case TIOCMBIC: return modem_request(t, cmd, (unsigned __user *)arg);
    case TIOCGSOFTCAR: return put_user(t->termios.c_cflag & CLOCAL ? 1 : 0, number);
    case TIOCSSOFTCAR: return set_soft_carrier(t, number);
    case TIOCGETD: return put_user(N_TTY, number);
    case TIOCSETD: return set_discipline(t, number);
    case TIOCGDEV: return put_user((unsigned)t->dev, (unsigned __user *)arg);
    case TIOCEXCL: set_exclusive(t, true); return 0;
    case TIOCNXCL: set_exclusive(t, false); return 0;
    case TIOCVHANGUP: return hang_up(t);
    default: return -ENOTTY;
    }
}
