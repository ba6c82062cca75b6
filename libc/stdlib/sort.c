/*
 * qsort is a heap sort: in place, no recursion, n log n for every input. The heap has its largest
 * element at the root; the root goes to the end, the rest is made a heap again.
 */
#include <stdlib.h>

typedef int compare_fn(const void *, const void *);

static void swap(char *a, char *b, size_t size)
{
    for (; size; size--, a++, b++) {
        char t = *a;
        *a = *b;
        *b = t;
    }
}

/* Let element I sink until it is no smaller than its children; the heap has N elements. */
static void sift_down(char *base, size_t i, size_t n, size_t size, compare_fn *compare)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + i * size, base + child * size) >= 0)
            return;
        swap(base + i * size, base + child * size, size);
        i = child;
    }
}

void qsort(void *base, size_t n, size_t size, compare_fn *compare)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(base, i, n, size, compare);
    for (size_t end = n; end-- > 1;) {
        swap(base, (char *)base + end * size, size);
        sift_down(base, 0, end, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t n, size_t size, compare_fn *compare)
{
    while (n) {
        const char *middle = (const char *)base + n / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            base = middle + size;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return NULL;
}
