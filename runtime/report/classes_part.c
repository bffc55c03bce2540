/* classes_part.c: which classes are taken for which. */
#include "page.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>

enum { MATRIX = 20, HEAT = 100, MOST_PAIRS = 15, MOST_CLASSES = 1000, SIDE = 640, MARGIN = 40 };

static int64_t pair_of(const struct confusion *c, int64_t truth, int64_t predicted)
{
    if (truth == predicted)
        return c->count[truth].right;
    for (int64_t i = 0; i < c->pairs; i++)
        if (c->pair[i].truth == truth && c->pair[i].predicted == predicted)
            return c->pair[i].n;
    return 0;
}

/* How dark a cell is: its share of the row, in steps that show a hundredth too. */
static double shade(const struct confusion *c, int64_t truth, int64_t n)
{
    const double share = c->count[truth].samples > 0 ? (double)n / (double)c->count[truth].samples : 0;
    return sqrt(share);
}

static void put_matrix(const struct report *r, const struct confusion *c, FILE *out)
{
    char text[80];
    fputs("<div class=\"wide\"><table class=\"matrix\"><thead><tr><th>is \\ taken for</th>", out);
    for (int64_t k = 0; k < c->classes; k++) {
        fputs("<th class=\"n\" scope=\"col\">", out);
        markup_text(report_class(r->data, k, text), out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (int64_t t = 0; t < c->classes; t++) {
        fputs("<tr><th scope=\"row\">", out);
        markup_text(report_class(r->data, t, text), out);
        fputs("</th>", out);
        for (int64_t k = 0; k < c->classes; k++) {
            const int64_t n = pair_of(c, t, k);
            if (n == 0)
                fputs("<td class=\"none\">0</td>", out);
            else
                fprintf(out, "<td%s style=\"background:rgba(%s,%.2f)\">%lld</td>", t == k ? " class=\"right\"" : "",
                        t == k ? "var(--hue)" : "213,94,0", shade(c, t, n) * (t == k ? 0.3 : 0.9), (long long)n);
        }
        fputs("</tr>\n", out);
    }
    fputs(
        "</tbody></table></div>\n<p class=\"soft\">Counts of samples. A row is what they are, a column what the network takes them "
        "for: the diagonal is right, and the darker an orange cell, the larger its share of its row.</p>\n",
        out);
}

/* As colours alone, where numbers would not be read. */
static void put_heat(const struct report *r, const struct confusion *c, FILE *out)
{
    const double cell = (double)SIDE / (double)c->classes;
    char a[80], b[80];
    fprintf(
        out,
        "<figure><svg class=\"heat\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"confusion matrix\">\n"
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.3\"/>\n",
        SIDE + MARGIN + 4, SIDE + MARGIN + 4, MARGIN, MARGIN, SIDE, SIDE);
    fprintf(out,
            "<text x=\"%d\" y=\"20\" text-anchor=\"middle\">taken for: class 0 to %lld</text>\n"
            "<text transform=\"translate(20 %d) rotate(-90)\" text-anchor=\"middle\">is: class %lld to 0</text>\n",
            MARGIN + SIDE / 2, (long long)c->classes - 1, MARGIN + SIDE / 2, (long long)c->classes - 1);
    for (int64_t i = -c->classes; i < c->pairs; i++) {
        const int64_t t = i < 0 ? i + c->classes : c->pair[i].truth, k = i < 0 ? t : c->pair[i].predicted;
        const int64_t n = i < 0 ? c->count[t].right : c->pair[i].n;
        if (n == 0 || k < 0)
            continue;
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"%.2f\"><title>",
                MARGIN + cell * (double)k, MARGIN + cell * (double)t, cell, cell, t == k ? "#0072b2" : "#d55e00",
                shade(c, t, n));
        markup_print(out, "%lld of %s taken for %s", (long long)n, report_class(r->data, t, a),
                     report_class(r->data, k, b));
        fputs("</title></rect>\n", out);
    }
    fputs(
        "</svg><figcaption>A row is what samples are, a column what the network takes them for: blue is right, orange wrong, darker "
        "a larger share of the row. Names and counts stand under the mouse.</figcaption></figure>\n",
        out);
}

static void put_share(double share, FILE *out)
{
    char text[40];
    snprintf(text, sizeof text, "%.2f %%", 100 * share);
    page_number(share, text, out);
}

static void put_count(int64_t n, FILE *out)
{
    char text[40];
    snprintf(text, sizeof text, "%lld", (long long)n);
    page_number((double)n, text, out);
}

static void put_classes(const struct report *r, const struct confusion *c, FILE *out)
{
    static const char *const head[] = {"#", "class", "samples", "taken for it", "precision", "recall", "F1", NULL};
    const int64_t n = c->classes < MOST_CLASSES ? c->classes : MOST_CLASSES;
    char text[80];
    fputs("<h3>Each class</h3>\n<div class=\"scroll\"><table class=\"sorts\">\n", out);
    page_head(head, "nlnnnnn", out);
    fputs("<tbody>\n", out);
    for (int64_t k = 0; k < n; k++) {
        const struct class_count *one = &c->count[k];
        fprintf(out, "<tr><td class=\"n\">%lld</td>", (long long)k);
        page_cell(report_class(r->data, k, text), out);
        put_count(one->samples, out);
        put_count(one->predicted, out);
        put_share(class_precision(one), out);
        put_share(class_recall(one), out);
        put_share(class_f1(one), out);
        fputs("</tr>\n", out);
    }
    fputs(
        "</tbody></table></div>\n<p class=\"soft\">Precision: of what is taken for a class, the share that is it. Recall: of what is "
        "of the class, the share that is found. F1: their harmonic mean.</p>\n",
        out);
}

static void put_pairs(const struct report *r, const struct confusion *c, FILE *out)
{
    static const char *const head[] = {"is", "taken for", "samples", "of the class", NULL};
    char text[80];
    int64_t told = 0;
    fputs("<h3>Most confused</h3>\n<div class=\"scroll\"><table class=\"sorts\">\n", out);
    page_head(head, "llnn", out);
    fputs("<tbody>\n", out);
    for (int64_t i = 0; i < c->pairs && told < MOST_PAIRS; i++) {
        if (c->pair[i].predicted < 0)
            continue;
        fputs("<tr>", out);
        page_cell(report_class(r->data, c->pair[i].truth, text), out);
        page_cell(report_class(r->data, c->pair[i].predicted, text), out);
        put_count(c->pair[i].n, out);
        put_share((double)c->pair[i].n / (double)c->count[c->pair[i].truth].samples, out);
        fputs("</tr>\n", out);
        told++;
    }
    fputs("</tbody></table></div>\n", out);
}

void report_classes(const struct report *r, FILE *out)
{
    const struct confusion *c = r->answers ? &r->answers->confusion : NULL;
    if (!c || c->classes == 0) {
        report_nothing(r->no_answers, out);
        return;
    }
    int64_t right = 0;
    for (int64_t k = 0; k < c->classes; k++)
        right += c->count[k].right;
    fputs("<p>", out);
    markup_print(out, "%lld of %lld samples of the %s are right (%.2f %%), with the weights of %s.", (long long)right,
                 (long long)c->n, r->answers->set, 100.0 * (double)right / (double)c->n, r->weights_text);
    if (c->lost > 0)
        markup_print(out, " For %lld there is no answer: the network's values are not finite.", (long long)c->lost);
    fputs("</p>\n", out);
    if (c->classes <= MATRIX)
        put_matrix(r, c, out);
    else if (c->classes <= HEAT)
        put_heat(r, c, out);
    put_classes(r, c, out);
    if (c->pairs > 0)
        put_pairs(r, c, out);
}
