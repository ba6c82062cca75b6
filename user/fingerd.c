/*
 * fingerd: answer one question about who is here, as RFC 1288 has it. inetd starts it, with the connection as standard
 * input and output.
 *
 *     an empty line  who is at a terminal     NAME  about this user     /W  in front: more of it
 *
 * Whoever is on another machine must be asked for there (RFC 1288, section 3.2.1: to refuse is allowed).
 * A user is at a terminal when the leader of a session there is theirs: /proc knows.
 */
#include "command.h"

#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <time.h>

#define QUESTION_MAX 256
#define PATIENCE 30 /* seconds for the question */

/* A line ends with CR LF, and nothing in it may be an order to the terminal that shows it (section 3.3). */
static void say(const char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            fputs("\r\n", stdout);
        else
            putchar(isprint((unsigned char)*text) || *text == '\t' ? *text : '.');
}

/*
 * The question's line; what doesn't fit is left out, but read: to hang up on what was sent would be a reset, and that
 * could overtake our answer.
 */
static bool ask_question(char *question)
{
    char piece[512];
    size_t n = 0;
    ssize_t got;

    do {
        got = read_some(STDIN_FILENO, piece, sizeof(piece));
        for (ssize_t i = 0; i < got && n < QUESTION_MAX - 1; i++)
            question[n++] = piece[i];
    } while (got > 0 && !memchr(piece, '\n', (size_t)got));
    question[n] = '\0';
    question[strcspn(question, "\r\n")] = '\0';
    return got >= 0;
}

/* --- who is here --- */

struct session {
    uid_t uid;
    char terminal[16], name[32];
};

/* The session that process PID leads at a terminal. False: none. */
static bool find_session(const char *pid, struct session *s)
{
    char path[64], text[512];
    long group, session, terminal;
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read_some(fd, text, sizeof(text) - 1);
    bool is_ours = n > 0 && fstat(fd, &st) == 0;
    close(fd);
    if (!is_ours)
        return false;
    text[n] = '\0';
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (!name || !end ||
        sscanf(end + 1, " %*c %*d %ld %ld %ld", &group, &session, &terminal) != 3 ||
        terminal == 0 || session != strtol(pid, NULL, 10))
        return false;
    *end = '\0';
    unsigned kind = major((dev_t)terminal), number = minor((dev_t)terminal);
    snprintf(s->terminal, sizeof(s->terminal),
             kind == 4 && number >= 64 ? "ttyS%u"
             : kind >= 136             ? "pts/%u"
                                       : "tty%u",
             kind == 4 && number >= 64 ? number - 64 : number);
    snprintf(s->name, sizeof(s->name), "%s", name + 1);
    s->uid = st.st_uid;
    return true;
}

/* Every session of UID, or of everybody, to TELL; how many. */
static int each_session(const uid_t *uid, void (*tell)(const struct session *))
{
    DIR *dir = opendir("/proc");
    struct dirent *d;
    struct session s;
    int count = 0;

    if (!dir)
        return 0;
    while ((d = readdir(dir)))
        if (isdigit((unsigned char)d->d_name[0]) && find_session(d->d_name, &s) &&
            (!uid || *uid == s.uid)) {
            tell(&s);
            count++;
        }
    closedir(dir);
    return count;
}

static void tell_line(const struct session *s)
{
    const struct passwd *user = getpwuid(s->uid);
    char line[256];

    snprintf(line, sizeof(line), "%-12s %-24s %-8s %s\n", user ? user->pw_name : "?",
             user ? user->pw_gecos : "", s->terminal, s->name);
    say(line);
}

static void tell_terminal(const struct session *s)
{
    char line[80];

    snprintf(line, sizeof(line), "On %s, with %s\n", s->terminal, s->name);
    say(line);
}

static void tell_all(void)
{
    say("Login        Name                     Terminal Program\n");
    if (each_session(NULL, tell_line) == 0)
        say("Nobody is at a terminal.\n");
}

/* --- one user --- */

/* What they wrote for such questions. */
static void tell_file(const struct passwd *user, const char *name, const char *title)
{
    char path[512], line[256];

    snprintf(path, sizeof(path), "%s/%s", user->pw_dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    FILE *file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
    if (!file) {
        if (fd >= 0)
            close(fd);
        return;
    }
    say(title);
    while (fgets(line, sizeof(line), file))
        say(line);
    fclose(file);
}

static void tell_user(const char *name, bool more)
{
    const struct passwd *user = getpwnam(name);
    char line[512];

    if (!user) {
        say("No such user.\n");
        return;
    }
    snprintf(line, sizeof(line), "Login: %s\nName: %s\n", user->pw_name, user->pw_gecos);
    say(line);
    if (more) {
        snprintf(line, sizeof(line), "Directory: %s\nShell: %s\n", user->pw_dir, user->pw_shell);
        say(line);
    }
    uid_t uid = user->pw_uid;
    struct passwd copy = *user;
    char home[256];
    snprintf(home, sizeof(home), "%s", user->pw_dir); /* the next getpwuid writes over it */
    copy.pw_dir = home;
    if (each_session(&uid, tell_terminal) == 0)
        say("Not at a terminal.\n");
    tell_file(&copy, ".plan", "Plan:\n");
}

int main(int argc, char **argv)
{
    char question[QUESTION_MAX], *name = question;

    command_begin();
    if (getopt(argc, argv, "") != -1 || argc > 1)
        usage(1, "fingerd < question (inetd starts it)");
    alarm(PATIENCE);
    if (!ask_question(question))
        return 1;
    name += strspn(name, " ");
    bool more = strncasecmp(name, "/W", 2) == 0 && (name[2] == ' ' || name[2] == '\0');
    if (more)
        name += 2;
    name += strspn(name, " ");
    name[strcspn(name, " ")] = '\0';
    if (strchr(name, '@'))
        say("Finger forwarding is not done here.\n");
    else if (*name)
        tell_user(name, more);
    else
        tell_all();
    return command_end(0);
}
