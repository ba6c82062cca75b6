/* musl: System V message queues. */
#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>

#define NOBODY 12345
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
    long type;
    char text[8192];
};

static int queue(void)
{
    return works(msgget(IPC_PRIVATE, 0600));
}

static void done(int id)
{
    works(msgctl(id, IPC_RMID, NULL));
}

static int put(int id, long type, const char *text, int flags)
{
    struct message m = {.type = type};
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text), flags);
}

/* What is received with these arguments, as text; its type in *GOT. */
static const char *get(int id, long type, int flags, long *got)
{
    static struct message m;
    ssize_t n = works(msgrcv(id, &m, sizeof(m.text) - 1, type, flags));
    m.text[n] = '\0';
    if (got)
        *got = m.type;
    return m.text;
}

static struct msqid_ds stat_of(int id)
{
    struct msqid_ds ds;
    works(msgctl(id, IPC_STAT, &ds));
    return ds;
}

static key_t fresh_key(void)
{
    return (key_t)(0x5d000000 | (getpid() & 0xffffff));
}

/* PID sleeps in a system call. */
static bool sleeps(pid_t pid)
{
    char name[64], state = 0;
    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    FILE *f = fopen(name, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state == 'S';
}

TEST(first_in_first_out)
{
    int id = queue();
    long type;
    works(put(id, 3, "one", 0));
    works(put(id, 1, "two", 0));
    same_text(get(id, 0, 0, &type), "one");
    same(type, 3);
    same_text(get(id, 0, 0, &type), "two");
    same(type, 1);
    done(id);
}

TEST(keys_find_queues)
{
    key_t key = fresh_key();
    fails(msgget(key, 0600), ENOENT);
    int id = works(msgget(key, IPC_CREAT | 0600));
    same(msgget(key, 0), id);
    fails(msgget(key, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    done(id);
    fails(msgget(key, 0600), ENOENT);
}

TEST(a_positive_type_is_that_type)
{
    int id = queue();
    works(put(id, 1, "a", 0));
    works(put(id, 2, "b", 0));
    works(put(id, 2, "c", 0));
    same_text(get(id, 2, 0, NULL), "b");
    same_text(get(id, 2, 0, NULL), "c");
    fails(msgrcv(id, &(struct message){0}, 10, 2, IPC_NOWAIT), ENOMSG);
    same_text(get(id, 1, 0, NULL), "a");
    done(id);
}

TEST(a_negative_type_is_the_lowest_up_to_it)
{
    int id = queue();
    works(put(id, 5, "five", 0));
    works(put(id, 3, "three", 0));
    works(put(id, 2, "two", 0));
    works(put(id, 2, "two again", 0));
    works(put(id, 4, "four", 0));
    same_text(get(id, -4, 0, NULL), "two");
    same_text(get(id, -4, 0, NULL), "two again");
    same_text(get(id, -4, 0, NULL), "three");
    same_text(get(id, -4, 0, NULL), "four");
    fails(msgrcv(id, &(struct message){0}, 10, -4, IPC_NOWAIT), ENOMSG);
    same_text(get(id, LONG_MIN, 0, NULL), "five");
    done(id);
}

TEST(except_is_all_but_that_type)
{
    int id = queue();
    works(put(id, 1, "a", 0));
    works(put(id, 2, "b", 0));
    same_text(get(id, 1, MSG_EXCEPT, NULL), "b");
    fails(msgrcv(id, &(struct message){0}, 10, 1, MSG_EXCEPT | IPC_NOWAIT), ENOMSG);
    done(id);
}

TEST(types_must_be_positive)
{
    int id = queue();
    fails(put(id, 0, "x", 0), EINVAL);
    fails(put(id, -1, "x", 0), EINVAL);
    works(put(id, LONG_MAX, "x", 0));
    done(id);
}

TEST(an_empty_message_is_a_message)
{
    int id = queue();
    struct message m;
    works(put(id, 1, "", 0));
    same(stat_of(id).msg_qnum, 1);
    same(msgrcv(id, &m, sizeof(m.text), 0, 0), 0);
    done(id);
}

TEST(a_long_message_is_refused_and_stays_or_is_cut)
{
    int id = queue();
    struct message m;
    works(put(id, 1, "0123456789", 0));
    fails(msgrcv(id, &m, 4, 0, 0), E2BIG);
    same(stat_of(id).msg_qnum, 1);
    memset(m.text, 'z', 10);
    same(msgrcv(id, &m, 4, 0, MSG_NOERROR), 4);
    same(memcmp(m.text, "0123zz", 6), 0);
    same(stat_of(id).msg_qnum, 0);
    done(id);
}

TEST(messages_of_two_pages_arrive_whole)
{
    int id = queue();
    struct message m = {.type = 1}, got;
    for (size_t i = 0; i < sizeof(m.text); i++)
        m.text[i] = (char)(i * 7 + i / 256);
    works(msgsnd(id, &m, sizeof(m.text), 0));
    same(msgrcv(id, &got, sizeof(got.text), 0, 0), sizeof(m.text));
    same(memcmp(m.text, got.text, sizeof(m.text)), 0);
    done(id);
}

TEST(sizes_that_cannot_be)
{
    int id = queue();
    struct message m = {.type = 1};
    fails(msgsnd(id, &m, sizeof(m.text) + 1, 0), EINVAL);
    fails(msgsnd(id, &m, (size_t)-1, 0), EINVAL);
    fails(msgsnd(id, &m, (size_t)1 << 63, 0), EINVAL);
    fails(msgrcv(id, &m, (size_t)-1, 0, IPC_NOWAIT), EINVAL);
    done(id);
}

TEST(an_empty_queue)
{
    int id = queue();
    fails(msgrcv(id, &(struct message){0}, 10, 0, IPC_NOWAIT), ENOMSG);
    done(id);
}

TEST(a_full_queue)
{
    int id = queue();
    struct message m = {.type = 1};
    struct msqid_ds ds = stat_of(id);
    ds.msg_qbytes = 100;
    works(msgctl(id, IPC_SET, &ds));
    works(msgsnd(id, &m, 60, IPC_NOWAIT));
    fails(msgsnd(id, &m, 41, IPC_NOWAIT), EAGAIN);
    works(msgsnd(id, &m, 40, IPC_NOWAIT));
    fails(msgsnd(id, &m, 1, IPC_NOWAIT), EAGAIN);
    ds = stat_of(id);
    same(ds.msg_cbytes, 100);
    same(ds.msg_qnum, 2);
    done(id);
}

TEST(empty_messages_fill_a_queue_too)
{
    int id = queue();
    struct msqid_ds ds = stat_of(id);
    ds.msg_qbytes = 3;
    works(msgctl(id, IPC_SET, &ds));
    for (int i = 0; i < 3; i++)
        works(put(id, 1, "", IPC_NOWAIT));
    fails(put(id, 1, "", IPC_NOWAIT), EAGAIN);
    done(id);
}

TEST(a_receiver_waits_for_its_type)
{
    int id = queue();
    pid_t pid;
    CHILD (pid)
        same_text(get(id, 7, 0, NULL), "seven");
    wait_until(sleeps(pid));
    works(put(id, 6, "six", 0));
    works(put(id, 7, "seven", 0));
    exits(pid, 0);
    same(stat_of(id).msg_qnum, 1);
    same(stat_of(id).msg_lrpid, pid);
    done(id);
}

TEST(the_first_who_waits_gets_the_first_message)
{
    int id = queue();
    pid_t a, b;
    CHILD (a)
        same_text(get(id, 0, 0, NULL), "first");
    wait_until(sleeps(a));
    CHILD (b)
        same_text(get(id, 0, 0, NULL), "second");
    wait_until(sleeps(b));
    works(put(id, 1, "first", 0));
    works(put(id, 1, "second", 0));
    exits(a, 0);
    exits(b, 0);
    done(id);
}

TEST(a_waiter_whose_buffer_is_short_hears_e2big)
{
    int id = queue();
    pid_t pid;
    CHILD (pid)
        fails(msgrcv(id, &(struct message){0}, 2, 0, 0), E2BIG);
    wait_until(sleeps(pid));
    works(put(id, 1, "long", 0));
    exits(pid, 0);
    same_text(get(id, 0, 0, NULL), "long");
    done(id);
}

TEST(a_sender_waits_for_room)
{
    int id = queue();
    struct message m = {.type = 1}, got;
    struct msqid_ds ds = stat_of(id);
    ds.msg_qbytes = 10;
    works(msgctl(id, IPC_SET, &ds));
    works(msgsnd(id, &m, 10, 0));
    pid_t pid;
    CHILD (pid) {
        m.type = 2;
        works(msgsnd(id, &m, 5, 0));
    }
    wait_until(sleeps(pid));
    same(msgrcv(id, &got, 10, 0, 0), 10);
    exits(pid, 0);
    same(msgrcv(id, &got, 10, 0, 0), 5);
    same(stat_of(id).msg_lspid, pid);
    done(id);
}

TEST(more_room_by_set_lets_senders_in)
{
    int id = queue();
    struct message m = {.type = 1};
    struct msqid_ds ds = stat_of(id);
    ds.msg_qbytes = 10;
    works(msgctl(id, IPC_SET, &ds));
    works(msgsnd(id, &m, 10, 0));
    pid_t pid;
    CHILD (pid)
        works(msgsnd(id, &m, 5, 0));
    wait_until(sleeps(pid));
    ds.msg_qbytes = 20;
    works(msgctl(id, IPC_SET, &ds));
    exits(pid, 0);
    same(stat_of(id).msg_qnum, 2);
    done(id);
}

TEST(who_has_no_right_any_more_when_there_is_room)
{
    int id = queue();
    struct msqid_ds ds = stat_of(id);
    ds.msg_perm.mode = 0622;
    ds.msg_qbytes = 4;
    works(msgctl(id, IPC_SET, &ds));
    works(put(id, 1, "full", 0));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        fails(put(id, 2, "more", 0), EACCES);
    }
    wait_until(sleeps(pid));
    ds.msg_perm.mode = 0600;
    works(msgctl(id, IPC_SET, &ds));
    check(sleeps(pid), "there is no room yet");
    same_text(get(id, 0, 0, NULL), "full");
    exits(pid, 0);
    same(stat_of(id).msg_qnum, 0);
    done(id);
}

TEST(removal_wakes_with_eidrm)
{
    int id = queue(), full = queue();
    struct message m = {.type = 1};
    struct msqid_ds ds = stat_of(full);
    ds.msg_qbytes = 1;
    works(msgctl(full, IPC_SET, &ds));
    works(msgsnd(full, &m, 1, 0));
    pid_t a, b;
    CHILD (a)
        fails(msgrcv(id, &m, 10, 0, 0), EIDRM);
    CHILD (b)
        fails(msgsnd(full, &m, 1, 0), EIDRM);
    wait_until(sleeps(a) && sleeps(b));
    done(id);
    done(full);
    exits(a, 0);
    exits(b, 0);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_handler_ends_the_wait_even_with_restart)
{
    int id = queue();
    pid_t pid;
    CHILD (pid) {
        struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
        works(sigaction(SIGUSR1, &sa, NULL));
        fails(msgrcv(id, &(struct message){0}, 10, 0, 0), EINTR);
        works(put(id, 1, "woken", 0));
    }
    wait_until(sleeps(pid));
    works(kill(pid, SIGUSR1));
    exits(pid, 0);
    same_text(get(id, 0, 0, NULL), "woken");
    done(id);
}

TEST(copy_leaves_the_message)
{
    int id = queue();
    struct message m;
    works(put(id, 5, "zero", 0));
    works(put(id, 6, "one", 0));
    ssize_t n = msgrcv(id, &m, sizeof(m.text), 1, MSG_COPY | IPC_NOWAIT);
    if (n < 0 && errno == ENOSYS) /* a kernel built without it */
        return done(id);
    same(n, 3);
    same(m.type, 6);
    same(memcmp(m.text, "one", 3), 0);
    same(stat_of(id).msg_qnum, 2);
    fails(msgrcv(id, &m, sizeof(m.text), 2, MSG_COPY | IPC_NOWAIT), ENOMSG);
    fails(msgrcv(id, &m, 2, 1, MSG_COPY | IPC_NOWAIT), E2BIG);
    fails(msgrcv(id, &m, 2, 1, MSG_COPY | IPC_NOWAIT | MSG_NOERROR), EINVAL);
    fails(msgrcv(id, &m, sizeof(m.text), 0, MSG_COPY), EINVAL);
    fails(msgrcv(id, &m, sizeof(m.text), 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT), EINVAL);
    done(id);
}

TEST(stat_tells_all)
{
    int id = queue();
    struct msqid_ds ds = stat_of(id);
    same(ds.msg_stime, 0);
    same(ds.msg_rtime, 0);
    same(ds.msg_lspid, 0);
    check(ds.msg_qbytes > 0 && ds.msg_ctime >= time(NULL) - 2, "limit and time");
    works(put(id, 1, "abc", 0));
    ds = stat_of(id);
    same(ds.msg_lspid, getpid());
    same(ds.msg_cbytes, 3);
    check(ds.msg_stime >= time(NULL) - 2, "sent now");
    get(id, 0, 0, NULL);
    ds = stat_of(id);
    same(ds.msg_lrpid, getpid());
    same(ds.msg_cbytes, 0);
    check(ds.msg_rtime >= time(NULL) - 2, "received now");
    done(id);
}

TEST(ids_that_are_none)
{
    int id = queue();
    fails(put(-1, 1, "x", 0), EINVAL);
    fails(put(id + 32768, 1, "x", 0), EINVAL);
    fails(msgrcv(-1, &(struct message){0}, 1, 0, IPC_NOWAIT), EINVAL);
    done(id);
    fails(put(id, 1, "x", 0), EINVAL);
    fails(msgctl(id, IPC_RMID, NULL), EINVAL);
}

TEST(bad_pointers_are_efault)
{
    int id = queue();
    fails(msgsnd(id, NOWHERE, 1, 0), EFAULT);
    works(put(id, 1, "x", 0));
    fails(msgrcv(id, NOWHERE, 1, 0, 0), EFAULT);
    fails(msgctl(id, IPC_STAT, NOWHERE), EFAULT);
    fails(msgctl(id, IPC_SET, NOWHERE), EFAULT);
    fails(msgctl(id, IPC_INFO, NOWHERE), EFAULT);
    done(id);
}

TEST(modes_and_owners)
{
    int id = queue();
    struct msqid_ds ds = stat_of(id);
    ds.msg_perm.mode = 0604;
    works(msgctl(id, IPC_SET, &ds));
    works(put(id, 1, "x", 0));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        fails(put(id, 1, "x", 0), EACCES);
        same_text(get(id, 0, 0, NULL), "x");
        fails(msgctl(id, IPC_RMID, NULL), EPERM);
        fails(msgctl(id, IPC_SET, &ds), EPERM);
    }
    exits(pid, 0);
    done(id);
}

TEST(only_the_privileged_raise_the_limit)
{
    int id = queue();
    struct msqid_ds ds = stat_of(id);
    ds.msg_perm.uid = NOBODY;
    works(msgctl(id, IPC_SET, &ds));
    pid_t pid;
    CHILD (pid) {
        works(setuid(NOBODY));
        ds.msg_qbytes = 1 << 24;
        fails(msgctl(id, IPC_SET, &ds), EPERM);
        ds.msg_qbytes = 10;
        works(msgctl(id, IPC_SET, &ds));
    }
    exits(pid, 0);
    done(id);
}

TEST(info_and_stat_by_index)
{
    struct msginfo info;
    struct msqid_ds ds;
    int id = queue();
    works(put(id, 1, "abcd", 0));
    check(works(msgctl(0, IPC_INFO, (struct msqid_ds *)&info)) >= id % 32768, "highest index");
    check(info.msgmax > 0 && info.msgmnb > 0 && info.msgmni > 0, "limits");
    works(msgctl(0, MSG_INFO, (struct msqid_ds *)&info));
    check(info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 4, "queues, messages, bytes");
    same(msgctl(id % 32768, MSG_STAT, &ds), id);
    same(ds.msg_qnum, 1);
    done(id);
}

TEST(commands_that_are_none)
{
    int id = queue();
    struct msqid_ds ds;
    fails(msgctl(id, 99, &ds), EINVAL);
    fails(msgctl(id, -1, &ds), EINVAL);
    done(id);
}

TEST(proc_shows_the_queue)
{
    char line[256];
    int id = queue(), key, got, mode, found = 0;
    unsigned long bytes, count;
    works(put(id, 1, "12345", 0));
    FILE *f = fopen("/proc/sysvipc/msg", "r");
    check(f, "the file opens");
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "%d %d %o %lu %lu", &key, &got, &mode, &bytes, &count) == 5 && got == id)
            found = mode == 0600 && bytes == 5 && count == 1;
    same(found, 1);
    done(id);
}

TEST(limits_are_in_proc)
{
    static const char *names[] = {"msgmax", "msgmnb", "msgmni", "shmmax", "shmall", "shmmni"};
    for (int i = 0; i < 6; i++) {
        char name[64];
        unsigned long v = 0;
        snprintf(name, sizeof(name), "/proc/sys/kernel/%s", names[i]);
        FILE *f = fopen(name, "r");
        check(f, "%s opens", name);
        same(fscanf(f, "%lu", &v), 1);
        check(v > 0, "%s has a value", name);
        fclose(f);
    }
}

int main(void)
{
    return tap_run("msg");
}
