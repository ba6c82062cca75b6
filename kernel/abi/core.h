/* What the notes of a core file hold: NT_PRSTATUS, one a thread, and NT_PRPSINFO. */
#pragma once

#include <abi/time.h>
#include <abi/types.h>

#define ELF_NGREG 27

struct elf_siginfo {
    int si_signo;
    int si_code;
    int si_errno;
};

struct elf_prstatus {
    struct elf_siginfo pr_info;
    short pr_cursig;
    uint64_t pr_sigpend;
    uint64_t pr_sighold;
    pid_t pr_pid;
    pid_t pr_ppid;
    pid_t pr_pgrp;
    pid_t pr_sid;
    struct timeval pr_utime;
    struct timeval pr_stime;
    struct timeval pr_cutime;
    struct timeval pr_cstime;
    uint64_t pr_reg[ELF_NGREG];
    int pr_fpvalid;
};

struct elf_prpsinfo {
    char pr_state;
    char pr_sname;
    char pr_zomb;
    char pr_nice;
    uint64_t pr_flag;
    uid_t pr_uid;
    gid_t pr_gid;
    pid_t pr_pid;
    pid_t pr_ppid;
    pid_t pr_pgrp;
    pid_t pr_sid;
    char pr_fname[16];
    char pr_psargs[80];
};
