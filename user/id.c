/*
 * id [-ugGnr] [USER]: who this process, or that user, is to the kernel.
 *
 *     -u  the user     -g  the group     -G  all groups     -n  by name     -r  the real one, not the effective
 */
#include "command.h"

#include <grp.h>
#include <pwd.h>

#define USAGE "id [-u | -g | -G] [-nr] [user]"
#define GROUPS_MAX 65537

static gid_t *groups;
static int group_count;

static const char *user_name(uid_t uid)
{
    const struct passwd *p = getpwuid(uid);
    return p ? p->pw_name : NULL;
}

static const char *group_name(gid_t gid)
{
    const struct group *g = getgrgid(gid);
    return g ? g->gr_name : NULL;
}

/* 0(root), with what stands BEFORE it. */
static void print_full(const char *before, unsigned id, const char *name)
{
    printf("%s%u", before, id);
    if (name)
        printf("(%s)", name);
}

static void add_group(gid_t gid)
{
    for (int i = 0; i < group_count; i++)
        if (groups[i] == gid)
            return;
    groups[group_count++] = gid;
}

/* The groups of this process: the effective one, which it may have beside, stands first. */
static void find_own_groups(gid_t real, gid_t effective)
{
    gid_t *more = need_memory(malloc(GROUPS_MAX * sizeof(*more)));
    int n = getgroups(GROUPS_MAX, more);
    if (n < 0)
        err(1, "getgroups");
    add_group(real);
    add_group(effective);
    for (int i = 0; i < n; i++)
        add_group(more[i]);
    free(more);
}

/* One id on a line of its own, by name if that was asked for and is known. Returns the status. */
static int print_one(unsigned id, const char *name, bool by_name, const char *end)
{
    bool nameless = by_name && !name;
    if (by_name && name)
        printf("%s%s", name, end);
    else
        printf("%u%s", id, end);
    if (nameless)
        warnx("%u: has no name", id);
    return nameless;
}

int main(int argc, char **argv)
{
    uid_t uid = getuid(), euid = geteuid();
    gid_t gid = getgid(), egid = getegid();
    bool by_name = false, real = false;
    int c, what = 0, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "ugGnr")) != -1) {
        by_name |= c == 'n';
        real |= c == 'r';
        if (c == '?' || (c != 'n' && c != 'r' && what && what != c))
            usage(1, USAGE);
        if (c != 'n' && c != 'r')
            what = c;
    }
    if (argc - optind > 1 || (!what && (by_name || real)))
        usage(1, USAGE);
    groups = need_memory(calloc(GROUPS_MAX + 2, sizeof(*groups)));
    if (optind < argc) {
        const struct passwd *user = getpwnam(argv[optind]);
        if (!user)
            errx(1, "%s: no such user", argv[optind]);
        uid = euid = user->pw_uid;
        gid = egid = user->pw_gid;
        group_count = GROUPS_MAX;
        getgrouplist(argv[optind], gid, groups, &group_count);
    } else {
        find_own_groups(gid, egid);
    }
    if (what == 'u')
        status = print_one(real ? uid : euid, user_name(real ? uid : euid), by_name, "\n");
    if (what == 'g')
        status = print_one(real ? gid : egid, group_name(real ? gid : egid), by_name, "\n");
    for (int i = 0; what == 'G' && i < group_count; i++)
        status |=
            print_one(groups[i], group_name(groups[i]), by_name, i + 1 < group_count ? " " : "\n");
    if (!what) {
        print_full("uid=", uid, user_name(uid));
        print_full(" gid=", gid, group_name(gid));
        if (euid != uid)
            print_full(" euid=", euid, user_name(euid));
        if (egid != gid)
            print_full(" egid=", egid, group_name(egid));
        for (int i = 0; i < group_count; i++)
            print_full(i ? "," : " groups=", groups[i], group_name(groups[i]));
        putchar('\n');
    }
    return command_end(status);
}
