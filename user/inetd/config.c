/*
 * The configuration: a line a service, six words and the server's arguments (its own name first):
 *
 *      service  stream|dgram  tcp|udp  wait|nowait[.starts a minute]  user  internal|program [arguments]
 *
 * A service is a name of /etc/services or the number of a port. What begins with # is a remark.
 */
#include "inetd.h"

#include <netdb.h>
#include <pwd.h>

#define STARTS_A_MINUTE 1000

static bool complain(const char *path, int number, const char *what)
{
    warnx("%s:%d: %s", path, number, what);
    return false;
}

/* A port as a number: 0: it is none. */
static in_port_t port_of_number(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && *end == '\0' && port <= 65535 ? htons((uint16_t)port)
                                                                         : 0;
}

static bool find_port(struct service *s, const char *protocol)
{
    s->port = port_of_number(s->name);
    if (s->port == 0) {
        const struct servent *entry = getservbyname(s->name, protocol);
        s->port = entry ? (in_port_t)entry->s_port : 0;
    }
    return s->port != 0;
}

static bool find_user(struct service *s)
{
    const struct passwd *user = getpwnam(s->user);

    if (!user)
        return false;
    s->uid = user->pw_uid;
    s->gid = user->pw_gid;
    return true;
}

/* wait, nowait, nowait.N */
static bool find_manner(struct service *s, const char *word)
{
    long long most = STARTS_A_MINUTE;

    s->waits = strncmp(word, "wait", 4) == 0;
    word += s->waits ? 4 : strncmp(word, "nowait", 6) == 0 ? 6 : 0;
    if (*word == '.' && (!parse_count(word + 1, &most) || most < 1 || most > INT_MAX))
        return false;
    s->starts_max = (int)most;
    return *word == '\0' || *word == '.';
}

/* The words of S->line, which has some. */
static bool understand(struct service *s, const char *path, int number)
{
    char *word[6], *rest = NULL;

    for (int i = 0; i < 6; i++) {
        word[i] = strtok_r(i == 0 ? s->line : NULL, " \t\n", &rest);
        if (!word[i])
            return complain(path, number, "a line has six words at least");
    }
    s->name = word[0];
    s->datagrams = strcmp(word[1], "dgram") == 0;
    s->user = word[4];
    if (strcmp(word[1], s->datagrams ? "dgram" : "stream") != 0 ||
        strcmp(word[2], s->datagrams ? "udp" : "tcp") != 0)
        return complain(path, number, "only stream tcp and dgram udp are known");
    if (!find_port(s, word[2]))
        return complain(path, number, "no such service");
    if (!find_manner(s, word[3]))
        return complain(path, number, "neither wait nor nowait");
    if (!find_user(s))
        return complain(path, number, "no such user");
    if (strcmp(word[5], "internal") == 0) {
        s->internal = internal_find(s->name);
        if (!s->internal && (word[0] = strtok_r(NULL, " \t\n", &rest)))
            s->internal = internal_find(word[0]); /* "7007 ... internal echo" */
        return (s->internal && (s->datagrams || !s->waits)) ||
               complain(path, number, "no such internal service");
    }
    s->program = word[5];
    int n = 0;
    while (n < WORDS_MAX - 1 && (s->words[n] = strtok_r(NULL, " \t\n", &rest)))
        n++;
    if (n == 0)
        s->words[n++] = s->program;
    s->words[n] = NULL;
    return true;
}

void config_free(struct service *list)
{
    while (list) {
        struct service *next = list->next;
        free(list->line);
        free(list);
        list = next;
    }
}

struct service *config_read(const char *path)
{
    struct service *list = NULL, **last = &list;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        warn("%s", path);
        return NULL;
    }
    for (int number = 1; getline(&line, &size, file) >= 0; number++) {
        line[strcspn(line, "#")] = '\0';
        if (line[strspn(line, " \t\n")] == '\0')
            continue;
        struct service *s = need_memory(calloc(1, sizeof(*s)));
        s->line = need_memory(strdup(line));
        s->fd = -1;
        if (understand(s, path, number)) {
            *last = s;
            last = &s->next;
        } else {
            config_free(s);
        }
    }
    free(line);
    fclose(file);
    return list;
}
