/* runfile.c: settings.json of a run: what is in force, the commands that started and resumed it, and its turn among all runs. */
#include "base/atomic_file.h"
#include "cpu/cores.h"
#include "run.h"
#include "runfile.h"

#include <stdlib.h>
#include <string.h>

json_t *settings_read(const char *folder, bool loud)
{
    json_error_t e = {.text = "too long a path"};
    char path[PATH_MAX];
    json_t *all = NULL;
    if (snprintf(path, sizeof path, "%s/settings.json", folder) < PATH_MAX)
        all = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!all && loud)
        complain(STATUS_DATA, "%s/settings.json:%d: %s", folder, e.line, e.text);
    return all;
}

int64_t run_turn(const char *folder)
{
    json_t *all = settings_read(folder, false);
    json_int_t turn = json_integer_value(json_object_get(all, "turn"));
    json_decref(all);
    return turn > 0 ? turn : 0;
}

void run_stays(struct job *j)
{
    json_t *all = settings_read(j->folder, false);
    settings_stay(j->options, all);
    json_decref(all);
}

int run_data(struct job *j)
{
    json_t *all = settings_read(j->folder, true);
    if (!all)
        return STATUS_DATA;
    const char *data = json_string_value(json_object_get(all, "data"));
    j->options->folder = j->options->recalled = data ? strdup(data) : NULL;
    bool failed = data && !j->options->folder;
    json_decref(all);
    return failed ? complain(STATUS_INTERNAL, "out of memory") : 0;
}

/* Text that is not UTF-8 has no place in JSON; null stands for it. */
static json_t *text_json(const char *text)
{
    json_t *string = text ? json_string(text) : NULL;
    return string ? string : json_null();
}

static json_t *setting_json(const struct setting *s)
{
    if (s->text)
        return text_json(s->text);
    if (s->n == 1)
        return json_real(s->num[0]);
    json_t *list = json_array();
    for (int i = 0; i < s->n; i++)
        json_array_append_new(list, json_real(s->num[i]));
    return list;
}

static json_t *command_json(const struct options *o)
{
    json_t *command = json_array();
    for (int i = 0; i < o->argc; i++)
        json_array_append_new(command, text_json(o->argv[i]));
    return command;
}

static json_t *map_json(const struct renames *map)
{
    json_t *list = json_array();
    for (size_t i = 0; i < map->n; i++)
        json_array_append_new(list, json_pack("[s, s]", map->row[i].from, map->row[i].to));
    return list;
}

static json_t *silent_json(unsigned silent)
{
    json_t *names = json_array();
    for (int i = 0; teach_name(silent, i); i++)
        json_array_append_new(names, json_string(teach_name(silent, i)));
    return names;
}

void settings_stay(struct options *o, const json_t *all)
{
    o->skip_damaged |= json_is_true(json_object_get(all, "skip_damaged"));
    const json_t *names = json_object_get(all, "no_warn");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name)
            o->silent |= teach_set(name);
    }
}

/* What is in force now. Paths are absolute: the run may be taken up, or made again, from another folder. */
static json_t *settings_json(const struct job *j)
{
    const struct options *o = j->options;
    json_t *settings = json_object(), *versions = json_object(), *all = json_object();
    char cpu[128], *data = o->folder ? realpath(o->folder, NULL) : NULL;
    const bool file = *j->weights && !weights_none(o);
    char *weights = file ? realpath(j->weights, NULL) : NULL;
    for (int i = 0; i < j->plan->nsetting; i++)
        json_object_set_new(settings, j->plan->setting[i].key, setting_json(&j->plan->setting[i]));
    json_object_set_new(versions, "netrun", json_string(PROJECT_VERSION));
    json_object_set_new(versions, "plan", json_integer(PLAN_VERSION));
    json_object_set_new(versions, "compiler", text_json(j->device->compiler));
    if (j->device->driver)
        json_object_set_new(versions, "driver", text_json(j->device->driver));
    json_object_set_new(all, "net", text_json(j->plan->net));
    json_object_set_new(all, "command", command_json(o));
    json_object_set_new(all, "settings", settings);
    json_object_set_new(all, "versions", versions);
    json_object_set_new(all, "data", text_json(data));
    json_object_set_new(all, "synthetic", json_boolean(j->data.synthetic));
    json_object_set_new(all, "train_hash", text_json(j->hash[0]));
    json_object_set_new(all, "test_hash", text_json(j->hash[1]));
    json_object_set_new(all, "holdout_hash", text_json(j->hash[2]));
    json_object_set_new(all, "seed", json_integer(j->recipe.seed));
    json_object_set_new(all, "device", json_string(j->device->name));
    cores_name(cpu, sizeof cpu);
    json_object_set_new(all, "cpu", text_json(cpu));
    json_object_set_new(all, "threads", json_integer(j->device->threads));
    if (j->device->gpu)
        json_object_set_new(all, "gpu", json_string(j->device->gpu));
    json_object_set_new(all, "batch", json_integer(j->recipe.batch));
    if (j->recipe.micro > 0)
        json_object_set_new(all, "micro_batch", json_integer(j->recipe.micro));
    json_object_set_new(all, "evaluation_batch", json_integer(j->recipe.evaluation_batch));
    json_object_set_new(all, "arena", json_integer(j->device->arena(j->device)));
    json_object_set_new(all, "weights", text_json(weights ? weights : *j->weights ? j->weights : NULL));
    if (file && o->partial)
        json_object_set_new(all, "partial", json_true());
    if (file && o->map.n > 0)
        json_object_set_new(all, "map", map_json(&o->map));
    json_object_set_new(all, "skip_damaged", json_boolean(o->skip_damaged));
    json_object_set_new(all, "no_warn", silent_json(o->silent));
    free(data);
    free(weights);
    return all;
}

/* One more than any run beside this one has, whatever the folder was called: "." too. */
static int64_t next_turn(const char *folder)
{
    char beside[PATH_MAX], newest[PATH_MAX];
    if (!realpath(folder, beside))
        return 1;
    *strrchr(beside, '/') = '\0';
    return run_newest(beside, NULL, false, newest) ? run_turn(newest) + 1 : 1;
}

/* What an earlier process wrote there and still holds. */
static void keep_history(const struct job *j, json_t *all)
{
    json_t *before = settings_read(j->folder, false), *resumed = json_object_get(before, "resumed");
    json_t *list = json_is_array(resumed) ? json_incref(resumed) : json_array();
    static const char *const kept[] = {"command", "weights", "partial", "map"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (json_object_get(before, kept[i]))
            json_object_set(all, kept[i], json_object_get(before, kept[i]));
    json_array_append_new(list,
                          json_pack("{s:o, s:I}", "command", command_json(j->options), "step", (json_int_t)j->at.step));
    json_object_set_new(all, "resumed", list);
    json_decref(before);
}

int settings_write(json_t *all, const char *folder, const char *name)
{
    struct data_error e;
    char path[PATH_MAX];
    char *text = json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(all);
    int status = !text                                       ? complain(STATUS_INTERNAL, "out of memory")
                 : !run_path(folder, name, path)             ? STATUS_DATA
                 : atomic_save(path, text, strlen(text), &e) ? 0
                                                             : complain(STATUS_DATA, "%s", e.text);
    free(text);
    return status;
}

int run_settings_write(const struct job *j)
{
    json_t *all = settings_json(j);
    json_object_set_new(all, "turn", json_integer(next_turn(j->folder)));
    if (j->options->resume)
        keep_history(j, all);
    return settings_write(all, j->folder, "settings.json");
}
