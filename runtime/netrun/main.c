/* netrun: trains, tests and uses the networks that netc has planned. */
#include "inspect.h"
#include "options.h"
#include "cpu/cores.h"
#include "cuda/cuda.h"
#include "run/profile.h"
#include "sweep/sweep.h"

#include <stdlib.h>
#include <string.h>

static int devices(void)
{
    printf("cpu: %d cores\n", cores_usable());
    cuda_report(stdout);
    return 0;
}

static int open_plan(struct job *j)
{
    struct options *o = j->options;
    struct source s;
    int status = source_read(o->plan, &s);
    if (status == 0)
        status = source_plan(&s, o->define, o->defines, stderr, &j->plan);
    source_free(&s);
    return status;
}

/* The plan and what of it the command line changes. */
static int load_plan(struct job *j)
{
    int status = j->options->plan ? open_plan(j) : 0;
    if (j->options->rerun)
        return rerun_recall(j);
    return status ? status : j->options->resume ? run_recall(j) : overrides_take(j);
}

static int act(struct job *j)
{
    switch (j->options->action) {
    case ACTION_TRAIN:
        return train(j);
    case ACTION_TEST:
        return test(j);
    case ACTION_PREDICT:
        return predict(j);
    case ACTION_DEVICES:
        return devices();
    case ACTION_RUNS:
        return runs_list(j->options);
    case ACTION_PLOT:
    case ACTION_WATCH:
        return watch(j->options);
    case ACTION_PROFILE:
        return profile(j);
    case ACTION_REPORT: /* reports() */
    case ACTION_INSPECT:
    case ACTION_NONE:
        break;
    }
    return inspect(j);
}

/* Each run has its settings from the command that began the sweep: others would be another sweep. */
static int other_settings(const struct options *now, const char *folder)
{
    if (!now->resume || !(now->overrides || strcmp(now->device, "auto") != 0 || now->memory || now->steps))
        return 0;
    return complain(STATUS_USAGE,
                    "%s is a sweep, whose runs keep their settings, device and steps: begin another one with --sweep",
                    folder);
}

/* What a sweep was begun by, and then what is to be done with it. Where its data lie, how many threads work and what is shown may be
 * others. */
static int take_up_sweep(const struct options *now, const char *folder)
{
    struct options o;
    int argc, status = other_settings(now, folder);
    if (status)
        return status;
    status = STATUS_DATA;
    struct region *region = region_new();
    char **argv = sweep_command(folder, region, &argc);
    if (argv && (status = options_read(argc, argv, &o)) == OPTIONS_GO) {
        o.quiet = now->quiet;
        o.json = now->json;
        o.progress = now->progress;
        o.output = now->output ? now->output : o.output;
        o.jobs = now->jobs ? now->jobs : o.jobs;
        o.threads = now->threads ? now->threads : o.threads;
        status = now->resume                  ? sweep_resume(&o, folder, now->folder)
                 : now->action == ACTION_PLOT ? sweep_plot_again(&o, folder, now->output)
                                              : sweep_report_again(&o, folder);
        options_free(&o);
    }
    region_free(region);
    return status;
}

/* Of each run or sweep that is named, or of the newest run. */
static int reports(const struct options *o)
{
    int status = o->predictions ? 0 : report_of(o, "last");
    char folder[PATH_MAX];
    for (int i = 0; i < o->predictions; i++) {
        const bool sweep = sweep_named(o->runs, o->predict[i], folder);
        const int failed = sweep ? take_up_sweep(o, folder) : report_of(o, o->predict[i]);
        status = status ? status : failed;
    }
    return status;
}

/* Curves of runs, or what came of a sweep. */
static int plots(const struct options *o)
{
    char folder[PATH_MAX];
    for (int i = 0; i < o->predictions; i++)
        if (sweep_named(o->runs, o->predict[i], folder))
            return o->predictions == 1 ? take_up_sweep(o, folder)
                                       : complain(STATUS_USAGE, "--plot: %s is a sweep, which is drawn alone", folder);
    return plot(o);
}

static int one_job(struct options *o)
{
    struct job job = {.options = o};
    if (o->resume && (o->output || o->jobs))
        return complain(STATUS_USAGE, "--%s goes with sweeps, and %s is a run", o->output ? "output" : "jobs",
                        o->resume);
    tell_open(&job.tell, o->progress, o->quiet, o->json);
    if (o->action == ACTION_INSPECT && inspects_plan(o))
        o->plan = o->folder;
    int status = o->plan || o->resume || o->rerun ? load_plan(&job) : 0;
    if (status == 0)
        status = act(&job);
    if (status == 0 && o->rerun)
        status = rerun_compare(&job);
    report_own(&job);
    job_close(&job);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    char folder[PATH_MAX];
    streams_open();
    int status = options_read(argc, argv, &options);
    if (status == OPTIONS_GO)
        status = options.sweep                                                         ? sweep(&options)
                 : options.action == ACTION_REPORT                                     ? reports(&options)
                 : options.action == ACTION_PLOT                                       ? plots(&options)
                 : options.resume && sweep_named(options.runs, options.resume, folder) ? take_up_sweep(&options, folder)
                                                                                       : one_job(&options);
    options_free(&options);
    return streams_close("netrun", status);
}
