/* Messages: made from a program's bytes, copied out again. See message.h. */
#include "ipc/message.h"

#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "x86/uaccess.h"

static struct message *message_alloc(size_t n, long type)
{
    struct message *m = NULL;

    if (page_has_room_to_keep())
        m = kmalloc(sizeof(*m));
    if (!m)
        return NULL;
    list_init(&m->bufs);
    m->size = n;
    m->type = type;
    return m;
}

/* A buffer for up to N bytes more, at the end of M; NULL: no memory. */
static struct buf *add_buf(struct message *m, size_t n)
{
    struct buf *b = buf_alloc_small(n);

    if (!b)
        return NULL;
    b->len = (uint32_t)min(n, (size_t)b->room);
    list_push_back(&m->bufs, &b->link);
    return b;
}

struct message *message_from_user(const void __user *data, size_t n, long type)
{
    struct message *m = message_alloc(n, type);

    if (!m)
        return err_ptr(-ENOMEM);
    while (n) {
        struct buf *b = add_buf(m, n);
        int error = b ? 0 : -ENOMEM;
        if (b && copy_from_user(b->base, data, b->len))
            error = -EFAULT;
        if (error) {
            message_free(m);
            return err_ptr(error);
        }
        data = (const char __user *)data + b->len;
        n -= b->len;
    }
    return m;
}

int message_to_user(const struct message *m, void __user *data, size_t n)
{
    struct buf *b;

    list_for_each (b, &m->bufs, link) {
        size_t part = min(n, (size_t)b->len);
        if (part && copy_to_user(data, b->base, part))
            return -EFAULT;
        data = (char __user *)data + part;
        n -= part;
    }
    return 0;
}

struct message *message_clone(const struct message *m)
{
    struct message *copy = message_alloc(m->size, m->type);
    struct buf *from;

    if (!copy)
        return err_ptr(-ENOMEM);
    list_for_each (from, &m->bufs, link) {
        struct buf *b = add_buf(copy, from->len);
        if (!b) {
            message_free(copy);
            return err_ptr(-ENOMEM);
        }
        memcpy(b->base, from->base, from->len);
    }
    return copy;
}

void message_free(struct message *m)
{
    struct buf *b;

    while ((b = list_first(&m->bufs, struct buf, link))) {
        list_remove(&b->link);
        buf_free(b);
    }
    kfree(m);
}

void message_free_list(struct list *messages)
{
    struct message *m;

    while ((m = list_first(messages, struct message, link))) {
        list_remove(&m->link);
        message_free(m);
    }
}
