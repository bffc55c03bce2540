/* table.c: the table of a sweep, for people and as CSV. */
#include "base/atomic_file.h"
#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int width_of(const struct sweep *s, int axis)
{
    int width = (int)strlen(s->axis[axis].shown);
    for (int i = 0; i < s->nrow; i++)
        if ((int)strlen(s->row[i].value[axis]) > width)
            width = (int)strlen(s->row[i].value[axis]);
    return width;
}

/* "38 ms", "1.9 s", "12.6 min" */
static const char *time_of(double seconds, char *text, size_t size)
{
    if (seconds >= 1)
        return short_duration_text(seconds, text, size);
    snprintf(text, size, "%.0f ms", 1000 * seconds);
    return text;
}

/* ---- rows as text ---- */

enum { METRIC_WIDTH = 14 }; /* "98.05 ± 0.27 %" */

void sweep_head(const struct sweep *s, FILE *out)
{
    fprintf(out, "%5s  %7s  %8s", "run", "epoch", "loss");
    if (*s->metric)
        fprintf(out, "  %*s", METRIC_WIDTH, s->metric);
    fprintf(out, "  %4s  %8s  %8s", "best", "an epoch", "the run");
    for (int i = 0; i < s->naxis; i++)
        fprintf(out, "  %*s", width_of(s, i), s->axis[i].shown);
    fputc('\n', out);
}

/* Without the interval where the data were made up. */
static void put_metric(const struct sweep *s, const struct row *r, FILE *out)
{
    if (!*s->metric)
        return;
    if (r->n <= 0 || r->best_epoch <= 0) {
        fprintf(out, "  %*s", METRIC_WIDTH, "-");
        return;
    }
    char text[METRIC_TEXT];
    metric_text(s->metric, r->metric, s->synthetic ? 0 : r->n, text);
    fprintf(out, "  %*s%s", METRIC_WIDTH - text_columns(text), "", text);
}

void sweep_line(const struct sweep *s, const struct row *r, char mark, FILE *out)
{
    char loss[32] = "-", epochs[48] = "-", best[24] = "-", each[32] = "-", all[32] = "-";
    if (r->best_epoch > 0) {
        loss_text(r->loss, loss, sizeof loss);
        snprintf(best, sizeof best, "%lld", (long long)r->best_epoch);
    }
    if (r->epochs > 0)
        snprintf(epochs, sizeof epochs, "%lld/%lld", (long long)r->epoch, (long long)r->epochs);
    if (r->epoch > 0 && r->seconds > 0) {
        time_of(r->seconds / (double)r->epoch, each, sizeof each);
        time_of(r->seconds, all, sizeof all);
    }
    fprintf(out, "%c%4d  %7s  %8s", mark, r->number, epochs, loss);
    put_metric(s, r, out);
    fprintf(out, "  %4s  %8s  %8s", best, each, all);
    for (int i = 0; i < s->naxis; i++)
        fprintf(out, "  %*s", width_of(s, i), r->value[i]);
    if (r->state == ROW_FAILED || r->state == ROW_STOPPED || r->state == ROW_HALVED)
        fprintf(out, "  %s", r->state == ROW_FAILED ? r->reason : row_word[r->state]);
    fputc('\n', out);
}

/* ---- sorted ---- */

bool sweep_counts(const struct row *r)
{
    return r->state == ROW_DONE && r->best_epoch > 0;
}

static int by_merit(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    if (x->state != y->state)
        return x->state > y->state ? -1 : 1;
    if (x->state == ROW_HALVED && x->epoch != y->epoch)
        return x->epoch > y->epoch ? -1 : 1;
    if (x->state >= ROW_HALVED && x->merit != y->merit)
        return x->merit > y->merit ? -1 : 1;
    return x->number - y->number;
}

const struct row **sweep_sorted(const struct sweep *s)
{
    const struct row **list = region_alloc(s->region, (size_t)s->nrow + 1, sizeof *list);
    for (int i = 0; i < s->nrow; i++)
        list[i] = &s->row[i];
    qsort(list, (size_t)s->nrow, sizeof *list, by_merit);
    return list;
}

bool sweep_ties(const struct sweep *s, const struct row *best, const struct row *r)
{
    if (r == best || !sweep_counts(r) || strcmp(s->measure, "loss") == 0 || best->n <= 0 || !metric_is_share(s->metric))
        return false;
    return r->metric >= wilson((int64_t)llround(best->metric * (double)best->n), best->n).low;
}

/* ---- means over seeds ---- */

/* 97.5 % of Student's t with so many degrees of freedom. */
static double student(int freedom)
{
    static const double t[] = {0,     12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                               2.201, 2.179,  2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080,
                               2.074, 2.069,  2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
    return freedom < (int)(sizeof t / sizeof *t) ? t[freedom] : 1.96 + 2.5 / freedom;
}

bool sweep_same(const struct sweep *s, const struct row *a, const struct row *b, int seed)
{
    for (int i = 0; i < s->naxis; i++)
        if (i != seed && strcmp(a->value[i], b->value[i]) != 0)
            return false;
    return true;
}

bool sweep_same_value(const struct sweep *s, const struct row *a, const struct row *b, int axis)
{
    (void)s;
    return strcmp(a->value[axis], b->value[axis]) == 0;
}

double sweep_scale(const struct sweep *s)
{
    return metric_is_share(s->metric) ? 100 : 1;
}

struct mean sweep_mean(const struct sweep *s, const struct row *first, sweep_like *like, int axis, bool loss)
{
    struct mean m = {0};
    double square = 0; /* Welford */
    for (const struct row *r = s->row; r < s->row + s->nrow; r++) {
        if (!sweep_counts(r) || !like(s, first, r, axis))
            continue;
        double x = loss ? r->loss : sweep_scale(s) * r->metric, before = m.mean;
        m.mean += (x - before) / ++m.n;
        square += (x - before) * (x - m.mean);
    }
    if (m.n > 1)
        m.half = student(m.n - 1) * sqrt(square / (m.n - 1) / m.n);
    return m;
}

static void put_means(const struct sweep *s, const struct row **list, int seed, FILE *out)
{
    bool metric = *s->metric && list[0]->n > 0;
    fprintf(out, "\nmeans over seeds, with their 95 %% interval (Student's t)\n%5s  %19s", "runs", "loss");
    if (metric)
        fprintf(out, "  %16s", s->metric);
    for (int i = 0; i < s->naxis; i++)
        if (i != seed)
            fprintf(out, "  %*s", width_of(s, i), s->axis[i].shown);
    fputc('\n', out);
    for (int k = 0; k < s->nrow && sweep_counts(list[k]); k++) {
        bool told = false;
        for (int i = 0; i < k; i++)
            told |= sweep_same(s, list[i], list[k], seed);
        if (told)
            continue;
        struct mean l = sweep_mean(s, list[k], sweep_same, seed, true),
                    m = sweep_mean(s, list[k], sweep_same, seed, false);
        const bool share = metric_is_share(s->metric);
        char loss[32], half[32] = "-", value[32], either[32] = "-";
        loss_text(l.mean, loss, sizeof loss);
        if (l.n > 1) { /* one value has no interval */
            loss_text(l.half, half, sizeof half);
            snprintf(either, sizeof either, share ? "%.2f" : "%.4f", m.half);
        }
        snprintf(value, sizeof value, share ? "%.2f" : "%.4f", m.mean);
        fprintf(out, "%5d  %8s ± %-8s", l.n, loss, half);
        if (metric)
            fprintf(out, "  %6s ± %5s%s", value, either, share ? " %" : "");
        for (int i = 0; i < s->naxis; i++)
            if (i != seed)
                fprintf(out, "  %*s", width_of(s, i), list[k]->value[i]);
        fputc('\n', out);
    }
}

void sweep_table(const struct sweep *s, FILE *out)
{
    const struct row **list = sweep_sorted(s), *best = s->nrow && sweep_counts(list[0]) ? list[0] : NULL;
    bool tied = false;
    fprintf(out, "\nsorted by %s\n", *s->measure ? s->measure : "number");
    sweep_head(s, out);
    for (int i = 0; i < s->nrow; i++) {
        char mark = list[i] == best ? '*' : best && sweep_ties(s, best, list[i]) ? '=' : ' ';
        tied |= mark == '=';
        sweep_line(s, list[i], mark, out);
    }
    if (best)
        fprintf(out, "* the best; its weights: %s/%s-%d/best.safetensors\n", s->folder, s->net, best->number);
    if (tied)
        fprintf(out, "= within its 95 %% interval: the test set does not tell them apart\n");
    if (s->synthetic)
        fprintf(out, "SYNTHETIC data: results say nothing of a real set\n");
    for (int i = 0; best && i < s->naxis; i++)
        if (strcmp(s->axis[i].name, "train.seed") == 0 && s->axis[i].n > 1)
            put_means(s, list, i, out);
    fflush(out);
}

/* ---- CSV ---- */

static void put_field(FILE *out, const char *text)
{
    bool quoted = text[strcspn(text, ",\"\n\r")] != '\0';
    fputc(',', out);
    if (quoted)
        fputc('"', out);
    for (; *text; text++)
        fprintf(out, quoted && *text == '"' ? "\"%c" : "%c", *text);
    if (quoted)
        fputc('"', out);
}

static void put_csv(const struct sweep *s, FILE *out)
{
    const char *metric = *s->metric ? s->metric : "metric";
    fprintf(out, "run,state,epoch,epochs,best_epoch,train_loss,loss,%s,%s_95_low,%s_95_high,n,epoch_seconds,seconds",
            metric, metric, metric);
    for (int i = 0; i < s->naxis; i++)
        put_field(out, s->axis[i].name);
    fprintf(out, ",folder,reason\n");
    const struct row **list = sweep_sorted(s);
    for (int k = 0; k < s->nrow; k++) {
        const struct row *r = list[k];
        char folder[PATH_MAX];
        sweep_folder_of(s, r, folder);
        fprintf(out, "%d,%s,%lld,%lld,", r->number, row_word[r->state], (long long)r->epoch, (long long)r->epochs);
        if (r->best_epoch > 0)
            fprintf(out, "%lld,%.9g,%.9g,", (long long)r->best_epoch, r->train_loss, r->loss);
        else
            fprintf(out, ",,,");
        if (r->best_epoch > 0 && r->n > 0 && *s->metric) {
            const struct interval i = wilson((int64_t)llround(r->metric * (double)r->n), r->n);
            if (metric_is_share(s->metric))
                fprintf(out, "%.9g,%.9g,%.9g,%lld,", r->metric, i.low, i.high, (long long)r->n);
            else
                fprintf(out, "%.9g,,,%lld,", r->metric, (long long)r->n);
        } else
            fprintf(out, ",,,,");
        if (r->epoch > 0)
            fprintf(out, "%.6g,%.6g", r->seconds / (double)r->epoch, r->seconds);
        else
            fprintf(out, ",");
        for (int i = 0; i < s->naxis; i++)
            put_field(out, r->value[i]);
        put_field(out, folder);
        put_field(out, r->state == ROW_FAILED ? r->reason : "");
        fputc('\n', out);
    }
}

int sweep_csv(const struct sweep *s, const char *path)
{
    struct data_error e;
    struct atomic_file file;
    if (strcmp(path, "-") == 0) {
        put_csv(s, stdout);
        return 0;
    }
    if (!atomic_open(&file, path, &e))
        return complain(STATUS_DATA, "%s", e.text);
    put_csv(s, file.stream);
    return atomic_commit(&file, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}
