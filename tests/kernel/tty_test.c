/* The line discipline, fed by a driver that only remembers what it is told to send. */
#include <abi/sysmacros.h>

#include "dev/tty.h"
#include "dev/tty_internal.h"
#include "fs/file.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "tests/kernel/ktest.h"

#define SENT_MAX 8192

/* A terminal whose line ends in memory. */
struct fake {
    struct tty tty;
    char sent[SENT_MAX];
    size_t nsent;
    bool throttled;
};

static void fake_start(struct tty *t)
{
    struct fake *f = t->driver;
    size_t n;

    while (f->nsent < SENT_MAX - 1 &&
           (n = tty_pull(t, f->sent + f->nsent, SENT_MAX - 1 - f->nsent)))
        f->nsent += n;
    f->sent[f->nsent] = '\0';
}
static bool fake_idle(struct tty *t)
{
    return t != NULL;
}
static void fake_discard(struct tty *t)
{
    (void)t;
}
static void fake_configure(struct tty *t)
{
    (void)t;
}
static void fake_throttle(struct tty *t, bool on)
{
    ((struct fake *)t->driver)->throttled = on;
}
static void fake_break(struct tty *t, bool on)
{
    (void)t, (void)on;
}
static unsigned fake_modem(struct tty *t)
{
    return t == NULL;
}
static void fake_set_modem(struct tty *t, unsigned clear, unsigned bits)
{
    (void)t, (void)clear, (void)bits;
}

static const struct tty_ops fake_ops = {
    .start = fake_start,
    .idle = fake_idle,
    .discard = fake_discard,
    .configure = fake_configure,
    .throttle = fake_throttle,
    .set_break = fake_break,
    .get_modem = fake_modem,
    .set_modem = fake_set_modem,
};

static struct fake *fake_create(void)
{
    struct fake *f = kzalloc(sizeof(*f));

    tty_init(&f->tty, "fake", makedev(4, 200), &fake_ops, f);
    f->tty.count = 1;
    return f;
}

static void fake_destroy(struct fake *f)
{
    queue_destroy(&f->tty.in);
    queue_destroy(&f->tty.out);
    kfree(f);
}

static void type(struct fake *f, const char *text)
{
    tty_receive(&f->tty, text, strlen(text));
}

/* One read of what is there, as a string; "(none)" when a read would sleep. */
static const char *read_line(struct fake *f)
{
    static char out[TTY_LINE_MAX + 8];
    struct iovec one;
    struct uio u;

    uio_init_kernel(&u, &one, out, sizeof(out) - 1);
    spin_lock(&f->tty.in.lock);
    bool none = queue_is_empty(&f->tty.in);
    ssize_t n = none ? 0 : queue_read(&f->tty.in, &u, sizeof(out) - 1, 0);
    spin_unlock(&f->tty.in.lock);
    out[n] = '\0';
    return none ? "(none)" : out;
}

static void set_flags(struct fake *f, unsigned iflag, unsigned oflag, unsigned lflag)
{
    struct termios2 t = f->tty.termios;

    t.c_iflag = iflag;
    t.c_oflag = oflag;
    t.c_lflag = lflag;
    tty_set_termios(&f->tty, &t);
}

#define USUAL (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN)

static void expect_text(const char *got, const char *expected)
{
    if (strcmp(got, expected))
        ktest_fail(__FILE__, __LINE__, "expected \"%s\", got \"%s\"", expected, got);
}

/* Type KEYS on a fresh terminal with LFLAG; what must be read and shown. */
static void session(unsigned lflag, const char *keys, const char *read, const char *shown)
{
    struct fake *f = fake_create();

    set_flags(f, ICRNL | IXON | IUTF8, OPOST | ONLCR, lflag);
    type(f, keys);
    expect_text(read_line(f), read);
    expect_text(f->sent, shown);
    fake_destroy(f);
}

KTEST(tty, line_is_read_when_it_has_ended)
{
    session(USUAL, "ab", "(none)", "ab");
    session(USUAL, "ab\r", "ab\n", "ab\r\n");
    session(USUAL, "ab\ncd\n", "ab\n", "ab\r\ncd\r\n");
    session(USUAL & ~ECHO, "ab\n", "ab\n", "");
    session((USUAL & ~ECHO) | ECHONL, "ab\n", "ab\n", "\r\n");
}

KTEST(tty, erase_takes_a_character)
{
    session(USUAL, "abc\177d\n", "abd\n", "abc\b \bd\r\n");
    session(USUAL, "\177a\n", "a\n", "a\r\n");
    session(USUAL & ~ECHOE, "ab\177\n", "a\n", "ab^?\r\n");
    session(USUAL, "\001x\177\177y\n", "y\n", "^Ax\b \b\b \b\b \by\r\n");
    session(USUAL, "a\303\251\177b\n", "ab\n", "a\303\251\b \bb\r\n");
    session(USUAL | ECHOPRT, "ab\177\177c\n", "c\n", "ab\\ba/c\r\n");
}

KTEST(tty, erase_goes_back_over_tabs)
{
    session(USUAL, "ab\tc\177\177d\n", "abd\n", "ab\tc\b \b\b\b\b\b\b\bd\r\n");
    session(USUAL, "\t\t\177x\n", "\tx\n", "\t\t\b\b\b\b\b\b\b\bx\r\n");
}

KTEST(tty, werase_takes_a_word_and_kill_the_line)
{
    session(USUAL, "ab cd  \027x\n", "ab x\n", "ab cd  \b \b\b \b\b \b\b \bx\r\n");
    session(USUAL, "abc\025x\n", "x\n", "abc\b \b\b \b\b \bx\r\n");
    session(USUAL & ~ECHOKE, "ab\025x\n", "x\n", "ab^U\r\nx\r\n");
}

KTEST(tty, eof_ends_a_line_without_being_part_of_it)
{
    session(USUAL, "ab\004", "ab", "ab");
    session(USUAL, "\004", "", "");
}

KTEST(tty, eof_alone_is_read_once)
{
    struct fake *f = fake_create();

    type(f, "\004ab\n");
    expect_text(read_line(f), "");
    expect_text(read_line(f), "ab\n");
    expect_text(read_line(f), "(none)");
    fake_destroy(f);
}

KTEST(tty, lnext_takes_the_next_key_literally)
{
    session(USUAL, "a\026\003b\n", "a\003b\n", "a^\b^Cb\r\n");
    session(USUAL, "a\026\nb\n", "a\nb\n", "a^\b^Jb\r\n");
}

KTEST(tty, reprint_shows_the_line_again)
{
    session(USUAL, "ab\022c\n", "abc\n", "ab^R\r\nabc\r\n");
}

KTEST(tty, interrupt_key_flushes_and_is_shown)
{
    session(USUAL, "ab\003", "(none)", "^C"); /* what was still to be shown goes as well */
    session(USUAL | NOFLSH, "ab\003\n", "ab\n", "ab^C\r\n");
    session(USUAL & ~ISIG, "ab\003\n", "ab\003\n", "ab^C\r\n");
}

KTEST(tty, stop_holds_output_and_start_lets_it_go)
{
    struct fake *f = fake_create();

    type(f, "\023ab");
    expect_text(f->sent, "");
    type(f, "\021");
    expect_text(f->sent, "ab");
    expect_text(read_line(f), "(none)");
    fake_destroy(f);
}

KTEST(tty, longest_line_keeps_its_end)
{
    struct fake *f = fake_create();

    set_flags(f, ICRNL, 0, ICANON);
    for (int i = 0; i < 5000; i++)
        type(f, "x");
    type(f, "\n");
    const char *line = read_line(f);
    KEXPECT_EQ(strlen(line), TTY_LINE_MAX);
    KEXPECT(line[TTY_LINE_MAX - 1] == '\n' && line[TTY_LINE_MAX - 2] == 'x');
    fake_destroy(f);
}

KTEST(tty, raw_mode_passes_everything)
{
    struct fake *f = fake_create();

    set_flags(f, 0, 0, 0);
    type(f, "a\003\177\r\004");
    expect_text(read_line(f), "a\003\177\r\004");
    expect_text(f->sent, "");
    fake_destroy(f);
}

KTEST(tty, going_raw_keeps_what_was_typed)
{
    struct fake *f = fake_create();

    type(f, "ab\n\004cd");
    set_flags(f, 0, 0, 0);
    expect_text(read_line(f), "ab\ncd");
    set_flags(f, ICRNL, 0, ICANON);
    type(f, "ef\n");
    expect_text(read_line(f), "ef\n");
    fake_destroy(f);
}

KTEST(tty, input_mapping)
{
    struct fake *f = fake_create();

    set_flags(f, INLCR | IGNCR | ISTRIP | IUCLC, 0, IEXTEN);
    type(f, "A\r\n\301b");
    expect_text(read_line(f), "a\rab");
    set_flags(f, PARMRK, 0, 0);
    type(f, "a\377b");
    expect_text(read_line(f), "a\377\377b");
    tty_receive_error(&f->tty, TTY_FRAMING, 'q');
    KEXPECT_EQ(f->tty.in.bytes, 3);
    fake_destroy(f);
}

static void expand(unsigned oflag, const char *text, const char *expected)
{
    struct fake *f = fake_create();
    char out[64];
    size_t n = 0;

    f->tty.termios.c_oflag = OPOST | oflag;
    spin_lock(&f->tty.lock);
    for (; *text; text++)
        n += tty_opost(&f->tty, *text, out + n);
    spin_unlock(&f->tty.lock);
    out[n] = '\0';
    expect_text(out, expected);
    fake_destroy(f);
}

KTEST(tty, output_mapping)
{
    expand(ONLCR, "a\nb", "a\r\nb");
    expand(OCRNL, "a\rb", "a\nb");
    expand(ONOCR, "\ra\r", "a\r");
    expand(XTABS, "ab\tc\t", "ab      c       ");
    expand(OLCUC, "aZ\t", "AZ\t");
    expand(0, "a\nb\tc", "a\nb\tc");
}

KTEST(tty, flood_throttles_and_reading_lets_go_on)
{
    struct fake *f = fake_create();

    set_flags(f, 0, 0, ICANON);
    for (int i = 0; i < 900; i++)
        type(f, "\n");
    KEXPECT(f->throttled);
    while (strcmp(read_line(f), "(none)"))
        ;
    tty_unthrottle(&f->tty);
    KEXPECT(!f->throttled);
    KEXPECT_EQ(f->tty.lost, 0);
    fake_destroy(f);
}
