/* Bits of floats, and storage formats narrower than float: rounding to nearest even unless said otherwise. */
#ifndef CUDASIM_CONVERT_H
#define CUDASIM_CONVERT_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float bits_float(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* What .ftz does to operands and results: subnormals become zeros of the same sign. */
static inline float flush_subnormal(float x)
{
    const uint32_t u = float_bits(x);
    return bits_float(u & (u & 0x7f800000u ? ~0u : 0x80000000u));
}

static inline float float_from_bfloat(uint16_t h)
{
    return bits_float((uint32_t)h << 16);
}

static inline uint16_t bfloat_from_float(float x)
{
    const uint32_t u = float_bits(x);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff;
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static inline float float_from_half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023u;
    if (exponent == 31)
        return bits_float(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) {
        const float x = (float)fraction * 0x1p-24f;
        return sign ? -x : x;
    }
    return bits_float(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t half_from_float(float x)
{
    const uint32_t u = float_bits(x), sign = u >> 16 & 0x8000u, magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return 0x7fff;
    if (magnitude >= 0x477ff000u) /* 65520 and above */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { /* subnormal: adding 0.5 aligns the units of 2^-24, the FPU rounds */
        const uint32_t shifted = float_bits(bits_float(magnitude) + 0.5f) - 0x3f000000u;
        return (uint16_t)(sign | shifted);
    }
    return (uint16_t)(sign | (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13);
}

/* To nearest, ties away from zero: 10 bits of fraction are left. */
static inline uint32_t tf32_from_float(float x)
{
    const uint32_t u = float_bits(x);
    return (u & 0x7f800000u) == 0x7f800000u ? u : (u + 0x1000u) & ~0x1fffu;
}

#endif
