"""Core files: what the machine writes when a program crashes, gdb on the host opens."""

import os
import shutil
import subprocess

import pytest

from support import PATIENCE, run

PROGRAM = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
static volatile int ready;
static volatile pid_t waiting[2];
static int *volatile nowhere;
static void *waiting_thread(void *arg)
{
    waiting[(long)arg] = gettid();
    pause();
    return arg;
}
static int is_asleep(pid_t tid)
{
    char name[64], text[512] = "";
    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", (int)tid);
    FILE *file = fopen(name, "r");
    if (!file)
        return 0;
    fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    return strstr(text, ") S ") != NULL;
}
static void fall(int depth)
{
    if (depth > 0)
        fall(depth - 1);
    else
        *nowhere = 42; /* the line that crashes */
    __asm__ volatile("");
}
int main(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    pthread_attr_t attr;
    pthread_t t;
    setrlimit(RLIMIT_CORE, &limit);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    for (long i = 0; i < 2; i++, ready++) {
        pthread_create(&t, &attr, waiting_thread, (void *)i);
        while (!waiting[i] || !is_asleep(waiting[i]))
            usleep(1000);
    }
    fall(2);
    return 0;
}
"""


@pytest.fixture(scope="module")
def crash(tmp_path_factory):
    """The program that crashes, and its core file."""
    folder = tmp_path_factory.mktemp("core")
    source, program, core = folder / "crash.c", folder / "crash", folder / "core"
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-o", program, source, "-lpthread"], check=True)
    result = run("--debug", "--fetch", f"/core:{core}", "--", str(program))
    result.must_have_run()
    assert result.status == 128 + 11, result.text + result.err
    return program, core


def gdb(crash, *commands):
    if not shutil.which("gdb"):
        pytest.skip("no gdb on this host")
    words = ["gdb", "-q", "-batch", "-nx"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run([*words, *crash], capture_output=True, check=False, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def test_gdb_names_the_line_that_crashed(crash):
    text = gdb(crash, "bt")
    assert "terminated with signal SIGSEGV" in text, text
    assert "the line that crashes" in text, text
    for depth in (0, 1, 2):
        assert f"fall (depth={depth})" in text, text
    assert "in main ()" in text, text


def test_gdb_sees_every_thread(crash):
    text = gdb(crash, "thread apply all bt")
    assert text.count("waiting_thread (arg=") == 2, text
    assert text.count("in pause ()") == 2, text


def test_gdb_reads_memory_signal_and_files(crash):
    text = gdb(crash, "print ready", "print $_siginfo.si_signo", "print/x $_siginfo._sifields._sigfault.si_addr",
               "info proc mappings", "print sizeof($xmm0)", "info auxv")
    assert "$1 = 2" in text and "$2 = 11" in text and "$3 = 0x0" in text, text
    assert f"{os.fspath(crash[0])}" in text, text
    assert "$4 = 16" in text, text
    assert "AT_ENTRY" in text, text


IN_A_HANDLER = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <unwind.h>
int main(int argc, char **argv);
static int saw_main;
static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *unused)
{
    (void)unused;
    saw_main |= _Unwind_FindEnclosingFunction((void *)_Unwind_GetIP(context)) == (void *)main;
    return _URC_NO_REASON;
}
static void handler(int number)
{
    (void)number;
    _Unwind_Backtrace(note, 0);
    printf("the unwinder %s main\n", saw_main ? "reaches" : "does not reach");
    fflush(stdout);
    abort();
}
static int divide(int a, int b) { return a / b; }
int main(int argc, char **argv)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    (void)argv;
    setrlimit(RLIMIT_CORE, &limit);
    signal(SIGFPE, handler);
    return divide(argc, argc - 1);
}
"""


def test_unwinders_go_through_a_handler(tmp_path):
    """The compiler's own, in the program, and gdb with its core file: both know the frame by what lies in it."""
    source, program, core = tmp_path / "handler.c", tmp_path / "handler", tmp_path / "core"
    source.write_text(IN_A_HANDLER)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-fasynchronous-unwind-tables", "-o", program, source], check=True)
    result = run("--debug", "--fetch", f"/core:{core}", "--", str(program))
    result.must_have_run()
    assert (result.status, result.text) == (128 + 6, "the unwinder reaches main\n"), result.err
    text = gdb((program, core), "bt")
    assert "<signal handler called>" in text, text
    assert "divide (a=1, b=0)" in text and "main (argc=1" in text, text
