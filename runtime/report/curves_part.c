/* curves_part.c: the numbers of the epochs as curves, and as a table. */
#include "page.h"
#include "base/plot_svg.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 6, MOST_ROWS = 200 };

/* Columns of a run that belong into one plot: "loss" are train.loss and test.loss. */
struct curves {
    const struct history *history;
    struct plot plot;
    struct plot_line line[MOST_LINES];
    char label[MOST_LINES][64];
    double *own[MOST_LINES]; /* memory of x, y */
};

/* The same colour in every plot, and what stands in its legend. */
static const struct {
    const char *column, *label;
    int tint;
} known[] = {
    {"train.", "training", 0},        {"test.", "test", 1},        {"holdout.", "holdout", 2},
    {"train_seconds", "training", 0}, {"test_seconds", "test", 1}, {"seconds", "both", 6},
};

static const char *behind_dot(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/* A mean of an epoch stands at its middle, what is found at its end there. Values times `scale`. */
static void add(struct curves *c, const struct history_column *column, double scale)
{
    const struct history *h = c->history;
    const double *steps = history_column(h, "steps");
    const size_t i = c->plot.lines;
    double *own = i < MOST_LINES ? calloc(2 * h->epochs + 1, sizeof *own) : NULL;
    if (!own)
        return;
    const bool train = strncmp(column->name, "train.", 6) == 0;
    for (size_t e = 0; e < h->epochs; e++) {
        double end = steps ? steps[e] : (double)e + 1, start = e == 0 ? 0 : steps ? steps[e - 1] : (double)e;
        own[e] = train ? (start + end) / 2 : end;
        own[h->epochs + e] = column->value[e] * scale;
    }
    snprintf(c->label[i], sizeof c->label[i], "%s", column->name);
    int tint = (int)i + 3;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strncmp(column->name, known[k].column, strlen(known[k].column)) == 0) {
            snprintf(c->label[i], sizeof c->label[i], "%s", known[k].label);
            tint = known[k].tint;
            break;
        }
    c->own[i] = own;
    c->line[i] = (struct plot_line){
        .label = c->label[i], .tint = tint % PLOT_TINTS, .dots = true, .n = h->epochs, .x = own, .y = own + h->epochs};
    c->plot.lines++;
}

static void draw(struct curves *c, FILE *out)
{
    if (c->plot.lines > 0) {
        c->plot.line = c->line;
        fputs("<figure>", out);
        plot_svg(&c->plot, out);
        fputs("</figure>\n", out);
    }
    for (size_t i = 0; i < MOST_LINES; i++)
        free(c->own[i]);
}

static void draw_loss(const struct history *h, FILE *out)
{
    struct curves c = {.history = h, .plot = {.title = "Loss", .x = "step", .y = "mean loss of a sample"}};
    for (size_t i = 0; i < h->columns; i++)
        if (strcmp(behind_dot(h->column[i].name), "loss") == 0)
            add(&c, &h->column[i], 1);
    if (h->logged > 0 && c.plot.lines < MOST_LINES)
        c.line[c.plot.lines++] =
            (struct plot_line){.words = "loss of a step", .tint = -1, .n = h->logged, .x = h->step, .y = h->loss};
    c.plot.line = c.line;
    c.plot.logarithmic = plot_spans_decade(&c.plot);
    if (c.plot.logarithmic)
        c.plot.y = "mean loss of a sample (logarithmic)";
    draw(&c, out);
}

static bool is_metric(const char *name)
{
    static const char *const other[] = {"loss", "n", "seconds"};
    const char *dot = strchr(name, '.');
    if (!dot)
        return false;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(dot + 1, other[i]) == 0)
            return false;
    return true;
}

/* A plot for each metric that some epoch has. */
static void draw_metrics(const struct history *h, FILE *out)
{
    for (size_t i = 0; i < h->columns; i++) {
        bool before = !is_metric(h->column[i].name);
        const char *metric = behind_dot(h->column[i].name);
        for (size_t k = 0; k < i; k++)
            before |= is_metric(h->column[k].name) && strcmp(behind_dot(h->column[k].name), metric) == 0;
        if (before)
            continue;
        struct curves c = {
            .history = h,
            .plot = {.title = metric, .x = "step", .y = metric_is_share(metric) ? "right answers (%)" : metric}};
        for (size_t k = i; k < h->columns; k++)
            if (is_metric(h->column[k].name) && strcmp(behind_dot(h->column[k].name), metric) == 0)
                add(&c, &h->column[k], metric_is_share(metric) ? 100 : 1);
        draw(&c, out);
    }
}

static void draw_one(const struct history *h, const char *const *name, const char *title, const char *unit,
                     bool from_zero, FILE *out)
{
    struct curves c = {.history = h, .plot = {.title = title, .x = "step", .y = unit, .from_zero = from_zero}};
    for (; *name; name++)
        for (size_t i = 0; i < h->columns; i++)
            if (strcmp(h->column[i].name, *name) == 0)
                add(&c, &h->column[i], 1);
    c.plot.line = c.line;
    c.plot.logarithmic = !from_zero && plot_spans_decade(&c.plot);
    draw(&c, out);
}

static void put_cell(const struct history *h, size_t column, size_t epoch, FILE *out)
{
    const double value = h->column[column].value[epoch];
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    page_number(value, text, out);
}

/* Every number of every epoch, as metrics.csv has them. */
static void put_table(const struct history *h, FILE *out)
{
    const size_t rows = h->epochs < MOST_ROWS ? h->epochs : MOST_ROWS;
    fputs("<div class=\"scroll\"><table class=\"sorts\"><thead><tr>", out);
    for (size_t c = 0; c < h->columns; c++) {
        fputs("<th class=\"n\" scope=\"col\">", out);
        markup_text(h->column[c].name, out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t e = h->epochs - rows; e < h->epochs; e++) {
        fputs("<tr>", out);
        for (size_t c = 0; c < h->columns; c++)
            put_cell(h, c, e, out);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    if (rows < h->epochs)
        fprintf(out, "<p class=\"soft\">The last %zu epochs of %zu; metrics.csv has all.</p>\n", rows, h->epochs);
}

void report_curves(const struct report *r, FILE *out)
{
    static const char *const rate[] = {"lr", NULL}, *const time[] = {"seconds", "train_seconds", "test_seconds", NULL};
    const struct history *h = r->history;
    if (h->epochs + h->logged == 0) {
        report_nothing("No epoch is over, and no step was logged (--log-every).", out);
        return;
    }
    fputs("<div class=\"plots\">\n", out);
    draw_loss(h, out);
    draw_metrics(h, out);
    draw_one(h, rate, "Learning rate", "learning rate", false, out);
    draw_one(h, time, "Time of an epoch", "seconds", true, out);
    fputs(
        "</div>\n<p class=\"soft\">Against steps of the optimizer. What was seen during training, before each update, is a mean over "
        "the epoch and stands at its middle; a test is made at the end of an epoch and stands there. If training "
        "goes on falling while the test rises, the network learns by heart.",
        out);
    if (h->logged > 0)
        fputs(" Grey: single steps.", out);
    fputs(" Numbers stand under the mouse.</p>\n", out);
    if (h->epochs > 0)
        put_table(h, out);
}
