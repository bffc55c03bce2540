/* tree.c: a folder for each class, as torchvision's ImageFolder has it: CLASS/..., or train/CLASS/... and test/CLASS/... Classes are
 * numbered in the order of their names, samples in that of their classes and names. Folders images/ and masks/ are no classes: they hold
 * files of the same names. */
#include "survey.h"

#include "picture_cache.h"
#include "regular_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DEEPEST = 16 }; /* folders within a class; links may lead in a circle */

static const struct {
    const char *name;
    int split;
} roots[] = {{"train", 0}, {"training", 0}, {"test", 1}, {"testing", 1}, {"val", 2}, {"valid", 2}, {"validation", 2}};

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

/* Does the name end in one of the words, in letters of either case? */
static bool ends_so(const char *path, const char *words)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    const size_t n = dot && dot > slash ? strlen(dot) : 0;
    for (const char *word = words; n && word && *word; word += strcspn(word, " ")) {
        word += strspn(word, " ");
        if (strcspn(word, " ") == n && strncasecmp(word, dot, n) == 0)
            return true;
    }
    return false;
}

/* The format that a file is of, or is meant to be of; `kept`: its number in the cache. NULL: of none. */
static const struct data_format *recognise(const struct contents *c, const char *path, int64_t kept)
{
    unsigned char start[DATA_START] = {0};
    if (kept < 0)
        regular_start(path, start, sizeof start);
    for (int i = 0; data_formats[i]; i++)
        if (data_formats[i]->is && data_formats[i]->masks == c->masks &&
            (kept < 0 ? data_formats[i]->is(start) : data_formats[i]->cached))
            return data_formats[i];
    for (int i = 0; data_formats[i]; i++)
        if (data_formats[i]->is && data_formats[i]->masks == c->masks && ends_so(path, data_formats[i]->ends))
            return data_formats[i];
    return NULL;
}

static int64_t look_up(const struct picture_cache *cache, const char *path)
{
    struct stat s;
    return cache && cache->count > 0 && stat(path, &s) == 0 ? picture_cache_file(cache, file_stamp(&s)) : -1;
}

/* Takes `path`. */
static bool add_sample(struct contents *c, int split, int64_t class, char *path, struct data_error *error)
{
    struct names *samples = &c->part[TRAIN_SAMPLES + 2 * split];
    const int64_t kept = c->masks ? -1 : look_up(c->cache, path);
    const struct data_format *format = recognise(c, path, kept);
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
    int32_t *of = realloc(c->class[split], (samples->n + 1) * sizeof *of);
    c->class[split] = of ? of : c->class[split];
    int64_t *number = of ? realloc(c->kept[split], (samples->n + 1) * sizeof *number) : NULL;
    if (!number) {
        free(path);
        return data_fail(error, "out of memory");
    }
    c->kept[split] = number;
    of[samples->n] = (int32_t) class;
    number[samples->n] = kept;
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

/* images/a/b.jpg has masks/a/b.png. NULL: no memory. */
static char *mask_of(const char *root, const char *picture)
{
    const char *name = picture + strlen(root) + strlen("/images/"), *dot = strrchr(name, '.');
    const int stem = dot && !strchr(dot, '/') ? (int)(dot - name) : (int)strlen(name);
    const size_t room = strlen(root) + (size_t)stem + sizeof "/masks/.png";
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/masks/%.*s.png", root, stem, name);
    return path;
}

static bool survey_masks(struct contents *c, int split, const char *root, struct data_error *error)
{
    const struct names *samples = &c->part[TRAIN_SAMPLES + 2 * split];
    struct names masks = {0}, folders = {0};
    char *images = path_join(root, "images"), *beside = path_join(root, "masks");
    c->masks = true;
    bool ok = images && beside ? gather(c, split, 0, images, 0, error) : no_memory(root, error);
    for (size_t i = 0; ok && i < samples->n; i++) {
        char *mask = mask_of(root, samples->name[i]);
        const bool there = mask && access(mask, F_OK) == 0;
        if (mask && !there)
            data_fail(error, "%s: its mask is missing; expected %s", samples->name[i], mask);
        ok = there ? names_append(&c->part[TRAIN_LABELS + 2 * split], mask) || no_memory(root, error)
                   : !mask && no_memory(root, error);
        if (!there)
            free(mask);
    }
    ok = ok && names_list(beside, &masks, &folders, error);
    if (ok && masks.n > samples->n) /* masks of nothing */
        c->strangers += (int64_t)(masks.n - samples->n);
    names_free(&masks);
    names_free(&folders);
    free(images);
    free(beside);
    return ok;
}

/* The classes of one split; the first one says which there are. */
static bool survey_root(struct contents *c, int split, const char *root, struct data_error *error)
{
    struct names files = {0}, folders = {0};
    const size_t known = c->classes.n;
    bool ok = names_list(root, &files, &folders, error);
    c->strangers += (int64_t)files.n;
    const bool masks = ok && class_of(&folders, "images") >= 0 && class_of(&folders, "masks") >= 0;
    if (ok && c->format && folders.n && c->masks != masks)
        ok = data_fail(
            error,
            masks ? "%s: images/ and masks/, but the training set is a folder for each class; expected one kind"
                  : "%s: not images/ and masks/, as the training set has them; expected one kind",
            root);
    if (ok && masks) {
        c->strangers += (int64_t)folders.n - 2;
        ok = survey_masks(c, split, root, error);
    }
    for (size_t i = 0; ok && !masks && i < folders.n; i++) {
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
    const char *of[DATA_SPLITS] = {NULL};
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
    for (int split = 0; ok && split < DATA_SPLITS; split++) {
        char *root = of[split] ? path_join(folder, of[split]) : NULL;
        ok = !of[split] || (root ? survey_root(c, split, root, error) : no_memory(folder, error));
        free(root);
    }
    return ok;
}
