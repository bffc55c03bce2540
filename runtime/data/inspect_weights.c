/* inspect_weights.c: files of weights, tensor by tensor, and what is different between two. */
#include "inspect_weights.h"

#include "base/options.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { PART = ST_PART / 8, NUMBER = 11, SHAPE = 8 * 21, STRANGERS = 10 };

static const char *shape_of(const struct st_tensor *t, char text[SHAPE])
{
    size_t used = 0;
    snprintf(text, SHAPE, "scalar");
    for (int i = 0; i < t->rank && used < SHAPE; i++)
        used += (size_t)snprintf(text + used, SHAPE - used, "%s%" PRIu64, i ? "x" : "", t->dims[i]);
    return text;
}

int64_t weights_elements(const struct st_tensor *t)
{
    return (int64_t)(t->bytes / st_type_size(t->type));
}

/* ---- a table ---- */

void weights_widen(struct weights_columns *c, const char *name, const char *shape)
{
    int n = (int)strlen(name), s = (int)strlen(shape);
    c->name = n > c->name ? n : c->name;
    c->shape = s > c->shape ? s : c->shape;
}

static void put_start(const struct weights_columns *c, const char *name, const char *shape, FILE *out)
{
    fprintf(out, "%-*s  %-*s", c->name, name, c->shape, shape);
}

static void put_number(double value, FILE *out)
{
    if (isnan(value))
        fprintf(out, "%*s", NUMBER, "-");
    else
        fprintf(out, "%*.3g", NUMBER, value);
}

void weights_head(const struct weights_columns *c, FILE *out)
{
    put_start(c, "tensor", "shape", out);
    fprintf(out, "%11s%*s%*s%*s%*s\n", "values", NUMBER, "mean", NUMBER, "deviation", NUMBER, "min", NUMBER, "max");
}

void weights_line(const struct weights_columns *c, const char *name, const char *shape, int64_t values,
                  const struct value_stats *s, FILE *out)
{
    put_start(c, name, shape, out);
    fprintf(out, "%11" PRId64, values);
    put_number(s->n ? s->mean : NAN, out);
    put_number(stats_deviation(s), out);
    put_number(s->n ? s->min : NAN, out);
    put_number(s->n ? s->max : NAN, out);
    if (s->others > 0)
        fprintf(out, "   %" PRId64 " not finite", s->others);
}

/* ---- one file ---- */

/* Elements [at, at + n), n <= PART; *known: the type has numbers. */
static bool fetch(const struct st_file *file, const struct st_tensor *t, int64_t at, int64_t n, double *value,
                  bool *known, struct data_error *error)
{
    unsigned char raw[PART * sizeof(double)];
    uint64_t size = st_type_size(t->type);
    if (!st_fetch(file, t, (uint64_t)at * size, raw, (size_t)n * size, error))
        return false;
    *known = stats_values(t->type, raw, n, value);
    return true;
}

bool weights_survey(const struct st_file *file, const struct st_tensor *t, struct value_stats *s,
                    struct data_error *error)
{
    double value[PART];
    bool known = true;
    for (int64_t at = 0, n, all = weights_elements(t); at < all && known; at += n) {
        n = all - at < PART ? all - at : PART;
        if (!fetch(file, t, at, n, value, &known, error))
            return false;
        if (known)
            stats_add(s, value, n);
    }
    return true;
}

/* "net mlp, epoch 3, step 2814, seed 1" of a file that netrun wrote. */
static void say_origin(const struct st_file *file, FILE *out)
{
    static const char *const keys[] = {"net", "epoch", "step", "seed", "data"};
    bool any = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = st_metadata(file, keys[i]);
        if (value)
            fprintf(out, "%s%s %s", any ? ", " : "", keys[i], value);
        any |= value != NULL;
    }
    fputs(any ? "\n" : "", out);
}

static void columns_of(const struct st_file *file, struct weights_columns *c)
{
    char shape[SHAPE];
    weights_widen(c, "tensor", "shape");
    for (size_t i = 0; i < file->n_tensors; i++)
        weights_widen(c, file->tensors[i].name, shape_of(&file->tensors[i], shape));
}

bool inspect_weights(const char *path, FILE *out, struct data_error *error)
{
    struct st_file file;
    struct weights_columns columns = {0};
    char shape[SHAPE], size[32];
    int64_t values = 0, bytes = 0;
    bool good = true;
    if (!st_open(path, &file, error))
        return false;
    for (size_t i = 0; i < file.n_tensors; i++) {
        values += weights_elements(&file.tensors[i]);
        bytes += (int64_t)file.tensors[i].bytes;
    }
    fprintf(out, "%s: %zu tensor%s, %" PRId64 " values, %s\n", path, file.n_tensors, file.n_tensors == 1 ? "" : "s",
            values, bytes_text(bytes, size, sizeof size));
    say_origin(&file, out);
    columns_of(&file, &columns);
    weights_head(&columns, out);
    for (size_t i = 0; good && i < file.n_tensors; i++) {
        const struct st_tensor *t = &file.tensors[i];
        struct value_stats s = {0};
        good = weights_survey(&file, t, &s, error);
        if (!good)
            break;
        weights_line(&columns, t->name, shape_of(t, shape), weights_elements(t), &s, out);
        fprintf(out, t->type == ST_F32 ? "\n" : "   %s\n", st_type_name(t->type));
    }
    st_free(&file);
    return good;
}

/* ---- two files ---- */

static void compare(struct apart *d, const double *a, const double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) {
            d->others += a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]));
            continue;
        }
        double by = fabs(b[i] - a[i]);
        d->n++;
        d->max = by > d->max ? by : d->max;
        d->sum += by;
        d->squares += by * by;
        d->first_squares += a[i] * a[i];
    }
}

bool weights_apart(const struct st_file *file[2], const struct st_tensor *t[2], struct apart *d,
                   struct data_error *error)
{
    double value[2][PART];
    bool known[2] = {true, true};
    for (int64_t at = 0, n, all = weights_elements(t[0]); at < all && known[0] && known[1]; at += n) {
        n = all - at < PART ? all - at : PART;
        for (int k = 0; k < 2; k++)
            if (!fetch(file[k], t[k], at, n, value[k], &known[k], error))
                return false;
        if (known[0] && known[1])
            compare(d, value[0], value[1], n);
    }
    return true;
}

void apart_add(struct apart *all, const struct apart *d)
{
    *all = (struct apart){all->n + d->n,     all->others + d->others,   d->max > all->max ? d->max : all->max,
                          all->sum + d->sum, all->squares + d->squares, all->first_squares + d->first_squares};
}

double apart_relative(const struct apart *d)
{
    return d->first_squares > 0 ? sqrt(d->squares / d->first_squares) : d->squares > 0 ? INFINITY : 0;
}

static void put_apart(const struct weights_columns *c, const char *name, const char *shape, int64_t values,
                      const struct apart *d, FILE *out)
{
    put_start(c, name, shape, out);
    fprintf(out, "%11" PRId64, values);
    put_number(d->n ? d->max : NAN, out);
    put_number(d->n ? d->sum / (double)d->n : NAN, out);
    put_number(apart_relative(d), out);
    if (d->others > 0)
        fprintf(out, "   %" PRId64 " not finite in one", d->others);
    fputc('\n', out);
}

bool weights_same_shape(const struct st_tensor *a, const struct st_tensor *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* What stands in the one and not in the other, or there in another shape. */
static void say_strangers(const struct st_file *one, const struct st_file *other, bool shapes, FILE *out)
{
    char shape[2][SHAPE];
    size_t strangers = 0;
    for (size_t i = 0; i < one->n_tensors; i++) {
        const struct st_tensor *t = &one->tensors[i], *twin = st_find(other, t->name);
        strangers += !twin;
        if (!twin && strangers <= STRANGERS)
            fprintf(out, "only in %s: %s %s\n", one->path, t->name, shape_of(t, shape[0]));
        else if (twin && shapes && !weights_same_shape(t, twin))
            fprintf(out, "other shape: %s %s, in %s %s\n", t->name, shape_of(t, shape[0]), other->path,
                    shape_of(twin, shape[1]));
    }
    if (strangers > STRANGERS)
        fprintf(out, "and %zu more\n", strangers - STRANGERS);
}

static bool say_difference(const struct st_file *a, const struct st_file *b, FILE *out, struct data_error *error)
{
    struct weights_columns columns = {0};
    struct apart all = {0};
    char shape[SHAPE];
    int64_t values = 0;
    columns_of(a, &columns);
    fprintf(out, "%s, and %s beside it\n", a->path, b->path);
    put_start(&columns, "tensor", "shape", out);
    fprintf(out, "%11s%*s%*s%*s\n", "values", NUMBER, "max", NUMBER, "mean", NUMBER, "relative");
    for (size_t i = 0; i < a->n_tensors; i++) {
        const struct st_tensor *t = &a->tensors[i], *twin = st_find(b, t->name);
        struct apart d = {0};
        if (!twin || !weights_same_shape(t, twin))
            continue;
        if (!weights_apart((const struct st_file *[]){a, b}, (const struct st_tensor *[]){t, twin}, &d, error))
            return false;
        put_apart(&columns, t->name, shape_of(t, shape), weights_elements(t), &d, out);
        values += weights_elements(t);
        apart_add(&all, &d);
    }
    put_apart(&columns, "all", "", values, &all, out);
    say_strangers(a, b, true, out);
    say_strangers(b, a, false, out);
    return true;
}

bool inspect_difference(const char *first, const char *second, FILE *out, struct data_error *error)
{
    struct st_file a, b;
    if (!st_open(first, &a, error))
        return false;
    bool good = st_open(second, &b, error);
    if (good) {
        good = say_difference(&a, &b, out, error);
        st_free(&b);
    }
    st_free(&a);
    return good;
}
