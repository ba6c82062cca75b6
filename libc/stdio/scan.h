/* The scanf family's engine. */
#pragma once

#include <stdarg.h>

#include "stdio/file.h"

/* Read from F, which is locked, what FORMAT says. How many conversions were assigned, or EOF. */
int __scan(FILE *f, const char *format, va_list args);
