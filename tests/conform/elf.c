/* Programs made by hand, byte by byte: what execve loads, where, and what it refuses. */
#include "tap.h"

#include <elf.h>
#include <sys/auxv.h>

#define CODE 0x200
#define BASE 0x10000000UL

static unsigned char image[5 * 4096];
static Elf64_Ehdr *eh = (Elf64_Ehdr *)image;
static Elf64_Phdr *ph = (Elf64_Phdr *)(image + sizeof(Elf64_Ehdr));

/* An empty program of TYPE whose code, COUNT bytes, is at its entry; one segment, readable and executable. */
static void make(int type, const void *code, size_t count)
{
    uint64_t base = type == ET_EXEC ? BASE : 0;
    memset(image, 0, sizeof(image));
    memcpy(eh->e_ident, "\177ELF\2\1\1", 7);
    eh->e_type = (Elf64_Half)type;
    eh->e_machine = EM_X86_64;
    eh->e_version = EV_CURRENT;
    eh->e_entry = base + CODE;
    eh->e_phoff = sizeof(*eh);
    eh->e_ehsize = sizeof(*eh);
    eh->e_phentsize = sizeof(*ph);
    eh->e_phnum = 1;
    ph[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, base, base, 4096, 4096, 4096};
    memcpy(image + CODE, code, count);
}

#define CODE_OF(...) \
    ((const unsigned char[]){__VA_ARGS__}), sizeof((const unsigned char[]){__VA_ARGS__})
#define EXIT 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05 /* mov eax, SYS_exit_group; syscall */
#define EXIT_42 0xbf, 42, 0, 0, 0, EXIT      /* mov edi, 42 */

static void save(const char *name, size_t size)
{
    int fd = works(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    same(write(fd, image, size), size);
    works(close(fd));
}

static pid_t start(void)
{
    pid_t pid;
    CHILD (pid) {
        execve("program", (char *[]){"program", NULL}, (char *[]){NULL});
        _exit(errno == ENOEXEC ? 100 : 101);
    }
    return pid;
}

#define RUNS(status) exits(start(), status)

/* Refused with ENOEXEC, before anything has happened to the caller. */
static void is_refused(void)
{
    save("program", sizeof(image));
    RUNS(100);
}

/* Refused with some error, or killed once it is too late for one. */
static void comes_to_nothing(const char *what)
{
    save("program", sizeof(image));
    int status = tap_reap(start());
    check((WIFEXITED(status) && WEXITSTATUS(status) >= 100) || WIFSIGNALED(status),
          "%s: refused or killed, got wait status %#x", what, (unsigned)status);
}

TEST(the_smallest_program_runs)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    save("program", CODE + 12);
    RUNS(42);
}

TEST(a_movable_program_runs)
{
    make(ET_DYN, CODE_OF(EXIT_42));
    save("program", 4096);
    RUNS(42);
}

/* movzx edi, byte [BASE+0x3000+5]: data of the file; the second segment begins in the middle of a page. */
TEST(data_lies_where_its_header_says)
{
    make(ET_EXEC, CODE_OF(0x0f, 0xb6, 0x3c, 0x25, 0x05, 0x30, 0x00, 0x10, EXIT));
    ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x1003, BASE + 0x3003, 0, 0x10, 0x10, 0x1000};
    eh->e_phnum = 2;
    image[0x1005] = 77;
    save("program", sizeof(image));
    RUNS(77);
}

/* The file goes on behind the segment, but what memory has beyond filesz must be zero. */
TEST(memory_beyond_the_file_is_zero)
{
    make(ET_EXEC,
         CODE_OF(0x0f, 0xb6, 0x3c, 0x25, 0x20, 0x30, 0x00, 0x10,             /* in the same page */
                 0x0f, 0xb6, 0x04, 0x25, 0x20, 0x50, 0x00, 0x10, 0x01, 0xc7, /* two pages on */
                 0x83, 0xc7, 0x07, EXIT));
    ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x1000, BASE + 0x3000, 0, 0x10, 0x3000, 0x1000};
    eh->e_phnum = 2;
    memset(image + 0x1010, 0xff, 0x3000);
    save("program", sizeof(image));
    RUNS(7);
}

/* mov byte [BASE+0x3010], 1: a write to a segment that may not be written. */
TEST(segments_have_their_permissions)
{
    make(ET_EXEC, CODE_OF(0xc6, 0x04, 0x25, 0x10, 0x30, 0x00, 0x10, 1, EXIT_42));
    ph[1] = (Elf64_Phdr){PT_LOAD, PF_R, 0x1000, BASE + 0x3000, 0, 0x1000, 0x1000, 0x1000};
    eh->e_phnum = 2;
    save("program", sizeof(image));
    dies(start(), SIGSEGV);
    ph[1].p_flags = PF_R | PF_W;
    save("program", sizeof(image));
    RUNS(42);
}

/* push 0x.. code on the stack and jump to it */
TEST(the_stack_is_not_executable)
{
    make(ET_EXEC,
         CODE_OF(0x68, 0x0f, 0x05, 0x90, 0x90, 0xb8, 0xe7, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0xff, 0xe4));
    ph[1] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    eh->e_phnum = 2;
    save("program", sizeof(image));
    dies(start(), SIGSEGV);
    ph[1].p_flags = PF_R | PF_W | PF_X;
    save("program", sizeof(image));
    RUNS(42);
}

/* test spl, 15: zero at entry; [rsp] is argc, 1 */
TEST(the_stack_begins_aligned_with_argc)
{
    make(ET_EXEC, CODE_OF(0x89, 0xe7, 0x83, 0xe7, 0x0f, 0x03, 0x3c, 0x24, 0x83, 0xc7, 0x05, EXIT));
    save("program", sizeof(image));
    RUNS(6);
}

/* or all general registers but rsp into edi: nothing of the old program is left in them */
TEST(registers_are_zero_at_entry)
{
    make(ET_EXEC, CODE_OF(0x48, 0x09, 0xc7, 0x48, 0x09, 0xdf, 0x48, 0x09, 0xcf, 0x48, 0x09, 0xd7,
                          0x48, 0x09, 0xf7, 0x48, 0x09, 0xef, 0x4c, 0x09, 0xc7, 0x4c, 0x09, 0xcf,
                          0x4c, 0x09, 0xd7, 0x4c, 0x09, 0xdf, 0x4c, 0x09, 0xe7, 0x4c, 0x09, 0xef,
                          0x4c, 0x09, 0xf7, 0x4c, 0x09, 0xff, 0x48, 0x85, 0xff, 0x40, 0x0f, 0x95,
                          0xc7, 0x40, 0x0f, 0xb6, 0xff, 0x83, 0xc7, 0x09, EXIT));
    save("program", sizeof(image));
    RUNS(9);
}

TEST(an_interpreter_runs_in_its_place)
{
    make(ET_DYN, CODE_OF(EXIT_42));
    save("interpreter", 4096);
    make(ET_EXEC, CODE_OF(0xbf, 1, 0, 0, 0, EXIT));
    strcpy((char *)image + 0x800, "interpreter");
    ph[1] = (Elf64_Phdr){PT_INTERP, PF_R, 0x800, BASE + 0x800, 0, 12, 12, 1};
    eh->e_phnum = 2;
    save("program", sizeof(image));
    RUNS(42);
}

TEST(a_missing_interpreter_is_an_error)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    strcpy((char *)image + 0x800, "no/such/file");
    ph[1] = (Elf64_Phdr){PT_INTERP, PF_R, 0x800, BASE + 0x800, 0, 13, 13, 1};
    eh->e_phnum = 2;
    save("program", sizeof(image));
    fails(execve("program", (char *[]){"x", NULL}, (char *[]){NULL}), ENOENT);
    image[0x80c] = 'x';
    ph[1].p_filesz = 13;
    is_refused();
    ph[1].p_filesz = 5000;
    is_refused();
    ph[1].p_filesz = 1;
    is_refused();
}

TEST(wrong_headers_are_enoexec)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    image[0] = 0x7e;
    is_refused();
    make(ET_REL, CODE_OF(EXIT_42));
    is_refused();
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_machine = EM_386;
    is_refused();
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_phentsize = 55;
    is_refused();
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_phnum = 0;
    is_refused();
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_phnum = 0xffff;
    is_refused();
    make(ET_EXEC, CODE_OF(EXIT_42));
    save("program", 50);
    RUNS(100);
    save("program", 4);
    RUNS(100);
}

TEST(program_headers_outside_the_file_are_an_error)
{
    static const uint64_t places[] = {0x7fffffffffffffff, 0xffffffffffffffc8, 1UL << 40, 1UL << 63};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make(ET_EXEC, CODE_OF(EXIT_42));
        eh->e_phoff = places[i];
        comes_to_nothing("e_phoff");
    }
}

TEST(segments_outside_the_address_space_come_to_nothing)
{
    static const uint64_t places[] = {0xffffffff80000000, 1UL << 47, 0x7ffffffff000,
                                      0xfffffffffffff000, 1UL << 63};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make(ET_EXEC, CODE_OF(EXIT_42));
        ph[0].p_vaddr = places[i];
        eh->e_entry = places[i] + CODE;
        comes_to_nothing("p_vaddr");
    }
}

TEST(absurd_sizes_come_to_nothing)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_memsz = 1UL << 47;
    comes_to_nothing("p_memsz");
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_memsz = -1UL;
    comes_to_nothing("p_memsz");
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_filesz = 1UL << 47;
    comes_to_nothing("p_filesz");
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_filesz = 8192;
    comes_to_nothing("p_filesz above p_memsz");
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_offset = 123;
    comes_to_nothing("crooked p_offset");
}

TEST(entry_outside_the_program_is_a_fault)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_entry = 0x1234;
    save("program", sizeof(image));
    dies(start(), SIGSEGV);
    make(ET_EXEC, CODE_OF(EXIT_42));
    eh->e_entry = BASE + 0x100000;
    save("program", sizeof(image));
    dies(start(), SIGSEGV);
}

TEST(code_cut_off_by_the_files_end_is_sigbus)
{
    make(ET_EXEC, CODE_OF(EXIT_42));
    ph[0].p_filesz = ph[0].p_memsz = 8192;
    eh->e_entry = BASE + 4096;
    save("program", 4096);
    dies(start(), SIGBUS);
}

int main(void)
{
    return tap_run("elf");
}
