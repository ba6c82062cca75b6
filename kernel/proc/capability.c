/*
 * capget(2) and capset(2): a thread's capability sets, as two 32-bit words each (one in version 1).
 */
#include <abi/capability.h>

#include "proc/cred.h"
#include "proc/proc.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* How many words a set has in the version that *HEADER names; -EINVAL after saying there which one we like best. */
static int read_header(struct cap_user_header *h, struct cap_user_header __user *header)
{
    if (copy_from_user(h, header, sizeof(*h)))
        return -EFAULT;
    switch (h->version) {
    case _LINUX_CAPABILITY_VERSION_1: return 1;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3: return 2;
    default:
        return put_user((uint32_t)_LINUX_CAPABILITY_VERSION_3, (uint32_t __user *)&header->version)
                   ? -EFAULT
                   : -EINVAL;
    }
}

/* The cred of the thread PID (0: the caller), with a reference; err_ptr(-ESRCH). */
static const struct cred *cred_of_pid(int pid)
{
    struct thread *t = pid ? thread_find(pid) : NULL;

    if (pid == 0 || t == current) {
        if (t)
            thread_put(t);
        cred_get(current_cred());
        return current_cred();
    }
    if (!t)
        return err_ptr(-ESRCH);
    const struct cred *c = proc_cred_get(t->proc);
    thread_put(t);
    return c;
}

long sys_capget(struct cap_user_header __user *header, struct cap_user_data __user *data)
{
    struct cap_user_data out[2];
    struct cap_user_header h;
    int words = read_header(&h, header);

    if (words < 0)
        return !data && words == -EINVAL ? 0 : words;
    if (!data)
        return 0;
    if (h.pid < 0)
        return -EINVAL;
    const struct cred *c = cred_of_pid(h.pid);
    if (is_err(c))
        return ptr_err(c);
    for (int i = 0; i < 2; i++)
        out[i] = (struct cap_user_data){
            .effective = (uint32_t)(c->cap_effective >> 32 * i),
            .permitted = (uint32_t)(c->cap_permitted >> 32 * i),
            .inheritable = (uint32_t)(c->cap_inheritable >> 32 * i),
        };
    cred_put(c);
    return copy_to_user(data, out, (size_t)words * sizeof(out[0]));
}

/* No set grows beyond what capabilities(7) allows. */
static bool change_is_allowed(const struct cred *old, const struct cred *new)
{
    uint64_t may_inherit = old->cap_inheritable | old->cap_permitted;

    if (!capable(CAP_SETPCAP) && new->cap_inheritable & ~may_inherit)
        return false;
    return !(new->cap_inheritable & ~(old->cap_inheritable | old->cap_bounding)) &&
           !(new->cap_permitted & ~old->cap_permitted) &&
           !(new->cap_effective & ~new->cap_permitted);
}

long sys_capset(struct cap_user_header __user *header, const struct cap_user_data __user *data)
{
    struct cap_user_data in[2] = {{0}, {0}};
    struct cap_user_header h;
    int words = read_header(&h, header);

    if (words < 0)
        return words;
    if (h.pid != 0 && h.pid != current->pid->nr)
        return -EPERM;
    if (copy_from_user(in, data, (size_t)words * sizeof(in[0])))
        return -EFAULT;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    new->cap_effective = (in[0].effective | (uint64_t)in[1].effective << 32) & CAP_ALL;
    new->cap_permitted = (in[0].permitted | (uint64_t)in[1].permitted << 32) & CAP_ALL;
    new->cap_inheritable = (in[0].inheritable | (uint64_t)in[1].inheritable << 32) & CAP_ALL;
    new->cap_ambient &= new->cap_permitted &new->cap_inheritable;
    if (!change_is_allowed(current_cred(), new)) {
        cred_put(new);
        return -EPERM;
    }
    cred_commit(new);
    return 0;
}
