/* samples.c: a data set that agrees with the plan, from a folder or from the plan itself. */
#include "known.h"
#include "sampling.h"
#include "data/csv_table.h"
#include "device/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static bool is_class(const struct tensor *target)
{
    return target->dtype == DT_I32;
}

int64_t samples_classes(const struct plan *p)
{
    const int target = tensor_with_role(p, ROLE_TARGET);
    return target >= 0 && is_class(&p->tensor[target]) ? plan_classes(p) : 0;
}

/* The sizes without those that are 1: in front, or of a sound, whose one row is between channels and values. */
static int sizes(int rank, const int64_t *dim, bool sound, int64_t size[DATA_MAX_RANK])
{
    int n = 0;
    for (int i = 0; i < rank; i++)
        if (dim[i] != 1 || (n > 0 && !(sound && i == 1)))
            size[n++] = dim[i];
    return n;
}

/* 28x28 is 1x28x28, and a plain vector may stand for an image of as many values: either way round. */
static bool fits_shape(const struct data_field *f, const struct tensor *t)
{
    int64_t has[DATA_MAX_RANK], wants[DATA_MAX_RANK], elements = 1;
    const int rank = sizes(f->rank, f->dims, f->rate, has),
              wanted = sizes(t->rank, t->dim, f->rate && t->rank == 3, wants);
    for (int i = 0; i < f->rank; i++)
        elements *= f->dims[i];
    return (rank == wanted && memcmp(has, wants, (size_t)rank * sizeof *has) == 0) ||
           ((rank <= 1 || wanted <= 1) && elements == tensor_elements(t));
}

/* Pictures can be brought to the network's size and colours, sounds to its length. */
static const char *picture_help(const struct data_field *f, const struct tensor *t, char help[160])
{
    const char *colour = t->dim[0] == f->dims[0] ? "" : t->dim[0] == 1 ? "Gray" : "Color";
    const bool resize = f->dims[1] != t->dim[1] || f->dims[2] != t->dim[2];
    *help = '\0';
    if (f->rate && t->rank > 0 && f->dims[2] != t->dim[t->rank - 1])
        snprintf(help, 160, "; `data { transform = [Crop(%lld), Pad(%lld), ...] }` makes sounds so",
                 (long long)t->dim[t->rank - 1], (long long)t->dim[t->rank - 1]);
    if (f->type != DATA_U8 || f->rank != 3 || t->rank != 3 || (t->dim[0] != 1 && t->dim[0] != 3))
        return help;
    snprintf(help, 160, "; `data { transform = [%s%s", colour, *colour && resize ? ", " : "");
    if (resize)
        text_append(help, 160, "Resize(%lld, %lld)", (long long)t->dim[1], (long long)t->dim[2]);
    text_append(help, 160, ", ...] }` makes pictures so");
    return help;
}

/* Does a field, whose values may not be there yet, agree with the network? */
static bool fits(const void *plan, const struct data_field *f, bool label, struct data_error *e)
{
    const struct plan *p = plan;
    const int index = tensor_with_role(p, label ? ROLE_TARGET : ROLE_INPUT);
    if (index < 0)
        return data_fail(e, "net %s has no input or no target", p->net);
    const struct tensor *t = &p->tensor[index];
    char has[96], wants[96], help[160];
    if (label && !is_class(t) && f->type != DATA_F32)
        return data_fail(e, "%s: these are class indices, but target `%s` of the network is values", f->path, t->name);
    if (label && is_class(t) && t->rank == 0 && data_is_mask(f))
        return data_fail(
            e,
            "%s: these are masks, but target `%s` of the network is one class a sample; `class[%lld, %lld, %lld]` is a mask",
            f->path, t->name, (long long)samples_classes(p), (long long)f->dims[0], (long long)f->dims[1]);
    if (label && is_class(t) && !data_is_class(f) && !data_is_mask(f))
        return data_fail(e, "%s: these are values, but target `%s` of the network is a class", f->path, t->name);
    if (label && is_class(t) && t->rank > 0 && data_is_class(f))
        return data_fail(e, "%s: these are one class a sample, but target `%s` of the network is a mask", f->path,
                         t->name);
    return (label && is_class(t) && t->rank == 0) || fits_shape(f, t) ||
           data_fail(e, "%s: its %ss are %s, but %s `%s` of the network is %s%s", f->path, label ? "target" : "sample",
                     shape_text_of(f->rank, f->dims, has, sizeof has), label ? "target" : "input", t->name,
                     shape_text_of(t->rank, t->dim, wants, sizeof wants), picture_help(f, t, help));
}

/* The labels as i32. */
static int widen(struct data_split *split)
{
    struct data_field *f = &split->label;
    if (split->count == 0 || f->type != DATA_U8)
        return 0;
    const uint64_t n = (uint64_t)split->count * f->bytes;
    int32_t *wide = malloc(n * sizeof *wide);
    if (!wide)
        return complain(STATUS_INTERNAL, "out of memory");
    for (uint64_t i = 0; i < n; i++)
        wide[i] = f->values[i];
    free(f->values);
    f->values = (unsigned char *)wide;
    f->bytes *= sizeof *wide;
    f->type = DATA_I32;
    return 0;
}

static int agree(const struct plan *p, struct data_split *split)
{
    if (split->count == 0)
        return 0;
    if (split->count > INT32_MAX)
        return complain(STATUS_DATA, "%s: more than 2147483647 samples", split->sample.path);
    struct data_error e;
    if (!fits(p, &split->sample, false, &e) || !fits(p, &split->label, true, &e) ||
        !(plan_fills(p) || data_check_finite(split, &e)))
        return complain(STATUS_DATA, "%s", e.text);
    if (split->label.type == DATA_F32)
        return 0;
    int64_t classes = samples_classes(p);
    if (classes > 0 && !data_check_classes(split, classes, &e))
        return complain(STATUS_DATA, "%s", e.text);
    return widen(split);
}

/* ---- samples in the plan: rows of input values, then target values ---- */

static bool field(struct data_field *f, enum data_type type, int rank, const int64_t *dim, int64_t elements,
                  int64_t count, const char *path)
{
    *f = (struct data_field){.type = type, .rank = rank, .bytes = (uint64_t)elements * 4};
    for (int i = 0; i < rank; i++)
        f->dims[i] = dim[i];
    f->values = calloc((size_t)count, (size_t)f->bytes);
    f->path = strdup(path);
    return f->values && f->path;
}

static int fill(const struct plan *p, const struct setting *s, struct data_split *split)
{
    const struct tensor *in = &p->tensor[tensor_with_role(p, ROLE_INPUT)];
    const struct tensor *out = &p->tensor[tensor_with_role(p, ROLE_TARGET)];
    int64_t nin = tensor_elements(in), nout = tensor_elements(out), row = nin + nout;
    if (s->n == 0 || s->n % row != 0)
        return complain(STATUS_DATA, "data.samples: %d values are no rows of %lld (%lld of input, %lld of target)",
                        s->n, (long long)row, (long long)nin, (long long)nout);
    split->count = s->n / row;
    if (!field(&split->sample, DATA_F32, in->rank, in->dim, nin, split->count, p->file) ||
        !field(&split->label, is_class(out) ? DATA_I32 : DATA_F32, out->rank, out->dim, nout, split->count, p->file))
        return complain(STATUS_INTERNAL, "out of memory");
    for (int64_t i = 0; i < split->count; i++) {
        const double *num = s->num + i * row;
        float *sample = (float *)split->sample.values + i * nin;
        for (int64_t k = 0; k < nin; k++)
            sample[k] = (float)num[k];
        for (int64_t k = 0; k < nout; k++) {
            double value = num[nin + k];
            if (!is_class(out))
                ((float *)split->label.values)[i * nout + k] = (float)value;
            else if (value >= 0 && value <= INT32_MAX && value == floor(value))
                ((int32_t *)split->label.values)[i * nout + k] = (int32_t)value;
            else
                return complain(STATUS_DATA, "data.samples, row %lld: %g is no class index", (long long)i + 1, value);
        }
    }
    return 0;
}

static int from_plan(const struct plan *p, struct dataset *set)
{
    const struct setting *s = plan_setting(p, "data.samples");
    if (!s)
        return complain(
            STATUS_USAGE,
            "net %s has no samples of its own; name the data folder: --train DIR, --test DIR, or --data DIR beside --predict",
            p->net);
    if (tensor_with_role(p, ROLE_INPUT) < 0 || tensor_with_role(p, ROLE_TARGET) < 0)
        return complain(STATUS_DATA, "net %s has no input or no target", p->net);
    set->format = "samples in the plan";
    int status = fill(p, s, &set->train);
    return status ? status : fill(p, s, &set->test);
}

/* What a wish refers to. */
struct wished {
    struct data_where where[DATA_SPLITS];
    struct picture_step step[MAX_METRICS];
    struct columns columns;
};

/* What the plan says of the data; `w` is to stay as long as it. */
static struct data_wish wish_of(const struct plan *p, const struct known *known, struct wished *w)
{
    w->where[0] = plan_where(p, "data.train");
    w->where[1] = plan_where(p, "data.test");
    w->where[2] = plan_where(p, "data.holdout.from");
    const bool table = plan_columns(p, &w->columns);
    const int target = tensor_with_role(p, ROLE_TARGET);
    return (struct data_wish){.fits = fits,
                              .wanted = p,
                              .target = target < 0                     ? TARGET_ANY
                                        : is_class(&p->tensor[target]) ? TARGET_CLASS
                                                                       : TARGET_VALUES,
                              .where = w->where[0].word ? w->where : NULL,
                              .step = w->step,
                              .steps = plan_picture_steps(p, w->step),
                              .columns = table ? &w->columns : NULL,
                              .classes = table ? samples_classes(p) : 0,
                              .inputs = known->inputs,
                              .class_names = known->classes,
                              .renews = known->renews};
}

static const struct known nothing;

bool samples_read(const struct plan *p, const char *folder, const char *path)
{
    struct wished w;
    const struct data_wish wish = wish_of(p, &nothing, &w);
    return data_reads(folder, &wish, path);
}

bool samples_are_rows(const struct plan *p)
{
    return plan_setting(p, "target.from");
}

int samples_open(const struct plan *p, const char *folder, bool skip_damaged, int64_t most, struct dataset *set)
{
    return samples_open_known(p, folder, skip_damaged, most, &nothing, set);
}

int samples_open_known(const struct plan *p, const char *folder, bool skip_damaged, int64_t most,
                       const struct known *known, struct dataset *set)
{
    struct data_error e;
    struct wished w;
    struct data_wish wish = wish_of(p, known, &w);
    wish.skip_damaged = skip_damaged;
    wish.most = most;
    *set = (struct dataset){.format = ""};
    int status =
        folder ? data_open(folder, &wish, set, &e) ? 0 : complain(STATUS_DATA, "%s", e.text) : from_plan(p, set);
    if (status == 0 && set->files.damaged > 0)
        note("%s: %lld damaged %s%s left out; the first: %s", folder, (long long)set->files.damaged,
             set->rate ? "sound" : "picture", set->files.damaged > 1 ? "s are" : " is", set->files.first_damage.text);
    if (status == 0 && set->strangers > 0)
        note("%s: %lld file%s beside the samples %s none and passed over", folder, (long long)set->strangers,
             set->strangers > 1 ? "s" : "", set->strangers > 1 ? "are" : "is");
    if (status == 0)
        status = agree(p, &set->train);
    if (status == 0)
        status = agree(p, &set->test);
    if (status == 0)
        status = agree(p, &set->holdout);
    if (status)
        samples_close(set);
    return status;
}

int samples_table(const struct plan *p, const char *path, const struct known *known, struct dataset *set,
                  struct csv_table *t)
{
    struct data_error e;
    struct wished w;
    const struct data_source from = {.wish = wish_of(p, known, &w), .set = set};
    return csv_table_read(path, &from, true, t, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

void samples_close(struct dataset *set)
{
    data_close(set);
    *set = (struct dataset){.format = ""};
}

/* Of all samples, which stay in their files: as if they lay one after the other. */
static bool hash_of_files(const struct data_split *split, XXH128_hash_t *hash, struct data_error *e)
{
    const size_t bytes = (size_t)split->sample.bytes;
    XXH3_state_t *state = XXH3_createState();
    void *one = malloc(bytes);
    bool ok = (state && one && XXH3_128bits_reset(state) == XXH_OK) || data_fail(e, "out of memory");
    for (int64_t i = 0; ok && i < split->count; i++)
        ok = data_sample(split, i, one, e) && XXH3_128bits_update(state, one, bytes) == XXH_OK;
    if (ok)
        *hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    free(one);
    return ok;
}

int samples_hash(const struct data_split *split, char text[HASH_TEXT])
{
    struct data_error e;
    struct {
        int64_t count, shape[2][DATA_MAX_RANK + 2];
        XXH128_hash_t values[2];
    } known = {.count = split->count};
    const struct data_field *field[2] = {&split->sample, &split->label};
    snprintf(text, HASH_TEXT, "-");
    if (split->count == 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        known.shape[i][0] = field[i]->type;
        known.shape[i][1] = field[i]->rank;
        memcpy(known.shape[i] + 2, field[i]->dims, (size_t)field[i]->rank * sizeof *known.shape[i]);
        if (field[i]->values)
            known.values[i] = XXH3_128bits(field[i]->values, (size_t)split->count * (size_t)field[i]->bytes);
        else if (!hash_of_files(split, &known.values[i], &e))
            return complain(STATUS_DATA, "%s", e.text);
    }
    XXH128_hash_t hash = XXH3_128bits(&known, sizeof known);
    snprintf(text, HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
    return 0;
}

int64_t samples_number(const struct data_split *split, int64_t i)
{
    return split->number ? split->number[i] : i;
}

int64_t samples_of_row(const struct data_split *split, const uint32_t control[CTL_WORDS], int64_t row)
{
    const struct order order = order_of(control, sampling_draws(split));
    return samples_number(split, order_at(&order, control[CTL_POSITION] + (uint32_t)row));
}

struct device_data samples_of(const struct data_split *split)
{
    return (struct device_data){split->source ? NULL : split->sample.values,
                                split->label.values,
                                split->sample.type == DATA_F32,
                                split->count,
                                (int64_t)split->sample.bytes,
                                (int64_t)split->label.bytes,
                                split->source};
}
