/* fields.c: the table of all that events hold. JSON Lines, the table of epochs and docs/events.md are written from it. */
#include "tell.h"

#include <string.h>

#define ALL ((1u << EVENT_KINDS) - 1)
#define IN(kind_) (1u << EVENT_##kind_)
#define AT(member_) offsetof(struct event, member_)

/* clang-format off */
const struct event_word event_word[EVENT_KINDS] = {
    [EVENT_START]      = {"start",      "a training begins or is resumed"},
    [EVENT_STEP]       = {"step",       "an optimizer step is done; each Nth where --log-every N asks for it"},
    [EVENT_EPOCH]      = {"epoch",      "an epoch is over: trained, tested, kept"},
    [EVENT_EVALUATION] = {"evaluation", "what --test found"},
    [EVENT_CHECKPOINT] = {"checkpoint", "a checkpoint has been written"},
    [EVENT_WARNING]    = {"warning",    "something was hardly meant so"},
    [EVENT_END]        = {"end",        "this process is done with the training"},
};

const struct field event_field[] = {
    {ALL, "event", FIELD_KIND, 0, NULL, "its kind", FIELD_STAYS},
    {ALL, "time", FIELD_TIME, AT(time), "UTC", "ISO 8601, as 2026-01-31T23:59:59.123Z", FIELD_STAYS},

    {ALL, "run", FIELD_INTEGER, AT(run), NULL, "its number in a sweep: sweeps.md", FIELD_OPTIONAL},

    {IN(START), "schema", FIELD_INTEGER, AT(start.schema), NULL, "counts changes that readers would not survive", FIELD_STAYS},
    {IN(START), "netrun", FIELD_TEXT, AT(start.version), NULL, "version", FIELD_STAYS},
    {IN(START), "net", FIELD_TEXT, AT(start.net), NULL, "name of the network", FIELD_STAYS},
    {IN(START), "params", FIELD_INTEGER, AT(start.params), "values", "of parameters, frozen or not", FIELD_STAYS},
    {IN(START), "device", FIELD_TEXT, AT(start.device), NULL, "cpu, cuda:0", FIELD_STAYS},
    {IN(START), "gpu", FIELD_TEXT, AT(start.gpu), NULL, "its name", FIELD_OPTIONAL},
    {IN(START), "batch", FIELD_INTEGER, AT(start.batch), "samples", "of an optimizer step", FIELD_STAYS},
    {IN(START), "micro_batch", FIELD_INTEGER, AT(start.micro), "samples", "of one run, where batches run in parts", FIELD_OPTIONAL},
    {IN(START), "seed", FIELD_INTEGER, AT(start.seed), NULL, "of weights, order and dropout", FIELD_STAYS},
    {IN(START), "epochs", FIELD_INTEGER, AT(start.epochs), "epochs", "to be done in all", FIELD_STAYS},
    {IN(START), "samples", FIELD_INTEGER, AT(start.samples), "samples", "of the training set", FIELD_STAYS},
    {IN(START), "holdout", FIELD_INTEGER, AT(start.holdout), "samples", "that are tested after each epoch, and not trained", FIELD_OPTIONAL},
    {IN(START), "arena", FIELD_INTEGER, AT(start.arena), "bytes", "of device memory that the network takes", FIELD_STAYS},
    {IN(START) | IN(EVALUATION), "weights", FIELD_TEXT, AT(weights), NULL, "the file that they came from", FIELD_OPTIONAL},
    {IN(START) | IN(EVALUATION), "trained_on", FIELD_SYNTHETIC, AT(weights_synthetic), NULL, "`synthetic`, if these were", FIELD_OPTIONAL},
    {IN(START), "resumed", FIELD_INTEGER, AT(start.steps), "steps", "done before", FIELD_OPTIONAL},

    {IN(STEP), "epoch", FIELD_INTEGER, AT(step.epoch), "epochs", "1 is the first", FIELD_STAYS},
    {IN(STEP), "step", FIELD_INTEGER, AT(step.step), "steps", "done of this epoch", FIELD_STAYS},
    {IN(STEP), "steps", FIELD_INTEGER, AT(step.done), "steps", "done in all", FIELD_STAYS},
    {IN(STEP), "loss", FIELD_NUMBER, AT(step.loss), NULL, "mean over the batch, before its update", FIELD_STAYS},
    {IN(STEP), "seconds", FIELD_NUMBER, AT(step.seconds), "s", "of training in this epoch", FIELD_STAYS},

    {IN(EPOCH), "epoch", FIELD_INTEGER, AT(epoch.epoch), "epochs", "1 is the first", FIELD_STAYS},
    {IN(EPOCH), "steps", FIELD_INTEGER, AT(epoch.steps), "steps", "done in all", FIELD_STAYS},
    {IN(EPOCH), "train.loss", FIELD_LOSS, AT(epoch.train), NULL, "mean over the samples, each batch before its update", FIELD_STAYS},
    {IN(EPOCH), "train.METRIC", FIELD_METRIC, AT(epoch.train), "share", "of right answers, or another metric's number, each batch before its update", FIELD_STAYS},
    {IN(EPOCH), "test.loss", FIELD_LOSS, AT(epoch.test), NULL, "mean over the samples, after the epoch", FIELD_STAYS},
    {IN(EPOCH), "test.METRIC", FIELD_METRIC, AT(epoch.test), "share", "of right answers, or another metric's number, after the epoch", FIELD_STAYS},
    {IN(EPOCH), "test.METRIC_95", FIELD_INTERVAL, AT(epoch.test), "share", "its 95 % interval (Wilson), of right answers", FIELD_STAYS},
    {IN(EPOCH), "test.n", FIELD_COUNT, AT(epoch.test), "samples", "of the test set", FIELD_STAYS},
    {IN(EPOCH), "lr", FIELD_NUMBER, AT(epoch.lr), NULL, "learning rate of its last step", FIELD_STAYS},
    {IN(EPOCH), "train_seconds", FIELD_NUMBER, AT(epoch.train_seconds), "s", "of training", FIELD_STAYS},
    {IN(EPOCH), "test_seconds", FIELD_NUMBER, AT(epoch.test_seconds), "s", "of testing", FIELD_STAYS},
    {IN(EPOCH), "seconds", FIELD_NUMBER, AT(epoch.seconds), "s", "of both", FIELD_STAYS},
    {IN(EPOCH), "samples_per_second", FIELD_NUMBER, AT(epoch.per_second), "samples/s", "of training", FIELD_STAYS},
    {IN(EPOCH), "waiting", FIELD_NUMBER, AT(epoch.waiting), "share", "of training, for samples that are read from files", FIELD_OPTIONAL},
    {IN(EPOCH), "arena", FIELD_INTEGER, AT(epoch.arena), "bytes", "of device memory that the network takes", FIELD_STAYS},
    {IN(EPOCH), "best", FIELD_TRUTH, AT(epoch.best), NULL, "it is the best so far", FIELD_STAYS},

    {IN(EVALUATION), "set", FIELD_SET, AT(evaluation.result), NULL, "`holdout`, if it is that", FIELD_OPTIONAL},
    {IN(EVALUATION), "loss", FIELD_LOSS, AT(evaluation.result), NULL, "mean over the samples", FIELD_STAYS},
    {IN(EVALUATION), "METRIC", FIELD_METRIC, AT(evaluation.result), "share", "of right answers, or another metric's number", FIELD_STAYS},
    {IN(EVALUATION), "METRIC_95", FIELD_INTERVAL, AT(evaluation.result), "share", "its 95 % interval (Wilson), of right answers", FIELD_STAYS},
    {IN(EVALUATION), "n", FIELD_COUNT, AT(evaluation.result), "samples", "of the test set", FIELD_STAYS},

    {IN(EVALUATION), "confusion", FIELD_CONFUSION, AT(evaluation.confusion), NULL, "class by class: inspecting.md", FIELD_OPTIONAL},
    {IN(EVALUATION), "epoch", FIELD_INTEGER, AT(evaluation.epoch), "epochs", "of a training that is over, whose weights these are", FIELD_OPTIONAL},
    {IN(EVALUATION), "worst", FIELD_WORST, AT(evaluation), NULL, "of --worst: the surest mistakes", FIELD_OPTIONAL},

    {IN(CHECKPOINT), "file", FIELD_TEXT, AT(checkpoint.file), NULL, "its name in the run's folder", FIELD_STAYS},
    {IN(CHECKPOINT), "epoch", FIELD_INTEGER, AT(checkpoint.epoch), "epochs", "that goes on from it; 1 is the first", FIELD_STAYS},
    {IN(CHECKPOINT), "step", FIELD_INTEGER, AT(checkpoint.step), "steps", "done of it", FIELD_STAYS},
    {IN(CHECKPOINT), "steps", FIELD_INTEGER, AT(checkpoint.steps), "steps", "done in all", FIELD_STAYS},
    {IN(CHECKPOINT), "seconds", FIELD_NUMBER, AT(checkpoint.seconds), "s", "that these took", FIELD_STAYS},

    {IN(WARNING), "text", FIELD_TEXT, AT(warning.text), NULL, "as it stands on stderr", FIELD_STAYS},
    {IN(WARNING), "name", FIELD_TEXT, AT(finding.name), NULL, "as --no-warn takes it", FIELD_OPTIONAL},

    {IN(END), "status", FIELD_ENDING, AT(end.how), NULL, "ok, stopped (--steps), interrupted (by a signal) or diverged", FIELD_STAYS},
    {IN(END), "epochs", FIELD_INTEGER, AT(end.epochs), "epochs", "done", FIELD_STAYS},
    {IN(END), "step", FIELD_INTEGER, AT(end.step), "steps", "done of the next", FIELD_OPTIONAL},
    {IN(END), "epoch_seconds", FIELD_NUMBER, AT(end.epoch_seconds), "s", "that these took", FIELD_OPTIONAL},
    {IN(END), "seconds", FIELD_NUMBER, AT(end.seconds), "s", "of training and testing in all", FIELD_STAYS},
    {IN(END), "stop.rule", FIELD_TEXT, AT(end.stop), NULL, "that ended it: patience", FIELD_OPTIONAL},
    {IN(END), "stop.measure", FIELD_TEXT, AT(end.stop_measure), NULL, "what did not improve", FIELD_OPTIONAL},
    {IN(END), "stop.epoch", FIELD_INTEGER, AT(end.stop_epoch), "epochs", "the last in which it did", FIELD_OPTIONAL},
    {IN(END), "best.epoch", FIELD_INTEGER, AT(end.best_epoch), "epochs", "the best", FIELD_OPTIONAL},
    {IN(END), "best.MEASURE", FIELD_MEASURE, AT(end.best), NULL, "its loss, or the metric that tells the best", FIELD_OPTIONAL},

    {IN(WARNING) | IN(END), "cause.kind", FIELD_TEXT, AT(finding.kind), NULL, "not finite first: data, weights, forward or loss", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.layer", FIELD_TEXT, AT(finding.layer), NULL, "that it is about", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.line", FIELD_INTEGER, AT(finding.line), NULL, "of the .net file", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.tensor", FIELD_TEXT, AT(finding.tensor), NULL, "of the plan, whose values were not finite", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.value", FIELD_NUMBER, AT(finding.value), NULL, "that was measured: warnings.md", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.step", FIELD_INTEGER, AT(finding.step), "steps", "done in all, that one included", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.bad", FIELD_INTEGER, AT(finding.bad), "samples", "of its batch whose values were not finite", FIELD_OPTIONAL},
    {IN(WARNING) | IN(END), "cause.samples", FIELD_SAMPLES, AT(finding), NULL, "the numbers of the first of them in the data set", FIELD_OPTIONAL},

    {ALL, "synthetic", FIELD_TRUTH, AT(synthetic), NULL, "the data were made up", FIELD_OPTIONAL},
};
/* clang-format on */
const int event_fields = (int)(sizeof event_field / sizeof *event_field);

const char *const ending_word[] = {
    [ENDS_OK] = "ok",
    [ENDS_STOPPED] = "stopped",
    [ENDS_INTERRUPTED] = "interrupted",
    [ENDS_DIVERGED] = "diverged",
};

static const char *const type_word[] = {
    [FIELD_KIND] = "text",        [FIELD_TIME] = "text",        [FIELD_TEXT] = "text",     [FIELD_SYNTHETIC] = "text",
    [FIELD_ENDING] = "text",      [FIELD_TRUTH] = "truth",      [FIELD_INTEGER] = "whole", [FIELD_COUNT] = "whole",
    [FIELD_NUMBER] = "real",      [FIELD_LOSS] = "real",        [FIELD_METRIC] = "real",   [FIELD_MEASURE] = "real",
    [FIELD_INTERVAL] = "2 reals", [FIELD_CONFUSION] = "object", [FIELD_WORST] = "object",  [FIELD_SET] = "text",
    [FIELD_SAMPLES] = "wholes",
};

void fields_print(FILE *out)
{
    for (int k = 0; k < EVENT_KINDS; k++) {
        fprintf(out, "%s%s: %s\n", k ? "\n" : "", event_word[k].name, event_word[k].doc);
        for (const struct field *f = event_field; f < event_field + event_fields; f++)
            if (f->kinds >> k & 1)
                fprintf(out, "  %-19s %-8s %-10s %s%s\n", f->name, type_word[f->type], f->unit ? f->unit : "-", f->doc,
                        f->presence == FIELD_OPTIONAL ? "; or left out" : "");
    }
}

/* ---- the columns of the table of epochs ---- */

/* The row's name with `metric` for its METRIC, and `tested` for the test set. */
static void name_of(const struct field *f, const char *tested, const char *metric, char *name, size_t size)
{
    bool of_test = f->at == AT(epoch.test);
    const char *rest = of_test ? strchr(f->name, '.') : f->name, *at = strstr(rest, "METRIC");
    snprintf(name, size, "%s%.*s%s%s", of_test ? tested : "", at ? (int)(at - rest) : (int)strlen(rest), rest,
             at ? metric : "", at ? at + strlen("METRIC") : "");
}

static void add_column(struct column *list, int *n, const struct field *f, int metric, const char *name, int bound)
{
    struct column *c = &list[(*n)++];
    *c = (struct column){.field = f, .metric = metric, .bound = bound};
    snprintf(c->path, sizeof c->path, "%s", name);
    snprintf(c->name, sizeof c->name, "%s%s", name, bound < 0 ? "" : bound == 0 ? "_low" : "_high");
    for (char *at = c->name; *at; at++)
        if (*at == '.')
            *at = '_';
}

int columns_of_epochs(const char *tested, const char metric[][METRIC_NAME], int metrics,
                      struct column list[MAX_COLUMNS])
{
    int n = 0;
    for (const struct field *f = event_field; f < event_field + event_fields; f++) {
        bool each = f->type == FIELD_METRIC || f->type == FIELD_INTERVAL, pair = f->type == FIELD_INTERVAL;
        if (!(f->kinds & IN(EPOCH)) || f->type == FIELD_KIND || f->at == AT(run) || f->at == AT(epoch.waiting))
            continue;
        for (int m = 0; m < (each ? metrics : 1); m++)
            for (int bound = pair ? 0 : -1; bound < (pair ? 2 : 0); bound++) {
                char name[64];
                if (pair && !metric_is_share(metric[m]))
                    continue;
                name_of(f, tested, each ? metric[m] : "", name, sizeof name);
                add_column(list, &n, f, m, name, bound);
            }
    }
    return n;
}
