/* The lines of /etc/hosts, /etc/services and /etc/resolv.conf as words. */
#include "net/table.h"

#include <string.h>
#include <strings.h>

bool __table_next(FILE *f, struct table_line *line)
{
    while (fgets(line->text, sizeof line->text, f) != NULL) {
        bool whole = strchr(line->text, '\n') != NULL || feof(f);
        char *rest = line->text, *word;

        for (int c = 0; !whole && c != '\n' && c != EOF;)
            c = getc(f);
        line->text[strcspn(line->text, "#\n")] = '\0';
        line->count = 0;
        while (line->count < TABLE_WORDS && (word = strtok_r(rest, " \t\r", &rest)) != NULL)
            line->words[line->count++] = word;
        line->words[line->count] = NULL;
        if (whole && line->count >= 2)
            return true;
    }
    return false;
}

bool __table_has(const struct table_line *line, int first, const char *name, bool any_case)
{
    for (int i = first; i < line->count; i++)
        if ((any_case ? strcasecmp(line->words[i], name) : strcmp(line->words[i], name)) == 0)
            return true;
    return false;
}
