/* value_stats.c: mean, deviation and range of values, and the values of every type of safetensors. */
#include "value_stats.h"

#include "float_types.h"

#include <math.h>
#include <string.h>

void stats_add(struct value_stats *s, const double *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(value[i])) {
            s->others++;
            continue;
        }
        s->min = s->n == 0 || value[i] < s->min ? value[i] : s->min;
        s->max = s->n == 0 || value[i] > s->max ? value[i] : s->max;
        double apart = value[i] - s->mean;
        s->mean += apart / (double)++s->n;
        s->squares += apart * (value[i] - s->mean);
    }
}

double stats_deviation(const struct value_stats *s)
{
    return s->n > 0 ? sqrt(s->squares / (double)s->n) : NAN;
}

#define WHOLE(name_, type_)                                                                                            \
    static double name_(const unsigned char *p)                                                                        \
    {                                                                                                                  \
        type_ value;                                                                                                   \
        memcpy(&value, p, sizeof value);                                                                               \
        return (double)value;                                                                                          \
    }
WHOLE(of_u8, uint8_t)
WHOLE(of_i8, int8_t)
WHOLE(of_i16, int16_t)
WHOLE(of_u16, uint16_t)
WHOLE(of_i32, int32_t)
WHOLE(of_u32, uint32_t)
WHOLE(of_i64, int64_t)
WHOLE(of_u64, uint64_t)
WHOLE(of_f64, double)

static double (*const convert[ST_N_TYPES])(const unsigned char *) = {
    [ST_BOOL] = of_u8, [ST_U8] = of_u8,   [ST_I8] = of_i8,   [ST_I16] = of_i16, [ST_U16] = of_u16,
    [ST_I32] = of_i32, [ST_U32] = of_u32, [ST_I64] = of_i64, [ST_U64] = of_u64, [ST_F64] = of_f64,
};

bool stats_values(enum st_type type, const void *from, int64_t n, double *to)
{
    const unsigned char *at = from;
    if (!convert[type] && !float_type(type))
        return false;
    for (int64_t i = 0; i < n; i++, at += st_type_size(type))
        if (convert[type]) {
            to[i] = convert[type](at);
        } else {
            float value;
            float_values(type, at, 1, &value);
            to[i] = (double)value;
        }
    return true;
}
