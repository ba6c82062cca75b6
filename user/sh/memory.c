/*
 * Memory. Nearly everything a shell allocates dies together: the tree of a line when the line is done,
 * the words of a command when the command has ended. So both come from arenas: memory is taken from the
 * newest chunk, never given back one by one, and freed down to a mark. Marks nest as commands do.
 */
#include <stdlib.h>
#include <string.h>

#include "sh.h"

#define CHUNK_SIZE 4000

struct chunk {
    struct chunk *next;
    size_t used, size;
    char data[] __attribute__((aligned(16)));
};

struct arena scratch;

void *allocate(void *old, size_t size)
{
    void *p = realloc(old, size);

    if (p == NULL)
        fail("Out of space");
    return p;
}

char *copy_string(const char *s)
{
    return strcpy(allocate(NULL, strlen(s) + 1), s);
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct chunk *c = a->chunks;

    size = (size + 15) & ~(size_t)15;
    if (c == NULL || c->size - c->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        c = allocate(NULL, sizeof *c + room);
        *c = (struct chunk){.next = a->chunks, .size = room};
        a->chunks = c;
    }
    c->used += size;
    return memset(c->data + c->used - size, 0, size);
}

char *arena_string(struct arena *a, const char *s, size_t length)
{
    return memcpy(arena_alloc(a, length + 1), s, length);
}

struct mark arena_mark(struct arena *a)
{
    return (struct mark){a->chunks, a->chunks != NULL ? a->chunks->used : 0};
}

void arena_release(struct arena *a, struct mark mark)
{
    while (a->chunks != mark.chunk) {
        struct chunk *c = a->chunks;
        a->chunks = c->next;
        free(c);
    }
    if (a->chunks != NULL)
        a->chunks->used = mark.used;
}

void buffer_add(struct buffer *b, const char *s, size_t length)
{
    if (b->room - b->length <= length) {
        b->room = (b->length + length + 32) * 2;
        b->data = allocate(b->data, b->room);
    }
    memcpy(b->data + b->length, s, length);
    b->length += length;
    b->data[b->length] = '\0';
}

void buffer_put(struct buffer *b, char c)
{
    buffer_add(b, &c, 1);
}

char *buffer_take(struct buffer *b)
{
    char *text = arena_string(&scratch, b->data != NULL ? b->data : "", b->length);

    free(b->data);
    *b = (struct buffer){0};
    return text;
}
