/* match.c: which tensor of a file is which of the network, and what is said where they differ. */
#include "match.h"

#include "data/float_types.h"

#include <stdlib.h>
#include <string.h>

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* Without the first of the prefixes that torch.compile and DataParallel put in front; NULL: there is none. */
static const char *without_prefix(const char *name)
{
    static const char *const prefix[] = {"module.", "_orig_mod."};
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (starts(name, prefix[i]))
            return name + strlen(prefix[i]);
    return NULL;
}

static int plan_tensor(const struct match *m, const char *name)
{
    int low = 0, high = m->named;
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(name, m->plan->tensor[m->sorted[middle]].name);
        if (order == 0)
            return m->sorted[middle];
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct tensor *const *)a)->name, (*(const struct tensor *const *)b)->name);
}

static bool sort_named(struct match *m)
{
    const struct plan *p = m->plan;
    const struct tensor **list = malloc(((size_t)p->ntensor + 1) * sizeof *list);
    m->sorted = malloc(((size_t)p->ntensor + 1) * sizeof *m->sorted);
    bool good = list && m->sorted;
    for (int t = 0; good && t < p->ntensor; t++)
        if (tensor_is_named(p, t) || tensor_is_tally(p, t))
            list[m->named++] = &p->tensor[t];
    if (good)
        qsort(list, (size_t)m->named, sizeof *list, by_name);
    for (int i = 0; good && i < m->named; i++)
        m->sorted[i] = (int)(list[i] - p->tensor);
    free(list);
    return good;
}

void match_free(struct match *m)
{
    for (size_t i = 0; m->renamed && i < m->count; i++)
        free(m->renamed[i]);
    free(m->sorted);
    free(m->of);
    free(m->name);
    free(m->renamed);
}

/* By the map, which speaks of a name as it stands first, then of what is left of a stranger's without its prefixes. */
static char *renamed(const struct match *m, struct renames *map, const char *name)
{
    char *text = renames_apply(map, name);
    while (!text && plan_tensor(m, name) < 0 && (name = without_prefix(name)))
        text = renames_apply(map, name);
    return text;
}

/* A name stands for itself before prefixes are taken off. 0, or a status after a message. */
int match(struct match *m, const struct plan *p, const struct st_file *f, struct renames *map, const char *path)
{
    *m = (struct match){.plan = p,
                        .of = calloc((size_t)p->ntensor + 1, sizeof *m->of),
                        .count = f->n_tensors,
                        .name = calloc(f->n_tensors + 1, sizeof *m->name),
                        .renamed = calloc(f->n_tensors + 1, sizeof *m->renamed)};
    if (!m->of || !m->name || !m->renamed || !sort_named(m))
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    for (size_t i = 0; i < f->n_tensors; i++) {
        m->renamed[i] = renamed(m, map, f->tensors[i].name);
        const char *name = m->renamed[i] ? m->renamed[i] : f->tensors[i].name, *shorter;
        int t = plan_tensor(m, name);
        while (t < 0 && (shorter = without_prefix(name)))
            t = plan_tensor(m, name = shorter);
        m->name[i] = name;
        if (t >= 0 && m->of[t])
            return complain(STATUS_DATA, "%s: it has both `%s` and `%s`, and the network has one `%s`", path,
                            m->of[t]->name, f->tensors[i].name, name);
        if (t >= 0)
            m->of[t] = &f->tensors[i];
    }
    for (size_t i = 0; i < map->n; i++)
        if (!map->row[i].used)
            return complain(STATUS_USAGE, "--map %s=%s: %s has no `%s`, nor anything that begins with `%s.`",
                            map->row[i].from, map->row[i].to, path, map->row[i].from, map->row[i].from);
    return 0;
}

static bool equal_shape(const struct st_tensor *s, const struct tensor *t)
{
    bool same = s->rank == t->rank && float_type(s->type);
    for (int i = 0; same && i < s->rank; i++)
        same = s->dims[i] == (uint64_t)t->dim[i];
    return same;
}

bool match_wants(const struct plan *p, int t, enum wanted what)
{
    if (tensor_is_tally(p, t))
        return what == WANT_SLOTS;
    return tensor_is_named(p, t) && (p->tensor[t].role == ROLE_SLOT) == (what == WANT_SLOTS);
}

/* Nothing of the network answers to the name, nor need it. */
static bool stranger(const struct match *m, const char *name)
{
    return plan_tensor(m, name) < 0 && !ends(name, "num_batches_tracked") && !starts(name, "optimizer.");
}

static const char *file_shape(const struct st_tensor *s, char *text, size_t size)
{
    int64_t dim[ST_MAX_RANK] = {0};
    for (int i = 0; i < s->rank; i++)
        dim[i] = (int64_t)s->dims[i];
    return shape_text_of(s->rank, dim, text, size);
}

int match_differences(const struct match *m, const struct st_file *f, enum wanted what, int *shapes)
{
    int count = 0;
    *shapes = 0;
    for (int t = 0; t < m->plan->ntensor; t++)
        if (match_wants(m->plan, t, what) && !(m->of[t] && equal_shape(m->of[t], &m->plan->tensor[t]))) {
            count++;
            *shapes += m->of[t] != NULL;
        }
    for (size_t i = 0; i < f->n_tensors; i++)
        count += stranger(m, m->name[i]);
    return count;
}

/* ---- showing the differences ---- */

enum { MOST_SHOWN = 60, MOST_HELP = 8, NAME_MOST = 48 };

struct difference {
    char mark;                 /* ! shapes differ, ~ nearest match, - missing in the file, + unknown to the network */
    int t;                     /* tensor of the plan, -1: none */
    const struct st_tensor *s; /* of the file, NULL: none */
};

/* Up to its last dot, and from there on: "conv1" and ".weight". */
static const char *leaf(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot : name + strlen(name);
}

/* Among strangers of the same shape: one with the same last word, else any; the first in the order in which people count. */
static const struct st_tensor *nearest(const struct match *m, const struct st_file *f, const struct tensor *t,
                                       bool taken[])
{
    size_t best = f->n_tensors;
    bool best_leaf = false;
    for (size_t i = 0; i < f->n_tensors; i++) {
        const struct st_tensor *s = &f->tensors[i];
        if (taken[i] || !stranger(m, m->name[i]) || !equal_shape(s, t))
            continue;
        bool same_leaf = !strcmp(leaf(s->name), leaf(t->name));
        if (best == f->n_tensors || same_leaf > best_leaf ||
            (same_leaf == best_leaf && strverscmp(s->name, f->tensors[best].name) < 0)) {
            best = i;
            best_leaf = same_leaf;
        }
    }
    if (best == f->n_tensors)
        return NULL;
    taken[best] = true;
    return &f->tensors[best];
}

/* In the order of the network, then what is left of the file. `to` has room for all. */
static int find_differences(const struct match *m, const struct st_file *f, enum wanted what, struct difference *to,
                            bool taken[])
{
    int n = 0;
    for (int t = 0; t < m->plan->ntensor; t++) {
        const struct st_tensor *s = m->of[t];
        if (!match_wants(m->plan, t, what) || (s && equal_shape(s, &m->plan->tensor[t])))
            continue;
        const struct st_tensor *near = s ? s : nearest(m, f, &m->plan->tensor[t], taken);
        to[n++] = (struct difference){s ? '!' : near ? '~' : '-', t, near};
    }
    for (size_t i = 0; i < f->n_tensors; i++)
        if (!taken[i] && stranger(m, m->name[i]))
            to[n++] = (struct difference){'+', -1, &f->tensors[i]};
    return n;
}

static void file_side(const struct difference *d, char *text, size_t size)
{
    char shape[128];
    snprintf(text, size, "%s", "");
    if (d->s)
        snprintf(text, size, "%s  %s%s%s", d->s->name, d->s->type == ST_F32 ? "" : st_type_name(d->s->type),
                 d->s->type == ST_F32 ? "" : " ", file_shape(d->s, shape, sizeof shape));
}

static void show_row(const struct match *m, const struct difference *d, int width)
{
    char file[600], shape[128];
    const struct tensor *t = d->t >= 0 ? &m->plan->tensor[d->t] : NULL;
    file_side(d, file, sizeof file);
    fprintf(stderr, "  %c %-*s%s%s%s%s\n", d->mark, t ? width : 0, file, t ? "  " : "", t ? t->name : "", t ? "  " : "",
            t ? shape_text_of(t->rank, t->dim, shape, sizeof shape) : "");
}

/* The pairs of nearest matches, as --map would say them: layers where the last words agree. */
static void show_help(const struct match *m, const struct difference *d, int n)
{
    char last[1200] = "", text[1200];
    int said = 0;
    for (int i = 0; i < n; i++) {
        if (d[i].mark != '~')
            continue;
        const char *from = d[i].s->name, *to = m->plan->tensor[d[i].t].name;
        bool layers = !strcmp(leaf(from), leaf(to));
        snprintf(text, sizeof text, " --map %.*s=%.*s", (int)((layers ? leaf(from) : from + strlen(from)) - from), from,
                 (int)((layers ? leaf(to) : to + strlen(to)) - to), to);
        if (!strcmp(text, last))
            continue;
        fprintf(stderr, "%s%s", said == 0 ? "  = help: if those beside each other are the same:" : "",
                said < MOST_HELP ? text : "");
        snprintf(last, sizeof last, "%s", text);
        said++;
    }
    if (said > 0)
        fprintf(stderr, "%s\n", said > MOST_HELP ? " ... (such lines may lie in a file: --map FILE)" : "");
}

void match_show(const struct match *m, const struct st_file *f, enum wanted what)
{
    struct difference *d = calloc(f->n_tensors + (size_t)m->plan->ntensor + 1, sizeof *d);
    bool *taken = calloc(f->n_tensors + 1, sizeof *taken);
    char file[600];
    int n = d && taken ? find_differences(m, f, what, d, taken) : 0, width = (int)strlen("in the file");
    for (int i = 0; i < n && i < MOST_SHOWN; i++) {
        file_side(&d[i], file, sizeof file);
        int length = (int)strlen(file);
        width = d[i].t >= 0 && length > width ? length < NAME_MOST ? length : NAME_MOST : width;
    }
    if (n > 0)
        fprintf(stderr, "    %-*s  in the network\n", width, "in the file");
    for (int i = 0; i < n && i < MOST_SHOWN; i++)
        show_row(m, &d[i], width);
    if (n > MOST_SHOWN)
        fprintf(stderr, "    and %d more\n", n - MOST_SHOWN);
    show_help(m, d, n);
    free(d);
    free(taken);
}
