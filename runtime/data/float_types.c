#include "float_types.h"

#include <math.h>
#include <string.h>

static float from_f16(const unsigned char *p)
{
    unsigned bits = (unsigned)(p[0] | p[1] << 8), exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 31
                      ? (fraction ? NAN : INFINITY)
                      : ldexpf((float)(exponent ? fraction | 1024 : fraction), (int)(exponent ? exponent : 1) - 25);
    return bits >> 15 ? -value : value;
}

static float from_bf16(const unsigned char *p)
{
    uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_f32(const unsigned char *p)
{
    float value;
    memcpy(&value, p, sizeof value);
    return value;
}

static float from_f64(const unsigned char *p)
{
    double value;
    memcpy(&value, p, sizeof value);
    return (float)value;
}

static float (*const convert[ST_N_TYPES])(const unsigned char *) = {
    [ST_F16] = from_f16,
    [ST_BF16] = from_bf16,
    [ST_F32] = from_f32,
    [ST_F64] = from_f64,
};

bool float_type(enum st_type type)
{
    return convert[type] != NULL;
}

void float_values(enum st_type type, const void *from, uint64_t n, float *to)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = convert[type]((const unsigned char *)from + i * st_type_size(type));
}
