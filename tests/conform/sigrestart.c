/* musl: what a handler does to each call that sleeps, with SA_RESTART and without. Without handlers: restart.c. */
#define _GNU_SOURCE
#include "tap.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#ifndef FUTEX_WAIT
#define FUTEX_WAIT 0
#endif

/* Shared by the child that sleeps and the parent that disturbs it. */
static volatile struct {
    int ready, handled, done;
    long result;
    int word;
} * shared;

static int p[2];
static sigset_t usr2;

static void handler(int sig)
{
    (void)sig;
    shared->handled++;
}

static bool sleeps(pid_t pid)
{
    char name[32], text[256] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    int fd = works(open(name, O_RDONLY));
    works(read(fd, text, sizeof(text) - 1));
    works(close(fd));
    return strstr(text, ") S ") != NULL;
}

static void remove_objects(void);

/* Does OPERATION, which sleeps for good, end when a handler installed with FLAGS has run? Its result, 0: it goes on. */
static long after_handler(long (*prepare)(void), long (*operation)(long), unsigned flags)
{
    pid_t pid;
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED, "shared memory");
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    long argument = prepare ? prepare() : 0;
    CHILD (pid) {
        struct sigaction a = {.sa_handler = handler, .sa_flags = (int)flags};
        works(sigaction(SIGUSR1, &a, NULL));
        works(sigprocmask(SIG_BLOCK, &usr2, NULL));
        shared->ready = 1;
        errno = 0;
        long result = operation(argument);
        shared->result = result < 0 ? -errno : result;
        shared->done = 1;
    }
    wait_until(shared->ready && sleeps(pid));
    works(kill(pid, SIGUSR1));
    wait_until(shared->handled == 1);
    wait_until(shared->done || sleeps(pid));
    for (int i = 0; i < 3 && !shared->done; i++)
        pause_a_little();
    long result = shared->done ? shared->result : 0;
    works(kill(pid, SIGKILL));
    tap_reap(pid);
    remove_objects();
    return result;
}

#define GOES_ON 0
#define ENDS (-EINTR)

/* Both cells of one row. */
#define ROW(name, prepare, operation, with_restart)                        \
    TEST(name##_with_a_handler)                                            \
    {                                                                      \
        same(after_handler(prepare, operation, 0), -EINTR);                \
    }                                                                      \
    TEST(name##_with_sa_restart)                                           \
    {                                                                      \
        same(after_handler(prepare, operation, SA_RESTART), with_restart); \
    }

/* --- pipes and files -------------------------------------------------------------------------------- */

static char buf[1 << 17];

static long a_pipe(void)
{
    return works(pipe(p));
}

static long read_pipe(long arg)
{
    (void)arg;
    return read(p[0], buf, 1);
}

static long write_pipe(long arg)
{
    (void)arg;
    while (fcntl(p[1], F_SETFL, O_NONBLOCK), write(p[1], buf, 4096) > 0)
        ;
    fcntl(p[1], F_SETFL, 0);
    return write(p[1], buf, 4096);
}

static long a_fifo(void)
{
    return works(mkfifo("fifo", 0600));
}

static long open_fifo(long arg)
{
    (void)arg;
    return open("fifo", O_RDONLY);
}

static long a_locked_file(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(flock(fd, LOCK_EX));
    works(fcntl(fd, F_SETLK, &l));
    return fd;
}

static long lock_file(long arg)
{
    (void)arg;
    return flock(open("f", O_RDWR), LOCK_EX);
}

static long lock_record(long fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl((int)fd, F_SETLKW, &l);
}

ROW(read_of_a_pipe, a_pipe, read_pipe, GOES_ON)
ROW(write_to_a_full_pipe, a_pipe, write_pipe, GOES_ON)
ROW(open_of_a_fifo, a_fifo, open_fifo, GOES_ON)
ROW(flock, a_locked_file, lock_file, GOES_ON)
ROW(fcntl_setlkw, a_locked_file, lock_record, GOES_ON)

/* --- descriptors that count -------------------------------------------------------------------------- */

static long an_eventfd(void)
{
    return works(eventfd(0, 0));
}

static long read_it(long fd)
{
    return read((int)fd, buf, sizeof(buf));
}

static long a_signalfd(void)
{
    return works(signalfd(-1, &usr2, 0));
}

ROW(read_of_an_eventfd, an_eventfd, read_it, GOES_ON)
ROW(read_of_a_signalfd, a_signalfd, read_it, GOES_ON)

/* --- queues of messages, and semaphores: System V's never go on ------------------------------------------ */

/* What the kernel keeps until it is told is removed again when the test ends. */
static int sem_id = -1, msg_id = -1;

static void remove_objects(void)
{
    if (sem_id >= 0)
        semctl(sem_id, 0, IPC_RMID);
    if (msg_id >= 0)
        msgctl(msg_id, IPC_RMID, NULL);
    mq_unlink("/sigrestart");
}

static long a_semaphore(void)
{
    return sem_id = works(semget(IPC_PRIVATE, 1, 0600));
}

static long take(long id)
{
    struct sembuf op = {0, -1, 0};
    return semop((int)id, &op, 1);
}

static long take_timed(long id)
{
    struct sembuf op = {0, -1, 0};
    return semtimedop((int)id, &op, 1, &(struct timespec){100, 0});
}

struct message {
    long type;
    char text[1024];
};

static long a_message_queue(void)
{
    return msg_id = works(msgget(IPC_PRIVATE, 0600));
}

static long a_full_message_queue(void)
{
    struct message m = {.type = 1};
    a_message_queue();
    while (msgsnd(msg_id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
        ;
    same(errno, EAGAIN);
    return msg_id;
}

static long take_message(long id)
{
    struct message m;
    return msgrcv((int)id, &m, sizeof(m.text), 0, 0);
}

static long put_message(long id)
{
    struct message m = {.type = 1};
    return msgsnd((int)id, &m, sizeof(m.text), 0);
}

static long a_posix_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    mqd_t q = works(mq_open("/sigrestart", O_RDWR | O_CREAT, 0600, &attr));
    works(mq_unlink("/sigrestart"));
    return q;
}

static long a_full_posix_queue(void)
{
    long q = a_posix_queue();
    works(mq_send((mqd_t)q, "x", 1, 0));
    return q;
}

static long receive_message(long q)
{
    return mq_receive((mqd_t)q, buf, sizeof(buf), NULL);
}

static long receive_timed(long q)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 100;
    return mq_timedreceive((mqd_t)q, buf, sizeof(buf), NULL, &t);
}

static long send_message(long q)
{
    return mq_send((mqd_t)q, "y", 1, 0);
}

ROW(semop, a_semaphore, take, ENDS)
ROW(semtimedop, a_semaphore, take_timed, ENDS)
ROW(msgrcv, a_message_queue, take_message, ENDS)
ROW(msgsnd, a_full_message_queue, put_message, ENDS)
ROW(mq_receive, a_posix_queue, receive_message, GOES_ON)
ROW(mq_timedreceive, a_posix_queue, receive_timed, GOES_ON)
ROW(mq_send, a_full_posix_queue, send_message, GOES_ON)

/* --- sockets ---------------------------------------------------------------------------------------- */

static long two_sockets(void)
{
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
    return p[0];
}

static long two_sockets_with_timeout(void)
{
    struct timeval t = {100, 0};
    two_sockets();
    works(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
    return p[0];
}

static long a_listener(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = works(socket(AF_UNIX, SOCK_STREAM, 0));
    works(bind(fd, (struct sockaddr *)&a, sizeof(a)));
    works(listen(fd, 1));
    return fd;
}

static long receive(long fd)
{
    return recv((int)fd, buf, 1, 0);
}

static long take_connection(long fd)
{
    return accept((int)fd, NULL, NULL);
}

ROW(recv_of_a_socket, two_sockets, receive, GOES_ON)
ROW(recv_of_a_socket_with_a_timeout, two_sockets_with_timeout, receive, ENDS)
ROW(accept, a_listener, take_connection, GOES_ON)

/* --- waiting for many -------------------------------------------------------------------------------- */

static long poll_pipe(long arg)
{
    struct pollfd entry = {p[0], POLLIN, 0};
    (void)arg;
    return poll(&entry, 1, -1);
}

static long ppoll_pipe(long arg)
{
    struct pollfd entry = {p[0], POLLIN, 0};
    (void)arg;
    return ppoll(&entry, 1, &(struct timespec){100, 0}, NULL);
}

static long select_pipe(long arg)
{
    fd_set set;
    (void)arg;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    return select(p[0] + 1, &set, NULL, NULL, NULL);
}

static long an_epoll_set(void)
{
    return works(epoll_create1(0));
}

static long wait_for_epoll(long fd)
{
    struct epoll_event e;
    return epoll_wait((int)fd, &e, 1, -1);
}

ROW(poll, a_pipe, poll_pipe, ENDS)
ROW(ppoll, a_pipe, ppoll_pipe, ENDS)
ROW(select, a_pipe, select_pipe, ENDS)
ROW(epoll_wait, an_epoll_set, wait_for_epoll, ENDS)

/* --- time ------------------------------------------------------------------------------------------- */

static long sleep_relative(long arg)
{
    (void)arg;
    return nanosleep(&(struct timespec){100, 0}, NULL);
}

static long sleep_absolute(long arg)
{
    struct timespec t;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 100;
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    return errno ? -1 : 0;
}

ROW(nanosleep, NULL, sleep_relative, ENDS)
ROW(clock_nanosleep_absolute, NULL, sleep_absolute, ENDS)

/* --- signals, children, futexes ----------------------------------------------------------------------- */

static long just_pause(long arg)
{
    (void)arg;
    return pause();
}

static long suspend(long arg)
{
    sigset_t none;
    (void)arg;
    sigemptyset(&none);
    return sigsuspend(&none);
}

static long await(long arg)
{
    (void)arg;
    return syscall(SYS_rt_sigtimedwait, &usr2, NULL, &(struct timespec){100, 0}, 8);
}

static long await_for_ever(long arg)
{
    (void)arg;
    return syscall(SYS_rt_sigtimedwait, &usr2, NULL, NULL, 8);
}

static long wait_for_child(long arg)
{
    pid_t pid;
    (void)arg;
    CHILD (pid)
        while (shared->ready && getppid() != 1)
            pause_a_little();
    return waitpid(pid, NULL, 0);
}

static long waitid_for_child(long arg)
{
    siginfo_t info;
    pid_t pid;
    (void)arg;
    CHILD (pid)
        while (shared->ready && getppid() != 1)
            pause_a_little();
    return waitid(P_PID, (id_t)pid, &info, WEXITED);
}

static long futex_wait(long arg)
{
    (void)arg;
    return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL);
}

static long futex_wait_timed(long arg)
{
    (void)arg;
    return syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &(struct timespec){100, 0});
}

ROW(pause, NULL, just_pause, ENDS)
ROW(sigsuspend, NULL, suspend, ENDS)
ROW(sigtimedwait, NULL, await, ENDS)
ROW(sigwaitinfo, NULL, await_for_ever, ENDS)
ROW(wait4, NULL, wait_for_child, GOES_ON)
ROW(waitid, NULL, waitid_for_child, GOES_ON)
ROW(futex_without_timeout, NULL, futex_wait, GOES_ON)
ROW(futex_with_timeout, NULL, futex_wait_timed, ENDS)

int main(void)
{
    return tap_run("sigrestart");
}
