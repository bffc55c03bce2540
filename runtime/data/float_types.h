/* Weights of other precisions as float: IEEE 754 binary16, bfloat16, binary32 and binary64. */
#ifndef FLOAT_TYPES_H
#define FLOAT_TYPES_H

#include "safetensors.h"

/* The type is one of those. */
bool float_type(enum st_type type);
/* n elements from any address; of F64 the nearest floats. */
void float_values(enum st_type type, const void *from, uint64_t n, float *to);

#endif
