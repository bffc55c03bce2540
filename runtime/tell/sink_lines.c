/* sink_lines.c: what people read: one line an epoch. Nothing here allocates. */
#include "confusion.h"
#include "base/options.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define SILENCE 60.0 /* seconds after which a line is due where there is no bar */

/* ---- the line of an epoch ---- */

enum { LINE = 80 };                          /* columns */
static const char indent[] = "\n          "; /* what does not fit goes on in a line of its own */

struct line {
    char *text;
    size_t size;
    int used;
}; /* used: columns of the last one */

/* Adds two spaces and a piece. `room` > 0: it may be left out, and is where so many columns are not free; room for the
 * widest of its kind keeps it from coming and going from epoch to epoch. */
static void piece(struct line *l, int room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void piece(struct line *l, int room, const char *format, ...)
{
    char text[LINE] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int width = text_columns(text);
    bool fits = l->used + 2 + (room > width ? room : width) <= LINE;
    if (!fits && room > 0)
        return;
    text_append(l->text, l->size, "%s%s", fits ? "  " : indent, text);
    l->used = (fits ? l->used + 2 : (int)sizeof indent - 2) + width;
}

void epoch_text(const struct epoch_report *r, bool synthetic, char *text, size_t size)
{
    const struct result *test = &r->test;
    char word[32];
    struct line l = {text, size, 0};
    l.used = snprintf(text, size, "epoch %*lld/%lld", digits_of(r->epochs), (long long)r->epoch, (long long)r->epochs);
    piece(&l, 0, "loss %s", loss_text(r->train.loss, word, sizeof word));
    if (test->n > 0)
        piece(&l, 0, "%s %s", set_text(test), loss_text(test->loss, word, sizeof word));
    for (int m = 0; m < test->metrics && test->n > 0; m++) {
        char value[METRIC_TEXT];
        piece(&l, 0, "%s %s", test->metric[m],
              metric_text(test->metric[m], result_value(test, m), synthetic ? 0 : test->n, value));
    }
    if (r->streamed)
        piece(&l, 0, "waiting %.0f %%", 100 * r->waiting);
    if (synthetic)
        piece(&l, 0, "synthetic");
    piece(&l, 0, "%s", r->best ? "best" : "    ");
    piece(&l, 0, "%s", short_duration_text(r->seconds, word, sizeof word));
    if (r->eta >= 0)
        piece(&l, sizeof "ETA 99.9 min" - 1, "ETA %s", short_duration_text(r->eta, word, sizeof word));
    piece(&l, sizeof "999.9k img/s" - 1, "%s img/s", rate_text(r->per_second, word, sizeof word));
}

/* ---- what is said at an event ---- */

static void say_start(struct tell *t, const struct event *e)
{
    const struct start_report *r = &e->start;
    char arena[32], with[32], text[PATH_MAX + 300], wrapped[PATH_MAX + 400];
    snprintf(with, sizeof with, " with %d thread%s", r->threads, r->threads == 1 ? "" : "s");
    snprintf(text, sizeof text, "%s: %lld parameters, %s%s%s%s, batch %lld, memory %s, seed %lu%s%s", r->net,
             (long long)r->params, r->device, r->gpu ? " (" : with, r->gpu ? r->gpu : "", r->gpu ? ")" : "",
             (long long)r->batch, bytes_text(r->arena, arena, sizeof arena), (unsigned long)r->seed,
             *r->folder ? ", " : "", r->folder);
    bool narrow = t->lines && isatty(fileno(t->lines)); /* a file keeps lines whole, for those who look for one */
    say(t, "%s", narrow ? text_wrapped(text, LINE, wrapped, sizeof wrapped) : text);
    if (e->synthetic)
        say(t, "%s: SYNTHETIC data, made to try things out: results say nothing of a real set", r->data);
    if (!r->data && r->holdout == 0)
        say(t, "the %lld samples in the plan are training set and test set", (long long)r->samples);
    if (r->holdout > 0 && r->apart)
        say(t, "holdout: %lld samples of their own, tested after each epoch and not trained", (long long)r->holdout);
    else if (r->holdout > 0)
        say(t, "holdout: %lld of %lld training samples, tested after each epoch and not trained", (long long)r->holdout,
            (long long)(r->holdout + r->samples));
    if (r->steps > 0)
        say(t, "resumed in epoch %lld after step %lld", (long long)r->epoch + 1, (long long)r->in_epoch);
}

static void say_step(struct tell *t, const struct event *e)
{
    const struct step_report *s = &e->step;
    char loss[32], rate[32], left[32];
    if (!s->logged && (t->bar || now() - t->line_at < SILENCE))
        return;
    say(t, "epoch %*lld/%lld  step %*lld/%lld  loss %s  %s img/s  ETA %s", digits_of(s->epochs), (long long)s->epoch,
        (long long)s->epochs, digits_of(s->steps), (long long)s->step, (long long)s->steps,
        loss_text(s->loss, loss, sizeof loss), rate_text(s->per_second, rate, sizeof rate),
        short_duration_text(s->eta, left, sizeof left));
}

static void say_epoch(struct tell *t, const struct event *e)
{
    char text[1024];
    epoch_text(&e->epoch, e->synthetic, text, sizeof text);
    say(t, "%s", text);
}

/* A result is said even to who wants no lines. */
static void say_test(struct tell *t, const struct event *e)
{
    const struct result *r = &e->evaluation.result;
    char loss[32];
    fprintf(t->results, "%s loss %s", set_text(r), loss_text(r->loss, loss, sizeof loss));
    for (int m = 0; m < r->metrics; m++) {
        char text[METRIC_TEXT];
        const char *value = metric_text(r->metric[m], result_value(r, m), r->n, text);
        fprintf(t->results, "   %s %s", r->metric[m], value + strspn(value, " "));
    }
    fprintf(t->results, "   %lld samples%s%s", (long long)r->n, e->evaluation.of_plan ? " of the plan" : "",
            synthetic_text(e->synthetic, e->weights_synthetic));
    if (e->evaluation.epoch > 0)
        fprintf(t->results, ", weights of epoch %lld", (long long)e->evaluation.epoch);
    fputc('\n', t->results);
    if (e->evaluation.confusion && !t->brief)
        confusion_say(e->evaluation.confusion, t->results);
    if (e->evaluation.worsts > 0)
        say(t, "%s%s: the surest %lld mistakes", t->brief ? "" : "\n", e->evaluation.sheet,
            (long long)e->evaluation.worsts);
    else if (e->evaluation.sheet)
        say(t, "no mistake, so %s is not written", e->evaluation.sheet);
}

/* "accuracy 98.91 %", "mae 0.1426", "loss 0.0335". */
static const char *best_text(const struct end_report *r, char *text, size_t size)
{
    char number[METRIC_TEXT];
    const bool loss = strcmp(r->measure, "loss") == 0;
    const char *value = loss ? loss_text(r->best, number, sizeof number) : metric_text(r->measure, r->best, 0, number);
    snprintf(text, size, "%s %s", r->measure, value + strspn(value, " "));
    return text;
}

static void say_end(struct tell *t, const struct event *e)
{
    const struct end_report *r = &e->end;
    char text[80];
    if (r->stop && r->stop_epoch > 0)
        say(t, "stopped by %s: %s has not improved since epoch %lld", r->stop, r->stop_measure,
            (long long)r->stop_epoch);
    else if (r->stop)
        say(t, "stopped by %s: %s has never been finite", r->stop, r->stop_measure);
    if (r->best_epoch > 0 && r->how != ENDS_DIVERGED)
        say(t, "best epoch %lld%s: %s; weights in %s/best.safetensors", (long long)r->best_epoch,
            synthetic_text(e->synthetic, e->weights_synthetic), best_text(r, text, sizeof text), r->folder);
    if (r->epochs > 0)
        say(t, "%lld epoch%s%s in %s", (long long)r->epochs, r->epochs == 1 ? "" : "s",
            r->step > 0 ? " and the next one's steps" : "", duration_text(r->seconds, text, sizeof text));
}

static bool take(struct tell *t, const struct event *e)
{
    static void (*const say_of[])(struct tell * t, const struct event *e) = {
        [EVENT_START] = say_start,     [EVENT_STEP] = say_step, [EVENT_EPOCH] = say_epoch,
        [EVENT_EVALUATION] = say_test, [EVENT_END] = say_end,
    };
    if (say_of[e->kind])
        say_of[e->kind](t, e);
    FILE *to = e->kind == EVENT_EVALUATION ? t->results : t->lines;
    return !to || (fflush(to) == 0 && !ferror(to));
}

const struct sink sink_lines = {.name = "the lines on stdout", .take = take};
