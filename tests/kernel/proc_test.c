/* Processes from inside: credentials and usage, as arithmetic. */
#include <abi/resource.h>

#include "lib/string.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "tests/kernel/ktest.h"

KTEST(cred, supplementary_groups_are_found)
{
    static const gid_t groups[5] = {3, 10, 20, 21, 4000000000u};
    struct cred *root = cred_create_root(), *c = root ? cred_copy_groups(root, 5) : NULL;

    KEXPECT(c);
    if (!c)
        return;
    memcpy(c->groups, groups, sizeof(groups));
    c->fsgid = 7;
    for (unsigned i = 0; i < 5; i++)
        KEXPECT(cred_in_group(c, groups[i]));
    KEXPECT(cred_in_group(c, 7));
    KEXPECT(!cred_in_group(c, 0));
    KEXPECT(!cred_in_group(c, 11));
    KEXPECT(!cred_in_group(c, 4000000001u));
    struct cred *copy = cred_copy(c);
    KEXPECT(copy && cred_in_group(copy, 4000000000u));
    if (copy)
        cred_put(copy);
    cred_put(c);
    cred_put(root);
}

/* What is left of root's effective and permitted rights after its ids became REAL, EFFECTIVE, SAVED. */
static void drop_to(uid_t real, uid_t effective, uid_t saved, uint64_t *eff, uint64_t *permitted)
{
    struct cred *old = cred_create_root(), *new = old ? cred_copy(old) : NULL;

    KEXPECT(new);
    if (!new)
        return;
    new->uid = real;
    new->euid = effective;
    new->suid = saved;
    cred_fix_caps(new, old);
    *eff = new->cap_effective;
    *permitted = new->cap_permitted;
    cred_put(new);
    cred_put(old);
}

KTEST(cred, rights_go_with_user_id_zero)
{
    uint64_t eff = 0, permitted = 0;

    drop_to(1, 1, 1, &eff, &permitted);
    KEXPECT_EQ(eff, 0);
    KEXPECT_EQ(permitted, 0);
    drop_to(0, 1, 0, &eff, &permitted);
    KEXPECT_EQ(eff, 0);
    KEXPECT_EQ(permitted, CAP_ALL);
    drop_to(1, 0, 1, &eff, &permitted);
    KEXPECT_EQ(eff, CAP_ALL);
    KEXPECT_EQ(permitted, CAP_ALL);
}

KTEST(usage, sums_carry_and_keep_the_largest)
{
    struct rusage a = {.ru_utime = {1, 600000}, .ru_maxrss = 5, .ru_minflt = 2};
    struct rusage b = {.ru_utime = {2, 400000}, .ru_maxrss = 3, .ru_minflt = 4, .ru_nvcsw = 1};

    rusage_add(&a, &b);
    KEXPECT_EQ(a.ru_utime.tv_sec, 4);
    KEXPECT_EQ(a.ru_utime.tv_usec, 0);
    KEXPECT_EQ(a.ru_maxrss, 5);
    KEXPECT_EQ(a.ru_minflt, 6);
    KEXPECT_EQ(a.ru_nvcsw, 1);
}
