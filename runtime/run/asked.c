/* asked.c: what --predict is asked for: files, folders of them, samples of the test set. */
#include "asked.h"

#include "data/image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add(struct asked *a, struct asked_part part)
{
    if (a->parts == a->room) {
        int64_t room = a->room ? 2 * a->room : 16;
        struct asked_part *grown = realloc(a->part, (size_t)room * sizeof *grown);
        if (!grown) {
            free(part.path);
            return complain(STATUS_INTERNAL, "out of memory");
        }
        a->part = grown;
        a->room = room;
    }
    a->part[a->parts++] = part;
    a->samples += part.count;
    *(part.path ? &a->files : &a->set) = true;
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

static int open_set(struct asked *a)
{
    struct job *j = a->job;
    if (j->data.test.count > 0)
        return 0;
    int status = samples_open(j->plan, j->options->folder, j->options->skip_damaged, &j->data);
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
    return stat(what, &s) == 0 && S_ISDIR(s.st_mode) ? add_folder(a, what) : add_file(a, "", what);
}

void asked_free(struct asked *a)
{
    while (a->parts > 0)
        free(a->part[--a->parts].path);
    free(a->part);
}
