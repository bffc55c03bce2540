/* Filling a device_error. */
#ifndef DEVICE_ERROR_H
#define DEVICE_ERROR_H

#include "device.h"

/* Sets status and text (cut to fit) and returns false, so that a caller can say `return device_fail(...)`. */
bool device_fail(struct device_error *e, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
