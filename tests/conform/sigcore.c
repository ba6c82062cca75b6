/* musl: core files: when there is one, who may have it written where, and what is in it. */
#define _GNU_SOURCE
#include "tap.h"

#include <elf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define MAGIC 0x5167a1b0c0ffee11UL
#define A_DUMPED 3 /* CLD_DUMPED */
#define WORD_R15 0 /* in the registers */
#define WORD_RIP 16
#define PRSTATUS_REGS 112
#define PRSTATUS_PID 32
#ifndef NT_SIGINFO
#define NT_SIGINFO 0x53494749
#define NT_FILE 0x46494c45
#endif

static char marker[] = "this is to be found in the core file";
static int status;

/* Elsewhere they may go to a program that collects them: then there is nothing to see here. */
static bool host_keeps_core_files(void)
{
    char text[16] = "";
    int fd = works(open("/proc/sys/kernel/core_pattern", O_RDONLY));
    works(read(fd, text, sizeof(text) - 1));
    works(close(fd));
    return strcmp(text, "core\n") == 0;
}

#define NEED_CORE_FILES()         \
    if (!host_keeps_core_files()) \
    return

static void limit_core(rlim_t limit)
{
    struct rlimit l = {limit, RLIM_INFINITY};
    works(setrlimit(RLIMIT_CORE, &l));
}

/* Run DIE in a child that may write a core file; its wait status. */
static int after(void (*die)(void))
{
    pid_t pid;
    CHILD (pid) {
        limit_core(RLIM_INFINITY);
        die();
    }
    return status = tap_reap(pid);
}

static void by_abort(void)
{
    abort();
}

/* --- reading a core file ---------------------------------------------------------------------------- */

static char *core;
static size_t core_size;

static void load(void)
{
    struct stat st;
    int fd = works(open("core", O_RDONLY));
    works(fstat(fd, &st));
    core_size = (size_t)st.st_size;
    core = mmap(NULL, core_size, PROT_READ, MAP_PRIVATE, fd, 0);
    check(core != MAP_FAILED, "mapped");
    works(close(fd));
}

static Elf64_Phdr *segment(int i)
{
    Elf64_Ehdr *h = (Elf64_Ehdr *)core;
    return i < h->e_phnum ? (Elf64_Phdr *)(core + h->e_phoff) + i : NULL;
}

/* The contents of the Nth note of TYPE, and their size; NULL. */
static char *note(unsigned type, int n, size_t *size)
{
    Elf64_Phdr *p = segment(0);
    for (char *at = core + p->p_offset, *end = at + p->p_filesz; at < end;) {
        Elf64_Nhdr *h = (Elf64_Nhdr *)at;
        char *data = at + sizeof(*h) + ((h->n_namesz + 3) & ~3u);
        *size = h->n_descsz;
        if (h->n_type == type && n-- == 0)
            return data;
        at = data + ((h->n_descsz + 3) & ~3u);
    }
    return NULL;
}

static uint64_t register_of(int thread, int which)
{
    size_t size;
    char *s = note(NT_PRSTATUS, thread, &size);
    check(s && size == 336, "status of thread %d", thread);
    return ((uint64_t *)(s + PRSTATUS_REGS))[which];
}

/* What the core file has at ADDR; NULL when that is not in it. */
static void *saved(const void *addr)
{
    Elf64_Phdr *p;
    for (int i = 1; (p = segment(i)); i++) {
        uint64_t offset = (uint64_t)addr - p->p_vaddr;
        if ((uint64_t)addr >= p->p_vaddr && offset < p->p_filesz)
            return core + p->p_offset + offset;
    }
    return NULL;
}

/* --- whether there is one --------------------------------------------------------------------------- */

TEST(an_abort_leaves_a_core_file)
{
    struct stat st;
    NEED_CORE_FILES();
    after(by_abort);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "died of SIGABRT");
    check(WCOREDUMP(status), "and the status says that there is a core file");
    works(stat("core", &st));
    same(st.st_mode & 07777, 0600);
    load();
    Elf64_Ehdr *h = (Elf64_Ehdr *)core;
    same(memcmp(h->e_ident, ELFMAG, SELFMAG), 0);
    same(h->e_type, ET_CORE);
    same(h->e_machine, EM_X86_64);
    same(segment(0)->p_type, PT_NOTE);
    same(segment(1)->p_type, PT_LOAD);
}

TEST(without_the_limit_there_is_none)
{
    pid_t pid;
    CHILD (pid) {
        limit_core(0);
        abort();
    }
    status = tap_reap(pid);
    check(WIFSIGNALED(status) && !WCOREDUMP(status), "died without");
    fails(access("core", F_OK), ENOENT);
}

TEST(the_limit_cuts_the_file)
{
    struct stat st;
    pid_t pid;
    NEED_CORE_FILES();
    CHILD (pid) {
        limit_core(2 * PAGE);
        abort();
    }
    status = tap_reap(pid);
    check(WCOREDUMP(status), "dumped");
    works(stat("core", &st));
    check(st.st_size <= (off_t)(2 * PAGE) && st.st_size > 0, "%ld bytes", (long)st.st_size);
}

static volatile int signal_to_die_of;

static void by_raise(void)
{
    signal(signal_to_die_of, SIG_DFL);
    raise(signal_to_die_of);
}

TEST(signals_that_leave_one)
{
    static const int core_signals[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                       SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    NEED_CORE_FILES();
    for (size_t i = 0; i < sizeof(core_signals) / sizeof(core_signals[0]); i++) {
        signal_to_die_of = core_signals[i];
        after(by_raise);
        check(WCOREDUMP(status), "signal %d", core_signals[i]);
        works(unlink("core"));
    }
}

TEST(signals_that_leave_none)
{
    static const int others[] = {SIGHUP,  SIGINT,  SIGKILL, SIGTERM, SIGUSR1,
                                 SIGPIPE, SIGALRM, SIGIO,   40};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        signal_to_die_of = others[i];
        after(by_raise);
        check(WIFSIGNALED(status) && !WCOREDUMP(status), "signal %d", others[i]);
        fails(access("core", F_OK), ENOENT);
    }
}

TEST(the_parent_is_told_cld_dumped)
{
    siginfo_t info;
    pid_t pid;
    NEED_CORE_FILES();
    CHILD (pid) {
        limit_core(RLIM_INFINITY);
        abort();
    }
    works(waitid(P_PID, (id_t)pid, &info, WEXITED));
    same(info.si_code, A_DUMPED);
    same(info.si_status, SIGABRT);
}

static void not_dumpable(void)
{
    works(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    abort();
}

TEST(a_process_that_is_not_dumpable_leaves_none)
{
    after(not_dumpable);
    check(WIFSIGNALED(status) && !WCOREDUMP(status), "died without");
    fails(access("core", F_OK), ENOENT);
}

TEST(what_had_the_name_is_replaced)
{
    struct stat before, st;
    NEED_CORE_FILES();
    make_file("core", "old");
    works(stat("core", &before));
    works(link("core", "other"));
    after(by_abort);
    check(WCOREDUMP(status), "dumped");
    works(stat("other", &st));
    same(st.st_size, 3);
    works(stat("core", &st));
    check(st.st_ino != before.st_ino, "a new file");
    same(st.st_mode & 07777, 0600);
    load();
    same(memcmp(core, ELFMAG, SELFMAG), 0);
}

TEST(a_symbolic_link_is_not_followed)
{
    struct stat st;
    NEED_CORE_FILES();
    works(symlink("target", "core"));
    after(by_abort);
    fails(access("target", F_OK), ENOENT);
    works(lstat("core", &st));
    check(S_ISREG(st.st_mode), "a regular file instead");
}

TEST(a_folder_of_that_name_is_no_place)
{
    works(mkdir("core", 0700));
    after(by_abort);
    check(WIFSIGNALED(status) && !WCOREDUMP(status), "not dumped");
}

/* --- what is in it ---------------------------------------------------------------------------------- */

static void with_magic_in_r15(void)
{
    __asm__ volatile("mov %0, %%r15; ud2" : : "r"(MAGIC) : "r15");
    __builtin_unreachable();
}

TEST(the_registers_are_those_of_the_fault)
{
    NEED_CORE_FILES();
    after(with_magic_in_r15);
    same(WTERMSIG(status), SIGILL);
    load();
    check(register_of(0, WORD_R15) == MAGIC, "r15");
    unsigned char *code = saved((void *)register_of(0, WORD_RIP));
    /* Code is not saved, so it has to be looked up here: the same program. */
    check(!code || (code[0] == 0x0f && code[1] == 0x0b), "rip");
    code = (unsigned char *)register_of(0, WORD_RIP);
    check(code[0] == 0x0f && code[1] == 0x0b, "rip is at the ud2");
}

static void *volatile bad_address;

static void by_writing(void)
{
    *(volatile char *)bad_address = 1;
}

TEST(the_siginfo_tells_the_address)
{
    size_t size;
    NEED_CORE_FILES();
    bad_address = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    after(by_writing);
    load();
    siginfo_t *info = (siginfo_t *)note(NT_SIGINFO, 0, &size);
    check(info && size == sizeof(*info), "a siginfo");
    same(info->si_signo, SIGSEGV);
    same(info->si_code, SEGV_ACCERR);
    check(info->si_addr == bad_address, "the address");
}

TEST(the_notes_come_in_linux_order)
{
    static const unsigned order[] = {NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO, NT_AUXV, NT_FILE};
    NEED_CORE_FILES();
    after(by_abort);
    load();
    char *before = core;
    size_t size;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        char *here = note(order[i], 0, &size);
        check(here && here > before, "note %#x", order[i]);
        before = here;
    }
    check(note(NT_FPREGSET, 0, &size) && size == 512, "FPU registers");
}

TEST(prpsinfo_names_the_program)
{
    size_t size;
    NEED_CORE_FILES();
    after(by_abort);
    load();
    char *i = note(NT_PRPSINFO, 0, &size);
    check(i && size == 136, "it is there");
    same_text(i + 40, "sigcore");
    check(strstr(i + 56, "sigcore"), "its arguments");
    same(*(pid_t *)(i + 28), getpid());
}

TEST(the_file_note_names_the_program)
{
    size_t size;
    NEED_CORE_FILES();
    after(by_abort);
    load();
    char *n = note(NT_FILE, 0, &size);
    check(n && ((uint64_t *)n)[0] > 0 && ((uint64_t *)n)[1] == PAGE, "it is there");
    char *names = n + 16 + ((uint64_t *)n)[0] * 24;
    check(strstr(names, "/sigcore"), "first name %s", names);
}

static char *anonymous, *shared, *left_out, *of_file;

static void with_memory(void)
{
    strcpy(anonymous + 3 * PAGE, "private");
    strcpy(shared + PAGE, "shared");
    strcpy(left_out, "left out");
    works(madvise(left_out, PAGE, MADV_DONTDUMP));
    abort();
}

TEST(memory_is_in_it)
{
    NEED_CORE_FILES();
    anonymous = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    left_out = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_file("mapped", "a file");
    int fd = works(open("mapped", O_RDONLY));
    of_file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    same(of_file[0], 'a');
    after(with_memory);
    load();
    check(saved(marker) && strcmp(saved(marker), marker) == 0, "a variable");
    check(saved(&status), "another");
    same_text(saved(anonymous + 3 * PAGE), "private");
    same_text(saved(anonymous), "");
    same_text(saved(shared + PAGE), "shared");
    check(!saved(left_out), "what asked to be left out is");
    check(!saved(of_file), "what stands in a file is left out");
}

static void private_of_file(void)
{
    of_file[0] = 'A';
    abort();
}

TEST(a_changed_private_page_of_a_file_is_in_it)
{
    NEED_CORE_FILES();
    make_file("mapped", "a file");
    int fd = works(open("mapped", O_RDONLY));
    of_file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    after(private_of_file);
    load();
    same_text(saved(of_file), "A file");
}

static volatile int started;

static void *spin_with_magic(void *arg)
{
    unsigned long value = MAGIC + (unsigned long)arg;
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    __asm__ volatile("mov %0, %%r15; 1: pause; jmp 1b" : : "r"(value) : "r15");
    return NULL;
}

static void with_threads(void)
{
    pthread_t t;
    for (long i = 1; i <= 3; i++)
        pthread_create(&t, NULL, spin_with_magic, (void *)i);
    while (started < 3)
        pause_a_little();
    for (int i = 0; i < 20; i++)
        pause_a_little();
    abort();
}

TEST(every_thread_is_in_it)
{
    unsigned seen = 0;
    size_t size;
    NEED_CORE_FILES();
    after(with_threads);
    load();
    check(note(NT_PRSTATUS, 3, &size) && !note(NT_PRSTATUS, 4, &size), "four threads");
    for (int i = 1; i < 4; i++) {
        check(note(NT_FPREGSET, i, &size), "FPU registers");
        uint64_t which = register_of(i, WORD_R15) - MAGIC;
        check(which >= 1 && which <= 3, "register of thread %d", i);
        seen |= 1u << which;
    }
    same(seen, 14);
}

static void *die_here(void *arg)
{
    abort();
    return arg;
}

static void from_a_thread(void)
{
    pthread_t t;
    pthread_create(&t, NULL, die_here, NULL);
    for (;;)
        pause();
}

TEST(the_thread_that_died_comes_first)
{
    size_t size;
    NEED_CORE_FILES();
    after(from_a_thread);
    check(WCOREDUMP(status), "dumped");
    load();
    char *first = note(NT_PRSTATUS, 0, &size), *second = note(NT_PRSTATUS, 1, &size);
    check(*(pid_t *)(first + PRSTATUS_PID) > *(pid_t *)(second + PRSTATUS_PID), "the younger");
}

int main(void)
{
    return tap_run("sigcore");
}
