/* plot.c: what came of the runs against the values of each axis, through gnuplot. A point is a run; where a value has several, their
 * mean stands over it with its 95 % interval (Student's t): over the seeds, and over the values of the other axes. */
#include "sweep.h"
#include "tell/gnuplot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PANELS = 6, PANEL_WIDTH = 480, PANEL_HEIGHT = 340, MOST_WORDS = 40 };

struct picture {
    const struct sweep *sweep;
    const struct row *best;
    int axis[MOST_PANELS], axes;
    bool words[MOST_PANELS]; /* its values are no numbers, and stand beside each other as they were given */
    bool loss[2];            /* of the rows of panels, what they show: the metric, the loss */
    int rows;
    FILE *out;
};

static bool number_of(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end > text && !*end && isfinite(*value);
}

static bool shown(const struct row *r)
{
    return r->best_epoch > 0 && (r->state == ROW_DONE || r->state == ROW_HALVED) && isfinite(r->loss);
}

/* Where a value stands: at its number, or at its place in the list. */
static double place(const struct picture *p, int k, const char *value)
{
    const struct axis *a = &p->sweep->axis[p->axis[k]];
    double x = 0;
    if (!p->words[k] && number_of(value, &x))
        return x;
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->value[i], value) == 0)
            return i;
    return 0;
}

static double result(const struct sweep *s, const struct row *r, bool loss)
{
    return loss ? r->loss : sweep_scale(s) * r->metric;
}

/* The seed is no axis but where it is the only one: means are taken over it. */
static void choose_axes(struct picture *p)
{
    const struct sweep *s = p->sweep;
    for (int i = 0; i < s->naxis && p->axes < MOST_PANELS; i++) {
        const struct axis *a = &s->axis[i];
        double value;
        if (a->n < 2 || (s->naxis > 1 && strcmp(a->name, "train.seed") == 0))
            continue;
        p->words[p->axes] = false;
        for (int v = 0; v < a->n; v++)
            p->words[p->axes] |= !number_of(a->value[v], &value);
        if (!p->words[p->axes] || a->n <= MOST_WORDS)
            p->axis[p->axes++] = i;
    }
}

/* ---- the script ---- */

static void put_points(const struct picture *p, int k, int row)
{
    fprintf(p->out, "$runs%d_%d << EOD\n", k, row);
    for (const struct row *r = p->sweep->row; r < p->sweep->row + p->sweep->nrow; r++)
        if (shown(r))
            fprintf(p->out, "%.9g %.9g %d\n", place(p, k, r->value[p->axis[k]]), result(p->sweep, r, p->loss[row]),
                    r->number);
    fprintf(p->out, "EOD\n");
}

/* Of values that were listed; those that are drawn have a run each. */
static int put_means(const struct picture *p, int k, int row)
{
    const struct sweep *s = p->sweep;
    const struct axis *a = &s->axis[p->axis[k]];
    int several = 0;
    fprintf(p->out, "$means%d_%d << EOD\n", k, row);
    for (int v = 0; v < a->n && !a->range; v++) {
        const char **value = region_alloc(s->region, (size_t)s->naxis, sizeof *value);
        value[p->axis[k]] = a->value[v];
        const struct row like = {.value = value};
        struct mean m = sweep_mean(s, &like, sweep_same_value, p->axis[k], p->loss[row]);
        if (m.n > 1) {
            several++;
            fprintf(p->out, "%.9g %.9g %.9g %.9g\n", place(p, k, a->value[v]), m.mean, m.mean - m.half,
                    m.mean + m.half);
        }
    }
    fprintf(p->out, "EOD\n");
    return several;
}

/* Numbers over more than a decade. */
static bool spans(double low, double high)
{
    return low > 0 && high / low >= 10;
}

static void put_x(const struct picture *p, int k)
{
    const struct axis *a = &p->sweep->axis[p->axis[k]];
    double low = INFINITY, high = -INFINITY;
    for (const struct row *r = p->sweep->row; r < p->sweep->row + p->sweep->nrow; r++) {
        const double x = place(p, k, r->value[p->axis[k]]);
        low = fmin(low, x);
        high = fmax(high, x);
    }
    const bool logarithmic = !p->words[k] && spans(low, high);
    const double margin = low < high ? (high - low) / 15 : 1;
    fprintf(p->out, "%s logscale x\nset xtics autofreq\nset xlabel ", logarithmic ? "set" : "unset");
    gnuplot_text(a->name, p->out);
    if (logarithmic)
        fprintf(p->out, "\nset xrange [%.9g:%.9g]\n", low / pow(high / low, 1 / 15.0),
                high * pow(high / low, 1 / 15.0));
    else
        fprintf(p->out, "\nset xrange [%.9g:%.9g]\n", p->words[k] ? -0.5 : low - margin,
                p->words[k] ? a->n - 0.5 : high + margin);
    for (int v = 0; v < a->n && p->words[k]; v++) {
        fprintf(p->out, v ? ", " : "set xtics (");
        gnuplot_text(a->value[v], p->out);
        fprintf(p->out, " %d%s", v, v + 1 < a->n ? "" : ")\n");
    }
}

static void put_panel(const struct picture *p, int k, int row, bool several)
{
    const struct sweep *s = p->sweep;
    double low = INFINITY, high = 0;
    for (const struct row *r = s->row; r < s->row + s->nrow && p->loss[row]; r++)
        if (shown(r)) {
            low = fmin(low, r->loss);
            high = fmax(high, r->loss);
        }
    put_x(p, k);
    fprintf(p->out, "%s logscale y\nset ylabel ", spans(low, high) ? "set" : "unset");
    gnuplot_text(p->loss[row] ? "loss" : s->metric, p->out);
    fprintf(p->out, "%s\nplot $runs%d_%d using 1:2 with points pt 7 ps 0.7 lc rgb '#8056B4E9' title 'a run'",
            p->loss[row] || !metric_is_share(s->metric) ? "" : " . ' (%)'", k, row);
    if (several)
        fprintf(p->out,
                ", $means%d_%d using 1:2:3:4 with yerr%s pt 5 ps 0.7 lw 2 lc rgb '#0072B2' title 'mean, 95 %% "
                "interval'",
                k, row, p->words[k] ? "orbars" : "orlines");
    if (p->best)
        fprintf(p->out,
                ", '+' using (%.9g):(%.9g) every ::0::0 with points pt 6 ps 1.6 lw 2 lc rgb '#D55E00' title 'the best'",
                place(p, k, p->best->value[p->axis[k]]), result(s, p->best, p->loss[row]));
    fputc('\n', p->out);
}

static void put_picture(const struct picture *p, const bool several[2][MOST_PANELS], const char *terminal,
                        const char *suffix)
{
    const int wide = p->axes < 2 ? 640 : PANEL_WIDTH * p->axes;
    fprintf(p->out, "set terminal %s size %d,%d font 'sans,11' noenhanced background rgb 'white'\n", terminal, wide,
            PANEL_HEIGHT * p->rows);
    fprintf(p->out, "set output stem . '%s'\nset multiplot layout %d,%d\n", suffix, p->rows, p->axes);
    for (int row = 0; row < p->rows; row++)
        for (int k = 0; k < p->axes; k++)
            put_panel(p, k, row, several[row][k]);
    fprintf(p->out, "unset multiplot\nset output\n");
}

static char *script(struct picture *p)
{
    bool several[2][MOST_PANELS];
    char *text = NULL;
    size_t size;
    p->out = open_memstream(&text, &size);
    if (!p->out)
        return NULL;
    fprintf(p->out, "# gnuplot sweep.gp\nif (!exists('stem')) stem = 'sweep'\n");
    for (int row = 0; row < p->rows; row++)
        for (int k = 0; k < p->axes; k++) {
            put_points(p, k, row);
            several[row][k] = put_means(p, k, row) > 0;
        }
    fprintf(
        p->out,
        "set grid xtics ytics lt 1 lc rgb '#e0e0e0'\nset key outside top center horizontal noenhanced samplen 1\n"
        "set samples 2\nset tics nomirror\nset border 3\nset offsets 0, 0, graph 0.06, graph 0.06\nset format x '%%g'\n");
    put_picture(p, several, "svg dynamic", ".svg");
    put_picture(p, several, "pngcairo", ".png");
    if (fclose(p->out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool sweep_plot(const struct sweep *s, const char *stem, char *why, size_t size, struct data_error *e)
{
    const struct row **list = sweep_sorted(s);
    struct picture p = {.sweep = s, .best = s->nrow && sweep_counts(list[0]) ? list[0] : NULL};
    int points = 0;
    for (int i = 0; i < s->nrow; i++)
        points += shown(&s->row[i]);
    choose_axes(&p);
    if (p.axes == 0 || points < 2)
        return data_fail(e, "%s: there is nothing to draw before two runs are done", s->folder);
    if (*s->metric && p.best && p.best->n > 0)
        p.loss[p.rows++] = false;
    p.loss[p.rows++] = true;
    return gnuplot_draw(script(&p), stem, why, size, e);
}
