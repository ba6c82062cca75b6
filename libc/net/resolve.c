/* From names to addresses and back; see resolve.h. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <resolv.h>
#include <string.h>
#include <strings.h>

#include "net/dns.h"
#include "net/table.h"

#define ANSWER_MAX 4096

__thread int h_errno;

/* Could NAME be a host's (RFC 1123, section 2.1)? Answers come from strangers and are printed on terminals. */
static bool is_host_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return n > 0 && name[n] == '\0' && name[0] != '-' && name[0] != '.';
}

static void add_address(struct host_found *found, struct in_addr address)
{
    if (found->count < HOST_ADDRESSES)
        found->addresses[found->count++] = address;
}

static void add_alias(struct host_found *found, const char *alias)
{
    if (!is_host_name(alias) || strlen(alias) >= sizeof found->aliases[0] ||
        strcasecmp(alias, found->name) == 0 || found->alias_count == HOST_ALIASES)
        return;
    for (int i = 0; i < found->alias_count; i++)
        if (strcasecmp(alias, found->aliases[i]) == 0)
            return;
    strcpy(found->aliases[found->alias_count++], alias);
}

/* The first line of /etc/hosts with an address names it; all have aliases. */
static void take_names(struct host_found *found, const struct table_line *line)
{
    if (found->name[0] == '\0')
        snprintf(found->name, sizeof found->name, "%s", line->words[1]);
    for (int i = 1; i < line->count; i++)
        add_alias(found, line->words[i]);
}

/* /etc/hosts: a line `address name aliases...`; all lines with NAME count. */
static bool find_in_hosts(const char *name, struct host_found *found)
{
    FILE *f = fopen("/etc/hosts", "re");
    struct table_line line;
    struct in_addr address;

    while (f != NULL && __table_next(f, &line))
        if (inet_pton(AF_INET, line.words[0], &address) == 1 && __table_has(&line, 1, name, true)) {
            take_names(found, &line);
            add_address(found, address);
        }
    if (f != NULL)
        fclose(f);
    return found->count > 0;
}

static bool take_address(void *ctx, const unsigned char *message, int length,
                         const struct dns_record *record)
{
    struct host_found *found = ctx;
    struct in_addr address;

    (void)message;
    (void)length;
    if (record->type == ns_t_cname)
        add_alias(found, record->owner);
    if (record->type != ns_t_a || record->length != (int)sizeof address)
        return true;
    memcpy(&address, record->data, sizeof address);
    add_address(found, address);
    return found->count < HOST_ADDRESSES;
}

/* The name that a question asks for, as it came back: the search may have made it longer than it was. */
static void question_name(const unsigned char *answer, int length, char *name)
{
    if (dn_expand(answer, answer + length, answer + NS_HFIXEDSZ, name, NS_MAXCDNAME) < 0)
        *name = '\0';
}

int __host_lookup(const char *name, struct host_found *found)
{
    unsigned char answer[ANSWER_MAX];
    int length;

    *found = (struct host_found){0};
    if (inet_aton(name, &found->addresses[0])) {
        snprintf(found->name, sizeof found->name, "%s", name);
        found->count = 1;
        return 0;
    }
    if (!is_host_name(name) || strlen(name) >= NS_MAXCDNAME)
        return HOST_NOT_FOUND;
    if (find_in_hosts(name, found))
        return 0;
    /* Never asked of the network (RFC 6761, section 6.3). */
    if (strcasecmp(name, "localhost") == 0) {
        strcpy(found->name, name);
        add_address(found, (struct in_addr){htonl(INADDR_LOOPBACK)});
        return 0;
    }
    length = res_search(name, ns_c_in, ns_t_a, answer, sizeof answer);
    if (length < 0)
        return h_errno;
    length = length < ANSWER_MAX ? length : ANSWER_MAX;
    question_name(answer, length, found->name);
    if (__dns_collect(answer, length, found->name, ns_t_a, take_address, found) < 0 ||
        !is_host_name(found->name))
        return NO_RECOVERY;
    return found->count > 0 ? 0 : NO_DATA;
}

static bool take_name(void *ctx, const unsigned char *message, int length,
                      const struct dns_record *record)
{
    char *name = ctx;
    if (record->type != ns_t_ptr)
        return true;
    if (dn_expand(message, message + length, record->data, name, NS_MAXCDNAME) < 0)
        *name = '\0';
    return false;
}

/* All lines of /etc/hosts with ADDRESS count. */
static bool find_name_in_hosts(struct in_addr address, struct host_found *found)
{
    FILE *f = fopen("/etc/hosts", "re");
    struct table_line line;
    struct in_addr other;

    while (f != NULL && __table_next(f, &line))
        if (inet_pton(AF_INET, line.words[0], &other) == 1 && other.s_addr == address.s_addr &&
            strlen(line.words[1]) < sizeof found->name)
            take_names(found, &line);
    if (f != NULL)
        fclose(f);
    return found->name[0] != '\0';
}

int __host_name(struct in_addr address, struct host_found *found)
{
    const unsigned char *a = (const unsigned char *)&address;
    unsigned char answer[ANSWER_MAX];
    char question[NS_MAXCDNAME + 1];
    int length;

    *found = (struct host_found){.addresses = {address}, .count = 1};
    if (find_name_in_hosts(address, found))
        return 0;
    snprintf(question, sizeof question, "%d.%d.%d.%d.in-addr.arpa", a[3], a[2], a[1], a[0]);
    length = res_query(question, ns_c_in, ns_t_ptr, answer, sizeof answer);
    if (length < 0)
        return h_errno;
    length = length < ANSWER_MAX ? length : ANSWER_MAX;
    switch (__dns_collect(answer, length, question, ns_t_ptr, take_name, found->name)) {
    case -1: return NO_RECOVERY;
    case 0: return NO_DATA;
    default: return is_host_name(found->name) ? 0 : NO_RECOVERY;
    }
}
