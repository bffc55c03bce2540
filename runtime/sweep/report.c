/* report.c: report.html over all runs of a sweep. */
#include "base/atomic_file.h"
#include "report/page.h"
#include "base/plot_svg.h"
#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TABLE = 2000,   /* rows of the table */
    MOST_CURVES = 100,   /* runs whose curves are drawn, the best first ... */
    MOST_POINTS = 40000, /* ... as far as they have no more epochs than this in all */
    MOST_HEADS = 12 + MAX_AXES,
    LEGEND = 5,
    WORDS = 300
};

/* "accuracy (%)" */
static const char *unit_of(const struct sweep *s)
{
    return metric_is_share(s->metric) ? region_printf(s->region, "%s (%%)", s->metric) : s->metric;
}

/* ---- the table ---- */

static const char *mark_of(const struct sweep *s, const struct row *best, const struct row *r)
{
    return r == best ? "best" : best && sweep_ties(s, best, r) ? "tie" : "";
}

static void put_metric(const struct sweep *s, const struct row *r, FILE *out)
{
    char text[METRIC_TEXT];
    if (r->best_epoch <= 0 || r->n <= 0) {
        page_number(NAN, "", out);
        return;
    }
    const char *shown = metric_text(s->metric, r->metric, s->synthetic ? 0 : r->n, text);
    page_number(r->metric, shown + strspn(shown, " "), out);
}

static void put_text(double value, const char *format, FILE *out)
{
    char text[64];
    snprintf(text, sizeof text, format, value);
    page_number(value, text, out);
}

static void put_value(const char *value, FILE *out)
{
    char *end;
    double number = strtod(value, &end);
    if (*value && !*end && isfinite(number))
        page_number(number, value, out);
    else
        page_cell(value, out);
}

static void put_row(const struct sweep *s, const struct row *r, const char *mark, FILE *out)
{
    char text[64];
    const bool known = r->best_epoch > 0;
    fprintf(out, "<tr%s%s%s><td class=\"n\">%d</td>", *mark ? " class=\"" : "", mark, *mark ? "\"" : "", r->number);
    page_cell(*mark ? mark : r->state == ROW_DONE ? "" : row_word[r->state], out);
    for (int i = 0; i < s->naxis; i++)
        put_value(r->value[i], out);
    if (*s->metric)
        put_metric(s, r, out);
    page_number(known ? r->loss : NAN, loss_text(r->loss, text, sizeof text), out);
    page_number(known ? r->train_loss : NAN, loss_text(r->train_loss, text, sizeof text), out);
    snprintf(text, sizeof text, "%lld of %lld", (long long)r->epoch, (long long)r->epochs);
    page_number((double)r->epoch, text, out);
    put_text(known ? (double)r->best_epoch : NAN, "%.0f", out);
    put_text(r->epoch > 0 ? r->seconds / (double)r->epoch : NAN, "%.3g", out);
    put_text(r->epoch > 0 ? r->seconds : NAN, "%.3g", out);
    fputs(r->state == ROW_FAILED ? "<td class=\"why\">" : "<td>", out);
    markup_text(r->state == ROW_FAILED ? r->reason : "", out);
    fputs("</td></tr>\n", out);
}

static void put_table(const struct sweep *s, const struct row **list, const struct row *best, FILE *out)
{
    const char *head[MOST_HEADS + 1] = {"run", ""};
    char align[MOST_HEADS + 1] = "nl";
    int n = 2;
    for (int i = 0; i < s->naxis; i++)
        head[n++] = s->axis[i].shown;
    if (*s->metric)
        head[n++] = s->metric;
    static const char *const rest[] = {"loss",    "training loss", "epochs", "best epoch", "seconds of an epoch",
                                       "seconds", "reason"};
    for (int i = 0; i < COUNT(rest); i++)
        head[n++] = rest[i];
    for (int i = 2; i < n; i++)
        align[i] = i + 1 < n ? 'n' : 'l';
    fputs("<div class=\"scroll\"><table class=\"sorts\">\n", out);
    page_head(head, align, out);
    fputs("<tbody>\n", out);
    for (int i = 0; i < s->nrow && i < MOST_TABLE; i++)
        put_row(s, list[i], mark_of(s, best, list[i]), out);
    fputs(
        "</tbody></table></div>\n<p class=\"soft\">A row a run, the best first; a click on a head sorts. Results are those of each run's "
        "best epoch, on what it was tested on. ",
        out);
    if (best)
        markup_print(
            out,
            "\"tie\": within the 95 %% interval of the best one (Wilson), so that the test set does not tell them apart. ");
    if (s->options->jobs > 1)
        fputs("Runs went side by side: their times are not comparable. ", out);
    if (s->nrow > MOST_TABLE)
        fprintf(out, "The first %d of %d. ", MOST_TABLE, s->nrow);
    fputs("</p>\n", out);
}

/* ---- means over seeds ---- */

static int seeds_of(const struct sweep *s)
{
    for (int i = 0; i < s->naxis; i++)
        if (strcmp(s->axis[i].name, "train.seed") == 0 && s->axis[i].n > 1)
            return i;
    return -1;
}

static void put_mean(const struct mean *m, bool percent, FILE *out)
{
    char mean[32], half[32] = "-", text[80];
    snprintf(mean, sizeof mean, percent ? "%.2f" : "%.4g", m->mean);
    if (m->n > 1) /* one value has no interval */
        snprintf(half, sizeof half, percent ? "%.2f" : "%.4g", m->half);
    snprintf(text, sizeof text, "%s ± %s", mean, half);
    page_number(m->mean, text, out);
}

static void put_means(const struct sweep *s, const struct row **list, int seed, FILE *out)
{
    const char *head[MOST_HEADS + 1];
    char align[MOST_HEADS + 1];
    int n = 0;
    const bool metric = *s->metric && list[0]->n > 0;
    for (int i = 0; i < s->naxis; i++)
        if (i != seed)
            head[n++] = s->axis[i].shown;
    head[n++] = "seeds";
    if (metric)
        head[n++] = unit_of(s);
    head[n++] = "loss";
    head[n] = NULL;
    memset(align, 'n', sizeof align);
    fputs("<div class=\"scroll\"><table class=\"sorts\">\n", out);
    page_head(head, align, out);
    fputs("<tbody>\n", out);
    for (int k = 0; k < s->nrow && k < MOST_TABLE && sweep_counts(list[k]); k++) {
        bool told = false;
        for (int i = 0; i < k; i++)
            told |= sweep_same(s, list[i], list[k], seed);
        if (told)
            continue;
        const struct mean l = sweep_mean(s, list[k], sweep_same, seed, true),
                          m = sweep_mean(s, list[k], sweep_same, seed, false);
        fputs("<tr>", out);
        for (int i = 0; i < s->naxis; i++)
            if (i != seed)
                put_value(list[k]->value[i], out);
        put_text(l.n, "%.0f", out);
        if (metric)
            put_mean(&m, metric_is_share(s->metric), out);
        put_mean(&l, false, out);
        fputs("</tr>\n", out);
    }
    fputs(
        "</tbody></table></div>\n<p class=\"soft\">Mean and 95 % interval (Student's t) over the seeds of runs that differ in nothing else.</p>\n",
        out);
}

/* ---- curves ---- */

/* "run 3: lr = 0.01, batch = 100" */
static const char *words_of(const struct sweep *s, const struct row *r)
{
    char text[WORDS];
    snprintf(text, sizeof text, "run %d:", r->number);
    for (int i = 0; i < s->naxis; i++)
        text_append(text, sizeof text, "%s %s = %s", i ? "," : "", s->axis[i].shown, r->value[i]);
    return region_copy(s->region, text);
}

struct curves {
    int n;
    struct history history[MOST_CURVES];
    const struct row *row[MOST_CURVES];
};

static void read_curves(const struct sweep *s, const struct row **list, struct curves *c)
{
    size_t points = 0;
    for (int i = 0; i < s->nrow && c->n < MOST_CURVES && points < MOST_POINTS; i++) {
        struct data_error e;
        char folder[PATH_MAX], path[PATH_MAX];
        sweep_folder_of(s, list[i], folder);
        if (snprintf(path, sizeof path, "%s/metrics.jsonl", folder) >= PATH_MAX ||
            !history_read(path, &c->history[c->n], &e))
            continue;
        points += c->history[c->n].epochs;
        c->row[c->n++] = list[i];
    }
}

static void put_curves(const struct sweep *s, const struct curves *c, const char *what, double scale, const char *title,
                       const char *unit, FILE *out)
{
    struct plot_line *line = region_alloc(s->region, (size_t)c->n + 1, sizeof *line);
    struct plot p = {.title = title, .x = "epoch", .y = unit, .line = line};
    for (int i = 0; i < c->n; i++) {
        const struct history *h = &c->history[i];
        const double *x = history_column(h, "epoch"), *y = history_tested(h, what);
        if (!y && strcmp(what, "loss") == 0)
            y = history_column(h, "train.loss");
        if (!x || !y)
            continue;
        double *scaled = region_alloc(s->region, h->epochs + 1, sizeof *scaled);
        for (size_t e = 0; e < h->epochs; e++)
            scaled[e] = scale * y[e];
        line[p.lines++] =
            (struct plot_line){.label = i < LEGEND ? region_printf(s->region, "run %d", c->row[i]->number) : NULL,
                               .words = words_of(s, c->row[i]),
                               .tint = i < LEGEND ? i : -1,
                               .dots = i < LEGEND,
                               .apart = i >= LEGEND,
                               .n = h->epochs,
                               .x = x,
                               .y = scaled};
    }
    p.logarithmic = strcmp(what, "loss") == 0 && plot_spans_decade(&p);
    fputs("<figure>", out);
    plot_svg(&p, out);
    fputs("</figure>\n", out);
}

/* ---- results against the values of an axis ---- */

static void put_axis(const struct sweep *s, int axis, const struct row *best, FILE *out)
{
    struct plot_line *line = region_alloc(s->region, (size_t)s->nrow + 1, sizeof *line);
    double *at = region_alloc(s->region, 2 * (size_t)s->nrow + 2, sizeof *at);
    const bool metric = *s->metric && best->n > 0;
    double least = INFINITY, most = -INFINITY;
    struct plot p = {.title = s->axis[axis].name,
                     .x = s->axis[axis].shown,
                     .y = metric ? unit_of(s) : "loss",
                     .values = true,
                     .line = line};
    for (int i = 0; i < s->nrow && i < MOST_TABLE; i++) {
        const struct row *r = &s->row[i];
        char *end;
        double *x = &at[2 * i], *y = x + 1;
        *x = strtod(r->value[axis], &end);
        *y = metric ? sweep_scale(s) * r->metric : r->loss;
        if (*end || end == r->value[axis] || r->best_epoch <= 0)
            continue;
        least = fmin(least, *x);
        most = fmax(most, *x);
        line[p.lines++] = (struct plot_line){
            .words = words_of(s, r), .tint = r == best ? 1 : 0, .bare = true, .n = 1, .x = x, .y = y};
    }
    if (!(least < most))
        return;
    p.logarithmic_x = least > 0 && most / least >= 10;
    p.logarithmic = !metric && plot_spans_decade(&p);
    fputs("<figure>", out);
    plot_svg(&p, out);
    fputs("</figure>\n", out);
}

/* ---- the page ---- */

static void put_pictures(const struct sweep *s, const struct row **list, const struct row *best, FILE *out)
{
    struct curves *c = region_alloc(s->region, 1, sizeof *c);
    read_curves(s, list, c);
    page_section("curves", "Curves of the runs", out);
    fputs("<div class=\"plots\">\n", out);
    put_curves(s, c, "loss", 1, "Loss", "loss of the test", out);
    if (*s->metric)
        put_curves(s, c, s->metric, sweep_scale(s), s->metric,
                   metric_is_share(s->metric) ? "right answers (%)" : s->metric, out);
    fprintf(
        out,
        "</div>\n<p class=\"soft\">%d of %d runs, the best %d in colour; which one it is stands under the mouse. The axes are those of the best.</p>\n",
        c->n, s->nrow, c->n < LEGEND ? c->n : LEGEND);
    page_section("values", "Results against values", out);
    fputs("<div class=\"plots\">\n", out);
    for (int i = 0; best && i < s->naxis; i++)
        put_axis(s, i, best, out);
    fputs(
        "</div>\n<p class=\"soft\">A point a run, for each swept value that is a number; the best is orange. Where the points of one value "
        "lie far apart, another value matters more, or the seed.</p>\n",
        out);
    for (int i = 0; i < c->n; i++)
        history_free(&c->history[i]);
}

static void write(const struct sweep *s, FILE *out)
{
    static const char *const id[] = {"runs", "means", "curves", "values", "model"};
    static const char *const title[] = {"Runs", "Means over seeds", "Curves of the runs", "Results against values",
                                        "The model"};
    const struct row **list = sweep_sorted(s), *best = s->nrow && sweep_counts(list[0]) ? list[0] : NULL;
    const int seed = seeds_of(s);
    int done = 0;
    for (int i = 0; i < s->nrow; i++)
        done += s->row[i].state == ROW_DONE;
    const char *slash = strrchr(s->folder, '/');
    page_begin(slash ? slash + 1 : s->folder, out);
    fputs("<p>", out);
    markup_print(out, "%d runs of %s, %d of them done", s->nrow, s->net, done);
    if (best)
        markup_print(out, "; the best by %s is run %d", s->measure, best->number);
    markup_print(out, "; %s", s->folder);
    fputs("</p>\n", out);
    if (s->synthetic)
        fputs("<p class=\"warn\">The data are SYNTHETIC: made up, so that results say nothing of a real set.</p>\n",
              out);
    page_contents(id, title, COUNT(id), out);
    page_section(id[0], title[0], out);
    put_table(s, list, best, out);
    page_section(id[1], title[1], out);
    if (best && seed >= 0)
        put_means(s, list, seed, out);
    else
        fputs("<p class=\"soft\">The sweep does not go over seeds, or no run is done.</p>\n", out);
    put_pictures(s, list, best, out);
    page_section(id[4], title[4], out);
    fputs("<pre>", out);
    markup_print(out, "%s", s->source.model ? s->source.text : "The sweep was made of a plan.");
    fputs("</pre>\n<p class=\"soft\">Its beginning; the sweep's folder has all of it.</p>\n", out);
    fprintf(out, "<footer>netrun %s. This file is whole: it needs no other, and no network.</footer>\n",
            PROJECT_VERSION);
    page_end(out);
}

void sweep_report(struct sweep *s)
{
    struct atomic_file file;
    struct data_error e;
    char path[PATH_MAX];
    bool good = snprintf(path, sizeof path, "%s/report.html", s->folder) < PATH_MAX
                    ? atomic_open(&file, path, &e)
                    : data_fail(&e, "%s: too long a path", s->folder);
    if (good) {
        write(s, file.stream);
        good = atomic_commit(&file, &e);
    }
    if (!good)
        note("no report: %s", e.text);
}
