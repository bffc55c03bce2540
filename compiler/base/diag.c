/* diag.c: messages with carets, collected and printed in the order of the source. */
#include "base.h"
#include "printable.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 20,    /* errors printed */
    KEPT = 500,    /* messages collected; later ones are only counted */
    WINDOW = 120,  /* columns shown of a longer line */
    AROUND = 2048, /* bytes before and behind the focus that are looked at for that */
    STRIDE = 256,  /* lines from one mark to the next */
};

struct place {
    struct loc at;
    const char *label;
    bool primary;
    int order;
};
struct remark {
    const char *kind, *text;
};

struct message {
    const char *code, *text;
    bool error;
    int order;
    int nplace;
    struct place *place; /* place[0] is where the message points */
    int nremark;
    struct remark *remark;
    struct message *next;
};

/* ---- collecting ---- */

static __attribute__((format(printf, 2, 0), nonnull)) const char *format_text(struct diag *d, const char *format,
                                                                              va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = region_alloc(d->region, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, format, ap);
    return text;
}

static bool same(const struct message *a, const struct message *b)
{
    struct loc p = a->place->at, q = b->place->at;
    return p.line == q.line && p.col == q.col && strcmp(a->code, b->code) == 0 && strcmp(a->text, b->text) == 0;
}

static void add_place(struct diag *d, struct message *m, struct loc at, const char *label, bool primary)
{
    region_grow(d->region, m->place, m->nplace);
    m->place[m->nplace] = (struct place){at, label, primary, m->nplace};
    m->nplace++;
}

/* A network is built once for each phase: a mistake that is met again counts once. The repeated message still becomes
 * d->last, so that the places and remarks that follow do not end up at another one. */
static void start(struct diag *d, bool error, const char *code, struct loc at, const char *label, const char *text)
{
    struct message *m = region_alloc(d->region, 1, sizeof *m);
    m->code = code;
    m->text = text;
    m->error = error;
    add_place(d, m, at, label, true);
    d->last = m;
    m->order = d->errors + d->warnings;
    struct message *end = NULL;
    for (struct message *i = m->order < KEPT ? d->first : NULL; i; end = i, i = i->next)
        if (same(i, m))
            return;
    if (m->order < KEPT)
        *(end ? &end->next : &d->first) = m;
    if (error)
        d->errors++;
    else
        d->warnings++;
}

void diag_error(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    start(d, true, code, at, label, format_text(d, format, ap));
    va_end(ap);
}

void diag_warning(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    start(d, false, code, at, label, format_text(d, format, ap));
    va_end(ap);
}

void diag_place(struct diag *d, struct loc at, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (d->last && at.line)
        add_place(d, d->last, at, format_text(d, format, ap), false);
    va_end(ap);
}

static void add_remark(struct diag *d, const char *kind, const char *text)
{
    struct message *m = d->last;
    if (!m)
        return;
    region_grow(d->region, m->remark, m->nremark);
    m->remark[m->nremark++] = (struct remark){kind, text};
}

void diag_note(struct diag *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_remark(d, "note", format_text(d, format, ap));
    va_end(ap);
}

void diag_help(struct diag *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    add_remark(d, "help", format_text(d, format, ap));
    va_end(ap);
}

/* ---- printing ---- */

static void put_text(struct diag *d, const char *text)
{
    struct shown row = printable_text(d->region, text, strlen(text));
    printable_put(d->out, &row, 0, row.ncell);
}

static const char *tint(const struct diag *d, const char *code)
{
    return d->colour ? code : "";
}

#define RESET tint(d, "\033[0m")
#define BOLD tint(d, "\033[1m")
#define FRAME tint(d, "\033[1;34m")

static const char *severity_tint(const struct diag *d, bool error)
{
    return tint(d, error ? "\033[1;31m" : "\033[1;33m");
}

/* Remembers where every STRIDE-th line starts: a file has many lines, and a message may point at any. */
static void mark_lines(struct diag *d)
{
    int line = 0;
    for (const char *s = d->text; s; s = next_line(s))
        if (line++ % STRIDE == 0) {
            region_grow(d->region, d->mark, d->nmark);
            d->mark[d->nmark++] = s;
        }
}

/* The text of line `number`; false if there is no such line. */
static bool source_line(struct diag *d, int number, const char **start, size_t *length)
{
    if (!d->nmark)
        mark_lines(d);
    if (number < 1 || (number - 1) / STRIDE >= d->nmark)
        return false;
    const char *s = d->mark[(number - 1) / STRIDE];
    for (int i = (number - 1) % STRIDE; s && i > 0; i--)
        s = next_line(s);
    if (!s)
        return false;
    *start = s;
    *length = strcspn(s, "\n");
    if (*length && s[*length - 1] == '\r')
        --*length;
    return true;
}

static int clamp(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

static void put_gutter(struct diag *d, int width, int line)
{
    if (line)
        fprintf(d->out, "%s%*d |%s", FRAME, width, line, RESET);
    else
        fprintf(d->out, "%s%*s |%s", FRAME, width, "", RESET);
}

/* One source line with the marks of places [from, to), which all lie on it. */
static void put_snippet(struct diag *d, const struct message *m, const struct place *from, const struct place *to,
                        int width)
{
    const char *text;
    size_t length;
    if (!source_line(d, from->at.line, &text, &length))
        return;
    int cut = clamp(from->at.col - 1 - AROUND, 0, (int)length);
    while (((unsigned char)text[cut] & 0xC0) == 0x80) /* within a character */
        cut++;
    length = length - (size_t)cut < 2 * AROUND ? length - (size_t)cut : 2 * AROUND;
    struct shown row = printable_text(d->region, text + cut, length);
    int focus = row.column[clamp(from->at.col - 1 - cut, 0, row.nbyte)];
    int left = row.ncell > WINDOW && focus > WINDOW / 2 ? focus - WINDOW / 2 : 0;
    int right = row.ncell - left > WINDOW ? left + WINDOW : row.ncell;
    put_gutter(d, width, from->at.line);
    fputs(left ? " ..." : " ", d->out);
    printable_put(d->out, &row, left, right);
    fputs(right < row.ncell ? "...\n" : "\n", d->out);
    for (const struct place *p = from; p < to; p++) {
        int a = clamp(row.column[clamp(p->at.col - 1 - cut, 0, row.nbyte)], left, right);
        int b = clamp(row.column[clamp(p->at.end - 1 - cut, 0, row.nbyte)], left, right);
        put_gutter(d, width, 0);
        fprintf(d->out, "%*s%s", a - left + (left ? 4 : 1), "", p->primary ? severity_tint(d, m->error) : FRAME);
        do
            fputc(p->primary ? '^' : '-', d->out);
        while (++a < b);
        if (p->label) {
            fputc(' ', d->out);
            put_text(d, p->label);
        }
        fprintf(d->out, "%s\n", RESET);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->at.line != q->at.line)
        return p->at.line < q->at.line ? -1 : 1;
    if (p->at.col != q->at.col)
        return p->at.col < q->at.col ? -1 : 1;
    return p->order - q->order;
}

static void put_message(struct diag *d, struct message *m)
{
    struct loc at = m->place->at;
    fputs(BOLD, d->out);
    put_text(d, d->file);
    if (at.line)
        fprintf(d->out, ":%d:%d", at.line, at.col);
    fprintf(d->out, ": %s%s[%s]:%s%s ", severity_tint(d, m->error), m->error ? "error" : "warning", m->code, RESET,
            BOLD);
    put_text(d, m->text);
    fprintf(d->out, "%s\n", RESET);
    qsort(m->place, (size_t)m->nplace, sizeof *m->place, by_place);
    int width = snprintf(NULL, 0, "%d", m->place[m->nplace - 1].at.line);
    width = width < 2 ? 2 : width;
    if (at.line) {
        put_gutter(d, width, 0);
        fputc('\n', d->out);
    }
    for (int i = 0, j; i < m->nplace; i = j) {
        for (j = i + 1; j < m->nplace && m->place[j].at.line == m->place[i].at.line; j++)
            ;
        put_snippet(d, m, m->place + i, m->place + j, width);
    }
    for (int i = 0; i < m->nremark; i++) {
        fprintf(d->out, "%*s %s= %s:%s ", width, "", FRAME, m->remark[i].kind, RESET);
        put_text(d, m->remark[i].text);
        fputc('\n', d->out);
    }
}

static int by_position(const void *a, const void *b)
{
    const struct message *p = *(struct message *const *)a, *q = *(struct message *const *)b;
    struct loc x = p->place->at, y = q->place->at;
    if (x.line != y.line)
        return x.line < y.line ? -1 : 1;
    if (x.col != y.col)
        return x.col < y.col ? -1 : 1;
    return p->order - q->order;
}

static void put_count(FILE *out, int n, const char *what)
{
    fprintf(out, "%d %s%s", n, what, n == 1 ? "" : "s");
}

void diag_flush(struct diag *d)
{
    struct message **all = NULL;
    int n = 0, errors = 0;
    for (struct message *m = d->first; m; m = m->next) {
        region_grow(d->region, all, n);
        all[n++] = m;
    }
    if (!n)
        return;
    qsort(all, (size_t)n, sizeof *all, by_position);
    for (int i = 0; i < n; i++) {
        if (all[i]->error && ++errors > SHOWN)
            continue;
        put_message(d, all[i]);
        fputc('\n', d->out);
    }
    if (d->errors)
        put_count(d->out, d->errors, "error");
    if (d->errors && d->warnings)
        fputs(", ", d->out);
    if (d->warnings)
        put_count(d->out, d->warnings, "warning");
    if (d->errors > SHOWN)
        fprintf(d->out, "; the first %d errors are shown", SHOWN);
    fputc('\n', d->out);
    d->first = d->last = NULL;
}

const char *diag_first(const struct diag *d)
{
    const struct message *m = d->first;
    while (m && !m->error)
        m = m->next;
    return m ? m->text : "";
}
