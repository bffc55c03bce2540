/* judge.c: may this plan touch memory? Recomputes everything from the places and lifetimes in the plan; shares no code
 * with what made them. Relies on the reader for indices in range only. */
#include "op.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(struct plan_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(struct plan_error *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, format, ap);
    va_end(ap);
    e->line = 0;
    return false;
}

static const struct tensor *base_of(const struct plan *p, const struct tensor *t)
{
    return t->base < 0 ? t : &p->tensor[t->base];
}

static bool internal(const struct tensor *t) /* lives in registers of one kernel, has no bytes */
{
    return t->base < 0 && t->schedule >= 0 && t->first == t->last;
}

static bool lives(const struct tensor *t, int step)
{
    return t->schedule < 0 || (t->first <= step && step < t->last);
}

static int64_t region_bytes(const struct plan *p, const struct tensor *t)
{
    if (t->schedule < 0)
        return p->persistent;
    const struct schedule *s = &p->schedule[t->schedule];
    return t->rows ? s->per_row : t->role == ROLE_SUM ? s->parts : s->fixed;
}

/* Are [at, at + bytes) within [0, room) and `at` a multiple of `align`? */
static bool within(int64_t at, int64_t bytes, int64_t room, int64_t align)
{
    return at >= 0 && at % align == 0 && bytes <= room && at <= room - bytes;
}

static bool large_enough(const struct tensor *t)
{
    int64_t need = t->dtype == DT_U8 ? 1 : t->dtype == DT_F64 ? 8 : 4;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] < 1 || __builtin_mul_overflow(need, t->dim[i], &need))
            return false;
    if (t->rows && t->layout)
        need = row_bytes(t);
    return need >= 0 && t->bytes >= need;
}

static bool judge_tensor(const struct plan *p, const struct tensor *t, struct plan_error *e)
{
    const struct tensor *base = base_of(p, t);
    const struct schedule *s = t->schedule < 0 ? NULL : &p->schedule[t->schedule];
    if (!large_enough(t))
        return refuse(e, "tensor %s: its shape needs more than its %lld bytes", t->name, (long long)t->bytes);
    if (t->rows ? !s || !t->layout || t->bytes % PLACE_ALIGN : t->layout != NULL)
        return refuse(e, "tensor %s: rows need a schedule and a multiple of %d bytes, blocks need rows", t->name,
                      PLACE_ALIGN);
    if (t->first < 0 || t->first > t->last || (s && t->last > s->last_kernel - s->first_kernel))
        return refuse(e, "tensor %s: lives during [%d, %d), which its schedule has not", t->name, t->first, t->last);
    if (t->base >= 0) {
        if (base->base >= 0 || internal(base) || base->role == ROLE_WORKSPACE || base->role == ROLE_RING ||
            base->rows != t->rows || (base->schedule != t->schedule && base->schedule >= 0))
            return refuse(e, "tensor %s: cannot be a part of %s", t->name, base->name);
        if ((t->role == ROLE_SUM) != (base->role == ROLE_SUM))
            return refuse(e, "tensor %s: a sum over parts and %s have no bytes in common", t->name, base->name);
        if (!within(t->at, t->bytes, base->bytes, t->rows ? PLACE_ALIGN : PARAM_ALIGN))
            return refuse(e, "tensor %s: lies outside of %s or is not aligned in it", t->name, base->name);
    } else if (!internal(t)) {
        if (!within(t->offset, t->bytes, region_bytes(p, t), t->rows ? PLACE_ALIGN : FIXED_ALIGN))
            return refuse(e, "tensor %s: lies outside of its region or is not aligned", t->name);
    }
    return true;
}

/* ---- no two tensors share a byte while both live ---- */

static int64_t start_of(const struct tensor *t)
{
    return t->base < 0 ? t->offset : t->at;
}

static bool overlap(const struct tensor *a, const struct tensor *b, struct plan_error *e)
{
    return refuse(e, "tensors %s and %s overlap", a->name, b->name);
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* What begins at one place: the longest first. */
static int by_place(const void *left, const void *right)
{
    const struct tensor *a = *(const struct tensor *const *)left, *b = *(const struct tensor *const *)right;
    return order(a->base, b->base)
               ?: order(a->schedule, b->schedule) ?: order(start_of(a), start_of(b)) ?: order(b->bytes, a->bytes);
}

/* May part b lie within a, where it begins? The same bytes have another shape; in a phase some of them are a part of a part. */
static bool may_nest(const struct tensor *a, const struct tensor *b)
{
    const bool within = start_of(b) + b->bytes <= start_of(a) + a->bytes;
    const bool same = start_of(a) == start_of(b) && a->bytes == b->bytes;
    return b->base >= 0 && (same || (b->schedule >= 0 && within));
}

/* What persists, and the parts of what persists, n of them: none may cut across another, as two parameters would. `open` has room for
 * n: those that the next may lie in, each within the one before. */
static bool judge_persistent(const struct tensor **v, int n, const struct tensor **open, struct plan_error *e)
{
    int depth = 0;
    qsort(v, (size_t)n, sizeof *v, by_place);
    for (int i = 0; i < n; open[depth++] = v[i++]) {
        while (depth && (open[depth - 1]->base != v[i]->base || open[depth - 1]->schedule != v[i]->schedule ||
                         start_of(open[depth - 1]) + open[depth - 1]->bytes <= start_of(v[i])))
            depth--;
        if (depth && !may_nest(open[depth - 1], v[i]))
            return overlap(open[depth - 1], v[i], e);
    }
    return true;
}

/* Of a phase's regions, where offsets count: fixed, rows, parts. */
static int region_of(const struct tensor *t)
{
    return t->rows ? 1 : t->role == ROLE_SUM ? 2 : 0;
}

static int by_birth(const void *left, const void *right)
{
    const struct tensor *a = *(const struct tensor *const *)left, *b = *(const struct tensor *const *)right;
    return order(a->schedule, b->schedule) ?: order(region_of(a), region_of(b)) ?: order(a->first, b->first);
}

/* Tensors in the order of their places; those that live do not overlap. The dead leave when they stand in the way. */
struct living {
    const struct tensor **at;
    int n;
};

static bool is_born(struct living *v, const struct tensor *t, struct plan_error *e)
{
    int i = 0, behind = v->n;
    while (i < behind) {
        int middle = i + (behind - i) / 2;
        if (v->at[middle]->offset <= t->offset)
            i = middle + 1;
        else
            behind = middle;
    }
    while (i > 0 && v->at[i - 1]->last <= t->first)
        i--;
    while (behind < v->n && v->at[behind]->last <= t->first)
        behind++;
    if (i > 0 && t->offset < v->at[i - 1]->offset + v->at[i - 1]->bytes)
        return overlap(v->at[i - 1], t, e);
    if (behind < v->n && v->at[behind]->offset < t->offset + t->bytes)
        return overlap(v->at[behind], t, e);
    memmove(v->at + i + 1, v->at + behind, (size_t)(v->n - behind) * sizeof *v->at);
    v->at[i] = t;
    v->n += 1 - (behind - i);
    return true;
}

/* What lives for a while, n tensors: each is compared with its neighbours when it is born. */
static bool judge_passing(const struct tensor **v, int n, struct living *living, struct plan_error *e)
{
    qsort(v, (size_t)n, sizeof *v, by_birth);
    for (int i = 0; i < n; i++) {
        if (i && (v[i - 1]->schedule != v[i]->schedule || region_of(v[i - 1]) != region_of(v[i])))
            living->n = 0;
        if (!is_born(living, v[i], e))
            return false;
    }
    return true;
}

static bool judge_places(const struct plan *p, struct plan_error *e)
{
    const struct tensor **list = calloc(2 * (size_t)p->ntensor + 2, sizeof *list);
    if (!list)
        return refuse(e, "no memory to judge the plan");
    struct living living = {.at = list + p->ntensor};
    int n = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (base_of(p, t)->schedule < 0)
            list[n++] = t;
    bool good = judge_persistent(list, n, living.at, e);
    n = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->base < 0 && t->schedule >= 0 && !internal(t))
            list[n++] = t;
    good = good && judge_passing(list, n, &living, e);
    free(list);
    return good;
}

/* ---- schedules ---- */

/* Sums of the bytes a row that live at each step of schedule i: change[0] at the first, and so on. */
static void count_living(const struct plan *p, int i, int64_t *change)
{
    const struct schedule *s = &p->schedule[i];
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->schedule == i && t->rows && t->base < 0) {
            change[t->first] += t->bytes;
            change[t->last] -= t->bytes;
        }
    for (int step = 1; step < s->last_kernel - s->first_kernel; step++)
        change[step] += change[step - 1];
}

static bool judge_peak(const struct plan *p, int i, struct plan_error *e)
{
    const struct schedule *s = &p->schedule[i];
    int steps = s->last_kernel - s->first_kernel;
    int64_t bound = 0, *live = calloc((size_t)steps + 1, sizeof *live);
    if (!live)
        return refuse(e, "no memory to judge the plan");
    count_living(p, i, live);
    for (int step = 0; step < steps; step++)
        bound = live[step] > bound ? live[step] : bound;
    bool peak = s->peak_step >= 0 && s->peak_step < steps && live[s->peak_step] == bound;
    free(live);
    if (s->bound_per_row != bound || s->per_row < bound)
        return refuse(e, "schedule %d: the bound is %lld bytes a row", i, (long long)bound);
    return peak || refuse(e, "schedule %d: step %d is not the peak", i, s->peak_step);
}

static bool judge_schedule(const struct plan *p, int i, struct plan_error *e)
{
    const struct schedule *s = &p->schedule[i];
    int64_t most;
    for (int j = 0; j < i; j++)
        if (p->schedule[j].target == s->target && p->schedule[j].phase == s->phase)
            return refuse(e, "schedules %d and %d are for the same target and phase", j, i);
    if (s->first_kernel != (i ? s[-1].last_kernel : 0) || s->last_kernel <= s->first_kernel ||
        s->last_kernel > p->nkernel)
        return refuse(e, "schedule %d: its kernels do not follow those of the one before", i);
    if (s->fixed < 0 || s->fixed % FIXED_ALIGN || s->parts < 0 || s->parts % FIXED_ALIGN || s->per_row < 0 ||
        s->per_row % PLACE_ALIGN)
        return refuse(e, "schedule %d: fixed and parts must be multiples of %d, per_row of %d", i, FIXED_ALIGN,
                      PLACE_ALIGN);
    if (s->parts && !phase_trains(s->phase))
        return refuse(e, "schedule %d: only training has bytes for parts", i);
    if (__builtin_mul_overflow(s->per_row, (int64_t)MAX_ROWS, &most) || __builtin_add_overflow(most, s->fixed, &most) ||
        __builtin_add_overflow(most, s->parts, &most) || __builtin_add_overflow(most, p->persistent, &most))
        return refuse(e, "schedule %d: the arena of %d rows has no 64-bit size", i, MAX_ROWS);
    return judge_peak(p, i, e);
}

/* made[t]: 1 + the last kernel that wrote tensor t or its bytes, 0: none yet. */
static bool judge_operand(const struct plan *p, int k, int tensor, bool written, int *made, struct plan_error *e)
{
    const struct kernel *kernel = &p->kernel[k];
    const struct tensor *t = &p->tensor[tensor], *base = base_of(p, t);
    int step = k - p->schedule[kernel->schedule].first_kernel;
    int *when = &made[t->base < 0 ? tensor : t->base];
    if ((t->schedule >= 0 && t->schedule != kernel->schedule) || (internal(t) ? t->first != step : !lives(base, step)))
        return refuse(e, "kernel %d (%s): %s does not live then", k, kernel->name, t->name);
    if ((t->role == ROLE_SLOT || base->role == ROLE_SLOT) && !phase_trains(p->schedule[kernel->schedule].phase))
        return refuse(e, "kernel %d (%s): %s is the optimizer's, and this phase does not train", k, kernel->name,
                      t->name);
    if (base->role == ROLE_SUM && kernel_runs(p, k, false))
        return refuse(e, "kernel %d (%s): %s is not there when a batch runs in one piece, and this kernel is", k,
                      kernel->name, t->name);
    if (written) {
        if (internal(t) && *when)
            return refuse(e, "kernel %d (%s): %s is made twice", k, kernel->name, t->name);
        *when = k + 1;
    } else if (!*when && (internal(t) || (base->schedule >= 0 && t->role <= ROLE_TARGET))) {
        return refuse(e, "kernel %d (%s): %s is read before it is made", k, kernel->name, t->name);
    }
    return true;
}

static bool judge_kernel(const struct plan *p, int k, int *made, struct plan_error *e)
{
    const struct kernel *kernel = &p->kernel[k];
    const struct schedule *s = &p->schedule[kernel->schedule];
    if (k < s->first_kernel || k >= s->last_kernel)
        return refuse(e, "kernel %d (%s): not one of schedule %d", k, kernel->name, kernel->schedule);
    if (!kernel_runs(p, k, false) && !phase_trains(s->phase))
        return refuse(e, "kernel %d (%s): only training runs in parts", k, kernel->name);
    for (const struct stage *g = kernel->stage; g < kernel->stage + kernel->nstage; g++) {
        for (int i = 0; i < g->nin; i++)
            if (!judge_operand(p, k, g->in[i], false, made, e))
                return false;
        for (int i = 0; i < g->nout; i++) {
            for (int j = 0; j < i; j++)
                if (g->out[i] == g->out[j])
                    return refuse(e, "kernel %d (%s): a stage writes one tensor twice", k, kernel->name);
            if (!judge_operand(p, k, g->out[i], true, made, e))
                return false;
        }
    }
    return true;
}

/* Kernels that no stage names write there, so nothing else may lie there at any step. */
static bool whole_phase(const struct plan *p, const struct tensor *t)
{
    if (t->schedule < 0 || t->base >= 0 || t->rows)
        return false;
    const struct schedule *s = &p->schedule[t->schedule];
    return t->first == 0 && t->last == s->last_kernel - s->first_kernel;
}

static bool judge_whole(const struct plan *p, struct plan_error *e)
{
    int controls = 0;
    if (p->persistent < 0 || p->persistent % FIXED_ALIGN)
        return refuse(e, "the persistent bytes must be a multiple of %d", FIXED_ALIGN);
    if ((p->nschedule ? p->schedule[p->nschedule - 1].last_kernel : 0) != p->nkernel)
        return refuse(e, "%d kernels, but the schedules do not end there", p->nkernel);
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (t->base >= 0 && p->tensor[t->base].role == ROLE_CONTROL)
            return refuse(e, "tensor %s: the control block has no parts", t->name);
        if (t->role == ROLE_SUM && t->base < 0 && !whole_phase(p, t))
            return refuse(e, "tensor %s: a sum over parts is there from run to run", t->name);
        bool passes = t->role == ROLE_WORKSPACE && t->rows && t->base < 0 && t->last == t->first + 1;
        if ((t->role == ROLE_WORKSPACE || t->role == ROLE_RING) && !passes && !whole_phase(p, t))
            return refuse(
                e, "tensor %s: a workspace and a ring are there through their whole phase, and no part of others",
                t->name);
        if (t->role == ROLE_RING && (t->dtype != DT_U32 || t->rank != 1 || t->dim[0] != (1 + RING_STEPS) * CTL_WORDS ||
                                     t->rows || t->base >= 0))
            return refuse(e, "tensor %s: a ring is %d words u32", t->name, (1 + RING_STEPS) * CTL_WORDS);
        if (t->role != ROLE_CONTROL)
            continue;
        controls++;
        if (t->dtype != DT_U32 || t->rank != 1 || t->dim[0] != CTL_WORDS || t->schedule >= 0 || t->base >= 0)
            return refuse(e, "tensor %s: a control block is %d persistent words u32", t->name, CTL_WORDS);
    }
    return controls == 1 || refuse(e, "%d control blocks instead of one", controls);
}

bool plan_judge(const struct plan *p, struct plan_error *e)
{
    bool good = judge_whole(p, e);
    for (int i = 0; good && i < p->ntensor; i++)
        good = judge_tensor(p, &p->tensor[i], e);
    good = good && judge_places(p, e);
    for (int i = 0; good && i < p->nschedule; i++)
        good = judge_schedule(p, i, e);
    int *made = good ? calloc((size_t)p->ntensor + 1, sizeof *made) : NULL;
    if (good && !made)
        good = refuse(e, "no memory to judge the plan");
    for (int k = 0; good && k < p->nkernel; k++)
        good = judge_kernel(p, k, made, e);
    for (int i = 0; good && i < p->ntensor; i++)
        if (internal(&p->tensor[i]) && !made[i])
            good = refuse(e, "tensor %s: no kernel makes it", p->tensor[i].name);
    free(made);
    return good;
}
