/*
 * The boot, as a table of contents. boot/ and x86/ have brought the first CPU into 64-bit mode with a stack,
 * a log and panics that work. What follows gives it memory, time, threads and files, starts the other CPUs,
 * and ends with process 1 going to user mode; from then on the kernel does only what it is asked or
 * interrupted to do.
 */
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <abi/sysmacros.h>

#include "dev/mem.h"
#include "dev/pci.h"
#include "dev/random.h"
#include "dev/serial.h"
#include "dev/tty.h"
#include "dev/virtio_net.h"
#include "fs/async.h"
#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/procfs.h"
#include "fs/vfs.h"
#include "ipc/mqueue.h"
#include "ipc/pipe.h"
#include "ipc/queue.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/inet.h"
#include "net/socket.h"
#include "proc/cred.h"
#include "proc/exec.h"
#include "proc/proc.h"
#include "proc/vdso.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "tests/kernel/ktest.h"
#include "x86/boot_info.h"
#include "x86/context.h"
#include "x86/init.h"
#include "x86/paging.h"
#include "x86/upcalls.h"
#include "x86/watchdog.h"

#define INIT_WORDS_MAX \
    64 /* arguments, and variables, that process 1 can get from the command line */

static void init_memory(void)
{
    paging_init(&boot_info);
    page_init(&boot_info);
    slab_init();
}

static void init_threads(void)
{
    sched_init();
    timer_init_subsystem();
    clock_watch_init();
    thread_init();
    futex_init();
#ifdef CONFIG_DEBUG
    if (cmdline_has("seed"))
        race_seed(cmdline_u64("seed", 1));
#endif
}

static void init_processes(void)
{
    random_init();
    mm_init();
    cred_init();
    proc_init();
    signal_init();
}

static void init_files(void)
{
    vfs_init();
    async_init();
    queue_init_subsystem();
    pipe_init();
    unix_init();
    inet_init();
    mqueuefs_init();
    procfs_init();
}

static void init_devices(void)
{
    mem_init();
    kmsg_init();
    tty_init_subsystem();
    serial_init();
    console_init();
}

/* What every initramfs finds there already on Linux: a console to open although nobody has mounted /dev. */
static void make_first_nodes(void)
{
    if (fs_mkdir(AT_FDCWD, "/dev", 0755) ||
        fs_mknod(AT_FDCWD, "/dev/console", S_IFCHR | 0600, makedev(5, 1)) ||
        fs_mkdir(AT_FDCWD, "/root", 0700))
        log_warn("the first nodes of the root file system can't be made");
}

/* The root file system is what the initrd holds; its pages are the allocator's again afterwards. */
static void unpack_initrd(void)
{
    paddr_t start = boot_info.initrd_start, end = boot_info.initrd_end;

    if (start == end)
        return;
    int error = initrd_unpack(phys_to_virt(start), end - start);
    if (error)
        log_err("initrd: stopped at an error (%d); what came before it is unpacked", -error);
    page_free_range(start, end);
}

/* Descriptors 0, 1 and 2. Without a console process 1 starts with none, as on Linux. */
static void open_console(void)
{
    struct file *f = file_open(AT_FDCWD, "/dev/console", O_RDWR, 0);

    if (is_err(f)) {
        log_warn("no console for process 1 (%ld)", -ptr_err(f));
        return;
    }
    for (int i = 0; i < 3; i++) {
        file_get(f);
        if (fd_open(f, false) < 0)
            file_put(f);
    }
    file_put(f);
}

static void exec_or_say(const char *name, char *argv[], char *const envp[])
{
    argv[0] = (char *)name;
    int error = exec_kernel(name, argv, envp);

    if (error) {
        log_warn("%s: can't be run as process 1 (%d)", name, -error);
        return;
    }
    procfs_note_boot();
    arch_enter_user(thread_regs(current));
}

/* init= or rdinit= when given and nothing else, as Linux; otherwise the first of the usual names that runs. */
static _Noreturn void exec_init(void)
{
    static const char *const usual[] = {"/init", "/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};
    static char *argv[INIT_WORDS_MAX + 1] = {"init"};
    static char *envp[INIT_WORDS_MAX + 1] = {"HOME=/", "TERM=linux"};
    const char *wanted = cmdline_get("rdinit") ? cmdline_get("rdinit") : cmdline_get("init");

    if (cmdline_for_init(argv, 1, envp, 2, INIT_WORDS_MAX))
        log_warn("more words for process 1 than it can get: the rest is left out");
    if (wanted) {
        exec_or_say(wanted, argv, envp);
        panic("%s, which the command line wants as process 1, can't be run", wanted);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(usual); i++)
        exec_or_say(usual[i], argv, envp);
    panic("no program to run as process 1: is there an initrd, and has it a /init?");
}

/* Process 1 before it is a program: here threads, files and sleeping work. */
static void first_process(void *unused)
{
    (void)unused;
    make_first_nodes();
    unpack_initrd();
#ifdef CONFIG_DEBUG
    if (cmdline_has("ktest"))
        ktest_run(cmdline_get("ktest"));
#endif
    open_console();
    exec_init();
}

_Noreturn void kernel_main(void)
{
    cmdline_init(boot_info.cmdline);
    log_info("Signalbox, loaded by %s; command line: %s", boot_info.loader, cmdline_text());
    init_memory();
    x86_init();
    init_threads();
    init_processes();
    init_files();
    init_devices();
    cpu_start_all();
    watchdog_init();
    paging_free_boot_tables();
    page_free_low(&boot_info);
    pci_init();
    virtio_net_init();
    vdso_init();
    log_info("%d CPUs, %zu KiB of memory, %zu KiB free", num_cpus, page_total() * 4,
             page_free_count() * 4);
    proc_create_first(first_process);
    sched_idle();
}
