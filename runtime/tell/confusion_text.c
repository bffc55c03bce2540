/* confusion_text.c: who was taken for whom, for people and for programs. */
#include "confusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE = 80,         /* columns */
    LABEL = 18,        /* columns of a class at most */
    ALL = 20,          /* classes that are listed; of more the worst */
    WORST = 10,        /* so many, and so many pairs */
    PAIRS = 5,         /* that stand below a matrix */
    LISTED_PAIRS = 25, /* in an event */
    MATRIX = 100,      /* classes of a matrix in an event */
};

/* "3 Dress", "3", "none"; cut to LABEL columns. */
static const char *label(const struct confusion *c, int64_t class, char text[4 * LABEL + 8])
{
    if (class < 0)
        return strcpy(text, "none");
    snprintf(text, 4 * LABEL + 8, "%lld%s%s", (long long)class, class < c->names ? " " : "",
             class < c->names ? c->name[class] : "");
    text_cut(text, LABEL);
    return text;
}

static void put_label(const struct confusion *c, int64_t class, int width, FILE *out)
{
    char text[4 * LABEL + 8];
    label(c, class, text);
    fprintf(out, "%s%*s", text, width - text_columns(text), "");
}

static int label_width(const struct confusion *c)
{
    char text[4 * LABEL + 8];
    int width = sizeof "class" - 1;
    for (int64_t k = 0; k < c->classes && width < LABEL; k++) {
        int columns = text_columns(label(c, k, text));
        width = columns > width ? columns : width;
    }
    return width;
}

static void put_percent(double value, FILE *out)
{
    if (isnan(value))
        fprintf(out, "%11s", "-");
    else
        fprintf(out, "%9.2f %%", 100 * value);
}

/* ---- the matrix ---- */

static int64_t *matrix(const struct confusion *c)
{
    int64_t *cell = calloc((size_t)(c->classes * c->classes) + 1, sizeof *cell);
    for (int64_t k = 0; cell && k < c->classes; k++)
        cell[k * c->classes + k] = c->count[k].right;
    for (int64_t i = 0; cell && i < c->pairs; i++)
        if (c->pair[i].predicted >= 0)
            cell[c->pair[i].truth * c->classes + c->pair[i].predicted] = c->pair[i].n;
    return cell;
}

/* Of a number in the matrix, with the space before it. */
static int cell_width(const struct confusion *c)
{
    int64_t most = c->pairs ? c->pair[0].n : 0;
    for (int64_t k = 0; k < c->classes; k++)
        most = c->count[k].right > most ? c->count[k].right : most;
    int number = digits_of(most), heading = digits_of(c->classes - 1);
    return 1 + (number > heading ? number : heading);
}

static void say_matrix(const struct confusion *c, int width, FILE *out)
{
    int cell = cell_width(c);
    int64_t *count = matrix(c);
    if (!count)
        return;
    fprintf(out, "\n%*s predicted\n%-*s", width, "", width, "true");
    for (int64_t k = 0; k < c->classes; k++)
        fprintf(out, "%*lld", cell, (long long)k);
    fputc('\n', out);
    for (int64_t k = 0; k < c->classes; k++) {
        put_label(c, k, width, out);
        for (int64_t p = 0; p < c->classes; p++)
            if (count[k * c->classes + p] > 0)
                fprintf(out, "%*lld", cell, (long long)count[k * c->classes + p]);
            else
                fprintf(out, "%*s", cell, ".");
        fputc('\n', out);
    }
    free(count);
}

/* ---- the classes ---- */

static void say_class(const struct confusion *c, int64_t class, int width, FILE *out)
{
    const struct class_count *k = &c->count[class];
    put_label(c, class, width, out);
    put_percent(class_precision(k), out);
    put_percent(class_recall(k), out);
    put_percent(class_f1(k), out);
    fprintf(out, "%10lld\n", (long long)k->samples);
}

/* The worst class behind class `last` of that F1, in ascending order of F1; classes that were nowhere are passed over. -1: none. */
static int64_t next_worst(const struct confusion *c, double f1, int64_t last)
{
    int64_t worst = -1;
    for (int64_t k = 0; k < c->classes; k++) {
        double own = class_f1(&c->count[k]);
        if ((own > f1 || (own == f1 && k > last)) && (worst < 0 || own < class_f1(&c->count[worst])))
            worst = k;
    }
    return worst;
}

static void say_classes(const struct confusion *c, int width, FILE *out)
{
    double precision, recall, f1;
    bool all = c->classes <= ALL;
    confusion_means(c, &precision, &recall, &f1);
    fprintf(out, "\n%-*s%11s%11s%11s%10s", width, "class", "precision", "recall", "F1", "samples");
    if (!all)
        fprintf(out, "   lowest F1 of %lld", (long long)c->classes);
    fputc('\n', out);
    for (int64_t k = 0; all && k < c->classes; k++)
        say_class(c, k, width, out);
    double below = -1;
    for (int64_t i = 0, k = -1; !all && i < WORST && (k = next_worst(c, below, k)) >= 0; i++) {
        say_class(c, k, width, out);
        below = class_f1(&c->count[k]);
    }
    fprintf(out, "%-*s", width, "mean");
    put_percent(precision, out);
    put_percent(recall, out);
    put_percent(f1, out);
    fprintf(out, "%10lld\n", (long long)c->n);
}

/* ---- the pairs ---- */

static void say_pairs(const struct confusion *c, int64_t most, int width, FILE *out)
{
    int second = width > (int)sizeof "predicted" - 1 ? width : (int)sizeof "predicted" - 1;
    if (c->pairs == 0)
        return;
    fprintf(out, "\nmost confused\n%-*s  %-*s%8s%11s\n", width, "true", second, "predicted", "times", "of true");
    for (const struct class_pair *p = c->pair; p < c->pair + c->pairs && p < c->pair + most; p++) {
        put_label(c, p->truth, width + 2, out);
        put_label(c, p->predicted, second, out);
        fprintf(out, "%8lld", (long long)p->n);
        put_percent((double)p->n / (double)c->count[p->truth].samples, out);
        fputc('\n', out);
    }
}

void confusion_say(const struct confusion *c, FILE *out)
{
    int width = label_width(c);
    bool fits = c->classes <= LINE && width + c->classes * cell_width(c) <= LINE;
    if (fits)
        say_matrix(c, width, out);
    say_classes(c, width, out);
    say_pairs(c, fits ? PAIRS : WORST, width, out);
    if (c->lost > 0)
        fprintf(out, "\n%lld of %lld have no class: their logits are not finite\n", (long long)c->lost,
                (long long)c->n);
}

/* ---- for programs ---- */

static void put_classes(const struct confusion *c, struct event_line *l)
{
    event_open(l, "classes", '[');
    for (int64_t k = 0; k < c->classes; k++) {
        const struct class_count *count = &c->count[k];
        event_open(l, NULL, '{');
        event_integer(l, "class", k);
        if (k < c->names)
            event_text(l, "name", c->name[k]);
        event_integer(l, "n", count->samples);
        event_integer(l, "predicted", count->predicted);
        event_integer(l, "right", count->right);
        event_number(l, "precision", class_precision(count));
        event_number(l, "recall", class_recall(count));
        event_number(l, "f1", class_f1(count));
        event_close(l, '}');
    }
    event_close(l, ']');
}

static void put_matrix(const struct confusion *c, struct event_line *l)
{
    int64_t *count = c->classes <= MATRIX ? matrix(c) : NULL;
    if (!count)
        return;
    event_open(l, "matrix", '[');
    for (int64_t k = 0; k < c->classes; k++) {
        event_open(l, NULL, '[');
        for (int64_t p = 0; p < c->classes; p++)
            event_integer(l, NULL, count[k * c->classes + p]);
        event_close(l, ']');
    }
    event_close(l, ']');
    free(count);
}

void confusion_put(const struct confusion *c, struct event_line *l)
{
    double precision, recall, f1;
    confusion_means(c, &precision, &recall, &f1);
    event_open(l, "confusion", '{');
    event_number(l, "precision", precision);
    event_number(l, "recall", recall);
    event_number(l, "f1", f1);
    event_integer(l, "no_class", c->lost);
    put_classes(c, l);
    put_matrix(c, l);
    event_open(l, "pairs", '[');
    for (const struct class_pair *p = c->pair; p < c->pair + c->pairs && p < c->pair + LISTED_PAIRS; p++) {
        event_open(l, NULL, '{');
        event_integer(l, "true", p->truth);
        if (p->predicted >= 0)
            event_integer(l, "predicted", p->predicted);
        event_integer(l, "n", p->n);
        event_close(l, '}');
    }
    event_close(l, ']');
    event_close(l, '}');
}
