/*
 * frames COUNT LENGTH [BURST]: sends so many frames of a type that nobody knows out of eth0, one behind the other
 * without a pause, or with one after each BURST. Each carries its number and bytes made of it. Reports how many were
 * accepted, and how many pages of memory are fewer in the end; who watches the wire knows what has become of them.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "lab.h"

#define EXPERIMENT 0x88b5 /* IEEE 802.1: for whoever wants to try something out */
#define HEADER 14

static void bring_up(int fd, struct ifreq *eth0)
{
    strcpy(eth0->ifr_name, "eth0");
    lab_must(ioctl(fd, SIOCGIFFLAGS, eth0));
    eth0->ifr_flags |= IFF_UP;
    lab_must(ioctl(fd, SIOCSIFFLAGS, eth0));
    lab_must(ioctl(fd, SIOCGIFHWADDR, eth0));
}

static long free_pages(void)
{
    struct sysinfo now;

    lab_must(sysinfo(&now));
    return (long)(now.freeram * now.mem_unit / 4096);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)atoi(argv[1]), length = (unsigned)atoi(argv[2]);
    unsigned burst = argc > 3 ? (unsigned)atoi(argv[3]) : 0, sent = 0;
    unsigned char frame[1600] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct ifreq eth0 = {0};
    int fd = socket(AF_PACKET, SOCK_RAW, htons(EXPERIMENT));

    lab_must(fd);
    bring_up(fd, &eth0);
    memcpy(frame + 6, eth0.ifr_hwaddr.sa_data, 6);
    frame[12] = EXPERIMENT >> 8;
    frame[13] = EXPERIMENT & 255;
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("eth0")};
    pause_ms(1000); /* for what is freed late of what was before us */
    long before = free_pages();
    for (unsigned i = 0; i < count; i++) {
        memcpy(frame + HEADER, &i, sizeof(i));
        for (unsigned at = HEADER + sizeof(i); at < length; at++)
            frame[at] = (unsigned char)(i * 7 + at);
        if (sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)length)
            sent++;
        if (burst && (i + 1) % burst == 0)
            pause_ms(50);
    }
    lab_report("accepted", "%u", sent);
    pause_ms(1000); /* a long time for what the device's queue holds back to go out when there is room */
    lab_report("lost", "%ld", before - free_pages());
    return 0;
}
