/* Branches, exits, barriers and fences. */
#include <string.h>

#include "ptx_internal.h"
#include "lanes.h"

enum reduction { REDUCE_NONE, REDUCE_POPC, REDUCE_AND, REDUCE_OR };

/* ---- branches ---- */

static void branch(struct warp *w, const struct insn *in)
{
    if (w->executed > w->worker->launch->budget)
        exec_fault(w, in, __builtin_ctz(w->group), FAULT_BUDGET,
                   "the warp has executed more than %llu instructions: an endless loop, or SIM_BUDGET is too small",
                   (unsigned long long)w->worker->launch->budget);
    uint32_t taken = w->group;
    if (in->srcs)
        taken &= predicate_lanes(w, in->reg[0], in->mode);
    if (taken == w->group) {
        w->pc = in->target;
        if (w->other_count)
            w->meet = 0;
    } else if (taken) {
        w->group &= ~taken;
        warp_set_mask(w, w->group);
        warp_split(w, in->target, taken);
    }
}

/* The branch tests its guard itself, so that both sides go on. */
static void decode_branch(struct parser *p, const struct statement *s, struct insn *in)
{
    if (!*s->label)
        unknown_form(p, s);
    in->run = branch;
    in->flow = FLOW_BRANCH;
    if (in->guard != NO_GUARD) {
        in->reg[0] = REF_REGISTER | (uint32_t)in->guard;
        in->srcs = 1;
        in->mode = in->guard_negated;
        in->guard = NO_GUARD;
    }
    p->fixups = grow(p, p->fixups, p->fixup_count, sizeof *p->fixups);
    p->fixups[p->fixup_count] = (struct fixup){copy_name(p, s->label), p->function->insns - 1, s->line};
    p->fixup_count++;
}

static void leave(struct warp *w, const struct insn *in)
{
    (void)in;
    w->live &= ~w->mask;
    w->group &= ~w->mask;
    if (w->group)
        warp_set_mask(w, w->group);
    else
        w->meet = 0;
}

static void trap(struct warp *w, const struct insn *in)
{
    exec_fault(w, in, __builtin_ctz(w->mask), FAULT_TRAP, "the kernel executed `trap`");
}

static void nothing(struct warp *w, const struct insn *in)
{
    (void)w;
    (void)in;
}

static void decode_plain(struct parser *p, const struct statement *s, struct insn *in)
{
    if (s->operands)
        unknown_form(p, s);
    in->flow = FLOW_EXIT;
    if (!strcmp(s->opcode, "ret") || !strcmp(s->opcode, "exit"))
        in->run = leave;
    else if (!strcmp(s->opcode, "trap"))
        in->run = trap;
    else
        unknown_form(p, s);
}

/* membar and fence order memory accesses, which the interpreter executes in order anyway. */
static void decode_fence(struct parser *p, const struct statement *s, struct insn *in)
{
    static const char *const known[] = {"membar.cta",        "membar.gl",         "membar.sys",
                                        "fence.acq_rel.cta", "fence.acq_rel.gpu", "fence.acq_rel.sys",
                                        "fence.sc.cta",      "fence.sc.gpu",      "fence.sc.sys"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(s->opcode, known[i]) && s->operands == 0)
            in->run = nothing;
    if (!in->run)
        unknown_form(p, s);
}

/* ---- barriers ---- */

/* All lanes of the warp arrive together; what bar.red sums up is kept for the block. */
static void barrier(struct warp *w, const struct insn *in)
{
    if (w->live != w->born)
        exec_fault(w, in, __builtin_ctz(w->born & ~w->live), FAULT_TRAP,
                   "barrier divergence: this thread left the kernel, others of its warp wait at a barrier");
    if (w->mask != w->group)
        exec_fault(w, in, __builtin_ctz(w->group & ~w->mask), FAULT_TRAP,
                   "barrier divergence: a guard keeps this thread from a barrier where others of its warp wait");
    if (w->mask != w->live) {
        warp_park(w);
        return;
    }
    if (in->imm != REDUCE_NONE) {
        struct worker *worker = w->worker;
        worker->barrier_true += (uint32_t)__builtin_popcount(predicate_lanes(w, in->reg[in->dsts], in->mode) & w->mask);
        worker->barrier_threads += (uint32_t)__builtin_popcount(w->mask);
    }
    w->state = WARP_AT_BARRIER;
}

void barrier_release(struct warp *w, const struct insn *in, uint32_t true_threads, uint32_t threads)
{
    if (in->imm == REDUCE_NONE)
        return;
    const u32 value = in->imm == REDUCE_POPC  ? true_threads
                      : in->imm == REDUCE_AND ? -(u32)(true_threads == threads)
                                              : -(u32)(true_threads != 0);
    u32 *d = row(w, in->reg[0]);
    STORE_LANES(w, d, u32, value)
}

static void warp_barrier(struct warp *w, const struct insn *in)
{
    const u32 *members = row(w, in->reg[0]);
    uint32_t all = 0;
    for (uint32_t left = w->mask; left; left &= left - 1)
        all |= members[__builtin_ctz(left)];
    if (warp_gathered(w, in, all) && w->worker->launch->check)
        check_warp_sync(w, all);
}

static bool is_zero(const struct operand *o)
{
    return o->element[0].kind == OPERAND_NUMBER && o->element[0].value == 0 && !o->braces && !o->address;
}

static void decode_barrier(struct parser *p, const struct statement *s, struct insn *in)
{
    static const struct {
        const char *opcode;
        enum reduction reduction;
    } forms[] = {{"bar.sync", REDUCE_NONE},
                 {"bar.cta.sync", REDUCE_NONE},
                 {"barrier.sync", REDUCE_NONE},
                 {"barrier.sync.aligned", REDUCE_NONE},
                 {"barrier.cta.sync", REDUCE_NONE},
                 {"barrier.cta.sync.aligned", REDUCE_NONE},
                 {"bar.red.popc.u32", REDUCE_POPC},
                 {"bar.red.and.pred", REDUCE_AND},
                 {"bar.red.or.pred", REDUCE_OR},
                 {"barrier.cta.red.popc.aligned.u32", REDUCE_POPC},
                 {"barrier.cta.red.and.aligned.pred", REDUCE_AND},
                 {"barrier.cta.red.or.aligned.pred", REDUCE_OR}};
    if (!strcmp(s->opcode, "bar.warp.sync") && s->operands == 1) {
        add_source(p, s, in, &s->operand[0].element[0], 'w');
        in->run = warp_barrier;
        return;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(s->opcode, forms[i].opcode))
            continue;
        in->run = barrier;
        in->barrier = true;
        in->imm = forms[i].reduction;
        const bool reduces = forms[i].reduction != REDUCE_NONE;
        if (s->operands != (reduces ? 3u : 1u) || !is_zero(&s->operand[reduces])) /* barrier 0, all threads */
            unknown_form(p, s);
        if (reduces) {
            struct element predicate = s->operand[2].element[0];
            in->mode = predicate.negated;
            predicate.negated = false;
            add_destination(p, s, in, &s->operand[0].element[0], forms[i].reduction == REDUCE_POPC ? 'w' : 'p');
            add_source(p, s, in, &predicate, 'p');
        }
        return;
    }
    unknown_form(p, s);
}

const struct family families_control[] = {{"bra", decode_branch},  {"ret", decode_plain},       {"exit", decode_plain},
                                          {"trap", decode_plain},  {"membar", decode_fence},    {"fence", decode_fence},
                                          {"bar", decode_barrier}, {"barrier", decode_barrier}, {0}};
