/* The cpu device with another emitter than emit_kernels: for tests, and for looking at one kernel alone. */
#ifndef DEVICE_CPU_H
#define DEVICE_CPU_H

#include "device/device.h"
#include "emit/emit.h"

typedef bool emitter(const struct plan *p, const struct emit_options *o, FILE *out);

/* As device_cpu_open of device.h. If NETRUN_POISON=1 is in the environment, every run begins by filling the arena with
 * NaNs, persistent tensors excepted: a kernel that reads what none has written in this run then shows. */
struct device *device_cpu_open_with(const struct device_options *o, emitter *emit, struct device_error *e);

/* NULL with *e filled if it cannot be had. */
struct device *device_cpu_open(const struct device_options *o, struct device_error *e);

#endif
