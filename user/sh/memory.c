/*
 * Memory. Nearly everything a shell allocates dies together: the tree of a line when the line is done, the
 * words of a command when the command has ended. So there is one stack of blocks: none is given back alone,
 * only all that are newer than a mark. Marks nest as commands do.
 */
#include "sh.h"

struct block {
    struct block *older;
    char data[];
};

struct block *newest;

void *allocate(void *old, size_t size)
{
    void *p = realloc(old, size);
    if (p == NULL)
        fail("Out of space");
    return p;
}

void *stack_alloc(size_t size)
{
    struct block *b = allocate(NULL, sizeof *b + size);
    b->older = newest;
    newest = b;
    return memset(b->data, 0, size);
}

char *stack_string(const char *s, size_t length)
{
    return memcpy(stack_alloc(length + 1), s, length);
}

char *number_string(long long number)
{
    char *text = stack_alloc(24);
    sprintf(text, "%lld", number);
    return text;
}

void stack_release(struct block *mark)
{
    for (struct block *gone; (gone = newest) != mark; free(gone))
        newest = gone->older;
}

/* Twice the room each time: what is left behind on the stack is less than the string. */
void buffer_put(struct buffer *b, char c)
{
    if (b->length + 2 > b->room) {
        b->room = 2 * b->room + 32;
        b->data = memcpy(stack_alloc(b->room), b->data, b->length);
    }
    b->data[b->length++] = c;
}
