/* asked.c: what --predict is asked for: files, folders of them, samples of the test set. */
#include "asked.h"
#include "known.h"

#include "data/csv_table.h"
#include "data/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void free_part(struct asked_part *part)
{
    if (part->table)
        csv_table_close(part->table);
    free(part->table);
    free(part->path);
}

static int add(struct asked *a, struct asked_part part)
{
    if (a->parts == a->room) {
        int64_t room = a->room ? 2 * a->room : 16;
        struct asked_part *grown = realloc(a->part, (size_t)room * sizeof *grown);
        if (!grown) {
            free_part(&part);
            return complain(STATUS_INTERNAL, "out of memory");
        }
        a->part = grown;
        a->room = room;
    }
    a->part[a->parts++] = part;
    a->samples += part.count;
    *(part.table ? &a->tables : part.path ? &a->files : &a->set) = true;
    a->known |= part.table ? part.table->labelled : !part.path;
    return 0;
}

static int add_file(struct asked *a, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        return complain(STATUS_INTERNAL, "out of memory");
    const char *slash = *folder && folder[strlen(folder) - 1] != '/' ? "/" : "";
    snprintf(path, size, "%s%s%s", folder, slash, name);
    return add(a, (struct asked_part){.path = path, .count = 1});
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The images and sounds of a folder in the order of their names; what else lies there is passed over, and that is said. */
static int add_folder(struct asked *a, const char *folder)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, is_visible, alphasort), status = 0, others = 0, first = 0;
    if (n < 0)
        return complain(STATUS_DATA, "%s: %s", folder, strerror(errno));
    for (int i = 0; status == 0 && i < n; i++) {
        status = add_file(a, folder, entry[i]->d_name);
        if (status || image_is(a->part[a->parts - 1].path))
            continue;
        free(a->part[--a->parts].path);
        a->samples--;
        first = others++ ? first : i;
    }
    if (status == 0 && others == n)
        status = complain(
            STATUS_DATA,
            "%s: no images or sounds there (PNG, JPEG, PGM, PPM, WAV, FLAC or .npy); a data set is named by --predict test --data %s",
            folder, folder);
    else if (status == 0 && others && !a->job->options->quiet)
        note("%s: passed over what is no image or sound: %s%s", folder, entry[first]->d_name,
             others > 1 ? " and others" : "");
    while (n > 0)
        free(entry[--n]);
    free(entry);
    return status;
}

/* All its rows at once. */
static int add_table(struct asked *a, const char *path)
{
    struct job *j = a->job;
    struct known k;
    struct asked_part part = {.path = strdup(path), .table = calloc(1, sizeof *part.table)};
    int status = part.path && part.table ? known_find(j, &k) : complain(STATUS_INTERNAL, "out of memory");
    if (status == 0) {
        status = samples_table(j->plan, path, &k, &j->data, part.table);
        known_free(&k);
    }
    if (status) {
        free_part(&part);
        return status;
    }
    part.count = part.table->split.count;
    return add(a, part);
}

static int open_set(struct asked *a)
{
    struct job *j = a->job;
    if (j->data.test.count > 0)
        return 0;
    samples_close(&j->data); /* of which tables may have set the names */
    int status = known_samples(j);
    return status || j->data.test.count > 0 ? status
                                            : complain(STATUS_DATA, "%s: no test set there", j->options->folder);
}

int asked_add(struct asked *a, const char *what)
{
    const struct data_split *test = &a->job->data.test;
    struct stat s;
    int64_t index;
    bool all = strcmp(what, "test") == 0;
    if (all || option_integer(what, 0, INT64_MAX, &index)) {
        int status = open_set(a);
        if (status)
            return status;
        if (all)
            return add(a, (struct asked_part){.count = test->count});
        if (index < test->count)
            return add(a, (struct asked_part){.first = index, .count = 1});
        return complain(STATUS_USAGE, "--predict %s: the test set has %lld samples, counted from 0 (a file is ./%s)",
                        what, (long long)test->count, what);
    }
    if (stat(what, &s) == 0 && S_ISDIR(s.st_mode))
        return add_folder(a, what);
    return samples_are_rows(a->job->plan) ? add_table(a, what) : add_file(a, "", what);
}

void asked_free(struct asked *a)
{
    while (a->parts > 0)
        free_part(&a->part[--a->parts]);
    free(a->part);
}
