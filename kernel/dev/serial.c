/*
 * The 16550 UART (National Semiconductor PC16550D), up to four of them at the PC's addresses. The second is
 * the kernel log's (x86/early_serial.c) and not a terminal.
 *
 * Receiving: the interrupt takes what the FIFO holds to tty_receive(). When readers don't keep up the tty
 * throttles us: the receive interrupt is switched off and the FIFO fills, which stops the sender where lines
 * have flow control (an emulated one has).
 *
 * A break on the console is the kernel's: it prints a report (x86/report.h). On the other ports it is the tty's.
 *
 * Sending: who has put bytes into the tty's queue calls start(), which fills the transmitter right away as
 * long as it takes bytes; when it is full, its interrupt goes on.
 *
 * Ports 1 and 3 share interrupt 4, ports 2 and 4 interrupt 3, and ISA interrupts are edges: an edge comes only
 * when the line was low before. So the handler goes round all ports of its line until it has seen each of
 * them without a request in one and the same round; then the line is low, and no edge can be lost.
 *
 * The transmitter is used with t->out.lock held, the receiver by the interrupt handler (one at a time for
 * each line), and the registers both change with port->lock.
 */
#include "dev/serial.h"

#include <abi/sysmacros.h>

#include "dev/random.h"
#include "dev/tty.h"
#include "fs/inode.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "x86/io.h"
#include "x86/irq.h"
#include "x86/report.h"

/* Registers, section 8. */
enum {
    RBR = 0, /* receiver buffer (read), */
    THR = 0, /* transmitter holding (write), */
    DLL = 0, /* divisor low, with LCR_DLAB */
    IER = 1, /* interrupt enable, */
    DLM = 1, /* divisor high, with LCR_DLAB */
    IIR = 2, /* interrupt identification (read), */
    FCR = 2, /* FIFO control (write) */
    LCR = 3, /* line control */
    MCR = 4, /* modem control */
    LSR = 5, /* line status */
    MSR = 6, /* modem status */
    SCR = 7, /* scratch */
};

#define IER_RECEIVE 1u
#define IER_TRANSMIT 2u
#define IER_LINE 4u
#define IER_MODEM 8u
#define IIR_NONE 1u
#define IIR_FIFO 0xc0u
#define FCR_ENABLE 1u
#define FCR_CLEAR_RX 2u
#define FCR_CLEAR_TX 4u
#define FCR_TRIGGER_8 0x80u
#define LCR_STOP2 4u
#define LCR_PARITY 8u
#define LCR_EVEN 0x10u
#define LCR_STICK 0x20u
#define LCR_BREAK 0x40u
#define LCR_DLAB 0x80u
#define MCR_DTR 1u
#define MCR_RTS 2u
#define MCR_OUT2 8u /* lets the interrupt through to the machine */
#define LSR_DATA 1u
#define LSR_OVERRUN 2u
#define LSR_PARITY 4u
#define LSR_FRAMING 8u
#define LSR_BREAK 0x10u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u

#define BASE_BAUD 115200
#define FIFO_SIZE 16
#define BURST 64 /* bytes sent with interrupts off before others get a turn */
#define ROUNDS_MAX 256
#define TTY_MAJOR 4
#define FIRST_MINOR 64
#define CONSOLE_PORT 0
#define LOG_PORT 1

struct port {
    int line;             /* const: n of ttySn */
    uint16_t base;        /* const */
    unsigned isa_irq;     /* const */
    unsigned fifo;        /* const: bytes the transmitter takes when empty */
    struct spinlock lock; /* RANK_DEVICE: the copies of registers below, and changing those */
    uint8_t ier;          /* lock */
    uint8_t lcr;          /* lock */
    uint8_t mcr;          /* lock */
    bool wait_for_cts;    /* tty.lock: CRTSCTS */
    uint64_t sent;        /* tty.out.lock */
    uint64_t received;    /* interrupt handler only, as all counters below */
    uint64_t framing, parity, breaks, overruns; /* interrupt handler only */
    struct tty tty;                             /* see there */
    struct chrdev device;                       /* const after init */
};

/* The ports of one interrupt line. */
struct line {
    unsigned isa_irq;           /* const */
    struct port *ports[2];      /* const after init */
    struct irq_handler handler; /* const after init */
};

static const struct {
    uint16_t base;
    unsigned isa_irq;
} places[] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

static struct port *ports[ARRAY_SIZE(places)]; /* const after init; NULL where none is */
static struct line lines[] = {{.isa_irq = 4}, {.isa_irq = 3}};

static uint8_t get(const struct port *p, int reg)
{
    return inb((uint16_t)(p->base + reg));
}
static void set(const struct port *p, int reg, unsigned v)
{
    outb((uint16_t)(p->base + reg), (uint8_t)v);
}

static void change_ier(struct port *p, unsigned clear, unsigned bits)
{
    spin_lock(&p->lock);
    uint8_t ier = (uint8_t)((p->ier & ~clear) | bits);
    if (ier != p->ier) {
        p->ier = ier;
        set(p, IER, ier);
    }
    spin_unlock(&p->lock);
}

/* Send while the transmitter takes bytes; its interrupt is on exactly when some are left. out.lock held. */
static void transmit(struct port *p)
{
    struct tty *t = &p->tty;
    unsigned budget = BURST;

    while (budget) {
        char data[FIFO_SIZE];
        if (!(get(p, LSR) & LSR_THRE))
            break;
        if (READ_ONCE(p->wait_for_cts) && !(get(p, MSR) & MSR_CTS))
            break;
        size_t n = tty_pull(t, data, min(budget, p->fifo));
        for (size_t i = 0; i < n; i++)
            set(p, THR, (uint8_t)data[i]);
        p->sent += n;
        budget -= (unsigned)n;
        if (n < p->fifo)
            break;
    }
    bool more = (!queue_is_empty(&t->out) && !t->stopped) || t->urgent;
    change_ier(p, IER_TRANSMIT, more ? IER_TRANSMIT : 0);
}

static void serial_start(struct tty *t)
{
    transmit(t->driver);
}

static void receive_error(struct port *p, unsigned lsr, char c)
{
    if (lsr & LSR_BREAK) {
        p->breaks++;
        if (p->line == CONSOLE_PORT)
            report_live(NULL, "asked for by a break on the console");
        else
            tty_receive_error(&p->tty, TTY_BREAK, 0);
    } else if (lsr & LSR_PARITY) {
        p->parity++;
        tty_receive_error(&p->tty, TTY_PARITY, c);
    } else {
        p->framing++;
        tty_receive_error(&p->tty, TTY_FRAMING, c);
    }
}

/* Take what the FIFO has. An erroneous byte goes its own way, after those before it. */
static void receive(struct port *p, unsigned lsr)
{
    char data[4 * FIFO_SIZE];
    size_t n = 0;

    for (unsigned i = 0; i < sizeof(data) && lsr & (LSR_DATA | LSR_BREAK); i++) {
        char c = (char)get(p, RBR);
        if (lsr & LSR_OVERRUN)
            p->overruns++;
        if (lsr & (LSR_BREAK | LSR_PARITY | LSR_FRAMING)) {
            tty_receive(&p->tty, data, n);
            n = 0;
            receive_error(p, lsr, c);
        } else {
            data[n++] = c;
        }
        p->received++;
        lsr = get(p, LSR);
    }
    if (n) {
        random_mix_event((uint64_t)(uint8_t)data[0] << 8 | n);
        tty_receive(&p->tty, data, n);
    }
}

/* True when the port had a request. */
static bool serve(struct port *p)
{
    if (get(p, IIR) & IIR_NONE)
        return false;
    unsigned lsr = get(p, LSR);
    if (lsr & (LSR_DATA | LSR_BREAK) && READ_ONCE(p->ier) & IER_RECEIVE)
        receive(p, lsr);
    (void)get(p, MSR);
    spin_lock(&p->tty.out.lock);
    transmit(p);
    spin_unlock(&p->tty.out.lock);
    return true;
}

static void serial_interrupt(void *arg)
{
    struct line *l = arg;
    bool served = true;

    for (int round = 0; served && round < ROUNDS_MAX; round++) {
        served = false;
        for (size_t i = 0; i < ARRAY_SIZE(l->ports); i++)
            if (l->ports[i])
                served |= serve(l->ports[i]);
    }
}

static bool serial_idle(struct tty *t)
{
    return get(t->driver, LSR) & LSR_TEMT;
}

static void serial_discard(struct tty *t)
{
    struct port *p = t->driver;

    if (p->fifo > 1)
        set(p, FCR, FCR_ENABLE | FCR_CLEAR_TX | FCR_TRIGGER_8);
}

static uint8_t line_control(tcflag_t cflag)
{
    static const uint8_t sizes[] = {0, 1, 2, 3}; /* CS5 to CS8 */
    unsigned lcr = sizes[(cflag & CSIZE) >> 4];

    if (cflag & CSTOPB)
        lcr |= LCR_STOP2;
    if (cflag & PARENB)
        lcr |= LCR_PARITY | (cflag & PARODD ? 0 : LCR_EVEN) | (cflag & CMSPAR ? LCR_STICK : 0);
    return (uint8_t)lcr;
}

static void serial_configure(struct tty *t)
{
    struct port *p = t->driver;
    unsigned baud = t->termios.c_ospeed;
    unsigned divisor = baud ? DIV_ROUND_UP(BASE_BAUD, min(baud, (unsigned)BASE_BAUD)) : 0;

    p->wait_for_cts = t->termios.c_cflag & CRTSCTS;
    spin_lock(&p->lock);
    p->lcr = line_control(t->termios.c_cflag);
    p->mcr |= MCR_OUT2 | MCR_DTR | MCR_RTS;
    if (!baud) /* B0 hangs up */
        p->mcr &= (uint8_t) ~(MCR_DTR | MCR_RTS);
    if (divisor) {
        set(p, LCR, p->lcr | LCR_DLAB);
        set(p, DLL, divisor & 0xff);
        set(p, DLM, divisor >> 8);
    }
    set(p, LCR, p->lcr);
    set(p, MCR, p->mcr);
    spin_unlock(&p->lock);
    change_ier(p, IER_MODEM, p->wait_for_cts ? IER_MODEM : 0);
}

static void serial_throttle(struct tty *t, bool on)
{
    change_ier(t->driver, IER_RECEIVE, on ? 0 : IER_RECEIVE);
}

static void serial_set_break(struct tty *t, bool on)
{
    struct port *p = t->driver;

    spin_lock(&p->lock);
    p->lcr = (uint8_t)((p->lcr & ~LCR_BREAK) | (on ? LCR_BREAK : 0));
    set(p, LCR, p->lcr);
    spin_unlock(&p->lock);
}

static unsigned serial_get_modem(struct tty *t)
{
    struct port *p = t->driver;
    uint8_t msr = get(p, MSR);

    return (p->mcr & MCR_DTR ? TIOCM_DTR : 0) | (p->mcr & MCR_RTS ? TIOCM_RTS : 0) |
           (msr & MSR_CTS ? TIOCM_CTS : 0) | (msr & MSR_DSR ? TIOCM_DSR : 0) |
           (msr & MSR_RI ? TIOCM_RNG : 0) | (msr & MSR_DCD ? TIOCM_CAR : 0);
}

static void serial_set_modem(struct tty *t, unsigned clear, unsigned bits)
{
    struct port *p = t->driver;

    spin_lock(&p->lock);
    if (clear & TIOCM_DTR)
        p->mcr &= (uint8_t)~MCR_DTR;
    if (clear & TIOCM_RTS)
        p->mcr &= (uint8_t)~MCR_RTS;
    p->mcr |= (uint8_t)((bits & TIOCM_DTR ? MCR_DTR : 0) | (bits & TIOCM_RTS ? MCR_RTS : 0));
    set(p, MCR, p->mcr);
    spin_unlock(&p->lock);
}

static const struct tty_ops serial_ops = {
    .start = serial_start,
    .idle = serial_idle,
    .discard = serial_discard,
    .configure = serial_configure,
    .throttle = serial_throttle,
    .set_break = serial_set_break,
    .get_modem = serial_get_modem,
    .set_modem = serial_set_modem,
};

/* A UART keeps what is written to its scratch register, and nothing else of four bits in IER. */
static bool is_uart(uint16_t base)
{
    outb((uint16_t)(base + IER), 0);
    if (inb((uint16_t)(base + IER)) != 0)
        return false;
    outb((uint16_t)(base + SCR), 0x5a);
    if (inb((uint16_t)(base + SCR)) != 0x5a)
        return false;
    outb((uint16_t)(base + SCR), 0xa5);
    return inb((uint16_t)(base + SCR)) == 0xa5;
}

static struct port *port_create(int n)
{
    struct port *p = kzalloc(sizeof(*p));
    char name[8];

    if (!p)
        return NULL;
    p->line = n;
    p->base = places[n].base;
    p->isa_irq = places[n].isa_irq;
    spin_init(&p->lock, RANK_DEVICE, "serial");
    set(p, FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX | FCR_TRIGGER_8);
    p->fifo = (get(p, IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
    snprintf(name, sizeof(name), "ttyS%d", n);
    tty_init(&p->tty, name, makedev(TTY_MAJOR, FIRST_MINOR + (unsigned)n), &serial_ops, p);
    serial_configure(&p->tty);
    p->device =
        (struct chrdev){.name = p->tty.name, .dev = p->tty.dev, .mode = 0600, .open = tty_open};
    return p;
}

/* Clear what was pending, then let interrupts come. */
static void port_enable(struct port *p)
{
    (void)get(p, LSR);
    (void)get(p, RBR);
    (void)get(p, IIR);
    (void)get(p, MSR);
    change_ier(p, 0, IER_RECEIVE | IER_LINE);
}

static void line_init(struct line *l)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        if (ports[i] && ports[i]->isa_irq == l->isa_irq)
            l->ports[n++] = ports[i];
    if (!n)
        return;
    l->handler = (struct irq_handler){.fn = serial_interrupt, .arg = l, .name = "ttyS"};
    int error = irq_register_gsi(isa_irq_gsi(l->isa_irq), &l->handler);
    if (error)
        log_err("serial: no interrupt %u: error %d", l->isa_irq, -error);
    for (size_t i = 0; i < n; i++)
        port_enable(l->ports[i]);
}

void serial_init(void)
{
    for (int i = 0; i < (int)ARRAY_SIZE(places); i++) {
        if (i == LOG_PORT || !is_uart(places[i].base))
            continue;
        ports[i] = port_create(i);
        if (!ports[i])
            continue;
        tty_register(&ports[i]->tty);
        chrdev_register(&ports[i]->device);
        log_info("serial: %s at %#x, irq %u, %s", ports[i]->tty.name, ports[i]->base,
                 ports[i]->isa_irq, ports[i]->fifo > 1 ? "16550A" : "16450");
    }
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        line_init(&lines[i]);
}

void serial_for_each(void (*emit)(void *ctx, const struct serial_counters *c), void *ctx)
{
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        const struct port *p = ports[i];
        if (!p)
            continue;
        struct serial_counters c = {
            .line = p->line,
            .base = p->base,
            .irq = p->isa_irq,
            .fifo = p->fifo > 1,
            .sent = p->sent,
            .received = p->received,
            .framing = p->framing,
            .parity = p->parity,
            .breaks = p->breaks,
            .overruns = p->overruns,
            .lost = p->tty.lost,
        };
        emit(ctx, &c);
    }
}
