/*
 * Sizes of pipes: who may have how much, and who is woken.
 *
 *     sizes UID        a user other than root
 */
#include "scene.h"

#define MOST 80 /* pipes of a MiB that are tried */

static int ends[2], many[MOST][2];

static int blocked_writer(void *arg)
{
    (void)arg;
    lab_report("grown", "%ld", outcome(write(ends[1], "xyz", 3)));
    return 0;
}

static void growing_wakes(void)
{
    static unsigned char buffer[64];

    pipe(ends);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100000 && write(ends[1], buffer, 64) == 64; i++)
        ;
    fcntl(ends[1], F_SETFL, 0);
    pid_t pid = start(blocked_writer, NULL);
    char state = settle(pid);
    long result = outcome(fcntl(ends[1], F_SETPIPE_SZ, 131072));
    lab_report("fate", "%c %ld %s", state, result, fate(pid));
    close(ends[0]);
    close(ends[1]);
}

/* How many pipes of a MiB the user may have. */
static int count_large(void)
{
    int n = 0;

    while (n < MOST && pipe(many[n]) == 0) {
        bool large = fcntl(many[n][0], F_SETPIPE_SZ, 1 << 20) == 1 << 20;
        n++;
        if (!large)
            break;
    }
    return n - 1;
}

static int accounts(void *uid)
{
    if (setresuid(*(uid_t *)uid, *(uid_t *)uid, *(uid_t *)uid) < 0)
        return 1;
    pipe(ends);
    lab_report("over_most", "%ld", outcome(fcntl(ends[0], F_SETPIPE_SZ, (1 << 20) + 1)));
    close(ends[0]);
    close(ends[1]);
    int first = count_large();
    for (int i = 0; i < first; i++)
        fcntl(many[i][0], F_SETPIPE_SZ, PAGE);
    long more = outcome(fcntl(many[0][0], F_SETPIPE_SZ, 1 << 20));
    for (int i = 0; i <= first; i++) {
        close(many[i][0]);
        close(many[i][1]);
    }
    lab_report("large", "%d %ld %d", first, more, count_large());
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    uid_t uid = (uid_t)atoi(argv[1]);

    growing_wakes();
    pid_t pid = start(accounts, &uid);
    lab_report("user", "%s", fate(pid));
    return 0;
}
