/* netrun: trains, tests and uses the networks that netc has planned. */
#include "options.h"
#include "cpu/cores.h"
#include "cuda/cuda.h"

#include <stdlib.h>

static int inspect(const char *folder)
{
    struct dataset set;
    struct data_error e;
    if (!data_open(folder, NULL, NULL, &set, &e))
        return complain(STATUS_DATA, "%s", e.text);
    inspect_print(&set, stdout);
    data_close(&set);
    return 0;
}

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
    case ACTION_INSPECT:
    case ACTION_PLOT:
        return plot(j->options);
    case ACTION_WATCH:
        return watch(j->options);
    case ACTION_NONE:
        break;
    }
    return inspect(j->options->folder);
}

static void close_job(struct job *j)
{
    bar_clear();
    if (j->metrics)
        fclose(j->metrics);
    if (j->device)
        j->device->close(j->device);
    samples_close(&j->data);
    plan_free(j->plan);
}

int main(int argc, char **argv)
{
    struct options options;
    streams_open();
    int status = options_read(argc, argv, &options);
    if (status == OPTIONS_GO) {
        struct job job = {.options = &options};
        tell_open(&job.tell, options.progress, options.quiet, options.json);
        status = options.plan || options.resume ? load_plan(&job) : 0;
        if (status == 0)
            status = act(&job);
        close_job(&job);
    }
    options_free(&options);
    return streams_close("netrun", status);
}
