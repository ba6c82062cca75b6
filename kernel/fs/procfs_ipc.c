/* IPC in procfs: which System V objects there are (/proc/sysvipc), and limits in /proc/sys/kernel and fs. */
#include "fs/notify.h"
#include "fs/procfs_internal.h"
#include "ipc/mqueue.h"
#include "ipc/sysv.h"
#include "lib/cmdline.h"
#include "lib/string.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void emit_line(void *ctx, const char *line)
{
    seq_puts(ctx, line);
}

#define TABLE(name)                                                  \
    static int show_##name(struct seq *s, const struct subject *who) \
    {                                                                \
        (void)who;                                                   \
        name##_show(emit_line, s);                                   \
        return 0;                                                    \
    }
TABLE(msg)
TABLE(sem)
TABLE(shm)

static const struct proc_node sysvipc_nodes[] = {
    PROC_FILE("msg", 0444, show_msg),
    PROC_FILE("sem", 0444, show_sem),
    PROC_FILE("shm", 0444, show_shm),
};
const struct proc_dir proc_sysvipc_dir = {
    .id = 15, .nodes = sysvipc_nodes, .count = ARRAY_SIZE(sysvipc_nodes)};

/* ---- limits ---- */

/* Numbers of TEXT into LIMITS, none above MAX: 0 or -EINVAL. */
static int write_numbers(char *text, uint64_t *limits[], const uint64_t *max, unsigned n)
{
    uint64_t value[4];

    for (unsigned i = 0; i < n; i++) {
        while (is_blank(*text))
            text++;
        char *end = text;
        while (*end && !is_blank(*end))
            end++;
        bool more = *end;
        *end = '\0';
        if (parse_u64(text, 0, &value[i]) || value[i] > max[i])
            return -EINVAL;
        text = more ? end + 1 : end;
    }
    for (unsigned i = 0; i < n; i++)
        WRITE_ONCE(*limits[i], value[i]);
    return 0;
}

#define LIMIT_OF(scope, limits, name, max)                                              \
    scope int show_##name(struct seq *s, const struct subject *who)                     \
    {                                                                                   \
        (void)who;                                                                      \
        seq_printf(s, "%lu\n", READ_ONCE(limits.name));                                 \
        return 0;                                                                       \
    }                                                                                   \
    scope int write_##name(const struct subject *who, char *text, size_t n)             \
    {                                                                                   \
        (void)who, (void)n;                                                             \
        return write_numbers(text, (uint64_t *[]){&limits.name}, (uint64_t[]){max}, 1); \
    }
#define LIMIT(name, max) LIMIT_OF(, sysv_limits, name, max)
LIMIT(shmmax, UINT64_MAX)
LIMIT(shmall, UINT64_MAX)
LIMIT(shmmni, SYSV_INDICES)
LIMIT(msgmax, INT32_MAX)
LIMIT(msgmnb, INT32_MAX)
LIMIT(msgmni, SYSV_INDICES)

int show_sem_limits(struct seq *s, const struct subject *who)
{
    const struct sysv_limits *l = &sysv_limits;

    (void)who;
    seq_printf(s, "%lu\t%lu\t%lu\t%lu\n", l->semmsl, l->semmns, l->semopm, l->semmni);
    return 0;
}

int write_sem_limits(const struct subject *who, char *text, size_t n)
{
    struct sysv_limits *l = &sysv_limits;
    uint64_t *limits[] = {&l->semmsl, &l->semmns, &l->semopm, &l->semmni};
    static const uint64_t max[] = {65536, INT32_MAX, 65536, SYSV_INDICES};

    (void)who, (void)n;
    return write_numbers(text, limits, max, 4);
}

/* ---- POSIX message queues ---- */

#define MQ_LIMIT(name, max) LIMIT_OF(static, mqueue_limits, name, max)
MQ_LIMIT(queues_max, INT32_MAX)
MQ_LIMIT(msg_max, 65536)
MQ_LIMIT(msgsize_max, 16 << 20)
MQ_LIMIT(msg_default, 65536)
MQ_LIMIT(msgsize_default, 16 << 20)

#define LIMIT_FILE(name) PROC_WRITABLE(#name, 0644, show_##name, write_##name)
static const struct proc_node mqueue_nodes[] = {
    LIMIT_FILE(msg_default), LIMIT_FILE(msg_max),    LIMIT_FILE(msgsize_default),
    LIMIT_FILE(msgsize_max), LIMIT_FILE(queues_max),
};
const struct proc_dir proc_mqueue_dir = {
    .id = 16, .nodes = mqueue_nodes, .count = ARRAY_SIZE(mqueue_nodes)};

/* ---- inotify ---- */

#define INOTIFY_LIMIT(name) LIMIT_OF(static, inotify_limits, name, INT32_MAX)
INOTIFY_LIMIT(max_queued_events)
INOTIFY_LIMIT(max_user_instances)
INOTIFY_LIMIT(max_user_watches)

static const struct proc_node inotify_nodes[] = {
    LIMIT_FILE(max_queued_events), LIMIT_FILE(max_user_instances), LIMIT_FILE(max_user_watches)};
const struct proc_dir proc_inotify_dir = {
    .id = 17, .nodes = inotify_nodes, .count = ARRAY_SIZE(inotify_nodes)};
