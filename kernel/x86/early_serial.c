/*
 * Two log sinks on 16550 serial ports: COM2 hears everything, COM1 panics alone. They write by
 * polling, so that they work with interrupts off and before there is anything else. A port that
 * isn't there (its scratch register keeps nothing) is left alone.
 */
#include "x86/early_serial.h"

#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/io.h"

#define COM1 0x3f8
#define COM2 0x2f8

/* Registers, from the port's base; the first two are the divisor's while LCR_DLAB is set. */
#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7

#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define FCR_ENABLE_CLEAR 0x07
#define MCR_DTR_RTS 0x03
#define LSR_THR_EMPTY 0x20
#define FIFO_SIZE 16
#define WAIT_LIMIT 100000

static bool port_exists(uint16_t port)
{
    for (unsigned v = 0x5a; v <= 0xa5; v += 0xa5 - 0x5a) {
        outb(port + UART_SCRATCH, (uint8_t)v);
        if (inb(port + UART_SCRATCH) != v)
            return false;
    }
    return true;
}

/* 115200 baud, 8 data bits, no parity, FIFO on, no interrupts. */
static void port_setup(uint16_t port)
{
    outb(port + UART_IER, 0);
    outb(port + UART_LCR, LCR_DLAB | LCR_8N1);
    outb(port + UART_DATA, 1);
    outb(port + UART_IER, 0);
    outb(port + UART_LCR, LCR_8N1);
    outb(port + UART_FCR, FCR_ENABLE_CLEAR);
    outb(port + UART_MCR, MCR_DTR_RTS);
}

/*
 * When the transmitter doesn't get ready in good time, the rest is lost: the log must not stop the
 * machine.
 */
static void port_write(uint16_t port, const char *text, size_t len)
{
    while (len) {
        unsigned tries = 0;
        while (!(inb(port + UART_LSR) & LSR_THR_EMPTY)) {
            if (++tries == WAIT_LIMIT)
                return;
            cpu_relax();
        }
        for (unsigned room = FIFO_SIZE; room && len; room--, len--)
            outb(port + UART_DATA, (uint8_t)*text++);
    }
}

static void com2_write(const char *text, size_t len)
{
    port_write(COM2, text, len);
}

/*
 * A terminal hangs here: newlines need carriage returns. With panic_console=off, tools/run's word, the port is a
 * program's output and nothing else; who reads it has the panic from the log.
 */
static void com1_write(const char *text, size_t len)
{
    const char *panic_console = cmdline_get("panic_console");

    if (panic_console && strcmp(panic_console, "off") == 0)
        return;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            port_write(COM1, "\r", 1);
        port_write(COM1, &text[i], 1);
    }
}

void early_serial_console_write(const char *text, size_t len)
{
    port_write(COM1, text, len);
}

static struct log_sink com1_sink = {.write = com1_write, .panic_only = true};
static struct log_sink com2_sink = {.write = com2_write};

void early_serial_init(void)
{
    if (port_exists(COM2)) {
        port_setup(COM2);
        log_add_sink(&com2_sink);
    }
    if (port_exists(COM1)) {
        port_setup(COM1);
        log_add_sink(&com1_sink);
    }
}
