/*
 * A circular doubly linked list with the links inside the elements. A list head and an element are
 * the same type; an empty list, and an element on no list, point at themselves. Nothing here locks.
 */
#pragma once

#include "lib/assert.h"
#include "lib/types.h"

struct list {
    struct list *next; /* the lock of whoever owns the list, for both */
    struct list *prev;
};

#define LIST_INIT(name)   \
    {                     \
        &(name), &(name), \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Insert NODE between PREV and PREV's successor. */
static inline void list_insert_after(struct list *prev, struct list *node)
{
    assert(prev->next->prev == prev);
    node->next = prev->next;
    node->prev = prev;
    prev->next->prev = node;
    prev->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_after(head->prev, node);
}

/* Unlink NODE and leave it an empty list of its own, so that removing it twice does no harm. */
static inline void list_remove(struct list *node)
{
    assert(node->prev->next == node && node->next->prev == node);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Move all of FROM's elements to the end of TO; FROM becomes empty. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* Move all of FROM's elements before TO's first; FROM becomes empty. */
static inline void list_splice_front(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->prev->next = to->next;
    to->next->prev = from->prev;
    from->next->prev = to;
    to->next = from->next;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

/* The first or last element, or NULL when the list is empty. */
#define list_first(head, type, member) \
    (list_empty(head) ? NULL : list_entry((head)->next, type, member))
#define list_last(head, type, member) \
    (list_empty(head) ? NULL : list_entry((head)->prev, type, member))

/* Visit every element; the _safe form survives removal of the element it visits. */
#define list_for_each(pos, head, member)                                                   \
    for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_safe(pos, tmp, head, member)                    \
    for (pos = list_entry((head)->next, __typeof__(*pos), member),    \
        tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
         &pos->member != (head);                                      \
         pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))
