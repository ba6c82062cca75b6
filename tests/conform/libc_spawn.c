/* musl: <spawn.h>: a program started in one call, with what happens before it begins. */
#define _GNU_SOURCE
#include "tap.h"

#include <spawn.h>

extern char **environ;

static char *sh(char *script, char **argv)
{
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = NULL;
    return "/bin/sh";
}

/* Run SCRIPT by /bin/sh: its pid. */
static pid_t run(char *script, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *a)
{
    char *argv[4];
    pid_t pid = -1;
    same(posix_spawn(&pid, sh(script, argv), actions, a, argv, environ), 0);
    check(pid > 0, "a pid");
    return pid;
}

static void same_file(const char *path, const char *expected)
{
    char text[200] = "";
    int fd = works(open(path, O_RDONLY));
    works(read(fd, text, sizeof(text) - 1));
    works(close(fd));
    same_text(text, expected);
}

TEST(a_program_runs_and_is_waited_for)
{
    exits(run("exit 7", NULL, NULL), 7);
    dies(run("kill -9 $$", NULL, NULL), SIGKILL);
}

TEST(a_program_that_is_not_there_is_an_error)
{
    char *argv[] = {"x", NULL};
    pid_t pid = -5;
    same(posix_spawn(&pid, "/nothing/here", NULL, NULL, argv, environ), ENOENT);
    same(posix_spawn(&pid, "/", NULL, NULL, argv, environ), EACCES);
    same(posix_spawnp(&pid, "no-such-program-anywhere", NULL, NULL, argv, environ), ENOENT);
    fails(waitpid(-1, NULL, 0), ECHILD); /* no child is left behind */
}

TEST(spawnp_searches_the_path)
{
    char *argv[4];
    pid_t pid;
    works(setenv("PATH", "/nowhere:/bin", 1));
    sh("exit 3", argv);
    same(posix_spawnp(&pid, "sh", NULL, NULL, argv, environ), 0);
    exits(pid, 3);
}

TEST(the_environment_is_the_one_given)
{
    char *argv[4], *env[] = {"COLOUR=green", NULL};
    pid_t pid;
    same(posix_spawn(&pid, sh("[ \"$COLOUR\" = green ] && [ -z \"$HOME\" ]", argv), NULL, NULL,
                     argv, env),
         0);
    exits(pid, 0);
}

TEST(actions_happen_in_order)
{
    posix_spawn_file_actions_t actions;
    make_file("in", "from the file");
    works(mkdir("sub", 0700));
    same(posix_spawn_file_actions_init(&actions), 0);
    same(posix_spawn_file_actions_addopen(&actions, 0, "in", O_RDONLY, 0), 0);
    same(posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600),
         0);
    same(posix_spawn_file_actions_adddup2(&actions, 1, 9), 0);
    same(posix_spawn_file_actions_addclose(&actions, 1), 0);
    same(posix_spawn_file_actions_addclose(&actions, 77), 0);
    same(posix_spawn_file_actions_addchdir_np(&actions, "sub"), 0);
    exits(run("cat >&9; pwd | grep -q 'sub$'", &actions, NULL), 0);
    same_file("out", "from the file");
    same(posix_spawn_file_actions_destroy(&actions), 0);
}

TEST(a_child_may_begin_in_an_open_directory)
{
    posix_spawn_file_actions_t actions;
    works(mkdir("sub", 0700));
    int fd = works(open("sub", O_RDONLY | O_DIRECTORY));
    same(posix_spawn_file_actions_init(&actions), 0);
    same(posix_spawn_file_actions_addfchdir_np(&actions, fd), 0);
    exits(run("pwd | grep -q 'sub$'", &actions, NULL), 0);
    same(posix_spawn_file_actions_destroy(&actions), 0);
}

TEST(any_descriptor_may_be_named)
{
    /* Whatever the library uses on the way must not be in the way. */
    for (int fd = 3; fd < 12; fd++) {
        posix_spawn_file_actions_t actions;
        char script[40];
        same(posix_spawn_file_actions_init(&actions), 0);
        same(posix_spawn_file_actions_addopen(&actions, fd, "out", O_WRONLY | O_CREAT | O_TRUNC,
                                              0600),
             0);
        snprintf(script, sizeof(script), "echo yes >/proc/self/fd/%d", fd);
        exits(run(script, &actions, NULL), 0);
        same_file("out", "yes\n");
        same(posix_spawn_file_actions_destroy(&actions), 0);
    }
}

TEST(an_action_that_fails_is_the_calls_error)
{
    posix_spawn_file_actions_t actions;
    char *argv[4];
    pid_t pid;
    same(posix_spawn_file_actions_init(&actions), 0);
    same(posix_spawn_file_actions_addopen(&actions, -1, "x", O_RDONLY, 0), EBADF);
    same(posix_spawn_file_actions_addclose(&actions, -1), EBADF);
    same(posix_spawn_file_actions_adddup2(&actions, -1, 1), EBADF);
    same(posix_spawn_file_actions_addopen(&actions, 5, "not there", O_RDONLY, 0), 0);
    same(posix_spawn(&pid, sh(":", argv), &actions, NULL, argv, environ), ENOENT);
    fails(waitpid(-1, NULL, 0), ECHILD);
}

TEST(a_duplicate_onto_itself_stays_open)
{
    posix_spawn_file_actions_t actions;
    int fd = works(open("out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    works(dup3(fd, 8, O_CLOEXEC));
    same(posix_spawn_file_actions_init(&actions), 0);
    same(posix_spawn_file_actions_adddup2(&actions, 8, 8), 0);
    exits(run("echo yes >&8", &actions, NULL), 0);
    same_file("out", "yes\n");
}

TEST(groups_and_sessions)
{
    posix_spawnattr_t a;
    pid_t group = -1;
    short flags = 0;
    same(posix_spawnattr_init(&a), 0);
    same(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETPGROUP), 0);
    same(posix_spawnattr_setpgroup(&a, 0), 0);
    same(posix_spawnattr_getflags(&a, &flags), 0);
    same(flags, POSIX_SPAWN_SETPGROUP);
    same(posix_spawnattr_getpgroup(&a, &group), 0);
    same(group, 0);
    pid_t pid = run("read line", NULL, &a);
    same(getpgid(pid), pid);
    works(kill(-pid, SIGKILL));
    tap_reap(pid);
    same(posix_spawnattr_setflags(&a, 0x4000), EINVAL);
}

static void on_signal(int number)
{
    (void)number;
}

TEST(signals_are_as_asked_for)
{
    posix_spawnattr_t a;
    sigset_t set;
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, on_signal);
    dies(run("kill -USR1 $$", NULL, NULL), SIGUSR1); /* no handler outlives exec */
    exits(run("kill -TERM $$; exit 4", NULL, NULL), 4);
    same(posix_spawnattr_init(&a), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    same(posix_spawnattr_setsigdefault(&a, &set), 0);
    same(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGDEF), 0);
    dies(run("kill -TERM $$; exit 4", NULL, &a), SIGTERM);
    sigset_t got;
    same(posix_spawnattr_getsigdefault(&a, &got), 0);
    same(sigismember(&got, SIGTERM), 1);
    same(posix_spawnattr_setsigmask(&a, &set), 0);
    same(posix_spawnattr_getsigmask(&a, &got), 0);
    same(sigismember(&got, SIGTERM), 1);
    same(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK), 0);
    exits(run("kill -TERM $$; exit 5", NULL, &a), 5); /* it is blocked */
    same(posix_spawnattr_destroy(&a), 0);
}

int main(void)
{
    return tap_run("libc_spawn");
}
