/*
 * Remote procedure calls: a bank, a port mapper that knows where it is, and what a lost answer does to an account.
 *
 *      rpc portmap [PORT]                               the port mapper, at port 111
 *      rpc bank MAPPER [PORT]                           the banks, at PORT and the next; MAPPER: the mapper's port
 *      rpc ask ADDRESS MAPPER VERSION WHAT NAME [N]     balance, deposit or withdraw
 *
 * Without words the demo plays them all. See rpc.txt; marshalling, client and server stand in rpc.h.
 */
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>

#include "rpc.h"

/* --- the port mapper: RFC 1833, section 3 --- */

#define MAPPER 100000
#define MAPPER_VERSION 2
#define MAPPER_PORT 111
#define MAPS_MAX 64

enum { MAPPER_NULL, MAPPER_SET, MAPPER_UNSET, MAPPER_GETPORT, MAPPER_DUMP };

struct map {
    uint32_t program, version, protocol, port;
};

static struct map maps[MAPS_MAX];
static size_t num_maps;

static struct map get_map(struct xdr *x)
{
    struct map m;

    m.program = xdr_get(x);
    m.version = xdr_get(x);
    m.protocol = xdr_get(x);
    m.port = xdr_get(x);
    return m;
}

static void put_map(struct xdr *x, const struct map *m)
{
    xdr_put(x, m->program);
    xdr_put(x, m->version);
    xdr_put(x, m->protocol);
    xdr_put(x, m->port);
}

static struct map *find_map(const struct map *like)
{
    for (size_t i = 0; i < num_maps; i++)
        if (maps[i].program == like->program && maps[i].version == like->version &&
            maps[i].protocol == like->protocol)
            return &maps[i];
    return NULL;
}

static bool add_map(const struct map *m)
{
    if (find_map(m) != NULL || num_maps == MAPS_MAX || m->port == 0 || m->port > 65535)
        return false;
    maps[num_maps++] = *m;
    return true;
}

/* Every protocol of this program and version. */
static bool remove_maps(const struct map *like)
{
    size_t kept = 0;
    bool found;

    for (size_t i = 0; i < num_maps; i++)
        if (maps[i].program != like->program || maps[i].version != like->version)
            maps[kept++] = maps[i];
    found = kept < num_maps;
    num_maps = kept;
    return found;
}

/* Only programs of this machine may say where they are. */
static bool is_here(const struct sockaddr_in *from)
{
    return ntohl(from->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static enum rpc_status mapper(uint32_t procedure, struct xdr *args, struct xdr *results,
                              const struct sockaddr_in *from)
{
    struct map m, *found;

    if (procedure == MAPPER_NULL)
        return RPC_SUCCESS;
    if (procedure == MAPPER_DUMP) { /* a list: 1 before each entry, 0 behind the last */
        for (size_t i = 0; i < num_maps; i++) {
            xdr_put(results, 1);
            put_map(results, &maps[i]);
        }
        xdr_put(results, 0);
        return RPC_SUCCESS;
    }
    if (procedure > MAPPER_DUMP)
        return RPC_PROC_UNAVAIL;
    m = get_map(args);
    if (args->bad)
        return RPC_GARBAGE_ARGS;
    if (procedure == MAPPER_GETPORT) {
        found = find_map(&m);
        xdr_put(results, found != NULL ? found->port : 0);
    } else if (procedure == MAPPER_SET) {
        xdr_put(results, is_here(from) && add_map(&m));
    } else {
        xdr_put(results, is_here(from) && remove_maps(&m));
    }
    return RPC_SUCCESS;
}

/* Ask the mapper at ADDRESS: SET or GETPORT of a version of a program by UDP. 0: no. */
static uint32_t ask_mapper(struct sockaddr_in address, uint32_t procedure, struct map m)
{
    struct rpc_client c = rpc_client_of(address);
    struct xdr args, results;

    m.protocol = IPPROTO_UDP;
    xdr_start(&args);
    put_map(&args, &m);
    enum rpc_status status = rpc_call(&c, MAPPER, MAPPER_VERSION, procedure, &args, &results);
    need(close(c.fd));
    if (status != RPC_SUCCESS)
        return 0;
    uint32_t answer = xdr_get(&results);
    return results.bad ? 0 : answer;
}

/* --- the bank --- */

#define BANK 0x20000b4e  /* of the numbers that anybody may use at home */
#define BANK_FORGETFUL 1 /* versions: does what each call says, however often it comes; */
#define BANK_REMEMBERS 2 /* at most once */
#define ACCOUNTS_MAX 100
#define NAME_SIZE 32

enum { BANK_NULL, BANK_BALANCE, BANK_DEPOSIT, BANK_WITHDRAW };

/* What a procedure says first; the balance follows. */
enum { BANK_DONE, BANK_REFUSED };

static struct account {
    char name[NAME_SIZE];
    int64_t balance;
} accounts[ACCOUNTS_MAX];

/* NAME's account, a new one if there is none. NULL: the book is full. */
static struct account *account_of(const char *name)
{
    for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
        if (accounts[i].name[0] == '\0')
            strcpy(accounts[i].name, name);
        if (strcmp(accounts[i].name, name) == 0)
            return &accounts[i];
    }
    return NULL;
}

static enum rpc_status bank(uint32_t procedure, struct xdr *args, struct xdr *results,
                            const struct sockaddr_in *from)
{
    char name[NAME_SIZE];
    int64_t amount = 0, after;

    (void)from;
    if (procedure == BANK_NULL)
        return RPC_SUCCESS;
    if (procedure > BANK_WITHDRAW)
        return RPC_PROC_UNAVAIL;
    xdr_get_string(args, name, sizeof name);
    if (procedure != BANK_BALANCE)
        amount = xdr_get_hyper(args);
    if (args->bad || name[0] == '\0' || amount < 0)
        return RPC_GARBAGE_ARGS;
    struct account *a = account_of(name);
    if (a == NULL)
        return RPC_SYSTEM_ERR;
    bool fails =
        __builtin_add_overflow(a->balance, procedure == BANK_WITHDRAW ? -amount : amount, &after) ||
        after < 0;
    if (!fails)
        a->balance = after;
    xdr_put(results, fails ? BANK_REFUSED : BANK_DONE);
    xdr_put_hyper(results, a->balance);
    return RPC_SUCCESS;
}

static void pack(struct xdr *args, uint32_t procedure, const char *name, int64_t amount)
{
    xdr_start(args);
    xdr_put_string(args, name);
    if (procedure != BANK_BALANCE)
        xdr_put_hyper(args, amount);
}

/* The stub: what a program calls as if the bank were a function of its own. -1: refused, or not to be reached. */
static int64_t ask_bank(struct rpc_client *c, uint32_t version, uint32_t procedure,
                        const char *name, int64_t amount)
{
    struct xdr args, results;

    pack(&args, procedure, name, amount);
    if (rpc_call(c, BANK, version, procedure, &args, &results) != RPC_SUCCESS)
        return -1;
    uint32_t refused = xdr_get(&results);
    int64_t balance = xdr_get_hyper(&results);
    return refused || results.bad ? -1 : balance;
}

/* Serve in a process of its own. */
static pid_t start(int fd, struct rpc_program program, bool remembers)
{
    static struct rpc_server server;
    pid_t child = fork_clean();

    if (child > 0) {
        need(close(fd));
        return child;
    }
    need(prctl(PR_SET_PDEATHSIG, SIGKILL)); /* nobody would end it otherwise */
    server = (struct rpc_server){.fd = fd, .program = program, .remembers = remembers};
    rpc_serve(&server);
    _exit(1);
}

static const struct rpc_program mapper_program = {MAPPER, MAPPER_VERSION, mapper};

/* A bank of VERSION at PORT (0: any) of HOST, which the mapper is told of. */
static pid_t start_bank(uint32_t version, in_addr_t host, unsigned port, unsigned mapper_port)
{
    int fd = rpc_bound(host, port);
    struct map m = {BANK, version, 0, rpc_port(fd)};

    if (!ask_mapper(rpc_address(INADDR_LOOPBACK, mapper_port), MAPPER_SET, m)) {
        fprintf(stderr, "rpc: the port mapper doesn't take version %u\n", version);
        exit(1);
    }
    return start(fd, (struct rpc_program){BANK, version, bank}, version == BANK_REMEMBERS);
}

static struct rpc_client find_bank(struct sockaddr_in mapper_address, uint32_t version)
{
    struct sockaddr_in a = mapper_address;
    uint32_t port = ask_mapper(mapper_address, MAPPER_GETPORT, (struct map){BANK, version, 0, 0});

    if (port == 0) {
        fprintf(stderr, "rpc: nobody knows version %u of the bank\n", version);
        exit(1);
    }
    a.sin_port = htons((uint16_t)port);
    return rpc_client_of(a);
}

/* --- the play --- */

static void show_marshalling(void)
{
    struct xdr args;

    pack(&args, BANK_DEPOSIT, "Benno", 100);
    printf("deposit(\"Benno\", 100) travels as");
    for (size_t i = 0; i < args.at; i++)
        printf("%s%02x", i % 4 == 0 ? "  " : " ", args.data[i]);
    printf("\n");
    claim(args.at == 20);
}

static void show_deposits(struct sockaddr_in mapper_address, uint32_t version, int64_t expected)
{
    struct rpc_client c = find_bank(mapper_address, version);
    int64_t balance = 0;

    for (int i = 0; i < 3; i++) {
        c.losses = i; /* so many answers to this call are lost */
        balance = ask_bank(&c, version, BANK_DEPOSIT, "Anna", 100);
        printf("    deposit 100, %d answers lost: the bank says %lld\n", i, (long long)balance);
    }
    claim(balance == expected);
    c.losses = 2;
    balance = ask_bank(&c, version, BANK_BALANCE, "Anna", 0);
    printf("    balance, 2 answers lost: %lld, after %u calls for 4 questions\n",
           (long long)balance, c.calls);
    claim(balance == expected && c.calls == 9);
    need(close(c.fd));
}

static void show_refusals(struct sockaddr_in mapper_address)
{
    static const char *const names[] = {"SUCCESS",      "PROG_UNAVAIL", "PROG_MISMATCH",
                                        "PROC_UNAVAIL", "GARBAGE_ARGS", "SYSTEM_ERR",
                                        "no answer"};
    struct rpc_client c = find_bank(mapper_address, BANK_REMEMBERS);
    struct xdr nothing, results;
    enum rpc_status status[4];

    xdr_start(&nothing);
    status[0] = rpc_call(&c, BANK + 1, BANK_REMEMBERS, BANK_BALANCE, &nothing, &results);
    status[1] = rpc_call(&c, BANK, 3, BANK_BALANCE, &nothing, &results);
    status[2] = rpc_call(&c, BANK, BANK_REMEMBERS, 99, &nothing, &results);
    status[3] = rpc_call(&c, BANK, BANK_REMEMBERS, BANK_BALANCE, &nothing, &results);
    printf("another program: %s, version 3: %s\n", names[status[0]], names[status[1]]);
    printf("procedure 99: %s, no arguments: %s\n", names[status[2]], names[status[3]]);
    claim(status[0] == RPC_PROG_UNAVAIL && status[1] == RPC_PROG_MISMATCH &&
          status[2] == RPC_PROC_UNAVAIL && status[3] == RPC_GARBAGE_ARGS);
    need(close(c.fd));
}

static int play(void)
{
    int fd = rpc_bound(INADDR_LOOPBACK, 0);
    unsigned port = rpc_port(fd);
    struct sockaddr_in where = rpc_address(INADDR_LOOPBACK, port);
    pid_t child[3];

    alarm(30);
    show_marshalling();
    child[0] = start(fd, mapper_program, false);
    child[1] = start_bank(BANK_FORGETFUL, INADDR_LOOPBACK, 0, port);
    child[2] = start_bank(BANK_REMEMBERS, INADDR_LOOPBACK, 0, port);
    printf("at least once: the bank does what each call says\n");
    show_deposits(where, BANK_FORGETFUL, 600);
    printf("at most once: it remembers what it has answered\n");
    show_deposits(where, BANK_REMEMBERS, 300);
    show_refusals(where);
    for (int i = 0; i < 3; i++) {
        need(kill(child[i], SIGTERM));
        wait_for(child[i]);
    }
    return shown();
}

/* --- in earnest --- */

static int serve_banks(unsigned mapper_port, unsigned port)
{
    start_bank(BANK_FORGETFUL, INADDR_ANY, port, mapper_port);
    pid_t last = start_bank(BANK_REMEMBERS, INADDR_ANY, port ? port + 1 : 0, mapper_port);

    printf("open\n");
    fflush(stdout);
    return end_of(last);
}

static int ask(char **word, int words)
{
    static const char *const names[] = {"", "balance", "deposit", "withdraw"};
    long port = number_in(word[1], 65535), version = number_in(word[2], UINT32_MAX),
         amount = words > 5 ? number_in(word[5], LONG_MAX) : 0;
    struct sockaddr_in where = rpc_address(0, (unsigned)port);
    uint32_t procedure = BANK_WITHDRAW;

    while (procedure > 0 && strcmp(word[3], names[procedure]) != 0)
        procedure--;
    if (procedure == 0 || port <= 0 || version < 0 || amount < 0 ||
        inet_pton(AF_INET, word[0], &where.sin_addr) != 1 ||
        words != (procedure == BANK_BALANCE ? 5 : 6))
        return 2;
    struct rpc_client c = find_bank(where, (uint32_t)version);
    int64_t balance = ask_bank(&c, (uint32_t)version, procedure, word[4], amount);
    if (balance < 0)
        fprintf(stderr, "rpc: the bank refuses, or it isn't there\n");
    else
        printf("%lld\n", (long long)balance);
    claim(balance >= 0);
    return shown();
}

int main(int argc, char **argv)
{
    int status = 2;

    if (argc == 1)
        return play();
    long first = argc > 2 ? number_in(argv[2], 65535) : MAPPER_PORT,
         second = argc > 3 ? number_in(argv[3], 65534) : 0;
    if (argc <= 3 && strcmp(argv[1], "portmap") == 0 && first >= 0) {
        static struct rpc_server server; /* of zeros: its cache is large, and would be in the file */
        server.program = mapper_program;
        server.fd = rpc_bound(INADDR_ANY, (unsigned)first);
        add_map(&(struct map){MAPPER, MAPPER_VERSION, IPPROTO_UDP, rpc_port(server.fd)});
        rpc_serve(&server);
    } else if ((argc == 3 || argc == 4) && strcmp(argv[1], "bank") == 0 && first > 0 && second >= 0) {
        return serve_banks((unsigned)first, (unsigned)second);
    } else if ((argc == 7 || argc == 8) && strcmp(argv[1], "ask") == 0) {
        status = ask(argv + 2, argc - 2);
    }
    if (status == 2)
        fprintf(stderr,
                "usage: rpc [portmap [PORT] | bank MAPPER [PORT] |\n"
                "            ask ADDRESS MAPPER VERSION balance|deposit|withdraw NAME [N]]\n");
    return status;
}
