/* changed.c: what has become of a network since a run was made from it. */
#include "base/base.h"
#include "base/printable.h"
#include "run.h"

#include <string.h>

enum { MOST_ROWS = 20, NAME_WIDTH = 60 };

/* A tensor that the two have in different shapes, or one of them alone: NULL. */
struct difference {
    const struct tensor *run, *given;
};

/* Tensors that a file may hold; those of the optimizer, or all others. */
static bool looked_at(const struct plan *p, int t, bool slots)
{
    return tensor_is_named(p, t) && (p->tensor[t].role == ROLE_SLOT) == slots;
}

/* The tensors of both, those of the run first. Returns how many differ, of which `row` has the first. */
static int compare(struct region *r, const struct plan *run, const struct plan *given, bool slots,
                   struct difference *row)
{
    int n = 0;
    struct lookup in_given = {0}, in_run = {0};
    for (int t = 0; t < given->ntensor; t++)
        if (looked_at(given, t, slots))
            lookup_add(r, &in_given, given->tensor[t].name, t);
    for (int t = 0; t < run->ntensor; t++) {
        if (!looked_at(run, t, slots))
            continue;
        const struct tensor *a = &run->tensor[t];
        lookup_add(r, &in_run, a->name, t);
        const int at = lookup_find(&in_given, a->name);
        const struct tensor *b = at < 0 ? NULL : &given->tensor[at];
        if (b && a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0)
            continue;
        if (n++ < MOST_ROWS)
            row[n - 1] = (struct difference){a, b};
    }
    for (int t = 0; t < given->ntensor; t++)
        if (looked_at(given, t, slots) && lookup_find(&in_run, given->tensor[t].name) < 0 && n++ < MOST_ROWS)
            row[n - 1] = (struct difference){NULL, &given->tensor[t]};
    return n;
}

static const char *shape(const struct tensor *t, char *text, size_t size)
{
    return t ? shape_text_of(t->rank, t->dim, text, size) : "-";
}

static void show(const struct difference *row, int n)
{
    int name = 0, first = (int)strlen("in the run");
    char text[2][100];
    for (int i = 0; i < n && i < MOST_ROWS; i++) {
        int length = (int)strlen((row[i].run ? row[i].run : row[i].given)->name);
        int own = (int)strlen(shape(row[i].run, text[0], sizeof text[0]));
        name = length < NAME_WIDTH && length > name ? length : name;
        first = own > first ? own : first;
    }
    fprintf(stderr, "  %-*s  %-*s  now\n", name, "", first, "in the run");
    for (int i = 0; i < n && i < MOST_ROWS; i++)
        fprintf(stderr, "  %-*s  %-*s  %s\n", name, (row[i].run ? row[i].run : row[i].given)->name, first,
                shape(row[i].run, text[0], sizeof text[0]), shape(row[i].given, text[1], sizeof text[1]));
    if (n > MOST_ROWS)
        fprintf(stderr, "  and %d more\n", n - MOST_ROWS);
}

/* A line without what stands before it. */
static void show_line(struct region *r, const char *line, const char *whose)
{
    line += strspn(line, " \t");
    struct shown text = printable_text(r, line, strcspn(line, "\n"));
    fprintf(stderr, "  %s: ", whose);
    printable_put(stderr, &text, 0, text.ncell);
    fputc('\n', stderr);
}

/* Where the texts part. */
static void show_text(struct region *r, const char *run, const char *given)
{
    size_t at = 0, line = 1;
    for (size_t i = 0; run[i] && run[i] == given[i]; i++)
        if (run[i] == '\n') {
            at = i + 1;
            line++;
        }
    fprintf(stderr, "  the parameters are the same; the texts part in line %zu\n", line);
    show_line(r, run + at, "in the run");
    show_line(r, given + at, "now       ");
}

int changed_network(const struct job *j, const struct plan *run, const struct plan *given)
{
    struct difference row[MOST_ROWS];
    struct region *r = region_new();
    int parameters = compare(r, run, given, false, row);
    int n = parameters > 0 ? parameters : compare(r, run, given, true, row);
    bool other = n > 0 || run->source_hash != given->source_hash, fits = parameters == 0;
    if (other) {
        complain(STATUS_USAGE, "%s: the run was made from another network than %s", j->folder, j->options->plan);
        if (n > 0)
            show(row, n);
        else
            show_text(r, run->source, given->source);
        fprintf(stderr, "  = help: `netrun --resume %s` goes on with the network of the run%s%s%s\n", j->folder,
                fits ? "; --weights " : "", fits ? j->folder : "", fits ? " begins a new one with what it learnt" : "");
    }
    region_free(r);
    return other ? STATUS_USAGE : 0;
}
