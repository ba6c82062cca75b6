/*
 * dhcp [-fqv] [-p SECONDS] [-t SECONDS] [INTERFACE]: have an address, a router and name servers given to us (RFC 2131).
 *
 *     -f  stay in the foreground     -q  end when there is a lease     -v  say what happens
 *     -p  ask the link for so long whether somebody has the address (0.3; 0: don't ask)
 *     -t  give up when there is none after so many seconds
 *
 *     nothing --DISCOVER--> somebody offers --REQUEST--> ACK: bound, for a time
 *        ^                                                 |  T1: ask our server again, T2: ask everybody
 *        |______ NAK, or the time is over: the address ____|  ACK: bound again
 *                is taken off the interface
 *
 * Before an address is used, the link is asked whether somebody has it (section 3.1, step 5): then the server is told
 * so, DECLINE, and it begins anew.
 *
 * Without -f or -q it goes into the background as soon as there is a lease, and keeps it as long as it runs.
 * Ended by SIGTERM it gives the lease back.
 */
#include "dhcp.h"

#include <poll.h>
#include <signal.h>
#include <sys/random.h>

#define USAGE "dhcp [-fqv] [-p seconds] [-t seconds] [interface]"
#define FIRST_WAIT 4 /* seconds for an answer; doubled up to LONGEST_WAIT (section 4.1) */
#define LONGEST_WAIT 64
#define LEAST_WAIT 60 /* between two attempts to renew (section 4.4.5) */
#define REQUESTS_MAX 4
#define DECLINE_WAIT 10000 /* milliseconds (section 3.1, step 5) */
#define SLEEP_MAX 3600000 /* milliseconds */

static struct interface on;
static bool verbose;
static long long probe_time = 300; /* milliseconds */
static long long give_up = LLONG_MAX; /* of milliseconds() */
static volatile sig_atomic_t ended;
static sigset_t while_waiting; /* the signals blocked then: not SIGTERM */

static void on_end(int sig)
{
    (void)sig;
    ended = 1;
}

static void say(const char *what, struct in_addr about)
{
    if (verbose) {
        printf("%s: %s %s\n", on.name, what, inet_ntoa(about));
        fflush(stdout);
    }
}

static uint32_t random_number(void)
{
    uint32_t n;
    if (getrandom(&n, sizeof(n), 0) != sizeof(n))
        err(1, "getrandom");
    return n;
}

bool wait_until(int fd, long long end)
{
    struct pollfd p = {fd, POLLIN, 0};

    while (!ended) {
        long long left = (end < give_up ? end : give_up) - milliseconds();
        if (left <= 0)
            return false;
        if (left > SLEEP_MAX)
            left = SLEEP_MAX;
        struct timespec time = {left / 1000, left % 1000 * 1000000};
        if (ppoll(&p, 1, &time, &while_waiting) > 0)
            return true;
    }
    return false;
}

static bool is_over(void)
{
    return ended || milliseconds() >= give_up;
}

/* Wait until END for an answer to ID that is of one of two kinds: which. 0: none came. */
static int await_answer(int fd, bool by_link, uint32_t id, long long end, int kind, int other,
                        struct lease *lease)
{
    unsigned char p[MESSAGE_MAX];

    while (wait_until(fd, end)) {
        ssize_t n = by_link ? (ssize_t)link_receive(fd, p) : recv(fd, p, sizeof(p), MSG_DONTWAIT);
        int got = n > 0 ? message_read(p, (size_t)n, id, &on, lease) : 0;
        if (got != 0 && (got == kind || got == other))
            return got;
    }
    return 0;
}

/* 4, 8, 16, 32, 64 seconds, a second more or less, so that machines switched on together part. */
static long long next_end(unsigned attempt)
{
    unsigned seconds = attempt > 4 ? LONGEST_WAIT : FIRST_WAIT << attempt;
    return milliseconds() + seconds * 1000LL - 1000 + random_number() % 2000;
}

/* Ask for what was offered: ACK, NAK or 0. */
static int request_offer(int fd, uint32_t id, unsigned seconds, const struct lease *offer,
                         struct lease *lease)
{
    unsigned char p[MESSAGE_MAX];
    size_t n = message_make(p, REQUEST, id, seconds, &on, offer, false);
    int kind = 0;

    for (unsigned i = 0; i < REQUESTS_MAX && kind == 0 && !is_over(); i++) {
        long long now = milliseconds();
        if (!link_send(fd, &on, p, n))
            warn("%s", on.name);
        kind = await_answer(fd, true, id, next_end(i), ACK, NAK, lease);
        lease->since = now;
    }
    return kind;
}

/* Somebody else has the address of LEASE: the server is told, and it is not to be stormed. */
static void decline(int fd, const struct lease *lease)
{
    unsigned char p[MESSAGE_MAX];
    size_t n = message_make(p, DECLINE, random_number(), 0, &on, lease, false);

    if (!link_send(fd, &on, p, n))
        warn("%s", on.name);
    warnx("%s: somebody else has %s", on.name, inet_ntoa(lease->address));
    wait_until(-1, milliseconds() + DECLINE_WAIT);
}

/* From nothing to a lease. False: it is over before. */
static bool obtain(struct lease *lease)
{
    unsigned char p[MESSAGE_MAX];
    long long began = milliseconds();
    int fd = link_open(&on), kind = 0;

    for (unsigned attempt = 0; kind != ACK && !is_over(); attempt++) {
        struct lease offer;
        uint32_t id = random_number();
        unsigned seconds = (unsigned)((milliseconds() - began) / 1000);
        size_t n = message_make(p, DISCOVER, id, seconds, &on, NULL, false);
        if (!link_send(fd, &on, p, n))
            warn("%s", on.name);
        if (!await_answer(fd, true, id, next_end(attempt), OFFER, OFFER, &offer))
            continue;
        say("was offered", offer.address);
        kind = request_offer(fd, id, seconds, &offer, lease);
        if (kind == NAK) {
            say("was refused", offer.address);
            wait_until(-1, milliseconds() + 1000); /* not to storm a server that refuses at once */
        }
        if (kind == ACK && address_is_taken(&on, lease->address, probe_time)) {
            decline(fd, lease);
            kind = 0;
        }
    }
    close(fd);
    return kind == ACK;
}

/* A socket that has our address: from here on packets are the kernel's work. -1: there is none to be had. */
static int open_bound(const struct lease *lease)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(CLIENT_PORT), .sin_addr = lease->address};
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, on.name, (socklen_t)strlen(on.name) + 1);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    warn("%s", on.name);
    close(fd);
    return -1;
}

static void send_bound(int fd, int kind, uint32_t id, const struct lease *lease, struct in_addr to)
{
    unsigned char p[MESSAGE_MAX];
    size_t n = message_make(p, kind, id, 0, &on, lease, true);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT), .sin_addr = to};

    if (sendto(fd, p, n, 0, (struct sockaddr *)&a, sizeof(a)) < 0 && verbose)
        warn("%s", inet_ntoa(to));
}

/* Ask TO, again and again until END, to prolong the lease. ACK, NAK; 0: no answer. */
static int renew(const struct lease *lease, struct in_addr to, long long end, struct lease *longer)
{
    int fd = open_bound(lease), kind = 0;

    while (fd >= 0 && kind == 0 && !ended && milliseconds() < end) {
        uint32_t id = random_number();
        long long now = milliseconds(), half = (end - now) / 2;
        long long pause = half > LEAST_WAIT * 1000LL ? half : LEAST_WAIT * 1000LL;
        say("renews with", to);
        send_bound(fd, REQUEST, id, lease, to);
        kind = await_answer(fd, false, id, now + pause < end ? now + pause : end, ACK, NAK, longer);
        longer->since = now;
    }
    if (fd >= 0)
        close(fd);
    return kind;
}

/* Keep the lease until it is lost, or until the end is asked for: then true. */
static bool keep(struct lease *lease)
{
    static const struct in_addr everybody = {INADDR_BROADCAST};

    for (;;) {
        struct lease longer;
        long long never = LLONG_MAX, since = lease->since;
        bool forever = lease->seconds == FOREVER;
        long long t1 = forever ? never : since + lease->t1 * 1000LL;
        long long t2 = forever ? never : since + lease->t2 * 1000LL;
        long long end = forever ? never : since + lease->seconds * 1000LL;

        wait_until(-1, t1);
        int kind = ended ? 0 : renew(lease, lease->server, t2, &longer);
        if (kind == 0 && !ended)
            kind = renew(lease, everybody, end, &longer);
        if (!ended && kind == 0)
            wait_until(-1, end); /* there was no socket to ask by */
        if (ended)
            return true;
        if (kind != ACK) {
            say("has lost", lease->address);
            lease_remove(&on, lease);
            return false;
        }
        lease_apply(&on, &longer, lease);
        *lease = longer;
        say("has", lease->address);
    }
}

static void give_back(const struct lease *lease)
{
    int fd = open_bound(lease);

    if (fd >= 0) {
        send_bound(fd, RELEASE, random_number(), lease, lease->server);
        close(fd);
    }
    lease_remove(&on, lease);
    say("gave back", lease->address);
}

static void go_into_background(void)
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid > 0)
        _exit(0);
    setsid();
    int fd = open("/dev/null", O_RDWR);
    for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void await_end_signals(void)
{
    struct sigaction action = {.sa_handler = on_end};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, &while_waiting);
    sigdelset(&while_waiting, SIGTERM);
    sigdelset(&while_waiting, SIGINT);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
    bool stay = false, once = false;
    struct lease lease;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "fp:qt:v")) != -1) {
        switch (c) {
        case 'f': stay = true; break;
        case 'p': probe_time = (long long)(need_seconds(optarg) * 1000); break;
        case 'q': once = true; break;
        case 'v': verbose = true; break;
        case 't': give_up = milliseconds() + (long long)(need_seconds(optarg) * 1000); break;
        default: usage(1, USAGE);
        }
    }
    if (argc - optind > 1)
        usage(1, USAGE);
    interface_find(&on, argv[optind]);
    await_end_signals();
    for (bool first = true;; first = false) {
        if (!obtain(&lease)) {
            if (!ended)
                errx(1, "%s: nobody gives an address", on.name);
            return 0;
        }
        give_up = LLONG_MAX;
        lease_apply(&on, &lease, NULL);
        say("has", lease.address);
        if (once)
            return command_end(0);
        if (first && !stay)
            go_into_background();
        if (keep(&lease)) {
            give_back(&lease);
            return command_end(0);
        }
    }
}
