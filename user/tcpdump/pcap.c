/*
 * Files of frames, as every tool reads them (libpcap's format): a header of 24 bytes, and in front of each frame 16
 * with the time and the lengths. All numbers have the order of the machine that wrote them, which the first one tells;
 * it tells too whether the times are in micro- or nanoseconds.
 */
#include "tcpdump.h"

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy; /* 0 */
    uint32_t most;           /* bytes of a frame that are kept */
    uint32_t link;
};

struct frame_header {
    uint32_t seconds, fraction, captured, length;
};

static bool swapped, nano; /* of the file that is read */

static uint32_t number(uint32_t n)
{
    return swapped ? __builtin_bswap32(n) : n;
}

FILE *pcap_open(const char *name, int *link)
{
    struct file_header h;
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

    if (!f)
        err(1, "%s", name);
    if (fread(&h, sizeof(h), 1, f) != 1)
        errx(1, "%s: not a file of frames", name);
    swapped = h.magic == __builtin_bswap32(MAGIC_MICRO) || h.magic == __builtin_bswap32(MAGIC_NANO);
    nano = number(h.magic) == MAGIC_NANO;
    if (!nano && number(h.magic) != MAGIC_MICRO)
        errx(1, "%s: not a file of frames", name);
    *link = (int)(number(h.link) & 0xffff);
    if (*link != LINK_ETHERNET && *link != LINK_RAW && *link != LINK_COOKED)
        errx(1, "%s: frames of kind %d, which aren't known here", name, *link);
    return f;
}

bool pcap_read(FILE *file, unsigned char *p, struct frame *f)
{
    struct frame_header h;
    size_t got = fread(&h, 1, sizeof(h), file);

    if (got == 0)
        return false;
    f->captured = number(h.captured);
    f->length = number(h.length);
    if (got != sizeof(h) || f->captured > FRAME_MAX ||
        fread(p, 1, f->captured, file) != f->captured) {
        warnx("the file ends within a frame");
        return false;
    }
    f->data = p;
    f->time.tv_sec = number(h.seconds);
    f->time.tv_nsec = (long)number(h.fraction) * (nano ? 1 : 1000);
    return true;
}

FILE *pcap_create(const char *name, size_t most)
{
    struct file_header h = {MAGIC_MICRO, 2, 4, 0, 0, (uint32_t)most, LINK_ETHERNET};
    FILE *f = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");

    if (!f || fwrite(&h, sizeof(h), 1, f) != 1 || fflush(f) != 0)
        err(1, "%s", name);
    return f;
}

void pcap_write(FILE *file, const struct frame *f, size_t most)
{
    uint32_t captured = (uint32_t)(f->captured < most ? f->captured : most);
    struct frame_header h = {(uint32_t)f->time.tv_sec, (uint32_t)(f->time.tv_nsec / 1000), captured,
                             (uint32_t)f->length};

    /* At once: who reads the file while it grows finds whole frames. */
    if (fwrite(&h, sizeof(h), 1, file) != 1 || fwrite(f->data, 1, captured, file) != captured ||
        fflush(file) != 0)
        err(1, "file of frames");
}
