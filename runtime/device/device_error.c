#include "device_error.h"

#include <stdarg.h>

bool device_fail(struct device_error *e, int status, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    e->status = status;
    vsnprintf(e->text, sizeof e->text, format, ap);
    va_end(ap);
    return false;
}
