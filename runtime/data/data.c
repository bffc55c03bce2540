#include "format.h"

#include "base/atomic_file.h"
#include "gz.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Class indices at and above this are taken for damage. */
#define MAX_CLASSES (1 << 20)

static const char *const part_names[DATA_PARTS] = {"training samples", "training labels", "test samples",
                                                   "test labels"};

#define FORMAT(name) extern const struct data_format format_##name;
#include "formatlist.h"
#undef FORMAT
static const struct data_format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "formatlist.h"
#undef FORMAT
};
enum { FORMATS = sizeof formats / sizeof *formats };

struct names {
    char **name;
    size_t n;
};

/* The files of the one format that a folder holds. */
struct contents {
    const struct data_format *format;
    struct names part[DATA_PARTS];
};

/* Names */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool append(struct names *list, char *name)
{
    char **grown = name ? realloc(list->name, (list->n + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(name);
        return false;
    }
    list->name = grown;
    list->name[list->n++] = name;
    return true;
}

static void free_names(struct names *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
    *list = (struct names){0};
}

static bool contains(const struct names *list, const char *name, size_t length)
{
    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->name[i]) == length && memcmp(list->name[i], name, length) == 0)
            return true;
    return false;
}

static bool is_packed_twin(const struct names *list, const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0 && contains(list, name, length - 3);
}

static char *join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Splits the visible names of the folder into files and subfolders, each in order. */
static bool list_folder(const char *folder, struct names *files, struct names *folders, struct data_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return data_fail(error, "%s: %s; expected a folder of data", folder, strerror(errno));
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(stream));) {
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(stream), entry->d_name, &status, 0) != 0)
            continue;
        if (S_ISREG(status.st_mode))
            ok = append(files, strdup(entry->d_name));
        else if (S_ISDIR(status.st_mode))
            ok = append(folders, strdup(entry->d_name));
    }
    closedir(stream);
    if (!ok)
        return data_fail(error, "%s: out of memory", folder);
    if (files->n)
        qsort(files->name, files->n, sizeof *files->name, compare_names);
    if (folders->n)
        qsort(folders->name, folders->n, sizeof *folders->name, compare_names);
    return true;
}

/* Recognition */

/* Takes `path`. */
static bool add_file(struct contents *contents, const struct data_format *format, enum data_part part, char *path,
                     struct data_error *error)
{
    struct names *files = &contents->part[part];
    if (files->n && !format->many)
        data_fail(error, "%s: a second file of %s beside %s; expected one", path, part_names[part], files->name[0]);
    else if (contents->format && contents->format != format)
        data_fail(error, "%s: %s, but beside it are files of %s; expected one data set", path, format->name,
                  contents->format->name);
    else {
        contents->format = format;
        return append(files, path) || data_fail(error, "out of memory");
    }
    free(path);
    return false;
}

/* Looks into one file and notes whose it is; takes `path`. */
static bool offer_file(struct contents *contents, const char *name, char *path, struct data_error *error)
{
    struct data_error local;
    struct data_file file = {.name = name, .path = path};
    struct gz *stream = gz_open(path, &local);
    if (!stream || !gz_read_some(stream, file.start, sizeof file.start, &file.got, &local))
        file.got = 0;
    gz_close(stream);
    bool damaged = false;
    for (int i = 0; i < FORMATS; i++) {
        enum data_part part;
        enum data_claim claim = formats[i]->claim(&file, &part, damaged ? &local : error);
        if (claim == DATA_MINE)
            return add_file(contents, formats[i], part, path, error);
        damaged |= claim == DATA_DAMAGED;
    }
    free(path);
    return !damaged;
}

static void free_contents(struct contents *contents)
{
    for (int part = 0; part < DATA_PARTS; part++)
        free_names(&contents->part[part]);
}

/* snprintf at the end of what is there; what does not fit is left out. */
static void add_text(char *text, size_t size, const char *before, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", before, word);
}

static bool fail_unrecognised(const char *folder, const struct names *folders, struct data_error *error)
{
    char expected[400] = "", list[200] = "";
    for (int i = 0; i < FORMATS; i++) {
        int left = 0;
        for (int part = 0; part < DATA_PARTS; part++)
            left += formats[i]->usual[part] != NULL;
        const char *before = i ? ", or " : "";
        for (int part = 0; part < DATA_PARTS; part++) {
            if (!formats[i]->usual[part])
                continue;
            add_text(expected, sizeof expected, before, formats[i]->usual[part]);
            before = --left > 1 ? ", " : " and ";
        }
    }
    for (size_t i = 0; i < folders->n; i++)
        add_text(list, sizeof list, i ? ", " : "; its subfolders are ", folders->name[i]);
    return data_fail(error, "%s: no data recognised; expected %s (each plain or .gz)%s", folder, expected, list);
}

static bool survey(const char *folder, struct contents *contents, struct data_error *error)
{
    struct names files = {0}, folders = {0};
    bool ok = list_folder(folder, &files, &folders, error);
    for (size_t i = 0; ok && i < files.n; i++) {
        if (is_packed_twin(&files, files.name[i]))
            continue;
        char *path = join(folder, files.name[i]);
        ok = path ? offer_file(contents, files.name[i], path, error) : data_fail(error, "%s: out of memory", folder);
    }
    if (ok && !contents->format)
        ok = fail_unrecognised(folder, &folders, error);
    free_names(&files);
    free_names(&folders);
    return ok;
}

/* Reading */

static void insert_dimension(struct data_field *field)
{
    memmove(field->dims + 1, field->dims, (size_t)field->rank * sizeof *field->dims);
    field->dims[0] = 1;
    field->rank++;
}

static bool check_classes_of(const struct data_split *split, int64_t classes, const char *expectation,
                             struct data_error *error)
{
    const struct data_field *label = &split->label;
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
    if (label && field->type != DATA_F32 && field->rank != 0)
        return data_fail(error, "%s: class labels of rank %d; expected rank 1", field->path, field->rank + 1);
    if (label ? field->type == DATA_F32 && field->rank == 0 : field->rank == 2 || field->rank == 0)
        insert_dimension(field);
    return !from->fits || from->fits(from->wanted, field, label, error);
}

static bool read_split(const struct contents *contents, enum data_part first, struct data_source from,
                       struct data_split *split, struct data_error *error)
{
    const struct data_format *format = contents->format;
    const struct names *samples = &contents->part[first], *labels = &contents->part[first + 1];
    if (!samples->n && !labels->n)
        return true;
    if (!samples->n || (!labels->n && format->usual[first + 1])) {
        enum data_part missing = samples->n ? first + 1 : first;
        return data_fail(error, "%s: its %s are missing; expected a file such as %s (plain or .gz) beside it",
                         samples->n ? samples->name[0] : labels->name[0], part_names[missing], format->usual[missing]);
    }
    from.samples = samples->name;
    from.n = samples->n;
    from.labels = labels->n ? labels->name[0] : NULL;
    return format->read(&from, split, error) &&
           (split->label.type == DATA_F32 || check_classes_of(split, MAX_CLASSES, "expected", error));
}

static bool same_layout(const struct data_field *a, const struct data_field *b)
{
    return a->type == b->type && a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool check_splits(const struct dataset *set, struct data_error *error)
{
    if (set->train.count == 0 || set->test.count == 0)
        return true;
    if (!same_layout(&set->train.sample, &set->test.sample))
        return data_fail(error, "%s: samples differ in type or shape from those of %s", set->test.sample.path,
                         set->train.sample.path);
    if (!same_layout(&set->train.label, &set->test.label))
        return data_fail(error, "%s: labels differ in type or shape from those of %s", set->test.label.path,
                         set->train.label.path);
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
    const struct data_split *either = set->train.count ? &set->train : &set->test;
    if (either->label.rank != 0)
        return;
    int64_t train = largest_class(&set->train), test = largest_class(&set->test);
    set->classes = (train > test ? train : test) + 1;
}

static bool is_synthetic(const char *folder)
{
    char *marker = join(folder, "SYNTHETIC");
    bool found = marker && access(marker, F_OK) == 0;
    free(marker);
    return found;
}

bool data_open(const char *folder, data_fits *fits, const void *wanted, struct dataset *set, struct data_error *error)
{
    struct contents contents = {0};
    const struct data_source from = {.fits = fits, .wanted = wanted};
    *set = (struct dataset){0};
    bool ok = survey(folder, &contents, error) && read_split(&contents, TRAIN_SAMPLES, from, &set->train, error) &&
              read_split(&contents, TEST_SAMPLES, from, &set->test, error) && check_splits(set, error);
    free_contents(&contents);
    if (ok) {
        set->format = contents.format->name;
        count_classes(set);
        set->synthetic = is_synthetic(folder);
        ok = data_class_names(folder, set, error);
    }
    if (!ok)
        data_close(set);
    return ok;
}

bool data_reads(const char *folder, const char *path)
{
    struct contents contents = {0};
    struct data_error ignored;
    bool reads = false, known = survey(folder, &contents, &ignored);
    for (int part = 0; known && part < DATA_PARTS; part++)
        for (size_t i = 0; i < contents.part[part].n; i++)
            reads |= atomic_destroys(path, contents.part[part].name[i]);
    free_contents(&contents);
    return reads;
}

void data_close(struct dataset *set)
{
    struct data_split *split[] = {&set->train, &set->test, &set->holdout};
    for (size_t i = 0; i < sizeof split / sizeof *split; i++) {
        free(split[i]->sample.values);
        free(split[i]->sample.path);
        free(split[i]->label.values);
        free(split[i]->label.path);
        free(split[i]->number);
    }
    while (set->class_names > 0)
        free(set->class_name[--set->class_names]);
    free(set->class_name);
    *set = (struct dataset){0};
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

/* `what` names the field for people. */
static bool check_finite(const struct data_field *field, int64_t count, const char *what, struct data_error *error)
{
    uint64_t n = field->type == DATA_F32 ? (uint64_t)count * (field->bytes / sizeof(float)) : 0;
    const float *value = (const float *)field->values;
    for (uint64_t i = 0; i < n; i++) {
        if (isfinite(value[i]))
            continue;
        uint64_t row = field->bytes / sizeof(float);
        char place[40] = "";
        if (field->header)
            snprintf(place, sizeof place, "byte %" PRIu64 ": ", field->header + i * sizeof(float));
        return data_fail(error, "%s: %s%s %" PRIu64 " of sample %" PRIu64 " is %s; expected finite numbers",
                         field->path, place, what, i % row, i / row,
                         isnan(value[i]) ? "not a number (NaN)" : "infinite");
    }
    return true;
}

bool data_check_finite(const struct data_split *split, struct data_error *error)
{
    return check_finite(&split->sample, split->count, "value", error) &&
           check_finite(&split->label, split->count, "target value", error);
}
