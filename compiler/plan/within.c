/* within.c: is a plan within what its reader accepts (bounds.h)? Asked where the network is compiled, for the line
 * to blame. */
#include "op.h"
#include "base/base.h"

#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* The line that stands there most often, lines that are none (0) left out; sorts them. */
static int busiest(int *line, int n)
{
    int best = 0, most = 0;
    qsort(line, (size_t)n, sizeof *line, by_number);
    for (int i = 0, from = 0; i < n; i++) {
        from = line[i] == line[from] ? from : i;
        if (line[i] && i - from >= most) {
            most = i - from + 1;
            best = line[i];
        }
    }
    return best;
}

static bool too_many(struct plan_error *e, const char *what, int n, int most, int *line)
{
    if (n <= most)
        return false;
    snprintf(e->text, sizeof e->text, "the network makes %d %s, and a plan holds %d; most of them are made here", n,
             what, most);
    e->line = busiest(line, n);
    return true;
}

/* Of the bytes of a schedule's region (schedule -1: of the persistent ones), the line with the largest tensor. */
static bool too_large(const struct plan *p, struct plan_error *e, const char *what, int64_t bytes, int schedule,
                      bool rows)
{
    const struct tensor *largest = NULL;
    const int64_t most = rows ? MAX_ROW_BYTES : MAX_BYTES;
    if (bytes <= most)
        return false;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->schedule == schedule && t->rows == rows && t->line && (!largest || t->bytes > largest->bytes))
            largest = t;
    snprintf(e->text, sizeof e->text,
             "the network needs %lld bytes %s, and a plan counts to %lld; the largest tensor is made "
             "here",
             (long long)bytes, what, (long long)most);
    e->line = largest ? largest->line : 0;
    return true;
}

bool plan_within(const struct plan *p, struct plan_error *e)
{
    struct region *r = region_new();
    int *kernel = region_alloc(r, (size_t)p->nkernel + 1, sizeof *kernel);
    int *tensor = region_alloc(r, (size_t)p->ntensor + 1, sizeof *tensor);
    for (int i = 0; i < p->nkernel && p->nkernel > MAX_KERNELS; i++)
        kernel[i] = p->kernel[i].stage[0].line;
    for (int i = 0; i < p->ntensor && p->ntensor > MAX_TENSORS; i++)
        tensor[i] = p->tensor[i].line;
    bool beyond = too_many(e, "kernels", p->nkernel, MAX_KERNELS, kernel) ||
                  too_many(e, "tensors", p->ntensor, MAX_TENSORS, tensor) ||
                  too_large(p, e, "of parameters and optimizer", p->persistent, -1, false);
    region_free(r);
    for (int i = 0; i < p->nschedule && !beyond; i++)
        beyond = too_large(p, e, "of gradients", p->schedule[i].fixed, i, false) ||
                 too_large(p, e, "of sums of gradients", p->schedule[i].parts, i, false) ||
                 too_large(p, e, "for each sample", p->schedule[i].per_row, i, true);
    return !beyond;
}
