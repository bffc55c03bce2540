/* class_names.c: what the classes of a data set are called, from a file beside it. */
#include "data.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "regular_file.h"

enum {
    MOST_BYTES = 1 << 20, /* of such a file */
    NAME = 64,            /* bytes of a name */
};

static const char *const files[] = {"batches.meta.txt", "classes.txt"};

static bool append(struct dataset *set, const char *name)
{
    char **grown = realloc(set->class_name, (size_t)(set->class_names + 1) * sizeof *grown);
    if (!grown)
        return false;
    set->class_name = grown;
    return (grown[set->class_names] = strdup(name)) && ++set->class_names;
}

/* A line without spaces at its ends, cut to what a name may have, between characters of UTF-8. */
static const char *trim(char *line)
{
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length > 0 && strchr(" \t\r\n", line[length - 1]))
        length--;
    while (length > NAME || (length == NAME && ((unsigned char)line[length] & 0xc0) == 0x80))
        length--;
    line[length] = '\0';
    return line;
}

static bool is_text(const char *line)
{
    for (; *line; line++)
        if ((unsigned char)*line < 0x20 || *line == 0x7f)
            return false;
    return true;
}

bool data_name_class(struct dataset *set, const char *name, const char *path, struct data_error *error)
{
    char *copy = strdup(name);
    const char *kept = copy ? trim(copy) : "";
    bool ok = copy && is_text(kept) && append(set, kept);
    free(copy);
    return ok ||
           data_fail(error, is_text(name) ? "%s: out of memory" : "%s: a control character in the name of a class",
                     path);
}

void data_unname(struct dataset *set)
{
    while (set->class_names > 0)
        free(set->class_name[--set->class_names]);
    free(set->class_name);
    set->class_name = NULL;
}

/* Empty lines at the end are none; between names they would move those behind them. */
static bool read_names(FILE *in, const char *path, struct dataset *set, struct data_error *error)
{
    char line[1024];
    bool ended = false;
    for (int64_t number = 1; fgets(line, sizeof line, in); number++) {
        if (!strchr(line, '\n') && !feof(in))
            return data_fail(error, "%s:%" PRId64 ": a line of more than 1022 bytes; expected the name of a class",
                             path, number);
        const char *name = trim(line);
        if (!*name) {
            ended = true;
            continue;
        }
        if (ended || !is_text(name))
            return data_fail(error, "%s:%" PRId64 ": %s; expected the name of a class on each line", path, number,
                             ended ? "an empty line stands before it" : "a control character");
        if (!append(set, name))
            return data_fail(error, "%s: out of memory", path);
    }
    if (ferror(in))
        return data_fail(error, "%s: %s", path, strerror(errno));
    return set->class_names >= set->classes ||
           data_fail(error, "%s: %" PRId64 " names, but the classes are 0 to %" PRId64 "; expected one for each", path,
                     set->class_names, set->classes - 1);
}

bool data_class_names(const char *folder, const char *file, struct dataset *set, struct data_error *error)
{
    char path[PATH_MAX];
    FILE *in = NULL;
    uint64_t size;
    struct data_error none;
    for (size_t i = 0; i < (file ? 1 : sizeof files / sizeof *files) && !in && set->classes > 0; i++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file ? file : files[i]) < sizeof path)
            in = regular_open(path, &size, &none);
    if (!in)
        return true;
    bool good = size <= MOST_BYTES || data_fail(error, "%s: larger than 1 MiB; expected names of classes", path);
    good = good && read_names(in, path, set, error);
    fclose(in);
    return good;
}
