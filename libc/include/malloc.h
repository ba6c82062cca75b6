/* <malloc.h>: what <stdlib.h> does not tell about the heap. */
#pragma once

#include <stdlib.h>

size_t malloc_usable_size(void *p);
void *memalign(size_t alignment, size_t size);
