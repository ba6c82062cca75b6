/* uname(2). The fields are as wide as Linux's, with the domain name that POSIX doesn't ask for. */
#pragma once

#define __NEW_UTS_LEN 64

struct utsname {
    char sysname[__NEW_UTS_LEN + 1];
    char nodename[__NEW_UTS_LEN + 1];
    char release[__NEW_UTS_LEN + 1];
    char version[__NEW_UTS_LEN + 1];
    char machine[__NEW_UTS_LEN + 1];
    char domainname[__NEW_UTS_LEN + 1];
};
