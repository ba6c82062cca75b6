/*
 * procfs's files. A file's text is made whole when a read begins at its start, and kept with the open
 * description: later reads, at whatever offset, see the same text. Reading from the start again makes it
 * anew (which is how top looks at /proc/stat every second).
 */
#include <abi/fcntl.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/procfs_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/lock.h"

#define WRITE_MAX 4096

/* ---- text ---- */

void seq_init(struct seq *s)
{
    list_init(&s->pages);
    s->len = 0;
    s->error = 0;
}

void seq_free(struct seq *s)
{
    struct page *p;

    while ((p = list_first(&s->pages, struct page, link))) {
        list_remove(&p->link);
        page_put(p);
    }
    seq_init(s);
}

void seq_write(struct seq *s, const void *data, size_t n)
{
    const char *from = data;

    while (n) {
        size_t used = s->len % PAGE_SIZE;
        if (!used) {
            struct page *fresh = page_alloc(0, ALLOC_USER);
            if (!fresh) {
                s->error = -ENOMEM;
                return;
            }
            list_push_back(&s->pages, &fresh->link);
        }
        struct page *p = list_last(&s->pages, struct page, link);
        size_t chunk = min(n, PAGE_SIZE - used);
        memcpy((char *)page_to_virt(p) + used, from, chunk);
        s->len += chunk;
        from += chunk;
        n -= chunk;
    }
}

void seq_puts(struct seq *s, const char *text)
{
    seq_write(s, text, strlen(text));
}

void seq_printf(struct seq *s, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    size_t n = (size_t)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    seq_write(s, text, min(n, sizeof(text) - 1));
}

void seq_escape(struct seq *s, const char *text, const char *special)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' ? c == '\n' || strchr(special, c) : strchr(special, c) != NULL)
            seq_printf(s, "\\%03o", c);
        else
            seq_write(s, text, 1);
    }
}

/* Up to N bytes of the text from POS on, to the reader. Bytes, or -EFAULT. */
static ssize_t copy_text(const struct seq *s, struct uio *u, size_t pos)
{
    struct page *p;
    size_t start = 0, done = 0;

    list_for_each (p, &s->pages, link) {
        size_t end = min(start + PAGE_SIZE, s->len);
        if (pos < end && u->left) {
            size_t chunk = min(end - pos, u->left);
            size_t n = uio_copy_out(u, (char *)page_to_virt(p) + pos % PAGE_SIZE, chunk);
            done += n;
            pos += n;
            if (n < chunk)
                return done ? (ssize_t)done : -EFAULT;
        }
        start += PAGE_SIZE;
    }
    return (ssize_t)done;
}

/* ---- files ---- */

/* An open file. */
struct text {
    struct mutex lock; /* RANK_PROC_TEXT */
    struct seq seq;    /* lock */
    bool made;         /* lock */
};

/* Hooked up when it is first read: most files are opened, read and closed, but some only written. */
static struct text *get_text(struct file *f)
{
    struct text *t = __atomic_load_n(&f->private, __ATOMIC_ACQUIRE);
    void *none = NULL;

    if (t)
        return t;
    t = kmalloc(sizeof(*t));
    if (!t)
        return NULL;
    mutex_init(&t->lock, RANK_PROC_TEXT, "procfs");
    seq_init(&t->seq);
    t->made = false;
    if (!__atomic_compare_exchange_n(&f->private, &none, t, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        kfree(t);
        return none;
    }
    return t;
}

/* The process, if it is one's, still lives, and the caller may see this of it. */
static int get_inspected(const struct proc_inode *pi, struct subject *who)
{
    int error = subject_get(pi, who);

    if (!error && pi->node->inspect && !proc_may_inspect(who->proc)) {
        subject_put(who);
        error = -EACCES;
    }
    return error;
}

int proc_text_open(struct inode *i)
{
    struct subject who;
    const struct proc_inode *pi = i->private;

    if (!pi->node->inspect)
        return 0;
    int error = get_inspected(pi, &who);
    if (!error)
        subject_put(&who);
    return error;
}

static int make_text(const struct proc_inode *pi, struct seq *s)
{
    struct subject who;

    seq_free(s);
    if (!pi->node->show)
        return -EINVAL;
    int error = get_inspected(pi, &who);
    if (error)
        return error;
    error = pi->node->show(s, &who);
    subject_put(&who);
    return error ? error : s->error;
}

static ssize_t text_read(struct file *f, struct uio *u, off_t *pos)
{
    const struct proc_inode *pi = f->inode->private;
    struct text *t = get_text(f);
    ssize_t n = 0;

    if (!t)
        return -ENOMEM;
    if (*pos < 0)
        return -EINVAL;
    mutex_lock(&t->lock);
    if (!t->made || *pos == 0) {
        n = make_text(pi, &t->seq);
        t->made = n == 0;
    }
    if (!n)
        n = copy_text(&t->seq, u, (size_t)*pos);
    mutex_unlock(&t->lock);
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t text_write(struct file *f, struct uio *u, off_t *pos)
{
    const struct proc_inode *pi = f->inode->private;
    size_t n = u->left;
    struct subject who;

    if (!pi->node->write)
        return -EIO;
    if (n >= WRITE_MAX)
        return -EINVAL;
    char *text = kmalloc(n + 1);
    if (!text)
        return -ENOMEM;
    int error = uio_copy_in(u, text, n) < n ? -EFAULT : 0;
    text[n] = '\0';
    if (!error)
        error = get_inspected(pi, &who);
    if (!error) {
        size_t len = n && text[n - 1] == '\n' ? n - 1 : n;
        text[len] = '\0';
        error = pi->node->write(&who, text, len);
        subject_put(&who);
    }
    kfree(text);
    if (!error)
        *pos += (off_t)n;
    return error ? error : (ssize_t)n;
}

static off_t text_lseek(struct file *f, off_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    return f->pos = offset;
}

static void text_release(struct file *f)
{
    struct text *t = f->private;

    if (!t)
        return;
    seq_free(&t->seq);
    kfree(t);
}

const struct file_ops proc_text_ops = {
    .read = text_read,
    .write = text_write,
    .lseek = text_lseek,
    .release = text_release,
    .seekable = true,
    .splice_from = true,
};

const struct file_ops proc_process_text_ops = {
    .read = text_read,
    .write = text_write,
    .lseek = text_lseek,
    .release = text_release,
    .seekable = true,
};
