/* rerun.c: --rerun, a run made once more from its folder, and whether that gave the same bits. */
#include "data/safetensors.h"
#include "keep.h"
#include "runfile.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *all, const char *key)
{
    const char *text = json_string_value(json_object_get(all, key));
    return text ? text : "";
}

/* How the names of those weights were changed. */
static int take_map(struct options *o, const json_t *all)
{
    const json_t *map = json_object_get(all, "map");
    int status = 0;
    o->partial |= json_is_true(json_object_get(all, "partial"));
    for (size_t i = 0; status == 0 && i < json_array_size(map); i++) {
        const char *from, *to;
        char *text = NULL;
        if (json_unpack(json_array_get(map, i), "[s, s]", &from, &to) != 0)
            return complain(STATUS_DATA, "settings.json: `map` is no list of pairs of names");
        if (asprintf(&text, "%s=%s", from, to) < 0)
            return complain(STATUS_INTERNAL, "out of memory");
        status = renames_add(&o->map, text);
        free(text);
    }
    return status;
}

/* Copies of what settings.json has of data, weights and device, where the command line names no others. */
static int take_settings(struct job *j, const json_t *all)
{
    struct options *o = j->options;
    const char *data = text_of(all, "data"), *weights = text_of(all, "weights");
    if (!o->folder && *data) {
        o->folder = o->recalled = strdup(data);
        if (!o->folder)
            return complain(STATUS_INTERNAL, "out of memory");
    }
    if (strlen(weights) >= sizeof j->weights)
        return complain(STATUS_DATA, "%s: too long a path", weights);
    strcpy(j->began_with, weights);
    settings_stay(o, all);
    o->weights = *weights ? j->began_with : NULL;
    if (strcmp(o->device, "auto") == 0 && strcmp(text_of(all, "device"), "cpu") == 0)
        o->device = "cpu";
    return take_map(o, all);
}

/* Settings, seed, batch and length as its last checkpoint has them. */
static int take_checkpoint(struct job *j)
{
    struct recall r;
    struct pair pair;
    int status = pair_find(j->again, &pair);
    if (status)
        return status;
    status = checkpoint_recall(pair.optimizer, j->plan, &r);
    if (status == 0)
        status = overrides_again(j, &r);
    free(r.settings);
    return status;
}

int rerun_recall(struct job *j)
{
    char path[PATH_MAX];
    int status = run_find(j->options->runs, j->options->rerun, j->again);
    if (status)
        return status;
    json_t *all = settings_read(j->again, true);
    j->plan = all && run_path(j->again, "model.plan", path) ? plan_open(path) : NULL;
    status = !j->plan ? STATUS_DATA : take_settings(j, all);
    json_decref(all);
    return status ? status : take_checkpoint(j);
}

/* ---- the comparison ---- */

static bool same_tensor(const struct st_tensor *a, const struct st_tensor *b)
{
    return b && a->type == b->type && a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0;
}

/* A last checkpoint: weights and optimizer; of an older netrun's run both in the first. */
struct last {
    struct pair path;
    struct st_file file[2];
};

static int last_read(const char *folder, struct last *l)
{
    struct data_error e;
    int status = pair_find(folder, &l->path);
    if (status == 0 &&
        !(st_read(l->path.weights, &l->file[0], &e) &&
          (strcmp(l->path.weights, l->path.optimizer) == 0 || st_read(l->path.optimizer, &l->file[1], &e))))
        status = complain(STATUS_DATA, "%s", e.text);
    return status;
}

static void last_free(struct last *l)
{
    st_free(&l->file[0]);
    st_free(&l->file[1]);
}

/* How many tensors differ. */
static int differing(const char **first, const struct last *was, const struct last *is)
{
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < was->file[k].n_tensors; i++) {
            const struct st_tensor *a = &was->file[k].tensors[i], *b = st_find(&is->file[0], a->name);
            if (!same_tensor(a, b ? b : st_find(&is->file[1], a->name)) && n++ == 0)
                *first = a->name;
        }
    return n;
}

/* What of the two runs is not the same, and may be why; on stderr, a line each. */
static void tell_causes(const struct job *j)
{
    static const struct {
        const char *of, *key, *what;
    } cause[] = {
        {NULL, "train_hash", "the training set"},
        {NULL, "test_hash", "the test set"},
        {"versions", "netrun", "netrun"},
        {"versions", "plan", "the version of plans"},
        {NULL, "device", "the device"},
        {NULL, "gpu", "the GPU"},
        {NULL, "cpu", "the CPU"},
        {"versions", "compiler", "the compiler"},
        {"versions", "driver", "the driver"},
    };
    json_t *was = settings_read(j->again, true), *is = settings_read(j->folder, true);
    int said = 0;
    for (size_t i = 0; was && is && i < sizeof cause / sizeof *cause; i++) {
        json_t *a = cause[i].of ? json_object_get(was, cause[i].of) : was;
        json_t *b = cause[i].of ? json_object_get(is, cause[i].of) : is;
        a = json_object_get(a, cause[i].key), b = json_object_get(b, cause[i].key);
        if (a == b || json_equal(a, b)) /* NULL: neither tells */
            continue;
        char *from = json_dumps(a, JSON_ENCODE_ANY), *to = json_dumps(b, JSON_ENCODE_ANY);
        note("different: %s: %s, now %s", cause[i].what, from ? from : "not told", to ? to : "not told");
        free(from);
        free(to);
        said++;
    }
    if (json_array_size(json_object_get(was, "resumed")) > 0)
        note("the run was resumed: settings that were given then were not in force from the start");
    else if (!said)
        note("nothing that settings.json tells is different");
    json_decref(was);
    json_decref(is);
}

int rerun_compare(struct job *j)
{
    const char *first = NULL;
    struct last was = {0}, is = {0};
    int status = last_read(j->again, &was);
    status = status ? status : last_read(j->folder, &is);
    int n = status ? 0 : differing(&first, &was, &is);
    if (status == 0 && n == 0)
        say(&j->tell, "%s has the bits of %s: weights and optimizer", j->folder, j->again);
    else if (n > 0) {
        status = complain(STATUS_DATA, "%s has not the bits of %s: %d tensor%s %s, the first is %s", j->folder,
                          j->again, n, n == 1 ? "" : "s", n == 1 ? "differs" : "differ", first);
        tell_causes(j);
    }
    last_free(&was);
    last_free(&is);
    return status;
}
