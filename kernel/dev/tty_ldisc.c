/*
 * The line discipline's input side: what becomes of a byte that arrives.
 *
 * In canonical mode bytes collect in t->line, where they can be erased, until a newline, EOF or EOL ends the
 * line; then the line goes into t->in as one record. An EOF character is not part of it: at the start of a
 * line it leaves an empty record, which a read takes for the end of the file. In raw mode t->line only gathers
 * the bytes of one interrupt, so that readers are woken once.
 *
 * Everything runs under t->lock, most of it in the driver's interrupt. Echo goes into t->out like a program's
 * output. Signals can't be sent under the lock (who is in a group is behind an outer lock), so they are noted
 * and sent at the end.
 */
#include "dev/tty_internal.h"

#include <abi/signal.h>

#include "dev/random.h"
#include "fs/poll.h"
#include "lib/string.h"
#include "proc/pid.h"
#include "signal/signal.h"

static inline bool iflag(const struct tty *t, unsigned bit)
{
    return t->termios.c_iflag & bit;
}
static inline bool lflag(const struct tty *t, unsigned bit)
{
    return t->termios.c_lflag & bit;
}

static bool is_control(unsigned char c)
{
    return c < 32 || c == 127;
}

/* The second and later bytes of a UTF-8 character take no column and go with the first. */
static bool is_continuation(const struct tty *t, unsigned char c)
{
    return iflag(t, IUTF8) && (c & 0xc0) == 0x80;
}

/* Letters are those of Latin-1, as Linux has them here: a multiplication and a division sign are none. */
static bool is_upper(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static bool is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || is_upper(c) || c == '_' ||
           (c >= 0xdf && c != 0xf7);
}

static void send(struct tty *t, const char *bytes, size_t n)
{
    spin_lock(&t->out.lock);
    (void)queue_write_kernel(&t->out, bytes, n);
    spin_unlock(&t->out.lock);
}

/* Show C the way a program's output goes. */
static void echo_raw(struct tty *t, char c)
{
    char out[8];

    if (t->termios.c_oflag & OPOST)
        send(t, out, tty_opost(t, c, out));
    else
        send(t, &c, 1);
}

/* The same, but control characters as ^X where that is wanted. */
static void echo(struct tty *t, unsigned char c)
{
    if (lflag(t, ECHOCTL) && is_control(c) && c != '\t') {
        send(t, (char[]){'^', (char)(c ^ 0100)}, 2);
        t->column += 2;
    } else {
        echo_raw(t, (char)c);
    }
}

static void step_back(struct tty *t)
{
    if (t->column)
        t->column--;
}

static void begin_output(struct tty *t)
{
    spin_lock(&t->out.lock);
    if (!queue_is_empty(&t->out))
        t->ops->start(t);
    spin_unlock(&t->out.lock);
}

static void finish_erasing(struct tty *t)
{
    if (t->erasing) {
        echo_raw(t, '/');
        t->erasing = false;
    }
}

static void echo_back(struct tty *t, unsigned columns)
{
    while (columns--) {
        echo_raw(t, '\b');
        echo_raw(t, ' ');
        echo_raw(t, '\b');
    }
}

/* Move back over a tab that followed what is now in t->line: to the column where that ends. */
static void echo_erase_tab(struct tty *t)
{
    unsigned columns = 0;
    bool after_tab = false;

    for (unsigned i = t->line_len; i > 0; i--) {
        unsigned char c = (unsigned char)t->line[i - 1];
        if (c == '\t') {
            after_tab = true;
            break;
        }
        if (is_control(c))
            columns += lflag(t, ECHOCTL) ? 2 : 0;
        else if (!is_continuation(t, c))
            columns++;
    }
    if (!after_tab)
        columns += t->line_column;
    for (unsigned n = 8 - columns % 8; n; n--) {
        send(t, "\b", 1);
        step_back(t);
    }
}

/* What the screen shows for the character at t->line[t->line_len], COUNT bytes, is to go. */
static void echo_erased(struct tty *t, bool single, unsigned count)
{
    unsigned char c = (unsigned char)t->line[t->line_len];

    if (!lflag(t, ECHO))
        return;
    if (lflag(t, ECHOPRT)) {
        if (!t->erasing) {
            echo_raw(t, '\\');
            t->erasing = true;
        }
        echo(t, c);
        for (unsigned i = 1; i < count; i++) {
            echo_raw(t, t->line[t->line_len + i]);
            step_back(t);
        }
    } else if (single && !lflag(t, ECHOE)) {
        echo(t, t->termios.c_cc[VERASE]);
    } else if (c == '\t') {
        echo_erase_tab(t);
    } else if (!is_control(c)) {
        echo_back(t, 1);
    } else if (lflag(t, ECHOCTL)) {
        echo_back(t, 2);
    }
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void erase(struct tty *t, enum erase what)
{
    bool in_word = false;

    if (!t->line_len)
        return;
    while (t->line_len) {
        unsigned start = t->line_len - 1;
        while (start && is_continuation(t, (unsigned char)t->line[start]))
            start--;
        unsigned char c = (unsigned char)t->line[start];
        if (is_continuation(t, c))
            break;
        if (what == ERASE_WORD) {
            if (is_word(c))
                in_word = true;
            else if (in_word)
                break;
        }
        unsigned count = t->line_len - start;
        t->line_len = start;
        echo_erased(t, what == ERASE_CHAR, count);
        if (what == ERASE_CHAR)
            break;
    }
    if (!t->line_len && lflag(t, ECHO))
        finish_erasing(t);
}

static void kill_line(struct tty *t)
{
    if (lflag(t, ECHO) && lflag(t, ECHOK) && lflag(t, ECHOKE) && lflag(t, ECHOE)) {
        erase(t, ERASE_LINE);
        return;
    }
    bool shown = lflag(t, ECHO) && t->line_len;
    t->line_len = 0;
    if (!shown)
        return;
    finish_erasing(t);
    echo(t, t->termios.c_cc[VKILL]);
    if (lflag(t, ECHOK))
        echo_raw(t, '\n');
}

static void reprint(struct tty *t)
{
    finish_erasing(t);
    echo(t, t->termios.c_cc[VREPRINT]);
    echo_raw(t, '\n');
    for (unsigned i = 0; i < t->line_len; i++)
        echo(t, (unsigned char)t->line[i]);
}

/* The line is done: a record for a reader. */
static void end_line(struct tty *t)
{
    spin_lock(&t->in.lock);
    bool fits = t->in.bytes + t->line_len <= t->in.limit && !queue_is_full(&t->in);
    if (!fits || !queue_write_record(&t->in, t->line, t->line_len))
        t->lost += t->line_len;
    spin_unlock(&t->in.lock);
    t->line_len = 0;
}

/* Raw mode: what has gathered goes to the readers. */
static void hand_over_raw(struct tty *t)
{
    if (!t->line_len)
        return;
    spin_lock(&t->in.lock);
    t->lost += t->line_len - queue_write_kernel(&t->in, t->line, t->line_len);
    spin_unlock(&t->in.lock);
    t->line_len = 0;
}

/*
 * A byte for the line. It can have TTY_LINE_MAX bytes with its end; beyond that bytes are dropped, and only
 * the end is still accepted.
 */
static void put(struct tty *t, char c)
{
    if (lflag(t, ICANON) && t->line_len >= TTY_LINE_MAX - 1) {
        t->lost++;
        return;
    }
    if (t->line_len >= TTY_LINE_MAX)
        hand_over_raw(t);
    t->line[t->line_len++] = c;
}

/* With PARMRK a 377 that was received is told from a mark by being doubled. */
static void keep(struct tty *t, unsigned char c)
{
    if (c == 0xff && iflag(t, PARMRK))
        put(t, (char)c);
    put(t, (char)c);
}

/* A newline moves to the next line, but one that is just another byte (LITERAL) is shown as such. */
static void echo_kept(struct tty *t, unsigned char c, bool literal)
{
    if (!lflag(t, ECHO))
        return;
    finish_erasing(t);
    if (!t->line_len)
        t->line_column = t->column;
    if (c == '\n' && !literal)
        echo_raw(t, '\n');
    else
        echo(t, c);
}

static void add_to_line_end(struct tty *t, unsigned char c)
{
    if (t->line_len < TTY_LINE_MAX)
        t->line[t->line_len++] = (char)c;
    end_line(t);
}

/* Characters that edit or end a line. True when C was one. */
static bool receive_canonical(struct tty *t, unsigned char c)
{
    bool extended = lflag(t, IEXTEN);

    if (tty_is_cc(t, c, VERASE)) {
        erase(t, ERASE_CHAR);
    } else if (tty_is_cc(t, c, VKILL)) {
        kill_line(t);
    } else if (extended && tty_is_cc(t, c, VWERASE)) {
        erase(t, ERASE_WORD);
    } else if (extended && tty_is_cc(t, c, VLNEXT)) {
        t->literal_next = true;
        if (lflag(t, ECHO)) {
            finish_erasing(t);
            if (lflag(t, ECHOCTL)) {
                echo_raw(t, '^');
                echo_raw(t, '\b');
            }
        }
    } else if (extended && lflag(t, ECHO) && tty_is_cc(t, c, VREPRINT)) {
        reprint(t);
    } else if (c == '\n') {
        if (lflag(t, ECHO) || lflag(t, ECHONL))
            echo_raw(t, '\n');
        add_to_line_end(t, c);
    } else if (tty_is_cc(t, c, VEOF)) {
        end_line(t);
    } else if (tty_is_cc(t, c, VEOL) || (extended && tty_is_cc(t, c, VEOL2))) {
        echo_kept(t, c, true);
        add_to_line_end(t, c);
    } else {
        return false;
    }
    return true;
}

/* The signal that C stands for, 0 for none. */
static int signal_of(const struct tty *t, unsigned char c)
{
    if (!lflag(t, ISIG))
        return 0;
    if (tty_is_cc(t, c, VINTR))
        return SIGINT;
    if (tty_is_cc(t, c, VQUIT))
        return SIGQUIT;
    if (tty_is_cc(t, c, VSUSP))
        return SIGTSTP;
    return 0;
}

static void start_output(struct tty *t)
{
    spin_lock(&t->out.lock);
    tty_start_output(t, false);
    spin_unlock(&t->out.lock);
}

/* START and STOP, and anything at all with IXANY. True when C has been used up. */
static bool receive_flow(struct tty *t, unsigned char c)
{
    if (!iflag(t, IXON))
        return false;
    if (tty_is_cc(t, c, VSTART)) {
        start_output(t);
        return true;
    }
    if (tty_is_cc(t, c, VSTOP)) {
        spin_lock(&t->out.lock);
        tty_stop_output(t, false);
        spin_unlock(&t->out.lock);
        return true;
    }
    return false;
}

static void receive_signal(struct tty *t, unsigned char c, int signo, ksigset_t *signals)
{
    *signals |= (ksigset_t)1 << (signo - 1);
    if (!lflag(t, NOFLSH)) {
        tty_flush_input(t);
        tty_flush_output(t);
    }
    if (iflag(t, IXON))
        start_output(t);
    if (lflag(t, ECHO))
        echo(t, c);
}

static void receive_char(struct tty *t, unsigned char c, ksigset_t *signals)
{
    int signo;

    if (iflag(t, ISTRIP))
        c &= 0x7f;
    if (iflag(t, IUCLC) && lflag(t, IEXTEN) && is_upper(c))
        c |= 0x20;
    if (t->literal_next) {
        t->literal_next = false;
        echo_kept(t, c, true);
        keep(t, c);
        return;
    }
    if (receive_flow(t, c))
        return;
    if ((signo = signal_of(t, c))) {
        receive_signal(t, c, signo, signals);
        return;
    }
    if (iflag(t, IXON) && iflag(t, IXANY) && READ_ONCE(t->stopped) && !READ_ONCE(t->held))
        start_output(t);
    bool mapped = c == '\r' && iflag(t, ICRNL);
    if (c == '\r') {
        if (iflag(t, IGNCR))
            return;
        if (mapped)
            c = '\n';
    } else if (c == '\n' && iflag(t, INLCR)) {
        c = '\r';
    }
    if (lflag(t, ICANON) && receive_canonical(t, c))
        return;
    echo_kept(t, c, !mapped);
    keep(t, c);
}

/* More input than the readers keep up with: tell the driver, and with IXOFF the other end. */
static void throttle(struct tty *t)
{
    if (t->throttled ||
        (READ_ONCE(t->in.bytes) < TTY_IN_HIGH && READ_ONCE(t->in.nbufs) < TTY_IN_LINES_HIGH))
        return;
    t->throttled = true;
    t->ops->throttle(t, true);
    if (iflag(t, IXOFF)) {
        spin_lock(&t->out.lock);
        tty_send_urgent(t, (char)t->termios.c_cc[VSTOP]);
        spin_unlock(&t->out.lock);
    }
}

void tty_unthrottle(struct tty *t)
{
    if (!READ_ONCE(t->throttled) || READ_ONCE(t->in.bytes) > TTY_IN_LOW ||
        READ_ONCE(t->in.nbufs) > TTY_IN_LINES_LOW)
        return;
    spin_lock(&t->lock);
    if (t->throttled) {
        t->throttled = false;
        t->ops->throttle(t, false);
        if (iflag(t, IXOFF)) {
            spin_lock(&t->out.lock);
            tty_send_urgent(t, (char)t->termios.c_cc[VSTART]);
            spin_unlock(&t->out.lock);
        }
    }
    spin_unlock(&t->lock);
}

/* Send what the characters called for, once the lock is free. */
static void send_signals(struct pid *group, ksigset_t signals)
{
    static const int order[] = {SIGINT, SIGQUIT, SIGTSTP};

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (signals >> (order[i] - 1) & 1)
            signal_send_group(group, order[i]);
    pid_put(group);
}

/* t->lock held; released. */
static void end_receive(struct tty *t, ksigset_t signals)
{
    struct pid *group = signals ? tty_foreground_get(t) : NULL;

    if (!lflag(t, ICANON))
        hand_over_raw(t);
    throttle(t);
    begin_output(t);
    spin_unlock(&t->lock);
    if (group)
        send_signals(group, signals);
}

void tty_receive(struct tty *t, const char *data, size_t n)
{
    ksigset_t signals = 0;

    spin_lock(&t->lock);
    if (t->count && t->termios.c_cflag & CREAD)
        for (size_t i = 0; i < n; i++)
            receive_char(t, (unsigned char)data[i], &signals);
    end_receive(t, signals);
}

/* A byte that isn't one: 377 0 C with PARMRK, else a 0. */
static void receive_bad(struct tty *t, char c)
{
    if (iflag(t, PARMRK)) {
        put(t, (char)0xff);
        put(t, 0);
        put(t, c);
    } else {
        put(t, 0);
    }
}

void tty_receive_error(struct tty *t, enum tty_error error, char c)
{
    ksigset_t signals = 0;

    spin_lock(&t->lock);
    if (!t->count || !(t->termios.c_cflag & CREAD)) {
        /* nobody listens */
    } else if (error == TTY_BREAK) {
        if (iflag(t, BRKINT) && !iflag(t, IGNBRK))
            receive_signal(t, 0, SIGINT, &signals);
        else if (!iflag(t, IGNBRK))
            receive_bad(t, 0);
    } else if (!iflag(t, INPCK) && error == TTY_PARITY) {
        receive_char(t, (unsigned char)c, &signals);
    } else if (!iflag(t, IGNPAR)) {
        receive_bad(t, c);
    }
    end_receive(t, signals);
}

/* t->lock held. */
void tty_flush_input(struct tty *t)
{
    t->line_len = 0;
    t->erasing = false;
    spin_lock(&t->in.lock);
    queue_flush(&t->in);
    spin_unlock(&t->in.lock);
}

/*
 * Canonical mode comes or goes: what has been received and not read stays readable. Going raw, lines and
 * the beginning of one become plain bytes, end-of-file marks vanish; the other way all becomes one line.
 * t->lock and in.lock held.
 */
static void convert_input(struct tty *t, bool canonical)
{
    struct buf *b, *tmp;

    list_for_each_safe (b, tmp, &t->in.bufs, link) {
        b->flags &= ~BUF_RECORD;
        if (!b->len) {
            list_remove(&b->link);
            t->in.nbufs--;
            buf_free(b);
        }
    }
    if (!canonical) {
        t->lost += t->line_len - queue_write_kernel(&t->in, t->line, t->line_len);
        t->line_len = 0;
    } else if (!queue_is_empty(&t->in)) {
        queue_last(&t->in)->flags |= BUF_RECORD;
    }
    t->erasing = t->literal_next = false;
}

void tty_set_termios(struct tty *t, const struct termios2 *new_termios)
{
    spin_lock(&t->lock);
    struct termios2 old = t->termios;
    spin_lock(&t->in.lock);
    t->termios = *new_termios;
    if ((old.c_lflag ^ t->termios.c_lflag) & ICANON)
        convert_input(t, lflag(t, ICANON));
    wake_all(&t->in.readable, POLLIN | POLLRDNORM);
    spin_unlock(&t->in.lock);
    if (old.c_iflag & IXON && !iflag(t, IXON))
        start_output(t);
    if (old.c_cflag != t->termios.c_cflag || old.c_ospeed != t->termios.c_ospeed)
        t->ops->configure(t);
    spin_unlock(&t->lock);
}
