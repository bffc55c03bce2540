/* csv_classes.c: a column of labels as classes. Whole numbers from 0 on are what they say; other labels are names, whose sorted order
 * numbers the classes. */
#include "csv_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 }; /* bytes, as data_name_class has it */

static bool is_class(const char *text, int64_t classes, int32_t *class)
{
    double value;
    if (!csv_number(text, &value) || value < 0 || value >= (double)classes || value != floor(value))
        return false;
    *class = (int32_t)value;
    return true;
}

/* Numbers by value, and before texts. */
static int by_name(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    double p, q;
    const bool number[2] = {csv_number(x, &p), csv_number(y, &q)};
    if (number[0] && number[1] && p != q)
        return p < q ? -1 : 1;
    return number[0] != number[1] ? number[1] - number[0] : strcmp(x, y);
}

static bool take_numbers(const struct csv_table *t, int64_t classes, int32_t *class)
{
    for (int i = 0; i < t->ntext; i++)
        if (!is_class(t->text[i], classes, &class[i]))
            return false;
    return true;
}

/* Which class a label is of those that have names; -1: none. Names are sorted as by_name has it. */
static int64_t named_class(const struct dataset *set, const char *label)
{
    for (int64_t i = 0; i < set->class_names; i++)
        if (strcmp(set->class_name[i], label) == 0)
            return i;
    return -1;
}

/* Where a label stands first. */
static int64_t line_of(const struct csv_table *t, int32_t text)
{
    const int32_t *label = (const int32_t *)(const void *)t->split.label.values;
    int64_t row = 0;
    while (label[row] != text)
        row++;
    return t->line[row];
}

/* The first of those that the fewest rows have: where there are too many, it may be a slip. */
static int32_t rarest(const struct csv_table *t)
{
    const int32_t *label = (const int32_t *)(const void *)t->split.label.values;
    int64_t *rows = region_alloc(t->region, (size_t)t->ntext, sizeof *rows);
    int32_t least = 0;
    for (int64_t i = 0; i < t->split.count; i++)
        rows[label[i]]++;
    for (int32_t k = 1; k < t->ntext; k++)
        least = rows[k] < rows[least] ? k : least;
    return least;
}

static bool learn_names(struct csv_table *t, int64_t classes, struct dataset *set, struct data_error *error)
{
    char names[CSV_LIST];
    const char **name = region_alloc(t->region, (size_t)t->ntext, sizeof *name);
    memcpy(name, t->text, (size_t)t->ntext * sizeof *name);
    qsort(name, (size_t)t->ntext, sizeof *name, by_name);
    if (t->ntext != classes) {
        char slip[120] = "";
        const int32_t least = rarest(t);
        if (t->ntext > classes)
            snprintf(slip, sizeof slip, "; \"%.64s\" in line %" PRId64 " is the rarest", t->text[least],
                     line_of(t, least));
        csv_list((char *const *)name, t->ntext, names);
        return data_fail(error,
                         "%s: %d labels, %s; expected as many as there are classes, %" PRId64
                         ", or whole numbers from 0 to %" PRId64 "%s",
                         t->csv.path, t->ntext, names, classes, classes - 1, slip);
    }
    bool ok = true;
    for (int i = 0; ok && i < t->ntext; i++)
        ok = strlen(name[i]) <= NAME
                 ? data_name_class(set, name[i], t->csv.path, error)
                 : data_fail(error, "%s: a label of more than %d bytes, %.40s...", t->csv.path, NAME, name[i]);
    return ok;
}

static bool take_names(const struct csv_table *t, int64_t classes, const struct dataset *set, int32_t *class,
                       struct data_error *error)
{
    char names[CSV_LIST];
    for (int i = 0; i < t->ntext; i++) {
        int64_t named = named_class(set, t->text[i]);
        if (named < 0 || named >= classes) {
            csv_list(set->class_name, set->class_names, names);
            return data_fail(error, "%s:%" PRId64 ": \"%.100s\" is no class; the classes are %s", t->csv.path,
                             line_of(t, i), t->text[i], names);
        }
        class[i] = (int32_t)named;
    }
    return true;
}

/* Names that are known, of the weights, may be those of numbers, from a file beside them. */
static bool all_named(const struct csv_table *t, const struct dataset *set)
{
    for (int i = 0; i < t->ntext; i++)
        if (named_class(set, t->text[i]) < 0)
            return false;
    return true;
}

static bool seed_names(const struct csv_table *t, const char *names, struct dataset *set, struct data_error *error)
{
    char *copy = strdup(names), *rest = copy;
    bool ok = copy || data_fail(error, "out of memory");
    for (char *name; ok && (name = strsep(&rest, "\n"));)
        ok = data_name_class(set, name, t->csv.path, error);
    free(copy);
    return ok;
}

/* The class of each text. */
static bool take_texts(struct csv_table *t, const struct data_wish *wish, struct dataset *set, int32_t *class,
                       struct data_error *error)
{
    const int64_t classes = wish->classes;
    const bool seeded = set->class_names == 0 && wish->class_names;
    if (seeded && !seed_names(t, wish->class_names, set, error))
        return false;
    if (seeded && wish->renews && !all_named(t, set))
        data_unname(set);
    if (set->class_names > 0 && all_named(t, set))
        return take_names(t, classes, set, class, error);
    if (take_numbers(t, classes, class))
        return true;
    return (set->class_names > 0 || learn_names(t, classes, set, error)) && take_names(t, classes, set, class, error);
}

bool csv_classes(struct csv_table *t, const struct data_wish *wish, struct dataset *set, struct data_error *error)
{
    int32_t *class = region_alloc(t->region, (size_t)t->ntext, sizeof *class),
            *label = (int32_t *)(void *)t->split.label.values;
    const bool ok = take_texts(t, wish, set, class, error);
    for (int64_t i = 0; ok && i < t->split.count; i++)
        label[i] = class[label[i]];
    return ok;
}
