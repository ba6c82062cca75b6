/*
 * What the compiler calls in debug builds when it meets undefined behaviour (-fsanitize=undefined). Each
 * handler says what happened and where, and panics: in a kernel there is no going on from it.
 *
 * The shapes of the data that the compiler passes are those of GCC's and LLVM's libubsan ABI.
 */
#include "lib/assert.h"
#include "lib/types.h"

#ifdef CONFIG_DEBUG

struct source_location {
    const char *file;
    uint32_t line;
    uint32_t column;
};

struct type_descriptor {
    uint16_t kind; /* 0: integer */
    uint16_t info; /* integer: bit 0 signed, the rest log2 of the width in bits */
    char name[];
};

/* Every record begins with where it happened; most follow with the type concerned. */
struct ubsan_at {
    struct source_location at;
};

struct ubsan_typed {
    struct source_location at;
    struct type_descriptor *type;
};

struct ubsan_bounds {
    struct source_location at;
    struct type_descriptor *array;
    struct type_descriptor *index;
};

struct ubsan_mismatch {
    struct source_location at;
    struct type_descriptor *type;
    uint8_t log_alignment;
    uint8_t access;
};

static _Noreturn void ubsan_panic(const struct source_location *at, const char *what)
{
    panic("undefined behaviour: %s at %s:%u:%u", what, at->file, at->line, at->column);
}

#define ARITHMETIC(handler, what)                                                                  \
    _Noreturn void __ubsan_handle_##handler(struct ubsan_typed *d, uintptr_t a, uintptr_t b);      \
    _Noreturn void __ubsan_handle_##handler(struct ubsan_typed *d, uintptr_t a, uintptr_t b)       \
    {                                                                                              \
        panic("undefined behaviour: %s of %s, %#lx and %#lx, at %s:%u:%u", what, d->type->name, a, \
              b, d->at.file, d->at.line, d->at.column);                                            \
    }

ARITHMETIC(add_overflow, "overflow in an addition")
ARITHMETIC(sub_overflow, "overflow in a subtraction")
ARITHMETIC(mul_overflow, "overflow in a multiplication")
ARITHMETIC(divrem_overflow, "division by zero or overflow")
ARITHMETIC(shift_out_of_bounds, "a shift out of range")
ARITHMETIC(negate_overflow, "overflow in a negation")

#define SIMPLE(name, what)                                    \
    _Noreturn void __ubsan_handle_##name(struct ubsan_at *d); \
    _Noreturn void __ubsan_handle_##name(struct ubsan_at *d)  \
    {                                                         \
        ubsan_panic(&d->at, what);                            \
    }

SIMPLE(builtin_unreachable, "an unreachable place was reached")
SIMPLE(missing_return, "a function ended without its value")
SIMPLE(nonnull_arg, "NULL passed where it may not be")
SIMPLE(nonnull_return_v1, "NULL returned where it may not be")
SIMPLE(vla_bound_not_positive, "an array of no size")
SIMPLE(invalid_builtin, "a builtin with an invalid argument")

_Noreturn void __ubsan_handle_out_of_bounds(struct ubsan_bounds *d, uintptr_t index);
_Noreturn void __ubsan_handle_out_of_bounds(struct ubsan_bounds *d, uintptr_t index)
{
    panic("undefined behaviour: index %ld of %s at %s:%u:%u", (long)index, d->array->name,
          d->at.file, d->at.line, d->at.column);
}

_Noreturn void __ubsan_handle_load_invalid_value(struct ubsan_typed *d, uintptr_t value);
_Noreturn void __ubsan_handle_load_invalid_value(struct ubsan_typed *d, uintptr_t value)
{
    panic("undefined behaviour: %#lx is no value of %s at %s:%u:%u", value, d->type->name,
          d->at.file, d->at.line, d->at.column);
}

_Noreturn void __ubsan_handle_pointer_overflow(struct ubsan_at *d, uintptr_t base,
                                               uintptr_t result);
_Noreturn void __ubsan_handle_pointer_overflow(struct ubsan_at *d, uintptr_t base, uintptr_t result)
{
    panic("undefined behaviour: pointer %#lx became %#lx at %s:%u:%u", base, result, d->at.file,
          d->at.line, d->at.column);
}

_Noreturn void __ubsan_handle_type_mismatch_v1(struct ubsan_mismatch *d, uintptr_t ptr);
_Noreturn void __ubsan_handle_type_mismatch_v1(struct ubsan_mismatch *d, uintptr_t ptr)
{
    const char *why = !ptr                                    ? "NULL"
                      : ptr & ((1UL << d->log_alignment) - 1) ? "misaligned"
                                                              : "too small";
    panic("undefined behaviour: a %s pointer %#lx to %s at %s:%u:%u", why, ptr, d->type->name,
          d->at.file, d->at.line, d->at.column);
}

#endif
