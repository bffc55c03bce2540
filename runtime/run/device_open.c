/* device_open.c: the device that the command line names, or the best there is. */
#include "run.h"
#include "cpu/device_cpu.h"
#include "cuda/device_cuda.h"
#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>

/* "cuda" or "cuda:N". */
static bool read_ordinal(const char *name, int *ordinal)
{
    char *end;
    *ordinal = 0;
    if (strcmp(name, "cuda") == 0)
        return true;
    if (strncmp(name, "cuda:", 5) != 0 || name[5] < '0' || name[5] > '9')
        return false;
    long n = strtol(name + 5, &end, 10);
    *ordinal = n < 1024 ? (int)n : 1024;
    return *end == '\0';
}

struct device *device_open(const char *name, const struct device_options *o, char *why, size_t size,
                           struct device_error *e)
{
    bool any = strcmp(name, "auto") == 0;
    int ordinal;
    *why = '\0';
    if (any || read_ordinal(name, &ordinal)) {
        struct device *d = device_cuda_open(o, any ? 0 : ordinal, e);
        if (d && any)
            snprintf(why, size, "%s", "it is there; --device cpu if it shall not be used");
        if (d || !any)
            return d;
        snprintf(why, size, "%s", e->text);
    } else if (strcmp(name, "cpu") != 0) {
        device_fail(e, 2, "--device %s: expected auto, cpu, cuda or cuda:N", name);
        return NULL;
    }
    if (o->precision != PRECISION_FP32) {
        device_fail(e, 5, "the CPU computes in fp32 only, not in %s%s%s", precision_word[o->precision],
                    *why ? "; there is no GPU: " : "", why);
        return NULL;
    }
    return device_cpu_open(o, e);
}
