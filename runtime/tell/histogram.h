/* Counts of values in bins that grow by a constant ratio, so that weights of 1e-5 and gradients of 10 fit the same ones. The bounds are
 * every second one of TensorFlow's (tsl/lib/histogram/histogram.cc, and PyTorch's default_bins): +-1e-12 * 1.21^k up to 1e20, and
 * 0; [lower, upper). */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_SIDE = 387, /* bounds of one sign */
    HISTOGRAM_BINS = 2 * HISTOGRAM_SIDE + 2,
    HISTOGRAM_CELLS = 1 << 12,
    HISTOGRAM_SHOWN = 96 /* bins that are left of them */
};

struct histogram {                  /* all zeros: nothing seen */
    double n, min, max;             /* of finite values, as the rest */
    double sum, squares;            /* squares: sum of squares */
    int64_t others;                 /* NaN and infinities */
    uint32_t count[HISTOGRAM_BINS]; /* bin b is [limit[b - 1], limit[b]) */
};

struct histogram_limits {
    double limit[HISTOGRAM_BINS]; /* the last: of all floats */
    uint16_t first
        [HISTOGRAM_CELLS]; /* by sign, exponent and three bits of the fraction: the bin of the lowest float there */
};

void histogram_limits_make(struct histogram_limits *l);
/* At most 2^32 - 1 in all. */
void histogram_add(struct histogram *h, const struct histogram_limits *l, const float *value, size_t n);
/* What is shown: bins below a thousandth of the largest magnitude are one on each side of 0, and zeros have a bin of their own; empty
 * bins on end are one. limit[i] is the upper end of bin i. Returns how many. */
size_t histogram_show(const struct histogram *h, const struct histogram_limits *l, double limit[HISTOGRAM_SHOWN],
                      double count[HISTOGRAM_SHOWN]);

/* What the parameters of a network are like at one moment. */
struct parameter_values {
    const char *name; /* "fc1.weight" */
    int64_t elements; /* that it has; not all need be counted */
    struct histogram weights, gradients, updates;
};
struct parameters_report {
    int n;
    struct parameter_values *of;
    const struct histogram_limits *limits;
};

#endif
