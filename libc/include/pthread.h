/*
 * <pthread.h>, its beginning: threads that are created, end and are joined, the plain mutex, and
 * pthread_once. A thread is a clone() that shares everything; joining waits on its futex.
 */
#pragma once

#include <sched.h>
#include <signal.h>

typedef struct __pthread *pthread_t;

typedef struct {
    size_t stack_size;
    int detached;
} pthread_attr_t;

typedef struct {
    int state; /* 0 free, 1 held, 2 held and somebody may be waiting */
} pthread_mutex_t;

typedef int pthread_once_t;
typedef struct {
    int unused;
} pthread_mutexattr_t;

#define PTHREAD_MUTEX_INITIALIZER \
    {                             \
        0                         \
    }
#define PTHREAD_ONCE_INIT 0
#define PTHREAD_CREATE_JOINABLE 0
#define PTHREAD_CREATE_DETACHED 1

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                   void *arg);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
_Noreturn void pthread_exit(void *result);
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_once(pthread_once_t *once, void (*routine)(void));
