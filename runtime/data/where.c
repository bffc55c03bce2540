/* where.c: files and folders that the .net file names: data { train = ..., test = ... }. */
#include "survey.h"

#include "graph/word.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const data_keys[DATA_SPLITS] = {"train", "test", "holdout"};

/* The format whose word of .net that is; NULL: whoever knows the file's content. */
static const struct data_format *format_of_word(const char *word)
{
    for (int i = 0; data_formats[i]; i++)
        if (data_formats[i]->word && strcmp(data_formats[i]->word, word) == 0)
            return data_formats[i];
    return NULL;
}

static bool one_format(struct contents *all, const struct data_format *format, const char *path,
                       struct data_error *error)
{
    if (all->format && all->format != format)
        return data_fail(error, "%s: %s, but the training set is %s; expected one format", path, format->name,
                         all->format->name);
    all->format = format;
    return true;
}

/* Of a folder that holds several sets the one that is asked for, else the one that there is. */
static bool take_folder(const char *path, int split, struct contents *all, struct data_error *error)
{
    struct contents one = {.classes = all->classes, .cache = all->cache};
    all->classes = (struct names){0};
    bool ok = survey(path, &one, error) && one_format(all, one.format, path, error);
    int of = 2 * split, sets = 0;
    for (int k = 0; k < DATA_PARTS; k += 2)
        sets += one.part[k].n + one.part[k + 1].n > 0;
    if (ok && sets > 1 && one.part[of].n + one.part[of + 1].n == 0)
        ok = data_fail(error, "%s: several sets, and none of them has %s", path, part_names[of]);
    for (int k = 0; sets == 1 && k < DATA_PARTS; k += 2)
        of = one.part[k].n + one.part[k + 1].n > 0 ? k : of;
    for (int k = 0; ok && k < 2; k++) {
        all->part[2 * split + k] = one.part[of + k];
        one.part[of + k] = (struct names){0};
    }
    if (ok) {
        all->class[split] = one.class[of / 2];
        all->kept[split] = one.kept[of / 2];
        one.class[of / 2] = NULL;
        one.kept[of / 2] = NULL;
        all->strangers += one.strangers;
        all->classes = one.classes;
        one.classes = (struct names){0};
    }
    survey_free(&one);
    return ok;
}

/* Adds a file that the word names; of the samples its format is looked up, unless the word has told it. */
static bool take_file(char *path, enum data_part part, const struct data_format *format, struct contents *all,
                      struct data_error *error)
{
    const char *name = strrchr(path, '/') + 1;
    enum data_part any;
    enum data_claim claim = DATA_NOT_MINE;
    if (!format)
        format = survey_file(name, path, true, &any, &claim, error);
    if (!format && claim == DATA_NOT_MINE)
        data_fail(error, "%s: of no format of data that is known here", path);
    bool ok = format && one_format(all, format, path, error);
    if (ok)
        return names_append(&all->part[part], path) || data_fail(error, "out of memory");
    free(path);
    return false;
}

/* The second path among the word's arguments; "": there is none. */
static const char *labels_of(const struct data_where *where)
{
    for (int i = 1; i < MAX_WORD_ARGS && where->word->arg[i].name; i++)
        if (where->word->arg[i].path)
            return where->text[i];
    return "";
}

static bool take_labels(const char *folder, const struct data_where *where, enum data_part part, struct contents *all,
                        struct data_error *error)
{
    const char *labels = labels_of(where), *samples = all->part[part - 1].name[0];
    const bool apart = all->format->usual[TRAIN_LABELS] != NULL;
    if (apart && !*labels)
        return data_fail(error, "%s: %s without labels; `%s(\"%s\", \"FILE\")` says where they are", samples,
                         all->format->name, where->word->name, where->text[0]);
    if (!apart && *labels)
        return data_fail(error, "%s: %s have their labels in them; expected none in %s", samples, all->format->name,
                         labels);
    char *path = apart ? path_join(folder, labels) : NULL;
    return !apart || (path ? take_file(path, part, NULL, all, error) : data_fail(error, "out of memory"));
}

/* Takes `path`, where the samples are. */
static bool take(const char *folder, char *path, const struct data_where *where, int split, struct contents *all,
                 struct data_error *error)
{
    const struct data_format *format = format_of_word(where->word->name);
    struct stat status;
    bool ok = path && stat(path, &status) == 0;
    if (!ok)
        data_fail(error, "%s: %s; the network has %s = %s(\"%s\")", path ? path : folder, strerror(errno),
                  data_keys[split], where->word->name, where->text[0]);
    else if (format || !S_ISDIR(status.st_mode))
        return take_file(path, (enum data_part)(2 * split), format, all, error) &&
               take_labels(folder, where, (enum data_part)(2 * split + 1), all, error);
    else
        ok = *labels_of(where)
                 ? data_fail(error, "%s: a folder, which has labels in it; expected none in %s", path, labels_of(where))
                 : take_folder(path, split, all, error);
    free(path);
    return ok;
}

bool where_survey(const char *folder, const struct data_where *where, struct contents *contents,
                  struct data_error *error)
{
    bool ok = true;
    for (int split = 0; ok && split < DATA_SPLITS; split++)
        ok = !where[split].word ||
             take(folder, path_join(folder, where[split].text[0]), &where[split], split, contents, error);
    return ok;
}
