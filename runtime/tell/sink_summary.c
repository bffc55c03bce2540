/* sink_summary.c: summary.txt of the run's folder: what it was and what came of it, once it ends. */
#include "base/atomic_file.h"
#include "base/options.h"
#include "tell.h"

#include <limits.h>
#include <string.h>

static void begin(struct tell *t, const struct start_report *r)
{
    char arena[32];
    snprintf(t->summary, sizeof t->summary,
             "%s: %lld parameters, %s%s%s%s, batch %lld, memory %s, seed %lld, netrun %s\n", r->net,
             (long long)r->params, r->device, r->gpu ? " (" : "", r->gpu ? r->gpu : "", r->gpu ? ")" : "",
             (long long)r->batch, bytes_text(r->arena, arena, sizeof arena), (long long)r->seed, r->version);
}

static bool end(struct tell *t, const struct event *e)
{
    const struct end_report *r = &e->end;
    char text[2048], word[64], path[PATH_MAX];
    struct data_error error;
    if (snprintf(path, sizeof path, "%s/summary.txt", r->folder) >= PATH_MAX)
        return false;
    snprintf(text, sizeof text, "%s", t->summary);
    text_append(text, sizeof text, "%s after %lld epochs", ending_word[r->how], (long long)r->epochs);
    if (r->step > 0)
        text_append(text, sizeof text, " and %lld steps of the next", (long long)r->step);
    text_append(text, sizeof text, ", in %s\n", duration_text(r->seconds, word, sizeof word));
    if (r->best_epoch > 0)
        text_append(text, sizeof text, "best epoch %lld%s: %s %.9g\n", (long long)r->best_epoch,
                    synthetic_text(e->synthetic, e->weights_synthetic), r->measure, r->best);
    return atomic_save(path, text, strlen(text), &error);
}

static bool take(struct tell *t, const struct event *e)
{
    if (e->kind == EVENT_START)
        begin(t, &e->start);
    return !t->table || e->kind != EVENT_END || end(t, e);
}

const struct sink sink_summary = {.name = "summary.txt", .take = take};
