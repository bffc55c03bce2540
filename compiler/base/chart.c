#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 10 }; /* characters of a label and the axis */

struct canvas {
    const struct chart *chart;
    int across, down;       /* dots */
    double low[2], high[2]; /* of x and y; y as it is drawn */
    unsigned char dots[CHART_HEIGHT][CHART_WIDTH];
    signed char line[CHART_HEIGHT][CHART_WIDTH]; /* that was drawn there last */
};

static bool shown(const struct canvas *c, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!c->chart->logarithmic || y > 0);
}

static double drawn(const struct canvas *c, double y)
{
    return c->chart->logarithmic ? log10(y) : y;
}

static bool measure(struct canvas *c)
{
    c->low[0] = c->low[1] = INFINITY;
    c->high[0] = c->high[1] = -INFINITY;
    for (int l = 0; l < c->chart->lines; l++)
        for (size_t i = 0; i < c->chart->line[l].n; i++) {
            double x = c->chart->line[l].x[i], y = c->chart->line[l].y[i];
            if (!shown(c, x, y))
                continue;
            double at[2] = {x, drawn(c, y)};
            for (int k = 0; k < 2; k++) {
                c->low[k] = fmin(c->low[k], at[k]);
                c->high[k] = fmax(c->high[k], at[k]);
            }
        }
    c->low[0] = fmin(c->low[0], 0);
    for (int k = 0; k < 2; k++)
        if (c->high[k] - c->low[k] < 1e-12 * fmax(1, fabs(c->high[k])))
            c->high[k] = c->low[k] + 1;
    return isfinite(c->low[1]);
}

static void dot(struct canvas *c, int x, int y, int line)
{
    static const unsigned char bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    c->dots[y / 4][x / 2] |= bit[y % 4][x % 2];
    c->line[y / 4][x / 2] = (signed char)line;
}

/* Bresenham 1965. */
static void stroke(struct canvas *c, int x, int y, int to_x, int to_y, int line)
{
    int dx = abs(to_x - x), dy = -abs(to_y - y), sx = x < to_x ? 1 : -1, sy = y < to_y ? 1 : -1, error = dx + dy;
    for (dot(c, x, y, line); x != to_x || y != to_y; dot(c, x, y, line)) {
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x += sx;
        }
        if (twice <= dx) {
            error += dx;
            y += sy;
        }
    }
}

static void draw_line(struct canvas *c, int l)
{
    const struct chart_line *line = &c->chart->line[l];
    bool joined = false;
    for (size_t i = 0, x0 = 0, y0 = 0; i < line->n; i++) {
        if (!shown(c, line->x[i], line->y[i]))
            continue;
        double right = (line->x[i] - c->low[0]) / (c->high[0] - c->low[0]);
        double up = (drawn(c, line->y[i]) - c->low[1]) / (c->high[1] - c->low[1]);
        size_t x = (size_t)lround(right * (c->across - 1)), y = (size_t)lround((1 - up) * (c->down - 1));
        stroke(c, (int)(joined ? x0 : x), (int)(joined ? y0 : y), (int)x, (int)y, l);
        x0 = x, y0 = y;
        joined = true;
    }
}

static void put_label(const struct canvas *c, int row, FILE *out)
{
    char text[32];
    int last = c->down / 4 - 1;
    if (row != 0 && row != last / 2 && row != last) {
        fprintf(out, "%*s", MARGIN - 1, "");
        return;
    }
    double y = c->high[1] - (c->high[1] - c->low[1]) * (row == 0 ? 0 : row == last ? 1 : (row + 0.5) / (last + 1));
    y = c->chart->logarithmic ? pow(10, y) : y;
    snprintf(text, sizeof text, c->chart->share ? "%.2f %%" : "%.4g", c->chart->share ? 100 * y : y);
    fprintf(out, "%*s", MARGIN - 1, text);
}

static void put_tint(const struct canvas *c, int line, FILE *out)
{
    if (c->chart->colour)
        fprintf(out, "\033[%dm", line < 0 ? 0 : c->chart->line[line].tint);
}

static void put_row(const struct canvas *c, int row, FILE *out)
{
    put_label(c, row, out);
    fputs("│", out);
    int width = c->across / 2, tint = -1;
    while (width > 0 && !c->dots[row][width - 1])
        width--;
    for (int x = 0; x < width; x++) {
        unsigned dots = c->dots[row][x];
        if (dots && c->line[row][x] != tint)
            put_tint(c, tint = c->line[row][x], out);
        if (dots)
            fprintf(out, "%c%c%c", 0xe2, 0xa0 | dots >> 6, 0x80 | (dots & 0x3f)); /* U+2800 + dots in UTF-8 */
        else
            fputc(' ', out);
    }
    if (tint >= 0)
        put_tint(c, -1, out);
    fputc('\n', out);
}

void chart_draw(const struct chart *chart, FILE *out)
{
    struct canvas c = {.chart = chart};
    int width = chart->width < CHART_WIDTH ? chart->width : CHART_WIDTH;
    c.across = 2 * (width - MARGIN);
    c.down = 4 * (chart->height < CHART_HEIGHT ? chart->height : CHART_HEIGHT);
    if (c.across < 2 || c.down < 4 || !measure(&c))
        return;
    for (int l = 0; l < chart->lines; l++)
        draw_line(&c, l);
    fprintf(out, "%*s%s", MARGIN, "", chart->title);
    for (int l = 0; l < chart->lines; l++) {
        fputs("  ", out);
        put_tint(&c, l, out);
        fprintf(out, "━ %s", chart->line[l].label);
        put_tint(&c, -1, out);
    }
    fputc('\n', out);
    for (int row = 0; row < c.down / 4; row++)
        put_row(&c, row, out);
    fprintf(out, "%*s%.6g%*.6g\n", MARGIN, "", c.low[0], c.across / 2 - 1, c.high[0]);
}
