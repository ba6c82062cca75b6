/*
 * futexfuzz [SEED [ROUNDS]]: futexes by those who don't keep to any rule.
 *
 * A round is a handful of processes, some with a second thread, that share a few words: they lock, wait,
 * wake, move waiters, forge owners, forge robust lists, change their priorities, and die in the middle.
 * Each must end, by itself or by SIGKILL, and in the end, when nobody is left, a lock must still be to
 * be had. A quarter of the rounds nobody forges anything; then each count made under a lock must be right.
 */
#include "fuzz.h"

#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>

#include <abi/futex.h>

#define WORDS 4
#define PLAYERS 5
#define STEPS 120
#define DEFAULT_ROUNDS 60

struct shared {
    uint32_t word[WORDS], cond[WORDS];
    struct robust_list node[WORDS];
    uint64_t count[WORDS], expected[WORDS];
};

static struct shared *s;
static struct robust_list_head head;
static bool honest;

#define futex(...) syscall(SYS_futex, __VA_ARGS__)

static struct timespec soon(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += (long)below(3000000);
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

/* Take the lock as one should, count, and give it back. */
static void count_under(unsigned i)
{
    struct timespec t = soon(CLOCK_REALTIME);
    uint32_t me = (uint32_t)syscall(SYS_gettid), none = 0;
    bool fast = below(2) && __atomic_compare_exchange_n(&s->word[i], &none, me, false,
                                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (!fast && futex(&s->word[i], FUTEX_LOCK_PI, 0, below(2) ? &t : NULL) < 0)
        return;
    uint64_t count = s->count[i];
    if (below(4) == 0)
        sched_yield();
    s->count[i] = count + 1;
    __atomic_add_fetch(&s->expected[i], 1, __ATOMIC_SEQ_CST);
    if (!__atomic_compare_exchange_n(&s->word[i], &me, 0, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        futex(&s->word[i], FUTEX_UNLOCK_PI);
}

static void forge_list(void)
{
    struct robust_list *ends[] = {&head.list, &s->node[below(WORDS)], NULL, (void *)8,
                                  (void *)((uintptr_t)&s->node[below(WORDS)] | 1)};
    head.futex_offset = below(3) ? (char *)s->word - (char *)s->node : (long)draw();
    head.list.next = ONE_OF(ends);
    head.list_op_pending = ONE_OF(ends);
    s->node[below(WORDS)].next = ONE_OF(ends);
    syscall(SYS_set_robust_list, &head, sizeof(head));
}

static void forge_word(unsigned i)
{
    uint32_t values[] = {0,
                         (uint32_t)getpid(),
                         (uint32_t)getppid(),
                         FUTEX_OWNER_DIED,
                         FUTEX_WAITERS,
                         (uint32_t)draw(),
                         (uint32_t)getpid() | FUTEX_WAITERS,
                         1};
    __atomic_store_n(&s->word[i], ONE_OF(values), __ATOMIC_SEQ_CST);
}

static void misbehave(unsigned i, unsigned j)
{
    struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC), some = {0, 500000};

    switch (below(14)) {
    case 0: futex(&s->word[i], FUTEX_LOCK_PI, 0, &real); break;
    case 1: futex(&s->word[i], FUTEX_LOCK_PI2, 0, &mono); break;
    case 2: futex(&s->word[i], FUTEX_UNLOCK_PI); break;
    case 3: futex(&s->word[i], FUTEX_TRYLOCK_PI); break;
    case 4: futex(&s->cond[i], FUTEX_WAIT_REQUEUE_PI, s->cond[i], &mono, &s->word[j], 0); break;
    case 5: futex(&s->cond[i], FUTEX_CMP_REQUEUE_PI, 1, below(5), &s->word[j], s->cond[i]); break;
    case 6: futex(&s->word[i], FUTEX_WAIT, s->word[i], &some); break;
    case 7: futex(&s->word[i], FUTEX_WAKE, (int)below(4)); break;
    case 8: futex(&s->word[i], FUTEX_REQUEUE, (int)below(2), below(4), &s->word[j]); break;
    case 9: futex(&s->cond[i], FUTEX_CMP_REQUEUE, 0, below(4), &s->word[j], s->cond[i]); break;
    case 10: futex(&s->cond[i], FUTEX_WAKE_OP, 1, 1, &s->cond[j], (uint32_t)draw()); break;
    case 11: forge_word(i); break;
    case 12: forge_list(); break;
    default:
        sched_setscheduler(0, below(2) ? SCHED_OTHER : SCHED_RR,
                           &(struct sched_param){(int)below(3) * 10});
    }
}

static int play(void *seed)
{
    random_seed((uint64_t)(uintptr_t)seed);
    for (int i = 0; i < STEPS; i++) {
        unsigned a = (unsigned)below(WORDS), b = (unsigned)below(WORDS);
        if (honest)
            count_under(a);
        else
            misbehave(a, b);
    }
    return 0;
}

static _Noreturn void player(uint64_t seed)
{
    static char stack[16384] __attribute__((aligned(16)));

    setpgid(0, 0);
    random_seed(seed);
    limit(RLIMIT_CORE, 0);
    if (below(2))
        clone(play, stack + sizeof(stack),
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
              (void *)(uintptr_t)(seed + 1));
    play((void *)(uintptr_t)seed);
    _exit(0);
}

/* Nobody is left, so whatever the words say, each can be taken anew. */
static bool locks_are_free(void)
{
    for (int i = 0; i < WORDS; i++) {
        s->word[i] = 0;
        if (futex(&s->word[i], FUTEX_LOCK_PI, 0, NULL) < 0 ||
            futex(&s->word[i], FUTEX_UNLOCK_PI) < 0 || s->word[i] != 0)
            return false;
    }
    return true;
}

static bool round_of(uint64_t seed)
{
    pid_t pid[PLAYERS];

    random_seed(seed);
    memset(s, 0, sizeof(*s));
    honest = below(4) == 0;
    for (int i = 0; i < PLAYERS; i++) {
        if ((pid[i] = fork()) < 0)
            die("fork");
        if (pid[i] == 0)
            player(seed * PLAYERS + (uint64_t)i);
    }
    if (!honest && below(2))
        kill(pid[below(PLAYERS)], SIGKILL);
    for (int i = 0; i < PLAYERS; i++) {
        int status;
        if (!honest)
            put_an_end_to(pid[i]);
        else if (!ends_within(pid[i], &status, KILL_PATIENCE_MS))
            return false; /* killed, it would leave a count half made */
    }
    for (int i = 0; honest && i < WORDS; i++)
        if (s->count[i] != s->expected[i])
            return false;
    return locks_are_free();
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : DEFAULT_ROUNDS;

    s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        die("mmap");
    for (long i = 0; i < rounds; i++)
        if (!round_of(seed + (uint64_t)i)) {
            printf("round %ld of seed %lu: a lock is lost, or a count (%s)\n", i, seed,
                   honest ? "by the rules" : "against them");
            return 1;
        }
    printf("%ld rounds\n", rounds);
    return 0;
}
