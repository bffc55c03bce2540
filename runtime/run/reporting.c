/* reporting.c: what report.html of a run tells is gathered: from its folder, from the data, and from the network, which answers its test
 * set once more. Whatever is missing is said on the page, and nowhere else. */
#include "base/atomic_file.h"
#include "streamed.h"
#include "report/report.h"
#include "keep.h"
#include "runfile.h"
#include "trial.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SUMMARY = 4096 };
#define PATIENCE 5.0 /* seconds that a test may take where somebody has stopped the training */

struct reporting {
    struct report report;
    struct job *job; /* plan, recipe, folder and data of the run; its device is closed */
    struct trial trial;
    struct report_answers answers;
    struct history history;
    char path[PATH_MAX], weights[PATH_MAX], weights_text[200], summary[MOST_SUMMARY];
    char no_data[REPORT_WHY], no_answers[REPORT_WHY];
    char *said; /* where an error goes: one of the two above */
};

/* The first line of the first error is the reason. */
static void take_words(void *to, bool error, const char *text)
{
    struct reporting *g = to;
    if (!error || !g->said || *g->said)
        return;
    if (strncmp(text, "netrun: error: ", 15) == 0)
        text += 15;
    snprintf(g->said, REPORT_WHY, "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- what the network says ---- */

static bool find_weights(struct reporting *g)
{
    static const char *const file[] = {"best.safetensors", "last.safetensors"};
    struct origin from;
    for (int i = 0; i < 2; i++) {
        if (!run_path(g->job->folder, file[i], g->weights) || access(g->weights, F_OK) != 0)
            continue;
        checkpoint_origin(g->weights, &from);
        if (from.in_epoch > 0)
            snprintf(g->weights_text, sizeof g->weights_text, "%s (epoch %lld, step %lld)", file[i],
                     (long long)from.epoch + 1, (long long)from.in_epoch);
        else
            snprintf(g->weights_text, sizeof g->weights_text, "%s (epoch %lld)", file[i], (long long)from.epoch);
        return true;
    }
    return false;
}

/* On a device of its own, armed for predicting alone. */
static int try_answers(struct reporting *g, struct job *j)
{
    const int64_t samples[PHASE_COUNT] = {[PHASE_PREDICT] = j->data.test.count};
    int status = learnt_take(j, g->weights);
    if (status == 0)
        status = samples_stream(j, false);
    j->asked = samples_of(&j->data.test);
    if (status == 0)
        status = fit(j, samples);
    if (status == 0)
        status = checkpoint_load(j, g->weights, false);
    g->trial = (struct trial){.job = j, .most = REPORT_WORST, .classes = true};
    stops_listen();
    if (status == 0)
        status = trial_run(&g->trial);
    stops_end();
    return status;
}

static void take_answers(struct reporting *g)
{
    struct job *run = g->job;
    struct options o = *run->options;
    struct job own = {
        .options = &o, .plan = run->plan, .recipe = run->recipe, .data = run->data, .second_device = true};
    bool held = run->data.test.count == 0;
    const struct data_split *tested = held ? &run->data.holdout : &run->data.test;
    o.quiet = true;
    o.verbose = o.partial = false;
    o.emit_dir = o.output = NULL;
    o.map = (struct renames){0};
    own.data.test = *tested;
    g->said = g->no_answers;
    if (tested->count == 0)
        snprintf(g->no_answers, REPORT_WHY, "There is no test set.");
    else if (!trial_classes(run->plan) || !data_is_class(&tested->label))
        snprintf(g->no_answers, REPORT_WHY, "The network tells no classes apart.");
    else if (!*g->weights_text)
        snprintf(g->no_answers, REPORT_WHY, "There are no weights yet.");
    else if (try_answers(g, &own) == 0) {
        g->answers = (struct report_answers){.confusion = g->trial.confusion,
                                             .tested = tested,
                                             .set = held ? "holdout" : "test set",
                                             .worst = g->trial.worst,
                                             .worsts = g->trial.worsts};
        g->report.answers = &g->answers;
        board_confusion(run, &g->answers.confusion, g->answers.set);
    } else if (!*g->no_answers)
        snprintf(g->no_answers, REPORT_WHY, "The test of it was stopped.");
    if (own.device)
        own.device->close(own.device);
    measures_close(&own);
}

/* ---- the page ---- */

static void read_summary(struct reporting *g)
{
    char path[PATH_MAX];
    FILE *from = run_path(g->job->folder, "summary.txt", path) ? fopen(path, "r") : NULL;
    size_t n = from ? fread(g->summary, 1, sizeof g->summary - 1, from) : 0;
    g->summary[n] = '\0';
    if (from)
        fclose(from);
}

static bool save(const struct reporting *g, struct data_error *e)
{
    struct atomic_file file;
    if (!atomic_open(&file, g->path, e))
        return false;
    report_write(&g->report, file.stream);
    return atomic_commit(&file, e);
}

/* Everything but data and answers. */
static bool begin(struct reporting *g, struct job *j, struct data_error *e)
{
    char metrics[PATH_MAX], profile[PATH_MAX];
    *g = (struct reporting){.job = j};
    if (snprintf(g->path, sizeof g->path, "%s/report.html", j->folder) >= PATH_MAX ||
        snprintf(metrics, sizeof metrics, "%s/metrics.jsonl", j->folder) >= PATH_MAX ||
        snprintf(profile, sizeof profile, "%s/profile.json", j->folder) >= PATH_MAX)
        return data_fail(e, "%s: too long a path", j->folder);
    if (!history_read(metrics, &g->history, e))
        return false;
    const char *slash = strrchr(j->folder, '/');
    read_summary(g);
    bool weights = find_weights(g);
    g->report = (struct report){.name = slash ? slash + 1 : j->folder,
                                .folder = j->folder,
                                .summary = *g->summary ? g->summary : NULL,
                                .plan = j->plan,
                                .settings = settings_read(j->folder, false),
                                .profile = json_load_file(profile, JSON_REJECT_DUPLICATES, NULL),
                                .history = &g->history,
                                .no_data = g->no_data,
                                .no_answers = g->no_answers,
                                .seed = j->recipe.seed,
                                .shuffled = j->recipe.shuffle,
                                .weights = weights ? g->weights : NULL,
                                .weights_text = g->weights_text};
    return true;
}

static bool end(struct reporting *g, struct data_error *e)
{
    bool good = save(g, e);
    trial_close(&g->trial);
    history_free(&g->history);
    json_decref((json_t *)g->report.settings);
    json_decref((json_t *)g->report.profile);
    return good;
}

/* Of somebody who waits for the end of a run that was stopped, not much more time is taken. */
static bool takes_long(const struct job *j)
{
    double test = j->test_seconds > 0 ? j->test_seconds : j->pace.best * (double)choose_split(j)->count;
    return stopped_by() && test > PATIENCE;
}

void report_own(struct job *j)
{
    struct reporting g;
    struct data_error e;
    if (j->options->into || j->options->no_report || !j->tell.metrics)
        return;
    const bool brief = takes_long(j);
    j->device->close(j->device);
    j->device = NULL;
    if (!begin(&g, j, &e)) {
        note("no report: %s", e.text);
        return;
    }
    g.report.data = &j->data;
    say_to(take_words, &g);
    if (brief)
        snprintf(g.no_answers, sizeof g.no_answers,
                 "The training was stopped, and a test would have taken long: netrun --report %.300s makes it.",
                 j->folder);
    else
        take_answers(&g);
    say_to(NULL, NULL);
    if (!end(&g, &e))
        note("no report: %s", e.text);
}

/* ---- of a run that is over ---- */

static void pass_over(void *to, bool error, const char *text)
{
    (void)to, (void)error, (void)text;
}

/* Plan and settings as they were in force; those of the plan, where no checkpoint tells. */
static int recall(struct job *j)
{
    struct recall r = {0};
    struct pair pair;
    char path[PATH_MAX];
    if (!run_path(j->folder, "model.plan", path) || !(j->plan = plan_open(path)))
        return STATUS_DATA;
    say_to(pass_over, NULL);
    bool told = pair_there(j->folder) && pair_find(j->folder, &pair) == 0 &&
                checkpoint_recall(pair.optimizer, j->plan, &r) == 0;
    say_to(NULL, NULL);
    int status = told ? overrides_again(j, &r) : overrides_take(j);
    memcpy(j->hash, r.hash, sizeof j->hash);
    free(r.settings);
    return status;
}

/* The data as the run had them; false: what they are said to be is on the page. */
static bool take_data(struct reporting *g)
{
    struct job *j = g->job;
    char hash[HASH_TEXT];
    g->said = g->no_data;
    if (!j->options->folder && run_data(j))
        return false;
    if (samples_open(j->plan, j->options->folder, j->options->skip_damaged, samples_most(j->options), &j->data))
        return false;
    for (int i = 0; i < DATA_SPLITS; i++) {
        if (samples_hash(data_split_of(&j->data, i), hash))
            return false;
        if (*j->hash[i] && strcmp(j->hash[i], hash) != 0) {
            complain(STATUS_DATA, "%s: these are not the data that the run was trained with", j->options->folder);
            return false;
        }
    }
    return j->recipe.holdout == 0 || holdout_take(&j->data, j->recipe.holdout, j->recipe.seed) == 0;
}

int report_of(const struct options *options, const char *name)
{
    struct options o = *options;
    struct job j = {.options = &o};
    struct reporting g;
    struct data_error e;
    int status = run_find(o.runs, name, j.folder);
    if (status == 0)
        status = recall(&j);
    if (status == 0 && !begin(&g, &j, &e))
        status = complain(STATUS_DATA, "%s", e.text);
    if (status == 0) {
        say_to(take_words, &g);
        if (take_data(&g)) {
            g.report.data = &j.data;
            take_answers(&g);
        } else
            memcpy(g.no_answers, g.no_data, sizeof g.no_answers);
        say_to(NULL, NULL);
        status = end(&g, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
    }
    if (status == 0)
        printf("%s\n", g.path);
    free(o.recalled);
    job_close(&j);
    return status;
}
