/*
 * Something of everything, for the debugger to look at (test_gdb.py): processes and threads asleep for as many
 * reasons as there are, pipes and sockets with bytes in them, a segment, pending signals, and at last a
 * handler that runs and calls scene_is_set(), where the debugger stops.
 *
 *     scene           all of that
 *     scene contend   threads that change the address space until the debugger has seen two meet at its lock
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TCP_PORT 7070
#define UDP_PORT 5353
#define SEGMENT_BYTES 8192

static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static pid_t children[16];
static int num_children;
static volatile int scenes; /* the debugger may look at it */

static int checked(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

/* A child that does one thing, and then waits to be killed. */
static pid_t child(void (*act)(int), int arg)
{
    pid_t pid = checked(fork(), "fork");

    if (pid == 0) {
        act(arg);
        _exit(0);
    }
    children[num_children++] = pid;
    return pid;
}

static void read_one(int fd)
{
    char c;

    read(fd, &c, 1);
}

static void sleep_long(int seconds)
{
    sleep((unsigned)seconds);
}

static void open_fifo(int unused)
{
    (void)unused;
    open("/tmp/scene.fifo", O_RDONLY);
}

static void accept_one(int fd)
{
    accept(fd, NULL, NULL);
}

static void die(int status)
{
    _exit(status);
}

static void *wait_at_door(void *tid)
{
    __atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
    pthread_mutex_lock(&door);
    pthread_mutex_unlock(&door);
    return NULL;
}

/* Wait until a thread is in one of STATES, as /proc has them: asleep, stopped, a zombie. */
static void await_state(pid_t tid, const char *states)
{
    char path[64], line[512], state = '?';

    snprintf(path, sizeof(path), "/proc/%d/stat", tid);
    while (!strchr(states, state)) {
        FILE *f = fopen(path, "r");
        if (f && fgets(line, sizeof(line), f))
            sscanf(strrchr(line, ')'), ") %c", &state);
        if (f)
            fclose(f);
        sched_yield();
    }
}

static __attribute__((noinline)) void scene_is_set(int signo)
{
    scenes += signo;
    __asm__ volatile("" ::: "memory");
}

static void on_usr2(int signo, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    scene_is_set(signo);
}

static void set_pipes(void)
{
    int full[2], empty[2];

    checked(pipe(full), "pipe");
    checked(pipe(empty), "pipe");
    checked((int)write(full[1], "hello, debugger", 15), "write");
    child(read_one, empty[0]);
    checked(mkfifo("/tmp/scene.fifo", 0600), "mkfifo");
    child(open_fifo, 0);
}

static void set_segment(void)
{
    int id = checked(shmget(0x5ce4e, SEGMENT_BYTES, IPC_CREAT | 0600), "shmget");
    char *p = shmat(id, NULL, 0);

    checked(p == (void *)-1 ? -1 : 0, "shmat");
    p[0] = 1;
}

static int set_local(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/scene.sock"};
    int listener = checked(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
    int pair[2];

    checked(bind(listener, (struct sockaddr *)&name, sizeof(name)), "bind");
    checked(listen(listener, 3), "listen");
    child(accept_one, listener);
    checked(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
    return checked((int)write(pair[0], "datagram", 8), "write");
}

static void set_internet(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(TCP_PORT)};
    int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    int caller = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    int udp = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(bind(listener, (struct sockaddr *)&at, sizeof(at)), "bind");
    checked(listen(listener, 5), "listen");
    checked(connect(caller, (struct sockaddr *)&at, sizeof(at)), "connect");
    int accepted = checked(accept(listener, NULL, NULL), "accept");
    checked((int)write(caller, "12345", 5), "write");
    child(read_one, caller);
    char c;
    checked((int)recv(accepted, &c, 1, MSG_PEEK), "recv"); /* the bytes have arrived */
    at.sin_port = htons(UDP_PORT);
    checked(bind(udp, (struct sockaddr *)&at, sizeof(at)), "bind");
}

static void set_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_usr2, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGHUP);
    checked(sigaction(SIGUSR2, &action, NULL), "sigaction");
    signal(SIGPIPE, SIG_IGN);
    checked(kill(getpid(), SIGUSR1), "kill");
    checked(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 0x4d2}), "sigqueue");
}

static void end_children(void)
{
    for (int i = 0; i < num_children; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
}

/* Who sleeps has left the processor when the next one runs on it; on another it might still be on its way. */
static void use_one_processor(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    checked(sched_setaffinity(0, sizeof(first), &first), "sched_setaffinity");
}

static int scene(void)
{
    pthread_t waiter;
    pid_t waiting = 0;
    sigset_t blocked;

    use_one_processor();
    sigemptyset(&blocked); /* by all threads, or one of the others would get them */
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGRTMIN + 3);
    checked(sigprocmask(SIG_BLOCK, &blocked, NULL), "sigprocmask");

    pthread_mutex_lock(&door);
    checked(-pthread_create(&waiter, NULL, wait_at_door, &waiting), "pthread_create");
    set_segment();
    set_pipes();
    set_local();
    set_internet();
    child(sleep_long, 1000);
    child(die, 7);
    kill(child(sleep_long, 2000), SIGSTOP);
    for (int i = 0; i < num_children; i++)
        await_state(children[i], i == num_children - 1 ? "T" : i == num_children - 2 ? "Z" : "S");
    while (!__atomic_load_n(&waiting, __ATOMIC_ACQUIRE))
        sched_yield();
    await_state(waiting, "S");
    set_signals();
    sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 99});
    pthread_mutex_unlock(&door);
    pthread_join(waiter, NULL);
    end_children();
    printf("the scene is over\n");
    return 0;
}

static volatile struct {
    int enough; /* the debugger sets it; our own page, since we write to the other */
    int rounds_max;
} meeting;

static void *change_areas(void *unused)
{
    for (int i = 0; i < meeting.rounds_max && !meeting.enough; i++) {
        void *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p, 8192);
    }
    return unused;
}

static int contend(void)
{
    pthread_t threads[6];

    meeting.rounds_max = 5000000;
    for (int i = 0; i < 6; i++)
        checked(-pthread_create(&threads[i], NULL, change_areas, NULL), "pthread_create");
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    printf("they have met\n");
    return 0;
}

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "contend") == 0 ? contend() : scene();
}
