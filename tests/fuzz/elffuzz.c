/*
 * elffuzz [SEED [ROUNDS]]: programs that are almost right.
 *
 * A small valid program is made by hand (fixed or movable, with or without an interpreter, or a script), one to
 * six things in it are changed (a header's field becomes an interesting number, bytes become random ones, the
 * file is cut), and a child execs it as a user without rights. The child may end in any way; it must end, and the
 * program as it was must still run afterwards.
 */
#include "fuzz.h"

#include <elf.h>

#define IMAGE_SIZE 12288
#define BASE 0x400000UL
#define GOOD_STATUS 42

static unsigned char image[IMAGE_SIZE];
static size_t image_size;
static char dir[] = "/tmp/elffuzz-XXXXXX";

/* mov edi, [status]; mov eax, SYS_exit_group; syscall */
static const unsigned char code[] = {0x8b, 0x3d, 0xfa, 0x1f, 0x00, 0x00, 0xb8,
                                     0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05};
#define CODE_OFFSET 0x800
#define DATA_OFFSET 0x2800

enum kind { FIXED, MOVABLE, INTERPRETED, SCRIPT, KINDS };

static void make_script(void)
{
    image_size = (size_t)sprintf((char *)image, "#!%s/good argument\nmore\n", dir);
}

static void make_program(enum kind kind)
{
    memset(image, 0, sizeof(image));
    if (kind == SCRIPT) {
        make_script();
        return;
    }
    uint64_t base = kind == MOVABLE ? 0 : BASE;
    Elf64_Ehdr *eh = (Elf64_Ehdr *)image;
    Elf64_Phdr *ph = (Elf64_Phdr *)(image + sizeof(*eh));
    *eh = (Elf64_Ehdr){.e_type = kind == MOVABLE ? ET_DYN : ET_EXEC,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_entry = base + CODE_OFFSET,
                       .e_phoff = sizeof(*eh),
                       .e_ehsize = sizeof(*eh),
                       .e_phentsize = sizeof(*ph)};
    memcpy(eh->e_ident, "\177ELF\2\1\1", 7);
    ph[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, base, base, 0x1000, 0x1000, 0x1000};
    ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, DATA_OFFSET, base + DATA_OFFSET, base + DATA_OFFSET,
                         0x100,   0x5000,      0x1000};
    ph[2] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    eh->e_phnum = 3;
    if (kind == INTERPRETED) {
        size_t n = (size_t)sprintf((char *)image + 0x400, "%s/good", dir) + 1;
        ph[3] = (Elf64_Phdr){PT_INTERP, PF_R, 0x400, base + 0x400, base + 0x400, n, n, 1};
        eh->e_phnum = 4;
    }
    memcpy(image + CODE_OFFSET, code, sizeof(code));
    image[DATA_OFFSET] = GOOD_STATUS;
    image_size = DATA_OFFSET + 0x100;
}

static uint64_t interesting(void)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      3,
                                      6,
                                      7,
                                      15,
                                      55,
                                      56,
                                      57,
                                      64,
                                      0x7f,
                                      0xff,
                                      0xfff,
                                      0x1000,
                                      0x1001,
                                      0xffff,
                                      0x10000,
                                      0x400000,
                                      0x401000,
                                      0x402800,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      1UL << 32,
                                      1UL << 40,
                                      1UL << 46,
                                      1UL << 47,
                                      (1UL << 47) - 4096,
                                      0x7ffffffff000,
                                      1UL << 48,
                                      1UL << 62,
                                      1UL << 63,
                                      -1UL,
                                      -4096UL,
                                      0xffffffff80000000,
                                      0xffff800000000000};
    return below(4) ? ONE_OF(values) + below(3) - 1 : draw();
}

/* Write N bytes of an interesting number at a place that headers have. */
static void mutate_field(void)
{
    static const size_t widths[] = {1, 2, 4, 8};
    size_t width = ONE_OF(widths), headers = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);
    size_t at = below(headers / width) * width;
    uint64_t value = interesting();
    memcpy(image + at, &value, width);
}

static void mutate(void)
{
    size_t at = below(image_size ? image_size : 1), n = 1 + below(16);
    switch (below(8)) {
    case 0: /* cut */ image_size = below(2) ? at : below(200); break;
    case 1: /* noise somewhere */
        for (size_t i = at; i < at + n && i < IMAGE_SIZE; i++)
            image[i] = (unsigned char)draw();
        break;
    case 2: /* one bit */ image[at % 512] ^= (unsigned char)(1 << below(8)); break;
    case 3: { /* a program header twice */
        Elf64_Phdr *ph = (Elf64_Phdr *)(image + sizeof(Elf64_Ehdr));
        ph[below(4)] = ph[below(4)];
        break;
    }
    default: mutate_field();
    }
}

static void write_image(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (fd < 0 || write(fd, image, image_size) != (ssize_t)image_size || fchmod(fd, 0755) < 0)
        die(name);
    close(fd);
}

static pid_t start(const char *name, rlim_t seconds)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        char *argv[] = {(char *)name, "one", NULL}, *envp[] = {"A=B", NULL};
        setpgid(0, 0);
        limit(RLIMIT_AS, 256 << 20);
        limit(RLIMIT_CPU, seconds);
        limit(RLIMIT_NPROC, 20);
        limit(RLIMIT_FSIZE, 1 << 20);
        limit(RLIMIT_CORE, 0);
        become_nobody();
        execve(name, argv, envp);
        _exit(100);
    }
    return pid;
}

static void must_be_good(const char *name)
{
    int status;
    pid_t pid = start(name, 1000);
    if (!ends_within(pid, &status, KILL_PATIENCE_MS))
        die("it goes on and on");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD_STATUS) {
        printf("%s: expected exit status %d, got wait status %#x\n", name, GOOD_STATUS,
               (unsigned)status);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : 1500, ran = 0, refused = 0, killed = 0;
    random_seed(seed);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!mkdtemp(dir) || chmod(dir, 0755) < 0 || chdir(dir) < 0)
        die(dir);
    for (int kind = FIXED; kind < KINDS; kind++) {
        make_program(kind);
        write_image(kind == FIXED ? "good" : "other");
        must_be_good(kind == FIXED ? "./good" : "./other");
    }
    for (long i = 0; i < rounds; i++) {
        make_program((enum kind)below(KINDS));
        for (uint64_t n = 1 + below(6); n; n--)
            mutate();
        write_image("bad");
        int status = put_an_end_to(start("./bad", 1));
        reap_orphans();
        if (WIFSIGNALED(status))
            killed++;
        else if (WEXITSTATUS(status) == 100)
            refused++;
        else
            ran++;
    }
    must_be_good("./good");
    kill_leftovers();
    chdir("/");
    remove_tree(AT_FDCWD, dir);
    printf("elffuzz: seed %lu: %ld programs, %ld refused, %ld killed, %ld ran\n", seed, rounds,
           refused, killed, ran);
    return 0;
}
