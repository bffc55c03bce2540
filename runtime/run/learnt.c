/* learnt.c: what transforms take from the training set. It is that of the samples that are trained, without the holdout; it travels
 * with the weights, and whoever tests, predicts or goes on with them takes it from there. */
#include "keep.h"

#include "data/loaders.h"
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

struct moments {
    double mean,
        apart; /* of floats: Welford's running mean and sum of squared deviations (Technometrics 4, 1962), exact of what never changes */
    uint64_t sum, squares; /* of bytes, exact: 2^47 of them are more than any set has */
};

static void add_floats(struct moments *m, const float *value, int64_t n, double before)
{
    for (int64_t e = 0; e < n; e++) {
        const double apart = (double)value[e] - m->mean;
        m->mean += apart / (before + (double)(e + 1));
        m->apart += apart * ((double)value[e] - m->mean);
    }
}

static void add_bytes(struct moments *m, const unsigned char *value, int64_t n)
{
    for (int64_t e = 0; e < n; e++) {
        m->sum += value[e];
        m->squares += (uint64_t)value[e] * value[e];
    }
}

/* Sample by sample, wherever they are. */
static bool add_all(const struct data_split *s, struct moments *all, int64_t channels, int64_t n, struct data_error *e)
{
    unsigned char *room = s->reader ? malloc((size_t)s->sample.bytes) : NULL;
    bool ok = room || !s->reader || data_fail(e, "out of memory");
    for (int64_t i = 0; ok && i < s->count; i++) {
        const unsigned char *at = data_look(s, i, room, e);
        ok = at;
        for (int64_t c = 0; ok && c < channels; c++)
            if (s->sample.type == DATA_F32)
                add_floats(&all[c], (const float *)(const void *)at + c * n, n, (double)(i * n));
            else
                add_bytes(&all[c], at + c * n, n);
    }
    free(room);
    return ok;
}

/* As scikit-learn's StandardScaler: of the population, and 1 where nothing differs. */
static int standardize(struct job *j)
{
    struct learnt *l = &j->plan->learnt;
    const struct data_split *s = &j->data.train;
    const int64_t channels = plan_channels(j->plan), n = elements_of(j->plan) / channels;
    const double count = (double)s->count * (double)n;
    struct moments *all = region_alloc(j->plan->region, (size_t)channels, sizeof *all);
    struct data_error e;
    if (!add_all(s, all, channels, n, &e))
        return complain(STATUS_DATA, "%s", e.text);
    for (int64_t c = 0; c < channels; c++) {
        const bool floats = s->sample.type == DATA_F32;
        l->mean[c] = floats ? all[c].mean : (double)all[c].sum / count;
        const double square = floats ? all[c].apart / count : (double)all[c].squares / count - l->mean[c] * l->mean[c];
        l->deviation[c] = square > 0 ? sqrt(square) : 1;
    }
    return 0;
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

/* Running means of what is there of each value; *seen: of how many. */
static bool add_present(const struct data_split *s, double *mean, int64_t *seen, int64_t row, struct data_error *e)
{
    float *room = s->reader ? malloc((size_t)s->sample.bytes) : NULL;
    bool ok = room || !s->reader || data_fail(e, "out of memory");
    for (int64_t i = 0; ok && i < s->count; i++) {
        const float *value = data_look(s, i, room, e);
        ok = value;
        for (int64_t c = 0; ok && c < row; c++)
            if (!isnan(value[c]))
                mean[c] += ((double)value[c] - mean[c]) / (double)++seen[c];
    }
    free(room);
    return ok;
}

static int find_means(struct job *j, const char *const *name)
{
    const int64_t row = elements_of(j->plan), count = j->data.train.count;
    double *fill = j->plan->learnt.fill;
    int64_t *seen = region_alloc(j->plan->region, (size_t)row, sizeof *seen);
    struct data_error e;
    if (!add_present(&j->data.train, fill, seen, row, &e))
        return complain(STATUS_DATA, "%s", e.text);
    for (int64_t c = 0; c < row; c++) {
        if (seen[c] == 0)
            return complain(STATUS_DATA,
                            "%s: column \"%s\" is missing in every row of the training set, and has no mean",
                            j->data.train.sample.path, name[c]);
        if (seen[c] < count && !j->options->quiet)
            note("Missing: %lld of %lld values of \"%s\" become its mean, %.6g", (long long)(count - seen[c]),
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
    status = standardize(j);
    if (status == 0 && !j->options->quiet)
        say_standards(j, name);
    return status;
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

void learnt_fill(const struct plan *p, struct data_split *split)
{
    const int64_t row = elements_of(p);
    float *value = (float *)(void *)split->sample.values;
    if (!p->learnt.fill || split->count == 0 || split->sample.type != DATA_F32)
        return;
    split->fill = split->reader ? p->learnt.fill : NULL;
    for (int64_t i = 0; value && i < split->count * row; i++)
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
    struct data_split *const split[] = {&j->data.train, &j->data.test, &j->data.holdout};
    for (int i = 0; status == 0 && needed && i < DATA_SPLITS; i++)
        learnt_fill(j->plan, split[i]);
    return status;
}
