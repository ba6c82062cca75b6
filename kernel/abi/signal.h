/*
 * Signals: numbers, dispositions, siginfo_t with its codes, the alternate stack, and the frame that a
 * handler finds on its stack (struct ucontext with the machine's registers and FPU state). The
 * kernel's signal set is 64 bits wide, bit n-1 for signal n.
 */
#pragma once

#include <abi/types.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGIOT SIGABRT
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPOLL SIGIO
#define SIGPWR 30
#define SIGSYS 31
#define KERNEL_SIGRTMIN 32 /* libc keeps the first few for itself; its SIGRTMIN is higher */
#define KERNEL_SIGRTMAX 64
#define _NSIG 65

typedef uint64_t ksigset_t;

#define SIGMASK(sig) ((ksigset_t)1 << ((sig)-1))

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SA_NOCLDSTOP 0x00000001UL
#define SA_NOCLDWAIT 0x00000002UL
#define SA_SIGINFO 0x00000004UL
#define SA_UNSUPPORTED 0x00000400UL
#define SA_EXPOSE_TAGBITS 0x00000800UL
#define SA_RESTORER 0x04000000UL
#define SA_ONSTACK 0x08000000UL
#define SA_RESTART 0x10000000UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL

typedef void (*sighandler_t)(int);

#define SIG_DFL ((sighandler_t)0)
#define SIG_IGN ((sighandler_t)1)
#define SIG_ERR ((sighandler_t)-1)

/* What rt_sigaction(2) takes; libc's struct sigaction has another order. */
struct kernel_sigaction {
    sighandler_t handler;
    unsigned long flags;
    void (*restorer)(void);
    ksigset_t mask;
};

union sigval {
    int sival_int;
    void *sival_ptr;
};

/* Which of the fields are there follows from si_signo and si_code. 128 bytes always. */
typedef struct siginfo {
    int si_signo;
    int si_errno;
    int si_code;
    int __pad0;
    union {
        int __pad[28];
        struct { /* kill, sigqueue, timers, SIGCHLD */
            union {
                struct {
                    pid_t si_pid;
                    uid_t si_uid;
                };
                struct {
                    int si_timerid;
                    int si_overrun;
                };
            };
            union {
                union sigval si_value;
                struct {
                    int si_status;
                    clock_t si_utime;
                    clock_t si_stime;
                };
            };
        };
        struct { /* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP */
            void *si_addr;
            short si_addr_lsb;
            void *si_lower;
            void *si_upper;
        };
        struct { /* SIGIO */
            long si_band;
            int si_fd;
        };
        struct { /* SIGSYS */
            void *si_call_addr;
            int si_syscall;
            unsigned int si_arch;
        };
    };
} siginfo_t;

/* No field lies further back; what follows is zero in every siginfo that a program gets. */
#define SIGINFO_USED 48

#define si_int si_value.sival_int
#define si_ptr si_value.sival_ptr

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_MESGQ (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO (-5)
#define SI_TKILL (-6)

#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_ILLADR 3
#define ILL_ILLTRP 4
#define ILL_PRVOPC 5
#define ILL_PRVREG 6
#define ILL_COPROC 7
#define ILL_BADSTK 8

#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8
#define FPE_FLTUNK 14

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_BNDERR 3
#define SEGV_PKUERR 4

#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3

#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_BRANCH 3
#define TRAP_HWBKPT 4

#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

#define POLL_IN 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

#define SYS_SECCOMP 1

typedef struct sigaltstack {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ 2048
#define SIGSTKSZ 8192

#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

struct sigevent {
    union sigval sigev_value;
    int sigev_signo;
    int sigev_notify;
    union {
        int __pad[12];
        int sigev_notify_thread_id;
        struct {
            void (*sigev_notify_function)(union sigval);
            void *sigev_notify_attributes;
        };
    };
};

/*
 * The frame. FPSTATE points at an FXSAVE image which, when its software bytes carry FP_XSTATE_MAGIC1,
 * is the beginning of an XSAVE area of XSTATE_SIZE bytes followed by FP_XSTATE_MAGIC2.
 */
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U
#define FP_XSTATE_MAGIC2_SIZE 4

struct fpx_sw_bytes {
    uint32_t magic1;
    uint32_t extended_size; /* XSAVE area and the closing magic */
    uint64_t xfeatures;
    uint32_t xstate_size;
    uint32_t padding[7];
};

struct fpstate {
    uint16_t cwd, swd, ftw, fop;
    uint64_t rip, rdp;
    uint32_t mxcsr, mxcsr_mask;
    uint32_t st_space[32];
    uint32_t xmm_space[64];
    uint32_t reserved2[12];
    struct fpx_sw_bytes sw_reserved;
};

struct xstate_header {
    uint64_t xfeatures;
    uint64_t xcomp_bv;
    uint64_t reserved[6];
};

struct sigcontext {
    union {
        struct {
            uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
            uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
            uint64_t rip;
            uint64_t eflags;
            uint16_t cs, gs, fs, ss;
            uint64_t err;
            uint64_t trapno;
            uint64_t oldmask;
            uint64_t cr2;
        };
        long long gregs[23]; /* the same as programs count them: <ucontext.h>'s REG_ names */
    };
    struct fpstate *fpstate;
    uint64_t reserved1[8];
};

/* uc_flags */
#define UC_FP_XSTATE 0x1
#define UC_SIGCONTEXT_SS 0x2
#define UC_STRICT_RESTORE_SS 0x4

struct ucontext {
    unsigned long uc_flags;
    struct ucontext *uc_link;
    stack_t uc_stack;
    struct sigcontext uc_mcontext;
    ksigset_t uc_sigmask;
};
