/* tree.c: a folder for each class, as torchvision's ImageFolder has it: CLASS/..., or train/CLASS/... and test/CLASS/... Classes are
 * numbered in the order of their names, samples in that of their classes and names. */
#include "survey.h"

#include "regular_file.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 16, SPLITS = 2 }; /* folders within a class; links may lead in a circle */

static const struct {
    const char *name;
    int split;
} roots[] = {{"train", 0}, {"training", 0}, {"test", 1}, {"testing", 1}, {"val", 1}, {"valid", 1}, {"validation", 1}};

static bool no_memory(const char *folder, struct data_error *error)
{
    return data_fail(error, "%s: out of memory", folder);
}

static int64_t class_of(const struct names *classes, const char *name)
{
    for (size_t i = 0; i < classes->n; i++)
        if (strcmp(classes->name[i], name) == 0)
            return (int64_t)i;
    return -1;
}

/* Takes `path`. */
static bool add_sample(struct contents *c, int split, int64_t class, char *path, struct data_error *error)
{
    struct names *samples = &c->part[TRAIN_SAMPLES + 2 * split];
    unsigned char start[DATA_START] = {0};
    const struct data_format *format = NULL;
    regular_start(path, start, sizeof start);
    for (int i = 0; !format && data_formats[i]; i++)
        if (data_formats[i]->is && data_formats[i]->is(start))
            format = data_formats[i];
    if (!format) {
        free(path);
        c->strangers++;
        return true;
    }
    if (c->format && c->format != format) {
        data_fail(error, "%s: %s, but beside it are %s; expected one data set", path, format->name, c->format->name);
        free(path);
        return false;
    }
    c->format = format;
    int32_t *grown = realloc(c->class[split], (samples->n + 1) * sizeof *grown);
    if (!grown) {
        free(path);
        return data_fail(error, "out of memory");
    }
    c->class[split] = grown;
    grown[samples->n] = (int32_t) class;
    return names_append(samples, path) || data_fail(error, "out of memory");
}

/* Files first, then those of subfolders. */
static bool gather(struct contents *c, int split, int64_t class, const char *folder, int depth,
                   struct data_error *error)
{
    struct names files = {0}, folders = {0};
    bool ok = depth < DEEPEST || data_fail(error, "%s: %d folders within each other; expected fewer", folder, DEEPEST);
    ok = ok && names_list(folder, &files, &folders, error);
    for (size_t i = 0; ok && i < files.n; i++) {
        char *path = path_join(folder, files.name[i]);
        ok = path ? add_sample(c, split, class, path, error) : no_memory(folder, error);
    }
    for (size_t i = 0; ok && i < folders.n; i++) {
        char *path = path_join(folder, folders.name[i]);
        ok = path ? gather(c, split, class, path, depth + 1, error) : no_memory(folder, error);
        free(path);
    }
    names_free(&files);
    names_free(&folders);
    return ok;
}

/* The classes of one split; the first one says which there are. */
static bool survey_root(struct contents *c, int split, const char *root, struct data_error *error)
{
    struct names files = {0}, folders = {0};
    const size_t known = c->classes.n;
    bool ok = names_list(root, &files, &folders, error);
    c->strangers += (int64_t)files.n;
    for (size_t i = 0; ok && i < folders.n; i++) {
        const size_t before = c->part[TRAIN_SAMPLES + 2 * split].n;
        if (!known && !names_append(&c->classes, strdup(folders.name[i])))
            ok = no_memory(root, error);
        int64_t class = ok ? class_of(&c->classes, folders.name[i]) : -1;
        char *path = path_join(root, folders.name[i]);
        ok = ok && (path || no_memory(root, error));
        if (ok && class < 0)
            ok = data_fail(error, "%s: a class that the training set does not have", path);
        ok = ok && gather(c, split, class, path, 0, error);
        if (ok && c->format && c->part[TRAIN_SAMPLES + 2 * split].n == before)
            ok = data_fail(error, "%s: nothing of a class is there; expected %s", path, c->format->name);
        free(path);
    }
    names_free(&files);
    names_free(&folders);
    return ok;
}

bool tree_survey(const char *folder, const struct names *folders, struct contents *c, struct data_error *error)
{
    const char *of[SPLITS] = {NULL};
    for (size_t i = 0; i < folders->n; i++)
        for (size_t k = 0; k < sizeof roots / sizeof *roots; k++) {
            const char **at = &of[roots[k].split];
            if (strcmp(folders->name[i], roots[k].name) != 0)
                continue;
            if (*at)
                return data_fail(error, "%s: both %s and %s are there; expected one of them", folder, *at,
                                 roots[k].name);
            *at = roots[k].name;
        }
    if (!of[0])
        return survey_root(c, 0, folder, error);
    bool ok = true;
    for (int split = 0; ok && split < SPLITS; split++) {
        char *root = of[split] ? path_join(folder, of[split]) : NULL;
        ok = !of[split] || (root ? survey_root(c, split, root, error) : no_memory(folder, error));
        free(root);
    }
    return ok;
}
