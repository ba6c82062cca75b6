/*
 * /dev/console: another name for one terminal, which the kernel's command line chooses. The last word
 * "console=ttyS0,115200" that names a terminal there is wins; without one it is the first serial port.
 */
#include <abi/sysmacros.h>

#include "dev/tty.h"
#include "dev/tty_internal.h"
#include "fs/inode.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"

struct tty *console_tty; /* const after init */

static struct chrdev console_device = {.name = "console", .mode = 0600, .open = tty_open};

static const struct {
    unsigned baud;
    tcflag_t code;
} speeds[] = {
    {9600, B9600}, {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200},
};

/* "115200n8": only the speed is looked at. */
static void set_speed(struct tty *t, const char *options)
{
    unsigned baud = 0;

    while (*options >= '0' && *options <= '9')
        baud = baud * 10 + (unsigned)(*options++ - '0');
    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        if (speeds[i].baud == baud) {
            struct termios2 tio = t->termios;
            tio.c_cflag = (tio.c_cflag & ~(tcflag_t)CBAUD) | speeds[i].code;
            tio.c_ispeed = tio.c_ospeed = baud;
            tty_set_termios(t, &tio);
        }
    }
}

void console_init(void)
{
    const char *word = cmdline_get("console");
    char name[16];

    if (word) {
        const char *comma = strchr(word, ',');
        size_t len = comma ? (size_t)(comma - word) : strlen(word);
        strlcpy(name, word, min(len + 1, sizeof(name)));
        console_tty = tty_find(name);
        if (console_tty && comma)
            set_speed(console_tty, comma + 1);
    }
    if (!console_tty)
        console_tty = tty_find("ttyS0");
    console_device.dev = makedev(5, 1);
    chrdev_register(&console_device);
    if (!console_tty)
        log_warn("console: this machine has no serial port");
}
