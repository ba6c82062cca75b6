/*
 * processes OP...: up to 8 processes that attach up to 4 segments, fork, exec and end, one operation after the other.
 * This process directs them, through a pair of pipes each, and attaches nothing itself. Process 0 is its child,
 * the others are born by f. Segment S has the key KEY + S and 3 pages.
 *
 *     a:P:S    P attaches S: at the next of its places        f:P:Q   P forks, the child is Q
 *     d:P:K    P detaches what it attached K-th               x:P     P exits, and is waited for by its parent
 *     u:P:K    P unmaps the middle page of its K-th           k:P     P is killed, and waited for
 *     q:P:K    P makes that page read-only                    e:P     P executes a program, which goes on as P
 *     w:P:K:V  P writes the number V there                    g:P:K   P reads it
 *     r:S      this process removes S                         R:P:S   P does, after it became user 54321
 *     n:S      this process makes a segment with S's key      t       time goes on to the next second
 *     !        this process calls getppid
 *
 * After each the result is reported (a number, or an errno as -n), and for every segment: - when its id is none, else
 * attaches, mode, whether it has its key, who touched it last (a process's number, - for nobody), and whether
 * atime and dtime have been set, or changed since the operation before.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>

#include "lab.h"

#define PROCESSES 8
#define SEGMENTS 4
#define PLACES 8
#define KEY 0x5b000100
#define PAGE 4096
#define STRANGER 54321

/* What a process is told, and what it answers. */
struct order {
    char act;
    int a, b;
};

static int ids[SEGMENTS], segments;
static struct shmid_ds seen[SEGMENTS];
static pid_t pids[PROCESSES], parents[PROCESSES];
static int orders[PROCESSES],
    answers[PROCESSES]; /* our ends of the pipes; theirs are, also after an exec: */
#define ORDERS(process) (100 + (process))
#define ANSWERS(process) (200 + (process))

/* ---- those who act ---- */

static long change(struct order *o, char **place)
{
    char *at = o->a < PLACES ? place[o->a] : NULL;

    switch (o->act) {
    case 'd': return shmdt(at);
    case 'u': return munmap(at + PAGE, PAGE);
    case 'q': return mprotect(at + PAGE, PAGE, PROT_READ);
    case 'w': return *(volatile int *)at = o->b;
    case 'g': return *(volatile int *)at;
    case 'R': return setuid(STRANGER) < 0 ? -1 : shmctl(o->a, IPC_RMID, NULL);
    case 'h': return waitpid(o->a, NULL, 0) == o->a ? 0 : -1;
    default: return -1;
    }
}

/* Process ME: do as told, until told to end. */
_Noreturn static void obey(int me)
{
    char *place[PLACES] = {NULL}, text[16];
    int used = 0;
    struct order o;

    while (read(ORDERS(me), &o, sizeof(o)) == sizeof(o)) {
        long result;
        errno = 0;
        if (o.act == 'a') {
            char *at = shmat(o.a, NULL, 0);
            result = at == (char *)-1 ? -1 : used;
            if (result >= 0 && used < PLACES)
                place[used++] = at;
        } else if (o.act == 'f') {
            result = fork();
            if (result == 0) {
                me = o.a;
                continue;
            }
        } else if (o.act == 'e') {
            snprintf(text, sizeof(text), "%d", me);
            execl("/proc/self/exe", "processes", "=", text, NULL);
            result = -1;
        } else if (o.act == 'x') {
            _exit(0);
        } else {
            result = change(&o, place);
        }
        result = result < 0 ? -errno : result;
        if (write(ANSWERS(me), &result, sizeof(result)) != sizeof(result))
            _exit(1);
    }
    _exit(1);
}

/* ---- the one who directs ---- */

static void send(int process, struct order o)
{
    lab_must(write(orders[process], &o, sizeof(o)) == sizeof(o) ? 0 : -1);
}

static long answer(int process)
{
    long result;

    lab_must(read(answers[process], &result, sizeof(result)) == sizeof(result) ? 0 : -1);
    return result;
}

static long ask(int process, char act, int a, int b)
{
    send(process, (struct order){act, a, b});
    return answer(process);
}

/* Its parent, one of them or we, has waited for it: it has gone. */
static long buried(int process)
{
    for (int i = 0; i < PROCESSES; i++)
        if (pids[i] == parents[process] && pids[i] != 0)
            return ask(i, 'h', pids[process], 0);
    return waitpid(pids[process], NULL, 0) == pids[process] ? 0 : -errno;
}

static long remove_segment(int id)
{
    return shmctl(id, IPC_RMID, NULL) < 0 ? -errno : 0;
}

/* The number of the segment that KEY + SEGMENT means now. */
static long make_segment(int segment)
{
    int id = shmget(KEY + segment, 3 * PAGE, IPC_CREAT | 0606);

    for (int s = 0; id >= 0 && s < segments; s++)
        if (ids[s] == id)
            return s;
    if (id < 0 || segments == SEGMENTS)
        return id < 0 ? -errno : -ENOSPC;
    ids[segments] = id;
    return segments++;
}

static long next_second(void)
{
    time_t now = time(NULL);
    struct timespec pause = {.tv_nsec = 20000000};

    while (time(NULL) == now)
        nanosleep(&pause, NULL);
    return 0;
}

static long born(int parent, int child)
{
    long pid = ask(parent, 'f', child, 0);

    if (pid > 0) {
        parents[child] = pids[parent];
        pids[child] = (pid_t)pid;
    }
    return pid > 0 ? 0 : pid;
}

static long perform(const char *op)
{
    int a = 0, b = 0, c = 0;

    sscanf(op + 1, ":%d:%d:%d", &a, &b, &c);
    switch (op[0]) {
    case 'a': return ask(a, 'a', ids[b], 0);
    case 'f': return born(a, b);
    case 'x': send(a, (struct order){'x', 0, 0}); return buried(a);
    case 'k': lab_must(kill(pids[a], SIGKILL)); return buried(a);
    case 'R': return ask(a, 'R', ids[b], 0);
    case 'r': return remove_segment(ids[a]);
    case 'n': return make_segment(a);
    case 't': return next_second();
    case '!': return getppid() > 0 ? 0 : -1;
    default: return ask(a, op[0], b, c);
    }
}

static const char *who(pid_t pid)
{
    static char text[16];

    for (int i = 0; i < PROCESSES; i++)
        if (pid != 0 && pids[i] == pid)
            return snprintf(text, sizeof(text), "%d", i), text;
    return pid == 0 ? "-" : pid == getpid() ? "director" : "nobody of these";
}

static char stamp(time_t was, time_t is)
{
    return is == 0 ? '-' : is == was ? '=' : is > was ? '+' : '<';
}

static void describe(char *line, size_t size)
{
    struct shmid_ds ds;

    for (int s = 0; s < segments; s++) {
        size_t length = strlen(line);
        if (shmctl(ids[s], IPC_STAT, &ds) < 0) {
            snprintf(line + length, size - length, errno == EINVAL ? " -" : " error %d", errno);
            continue;
        }
        snprintf(line + length, size - length, " %lu/%o/%s/%s/%c%c", ds.shm_nattch,
                 ds.shm_perm.mode, ds.shm_perm.__key != 0 ? "key" : "no-key", who(ds.shm_lpid),
                 stamp(seen[s].shm_atime, ds.shm_atime), stamp(seen[s].shm_dtime, ds.shm_dtime));
        seen[s] = ds;
    }
}

static void begin(int count)
{
    for (segments = 0; segments < count; segments++)
        lab_must(ids[segments] = shmget(KEY + segments, 3 * PAGE, IPC_CREAT | IPC_EXCL | 0606));
    for (int i = 0; i < PROCESSES; i++) {
        int to[2], from[2];
        lab_must(pipe(to));
        lab_must(pipe(from));
        lab_must(dup2(to[0], ORDERS(i)));
        lab_must(dup2(from[1], ANSWERS(i)));
        orders[i] = to[1];
        answers[i] = from[0];
    }
    lab_must(pids[0] = fork());
    if (pids[0] == 0)
        obey(0);
}

int main(int argc, char **argv)
{
    char line[256];

    if (argc == 3 && strcmp(argv[1], "=") == 0) { /* one of the processes has executed this */
        int me = atoi(argv[2]);
        long done = 0;
        if (write(ANSWERS(me), &done, sizeof(done)) != sizeof(done))
            return 1;
        obey(me);
    }
    begin(argc > 1 ? atoi(argv[1]) : 1);
    for (int i = 2; i < argc; i++) {
        long result = perform(argv[i]);
        snprintf(line, sizeof(line), "%ld", result);
        describe(line, sizeof(line));
        lab_report("op", "%s", line);
    }
    return 0;
}
