/* <assert.h>. No guard: what assert() does follows NDEBUG at each inclusion (C17 7.2). */
#undef assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
#define assert(e) ((e) ? (void)0 : __assert_fail(#e, __FILE__, __LINE__, __func__))
#endif
#define static_assert _Static_assert

_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function);
