/* map_svg.c: the memory plan as a picture: time across, addresses up, a rectangle a buffer. Plain SVG 1.1 without scripts;
 * names stand in <title>, which browsers show under the mouse. */
#include "compile.h"
#include "map.h"
#include "base/atomic_file.h"
#include "base/markup.h"
#include "base/options.h"
#include "plan/op.h"
#include "plan/plan_text.h"

#include <inttypes.h>
#include <string.h>

enum { LEFT = 84, WIDTH = 1000, RIGHT = 126, TOP = 64, HEIGHT = 300, BELOW = 76, LETTER = 6 };

/* What a buffer is there for, as the legend has it. */
enum use { PARAMETERS, SLOTS, STATE, DATA, ACTIVATIONS, GRADIENTS, WORKSPACE, USES };
static const struct {
    const char *name, *colour;
} uses[USES] = {
    [PARAMETERS] = {"parameters", "#5b8fd0"},     [SLOTS] = {"optimizer state", "#a9c6ea"},
    [STATE] = {"statistics, control", "#b7bfc8"}, [DATA] = {"data", "#7fbf7b"},
    [ACTIVATIONS] = {"activations", "#f6c85f"},   [GRADIENTS] = {"gradients", "#e07b5a"},
    [WORKSPACE] = {"workspace", "#b096d0"},
};

/* One phase: its place in the picture, its arena for a number of rows. */
struct panel {
    const struct plan *p;
    const struct schedule *s;
    FILE *out;
    double top;
    int steps;
    int backward; /* the first step behind the loss; `steps`: there is none */
    int64_t rows, arena;
    int64_t skip; /* bytes in front that this phase does without */
};

static double across(const struct panel *v, int step)
{
    return LEFT + (double)WIDTH * step / (v->steps ? v->steps : 1);
}

static double up(const struct panel *v, int64_t address)
{
    return v->top + HEIGHT - (double)HEIGHT * (double)address / (double)(v->arena ? v->arena : 1);
}

/* Gradients come behind the kernels that report the loss. */
static int backward_of(const struct plan *p, const struct schedule *s)
{
    int step = s->last_kernel - s->first_kernel;
    for (int k = s->first_kernel; phase_trains(s->phase) && k < s->last_kernel; k++)
        for (int i = 0; i < p->kernel[k].nstage; i++)
            if (p->kernel[k].stage[i].op->form == FORM_REPORT)
                step = k - s->first_kernel + 1;
    return step;
}

static enum use use_of(const struct panel *v, const struct tensor *t)
{
    switch (t->role) {
    case ROLE_PARAM:
        return PARAMETERS;
    case ROLE_SLOT:
        return SLOTS;
    case ROLE_STATE:
    case ROLE_TALLY:
    case ROLE_CONTROL:
    case ROLE_RING:
        return STATE;
    case ROLE_INPUT:
    case ROLE_TARGET:
        return DATA;
    case ROLE_GRAD:
    case ROLE_SUM:
        return GRADIENTS;
    case ROLE_WORKSPACE:
        return WORKSPACE;
    default:
        return t->first >= v->backward ? GRADIENTS : ACTIVATIONS;
    }
}

static void text(FILE *out, double x, double y, const char *more, const char *words)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, more);
    markup_text(words, out);
    fputs("</text>\n", out);
}

static void line(FILE *out, const char *kind, double x1, double y1, double x2, double y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind, x1, y1, x2, y2);
}

/* ---- buffers ---- */

static void buffer_title(const struct panel *v, const struct tensor *t, int64_t place, int64_t size, FILE *out)
{
    char bytes[32], address[32];
    fputs("<title>", out);
    markup_text(t->name, out);
    fprintf(out, ": %s, %s", uses[use_of(v, t)].name, bytes_text(size, bytes, sizeof bytes));
    if (t->rows)
        fprintf(out, " (%" PRId64 " bytes a sample)", t->bytes);
    fprintf(out, ", at %s", bytes_text(place, address, sizeof address));
    if (t->schedule < 0)
        fputs(", kept from step to step", out);
    else
        fprintf(out, ", kernels %d to %d (%s to %s)", t->first, t->last - 1,
                v->p->kernel[v->s->first_kernel + t->first].name, v->p->kernel[v->s->first_kernel + t->last - 1].name);
    if (t->line)
        fprintf(out, ", line %d", t->line);
    fputs("</title>", out);
}

static void draw_buffer(const struct panel *v, const struct tensor *t)
{
    const int64_t place = tensor_place(v->p, v->s, (int)(t - v->p->tensor), v->rows) - v->skip;
    const int64_t size = t->rows ? t->bytes * v->rows : t->bytes;
    const bool kept = t->schedule < 0;
    const double x = kept ? LEFT : across(v, t->first), w = (kept ? LEFT + WIDTH : across(v, t->last)) - x;
    const double y = up(v, place + size), h = up(v, place) - y;
    if (place < 0) /* of the part that this phase does without */
        return;
    const char *edge = w < 4 || h < 4 ? "o" : "b"; /* an edge would be all that is seen of it */
    fprintf(v->out, "<rect class=\"%s u%d\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", edge, use_of(v, t),
            x, y, w, h);
    buffer_title(v, t, place, size, v->out);
    fputs("</rect>\n", v->out);
    if (h >= 11 && w >= LETTER * (double)strlen(t->name) + 4)
        text(v->out, x + w / 2, y + h / 2 + 3.5, " class=\"n\"", t->name);
}

static void draw_buffers(const struct panel *v)
{
    const int schedule = (int)(v->s - v->p->schedule);
    for (const struct tensor *t = v->p->tensor; t < v->p->tensor + v->p->ntensor; t++)
        if ((t->schedule < 0 || t->schedule == schedule) && t->base < 0 && tensor_stored(t) && t->role != ROLE_SUM)
            draw_buffer(v, t);
}

/* ---- axes ---- */

/* 1, 2 or 5 times a power of `base` times, so that there are at most `most` of them in `whole`. */
static int64_t tick_of(int64_t whole, int most)
{
    static const int factor[] = {1, 2, 5};
    int64_t unit = 1;
    for (int i = 0; whole / (unit * factor[i]) >= most; i = (i + 1) % COUNT(factor))
        unit *= i == COUNT(factor) - 1 ? 10 : 1;
    for (int i = 0; i < COUNT(factor); i++)
        if (whole / (unit * factor[i]) < most)
            return unit * factor[i];
    return unit * 10;
}

/* Of bytes: a power of two. */
static int64_t byte_tick_of(int64_t whole)
{
    int64_t unit = 1;
    while (whole / unit >= 8)
        unit *= 2;
    return unit;
}

static void draw_axes(const struct panel *v)
{
    const double bottom = v->top + HEIGHT;
    char words[64];
    const int64_t bytes = byte_tick_of(v->arena), steps = tick_of(v->steps, 20);
    for (int64_t at = 0; at <= v->arena; at += bytes) {
        line(v->out, "t", LEFT - 5, up(v, at), LEFT, up(v, at));
        text(v->out, LEFT - 8, up(v, at) + 4, " text-anchor=\"end\"", at ? bytes_text(at, words, sizeof words) : "0");
    }
    for (int k = 0; k < v->steps; k++) {
        double x = across(v, k), w = across(v, k + 1) - x;
        fprintf(v->out, "<rect class=\"k%d\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"10\"><title>%d: ", k % 2, x,
                bottom + 4, w, k);
        markup_text(v->p->kernel[v->s->first_kernel + k].name, v->out);
        fputs("</title></rect>\n", v->out);
        if (k % steps)
            continue;
        snprintf(words, sizeof words, "%d", k);
        text(v->out, x + w / 2, bottom + 27, " text-anchor=\"middle\"", words);
    }
    text(v->out, LEFT + WIDTH / 2.0, bottom + 44, " text-anchor=\"middle\"", "time (kernels of a step, in order)");
    fprintf(v->out,
            "<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">address (bytes)</text>\n",
            v->top + HEIGHT / 2.0);
}

/* The arena, LB and the step at which that is reached; where forward ends. */
static void draw_lines(const struct panel *v)
{
    char words[64], bytes[32];
    const int64_t bound = v->arena - (v->s->per_row - v->s->bound_per_row) * v->rows;
    const double peak = across(v, v->s->peak_step), end = LEFT + WIDTH, column = across(v, v->s->peak_step + 1) - peak;
    const bool apart = up(v, bound) - up(v, v->arena) > 14;
    fprintf(v->out, "<rect class=\"p\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"/>\n", peak, v->top,
            column < 2 ? 2 : column, HEIGHT + 14);
    line(v->out, "a", LEFT - 5, up(v, v->arena), end + 5, up(v, v->arena));
    line(v->out, "l", LEFT - 5, up(v, bound), end + 5, up(v, bound));
    snprintf(words, sizeof words, "arena %s", bytes_text(v->arena, bytes, sizeof bytes));
    text(v->out, end + 9, up(v, v->arena) + 4, "", words);
    snprintf(words, sizeof words, "LB %s", bytes_text(bound, bytes, sizeof bytes));
    text(v->out, end + 9, apart ? up(v, bound) + 4 : up(v, v->arena) + 19, " fill=\"#c0202a\"", words);
    if (v->backward < v->steps) {
        line(v->out, "f", across(v, v->backward), v->top - 16, across(v, v->backward), v->top + HEIGHT);
        text(v->out, across(v, v->backward) - 6, v->top - 6, " text-anchor=\"end\"", "forward");
        text(v->out, across(v, v->backward) + 6, v->top - 6, "", "backward, update");
    }
}

static void draw_panel(const struct panel *v)
{
    char words[160], gap[32];
    const int64_t rest = (v->s->per_row - v->s->bound_per_row) * v->rows;
    snprintf(words, sizeof words, "%s, %s: %" PRId64 " rows, LB is reached at kernel %d, gap %s",
             phase_word[v->s->phase], v->s->target->name, v->rows, v->s->peak_step, bytes_text(rest, gap, sizeof gap));
    text(v->out, LEFT, v->top - 26, " class=\"h\"", words);
    fprintf(v->out, "<rect class=\"g\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n", LEFT, v->top, WIDTH,
            HEIGHT);
    draw_buffers(v);
    draw_axes(v);
    draw_lines(v);
}

/* ---- the picture ---- */

static void draw_head(const struct plan *p, int height, FILE *out)
{
    fprintf(
        out,
        "<svg class=\"plan\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
        LEFT + WIDTH + RIGHT, height, LEFT + WIDTH + RIGHT, height);
    fputs("<title>", out);
    markup_text(p->net, out);
    /* The names of classes are ours alone, also where the picture stands in a page. */
    fputs(
        ": memory plan</title>\n<style>\n"
        ".plan text { font: 11px sans-serif; }\n.plan .h { font-weight: bold; font-size: 13px; }\n"
        ".plan .n { text-anchor: middle; font-size: 10px; fill: #222; pointer-events: none; }\n"
        ".plan .b { stroke: #fff; stroke-width: 0.5; }\n.plan .b:hover, .plan .o:hover { stroke: #000; stroke-width: 1.5; }\n"
        ".plan .g { fill: #f4f4f4; }\n.plan .p { fill: #c0202a; fill-opacity: 0.12; pointer-events: none; }\n"
        ".plan .k0 { fill: #888; }\n.plan .k1 { fill: #bbb; }\n.plan .t { stroke: #444; }\n"
        ".plan .a { stroke: #000; stroke-width: 1.5; }\n"
        ".plan .l { stroke: #c0202a; stroke-width: 1.5; stroke-dasharray: 6 4; }\n"
        ".plan .f { stroke: #444; stroke-dasharray: 2 3; }\n",
        out);
    for (int u = 0; u < USES; u++)
        fprintf(out, ".plan .u%d { fill: %s; }\n", u, uses[u].colour);
    fprintf(out, "</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", LEFT + WIDTH + RIGHT, height);
    double x = LEFT;
    text(out, x, 22, " class=\"h\"", p->net);
    x += 9.0 * (double)strlen(p->net) + 20;
    for (int u = 0; u < USES; u++) {
        fprintf(out, "<rect class=\"u%d\" x=\"%.1f\" y=\"12\" width=\"12\" height=\"12\"/>\n", u, x);
        text(out, x + 17, 22, "", uses[u].name);
        x += 36 + LETTER * (double)strlen(uses[u].name);
    }
}

void memory_svg(const struct plan *p, const struct target *target, const int64_t rows[PHASE_COUNT], FILE *out)
{
    int panels = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        panels += rows[ph] > 0 && plan_schedule(p, target, (enum phase)ph);
    draw_head(p, TOP - 20 + panels * (TOP + HEIGHT + BELOW - 20), out);
    double top = TOP + 26;
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        const struct schedule *s = plan_schedule(p, target, (enum phase)ph);
        if (!s || rows[ph] <= 0)
            continue;
        struct panel v = {.p = p, .s = s, .out = out, .top = top, .steps = s->last_kernel - s->first_kernel};
        v.rows = rows[ph];
        v.arena = schedule_alone(p, s, v.rows);
        v.skip = phase_trains(s->phase) ? 0 : plan_slots(p);
        v.backward = backward_of(p, s);
        draw_panel(&v);
        top += TOP + HEIGHT + BELOW - 20;
    }
    fputs("</svg>\n", out);
}

bool memory_svg_save(const struct plan *p, const struct target *target, const int64_t rows[PHASE_COUNT],
                     const char *path, struct data_error *e)
{
    struct atomic_file file;
    if (!atomic_open(&file, path, e))
        return false;
    memory_svg(p, target, rows, file.stream);
    return atomic_commit(&file, e);
}
