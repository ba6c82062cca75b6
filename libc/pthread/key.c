/*
 * Values of a thread's own, by key. Each use of a key has a number (odd while it is in use), and a value counts
 * only with the number under which it was set: so a key that is deleted and made again starts empty everywhere.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "internal/thread.h"

struct key_value {
    unsigned use;
    void *value;
};

static struct lock lock;
static struct {
    unsigned use; /* atomic; written with the lock held */
    void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

static unsigned use_of(pthread_key_t key)
{
    return __atomic_load_n(&keys[key].use, __ATOMIC_ACQUIRE);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    __lock_acquire(&lock);
    for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++) {
        if (keys[k].use % 2)
            continue;
        keys[k].destructor = destructor;
        __atomic_store_n(&keys[k].use, keys[k].use + 1, __ATOMIC_RELEASE);
        __lock_release(&lock);
        *key = k;
        return 0;
    }
    __lock_release(&lock);
    return EAGAIN;
}

int pthread_key_delete(pthread_key_t key)
{
    int error = EINVAL;
    __lock_acquire(&lock);
    if (key < PTHREAD_KEYS_MAX && keys[key].use % 2) {
        __atomic_store_n(&keys[key].use, keys[key].use + 1, __ATOMIC_RELEASE);
        error = 0;
    }
    __lock_release(&lock);
    return error;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct __pthread *self = thread_self();
    if (key >= PTHREAD_KEYS_MAX || use_of(key) % 2 == 0)
        return EINVAL;
    if (!self->values && !(self->values = calloc(PTHREAD_KEYS_MAX, sizeof(*self->values))))
        return ENOMEM;
    self->values[key] = (struct key_value){use_of(key), (void *)value};
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    struct key_value *values = thread_self()->values;
    if (!values || key >= PTHREAD_KEYS_MAX || values[key].use != use_of(key))
        return NULL;
    return values[key].value;
}

/* A destructor may set values again: look a few times. */
void __run_key_destructors(struct __pthread *self)
{
    for (int round = 0; self->values && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++) {
            struct key_value *v = &self->values[k];
            void *value = v->value;
            if (!value || v->use != use_of(k))
                continue;
            v->value = NULL;
            __lock_acquire(&lock);
            void (*destructor)(void *) = keys[k].destructor;
            __lock_release(&lock);
            if (destructor)
                destructor(value);
        }
    }
    free(self->values);
    self->values = NULL;
}
