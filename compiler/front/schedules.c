/* schedules.c: what schedules need of each other and of the optimizer. */
#include "build.h"
#include "graph/rate.h"

#include <string.h>

bool schedule_of_key(struct builder *b, const struct word *w, const char *key, struct loc loc)
{
    if (!w->watch || strcmp(key, "train.schedule") == 0)
        return true;
    diag_error(b->diag, "N0420", loc, NULL, "`%s` is for the learning rate alone", w->name);
    return false;
}

bool schedule_in_list(struct builder *b, const struct word *w, const struct args *args, struct loc loc, bool last)
{
    int i = arg_index(w, "epochs");
    if (w->watch) {
        diag_error(b->diag, "N0420", loc, NULL, "`%s` goes by what is measured, and cannot stand in a list", w->name);
        return false;
    }
    if (last || (i >= 0 && args->num[i][0] > 0))
        return true;
    diag_error(b->diag, "N0402", loc, NULL, "`%s` is followed by another schedule, and does not say when", w->name);
    diag_help(b->diag, "for example `%s(..., epochs = 5)`; the last of a list takes what is left", w->name);
    return false;
}

static const struct setting *cycling(const struct model *m)
{
    static const char key[] = "train.schedule", last[] = ".cycle_momentum";
    for (int i = 0; i < m->nsetting; i++) {
        const struct setting *s = &m->setting[i];
        const size_t n = strlen(s->key);
        if (!strncmp(s->key, key, sizeof key - 1) && n > sizeof last && !strcmp(s->key + n - (sizeof last - 1), last) &&
            s->n && s->num[0] != 0)
            return s;
    }
    return NULL;
}

bool schedules_check(struct builder *b, const struct ast *schedule, const struct ast *momentum)
{
    const struct model *m = b->model;
    const struct op *op = m->optimizer ? op_find(m->optimizer->update(&m->optimizer_args)) : NULL;
    const bool cycles = cycling(m) != NULL;
    if (!op || (!cycles && !momentum))
        return true;
    if (!optimizer_momentum(op)) {
        diag_error(b->diag, "N0420", (cycles ? schedule : momentum)->loc, NULL,
                   "`%s` moves the momentum, and `%s` has none here", cycles ? "schedule" : "momentum_schedule",
                   m->optimizer->name);
        diag_help(b->diag, cycles ? "`cycle_momentum = false` leaves it out; with SGD, `momentum = 0.9` brings it"
                                  : "with SGD, `momentum = 0.9` brings it");
        return false;
    }
    if (!cycles || !momentum)
        return true;
    diag_error(b->diag, "N0420", momentum->loc, NULL, "`schedule` moves the momentum, too");
    diag_place(b->diag, schedule->loc, "here");
    diag_help(b->diag, "`cycle_momentum = false` there leaves it to `momentum_schedule`");
    return false;
}
