/* learnt.c: what transforms take from the training set. It is that of the samples that are trained, without the holdout; it travels
 * with the weights, and whoever tests, predicts or goes on with them takes it from there. */
#include "keep.h"

#include "data/safetensors.h"
#include "graph/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 16 }; /* channels that people see at most */

const char *const checkpoint_learnt_key[CHECKPOINT_LEARNT] = {"standardize_mean", "standardize_std", "missing_mean"};

static int64_t elements_of(const struct plan *p)
{
    const int in = tensor_with_role(p, ROLE_INPUT);
    return in < 0 ? 0 : tensor_elements(&p->tensor[in]);
}

double **learnt_of(struct plan *p, int i, int64_t *n)
{
    double **all[CHECKPOINT_LEARNT] = {&p->learnt.mean, &p->learnt.deviation, &p->learnt.fill};
    *n = i < 2 ? plan_channels(p) : elements_of(p);
    return all[i];
}

static bool wanted(const struct plan *p, int i)
{
    return i < 2 ? plan_standardizes(p) : plan_fills(p);
}

/* ---- from the training set ---- */

/* Welford's running mean and sum of squared deviations (Technometrics 4, 1962): of what never changes they are exact. */
static void of_floats(const struct data_split *s, int64_t row, int64_t first, int64_t n, double *mean,
                      double *deviation)
{
    const float *value = (const float *)(const void *)s->sample.values;
    double squares = 0, count = 0;
    *mean = 0;
    for (int64_t i = 0; i < s->count; i++)
        for (const float *at = value + i * row + first; at < value + i * row + first + n; at++) {
            const double apart = (double)*at - *mean;
            *mean += apart / ++count;
            squares += apart * ((double)*at - *mean);
        }
    *deviation = sqrt(squares / count);
}

/* Exact sums: 2^47 bytes are more than any set has. */
static void of_bytes(const struct data_split *s, int64_t row, int64_t first, int64_t n, double *mean, double *deviation)
{
    uint64_t sum = 0, squares = 0;
    for (int64_t i = 0; i < s->count; i++) {
        const unsigned char *at = s->sample.values + i * row + first;
        for (int64_t e = 0; e < n; e++) {
            sum += at[e];
            squares += (uint64_t)at[e] * at[e];
        }
    }
    const double count = (double)s->count * (double)n;
    *mean = (double)sum / count;
    *deviation = sqrt(fmax(0, (double)squares / count - *mean * *mean));
}

/* As scikit-learn's StandardScaler: of the population, and 1 where nothing differs. */
static void standardize(struct job *j)
{
    struct learnt *l = &j->plan->learnt;
    const int64_t channels = plan_channels(j->plan), row = elements_of(j->plan), n = row / channels;
    const struct data_split *s = &j->data.train;
    for (int64_t c = 0; c < channels; c++) {
        (s->sample.type == DATA_F32 ? of_floats : of_bytes)(s, row, c * n, n, &l->mean[c], &l->deviation[c]);
        l->deviation[c] = l->deviation[c] > 0 ? l->deviation[c] : 1;
    }
}

/* What the values of a table's row are called: "Age", "Sex = female". NULL: it is none. */
static const char **value_names(const struct job *j)
{
    struct region *r = j->plan->region;
    struct columns columns;
    int n = 0;
    const char **name = NULL;
    if (!plan_columns(j->plan, &columns))
        return NULL;
    for (int64_t i = 0; i < j->data.inputs; i++) {
        const struct column_rule *rule = columns_rule(&columns, j->data.input[i]);
        for (int k = 0; k < (rule ? rule->n : 1); k++) {
            region_grow(r, name, n);
            const char *value = rule && *rule->value[k] ? rule->value[k] : "\"\"";
            name[n++] = rule ? region_printf(r, "%s = %s", j->data.input[i], value) : j->data.input[i];
        }
    }
    return n == elements_of(j->plan) ? name : NULL;
}

static void say_standards(const struct job *j, const char *const *name)
{
    const struct learnt *l = &j->plan->learnt;
    const int64_t n = plan_channels(j->plan), shown = n < SHOWN ? n : SHOWN;
    const bool named = name && n == elements_of(j->plan);
    int width = 1;
    for (int64_t c = 0; named && c < shown; c++)
        width = (int)strlen(name[c]) > width ? (int)strlen(name[c]) : width;
    note("Standardize, of the %lld samples that are trained:", (long long)j->data.train.count);
    for (int64_t c = 0; c < shown; c++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)c);
        fprintf(stderr, "  %s%-*s  mean %-10.6g  std %.6g\n", named ? "" : "channel ", width, named ? name[c] : number,
                l->mean[c], l->deviation[c]);
    }
    if (n > shown)
        fprintf(stderr, "  and %lld more\n", (long long)(n - shown));
}

static int find_means(struct job *j, const char *const *name)
{
    const int64_t row = elements_of(j->plan), count = j->data.train.count;
    const float *value = (const float *)(const void *)j->data.train.sample.values;
    double *fill = j->plan->learnt.fill;
    for (int64_t c = 0; c < row; c++) {
        int64_t n = 0;
        fill[c] = 0;
        for (int64_t i = 0; i < count; i++)
            if (!isnan(value[i * row + c]))
                fill[c] += ((double)value[i * row + c] - fill[c]) / (double)++n;
        if (n == 0)
            return complain(STATUS_DATA,
                            "%s: column \"%s\" is missing in every row of the training set, and has no mean",
                            j->data.train.sample.path, name[c]);
        if (n < count && !j->options->quiet)
            note("Missing: %lld of %lld values of \"%s\" become its mean, %.6g", (long long)(count - n),
                 (long long)count, name[c], fill[c]);
    }
    return 0;
}

static int learn(struct job *j)
{
    const struct plan *p = j->plan;
    const char **name = value_names(j);
    if (j->data.train.count == 0)
        return complain(
            STATUS_DATA,
            "Standardize and Missing take means of a training set, and neither the weights nor the data have them\n"
            "  = help: --data names a folder with a training set");
    int status = plan_fills(p) && name ? find_means(j, name) : 0;
    if (status == 0)
        learnt_fill(p, &j->data.train);
    if (status || !plan_standardizes(p))
        return status;
    standardize(j);
    if (!j->options->quiet)
        say_standards(j, name);
    return 0;
}

/* ---- from weights ---- */

/* So many finite numbers; deviations are above 0. */
static bool numbers(const char *text, int64_t n, bool above, double *to)
{
    for (int64_t i = 0; i < n; i++) {
        char *end;
        to[i] = strtod(text, &end);
        if (end == text || !isfinite(to[i]) || (above && to[i] <= 0))
            return false;
        text = end;
    }
    return !*text;
}

/* *there false: the file has none of them. */
static int read_learnt(struct job *j, const char *path, bool *there)
{
    struct st_file f;
    struct data_error e;
    *there = false;
    if (!st_open(path, &f, &e))
        return 0; /* which is told where the weights are taken */
    int status = 0, found = 0, all = 0;
    for (int i = 0; status == 0 && i < CHECKPOINT_LEARNT; i++) {
        int64_t n;
        double *to = *learnt_of(j->plan, i, &n);
        const char *text = wanted(j->plan, i) ? st_metadata(&f, checkpoint_learnt_key[i]) : NULL;
        all += wanted(j->plan, i);
        found += text != NULL;
        if (text && !numbers(text, n, i == 1, to))
            status = complain(STATUS_DATA, "%s: %s: expected %lld numbers, as the input of net %s has it", path,
                              checkpoint_learnt_key[i], (long long)n, j->plan->net);
    }
    st_free(&f);
    *there = found == all;
    return status;
}

void learnt_fill(const struct plan *p, const struct data_split *split)
{
    const int64_t row = elements_of(p);
    float *value = (float *)(void *)split->sample.values;
    if (!p->learnt.fill || split->count == 0 || split->sample.type != DATA_F32)
        return;
    for (int64_t i = 0; i < split->count * row; i++)
        if (isnan(value[i]))
            value[i] = (float)p->learnt.fill[i % row];
}

int learnt_take(struct job *j, const char *weights)
{
    bool needed = false, there = false;
    for (int i = 0; i < CHECKPOINT_LEARNT; i++) {
        int64_t n;
        double **to = learnt_of(j->plan, i, &n);
        if (wanted(j->plan, i)) {
            *to = region_alloc(j->plan->region, (size_t)n, sizeof **to);
            needed = true;
        }
    }
    int status = needed && weights ? read_learnt(j, weights, &there) : 0;
    if (status == 0 && needed && !there)
        status = learn(j);
    for (int i = 0; status == 0 && needed && i < DATA_SPLITS; i++)
        learnt_fill(j->plan, data_split_of(&j->data, i));
    return status;
}
