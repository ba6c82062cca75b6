/*
 * The vDSO's two pages, and how they come into every program.
 *
 *     page 0    the shared library (kernel/x86/vdso/), as it was linked
 *     page 1    the clock page, which the kernel keeps up to date
 *
 * They belong to one object that lives as long as the machine runs, and each program has a private mapping
 * of it: all see the same pages, and one that makes its mapping writable and writes has made a copy that
 * nobody else sees.
 */
#include "proc/vdso.h"

#include <abi/mman.h>

#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/vmobject.h"
#include "x86/clock.h"
#include "x86/panic.h"

#define VDSO_PAGES 2

extern const uint8_t vdso_image[], vdso_image_end[]; /* x86/vdso_image.asm */

static struct vmobject *object; /* const after vdso_init() */

static void *make_page(uint64_t index)
{
    struct page *p = vmobject_page(object, index, true);

    if (is_err(p))
        panic("no memory for the vDSO");
    return page_to_virt(p); /* the reference that we got is kept for good */
}

void vdso_init(void)
{
    object = vmobject_create(VDSO_PAGES * PAGE_SIZE);
    if (!object)
        panic("no memory for the vDSO");
    assert((size_t)(vdso_image_end - vdso_image) <= PAGE_SIZE);
    memcpy(make_page(0), vdso_image, (size_t)(vdso_image_end - vdso_image));
    clock_share(make_page(1));
}

int vdso_map(struct mm *mm, uintptr_t *at)
{
    long place = mm_map(mm, 0, VDSO_PAGES * PAGE_SIZE, PROT_READ | PROT_EXEC,
                        PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, object, 0, NULL, "[vdso]");

    if (place < 0)
        return (int)place;
    *at = (uintptr_t)place;
    return 0;
}
