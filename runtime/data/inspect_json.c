/* inspect_json.c: what --inspect shows, for programs. */
#include "inspect_json.h"
#include "inspect_table.h"
#include "inspect_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* null if it is not finite: JSON has no such numbers. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
    json_t *string = json_string(value);
    return string ? string : json_null(); /* not UTF-8 */
}

static json_t *begin(const char *what)
{
    return json_pack("{s:i, s:s}", "schema", 1, "what", what);
}

/* ---- a folder of data ---- */

static json_t *field_json(const struct data_field *f)
{
    json_t *shape = json_array();
    for (int i = 0; i < f->rank; i++)
        json_array_append_new(shape, json_integer(f->dims[i]));
    return json_pack("{s:s, s:o}", "type", data_type_name(f->type), "shape", shape);
}

static json_t *split_json(const struct data_split *s)
{
    json_t *split = json_pack("{s:I}", "samples", (json_int_t)s->count);
    if (s->count > 0) {
        json_object_set_new(split, "sample", field_json(&s->sample));
        json_object_set_new(split, "target", field_json(&s->label));
    }
    return split;
}

static json_t *classes_json(const struct dataset *set)
{
    static const char *const name[DATA_SPLITS] = {"train", "test", "holdout"};
    int64_t *counts = data_class_counts(set);
    json_t *list = json_array();
    for (int64_t c = 0; counts && c < set->classes; c++) {
        json_t *row = json_pack("{s:I}", "class", (json_int_t)c);
        if (c < set->class_names)
            json_object_set_new(row, "name", text(set->class_name[c]));
        for (int k = 0; k < DATA_SPLITS; k++)
            if (k < 2 || set->holdout.count)
                json_object_set_new(row, name[k], json_integer(counts[DATA_SPLITS * c + k]));
        json_array_append_new(list, row);
    }
    free(counts);
    return list;
}

/* Each class of the training set's masks, 255 among them, with its share of the places. */
static json_t *masks_json(const struct dataset *set)
{
    double share[MASK_IGNORED + 1];
    json_t *list = json_array();
    masks_shares(data_first(set), share);
    for (int k = 0; k <= MASK_IGNORED; k++)
        if (share[k] > 0)
            json_array_append_new(list, json_pack("{s:i, s:o}", "class", k, "share", number(share[k])));
    return list;
}

static json_t *channels_json(const struct data_split *train)
{
    int64_t size, channels = data_channels(&train->sample, &size);
    json_t *list = json_array();
    for (int64_t c = 0; c < channels; c++) {
        double mean, deviation;
        data_channel(train, c, size, &mean, &deviation);
        json_array_append_new(list, json_pack("{s:o, s:o}", "mean", number(mean), "deviation", number(deviation)));
    }
    return list;
}

json_t *dataset_json(const char *folder, const struct dataset *set)
{
    json_t *all = begin("data");
    struct data_error wrong;
    json_object_set_new(all, "folder", text(folder));
    json_object_set_new(all, "format", text(set->format));
    json_object_set_new(all, "synthetic", json_boolean(set->synthetic));
    if (set->rate) {
        json_object_set_new(all, "rate", json_integer(set->rate));
        json_object_set_new(all, "lengths",
                            json_pack("[I, I]", (json_int_t)set->files.width[0], (json_int_t)set->files.width[1]));
    }
    json_object_set_new(all, "train", split_json(&set->train));
    json_object_set_new(all, "test", split_json(&set->test));
    if (set->holdout.count)
        json_object_set_new(all, "holdout", split_json(&set->holdout));
    if (data_is_mask(&data_first(set)->label))
        json_object_set_new(all, "mask_classes", masks_json(set));
    if (set->classes)
        json_object_set_new(all, "classes", classes_json(set));
    if (!data_check_finite(&set->train, &wrong) || !data_check_finite(&set->test, &wrong) ||
        !data_check_finite(&set->holdout, &wrong))
        json_object_set_new(all, "not_finite", text(wrong.text));
    else if (set->train.count)
        json_object_set_new(all, "channels", channels_json(&set->train));
    return all;
}

/* ---- a folder of tables ---- */

static json_t *column_json(const struct table_column *c)
{
    json_t *row = json_pack("{s:o, s:I, s:I, s:I}", "name", text(c->name), "missing", (json_int_t)c->missing, "numbers",
                            (json_int_t)c->numbers, "texts", (json_int_t)c->texts);
    if (c->numbers > 0) {
        json_object_set_new(row, "min", number(c->min));
        json_object_set_new(row, "max", number(c->max));
        json_object_set_new(row, "mean", number(c->mean));
    }
    json_t *values = c->texts > 0 ? json_array() : NULL;
    for (int i = 0; values && i < c->different && i < TABLE_LISTED; i++)
        json_array_append_new(values, text(c->text[i]));
    if (values) {
        json_object_set_new(row, "values", values);
        json_object_set_new(row, "more", json_boolean(c->different > TABLE_LISTED));
    }
    return row;
}

static void add_table(void *files, const struct table_seen *t)
{
    json_t *columns = json_array();
    for (int64_t i = 0; i < t->columns; i++)
        json_array_append_new(columns, column_json(&t->column[i]));
    json_array_append_new(
        files, json_pack("{s:o, s:I, s:o}", "file", text(t->path), "rows", (json_int_t)t->rows, "columns", columns));
}

json_t *table_json(const char *folder, bool *is, struct data_error *error)
{
    json_t *all = begin("table"), *files = json_array();
    json_object_set_new(all, "folder", text(folder));
    json_object_set_new(all, "files", files);
    if (table_see(folder, add_table, files, is, error) && *is)
        return all;
    json_decref(all);
    return NULL;
}

/* ---- tensors ---- */

static json_t *dims_json(const struct st_tensor *t)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->dims[i]));
    return shape;
}

static void add_stats(json_t *row, int64_t values, const struct value_stats *s)
{
    json_object_set_new(row, "values", json_integer(values));
    json_object_set_new(row, "mean", number(s->n ? s->mean : NAN));
    json_object_set_new(row, "deviation", number(stats_deviation(s)));
    json_object_set_new(row, "min", number(s->n ? s->min : NAN));
    json_object_set_new(row, "max", number(s->n ? s->max : NAN));
    json_object_set_new(row, "not_finite", json_integer(s->others));
}

json_t *tensor_json(const char *name, int rank, const int64_t *dims, int64_t values, const struct value_stats *s)
{
    json_t *shape = json_array(), *row = json_pack("{s:o}", "name", text(name));
    for (int i = 0; i < rank; i++)
        json_array_append_new(shape, json_integer(dims[i]));
    json_object_set_new(row, "shape", shape);
    add_stats(row, values, s);
    return row;
}

static bool add_tensors(json_t *list, const struct st_file *f, struct data_error *error)
{
    for (size_t i = 0; i < f->n_tensors; i++) {
        const struct st_tensor *t = &f->tensors[i];
        struct value_stats s = {0};
        if (!weights_survey(f, t, &s, error))
            return false;
        json_t *row =
            json_pack("{s:o, s:s, s:o}", "name", text(t->name), "type", st_type_name(t->type), "shape", dims_json(t));
        add_stats(row, weights_elements(t), &s);
        json_array_append_new(list, row);
    }
    return true;
}

json_t *weights_json(const char *path, struct data_error *error)
{
    struct st_file f;
    if (!st_open(path, &f, error))
        return NULL;
    json_t *all = begin("weights"), *metadata = json_object(), *tensors = json_array();
    json_object_set_new(all, "file", text(path));
    json_object_set_new(all, "metadata", metadata);
    json_object_set_new(all, "tensors", tensors);
    for (size_t i = 0; i < f.n_metadata; i++)
        json_object_set_new(metadata, f.metadata[i].key, text(f.metadata[i].value));
    if (!add_tensors(tensors, &f, error)) {
        json_decref(all);
        all = NULL;
    }
    st_free(&f);
    return all;
}

/* ---- two files ---- */

static void add_apart(json_t *row, int64_t values, const struct apart *d)
{
    json_object_set_new(row, "values", json_integer(values));
    json_object_set_new(row, "max", number(d->n ? d->max : NAN));
    json_object_set_new(row, "mean", number(d->n ? d->sum / (double)d->n : NAN));
    json_object_set_new(row, "relative", number(apart_relative(d)));
    json_object_set_new(row, "not_finite", json_integer(d->others));
}

static json_t *only_in(const struct st_file *one, const struct st_file *other)
{
    json_t *list = json_array();
    for (size_t i = 0; i < one->n_tensors; i++)
        if (!st_find(other, one->tensors[i].name))
            json_array_append_new(list, text(one->tensors[i].name));
    return list;
}

static bool add_differences(json_t *all, const struct st_file *a, const struct st_file *b, struct data_error *error)
{
    json_t *tensors = json_array(), *shapes = json_array(), *sum = json_object();
    struct apart total = {0};
    int64_t values = 0;
    json_object_set_new(all, "tensors", tensors);
    json_object_set_new(all, "all", sum);
    json_object_set_new(all, "other_shape", shapes);
    for (size_t i = 0; i < a->n_tensors; i++) {
        const struct st_tensor *t = &a->tensors[i], *twin = st_find(b, t->name);
        struct apart d = {0};
        if (twin && !weights_same_shape(t, twin))
            json_array_append_new(shapes, json_pack("{s:o, s:o, s:o}", "name", text(t->name), "first", dims_json(t),
                                                    "second", dims_json(twin)));
        if (!twin || !weights_same_shape(t, twin))
            continue;
        if (!weights_apart((const struct st_file *[]){a, b}, (const struct st_tensor *[]){t, twin}, &d, error))
            return false;
        json_t *row = json_pack("{s:o, s:o}", "name", text(t->name), "shape", dims_json(t));
        add_apart(row, weights_elements(t), &d);
        json_array_append_new(tensors, row);
        values += weights_elements(t);
        apart_add(&total, &d);
    }
    add_apart(sum, values, &total);
    json_object_set_new(all, "only_in_first", only_in(a, b));
    json_object_set_new(all, "only_in_second", only_in(b, a));
    return true;
}

json_t *difference_json(const char *first, const char *second, struct data_error *error)
{
    struct st_file a, b;
    json_t *all = NULL;
    if (!st_open(first, &a, error))
        return NULL;
    if (st_open(second, &b, error)) {
        all = begin("difference");
        json_object_set_new(all, "first", text(first));
        json_object_set_new(all, "second", text(second));
        if (!add_differences(all, &a, &b, error)) {
            json_decref(all);
            all = NULL;
        }
        st_free(&b);
    }
    st_free(&a);
    return all;
}

json_t *initial_json(const char *net, int64_t params, uint32_t seed, json_t *tensors)
{
    json_t *all = begin("plan");
    json_object_set_new(all, "net", text(net));
    json_object_set_new(all, "params", json_integer(params));
    json_object_set_new(all, "seed", json_integer(seed));
    json_object_set_new(all, "tensors", tensors);
    return all;
}

bool inspect_json_put(json_t *all, FILE *out)
{
    bool good = json_dumpf(all, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) == 0;
    json_decref(all);
    return good && fputc('\n', out) != EOF;
}
