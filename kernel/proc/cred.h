/*
 * Who a process is: user and group ids, capabilities in the shape of "root or not". A struct cred is never
 * changed once it is visible: set*id makes a new one and swaps the pointer.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/types.h"

/* The four ids that a process has of each kind. set*id's rules are the same for both. */
struct ids {
    uint32_t real, effective, saved, fs;
};

struct cred {
    struct refcount ref; /* atomic */
    union {              /* const once visible, as all below */
        struct ids user;
        struct {
            uid_t uid, euid, suid, fsuid;
        };
    };
    union {
        struct ids group;
        struct {
            gid_t gid, egid, sgid, fsgid;
        };
    };
    uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding,
        cap_ambient; /* CAP_* bits */
    unsigned ngroups;
    gid_t groups[]; /* supplementary, sorted */
};

#define CAP_CHOWN 0
#define CAP_DAC_OVERRIDE 1
#define CAP_DAC_READ_SEARCH 2
#define CAP_FOWNER 3
#define CAP_FSETID 4
#define CAP_KILL 5
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_NET_BIND_SERVICE 10
#define CAP_NET_ADMIN 12
#define CAP_NET_RAW 13
#define CAP_IPC_LOCK 14
#define CAP_IPC_OWNER 15
#define CAP_SYS_RAWIO 17
#define CAP_SYS_CHROOT 18
#define CAP_SYS_PTRACE 19
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CAP_SYS_NICE 23
#define CAP_SYS_RESOURCE 24
#define CAP_SYS_TIME 25
#define CAP_SYS_TTY_CONFIG 26
#define CAP_MKNOD 27
#define CAP_WAKE_ALARM 35
#define CAP_SETPCAP 8
#define CAP_LAST 40
#define CAP_ALL ((1UL << (CAP_LAST + 1)) - 1)

/*
 * The calling thread's own; valid until it calls set*id or exec itself. As on Linux each thread has its own
 * pointer and set*id changes the caller's alone (libc tells the other threads); what others see of a
 * process is proc->cred, its leader's.
 */
const struct cred *current_cred(void);
bool capable(int cap);                               /* the calling thread has CAP_x effective */
bool cred_in_group(const struct cred *c, gid_t gid); /* fsgid or supplementary */

void cred_get(const struct cred *c);
void cred_put(const struct cred *c);
struct cred *cred_copy(const struct cred *c); /* private, reference 1; NULL when out of memory */
/* Private, with room for NGROUPS groups, the rest as in C. */
struct cred *cred_copy_groups(const struct cred *c, unsigned ngroups);
struct cred *cred_create_root(void); /* process 1's */
/* Make NEW, whose last reference this takes, the calling thread's. Frees nothing that others look at. */
void cred_commit(struct cred *new_cred);
/* The capabilities after ids changed from OLD to NEW by set*id (capabilities(7)). */
void cred_fix_caps(struct cred *new_cred, const struct cred *old);

void cred_init(void); /* needs slabs */
