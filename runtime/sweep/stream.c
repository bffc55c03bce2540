/* stream.c: a sweep as JSON Lines on stdout: its own events, and between them those of its runs, each with the run's number. */
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Nobody's sweep ends because a reader has gone away. */
static void told(struct sweep *s, bool good)
{
    if (good || s->json_lost)
        return;
    s->json_lost = true;
    note("warning: the events on stdout cannot be written: %s: left out from here on", strerror(errno));
}

static bool begin(struct sweep *s, struct event_line *l, const char *name)
{
    char text[TIME_TEXT];
    *l = (struct event_line){.to = s->json};
    if (!s->json || s->json_lost)
        return false;
    event_begin(l, name);
    event_text(l, "time", time_text(wall_time(), text));
    return true;
}

void stream_start(struct sweep *s)
{
    struct event_line l;
    if (!begin(s, &l, "sweep"))
        return;
    event_integer(&l, "schema", 2);
    event_text(&l, "netrun", PROJECT_VERSION);
    event_text(&l, "net", s->net);
    event_text(&l, "folder", s->folder);
    event_integer(&l, "runs", s->nrow);
    event_integer(&l, "jobs", s->options->jobs > 1 ? s->options->jobs : 1);
    event_open(&l, "names", '[');
    for (int i = 0; i < s->naxis; i++)
        event_text(&l, NULL, s->axis[i].name);
    event_close(&l, ']');
    told(s, event_end(&l, s->synthetic));
}

void stream_event(struct sweep *s, const struct row *r, const struct event *e)
{
    struct event copy = *e;
    copy.run = r->number;
    if (s->json && !s->json_lost)
        told(s, event_write(&copy, s->json));
}

static void put_result(const struct sweep *s, const struct row *r, struct event_line *l)
{
    event_open(l, "best", '{');
    event_integer(l, "epoch", r->best_epoch);
    event_number(l, "train_loss", r->train_loss);
    event_number(l, "loss", r->loss);
    if (r->n > 0 && *s->metric) {
        event_number(l, s->metric, r->metric);
        event_integer(l, "n", r->n);
    }
    event_close(l, '}');
}

void stream_row(struct sweep *s, const struct row *r)
{
    struct event_line l;
    char folder[PATH_MAX];
    if (!begin(s, &l, "run"))
        return;
    sweep_folder_of(s, r, folder);
    event_integer(&l, "run", r->number);
    event_text(&l, "state", row_word[r->state]);
    if (r->state == ROW_FAILED) {
        event_text(&l, "reason", r->reason);
        event_integer(&l, "status", r->status);
    }
    event_text(&l, "folder", folder);
    event_open(&l, "values", '{');
    for (int i = 0; i < s->naxis; i++)
        event_text(&l, s->axis[i].name, r->value[i]);
    event_close(&l, '}');
    event_integer(&l, "epoch", r->epoch);
    event_integer(&l, "epochs", r->epochs);
    event_number(&l, "seconds", r->seconds);
    if (r->best_epoch > 0)
        put_result(s, r, &l);
    told(s, event_end(&l, s->synthetic));
}

void stream_end(struct sweep *s, int left, int failed, int signal)
{
    struct event_line l;
    const struct row **list = sweep_sorted(s);
    if (!begin(s, &l, "sweep_end"))
        return;
    event_text(&l, "status", signal ? "interrupted" : left ? "stopped" : failed == s->nrow ? "failed" : "ok");
    event_integer(&l, "runs", s->nrow);
    event_integer(&l, "failed", failed);
    event_integer(&l, "left", left);
    if (s->nrow && sweep_counts(list[0])) {
        event_text(&l, "measure", s->measure);
        event_integer(&l, "best", list[0]->number);
    }
    told(s, event_end(&l, s->synthetic));
}
