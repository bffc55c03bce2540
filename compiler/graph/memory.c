/* memory.c: places. In-place chains become one buffer first; then the buffers with rows are packed by bytes a row, which
 * is optimal for every number of rows at once; without rows, what lives through a phase lies side by side, and what the optimizer's step
 * makes is packed behind it. */
#include "graph.h"
#include "pack.h"

#include <stdlib.h>
#include <string.h>

static bool reads(const struct stage *s, int tensor)
{
    for (int i = 0; i < s->nin; i++)
        if (s->in[i] == tensor)
            return true;
    return false;
}

/* May `out`, made by a map stage of kernel k, take the bytes of `in`? Each element of `in` must have been read, for the
 * last time, by maps at the very index at which `out` is written: not by the anchor, not by a stage behind. */
static bool may_overwrite(const struct plan *p, const struct kernel *k, int step, int maker, int out, int in)
{
    const struct tensor *to = &p->tensor[out], *from = &p->tensor[in];
    if (!from->rows || from->base >= 0 || from->schedule != to->schedule || from->last != step + 1 ||
        from->first == step || from->bytes != to->bytes || from->dtype != to->dtype || from->layout != to->layout ||
        !same_shape(from, to))
        return false;
    for (int j = 0; j < k->nstage; j++)
        for (int i = 0; i < k->stage[j].nin; i++)
            if (p->tensor[k->stage[j].in[i]].base == in)
                return false;
    for (int j = 0; j < k->nstage; j++)
        if (reads(&k->stage[j], in) && (k->stage[j].op->kind != OP_MAP || j > maker))
            return false;
    return true;
}

/* Lists of the parts of each tensor: first[t], then next[part], -1 at the end. */
struct parts {
    int *first, *next;
};

static struct parts parts_of(const struct plan *p)
{
    struct parts v = {region_alloc(p->region, (size_t)p->ntensor + 1, sizeof *v.first),
                      region_alloc(p->region, (size_t)p->ntensor + 1, sizeof *v.next)};
    memset(v.first, -1, (size_t)p->ntensor * sizeof *v.first);
    for (int t = 0; t < p->ntensor; t++)
        if (p->tensor[t].base >= 0) {
            v.next[t] = v.first[p->tensor[t].base];
            v.first[p->tensor[t].base] = t;
        }
    return v;
}

/* A tensor that is made over another was no base of a merge before, so the lists of the beginning are enough. */
static void merge_in_place(struct plan *p)
{
    const struct parts parts = parts_of(p);
    for (int n = 0; n < p->nkernel; n++) {
        const struct kernel *k = &p->kernel[n];
        int step = n - p->schedule[k->schedule].first_kernel;
        for (int s = 0; s < k->nstage; s++) {
            if (k->stage[s].op->kind != OP_MAP)
                continue;
            struct tensor *out = &p->tensor[k->stage[s].out[0]];
            if (!out->rows || out->base >= 0 || out->first == out->last)
                continue;
            for (int i = 0; i < k->nstage * MAX_OPERANDS; i++) {
                const struct stage *from = &k->stage[i / MAX_OPERANDS];
                if (i % MAX_OPERANDS >= from->nin)
                    continue;
                int in = from->in[i % MAX_OPERANDS], to = k->stage[s].out[0];
                if (!may_overwrite(p, k, step, s, to, in))
                    continue;
                p->tensor[in].last = out->last;
                out->base = in;
                out->at = 0;
                for (int t = parts.first[to]; t >= 0; t = parts.next[t])
                    p->tensor[t].base = in;
                break;
            }
        }
    }
    for (struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->base >= 0 && t->schedule >= 0 && t->rows) {
            t->first = p->tensor[t->base].first;
            t->last = p->tensor[t->base].last;
        }
}

static int64_t beside(int64_t *end, int64_t bytes)
{
    int64_t at = *end;
    if (__builtin_add_overflow(at, (bytes + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN, end)) {
        fprintf(stderr, "internal error: the tensors take more bytes than can be counted\n");
        exit(70);
    }
    return at;
}

static int64_t *region_end(struct plan *p, const struct tensor *t)
{
    struct schedule *s = t->schedule < 0 ? NULL : &p->schedule[t->schedule];
    return !s ? &p->persistent : t->role == ROLE_SUM ? &s->parts : &s->fixed;
}

/* What lives for a while, besides rows: behind all that lives through the whole phase. */
static bool passes(const struct plan *p, const struct tensor *t)
{
    const struct schedule *s = &p->schedule[t->schedule];
    return !t->rows && t->base < 0 && t->first < t->last &&
           (t->first > 0 || t->last < s->last_kernel - s->first_kernel);
}

/* Slots first, so that what does not train can do without them. */
static void place_fixed(struct plan *p)
{
    for (struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->base < 0 && t->schedule < 0 && t->role == ROLE_SLOT)
            t->offset = beside(&p->persistent, t->bytes);
    for (struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->base < 0 && !t->rows && (t->schedule >= 0 ? !passes(p, t) : t->role != ROLE_SLOT))
            t->offset = beside(region_end(p, t), t->bytes);
}

static void place_passing(struct plan *p, int schedule)
{
    struct region *scratch = region_new();
    struct interval *v = NULL;
    struct tensor **tensor = NULL;
    int n = 0;
    for (struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->schedule == schedule && passes(p, t)) {
            region_grow(scratch, v, n);
            region_grow(scratch, tensor, n);
            v[n] = (struct interval){t->first, t->last, (t->bytes + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN, 0};
            tensor[n++] = t;
        }
    const int64_t bytes = pack(v, n, FIXED_ALIGN);
    const int64_t at = bytes < 0 ? -1 : beside(&p->schedule[schedule].fixed, bytes);
    if (bytes < 0) {
        fprintf(stderr, "internal error: the packer failed\n");
        exit(70);
    }
    for (int i = 0; i < n; i++)
        tensor[i]->offset = at + v[i].offset;
    region_free(scratch);
}

static void place_rows(struct plan *p, int schedule)
{
    struct schedule *s = &p->schedule[schedule];
    struct region *scratch = region_new();
    struct interval *v = NULL;
    int *tensor = NULL, n = 0;
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        if (t->schedule == schedule && t->rows && t->base < 0 && t->first < t->last) {
            region_grow(scratch, v, n);
            region_grow(scratch, tensor, n);
            v[n] = (struct interval){t->first, t->last, t->bytes, 0};
            tensor[n++] = i;
        }
    }
    s->bound_per_row = pack_bound(v, n);
    s->per_row = pack(v, n, PLACE_ALIGN);
    if (s->per_row < 0 || s->bound_per_row < 0) {
        fprintf(stderr, "internal error: the packer failed\n");
        exit(70);
    }
    const int steps = s->last_kernel - s->first_kernel;
    int64_t most = -1, sum = 0, *change = region_alloc(scratch, (size_t)steps + 1, sizeof *change);
    for (int i = 0; i < n; i++) {
        p->tensor[tensor[i]].offset = v[i].offset;
        change[v[i].lower] += v[i].size;
        change[v[i].upper] -= v[i].size;
    }
    for (int step = 0; step < steps; step++) {
        sum += change[step];
        if (sum > most) {
            most = sum;
            s->peak_step = step;
        }
    }
    region_free(scratch);
}

void memory(struct plan *p)
{
    merge_in_place(p);
    place_fixed(p);
    for (int i = 0; i < p->nschedule; i++) {
        place_passing(p, i);
        place_rows(p, i);
    }
}
