/* checkpoint.c: weights, and all that it takes to go on to the same bits, as safetensors. */
#include "keep.h"
#include "data/float_types.h"
#include "data/others_weights.h"
#include "match.h"
#include "front/override.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { META = 32, META_TEXT = 192 };

/* ---- writing ---- */

struct bundle { /* a file to be; owns the made-up names */
    struct job *job;
    struct st_tensor *tensor;
    int *of; /* tensors of the plan, whose bytes stay in the arena until they are written */
    size_t count;
    int64_t steps;
    bool failed; /* the device */
    struct st_pair pair[META];
    char text[META][META_TEXT];
    size_t pairs;
    char *settings, *names[2], *learnt[CHECKPOINT_LEARNT];
};

static void bundle_free(struct bundle *b)
{
    for (size_t i = 0; b->tensor && i < b->count; i++)
        if (b->tensor[i].data)
            free((void *)b->tensor[i].name);
    free(b->tensor);
    free(b->of);
    free(b->settings);
    free(b->names[0]);
    free(b->names[1]);
    for (int i = 0; i < CHECKPOINT_LEARNT; i++)
        free(b->learnt[i]);
}

static void meta(struct bundle *b, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void meta(struct bundle *b, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->text[b->pairs], META_TEXT, format, arguments);
    va_end(arguments);
    b->pair[b->pairs] = (struct st_pair){key, b->text[b->pairs]};
    b->pairs++;
}

static void meta_hits(struct bundle *b, const struct position *at)
{
    char text[META_TEXT] = "";
    for (int m = 0; m < b->job->recipe.metrics; m++)
        text_append(text, sizeof text, "%s%lld", m ? " " : "", (long long)at->hits[m]);
    meta(b, "hits", "%s", text);
}

static int meta_names(struct bundle *b, int i, const char *key, char *const *name, int64_t n)
{
    if (n == 0)
        return 0;
    if (!(b->names[i] = names_text(name, n)))
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    b->pair[b->pairs++] = (struct st_pair){key, b->names[i]};
    return 0;
}

/* Seventeen digits are the same double. */
static int meta_learnt(struct bundle *b, int i, struct plan *p)
{
    int64_t n;
    size_t size;
    const double *value = *learnt_of(p, i, &n);
    FILE *out = value ? open_memstream(&b->learnt[i], &size) : NULL;
    for (int64_t k = 0; out && k < n; k++)
        fprintf(out, "%s%.17g", k ? " " : "", value[k]);
    if (value && (!out || fclose(out) != 0))
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    if (value)
        b->pair[b->pairs++] = (struct st_pair){checkpoint_learnt_key[i], b->learnt[i]};
    return 0;
}

/* Where these tensors come from. Numbers in hexadecimal where bits count. */
static int describe(struct bundle *b, const struct job *j)
{
    meta(b, "format", "pt");
    meta(b, "producer", "netrun %s", PROJECT_VERSION);
    meta(b, "source_hash", "%016llx", (unsigned long long)j->plan->source_hash);
    meta(b, "seed", "%lu", (unsigned long)j->recipe.seed);
    meta(b, "epoch", "%lld", (long long)j->at.epoch);
    meta(b, "in_epoch", "%lld", (long long)j->at.in_epoch);
    meta(b, "step", "%lld", (long long)j->at.step);
    if (j->recipe.holdout > 0)
        meta(b, "holdout", "%a", j->recipe.holdout);
    if (j->data.synthetic || j->synthetic_weights)
        meta(b, "data", "synthetic");
    for (int i = 0; i < DATA_SPLITS; i++)
        if (*j->hash[i])
            meta(b, checkpoint_hash_key[i], "%s", j->hash[i]);
    if (j->data.rate)
        meta(b, checkpoint_rate_key, "%d", j->data.rate);
    b->pair[b->pairs++] = (struct st_pair){"net", j->plan->net};
    int status = meta_names(b, 0, checkpoint_classes_key, j->data.class_name, j->data.class_names);
    if (status == 0)
        status = meta_names(b, 1, checkpoint_inputs_key, j->data.input, j->data.inputs);
    for (int i = 0; status == 0 && i < CHECKPOINT_LEARNT; i++)
        status = meta_learnt(b, i, j->plan);
    return status;
}

/* What a training that goes on there has to know besides. */
static int describe_position(struct bundle *b, const struct job *j, const char *hash)
{
    const struct position *at = &j->at;
    meta(b, checkpoint_weights_key, "%s", hash);
    meta(b, "batch", "%lld", (long long)j->recipe.batch);
    if (j->recipe.micro > 0)
        meta(b, "micro_batch", "%lld", (long long)j->recipe.micro);
    meta(b, "loss_sum", "%a", at->loss_sum);
    if (!at->uncounted)
        meta_hits(b, at);
    meta(b, "best_epoch", "%lld", (long long)at->best_epoch);
    meta(b, "best", "%a", at->best);
    if (j->recipe.stop.word) {
        meta(b, "stop_epoch", "%lld", (long long)at->stop_epoch);
        meta(b, "stop_best", "%a", at->stop_best);
    }
    if (rate_watches(&j->recipe.rate)) {
        const struct watched *w = &at->watched;
        meta(b, "schedule", "%a %lld %lld %lld %lld", w->best, (long long)w->reduced, (long long)w->epochs,
             (long long)w->bad, (long long)w->rest);
    }
    if (j->options->precision != PRECISION_COUNT)
        meta(b, "precision", "%s", precision_word[j->options->precision]);
    if (!(b->settings = settings_text(j->plan)))
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    b->pair[b->pairs++] = (struct st_pair){"settings", b->settings};
    return 0;
}

static void add(struct bundle *b, int t)
{
    const struct tensor *tensor = &b->job->plan->tensor[t];
    struct st_tensor *out = &b->tensor[b->count];
    *out = (struct st_tensor){.name = tensor->name,
                              .type = tensor->dtype == DT_F64 ? ST_F64 : ST_F32,
                              .rank = tensor->rank,
                              .bytes = (uint64_t)(tensor_elements(tensor) * dtype_bytes(tensor->dtype))};
    for (int i = 0; i < tensor->rank; i++)
        out->dims[i] = (uint64_t)tensor->dim[i];
    b->of[b->count++] = t;
}

/* PyTorch's BatchNorm keeps such a count beside its running mean; strict readers there miss it otherwise. */
static int add_batches_tracked(struct bundle *b, const char *name)
{
    static const char mean[] = "running_mean", count[] = "num_batches_tracked";
    size_t length = strlen(name), stem = length - (sizeof mean - 1);
    if (length < sizeof mean - 1 || strcmp(name + stem, mean) != 0)
        return 0;
    char *text = malloc(stem + sizeof count);
    if (!text)
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    memcpy(text, name, stem);
    memcpy(text + stem, count, sizeof count);
    b->tensor[b->count++] =
        (struct st_tensor){.name = text, .type = ST_I64, .data = &b->steps, .bytes = sizeof b->steps};
    return 0;
}

static bool from_device(void *context, size_t tensor, uint64_t at, void *to, size_t size, struct data_error *e)
{
    struct bundle *b = context;
    struct device *d = b->job->device;
    bool good = d->read(d, b->job->phase, b->of[tensor], (int64_t)at, to, (int64_t)size);
    b->failed = !good;
    return good || data_fail(e, "cannot read %s from the device", b->tensor[tensor].name);
}

/* hash: of the weights that slots go with; NULL: it is weights that are saved. */
static int save(struct job *j, const char *path, const char *hash)
{
    const enum wanted what = hash ? WANT_SLOTS : WANT_WEIGHTS;
    size_t most = 2 * (size_t)j->plan->ntensor + 1;
    struct bundle b = {
        .job = j, .steps = j->at.step, .tensor = calloc(most, sizeof *b.tensor), .of = calloc(most, sizeof *b.of)};
    struct data_error e;
    int status = b.tensor && b.of ? 0 : complain(STATUS_INTERNAL, "no memory for a checkpoint");
    for (int t = 0; status == 0 && t < j->plan->ntensor; t++) {
        const struct tensor *tensor = &j->plan->tensor[t];
        if (!match_wants(j->plan, t, what))
            continue;
        add(&b, t);
        if (tensor->role == ROLE_STATE)
            status = add_batches_tracked(&b, tensor->name);
    }
    if (status == 0)
        status = describe(&b, j);
    if (status == 0 && hash)
        status = describe_position(&b, j, hash);
    if (status == 0 && !st_write(path, b.tensor, b.count, b.pair, b.pairs, from_device, &b, &e))
        status = complain(b.failed ? STATUS_DEVICE : STATUS_DATA, "%s", e.text);
    bundle_free(&b);
    return status;
}

int checkpoint_save(struct job *j, const char *path)
{
    return save(j, path, NULL);
}

int checkpoint_save_optimizer(struct job *j, const char *path, const char hash[HASH_TEXT])
{
    return save(j, path, hash);
}

/* ---- reading ---- */

/* Place `at` of a tensor, as in "conv1.weight[3, 0, 1, 1]". */
static const char *place_text(const struct st_tensor *s, uint64_t at, char *text, size_t size)
{
    uint64_t index[ST_MAX_RANK] = {0};
    size_t used = (size_t)snprintf(text, size, "%s", s->name);
    for (int i = s->rank; i-- > 0; at /= s->dims[i])
        index[i] = at % s->dims[i];
    for (int i = 0; i < s->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%llu%s", i ? ", " : "[", (unsigned long long)index[i],
                                 i + 1 < s->rank ? "" : "]");
    return text;
}

/* Refuses NaN, of which nothing comes; of an infinity it tells, once a tensor. */
static int look_at(const struct st_tensor *s, uint64_t at, const float *value, uint64_t n, const char *path, bool *told)
{
    char place[512];
    for (uint64_t i = 0; i < n; i++) {
        if (isfinite(value[i]))
            continue;
        place_text(s, at + i, place, sizeof place);
        if (isnan(value[i]))
            return complain(STATUS_DATA, "%s: %s is not a number (NaN)", path, place);
        if (!*told)
            note("%s: %s is infinite", path, place);
        *told = true;
    }
    return 0;
}

/* From the file to the device, a part at a time. */
static int take_tensor(struct job *j, const struct st_file *f, const struct st_tensor *s, const char *path, int t)
{
    enum { PART = ST_PART / 8 }; /* elements */
    unsigned char part[ST_PART];
    float value[PART];
    struct data_error e;
    bool told = false;
    uint64_t each = st_type_size(s->type);
    for (uint64_t at = 0, n; at < s->bytes / each; at += n) {
        n = s->bytes / each - at < PART ? s->bytes / each - at : PART;
        if (!st_fetch(f, s, at * each, part, n * each, &e))
            return complain(STATUS_DATA, "%s", e.text);
        float_values(s->type, part, n, value);
        int status = look_at(s, at, value, n, path, &told);
        if (status)
            return status;
        if (!j->device->write(j->device, j->phase, t, (int64_t)(at * sizeof *value), value,
                              (int64_t)(n * sizeof *value)))
            return complain(STATUS_DEVICE, "cannot write %s to the device", j->plan->tensor[t].name);
    }
    return 0;
}

/* Sums of a pass that is not over, bit by bit. */
static int take_tally(struct job *j, const struct st_file *f, const struct st_tensor *s, const char *path, int t)
{
    unsigned char part[ST_PART];
    struct data_error e;
    if (s->type != ST_F64)
        return complain(STATUS_DATA, "%s: %s is %s, and sums are F64", path, s->name, st_type_name(s->type));
    for (uint64_t at = 0, n; at < s->bytes; at += n) {
        n = s->bytes - at < ST_PART ? s->bytes - at : ST_PART;
        if (!st_fetch(f, s, at, part, n, &e))
            return complain(STATUS_DATA, "%s", e.text);
        if (!j->device->write(j->device, j->phase, t, (int64_t)at, part, (int64_t)n))
            return complain(STATUS_DEVICE, "cannot write %s to the device", j->plan->tensor[t].name);
    }
    return 0;
}

static int take(struct job *j, const struct st_file *f, const struct match *m, const char *path, enum wanted what)
{
    const struct plan *p = j->plan;
    int status = 0;
    for (int t = 0; status == 0 && t < p->ntensor; t++) {
        const struct st_tensor *s = match_wants(p, t, what) ? m->of[t] : NULL;
        status = !s ? 0 : tensor_is_tally(p, t) ? take_tally(j, f, s, path, t) : take_tensor(j, f, s, path, t);
    }
    return status;
}

static int take_matched(struct job *j, const struct st_file *f, const struct match *m, const char *path,
                        enum wanted what, bool partial)
{
    int shapes, count = match_differences(m, f, what, &shapes);
    if (count > 0 && (!partial || shapes > 0)) {
        complain(STATUS_DATA, "%s: these are not the weights of net %s", path, j->plan->net);
        match_show(m, f, what);
        if (shapes == 0)
            fprintf(stderr, "  = help: --partial takes what is there\n");
        return STATUS_DATA;
    }
    if (count > 0) {
        note("%s: taken in part", path);
        match_show(m, f, what);
    }
    for (size_t i = 0; i < f->n_tensors; i++)
        if (!m->renamed[i] && m->name[i] != f->tensors[i].name) {
            note("%s: prefixes of names are taken off, as in `%s`", path, f->tensors[i].name);
            break;
        }
    for (int t = 0; t < j->plan->ntensor; t++)
        if (m->of[t] && m->of[t]->type != ST_F32 && !tensor_is_tally(j->plan, t)) {
            note("%s: %s values, read as F32", path, st_type_name(m->of[t]->type));
            break;
        }
    return take(j, f, m, path, what);
}

static int load(struct job *j, const struct st_file *f, const char *path, enum wanted what, bool partial)
{
    struct match m;
    int status = match(&m, j->plan, f, &j->options->map, path);
    if (status == 0)
        status = take_matched(j, f, &m, path, what, partial);
    match_free(&m);
    return status;
}

static int not_opened(const char *path, const struct data_error *e)
{
    const struct others_weights *f = others_weights_of(path);
    if (!f)
        return complain(STATUS_DATA, "%s", e->text);
    complain(STATUS_DATA, "%s: %s; netrun reads safetensors", path, f->what);
    others_weights_help(f, path, stderr);
    return STATUS_DATA;
}

static int load_from(struct job *j, const char *path, enum wanted what, bool partial)
{
    struct st_file f;
    struct data_error e;
    if (!st_open(path, &f, &e))
        return not_opened(path, &e);
    int status = load(j, &f, path, what, partial);
    st_free(&f);
    return status;
}

int checkpoint_load(struct job *j, const char *path, bool partial)
{
    return load_from(j, path, WANT_WEIGHTS, partial);
}

int checkpoint_resume(struct job *j, const struct pair *p)
{
    int status = load_from(j, p->weights, WANT_WEIGHTS, false);
    return status ? status : load_from(j, p->optimizer, WANT_SLOTS, false);
}
