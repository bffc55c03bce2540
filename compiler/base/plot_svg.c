#include "plot_svg.h"
#include "markup.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 480,
    HEIGHT = 280,
    LEFT = 64,
    RIGHT = 14,
    TOP = 46,
    BOTTOM = 42,
    TICKS = 6,
    MOST_TICKS = 40,
    DOTS = 60,
    LETTER = 7
};

/* Where curves are drawn, with room for dots on the edges. */
#define INNER LEFT - 4, TOP - 4, WIDTH - LEFT - RIGHT + 8, HEIGHT - TOP - BOTTOM + 8

struct frame {
    const struct plot *p;
    FILE *out;
    double x0, x1, y0, y1; /* of the axes; the logarithm, where that is drawn */
};

static bool drawn(const struct plot *p, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!p->logarithmic || y > 0) && (!p->logarithmic_x || x > 0);
}

static double level(bool logarithmic, double v)
{
    return logarithmic ? log10(v) : v;
}

static double across(const struct frame *f, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (level(f->p->logarithmic_x, x) - f->x0) / (f->x1 - f->x0);
}

static double up(const struct frame *f, double y)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (level(f->p->logarithmic, y) - f->y0) / (f->y1 - f->y0);
}

bool plot_spans_decade(const struct plot *p)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < p->lines; i++)
        for (size_t k = 0; !p->line[i].apart && k < p->line[i].n; k++) {
            double y = p->line[i].y[k];
            low = y > 0 && y < low ? y : low;
            high = isfinite(y) && y > high ? y : high;
        }
    return high / low >= 10;
}

/* A little beyond both ends, and something where there is one value alone. */
static void pad(bool logarithmic, double share, double *low, double *high)
{
    double more = *high > *low ? share * (*high - *low) : logarithmic ? 0.3 : fmax(fabs(*high) * 0.1, 1e-12);
    *low -= more;
    *high += more;
}

/* False: there is nothing to draw. */
static bool find_frame(struct frame *f)
{
    const struct plot *p = f->p;
    f->x0 = f->y0 = INFINITY;
    f->x1 = f->y1 = -INFINITY;
    for (size_t i = 0; i < p->lines; i++)
        for (size_t k = 0; k < p->line[i].n; k++) {
            const double x = p->line[i].x[k], y = p->line[i].y[k];
            if (!drawn(p, x, y) || p->line[i].apart)
                continue;
            f->x0 = fmin(f->x0, level(p->logarithmic_x, x)), f->x1 = fmax(f->x1, level(p->logarithmic_x, x));
            f->y0 = fmin(f->y0, level(p->logarithmic, y)), f->y1 = fmax(f->y1, level(p->logarithmic, y));
        }
    if (!(f->x0 <= f->x1))
        return false;
    if (p->values)
        pad(p->logarithmic_x, 0.05, &f->x0, &f->x1);
    else
        f->x0 = fmin(f->x0, 0);
    f->x1 = f->x1 > f->x0 ? f->x1 : f->x0 + 1;
    const bool zero = p->from_zero && f->y0 >= 0;
    pad(p->logarithmic, 0.06, &f->y0, &f->y1);
    f->y0 = zero ? 0 : f->y0;
    return true;
}

/* ---- axes ---- */

/* The next of 1, 2, 5 times a power of ten. */
static double step_of(double range, int most)
{
    double raw = range / most, power = pow(10, floor(log10(raw)));
    return power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
}

static void put_label(double x, double y, const char *anchor, double value, FILE *out)
{
    char text[32];
    snprintf(text, sizeof text, fabs(value) < 0.0001 && value != 0 ? "%.3e" : "%.5g", value);
    char *zeros = strchr(text, 'e'), *end = zeros; /* "5.000e-04" is 5e-04 */
    while (zeros && zeros > text && (zeros[-1] == '0' || zeros[-1] == '.'))
        if (*--zeros == '.')
            break;
    if (zeros)
        memmove(zeros, end, strlen(end) + 1);
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text);
}

/* Values for labels between two ends; how many. */
static int ticks_of(bool logarithmic, double low, double high, double tick[MOST_TICKS])
{
    static const double within[] = {1, 2, 5};
    int n = 0;
    if (logarithmic && high - low > 0.6) {
        const int few = high - low > 2 ? 1 : 3, skip = 1 + (int)((high - low) / 8);
        for (int e = (int)floor(low); e <= (int)ceil(high); e += skip)
            for (int k = 0; k < few && n < MOST_TICKS; k++)
                if (e + log10(within[k]) >= low && e + log10(within[k]) <= high)
                    tick[n++] = within[k] * pow(10, e);
        return n;
    }
    const double first = logarithmic ? pow(10, low) : low, last = logarithmic ? pow(10, high) : high;
    const double step = step_of(last - first, TICKS), from = ceil(first / step - 1e-9);
    for (; n < MOST_TICKS && (from + n) * step <= last + 1e-9 * step; n++)
        tick[n] = (from + n) * step;
    return n;
}

static void put_axes(const struct frame *f)
{
    double tick[MOST_TICKS];
    int n = ticks_of(f->p->logarithmic, f->y0, f->y1, tick);
    for (int i = 0; i < n; i++) {
        const double y = up(f, tick[i]);
        fprintf(f->out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT, WIDTH - RIGHT, y,
                y);
        put_label(LEFT - 6, y + 4, "end", tick[i], f->out);
    }
    n = ticks_of(f->p->logarithmic_x, f->x0, f->x1, tick);
    for (int i = 0; i < n; i++)
        put_label(across(f, tick[i]), HEIGHT - BOTTOM + 16, "middle", tick[i], f->out);
    fprintf(f->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
    markup_text(f->p->x, f->out);
    fprintf(f->out, "</text>\n<text transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">",
            (TOP + HEIGHT - BOTTOM) / 2);
    markup_text(f->p->y, f->out);
    fputs("</text>\n", f->out);
}

static int characters(const char *text)
{
    int n = 0;
    for (; text && *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Title and legend, above the curves. */
static void put_words(const struct frame *f)
{
    double x = LEFT;
    fprintf(f->out, "<text class=\"title\" x=\"%d\" y=\"16\">", LEFT);
    markup_text(f->p->title, f->out);
    fputs("</text>\n", f->out);
    for (size_t i = 0; i < f->p->lines; i++) {
        const struct plot_line *l = &f->p->line[i];
        if (!l->label || x > WIDTH - 60)
            continue;
        fprintf(f->out,
                "<line class=\"curve t%d\" x1=\"%.0f\" x2=\"%.0f\" y1=\"32\" y2=\"32\"/><text x=\"%.0f\" y=\"36\">",
                l->tint, x, x + 18, x + 23);
        markup_text(l->label, f->out);
        fputs("</text>\n", f->out);
        x += 36 + LETTER * characters(l->label);
    }
}

/* ---- curves ---- */

struct point {
    double x, y;
};

/* The mean of those that can be drawn among so many on end; false: none. */
static bool mean_of(const struct plot *p, const struct plot_line *l, size_t from, size_t n, struct point *mean)
{
    double count = 0;
    *mean = (struct point){0, 0};
    for (size_t k = from; k < from + n && k < l->n; k++)
        if (drawn(p, l->x[k], l->y[k])) {
            mean->x += l->x[k];
            mean->y += l->y[k];
            count++;
        }
    mean->x /= count;
    mean->y /= count;
    return count > 0;
}

static void put_path(const struct frame *f, const struct plot_line *l)
{
    const size_t bin = (l->n + PLOT_POINTS - 1) / PLOT_POINTS;
    struct point at;
    if (l->tint < 0)
        fputs("<path class=\"faint\" d=\"", f->out);
    else
        fprintf(f->out, "<path class=\"curve t%d\" d=\"", l->tint);
    bool pen = false;
    for (size_t k = 0; k < l->n; k += bin) {
        bool there = mean_of(f->p, l, k, bin, &at);
        if (there)
            fprintf(f->out, "%c%.1f %.1f", pen ? 'L' : 'M', across(f, at.x), up(f, at.y));
        pen = there;
    }
    fputs("\"><title>", f->out);
    markup_text(l->words ? l->words : l->label, f->out);
    fputs("</title></path>\n", f->out);
}

static void put_line(const struct frame *f, const struct plot_line *l)
{
    if (!l->bare)
        put_path(f, l);
    for (size_t k = 0; (l->bare || (l->dots && l->n <= DOTS)) && k < l->n; k++)
        if (drawn(f->p, l->x[k], l->y[k])) {
            fprintf(f->out, "<circle class=\"d%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>", l->tint < 0 ? 6 : l->tint,
                    across(f, l->x[k]), up(f, l->y[k]));
            markup_print(f->out, "%s: %.6g at %s %.6g", l->words ? l->words : l->label, l->y[k], f->p->x, l->x[k]);
            fputs("</title></circle>\n", f->out);
        }
}

void plot_svg(const struct plot *p, FILE *out)
{
    struct frame f = {.p = p, .out = out};
    fprintf(out, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    markup_print(out, "%s: %s against %s", p->title, p->y, p->x);
    fputs("\">\n", out);
    bool some = find_frame(&f);
    put_words(&f);
    if (!some)
        fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">no number that can be drawn</text>\n", WIDTH / 2,
                HEIGHT / 2);
    else {
        put_axes(&f);
        fprintf(out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" viewBox=\"%d %d %d %d\">\n", INNER, INNER);
        for (size_t i = p->lines; i-- > 0;)
            put_line(&f, &p->line[i]);
        fputs("</svg>\n", out);
    }
    fputs("</svg>\n", out);
}

void plot_svg_file(const struct plot *p, int n, FILE *out)
{
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\">\n<style>\n"
        ".plot text { font: 11px sans-serif; fill: #555; }\n.plot .title { font-weight: bold; font-size: 13px; fill: #222; }\n"
        ".plot .grid { stroke: #ddd; }\n.plot .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }\n"
        ".plot .t0 { stroke: #0072b2; }\n.plot .t1 { stroke: #d55e00; }\n.plot .t2 { stroke: #009e73; }\n"
        "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        WIDTH, n * HEIGHT, 2 * WIDTH);
    for (int i = 0; i < n; i++) {
        fprintf(out, "<svg y=\"%d\" width=\"%d\" height=\"%d\">\n", i * HEIGHT, WIDTH, HEIGHT);
        plot_svg(&p[i], out);
        fputs("</svg>\n", out);
    }
    fputs("</svg>\n", out);
}
