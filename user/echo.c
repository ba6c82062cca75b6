/*
 * echo [-neE] [WORD...]: the words, with a blank between them and a newline behind.
 *
 *     -n  no newline     -e  \a \b \c \e \f \n \r \t \v \\ \0OOO \xHH mean what they do in C (\c: end)
 *
 * What stands before the words is an option only if every letter of it is: `echo -nope` prints -nope.
 */
#include "command.h"

static bool newline = true, escapes = false;

static bool take_options(const char *word)
{
    if (word[0] != '-' || !word[1] || word[1 + strspn(word + 1, "neE")])
        return false;
    for (word++; *word; word++) {
        if (*word == 'n')
            newline = false;
        else
            escapes = *word == 'e';
    }
    return true;
}

static int digit(char c, int base)
{
    int value = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' ? (c | 32) - 'a' + 10 : base;
    return value < base ? value : -1;
}

/* Up to MAX digits at *S, which moves behind them. */
static int number(const char **s, int base, int max)
{
    int value = 0;
    for (int i = 0; i < max && digit(**s, base) >= 0; i++)
        value = value * base + digit(*(*s)++, base);
    return value;
}

/* Print WORD with its escapes. False: \c ended the output. */
static bool print_escaped(const char *s)
{
    static const char letters[] = "abefnrtv\\", meanings[] = "\a\b\033\f\n\r\t\v\\";
    while (*s) {
        if (*s != '\\' || !s[1]) {
            putchar(*s++);
            continue;
        }
        char c = s[1];
        const char *letter = strchr(letters, c);
        s += 2;
        if (c == 'c')
            return false;
        if (letter) {
            putchar(meanings[letter - letters]);
        } else if (c == '0') {
            putchar(number(&s, 8, 3));
        } else if (c >= '1' && c <= '7') {
            s--;
            putchar(number(&s, 8, 3));
        } else if (c == 'x' && digit(*s, 16) >= 0) {
            putchar(number(&s, 16, 2));
        } else {
            putchar('\\');
            putchar(c);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    int i = 1;
    bool more = true;

    command_begin();
    while (i < argc && take_options(argv[i]))
        i++;
    for (; i < argc && more; i++) {
        if (escapes)
            more = print_escaped(argv[i]);
        else
            fputs(argv[i], stdout);
        if (more && i + 1 < argc)
            putchar(' ');
    }
    if (newline && more)
        putchar('\n');
    return command_end(0);
}
