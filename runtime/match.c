/* match.c: which tensor of a file is which of the network, and what is said where they differ. */
#include "match.h"

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
    static const char *const prefix[] = { "module.", "_orig_mod." };
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
        if (tensor_is_named(p, t))
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
    free(m->sorted);
    free(m->of);
    free(m->name);
}

/* A name stands for itself before prefixes are taken off. 0, or a status after a message. */
int match(struct match *m, const struct plan *p, const struct st_file *f, const char *path)
{
    *m = (struct match){ .plan = p, .of = calloc((size_t)p->ntensor + 1, sizeof *m->of),
                         .name = calloc(f->n_tensors + 1, sizeof *m->name) };
    if (!m->of || !m->name || !sort_named(m))
        return complain(STATUS_INTERNAL, "no memory for a checkpoint");
    for (size_t i = 0; i < f->n_tensors; i++) {
        const char *name = f->tensors[i].name, *shorter;
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
    return 0;
}

static bool same_shape(const struct st_tensor *s, const struct tensor *t)
{
    bool same = s->rank == t->rank && s->type == ST_F32;
    for (int i = 0; same && i < s->rank; i++)
        same = s->dims[i] == (uint64_t)t->dim[i];
    return same;
}

bool match_wants(const struct plan *p, int t, bool slots)
{
    return tensor_is_named(p, t) && (slots || p->tensor[t].role != ROLE_SLOT);
}

/* Nothing of the network answers to the name, nor need it. */
static bool stranger(const struct match *m, const char *name)
{
    return plan_tensor(m, name) < 0 && !ends(name, "num_batches_tracked") && !starts(name, "optimizer.");
}

static const char *file_shape(const struct st_tensor *s, char *text, size_t size)
{
    int64_t dim[ST_MAX_RANK] = { 0 };
    for (int i = 0; i < s->rank; i++)
        dim[i] = (int64_t)s->dims[i];
    return shape_text_of(s->rank, dim, text, size);
}


int match_differences(const struct match *m, const struct st_file *f, bool slots, bool show, int *shapes)
{
    const struct plan *p = m->plan;
    char has[128], wants[128];
    int count = 0;
    for (int t = 0; t < p->ntensor; t++) {
        const struct tensor *tensor = &p->tensor[t];
        const struct st_tensor *s = m->of[t];
        if (!match_wants(p, t, slots) || (s && same_shape(s, tensor)))
            continue;
        count++;
        *shapes += s != NULL;
        shape_text_of(tensor->rank, tensor->dim, wants, sizeof wants);
        if (show && s)
            fprintf(stderr, "  ! %s: %s %s in the file, F32 %s in the network\n", tensor->name, st_type_name(s->type),
                    file_shape(s, has, sizeof has), wants);
        else if (show)
            fprintf(stderr, "  - %s: %s in the network, missing in the file\n", tensor->name, wants);
    }
    for (size_t i = 0; i < f->n_tensors; i++) {
        if (!stranger(m, m->name[i]))
            continue;
        count++;
        if (show)
            fprintf(stderr, "  + %s: %s in the file, unknown to the network\n", m->name[i],
                    file_shape(&f->tensors[i], has, sizeof has));
    }
    return count;
}
