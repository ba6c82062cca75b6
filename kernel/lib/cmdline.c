/*
 * The command line of cmdline.h, cut once into words that stay where they are in a copy.
 */
#include "lib/cmdline.h"

#include "lib/string.h"

#define LINE_MAX 4096
#define WORDS_MAX 512

static char text[LINE_MAX];    /* const after init: the line as given */
static char copy[LINE_MAX];    /* const after init: the words, each ended by NUL */
static char *words[WORDS_MAX]; /* const after init */
static unsigned nwords;        /* const after init */

/* The words that mean something to the kernel itself; everything else is process 1's. */
static const char *const known[] = {
    "console",       "init",     "rdinit",     "root",
    "quiet",         "debug",    "panic",      "loglevel",
    "seed",          "ktest",    "nokaslr",    "norandmaps",
    "rootfstype",    "ro",       "rw",         "randomize_kstack_offset",
    "noapic",        "nosmp",    "maxcpus",    "earlyprintk",
    "BOOT_IMAGE",    "initrd",   "nowatchdog", "hostname",
    "panic_console", "watchdog",
};

/* End the word that begins at *P, taking quotes out; returns where the next may begin. */
static char *cut_word(char *p)
{
    char *out = p;
    bool quoted = false;

    for (; *p && (quoted || *p != ' '); p++) {
        if (*p == '"')
            quoted = !quoted;
        else
            *out++ = *p;
    }
    char *next = *p ? p + 1 : p;
    *out = '\0';
    return next;
}

void cmdline_init(const char *line)
{
    strlcpy(text, line, sizeof(text));
    strlcpy(copy, line, sizeof(copy));
    for (char *p = copy; *p; p++)
        if (*p == '\t' || *p == '\n')
            *p = ' ';
    for (char *p = copy; *p && nwords < WORDS_MAX;) {
        if (*p == ' ') {
            p++;
            continue;
        }
        words[nwords] = p;
        p = cut_word(p);
        nwords++;
    }
}

const char *cmdline_text(void)
{
    return text;
}

/* Where the value of WORD begins if its name is NAME. */
static const char *value_of(const char *word, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(word, name, n) != 0 || (word[n] && word[n] != '='))
        return NULL;
    return word[n] ? word + n + 1 : word + n;
}

const char *cmdline_get(const char *name)
{
    const char *found = NULL;
    for (unsigned i = 0; i < nwords && strcmp(words[i], "--") != 0; i++) {
        const char *value = value_of(words[i], name);
        if (value)
            found = value;
    }
    return found;
}

uint64_t cmdline_u64(const char *name, uint64_t fallback)
{
    const char *s = cmdline_get(name);
    uint64_t value;
    return s && parse_u64(s, 0, &value) == 0 ? value : fallback;
}

static bool is_known(const char *word)
{
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        if (value_of(word, known[i]))
            return true;
    return false;
}

static bool is_module_option(const char *word)
{
    const char *equals = strchr(word, '=');
    const char *dot = strchr(word, '.');
    return dot && (!equals || dot < equals);
}

int cmdline_for_init(char **argv, size_t argc, char **envp, size_t envc, size_t max)
{
    bool all = false; /* "--" was seen */

    for (unsigned i = 0; i < nwords; i++) {
        if (!all && strcmp(words[i], "--") == 0) {
            all = true;
            continue;
        }
        if (!all && (is_known(words[i]) || is_module_option(words[i])))
            continue;
        bool variable = !all && strchr(words[i], '=');
        if ((variable ? envc : argc) + 1 >= max)
            return -E2BIG;
        if (variable)
            envp[envc++] = words[i];
        else
            argv[argc++] = words[i];
    }
    argv[argc] = NULL;
    envp[envc] = NULL;
    return 0;
}
