#include "curves.h"
#include "gnuplot.h"

#include "base/base.h"
#include "graph/word.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 680, MOST_PANELS = 4 };

/* M. Okabe and K. Ito, Color Universal Design, 2008: told apart by the colour-blind too. */
static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};

/* What a panel shows: columns that end in `name`, such as train.loss and test.loss. */
struct panel {
    const char *axis, *name;
    bool logarithmic, from_zero;
    bool share; /* of 1, shown in percent */
};

struct sheet {
    const struct curve_run *run;
    size_t runs;
    int groups;
    FILE *out;
};

static const struct curve_run *first_of(const struct sheet *s, int group)
{
    size_t i = 0;
    while (s->run[i].group != group)
        i++;
    return &s->run[i];
}

static bool ends_in(const char *column, const char *name)
{
    size_t n = strlen(column), m = strlen(name);
    return n >= m && strcmp(column + n - m, name) == 0 && (n == m || column[n - m - 1] == '.');
}

/* Of the runs of a group at one place: mean and standard deviation of those that have a number there. */
struct spread {
    double n, sum, squares;
};

static void spread_add(struct spread *s, double value)
{
    if (!isfinite(value))
        return;
    s->n++;
    s->sum += value;
    s->squares += value * value;
}

static void put_spread(const struct sheet *s, double x, const struct spread *y, double scale)
{
    double mean = y->sum / y->n, variance = y->n > 1 ? (y->squares - y->sum * mean) / (y->n - 1) : 0;
    double sd = variance > 0 ? sqrt(variance) : 0;
    if (y->n > 0)
        fprintf(s->out, "%.9g %.9g %.9g %.9g\n", x, mean * scale, (mean - sd) * scale, (mean + sd) * scale);
    else
        fprintf(s->out, "\n"); /* a gap in the line */
}

/* The mean of an epoch stands at its middle, what is found at its end there. */
static double place(const struct history *h, const char *column, size_t epoch)
{
    const double *steps = history_column(h, "steps");
    double end = steps ? steps[epoch] : (double)epoch + 1;
    double start = epoch == 0 ? 0 : steps ? steps[epoch - 1] : (double)epoch;
    return strncmp(column, "train.", 6) == 0 ? (start + end) / 2 : end;
}

static void put_column(const struct sheet *s, int group, size_t column, double scale)
{
    const struct history *first = &first_of(s, group)->history;
    const char *name = first->column[column].name;
    fprintf(s->out, "$g%d_%zu << EOD\n", group, column);
    for (size_t e = 0; e < first->epochs; e++) {
        struct spread y = {0};
        for (size_t i = 0; i < s->runs; i++) {
            const double *value = s->run[i].group == group ? history_column(&s->run[i].history, name) : NULL;
            if (value && e < s->run[i].history.epochs)
                spread_add(&y, value[e]);
        }
        put_spread(s, place(first, name, e), &y, scale);
    }
    fprintf(s->out, "EOD\n");
}

static void put_logged(const struct sheet *s, int group)
{
    const struct history *first = &first_of(s, group)->history;
    fprintf(s->out, "$g%d_steps << EOD\n", group);
    for (size_t k = 0; k < first->logged; k++) {
        struct spread y = {0};
        for (size_t i = 0; i < s->runs; i++)
            if (s->run[i].group == group && k < s->run[i].history.logged)
                spread_add(&y, s->run[i].history.loss[k]);
        put_spread(s, first->step[k], &y, 1);
    }
    fprintf(s->out, "EOD\n");
}

/* Largest over smallest of the positive numbers of a panel. */
static double range(const struct sheet *s, const char *name)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < s->runs; i++)
        for (size_t c = 0; c < s->run[i].history.columns; c++)
            for (size_t e = 0; ends_in(s->run[i].history.column[c].name, name) && e < s->run[i].history.epochs; e++) {
                double value = s->run[i].history.column[c].value[e];
                low = value > 0 && value < low ? value : low;
                high = isfinite(value) && value > high ? value : high;
            }
    return high / low;
}

/* Between marks of the steps: 1, 2 or 5 times a power of ten, so that three to five fit; gnuplot's own run into each other. */
static double marks(const struct sheet *s)
{
    double most = 1;
    for (size_t i = 0; i < s->runs; i++) {
        const struct history *h = &s->run[i].history;
        const double *steps = history_column(h, "steps");
        for (size_t e = 0; steps && e < h->epochs; e++)
            most = isfinite(steps[e]) && steps[e] > most ? steps[e] : most;
    }
    double ten = pow(10, floor(log10(most / 5)));
    return most / 5 <= ten ? ten : most / 5 <= 2 * ten ? 2 * ten : most / 5 <= 5 * ten ? 5 * ten : 10 * ten;
}

static void put_line(const struct sheet *s, int group, size_t column, size_t index, bool first)
{
    const struct curve_run *run = first_of(s, group);
    const char *name = run->history.column[column].name, *dot = strchr(name, '.');
    bool train = strncmp(name, "train.", 6) == 0;
    int members = 0;
    const char *tint = colour[(s->groups > 1 ? (size_t)group : index) % (size_t)COUNT(colour)];
    char label[200], mean[32] = "";
    for (size_t i = 0; i < s->runs; i++)
        members += s->run[i].group == group;
    if (members > 1)
        snprintf(mean, sizeof mean, "%smean of %d", s->groups > 1 ? ", " : "", members);
    snprintf(label, sizeof label, "%s%s%s%.*s", s->groups > 1 ? run->label : "", mean,
             dot && (s->groups > 1 || members > 1) ? ", " : "", dot ? (int)(dot - name) : 0, name);
    fprintf(s->out, "%s", first ? " " : ", ");
    if (members > 1)
        fprintf(s->out, "$g%d_%zu using 1:3:4 with filledcurves fc rgb '%s' fs transparent solid 0.2 notitle, ", group,
                column, tint);
    fprintf(s->out, "$g%d_%zu using 1:2 with linespoints lw 2 pt %d ps 0.6 dt %d lc rgb '%s' title ", group, column,
            train ? 6 : 7, train && s->groups > 1 ? 2 : 1, tint);
    gnuplot_text(label, s->out);
}

static void put_panel(const struct sheet *s, const struct panel *p)
{
    bool first = true;
    /* Of several runs there are curves in every corner; of many the key would take their place. */
    const char *key = s->groups > 1 && s->groups <= 6 ? "above"
                      : p->share || p->from_zero      ? "bottom right"
                                                      : "top right";
    fprintf(s->out, "set ylabel ");
    gnuplot_text(p->axis, s->out);
    fprintf(s->out, "%s", p->share ? " . ' (%)'" : "");
    fprintf(s->out, "\n%s logscale y\nset yrange [%s:*]\nset key %s\nplot", p->logarithmic ? "set" : "unset",
            p->from_zero ? "0" : "*", key);
    for (int group = 0; group < s->groups; group++) {
        const struct history *h = &first_of(s, group)->history;
        if (!strcmp(p->name, "loss") && h->logged > 0) {
            fprintf(s->out, "%s$g%d_steps using 1:2 with lines lw 1 lc rgb '#b0b0b0' notitle", first ? " " : ", ",
                    group);
            first = false;
        }
        for (size_t c = 0, n = 0; c < h->columns; c++)
            if (ends_in(h->column[c].name, p->name)) {
                put_line(s, group, c, n++, first);
                first = false;
            }
    }
    fprintf(s->out, "\n");
}

static void put_data(const struct sheet *s, const struct panel *panel, int panels)
{
    for (int group = 0; group < s->groups; group++) {
        const struct history *h = &first_of(s, group)->history;
        for (int i = 0; i < panels; i++)
            for (size_t c = 0; c < h->columns; c++)
                if (ends_in(h->column[c].name, panel[i].name))
                    put_column(s, group, c, panel[i].share ? 100 : 1);
        if (h->logged > 0)
            put_logged(s, group);
    }
}

static void put_picture(const struct sheet *s, const struct panel *panel, int panels, const char *terminal,
                        const char *suffix)
{
    fprintf(s->out, "set terminal %s size %d,%d font 'sans,11' noenhanced background rgb 'white'\n", terminal, WIDTH,
            panels > 2 ? HEIGHT : HEIGHT / 2);
    fprintf(s->out, "set output stem . '%s'\nset multiplot layout %d,%d\n", suffix, panels > 2 ? 2 : 1,
            panels > 1 ? 2 : 1);
    for (int i = 0; i < panels; i++)
        put_panel(s, &panel[i]);
    fprintf(s->out, "unset multiplot\nset output\n");
}

/* Those of which there is something to show. */
static int choose_panels(const struct sheet *s, struct panel panel[MOST_PANELS])
{
    const struct history *h = &s->run->history;
    const char *metric = history_metric(h);
    bool decade = range(s, "lr") >= 10;
    const struct panel all[MOST_PANELS] = {
        {.axis = "loss", .name = "loss", .logarithmic = range(s, "loss") >= 10},
        {.axis = metric, .name = metric, .share = metric && metric_is_share(metric)},
        {.axis = "learning rate", .name = "lr", .logarithmic = decade, .from_zero = !decade},
        {.axis = "seconds of an epoch", .name = "seconds", .from_zero = true},
    };
    int n = 0;
    for (int i = 0; i < MOST_PANELS; i++) {
        bool there = false;
        for (size_t c = 0; all[i].name && c < h->columns; c++)
            there |= ends_in(h->column[c].name, all[i].name);
        if (there)
            panel[n++] = all[i];
    }
    return n;
}

static char *script(const struct sheet *sheet)
{
    struct sheet s = *sheet;
    struct panel panel[MOST_PANELS];
    char *text = NULL;
    size_t size;
    s.out = open_memstream(&text, &size);
    if (!s.out)
        return NULL;
    int panels = choose_panels(&s, panel);
    fprintf(s.out, "# gnuplot curves.gp\nif (!exists('stem')) stem = 'curves'\n");
    put_data(&s, panel, panels);
    fprintf(
        s.out,
        "set grid xtics ytics lt 1 lc rgb '#e0e0e0'\nset key noenhanced\nset xlabel 'step'\nset xrange [0:*]\nset xtics %.9g\nset tics nomirror\nset border 3\n",
        marks(&s));
    put_picture(&s, panel, panels, "svg dynamic", ".svg");
    put_picture(&s, panel, panels, "pngcairo", ".png");
    if (fclose(s.out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool curves_draw(const struct curve_run *run, size_t runs, const char *stem, char *why, size_t size,
                 struct data_error *error)
{
    struct sheet s = {run, runs, 0, NULL};
    for (size_t i = 0; i < runs; i++)
        s.groups = run[i].group >= s.groups ? run[i].group + 1 : s.groups;
    return gnuplot_draw(script(&s), stem, why, size, error);
}
