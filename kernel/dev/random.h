/*
 * Random numbers: a ChaCha20 generator (RFC 8439's block function) with fast key erasure, keyed at boot from
 * RDSEED, RDRAND and the clock, and rekeyed as interrupt timing and what programs write arrive.
 */
#pragma once

#include "lib/types.h"

void random_init(void);
void random_bytes(void *buf, size_t n); /* any context */
uint64_t random_u64(void);
/* Stir bytes in: they can't make the numbers any worse. Any context. */
void random_mix(const void *data, size_t n);
/* An interrupt came, at a time nobody outside could foresee; WHAT says a little more. Interrupt handlers only. */
void random_mix_event(uint64_t what);
