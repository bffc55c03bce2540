#include "data.h"

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

enum part { TRAIN_SAMPLES, TRAIN_LABELS, TEST_SAMPLES, TEST_LABELS, N_PARTS };

static const char *const part_names[N_PARTS] = {"training samples", "training labels", "test samples", "test labels"};
static const char *const usual_names[N_PARTS] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

struct names {
    char **name;
    size_t n;
};

/* What a folder holds, as far as the first bytes and the names tell. */
struct contents {
    char *idx[N_PARTS];
    struct names cifar_train, cifar_test;
};

/* Names */

static bool has(const char *name, const char *piece) {
    return strstr(name, piece) != NULL;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool append(struct names *list, char *name) {
    char **grown = name ? realloc(list->name, (list->n + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(name);
        return false;
    }
    list->name = grown;
    list->name[list->n++] = name;
    return true;
}

static void free_names(struct names *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
    *list = (struct names){0};
}

static bool contains(const struct names *list, const char *name, size_t length) {
    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->name[i]) == length && memcmp(list->name[i], name, length) == 0)
            return true;
    return false;
}

static bool is_packed_twin(const struct names *list, const char *name) {
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0 && contains(list, name, length - 3);
}

static char *join(const char *folder, const char *name) {
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Splits the visible names of the folder into files and subfolders, each in order. */
static bool list_folder(const char *folder, struct names *files, struct names *folders, struct data_error *error) {
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

static bool named_like_idx(const char *name) {
    bool split = has(name, "train") || has(name, "t10k") || has(name, "test");
    bool part = has(name, "images") || has(name, "labels") || has(name, "samples") || has(name, "targets");
    return has(name, "-idx") || (split && part);
}

static bool add_idx(struct contents *contents, const char *name, char *path, int rank, struct data_error *error) {
    bool train = has(name, "train");
    if (!train && !has(name, "t10k") && !has(name, "test")) {
        data_fail(error, "%s: an IDX file that is neither named train... nor t10k... or test...", path);
        free(path);
        return false;
    }
    bool label = has(name, "label") || has(name, "target");
    bool sample = has(name, "image") || has(name, "sample");
    if (!label && !sample)
        label = rank == 1;
    enum part part = train ? (label ? TRAIN_LABELS : TRAIN_SAMPLES) : (label ? TEST_LABELS : TEST_SAMPLES);
    if (contents->idx[part]) {
        data_fail(error, "%s: a second file of %s beside %s; expected one", path, part_names[part],
                  contents->idx[part]);
        free(path);
        return false;
    }
    contents->idx[part] = path;
    return true;
}

/* Looks into one file and notes what it is; takes `path`. */
static bool add_file(struct contents *contents, const char *name, char *path, struct data_error *error) {
    struct data_error local;
    unsigned char start[4] = {0};
    uint64_t got = 0;
    bool train = has(name, "data_batch"), test = has(name, "test_batch");
    if (train || test)
        return append(train ? &contents->cifar_train : &contents->cifar_test, path) ||
               data_fail(error, "%s: out of memory", name);
    struct gz *file = gz_open(path, &local);
    bool readable = file && gz_read_some(file, start, sizeof start, &got, &local);
    gz_close(file);
    if (readable && got == sizeof start && idx_is_magic(start))
        return add_idx(contents, name, path, start[3], error);
    if (named_like_idx(name)) {
        /* Its name promises IDX, so what is wrong with it matters: let the reader say it. */
        int64_t count;
        struct data_field field;
        idx_read(path, NULL, NULL, &count, &field, error);
        free(path);
        return false;
    }
    free(path);
    return true;
}

static void free_contents(struct contents *contents) {
    for (int part = 0; part < N_PARTS; part++)
        free(contents->idx[part]);
    free_names(&contents->cifar_train);
    free_names(&contents->cifar_test);
}

static bool fail_unrecognised(const char *folder, const struct names *folders, struct data_error *error) {
    char list[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < folders->n && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "; its subfolders are ",
                                 folders->name[i]);
    return data_fail(error,
                     "%s: no data recognised; expected %s, %s, %s and %s, or data_batch_1.bin and test_batch.bin "
                     "(each plain or .gz)%s",
                     folder, usual_names[0], usual_names[1], usual_names[2], usual_names[3], list);
}

static bool survey(const char *folder, struct contents *contents, struct data_error *error) {
    struct names files = {0}, folders = {0};
    bool ok = list_folder(folder, &files, &folders, error);
    for (size_t i = 0; ok && i < files.n; i++) {
        if (is_packed_twin(&files, files.name[i]))
            continue;
        char *path = join(folder, files.name[i]);
        ok = path ? add_file(contents, files.name[i], path, error) : data_fail(error, "%s: out of memory", folder);
    }
    bool idx = false;
    for (int part = 0; part < N_PARTS; part++)
        idx |= contents->idx[part] != NULL;
    bool cifar = contents->cifar_train.n || contents->cifar_test.n;
    if (ok && idx && cifar)
        ok = data_fail(error, "%s: holds both IDX and CIFAR-10 files; expected one data set", folder);
    if (ok && !idx && !cifar)
        ok = fail_unrecognised(folder, &folders, error);
    free_names(&files);
    free_names(&folders);
    return ok;
}

/* Reading */

static void insert_dimension(struct data_field *field) {
    memmove(field->dims + 1, field->dims, (size_t)field->rank * sizeof *field->dims);
    field->dims[0] = 1;
    field->rank++;
}

static bool check_classes_of(const struct data_split *split, int64_t classes, const char *expectation,
                             struct data_error *error) {
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

/* What the head of an IDX file is compared with. */
struct asked {
    data_fits *fits;
    const void *wanted;
    const struct data_split *split; /* labels: the split whose samples have been read; samples: NULL */
};

static bool take_head(void *context, int64_t count, struct data_field *field, struct data_error *error) {
    const struct asked *asked = context;
    const struct data_split *split = asked->split;
    if (split && count != split->count)
        return data_fail(error, "%s: byte 4: %" PRId64 " labels, but %s has %" PRId64 " samples; expected as many",
                         field->path, count, split->sample.path, split->count);
    if (!split && field->type == DATA_I32)
        return data_fail(error, "%s: byte 2: samples of type 0x0c; expected 0x08 (8-bit) or 0x0d (32-bit float)",
                         field->path);
    if (split && field->type != DATA_F32 && field->rank != 0)
        return data_fail(error, "%s: byte 3: class labels of rank %d; expected rank 1", field->path, field->rank + 1);
    if (split ? field->type == DATA_F32 && field->rank == 0 : field->rank == 2 || field->rank == 0)
        insert_dimension(field);
    return !asked->fits || asked->fits(asked->wanted, field, split != NULL, error);
}

static bool read_idx_split(char *const paths[2], enum part first, struct asked asked, struct data_split *split, struct data_error *error) {
    if (!paths[0] && !paths[1])
        return true;
    if (!paths[0] || !paths[1]) {
        enum part missing = first + (paths[0] ? 1 : 0);
        return data_fail(error, "%s: its %s are missing; expected a file such as %s (plain or .gz) beside it",
                         paths[paths[0] ? 0 : 1], part_names[missing], usual_names[missing]);
    }
    int64_t labels;
    struct data_field *sample = &split->sample, *label = &split->label;
    if (!idx_read(paths[0], take_head, &asked, &split->count, sample, error))
        return false;
    asked.split = split;
    if (!idx_read(paths[1], take_head, &asked, &labels, label, error))
        return false;
    return label->type == DATA_F32 || check_classes_of(split, MAX_CLASSES, "expected", error);
}

static bool same_layout(const struct data_field *a, const struct data_field *b) {
    return a->type == b->type && a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static bool check_splits(const struct dataset *set, struct data_error *error) {
    if (set->train.count == 0 || set->test.count == 0)
        return true;
    if (!same_layout(&set->train.sample, &set->test.sample))
        return data_fail(error, "%s: byte 2: samples differ in type or shape from those of %s", set->test.sample.path,
                         set->train.sample.path);
    if (!same_layout(&set->train.label, &set->test.label))
        return data_fail(error, "%s: byte 2: labels differ in type or shape from those of %s", set->test.label.path,
                         set->train.label.path);
    return true;
}

static int64_t largest_class(const struct data_split *split) {
    int64_t largest = -1;
    for (int64_t i = 0; i < split->count; i++)
        if (data_class(split, i) > largest)
            largest = data_class(split, i);
    return largest;
}

static void count_classes(struct dataset *set) {
    const struct data_split *either = set->train.count ? &set->train : &set->test;
    if (either->label.rank != 0)
        return;
    int64_t train = largest_class(&set->train), test = largest_class(&set->test);
    set->classes = (train > test ? train : test) + 1;
}

static bool read_contents(const struct contents *contents, struct asked asked, struct dataset *set, struct data_error *error) {
    const struct names *train = &contents->cifar_train, *test = &contents->cifar_test;
    if (train->n || test->n) {
        set->format = "CIFAR-10";
        return (!train->n || cifar_read(train->name, train->n, asked.fits, asked.wanted, &set->train, error)) &&
               (!test->n || cifar_read(test->name, test->n, asked.fits, asked.wanted, &set->test, error));
    }
    set->format = "IDX";
    return read_idx_split(contents->idx + TRAIN_SAMPLES, TRAIN_SAMPLES, asked, &set->train, error) &&
           read_idx_split(contents->idx + TEST_SAMPLES, TEST_SAMPLES, asked, &set->test, error);
}

static bool is_synthetic(const char *folder) {
    char *marker = join(folder, "SYNTHETIC");
    bool found = marker && access(marker, F_OK) == 0;
    free(marker);
    return found;
}

bool data_open(const char *folder, data_fits *fits, const void *wanted, struct dataset *set, struct data_error *error) {
    struct contents contents = {0};
    *set = (struct dataset){0};
    bool ok = survey(folder, &contents, error) && read_contents(&contents, (struct asked){fits, wanted, NULL}, set, error) && check_splits(set, error);
    free_contents(&contents);
    if (ok) {
        count_classes(set);
        set->synthetic = is_synthetic(folder);
    } else {
        data_close(set);
    }
    return ok;
}

static bool destroys_any(const char *path, char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (names[i] && atomic_destroys(path, names[i]))
            return true;
    return false;
}

bool data_reads(const char *folder, const char *path) {
    struct contents c = {0};
    struct data_error ignored;
    bool reads = survey(folder, &c, &ignored) && (destroys_any(path, c.idx, N_PARTS) ||
                                                  destroys_any(path, c.cifar_train.name, c.cifar_train.n) ||
                                                  destroys_any(path, c.cifar_test.name, c.cifar_test.n));
    free_contents(&c);
    return reads;
}

void data_close(struct dataset *set) {
    struct data_field *fields[] = {&set->train.sample, &set->train.label, &set->test.sample, &set->test.label};
    for (int i = 0; i < 4; i++) {
        free(fields[i]->values);
        free(fields[i]->path);
    }
    *set = (struct dataset){0};
}

int64_t data_class(const struct data_split *split, int64_t i) {
    if (split->label.type == DATA_U8)
        return split->label.values[i];
    int32_t class;
    memcpy(&class, split->label.values + i * (int64_t)sizeof class, sizeof class);
    return class;
}

bool data_check_classes(const struct data_split *split, int64_t classes, struct data_error *error) {
    return check_classes_of(split, classes, "the network has classes", error);
}

/* `what` names the field for people. */
static bool check_finite(const struct data_field *field, int64_t count, const char *what, struct data_error *error) {
    uint64_t n = field->type == DATA_F32 ? (uint64_t)count * (field->bytes / sizeof(float)) : 0;
    const float *value = (const float *)field->values;
    for (uint64_t i = 0; i < n; i++) {
        if (isfinite(value[i]))
            continue;
        uint64_t row = field->bytes / sizeof(float);
        char place[40] = "";
        if (field->header)
            snprintf(place, sizeof place, "byte %" PRIu64 ": ", field->header + i * sizeof(float));
        return data_fail(error, "%s: %s%s %" PRIu64 " of sample %" PRIu64 " is %s; expected finite numbers", field->path, place,
                         what, i % row, i / row, isnan(value[i]) ? "not a number (NaN)" : "infinite");
    }
    return true;
}

bool data_check_finite(const struct data_split *split, struct data_error *error) {
    return check_finite(&split->sample, split->count, "value", error) &&
           check_finite(&split->label, split->count, "target value", error);
}
