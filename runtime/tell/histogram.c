/* histogram.c: floats into bins. A float's upper bits lead to the bin, or to the one below it: a bin is wider than what they tell apart. */
#include "histogram.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SHIFT = 20, ZERO = HISTOGRAM_SIDE }; /* bits below a cell's; limit[ZERO] is 0 */

/* How many limits are not above the value: the bin that it is in. */
static uint16_t bin_of(const struct histogram_limits *l, double value)
{
    uint16_t bin = 0;
    while (bin < HISTOGRAM_BINS - 1 && l->limit[bin] <= value)
        bin++;
    return bin;
}

void histogram_limits_make(struct histogram_limits *l)
{
    double v = 1e-12;
    for (int k = 0; k < HISTOGRAM_SIDE; k++, v *= 1.1, v *= 1.1) {
        l->limit[ZERO + 1 + k] = v;
        l->limit[ZERO - 1 - k] = -v;
    }
    l->limit[ZERO] = 0;
    l->limit[HISTOGRAM_BINS - 1] = DBL_MAX;
    for (uint32_t cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        const uint32_t lowest = cell << SHIFT | (cell >= HISTOGRAM_CELLS / 2 ? (1u << SHIFT) - 1 : 0);
        float value;
        memcpy(&value, &lowest, sizeof value);
        l->first[cell] = isfinite(value) ? bin_of(l, (double)value) : 0;
    }
}

void histogram_add(struct histogram *h, const struct histogram_limits *l, const float *value, size_t n)
{
    double sum = 0, squares = 0;
    float min = INFINITY, max = -INFINITY;
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        const float v = value[i];
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        if ((bits & 0x7f800000) == 0x7f800000)
            continue;
        const uint32_t bin = l->first[bits >> SHIFT];
        h->count[bin + ((double)v >= l->limit[bin])]++;
        min = v < min ? v : min;
        max = v > max ? v : max;
        sum += (double)v;
        squares += (double)v * (double)v;
        finite++;
    }
    h->others += (int64_t)(n - finite);
    if (finite == 0)
        return;
    h->min = h->n > 0 && h->min < (double)min ? h->min : (double)min;
    h->max = h->n > 0 && h->max > (double)max ? h->max : (double)max;
    h->n += (double)finite;
    h->sum += sum;
    h->squares += squares;
}

size_t histogram_show(const struct histogram *h, const struct histogram_limits *l, double limit[HISTOGRAM_SHOWN],
                      double count[HISTOGRAM_SHOWN])
{
    const double small = fmax(fabs(h->min), fabs(h->max)) / 1000;
    double held = 0;
    size_t n = 0;
    for (int bin = 0; bin < HISTOGRAM_BINS; bin++) {
        const double upper = l->limit[bin];
        held += h->count[bin];
        if (bin != ZERO && bin != ZERO + 1 && fabs(upper) < small)
            continue; /* together with the next */
        if (n > 0 && held == 0 && count[n - 1] == 0)
            n--;
        if (n > 0 || held > 0) {
            limit[n] = upper;
            count[n++] = held;
        }
        held = 0;
        if (upper > h->max)
            break;
    }
    return n;
}
