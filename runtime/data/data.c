#include "loaders.h"
#include "picture_cache.h"
#include "survey.h"

#include "base/atomic_file.h"
#include "graph/word.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Class indices of samples at and above this are taken for damage. */
#define MAX_CLASSES (1 << 20)

/* Reading */

static void insert_dimension(struct data_field *field)
{
    memmove(field->dims + 1, field->dims, (size_t)field->rank * sizeof *field->dims);
    field->dims[0] = 1;
    field->rank++;
}

/* The first place of the masks that is of no class. */
static bool check_masks(const struct data_split *split, int64_t classes, struct data_error *error)
{
    const struct data_field *f = &split->label;
    const uint64_t area = (uint64_t)(f->dims[0] * f->dims[1]), width = (uint64_t)f->dims[1];
    for (uint64_t i = 0; i < (uint64_t)split->count * area; i++) {
        const int64_t class = data_class(split, (int64_t)i);
        if ((class >= 0 && class < classes) || class == MASK_IGNORED)
            continue;
        char sample[40] = "";
        if (!split->mask)
            snprintf(sample, sizeof sample, " of sample %" PRIu64, i / area);
        return data_fail(error,
                         "%s: class %" PRId64 " at row %" PRIu64 ", column %" PRIu64 "%s; expected 0 to %" PRId64
                         ", or %d where there is none",
                         split->mask ? split->mask[i / area] : f->path, class, i % area / width, i % width, sample,
                         classes - 1, MASK_IGNORED);
    }
    return true;
}

static bool check_classes_of(const struct data_split *split, int64_t classes, const char *expectation,
                             struct data_error *error)
{
    const struct data_field *label = &split->label;
    if (data_is_mask(label))
        return check_masks(split, classes, error);
    for (int64_t i = 0; i < split->count; i++) {
        int64_t class = data_class(split, i);
        if (class >= 0 && class < classes)
            continue;
        char place[40] = "";
        if (label->header)
            snprintf(place, sizeof place, "byte %" PRIu64 ": ", label->header + (uint64_t)i * label->bytes);
        return data_fail(error, "%s: %slabel %" PRId64 " of sample %" PRId64 "; %s 0 to %" PRId64, label->path, place,
                         class, i, expectation, classes - 1);
    }
    return true;
}

bool data_head(const struct data_source *from, const struct data_split *split, int64_t count, struct data_field *field,
               struct data_error *error)
{
    bool label = field == &split->label;
    if (label && count != split->count)
        return data_fail(error, "%s: %" PRId64 " labels, but %s has %" PRId64 " samples; expected as many", field->path,
                         count, split->sample.path, split->count);
    if (!label && field->type == DATA_I32)
        return data_fail(error, "%s: samples of 32-bit integers; expected bytes or 32-bit floats", field->path);
    if (label && field->type != DATA_F32 && field->rank != 0 && !data_is_mask(field))
        return data_fail(error, "%s: class labels of rank %d; expected rank 1", field->path, field->rank + 1);
    if (label ? field->type == DATA_F32 && field->rank == 0 : field->rank == 2 || field->rank == 0)
        insert_dimension(field);
    struct data_field seen = *field;
    if (!label && from->wish.steps && !from->wish.alone && !data_transformed(from, &seen, error))
        return false;
    return !from->wish.fits || from->wish.fits(from->wish.wanted, &seen, label, error);
}

static int64_t bytes_in_memory(const struct dataset *set)
{
    int64_t bytes = 0;
    for (int i = 0; i < DATA_SPLITS; i++) {
        const struct data_split *split = data_split_of(set, i);
        bytes += split->reader ? 0 : split->count * (int64_t)split->sample.bytes;
    }
    return bytes;
}

static bool read_split(const struct contents *contents, struct picture_cache *cache, enum data_part first,
                       struct data_source from, struct data_split *split, struct data_error *error)
{
    const struct data_format *format = contents->format;
    const struct names *samples = &contents->part[first], *labels = &contents->part[first + 1];
    if (!samples->n && !labels->n)
        return true;
    if (!samples->n || (!labels->n && format->usual[TRAIN_LABELS])) {
        enum data_part missing = samples->n ? first + 1 : first;
        return data_fail(error, "%s: its %s are missing; expected a file such as %s (plain or .gz) beside it",
                         samples->n ? samples->name[0] : labels->name[0], part_names[missing],
                         format->usual[missing < HOLDOUT_SAMPLES ? missing : missing - HOLDOUT_SAMPLES]);
    }
    if (from.wish.columns && !format->table)
        return data_fail(error, "%s: %s; expected a table, CSV or TSV, as the target of the network is from one",
                         samples->name[0], format->name);
    const int64_t there = bytes_in_memory(from.set);
    from.most = from.wish.most > there ? from.wish.most - there : from.wish.most > 0 ? 1 : 0;
    from.samples = samples->name;
    from.n = samples->n;
    from.part = first;
    from.labels = labels->n ? labels->name[0] : NULL;
    from.masks = labels->name;
    from.class = contents->class[first / 2];
    from.kept = contents->kept[first / 2];
    from.cache = cache;
    if (format->cached && picture_cache_works(cache))
        from.now = cache->now[first / 2] = calloc(from.n, sizeof *from.now);
    from.where = from.wish.where && from.wish.where[first / 2].word ? &from.wish.where[first / 2] : NULL;
    if (!format->read(&from, split, error))
        return false;
    if (split->count == 0)
        return true;
    const int64_t most = data_is_mask(&split->label) ? MASK_IGNORED : MAX_CLASSES;
    return (!from.wish.steps || from.wish.alone || format->is || data_transform(&from, split, error)) &&
           (split->label.type == DATA_F32 || check_classes_of(split, most, "expected", error));
}

static bool same_layout(const struct data_field *a, const struct data_field *b)
{
    return a->type == b->type && a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* Those that are there are like the first of them. */
static bool check_splits(const struct dataset *set, struct data_error *error)
{
    const struct data_split *first = NULL;
    for (int i = 0; i < DATA_SPLITS; i++) {
        const struct data_split *split = data_split_of(set, i);
        if (split->count == 0)
            continue;
        first = first ? first : split;
        if (!same_layout(&first->sample, &split->sample))
            return data_fail(error, "%s: samples differ in type or shape from those of %s", split->sample.path,
                             first->sample.path);
        if (!same_layout(&first->label, &split->label))
            return data_fail(error, "%s: labels differ in type or shape from those of %s", split->label.path,
                             first->label.path);
        if (first->sample.rate != split->sample.rate)
            return data_fail(error, "%s: %d values a second, but %s has %d; expected one sample rate",
                             split->sample.path, split->sample.rate, first->sample.path, first->sample.rate);
    }
    return true;
}

static int64_t largest_class(const struct data_split *split)
{
    int64_t largest = -1;
    for (int64_t i = 0; i < split->count; i++)
        if (data_class(split, i) > largest)
            largest = data_class(split, i);
    return largest;
}

static void count_classes(struct dataset *set)
{
    for (int i = 0; i < DATA_SPLITS; i++) {
        const struct data_split *split = data_split_of(set, i);
        int64_t classes = split->count > 0 && split->label.rank == 0 ? largest_class(split) + 1 : 0;
        set->classes = classes > set->classes ? classes : set->classes;
    }
}

static bool is_synthetic(const char *folder)
{
    char *marker = path_join(folder, "SYNTHETIC");
    bool found = marker && access(marker, F_OK) == 0;
    free(marker);
    return found;
}

/* By their folders, by a file of the format beside the samples, or by one in the folder. */
static bool name_classes(const char *folder, const struct contents *contents, const struct data_where *where,
                         struct dataset *set, struct data_error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < contents->classes.n; i++)
        ok = data_name_class(set, contents->classes.name[i], folder, error);
    for (int part = TRAIN_SAMPLES; ok && contents->format->names && !set->class_names && part < DATA_PARTS; part += 2) {
        const char *path = contents->part[part].n ? contents->part[part].name[0] : NULL;
        char *beside = path ? strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;
        ok = !path ||
             (beside ? data_class_names(beside, contents->format->names(where ? &where[part / 2] : NULL), set, error)
                     : data_fail(error, "out of memory"));
        free(beside);
    }
    return ok && (set->class_names > 0 || data_class_names(folder, NULL, set, error));
}

static bool look(const char *folder, const struct data_wish *wish, struct contents *contents, struct data_error *error)
{
    return wish && wish->where ? where_survey(folder, wish->where, contents, error) : survey(folder, contents, error);
}

bool data_open(const char *folder, const struct data_wish *wish, struct dataset *set, struct data_error *error)
{
    struct picture_cache cache;
    struct contents contents = {.cache = &cache};
    const struct data_source from = {.wish = wish ? *wish : (struct data_wish){0}, .files = &set->files, .set = set};
    *set = (struct dataset){0};
    picture_cache_open(&cache, folder, wish);
    bool ok = look(folder, wish, &contents, error) &&
              read_split(&contents, &cache, TRAIN_SAMPLES, from, &set->train, error) &&
              read_split(&contents, &cache, TEST_SAMPLES, from, &set->test, error) &&
              read_split(&contents, &cache, HOLDOUT_SAMPLES, from, &set->holdout, error) && check_splits(set, error);
    if (ok) {
        set->format = contents.format->name;
        set->strangers = contents.strangers;
        set->rate = data_first(set)->sample.rate;
        count_classes(set);
        set->synthetic = is_synthetic(folder);
    }
    if (ok && contents.format->cached)
        picture_cache_write(&cache, set);
    picture_cache_close(&cache);
    ok = ok && name_classes(folder, &contents, from.wish.where, set, error);
    survey_free(&contents);
    if (!ok)
        data_close(set);
    return ok;
}

bool data_reads(const char *folder, const struct data_wish *wish, const char *path)
{
    struct contents contents = {0};
    struct data_error ignored;
    bool reads = false, known = look(folder, wish, &contents, &ignored);
    for (int part = 0; known && part < DATA_PARTS; part++)
        for (size_t i = 0; i < contents.part[part].n; i++)
            reads |= atomic_destroys(path, contents.part[part].name[i]);
    survey_free(&contents);
    return reads;
}

void data_close(struct dataset *set)
{
    struct data_split *split[] = {&set->train, &set->test, &set->holdout};
    for (size_t i = 0; i < sizeof split / sizeof *split; i++) {
        if (split[i]->source)
            split[i]->source->close(split[i]->source);
        data_reader_close(split[i]->reader);
        free(split[i]->sample.values);
        free(split[i]->sample.path);
        free(split[i]->label.values);
        free(split[i]->label.path);
        free(split[i]->number);
        for (int64_t k = 0; k < split[i]->masks; k++)
            free(split[i]->mask[k]);
        free(split[i]->mask);
    }
    data_unname(set);
    while (set->inputs > 0)
        free(set->input[--set->inputs]);
    free(set->input);
    *set = (struct dataset){0};
}

bool data_is_class(const struct data_field *label)
{
    return label->type != DATA_F32 && label->rank == 0;
}

bool data_is_mask(const struct data_field *label)
{
    return label->type != DATA_F32 && label->rank == 2;
}

bool data_is_image(const struct data_field *field)
{
    return field->rank == 3 && field->rate == 0;
}

bool data_sample(const struct data_split *split, int64_t i, void *to, struct data_error *error)
{
    const struct data_field *f = &split->sample;
    if (!split->reader) {
        memcpy(to, f->values + (uint64_t)i * f->bytes, (size_t)f->bytes);
        return true;
    }
    if (!data_reader_get(split->reader, split->number ? split->number[i] : i, to, error))
        return false;
    float *value = to;
    for (uint64_t k = 0; split->fill && k < f->bytes / sizeof *value; k++)
        if (isnan(value[k]))
            value[k] = (float)split->fill[k];
    return true;
}

const void *data_look(const struct data_split *split, int64_t i, void *room, struct data_error *error)
{
    if (!split->reader)
        return split->sample.values + (uint64_t)i * split->sample.bytes;
    return data_sample(split, i, room, error) ? room : NULL;
}

int64_t data_class(const struct data_split *split, int64_t i)
{
    if (split->label.type == DATA_U8)
        return split->label.values[i];
    int32_t class;
    memcpy(&class, split->label.values + i * (int64_t)sizeof class, sizeof class);
    return class;
}

bool data_check_classes(const struct data_split *split, int64_t classes, struct data_error *error)
{
    return check_classes_of(split, classes, "the network has classes", error);
}

/* Of n samples from `first` on, which lie at `value`; `what` names the field for people. */
static bool are_finite(const struct data_field *field, const float *value, int64_t first, int64_t n, const char *what,
                       struct data_error *error)
{
    const uint64_t row = field->bytes / sizeof(float);
    for (uint64_t i = 0; i < (uint64_t)n * row; i++) {
        if (isfinite(value[i]))
            continue;
        char place[40] = "";
        if (field->header)
            snprintf(place, sizeof place, "byte %" PRIu64 ": ",
                     field->header + (uint64_t)first * field->bytes + i * sizeof(float));
        return data_fail(error, "%s: %s%s %" PRIu64 " of sample %" PRIu64 " is %s; expected finite numbers",
                         field->path, place, what, i % row, (uint64_t)first + i / row,
                         isnan(value[i]) ? "not a number (NaN)" : "infinite");
    }
    return true;
}

/* One by one, where they stay in their file. */
static bool check_samples(const struct data_split *split, struct data_error *error)
{
    const struct data_field *f = &split->sample;
    if (f->type != DATA_F32)
        return true;
    if (!split->reader)
        return are_finite(f, (const float *)f->values, 0, split->count, "value", error);
    float *one = malloc((size_t)f->bytes);
    bool ok = one || data_fail(error, "out of memory");
    for (int64_t i = 0; ok && i < split->count; i++)
        ok = data_sample(split, i, one, error) && are_finite(f, one, i, 1, "value", error);
    free(one);
    return ok;
}

bool data_check_finite(const struct data_split *split, struct data_error *error)
{
    const struct data_field *f = &split->label;
    return check_samples(split, error) &&
           (f->type != DATA_F32 || are_finite(f, (const float *)f->values, 0, split->count, "target value", error));
}
