/* <arpa/nameser.h>: the numbers of the domain name system (RFC 1035, sections 3.2 and 4.1.1). */
#pragma once

#include <stdint.h>

#define NS_PACKETSZ 512
#define NS_MAXDNAME 1025
#define NS_MAXCDNAME 255
#define NS_MAXLABEL 63
#define NS_HFIXEDSZ 12
#define NS_QFIXEDSZ 4
#define NS_RRFIXEDSZ 10
#define NS_DEFAULTPORT 53

enum {
    ns_t_a = 1,
    ns_t_ns = 2,
    ns_t_cname = 5,
    ns_t_soa = 6,
    ns_t_ptr = 12,
    ns_t_mx = 15,
    ns_t_txt = 16,
    ns_t_aaaa = 28,
    ns_t_srv = 33,
    ns_t_any = 255,
};
enum {
    ns_c_in = 1,
};
enum {
    ns_r_noerror = 0,
    ns_r_formerr = 1,
    ns_r_servfail = 2,
    ns_r_nxdomain = 3,
    ns_r_notimpl = 4,
    ns_r_refused = 5,
};
