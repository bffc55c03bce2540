/* arena.c: arithmetic of places in the arena of a phase (plan.h draws it), in bytes and checked for overflow. */
#include "plan.h"

#define ADD __builtin_add_overflow
#define MUL __builtin_mul_overflow

int64_t dtype_bytes(enum dtype d)
{
    static const int64_t bytes[DT_COUNT] = {[DT_F32] = 4, [DT_U8] = 1, [DT_I32] = 4, [DT_U32] = 4, [DT_F64] = 8};
    return (unsigned)d < DT_COUNT ? bytes[d] : -1;
}

int64_t tensor_elements(const struct tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] < 0 || MUL(n, t->dim[i], &n))
            return -1;
    return n;
}

bool role_is_output(enum role r)
{
    return r == ROLE_OUTPUT || r == ROLE_LOGITS || r == ROLE_ESTIMATE;
}

int64_t schedule_arena(const struct plan *p, const struct schedule *s, int64_t rows)
{
    int64_t total, all_rows;
    if (rows < 0 || rows % ROW_BLOCK || ADD(p->persistent, s->fixed, &total) || MUL(s->per_row, rows, &all_rows) ||
        ADD(total, all_rows, &total))
        return -1;
    return total;
}

int64_t schedule_needs(const struct plan *p, const struct schedule *s, int64_t rows, bool parts)
{
    int64_t total = schedule_arena(p, s, rows);
    return total < 0 || (parts && ADD(total, s->parts, &total)) ? -1 : total;
}

int64_t schedule_fit(const struct plan *p, const struct schedule *s, int64_t budget)
{
    int64_t always = schedule_arena(p, s, 0);
    if (always < 0 || always > budget)
        return 0;
    int64_t rows = s->per_row > 0 ? (budget - always) / s->per_row : MAX_ROWS;
    if (rows > MAX_ROWS)
        rows = MAX_ROWS;
    return rows / ROW_BLOCK * ROW_BLOCK;
}

int64_t plan_slots(const struct plan *p)
{
    int64_t least = p->persistent;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        int64_t place = t->base >= 0 ? p->tensor[t->base].offset + t->at : t->offset;
        if (t->schedule < 0 && t->role != ROLE_SLOT && place < least)
            least = place;
    }
    return least / FIXED_ALIGN * FIXED_ALIGN;
}

int64_t arena_skip(const struct plan *p, const int64_t rows[PHASE_COUNT])
{
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        if (rows[ph] > 0 && phase_trains((enum phase)ph))
            return 0;
    return plan_slots(p);
}

int64_t schedule_alone(const struct plan *p, const struct schedule *s, int64_t rows)
{
    int64_t bytes = schedule_arena(p, s, rows);
    return bytes < 0 || phase_trains(s->phase) ? bytes : bytes - plan_slots(p);
}

int64_t tensor_place(const struct plan *p, const struct schedule *s, int tensor, int64_t rows)
{
    const struct tensor *t = &p->tensor[tensor], *base = t->base >= 0 ? &p->tensor[t->base] : t;
    int64_t place = base->offset, behind;
    if (t->base >= 0 && ADD(place, t->at, &place))
        return -1;
    if (base->schedule < 0)
        return place;
    if (base->role == ROLE_SUM)
        return (behind = schedule_arena(p, s, rows)) < 0 || ADD(place, behind, &place) ? -1 : place;
    if (base->rows && MUL(place, rows, &place))
        return -1;
    if (base->rows && ADD(place, s->fixed, &place))
        return -1;
    return ADD(place, p->persistent, &place) ? -1 : place;
}

bool tensor_stored(const struct tensor *t)
{
    return t->base >= 0 || t->schedule < 0 || t->first < t->last;
}

static int add_operand(const struct plan *p, int tensor, int *list, int n)
{
    if (!tensor_stored(&p->tensor[tensor]))
        return n;
    for (int i = 0; i < n; i++)
        if (list[i] == tensor)
            return n;
    list[n] = tensor;
    return n + 1;
}

int kernel_operands(const struct plan *p, int k, int *list)
{
    const struct kernel *kernel = &p->kernel[k];
    int n = 0;
    for (const struct stage *s = kernel->stage; s < kernel->stage + kernel->nstage; s++) {
        for (int i = 0; i < s->nin; i++)
            n = add_operand(p, s->in[i], list, n);
        for (int i = 0; i < s->nout; i++)
            n = add_operand(p, s->out[i], list, n);
    }
    return n;
}
