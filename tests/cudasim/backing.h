/* Host memory behind device buffers: filled with 0xFF bytes (NaN), and touched only where it is used, so that a buffer
 * may be larger than the host's memory. */
#ifndef CUDASIM_BACKING_H
#define CUDASIM_BACKING_H

#include <stddef.h>
#include <stdint.h>

/* NULL if there is no room. */
uint8_t *backing_allocate(size_t bytes);
void backing_free(uint8_t *memory, size_t bytes);

#endif
