/* survey.c: the files of a folder, offered to the formats. */
#include "survey.h"

#include "base/atomic_file.h"
#include "gz.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const part_names[DATA_PARTS] = {"training samples", "training labels", "test samples",
                                            "test labels",      "holdout samples", "holdout labels"};

#define FORMAT(name) extern const struct data_format format_##name;
#include "formatlist.h"
#undef FORMAT
const struct data_format *const data_formats[] = {
#define FORMAT(name) &format_##name,
#include "formatlist.h"
#undef FORMAT
    NULL,
};

/* Names */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool names_append(struct names *list, char *name)
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

void names_free(struct names *list)
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

char *path_join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Splits the visible names of the folder into files and subfolders, each in order. */
bool names_list(const char *folder, struct names *files, struct names *folders, struct data_error *error)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return data_fail(error, "%s: %s; expected a folder of data", folder, strerror(errno));
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(stream));) {
        struct stat status;
        const bool told =
            entry->d_type == DT_REG || entry->d_type == DT_DIR; /* else a link, or a file system that does not */
        if (entry->d_name[0] == '.' || (!told && fstatat(dirfd(stream), entry->d_name, &status, 0) != 0))
            continue;
        if (told ? entry->d_type == DT_REG : S_ISREG(status.st_mode))
            ok = names_append(files, strdup(entry->d_name));
        else if (told || S_ISDIR(status.st_mode))
            ok = names_append(folders, strdup(entry->d_name));
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
        return names_append(files, path) || data_fail(error, "out of memory");
    }
    free(path);
    return false;
}

bool data_named(const char *name, enum data_part *part, int *label)
{
    const bool train = strstr(name, "train"), test = strstr(name, "t10k") || strstr(name, "test");
    *label = strstr(name, "label") || strstr(name, "target")   ? 1
             : strstr(name, "image") || strstr(name, "sample") ? 0
                                                               : -1;
    *part = train ? TRAIN_SAMPLES : TEST_SAMPLES;
    return train || test;
}

/* Of a folder first without tables, then of tables alone. */
static const struct data_format *file_of(const char *name, const char *path, bool told, bool tables,
                                         enum data_part *part, enum data_claim *claim, struct data_error *error)
{
    struct data_error local;
    struct data_file file = {.name = name, .path = path, .told = told};
    struct gz *stream = gz_open(path, &local);
    if (!stream || !gz_read_some(stream, file.start, sizeof file.start, &file.got, &local))
        file.got = 0;
    gz_close(stream);
    *claim = DATA_NOT_MINE;
    for (int i = 0; data_formats[i]; i++) {
        if (!data_formats[i]->claim || (!told && data_formats[i]->table != tables))
            continue;
        enum data_claim own = data_formats[i]->claim(&file, part, *claim != DATA_NOT_MINE ? &local : error);
        if (own == DATA_MINE)
            return data_formats[i];
        *claim = *claim != DATA_NOT_MINE ? *claim : own;
    }
    return NULL;
}

const struct data_format *survey_file(const char *name, const char *path, bool told, enum data_part *part,
                                      enum data_claim *claim, struct data_error *error)
{
    return file_of(name, path, told, false, part, claim, error);
}

/* Looks into one file and notes whose it is; takes `path`. */
static bool offer_file(struct contents *contents, const char *name, char *path, bool tables, struct data_error *error)
{
    enum data_part part;
    enum data_claim claim;
    const struct data_format *format = file_of(name, path, false, tables, &part, &claim, error);
    if (format && part == DATA_ALL_SAMPLES)
        return add_file(contents, format, TRAIN_SAMPLES, path, error) &&
               add_file(contents, format, TEST_SAMPLES, strdup(contents->part[TRAIN_SAMPLES].name[0]), error) &&
               add_file(contents, format, HOLDOUT_SAMPLES, strdup(contents->part[TRAIN_SAMPLES].name[0]), error);
    if (format)
        return add_file(contents, format, part, path, error);
    if (claim == DATA_NOT_TOLD && !*contents->not_told.text)
        contents->not_told = *error;
    free(path);
    return claim != DATA_DAMAGED;
}

void survey_free(struct contents *contents)
{
    for (int part = 0; part < DATA_PARTS; part++)
        names_free(&contents->part[part]);
    names_free(&contents->classes);
    for (int split = 0; split < DATA_SPLITS; split++) {
        free(contents->class[split]);
        free(contents->kept[split]);
    }
}

/* snprintf at the end of what is there; what does not fit is left out. */
static void add_text(char *text, size_t size, const char *before, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", before, word);
}

static bool fail_unrecognised(const char *folder, const struct names *folders, struct data_error *error)
{
    char expected[800] = "", list[200] = "";
    for (int i = 0; data_formats[i]; i++) {
        int left = 0;
        for (int part = 0; part < HOLDOUT_SAMPLES; part++)
            left += data_formats[i]->usual[part] != NULL;
        const char *before = *expected ? ", or " : "";
        for (int part = 0; part < HOLDOUT_SAMPLES; part++) {
            if (!data_formats[i]->usual[part])
                continue;
            add_text(expected, sizeof expected, before, data_formats[i]->usual[part]);
            before = --left > 1 ? ", " : " and ";
        }
    }
    for (size_t i = 0; i < folders->n; i++)
        add_text(list, sizeof list, i ? ", " : "; its subfolders are ", folders->name[i]);
    return data_fail(
        error,
        "%s: no data recognised; expected %s (each plain or .gz), or a folder of pictures or sounds for each class%s",
        folder, expected, list);
}

static bool offer_files(const char *folder, const struct names *files, struct contents *contents, bool tables,
                        struct data_error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < files->n; i++) {
        if (is_packed_twin(files, files->name[i]))
            continue;
        char *path = path_join(folder, files->name[i]);
        ok = path ? offer_file(contents, files->name[i], path, tables, error)
                  : data_fail(error, "%s: out of memory", folder);
    }
    return ok;
}

bool survey(const char *folder, struct contents *contents, struct data_error *error)
{
    struct names files = {0}, folders = {0};
    bool ok = names_list(folder, &files, &folders, error) && offer_files(folder, &files, contents, false, error);
    if (ok && !contents->format && folders.n)
        ok = tree_survey(folder, &folders, contents, error);
    if (ok && !contents->format)
        ok = offer_files(folder, &files, contents, true, error);
    if (ok && !contents->format)
        ok = *contents->not_told.text ? data_fail(error, "%s", contents->not_told.text)
                                      : fail_unrecognised(folder, &folders, error);
    names_free(&files);
    names_free(&folders);
    return ok;
}
