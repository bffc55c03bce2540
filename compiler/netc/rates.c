/* rates.c: --schedule: what becomes of the learning rate, and of momentum and decay where they move, drawn over the steps. */
#include "command.h"
#include "base/atomic_file.h"
#include "base/chart.h"
#include "base/plot_svg.h"
#include "graph/rate.h"

#include <math.h>

enum { POINTS = 2 * CHART_WIDTH, MOST = 4 };

struct curve {
    const char *what;
    int n;
    double x[POINTS], y[POINTS];
};

/* All that are drawn, over the same steps. */
struct curves {
    const char *title;
    int n;
    struct curve curve[MOST];
};

/* `momentum`: that of a schedule of the learning rate. */
static void add(struct curves *c, const char *what, const struct rate *r, bool momentum)
{
    struct curve *to = &c->curve[c->n++];
    to->what = what;
    to->n = r->total < POINTS ? (int)r->total : POINTS;
    for (int i = 0; i < to->n; i++) {
        const int64_t step = to->n > 1 ? (int64_t)((double)(r->total - 1) * i / (to->n - 1)) : 0;
        to->x[i] = (double)step;
        to->y[i] = momentum ? rate_momentum(r, step) : rate_at(r, step);
    }
}

/* A number of the optimizer by its name in the update's formula. */
static double number(const struct plan *p, const char *name)
{
    const struct setting *s = plan_setting(
        p, !strcmp(name, "beta1") ? "train.optimizer.betas" : region_printf(p->region, "train.optimizer.%s", name));
    return s && s->n ? s->num[0] : 0;
}

static struct curves *curves_of(const struct plan *p, int64_t steps)
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
    struct curves *c = region_alloc(p->region, 1, sizeof *c);
    for (int i = 0; i < COUNT(of); i++) {
        struct rate r;
        if (!rate_read(p, of[i].key, of[i].number, &r, &unknown))
            continue;
        r.steps = steps;
        r.total = epochs * steps;
        if (!of[i].what || (i > 0 && r.pieces == 0))
            continue;
        if (i == 0)
            c->title = region_printf(p->region, "%lld epochs of %lld steps%s", (long long)epochs, (long long)steps,
                                     rate_watches(&r) ? ", if all goes on improving" : "");
        add(c, of[i].what, &r, false);
        if (i == 0 && momentum && !isnan(rate_momentum(&r, 0)))
            add(c, momentum, &r, true);
    }
    return c;
}

void draw_rates(const struct plan *p, int64_t steps, bool colour, FILE *out)
{
    const struct curves *all = curves_of(p, steps);
    for (const struct curve *c = all->curve; c < all->curve + all->n; c++) {
        const struct chart_line line = {.label = c->what, .x = c->x, .y = c->y, .n = (size_t)c->n, .tint = 32};
        chart_draw(
            &(struct chart){
                .title = all->title, .width = 78, .height = 14, .colour = colour, .lines = 1, .line = &line},
            out);
    }
}

void rates_svg(const struct plan *p, int64_t steps, FILE *out)
{
    const struct curves *all = curves_of(p, steps);
    struct plot_line line[MOST];
    struct plot plot[MOST];
    for (int i = 0; i < all->n; i++) {
        const struct curve *c = &all->curve[i];
        line[i] = (struct plot_line){.words = c->what, .tint = i % 3, .n = (size_t)c->n, .x = c->x, .y = c->y};
        plot[i] = (struct plot){.title = region_printf(p->region, "%s: %s", p->net, all->title),
                                .x = "step",
                                .y = c->what,
                                .from_zero = i == 0,
                                .lines = 1,
                                .line = &line[i]};
    }
    plot_svg_file(plot, all->n, out);
}

bool rates_svg_save(const struct plan *p, int64_t steps, const char *path, struct data_error *e)
{
    struct atomic_file file;
    if (!atomic_open(&file, path, e))
        return false;
    rates_svg(p, steps, file.stream);
    return atomic_commit(&file, e);
}
