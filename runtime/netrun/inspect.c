/* inspect.c: what there is to see, by what it is. */
#include "inspect.h"
#include "data/inspect_json.h"
#include "data/inspect_weights.h"
#include "data/regular_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 1 << 12 }; /* values at a time */

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* A file of safetensors: behind the length of its header that begins. */
static bool is_weights(const char *path)
{
    unsigned char start[9];
    return regular_start(path, start, sizeof start) == sizeof start && start[8] == '{';
}

/* The weights that a path means: itself, or the best of a run, or else its last. False: it is no such thing. */
static bool weights_of(const struct options *o, const char *path, char weights[PATH_MAX])
{
    static const char *const file[] = {"best.safetensors", "last.safetensors"};
    char folder[PATH_MAX];
    bool found = is_weights(path) && (size_t)snprintf(weights, PATH_MAX, "%s", path) < PATH_MAX;
    for (int i = 0; i < 2 && !found && run_named(o->runs, path, folder); i++)
        found = run_path(folder, file[i], weights) && access(weights, F_OK) == 0;
    return found;
}

bool inspects_plan(const struct options *o)
{
    char weights[PATH_MAX];
    return !o->beside && access(o->folder, F_OK) == 0 && !is_folder(o->folder) && !weights_of(o, o->folder, weights);
}

/* ---- a plan: the weights that a training begins with ---- */

/* Of all values of a parameter or state. */
static void initial_stats(const struct tensor *tensor, uint32_t index, uint32_t seed, struct value_stats *s)
{
    double *matrix;
    *s = (struct value_stats){0};
    if (!init_begin(tensor, index, seed, &matrix))
        return;
    for (int64_t at = 0, n, all = tensor_elements(tensor); at < all; at += n) {
        float value[PART];
        double wide[PART];
        n = all - at < PART ? all - at : PART;
        init_values(tensor, matrix, index, seed, at, n, value);
        for (int64_t i = 0; i < n; i++)
            wide[i] = (double)value[i];
        stats_add(s, wide, n);
    }
    free(matrix);
}

static void plan_lines(const struct job *j, struct weights_columns *columns, bool widen)
{
    uint32_t index = 0;
    for (int t = 0; t < j->plan->ntensor; t++) {
        const struct tensor *tensor = &j->plan->tensor[t];
        struct value_stats s;
        char shape[160];
        if (!tensor_is_named(j->plan, t) || tensor->role == ROLE_SLOT)
            continue;
        shape_text_of(tensor->rank, tensor->dim, shape, sizeof shape);
        if (widen) {
            weights_widen(columns, tensor->name, shape);
            continue;
        }
        initial_stats(tensor, index, j->recipe.seed, &s);
        index += tensor->role == ROLE_PARAM;
        weights_line(columns, tensor->name, shape, tensor_elements(tensor), &s, stdout);
        puts(tensor->role == ROLE_STATE ? "   state" : "");
    }
}

static int put_json(json_t *all)
{
    return inspect_json_put(all, stdout) ? 0 : complain(STATUS_DATA, "stdout: cannot be written");
}

static int inspect_plan_json(const struct job *j)
{
    json_t *list = json_array();
    uint32_t index = 0;
    for (int t = 0; t < j->plan->ntensor; t++) {
        const struct tensor *tensor = &j->plan->tensor[t];
        struct value_stats s;
        if (!tensor_is_named(j->plan, t) || tensor->role == ROLE_SLOT)
            continue;
        initial_stats(tensor, index, j->recipe.seed, &s);
        json_t *row = tensor_json(tensor->name, tensor->rank, tensor->dim, tensor_elements(tensor), &s);
        json_object_set_new(row, "state", json_boolean(tensor->role == ROLE_STATE));
        json_array_append_new(list, row);
        index += tensor->role == ROLE_PARAM;
    }
    return put_json(initial_json(j->plan->net, j->plan->params, j->recipe.seed, list));
}

static int inspect_plan(const struct job *j)
{
    struct weights_columns columns = {0};
    weights_widen(&columns, "tensor", "shape");
    plan_lines(j, &columns, true);
    printf("net %s: %lld parameters; as they are before training, of seed %lu\n", j->plan->net,
           (long long)j->plan->params, (unsigned long)j->recipe.seed);
    weights_head(&columns, stdout);
    plan_lines(j, &columns, false);
    return 0;
}

/* ---- a folder of data ---- */

enum { LOOKED_AT = 64, LISTENED = 1 << 16 };

static int inspect_data(const struct options *o)
{
    struct dataset set;
    struct data_error e;
    if (o->output && data_reads(o->folder, NULL, o->output))
        return complain(STATUS_USAGE, "--output %s: this file is read here, and would be lost", o->output);
    /* Pictures are as large as their files say, and sounds as long, which no array can be. */
    struct picture_step step[] = {{word_find(WORD_TRANSFORM, "Resize"), {LOOKED_AT}},
                                  {word_find(WORD_TRANSFORM, "CenterCrop"), {LOOKED_AT}},
                                  {word_find(WORD_TRANSFORM, "Color"), {0}},
                                  {word_find(WORD_TRANSFORM, "Crop"), {1}}};
    const struct data_wish wish = {.step = step, .steps = 4, .alone = true};
    bool open = data_open(o->folder, &wish, &set, &e);
    if (open && set.rate) { /* now it is known how long they are */
        step[3].num[0] = (double)(set.files.width[0] < LISTENED ? set.files.width[0] : LISTENED);
        data_close(&set);
        open = data_open(o->folder, &wish, &set, &e);
    }
    if (!open && !o->output) { /* a table, of which only a network says what it is read as */
        struct data_error wrong;
        bool is;
        json_t *all = o->json ? table_json(o->folder, &is, &wrong) : NULL;
        bool good = o->json ? all != NULL : inspect_table(o->folder, stdout, &is, &wrong);
        if (is)
            return !good ? complain(STATUS_DATA, "%s", wrong.text) : all ? put_json(all) : 0;
    }
    if (!open)
        return complain(STATUS_DATA, "%s", e.text);
    int status = 0;
    if (o->json)
        status = put_json(dataset_json(o->folder, &set));
    else
        inspect_print(&set, stdout);
    if (status == 0 && o->output && !inspect_sheet(&set, o->output, o->json ? stderr : stdout, &e))
        status = complain(STATUS_DATA, "%s", e.text);
    data_close(&set);
    return status;
}

int inspect(struct job *j)
{
    const struct options *o = j->options;
    char first[PATH_MAX], second[PATH_MAX];
    struct data_error e;
    if (o->augment)
        return inspect_augment(j);
    bool weights = weights_of(o, o->folder, first), good;
    if (o->beside && !weights_of(o, o->beside, second))
        return complain(STATUS_USAGE, "--inspect compares weights; what is `%s`?", o->beside);
    if (o->output && (weights || j->plan || o->beside))
        return complain(STATUS_USAGE, "--output is for pictures of data; %s is not a folder of data", o->folder);
    if (j->plan)
        return o->json ? inspect_plan_json(j) : inspect_plan(j);
    if (!weights && !o->beside)
        return inspect_data(o);
    if (!weights)
        return complain(STATUS_DATA, "%s: neither a file of weights nor a run that has some", o->folder);
    if (o->json) {
        json_t *all = o->beside ? difference_json(first, second, &e) : weights_json(first, &e);
        return all ? put_json(all) : complain(STATUS_DATA, "%s", e.text);
    }
    good = o->beside ? inspect_difference(first, second, stdout, &e) : inspect_weights(first, stdout, &e);
    return good ? 0 : complain(STATUS_DATA, "%s", e.text);
}
