/*
 * Which frames are wanted.
 *
 *     expression = term { "or" term }             term = factor { ["and"] factor }
 *     factor = "not" factor | "(" expression ")" | test
 *     test = "arp" | "ip" | "icmp" | "igmp" | "tcp" | "udp" | "broadcast" | "less" BYTES | "greater" BYTES
 *          | [ "src" | "dst" ] ( "host" HOST | "net" ADDRESS/BITS | "port" PORT | HOST )
 *
 * The words become a tree, in an array: one node each, at most.
 */
#include "tcpdump.h"

#define NODES_MAX 256

enum kind { AND, OR, NOT, TYPE, PROTOCOL, ADDRESS, PORT, LESS, GREATER, BROADCAST };
enum side { EITHER, SOURCE, DESTINATION };

static struct node {
    enum kind kind;
    enum side side;      /* ADDRESS, PORT */
    unsigned long value; /* TYPE, PROTOCOL, PORT, LESS, GREATER; ADDRESS: network order, masked */
    uint32_t mask;       /* ADDRESS: network order */
    int left, right;     /* AND, OR; NOT: left */
} nodes[NODES_MAX];
static int count, root = -1, depth;
static char **word; /* the next one */

static const struct {
    const char *name;
    enum kind kind;
    unsigned value;
} names[] = {
    {"arp", TYPE, ETH_P_ARP},         {"ip", TYPE, ETH_P_IP},
    {"icmp", PROTOCOL, IPPROTO_ICMP}, {"igmp", PROTOCOL, IPPROTO_IGMP},
    {"tcp", PROTOCOL, IPPROTO_TCP},   {"udp", PROTOCOL, IPPROTO_UDP},
    {"broadcast", BROADCAST, 0},
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static int expression(void);

static int add(struct node n)
{
    if (count == NODES_MAX)
        errx(1, "the filter is too long");
    nodes[count] = n;
    return count++;
}

static bool take(const char *text)
{
    bool is = *word && strcmp(*word, text) == 0;
    word += is;
    return is;
}

static const char *need_word(const char *what)
{
    if (!*word)
        errx(1, "the filter ends where %s should be", what);
    return *word++;
}

static int host_test(enum side side, const char *host)
{
    return add((struct node){ADDRESS, side, need_host(host).s_addr, INADDR_NONE, 0, 0});
}

static int net_test(enum side side)
{
    char text[64];
    struct in_addr a;
    const char *net = need_word("a network");
    const char *slash = strchr(net, '/');

    snprintf(text, sizeof(text), "%.*s", slash ? (int)(slash - net) : (int)strlen(net), net);
    if (!slash || inet_pton(AF_INET, text, &a) != 1)
        errx(1, "%s: not a network", net);
    long bits = need_number(slash + 1, 0, 32, "length of a prefix");
    uint32_t mask = bits ? htonl(~0u << (32 - bits)) : 0;
    return add((struct node){ADDRESS, side, a.s_addr & mask, mask, 0, 0});
}

static int port_test(enum side side)
{
    const char *port = need_word("a port");
    struct servent *s = getservbyname(port, NULL);
    unsigned long n =
        s ? ntohs((uint16_t)s->s_port) : (unsigned long)need_number(port, 0, 65535, "port");
    return add((struct node){PORT, side, n, 0, 0, 0});
}

static int test(void)
{
    enum side side = EITHER;

    for (size_t i = 0; i < NAMES; i++)
        if (take(names[i].name))
            return add((struct node){names[i].kind, EITHER, names[i].value, 0, 0, 0});
    if (take("less"))
        return add((struct node){
            LESS, EITHER, (unsigned long)need_number(need_word("a length"), 0, FRAME_MAX, "length"),
            0, 0, 0});
    if (take("greater"))
        return add((struct node){
            GREATER, EITHER,
            (unsigned long)need_number(need_word("a length"), 0, FRAME_MAX, "length"), 0, 0, 0});
    if (take("src"))
        side = SOURCE;
    else if (take("dst"))
        side = DESTINATION;
    if (take("net"))
        return net_test(side);
    if (take("port"))
        return port_test(side);
    take("host");
    return host_test(side, need_word("a host"));
}

static int factor(void)
{
    int inner;

    if (++depth > NODES_MAX)
        errx(1, "the filter is too deep");
    if (take("not") || take("!")) {
        inner = factor();
        inner = add((struct node){.kind = NOT, .left = inner});
    } else if (take("(")) {
        inner = expression();
        if (!take(")"))
            errx(1, "the filter lacks a )");
    } else {
        inner = test();
    }
    depth--;
    return inner;
}

static int term(void)
{
    int left = factor();

    while (*word && strcmp(*word, "or") != 0 && strcmp(*word, ")") != 0) {
        take("and");
        int right = factor();
        left = add((struct node){.kind = AND, .left = left, .right = right});
    }
    return left;
}

static int expression(void)
{
    int left = term();

    while (take("or")) {
        int right = term();
        left = add((struct node){.kind = OR, .left = left, .right = right});
    }
    return left;
}

/* Words may come as one, in quotes, and parentheses stand by themselves. */
static char **split(char **words)
{
    size_t length = 0, n = 0;

    for (char **w = words; *w; w++)
        length += strlen(*w) * 3 + 1;
    char *text = need_memory(calloc(length + 1, 1)), *p = text;
    char **result = need_memory(calloc(length + 1, sizeof(*result)));
    for (char **w = words; *w; w++) {
        for (const char *c = *w; *c; c++) {
            bool alone = *c == '(' || *c == ')';
            if (alone)
                *p++ = ' ';
            *p++ = *c;
            if (alone)
                *p++ = ' ';
        }
        *p++ = ' ';
    }
    for (char *w; (w = strtok_r(text, " \t\n", &text));)
        result[n++] = w;
    return result;
}

void filter_compile(char **words)
{
    word = split(words);
    if (!*word)
        return;
    root = expression();
    if (*word)
        errx(1, "%s: not in the filter's language", *word);
}

static bool sides(const struct node *n, bool source, bool destination)
{
    return (n->side != DESTINATION && source) || (n->side != SOURCE && destination);
}

static bool holds(int at, const struct frame *f)
{
    const struct node *n = &nodes[at];
    struct in_addr source = f->source, destination = f->destination;

    switch (n->kind) {
    case AND: return holds(n->left, f) && holds(n->right, f);
    case OR: return holds(n->left, f) || holds(n->right, f);
    case NOT: return !holds(n->left, f);
    case TYPE: return f->type == n->value;
    case PROTOCOL: return f->ip && f->protocol == n->value;
    case LESS: return f->length <= n->value;
    case GREATER: return f->length >= n->value;
    case PORT:
        return f->has_ports &&
               sides(n, f->source_port == n->value, f->destination_port == n->value);
    case BROADCAST: return f->ether && memcmp(f->ether, "\xff\xff\xff\xff\xff\xff", 6) == 0;
    case ADDRESS: break;
    }
    if (f->arp) {
        memcpy(&source, f->arp + 14, 4);
        memcpy(&destination, f->arp + 24, 4);
    }
    return (f->ip || f->arp) && sides(n, (source.s_addr & n->mask) == n->value,
                                      (destination.s_addr & n->mask) == n->value);
}

bool filter_wants(const struct frame *f)
{
    return root < 0 || holds(root, f);
}
