/* init.c: initial weights from the seed alone, the same on every device. */
#include "run.h"
#include "base/philox.h"

#include <math.h>
#include <stdlib.h>

enum { PART = 1 << 14 }; /* values that are made at a time; a multiple of 4 */

/* Values [at, at + n); at is a multiple of 4. */
static void uniform(float *value, int64_t at, int64_t n, double bound, uint32_t index, uint32_t seed)
{
    const uint32_t key[2] = {index, seed};
    uint32_t word[4];
    for (int64_t i = 0; i < n; i++) {
        const uint32_t counter[4] = {(uint32_t)((at + i) / 4), 0, 0, 0};
        if (i % 4 == 0)
            philox4x32(counter, key, word);
        value[i] = (float)(bound * (2.0 * philox_unit(word[i % 4]) - 1));
    }
}

/* Value number `at` of the normal distribution, by Box and Muller: of words 2k and 2k + 1 of counter {at / 4, try, 0, 0}. */
static double normal(int64_t at, uint32_t attempt, const uint32_t key[2])
{
    const uint32_t counter[4] = {(uint32_t)(at / 4), attempt, 0, 0};
    uint32_t word[4];
    philox4x32(counter, key, word);
    const int pair = (int)(at % 4 / 2) * 2;
    const double u = (word[pair] + 0.5) * 0x1p-32, angle = 2 * acos(-1) * (word[pair + 1] + 0.5) * 0x1p-32;
    return sqrt(-2 * log(u)) * (at % 2 ? sin(angle) : cos(angle));
}

/* Outside [-2, 2] it is drawn again. Of a deviation so large that this hardly ends, the last one is cut. */
static double truncated(int64_t at, double deviation, const uint32_t key[2])
{
    double value = 3;
    for (uint32_t attempt = 0; attempt < 1000 && !(value >= -2 && value <= 2); attempt++)
        value = deviation * normal(at, attempt, key);
    return fmin(fmax(value, -2), 2);
}

/* Orthonormal columns of n rows, by Gram and Schmidt, twice: Q of a QR whose R has a positive diagonal. */
static void orthonormal(double *column, int64_t columns, int64_t n)
{
    for (int64_t c = 0; c < columns; c++) {
        double *own = column + c * n, length = 0;
        for (int64_t k = 0; k < 2 * c; k++) {
            const double *other = column + k % c * n;
            double along = 0;
            for (int64_t i = 0; i < n; i++)
                along += own[i] * other[i];
            for (int64_t i = 0; i < n; i++)
                own[i] -= along * other[i];
        }
        for (int64_t i = 0; i < n; i++)
            length += own[i] * own[i];
        for (int64_t i = 0; i < n; i++)
            own[i] /= sqrt(length);
    }
}

bool init_begin(const struct tensor *t, uint32_t index, uint32_t seed, double **matrix)
{
    const uint32_t key[2] = {index, seed};
    const int64_t all = tensor_elements(t), rows = t->rank ? t->dim[0] : 1, columns = all / rows;
    *matrix = NULL;
    if (t->init != INIT_ORTHOGONAL)
        return true;
    double *m = *matrix = calloc((size_t)all, sizeof *m);
    for (int64_t i = 0; m && i < all; i++) /* the longer side together */
        m[rows <= columns ? i : i % columns * rows + i / columns] = normal(i, 0, key);
    if (m)
        orthonormal(m, rows <= columns ? rows : columns, rows <= columns ? columns : rows);
    return m;
}

void init_values(const struct tensor *t, const double *matrix, uint32_t index, uint32_t seed, int64_t at, int64_t n,
                 float *value)
{
    const uint32_t key[2] = {index, seed};
    const int64_t rows = t->rank ? t->dim[0] : 1, columns = tensor_elements(t) / rows;
    if (t->init == INIT_UNIFORM)
        uniform(value, at, n, t->bound, index, seed);
    for (int64_t i = at; i < at + n && t->init != INIT_UNIFORM; i++) {
        double v = t->init == INIT_ONE;
        if (t->init == INIT_CONSTANT)
            v = t->bound;
        else if (t->init == INIT_NORMAL)
            v = t->bound * normal(i, 0, key);
        else if (t->init == INIT_TRUNCATED)
            v = truncated(i, t->bound, key);
        else if (t->init == INIT_ORTHOGONAL)
            v = t->bound * matrix[rows <= columns ? i : i % columns * rows + i / columns];
        value[i - at] = (float)v;
    }
}

static int init_tensor(struct job *j, int t, uint32_t index)
{
    const struct tensor *tensor = &j->plan->tensor[t];
    float value[PART];
    double *matrix;
    bool good = true;
    if (!init_begin(tensor, index, j->recipe.seed, &matrix))
        return complain(STATUS_INTERNAL, "no memory for the first values of %s", tensor->name);
    for (int64_t at = 0, n, all = tensor_elements(tensor); good && at < all; at += n) {
        n = all - at < PART ? all - at : PART;
        init_values(tensor, matrix, index, j->recipe.seed, at, n, value);
        good = j->device->write(j->device, j->phase, t, at * (int64_t)sizeof *value, value, n * (int64_t)sizeof *value);
    }
    free(matrix);
    return good ? 0 : complain(STATUS_DEVICE, "cannot write %s to the device", tensor->name);
}

int init_weights(struct job *j)
{
    uint32_t index = 0;
    for (int t = 0; t < j->plan->ntensor; t++) {
        enum role role = j->plan->tensor[t].role;
        if (!tensor_is_named(j->plan, t) || role == ROLE_SLOT)
            continue;
        int status = init_tensor(j, t, index);
        if (status)
            return status;
        if (role == ROLE_PARAM)
            index++;
    }
    return 0;
}
