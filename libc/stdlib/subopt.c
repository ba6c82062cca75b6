/* Options inside an option: "-o ro,size=4k" (POSIX, getsubopt). */
#include <stdlib.h>
#include <string.h>

int getsubopt(char **options, char *const *names, char **value)
{
    char *option = *options, *end = strchrnul(option, ',');
    size_t length = strcspn(option, ",=");
    *options = *end ? end + 1 : end;
    *end = '\0';
    *value = option[length] ? option + length + 1 : NULL;
    for (int i = 0; names[i]; i++)
        if (strncmp(names[i], option, length) == 0 && !names[i][length])
            return i;
    *value = option; /* none of them: the whole is for the message */
    return -1;
}
