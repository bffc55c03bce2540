/* rates.c: --schedule: what becomes of the learning rate, and of momentum and decay where they move, drawn over the steps. */
#include "command.h"
#include "base/chart.h"
#include "graph/rate.h"

#include <math.h>

enum { POINTS = 2 * CHART_WIDTH };

struct drawing {
    const struct rate *rate;
    bool momentum; /* of a schedule of the learning rate */
    const char *label, *title;
    bool colour;
};

static void draw(const struct drawing *d, FILE *out)
{
    double x[POINTS], y[POINTS];
    const int64_t total = d->rate->total;
    const int n = total < POINTS ? (int)total : POINTS;
    for (int i = 0; i < n; i++) {
        const int64_t step = n > 1 ? (int64_t)((double)(total - 1) * i / (n - 1)) : 0;
        x[i] = (double)step;
        y[i] = d->momentum ? rate_momentum(d->rate, step) : rate_at(d->rate, step);
    }
    const struct chart_line line = {.label = d->label, .x = x, .y = y, .n = (size_t)n, .tint = 32};
    chart_draw(
        &(struct chart){.title = d->title, .width = 78, .height = 14, .colour = d->colour, .lines = 1, .line = &line},
        out);
}

/* A number of the optimizer by its name in the update's formula. */
static double number(const struct plan *p, const char *name)
{
    const struct setting *s = plan_setting(
        p, !strcmp(name, "beta1") ? "train.optimizer.betas" : region_printf(p->region, "train.optimizer.%s", name));
    return s && s->n ? s->num[0] : 0;
}

void draw_rates(const struct plan *p, int64_t steps, bool colour, FILE *out)
{
    const struct op *op = plan_optimizer(p);
    const char *const momentum = op ? optimizer_momentum(op) : NULL, *unknown;
    const int64_t epochs = (int64_t)plan_number(p, "train.epochs", 1);
    const struct {
        const char *key, *what;
        double number;
    } of[] = {
        {"train.schedule", "learning rate", number(p, "lr")},
        {"train.momentum_schedule", momentum, momentum ? number(p, momentum) : 0},
        {"train.decay_schedule", "decay", number(p, "decay")},
    };
    for (int i = 0; i < COUNT(of); i++) {
        struct rate r;
        if (!rate_read(p, of[i].key, of[i].number, &r, &unknown))
            continue;
        r.steps = steps;
        r.total = epochs * steps;
        if (i > 0 && r.pieces == 0)
            continue;
        const char *title = region_printf(p->region, "%lld epochs of %lld steps%s", (long long)epochs, (long long)steps,
                                          rate_watches(&r) ? ", if all goes on improving" : "");
        draw(&(struct drawing){.rate = &r, .label = of[i].what, .title = title, .colour = colour}, out);
        if (i == 0 && !isnan(rate_momentum(&r, 0)))
            draw(&(struct drawing){.rate = &r, .momentum = true, .label = momentum, .title = title, .colour = colour},
                 out);
    }
}
