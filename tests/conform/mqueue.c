/* musl: POSIX message queues. */
#define _GNU_SOURCE
#include "tap.h"

#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define SIZE 64
#ifndef MQ_PRIO_MAX
#define MQ_PRIO_MAX 32768
#endif

static char name[32];

static mqd_t queue_of(long count, int flags)
{
    struct mq_attr attr = {.mq_maxmsg = count, .mq_msgsize = SIZE};
    snprintf(name, sizeof(name), "/conform-%d", getpid());
    mq_unlink(name);
    mqd_t q = works(mq_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr));
    return q;
}

/* A queue that goes with the test. */
static mqd_t queue(long count, int flags)
{
    mqd_t q = queue_of(count, flags);
    works(mq_unlink(name));
    return q;
}

static const char *get(mqd_t q, unsigned *prio)
{
    static char text[SIZE + 1];
    ssize_t n = works(mq_receive(q, text, SIZE, prio));
    text[n] = '\0';
    return text;
}

static int put(mqd_t q, const char *text, unsigned prio)
{
    return mq_send(q, text, strlen(text), prio);
}

static struct timespec soon(long ns)
{
    struct timespec t;
    works(clock_gettime(CLOCK_REALTIME, &t));
    t.tv_nsec += ns;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static bool sleeps(pid_t pid)
{
    char file[64], state = 0;
    snprintf(file, sizeof(file), "/proc/%d/stat", pid);
    FILE *f = fopen(file, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state == 'S';
}

TEST(higher_priorities_leave_first_and_equals_in_order)
{
    mqd_t q = queue(5, 0);
    unsigned prio;
    works(put(q, "low", 1));
    works(put(q, "high", 9));
    works(put(q, "low again", 1));
    works(put(q, "top", MQ_PRIO_MAX - 1));
    works(put(q, "zero", 0));
    same_text(get(q, &prio), "top");
    same(prio, 32767);
    same_text(get(q, &prio), "high");
    same_text(get(q, NULL), "low");
    same_text(get(q, &prio), "low again");
    same(prio, 1);
    same_text(get(q, NULL), "zero");
}

TEST(attributes_are_what_was_asked_for)
{
    mqd_t q = queue(3, O_NONBLOCK);
    struct mq_attr attr;
    works(put(q, "x", 0));
    works(mq_getattr(q, &attr));
    same(attr.mq_maxmsg, 3);
    same(attr.mq_msgsize, SIZE);
    same(attr.mq_curmsgs, 1);
    same(attr.mq_flags, O_NONBLOCK);
}

TEST(setattr_changes_nonblock_alone)
{
    mqd_t q = queue(3, 0);
    struct mq_attr attr = {.mq_flags = O_NONBLOCK, .mq_maxmsg = 7}, old;
    works(mq_setattr(q, &attr, &old));
    same(old.mq_flags, 0);
    works(mq_getattr(q, &old));
    same(old.mq_flags, O_NONBLOCK);
    same(old.mq_maxmsg, 3);
    fails(mq_receive(q, (char[SIZE]){0}, SIZE, NULL), EAGAIN);
    attr.mq_flags = O_APPEND;
    fails(mq_setattr(q, &attr, NULL), EINVAL);
}

TEST(open_finds_refuses_and_makes)
{
    snprintf(name, sizeof(name), "/conform-%d", getpid());
    fails(mq_open(name, O_RDWR), ENOENT);
    mqd_t q = queue_of(2, 0);
    works(put(q, "kept", 0));
    mqd_t again = works(mq_open(name, O_RDONLY));
    same_text(get(again, NULL), "kept");
    fails(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
    works(mq_unlink(name));
    fails(mq_unlink(name), ENOENT);
    fails(mq_open(name, O_RDWR), ENOENT);
    works(put(q, "lives on", 0));
}

TEST(names_that_cannot_be)
{
    char many[300] = "/";
    memset(many + 1, 'a', 280);
    fails(mq_open("/a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
    fails(mq_open("/", O_RDWR), ENOENT);
    fails(mq_open(many, O_CREAT | O_RDWR, 0600, NULL), ENAMETOOLONG);
}

TEST(sizes_that_cannot_be)
{
    struct mq_attr attr = {.mq_maxmsg = 0, .mq_msgsize = 1};
    fails(mq_open("/conform-none", O_CREAT | O_RDWR, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = -1};
    fails(mq_open("/conform-none", O_CREAT | O_RDWR, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 1L << 40, .mq_msgsize = 1L << 40};
    fails(mq_open("/conform-none", O_CREAT | O_RDWR, 0600, &attr), EINVAL);
}

TEST(a_user_has_a_limit_of_bytes)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 1024};
    struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 8192};
    works(setrlimit(RLIMIT_MSGQUEUE, &limit));
    fails(mq_open("/conform-none", O_CREAT | O_RDWR, 0600, &attr), EMFILE);
}

/* setrlimit(2) says what counts: 48 bytes for a message and 48 for a priority, beside the text. */
TEST(the_limit_is_exact)
{
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 100};
    struct rlimit limit = {.rlim_cur = 10 * (48 + 48 + 100) - 1, .rlim_max = 8192};
    works(setuid(12345));
    works(setrlimit(RLIMIT_MSGQUEUE, &limit));
    fails(mq_open("/conform-exact", O_CREAT | O_RDWR, 0600, &attr), EMFILE);
    limit.rlim_cur++;
    works(setrlimit(RLIMIT_MSGQUEUE, &limit));
    works(mq_open("/conform-exact", O_CREAT | O_RDWR, 0600, &attr));
    works(mq_unlink("/conform-exact"));
}

TEST(access_modes_hold)
{
    mqd_t q = queue_of(2, 0);
    mqd_t reader = works(mq_open(name, O_RDONLY)), writer = works(mq_open(name, O_WRONLY));
    works(mq_unlink(name));
    fails(put(reader, "x", 0), EBADF);
    fails(mq_receive(writer, (char[SIZE]){0}, SIZE, NULL), EBADF);
    works(put(writer, "x", 0));
    same_text(get(reader, NULL), "x");
    works(mq_close(q));
    fails(put(q, "x", 0), EBADF);
    fails(put(0, "x", 0), EBADF);
}

TEST(lengths_and_priorities_are_checked)
{
    mqd_t q = queue(2, 0);
    char text[SIZE + 1] = "";
    fails(mq_send(q, text, SIZE + 1, 0), EMSGSIZE);
    fails(mq_send(q, text, 1, MQ_PRIO_MAX), EINVAL);
    works(mq_send(q, text, 0, 0));
    fails(mq_receive(q, text, SIZE - 1, NULL), EMSGSIZE);
    same(mq_receive(q, text, SIZE + 1, NULL), 0);
}

TEST(full_and_empty_without_waiting)
{
    mqd_t q = queue(1, O_NONBLOCK);
    fails(mq_receive(q, (char[SIZE]){0}, SIZE, NULL), EAGAIN);
    works(put(q, "x", 0));
    fails(put(q, "y", 0), EAGAIN);
}

TEST(times_run_out)
{
    mqd_t q = queue(1, 0);
    char text[SIZE];
    struct timespec t = soon(20000000), bad = {.tv_nsec = 1000000000};
    fails(mq_timedreceive(q, text, SIZE, NULL, &t), ETIMEDOUT);
    works(put(q, "x", 0));
    t = soon(20000000);
    fails(mq_timedsend(q, "y", 1, 0, &t), ETIMEDOUT);
    fails(mq_timedsend(q, "y", 1, 0, &bad), EINVAL);
    works(mq_timedreceive(q, text, SIZE, NULL, &t)); /* a time that has passed is no matter */
}

TEST(a_receiver_waits_for_a_message)
{
    mqd_t q = queue(1, 0);
    pid_t pid;
    CHILD (pid)
        same_text(get(q, NULL), "for you");
    wait_until(sleeps(pid));
    works(put(q, "for you", 0));
    exits(pid, 0);
}

TEST(a_sender_waits_for_room)
{
    mqd_t q = queue(1, 0);
    works(put(q, "first", 0));
    pid_t pid;
    CHILD (pid)
        works(put(q, "second", 0));
    wait_until(sleeps(pid));
    same_text(get(q, NULL), "first");
    exits(pid, 0);
    same_text(get(q, NULL), "second");
}

TEST(poll_knows_messages_and_room)
{
    mqd_t q = queue(1, 0);
    struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
    same(poll(&p, 1, 0), 1);
    same(p.revents, POLLOUT);
    works(put(q, "x", 0));
    same(poll(&p, 1, 0), 1);
    same(p.revents, POLLIN);
}

static volatile int told, told_value, told_code, told_pid;

static void tell(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    told_value = info->si_value.sival_int;
    told_code = info->si_code;
    told_pid = info->si_pid;
    told++;
}

static struct sigevent by_signal(int value)
{
    struct sigaction sa = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO};
    works(sigaction(SIGUSR1, &sa, NULL));
    return (struct sigevent){
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = value};
}

TEST(notify_tells_once_when_the_queue_was_empty)
{
    mqd_t q = queue(5, 0);
    struct sigevent event = by_signal(77);
    works(mq_notify(q, &event));
    works(put(q, "a", 0));
    wait_until(told == 1);
    same(told_value, 77);
    same(told_code, SI_MESGQ);
    same(told_pid, getpid());
    get(q, NULL);
    works(put(q, "b", 0));
    same(told, 1);
    works(mq_notify(q, &event)); /* not empty: nothing until it was */
    works(put(q, "c", 0));
    same(told, 1);
    get(q, NULL);
    get(q, NULL);
    works(put(q, "d", 0));
    wait_until(told == 2);
}

TEST(notify_is_one_process_at_a_time)
{
    mqd_t q = queue(5, 0);
    struct sigevent event = by_signal(1), none = {.sigev_notify = SIGEV_NONE};
    pid_t pid;
    works(mq_notify(q, &none));
    fails(mq_notify(q, &event), EBUSY);
    CHILD (pid) {
        fails(mq_notify(q, &event), EBUSY);
        works(mq_notify(q, NULL)); /* not ours: it stays */
        fails(mq_notify(q, &event), EBUSY);
    }
    exits(pid, 0);
    works(mq_notify(q, NULL));
    works(mq_notify(q, &event));
}

TEST(notify_gives_way_to_a_receiver)
{
    mqd_t q = queue(5, 0);
    struct sigevent event = by_signal(1);
    pid_t pid;
    works(mq_notify(q, &event));
    CHILD (pid)
        same_text(get(q, NULL), "x");
    wait_until(sleeps(pid));
    works(put(q, "x", 0));
    exits(pid, 0);
    same(told, 0);
    fails(mq_notify(q, &event), EBUSY);
}

TEST(closing_ends_notify)
{
    mqd_t q = queue_of(5, 0), other = works(mq_open(name, O_RDWR));
    works(mq_unlink(name));
    struct sigevent event = by_signal(1);
    works(mq_notify(q, &event));
    works(mq_close(other));
    works(put(q, "x", 0));
    same(told, 0);
}

static atomic_int called;
static atomic_uintptr_t called_with;

static void call(union sigval value)
{
    atomic_store(&called_with, (uintptr_t)value.sival_ptr);
    atomic_fetch_add(&called, 1);
}

TEST(notify_by_a_thread)
{
    mqd_t q = queue(5, 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = call,
                             .sigev_value.sival_ptr = &event};
    works(mq_notify(q, &event));
    fails(mq_notify(q, &event), EBUSY);
    works(put(q, "a", 0));
    wait_until(atomic_load(&called) == 1);
    same(atomic_load(&called_with) == (uintptr_t)&event, 1);
    get(q, NULL);
    works(mq_notify(q, &event));
    works(mq_notify(q, NULL)); /* the thread hears of it and ends */
    works(mq_notify(q, &event));
    works(put(q, "b", 0));
    wait_until(atomic_load(&called) == 2);
    fails(mq_notify(-1, &event), EBADF);
}

/* What a C library says to the kernel, for a thread that waits in a netlink socket. */
TEST(a_cookie_tells_why)
{
    mqd_t q = queue(5, 0);
    char cookie[32] = "anything", got[64];
    int wire = works(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0)), other[2];
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD, .sigev_signo = wire, .sigev_value.sival_ptr = cookie};
    works(syscall(SYS_mq_notify, q, &event));
    fails(recv(wire, got, sizeof(got), 0), EAGAIN);
    works(put(q, "a", 0));
    same(recv(wire, got, sizeof(got), 0), 32);
    same_text(got, "anything");
    same(got[31], 1);
    works(syscall(SYS_mq_notify, q, &event));
    works(syscall(SYS_mq_notify, q, NULL));
    same(recv(wire, got, sizeof(got), 0), 32);
    same(got[31], 2);
    works(syscall(SYS_mq_notify, q, &event));
    works(mq_close(works(dup(q)))); /* closing ends it */
    same(recv(wire, got, sizeof(got), 0), 32);
    same(got[31], 2);

    works(socketpair(AF_UNIX, SOCK_STREAM, 0, other));
    event.sigev_signo = other[0];
    fails(syscall(SYS_mq_notify, q, &event), EINVAL);
    event.sigev_signo = q;
    fails(syscall(SYS_mq_notify, q, &event), ENOTSOCK);
    event.sigev_signo = -1;
    fails(syscall(SYS_mq_notify, q, &event), EBADF);
    event.sigev_signo = wire;
    event.sigev_value.sival_ptr = (void *)8;
    fails(syscall(SYS_mq_notify, q, &event), EFAULT);
}

TEST(notify_refuses_what_is_none)
{
    mqd_t q = queue(5, 0);
    struct sigevent event = {.sigev_notify = 99};
    fails(mq_notify(q, &event), EINVAL);
    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 1000};
    fails(mq_notify(q, &event), EINVAL);
    event = by_signal(1);
    fails(mq_notify(0, &event), EBADF);
}

TEST(others_get_what_the_mode_grants)
{
    mqd_t q = queue_of(2, 0);
    pid_t pid;
    (void)q;
    CHILD (pid) {
        works(setuid(12345));
        fails(mq_open(name, O_RDONLY), EACCES);
        fails(mq_unlink(name), EACCES);
    }
    exits(pid, 0);
    works(mq_unlink(name));
}

TEST(a_queue_is_closed_by_exec)
{
    mqd_t q = queue(2, 0);
    same(fcntl(q, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(reading_the_file_tells_its_state)
{
    mqd_t q = queue(2, 0);
    char text[128] = "";
    struct stat st;
    works(put(q, "12345", 0));
    check(read(q, text, sizeof(text) - 1) > 0, "some text");
    same_text(text, "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
    works(fstat(q, &st));
    same(st.st_size, 80);
    same(st.st_mode, S_IFREG | 0600);
}

TEST(limits_are_in_proc)
{
    static const char *names[] = {"queues_max", "msg_max", "msgsize_max", "msg_default",
                                  "msgsize_default"};
    for (int i = 0; i < 5; i++) {
        char file[64];
        int v = 0;
        snprintf(file, sizeof(file), "/proc/sys/fs/mqueue/%s", names[i]);
        FILE *f = fopen(file, "r");
        check(f, "%s opens", file);
        same(fscanf(f, "%d", &v), 1);
        check(v > 0, "%s has a value", file);
        fclose(f);
    }
}

int main(void)
{
    return tap_run("mqueue");
}
