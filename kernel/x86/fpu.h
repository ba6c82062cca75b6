/*
 * The floating point and vector state of programs. The kernel itself uses none of it, so the
 * registers always hold the current user thread's state, and a switch saves and loads them at once.
 */
#pragma once

#include "lib/types.h"

/*
 * The XSAVE area in standard format (SDM volume 1, 13.4), as signal frames and core files have it.
 */
struct xsave_area {
    uint8_t legacy[512];
    uint64_t xstate_bv;
    uint64_t xcomp_bv;
    uint64_t reserved[6];
    uint8_t extended[];
};

extern size_t fpu_area_size;  /* const after fpu_init() */
extern uint64_t fpu_features; /* const after fpu_init(): XCR0; x87 and SSE alone without XSAVE */

/* Boot CPU: find the features, enable them. Every other CPU: enable them. */
void fpu_init(void);
void fpu_init_cpu(void);
void fpu_cache_init(void); /* needs slabs */

struct xsave_area *fpu_alloc(void); /* NULL when out of memory */
void fpu_free(struct xsave_area *area);

/* Between this CPU's registers and memory. */
void fpu_save(struct xsave_area *area);
void fpu_load(const struct xsave_area *area);
/*
 * The same with an area in user memory, a signal frame's; it may sleep on the way. TO and FROM are addresses that
 * were checked, with all that belongs to the area, at a multiple of 64 (FXSAVE's part alone: 16).
 *
 * fpu_save_user: the header there must hold zeroes. False when it can't be written.
 * fpu_load_user: FEATURES of what is there, the rest as in a new program; 0: what is there is FXSAVE's. False when
 * it can't be read or the processor refuses it, and then everything is as in a new program.
 */
bool must_check fpu_save_user(uintptr_t to);
bool must_check fpu_load_user(uintptr_t from, uint64_t features);
void fpu_reset(void); /* as at process entry */

/* The bits of MXCSR that may be set without a fault (SDM volume 1, 11.6.6). */
uint32_t fpu_mxcsr_mask(void);
