/* getdents64(2): records of d_reclen bytes, each a name that ends with NUL, aligned to 8. */
#pragma once

#include <abi/types.h>

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define DT_WHT 14

struct linux_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};

/* getdents(2), the older record: its type is in the last byte. */
struct linux_dirent {
    unsigned long d_ino;
    unsigned long d_off;
    uint16_t d_reclen;
    char d_name[];
};
