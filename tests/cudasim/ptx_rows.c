/* Gives every virtual register a row of the register file: linear scan over live intervals, so that a warp's registers
 * stay in the first cache. An interval is the hull, in order of the text, of all places where the register is live.
 * That is sound under divergence: each lane follows one path, and writes only its own lane of a row.
 *
 * Instruction i reads at position 2i and writes at 2i + 1: a result may take the row of an operand that ends there. */
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"

struct block {
    uint32_t first, end; /* instructions, half-open */
    uint64_t *use, *kill, *in, *out;
};

struct interval {
    uint32_t reg, low, high;
};

struct scan {
    struct parser *parser;
    struct ptx_function *f;
    uint32_t words; /* of a set of registers */
    struct block *blocks;
    uint32_t block_count;
    uint32_t *block_at; /* of an instruction */
    uint64_t *sets;
    struct interval *intervals; /* one for each register; low > high: never used */
    uint32_t *row;
};

static const uint32_t *references(const struct insn *in)
{
    return in->list ? in->list : in->reg;
}

static bool is_register(uint32_t reference)
{
    return (reference & REF_KIND) == REF_REGISTER;
}

static void *table(struct scan *s, size_t count, size_t bytes)
{
    void *memory = calloc(count + 1, bytes);
    if (!memory) /* what was allocated before is lost: the process is out of memory */
        parse_failed(s->parser, s->parser->lexer.token.line, "out of host memory");
    return memory;
}

static void find_blocks(struct scan *s)
{
    const struct ptx_function *f = s->f;
    bool *leads = table(s, f->insns, sizeof *leads);
    leads[0] = true;
    for (uint32_t i = 0; i < f->insns; i++) {
        if (f->code[i].flow == FLOW_BRANCH && f->code[i].target < f->insns)
            leads[f->code[i].target] = true;
        if (f->code[i].flow != FLOW_NEXT && i + 1 < f->insns)
            leads[i + 1] = true;
    }
    for (uint32_t i = 0; i < f->insns; i++)
        s->block_count += leads[i];
    s->blocks = table(s, s->block_count, sizeof *s->blocks);
    s->block_at = table(s, f->insns, sizeof *s->block_at);
    uint32_t b = 0;
    for (uint32_t i = 0; i < f->insns; i++) {
        b += i > 0 && leads[i];
        if (leads[i])
            s->blocks[b].first = i;
        s->blocks[b].end = i + 1;
        s->block_at[i] = b;
    }
    free(leads);
    s->sets = table(s, (size_t)s->block_count * 4 * s->words, sizeof *s->sets);
    for (b = 0; b < s->block_count; b++) {
        uint64_t *sets = s->sets + (size_t)b * 4 * s->words;
        s->blocks[b].use = sets;
        s->blocks[b].kill = sets + s->words;
        s->blocks[b].in = sets + 2 * (size_t)s->words;
        s->blocks[b].out = sets + 3 * (size_t)s->words;
    }
}

static bool has(const uint64_t *set, uint32_t reg)
{
    return set[reg / 64] >> reg % 64 & 1;
}

static void put(uint64_t *set, uint32_t reg)
{
    set[reg / 64] |= 1ull << reg % 64;
}

/* A guarded write keeps the old value in some lanes: it also reads. */
static void note_uses(const struct insn *in, struct block *b)
{
    const uint32_t *refs = references(in);
    for (uint32_t k = 0; k < (uint32_t)in->dsts + in->srcs; k++)
        if ((k >= in->dsts || in->guard != NO_GUARD) && is_register(refs[k]) && !has(b->kill, refs[k]))
            put(b->use, refs[k]);
    if (in->guard != NO_GUARD && !has(b->kill, (uint32_t)in->guard))
        put(b->use, (uint32_t)in->guard);
    for (uint32_t k = 0; k < in->dsts && in->guard == NO_GUARD; k++)
        put(b->kill, refs[k]);
}

static void merge_in(struct scan *s, struct block *b, uint32_t successor)
{
    if (successor < s->f->insns)
        for (uint32_t i = 0; i < s->words; i++)
            b->out[i] |= s->blocks[s->block_at[successor]].in[i];
}

static void find_live_sets(struct scan *s)
{
    for (uint32_t b = 0; b < s->block_count; b++)
        for (uint32_t i = s->blocks[b].first; i < s->blocks[b].end; i++)
            note_uses(&s->f->code[i], &s->blocks[b]);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = s->block_count; k-- > 0;) {
            struct block *b = &s->blocks[k];
            const struct insn *last = &s->f->code[b->end - 1];
            if (last->flow == FLOW_BRANCH)
                merge_in(s, b, last->target);
            const bool always = last->flow == FLOW_BRANCH ? last->srcs == 0 : last->guard == NO_GUARD;
            if (last->flow == FLOW_NEXT || !always)
                merge_in(s, b, b->end);
            for (uint32_t i = 0; i < s->words; i++) {
                const uint64_t in = b->use[i] | (b->out[i] & ~b->kill[i]);
                changed |= in != b->in[i];
                b->in[i] = in;
            }
        }
    }
}

static void extend(struct scan *s, uint32_t reg, uint32_t position)
{
    struct interval *v = &s->intervals[reg];
    v->low = position < v->low ? position : v->low;
    v->high = position > v->high ? position : v->high;
}

static void find_intervals(struct scan *s)
{
    const uint32_t registers = s->parser->register_count;
    s->intervals = table(s, registers, sizeof *s->intervals);
    for (uint32_t r = 0; r < registers; r++)
        s->intervals[r] = (struct interval){r, UINT32_MAX, 0};
    for (uint32_t k = 0; k < s->block_count; k++) {
        const struct block *b = &s->blocks[k];
        for (uint32_t r = 0; r < registers; r++) {
            if (has(b->in, r))
                extend(s, r, 2 * b->first);
            if (has(b->out, r))
                extend(s, r, 2 * b->end - 1);
        }
    }
    for (uint32_t i = 0; i < s->f->insns; i++) {
        const struct insn *in = &s->f->code[i];
        const uint32_t *refs = references(in);
        for (uint32_t k = 0; k < (uint32_t)in->dsts + in->srcs; k++)
            if (is_register(refs[k]))
                extend(s, refs[k], 2 * i + (k < in->dsts));
        if (in->guard != NO_GUARD)
            extend(s, (uint32_t)in->guard, 2 * i);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return x->low != y->low ? (x->low > y->low) - (x->low < y->low) : (x->reg > y->reg) - (x->reg < y->reg);
}

/* Rows of 64 bits lie behind those of 32, so rows of different width never overlap. */
static void scan(struct scan *s)
{
    const uint32_t registers = s->parser->register_count;
    struct interval *order = table(s, registers, sizeof *order);
    uint32_t *ends[2], counts[2] = {0, 0};
    memcpy(order, s->intervals, registers * sizeof *order);
    qsort(order, registers, sizeof *order, by_start);
    s->row = table(s, registers, sizeof *s->row);
    for (int wide = 0; wide < 2; wide++)
        ends[wide] = table(s, registers, sizeof *ends[wide]);
    for (uint32_t i = 0; i < registers && order[i].low != UINT32_MAX; i++) {
        const int wide = s->parser->classes[order[i].reg] == CLASS_64;
        uint32_t k = 0;
        while (k < counts[wide] && ends[wide][k] >= order[i].low)
            k++;
        counts[wide] += k == counts[wide];
        ends[wide][k] = order[i].high;
        s->row[order[i].reg] = k;
    }
    for (uint32_t r = 0; r < registers; r++)
        s->row[r] =
            s->parser->classes[r] == CLASS_64 ? SPECIAL_ROWS + counts[0] + 2 * s->row[r] : SPECIAL_ROWS + s->row[r];
    s->f->register_rows = SPECIAL_ROWS + counts[0] + 2 * counts[1];
    const uint32_t pressure = counts[0] + 2 * counts[1];
    s->f->register_count = pressure < 16 ? 16 : pressure > 255 ? 255 : pressure;
    free(order);
    free(ends[0]);
    free(ends[1]);
}

static uint32_t place(const struct scan *s, uint32_t reference)
{
    const uint32_t index = reference & ~REF_KIND;
    switch (reference & REF_KIND) {
    case REF_CONSTANT:
        return 2 * index * ROW_BYTES | 1;
    case REF_SPECIAL:
        return index * ROW_BYTES;
    default:
        return s->row[index] * ROW_BYTES;
    }
}

/* An atomic whose old value is read lets a block see the order in which blocks ran. */
static void find_order_sensitive(struct scan *s)
{
    bool *read = table(s, s->parser->register_count, sizeof *read);
    for (uint32_t i = 0; i < s->f->insns; i++) {
        const struct insn *in = &s->f->code[i];
        for (uint32_t k = in->dsts; k < (uint32_t)in->dsts + in->srcs; k++)
            if (is_register(references(in)[k]))
                read[references(in)[k]] = true;
    }
    for (uint32_t i = 0; i < s->f->insns; i++)
        if (s->f->code[i].atomic && s->f->code[i].space != SPACE_SHARED && s->f->code[i].dsts &&
            read[s->f->code[i].reg[0]])
            s->f->order_sensitive = true;
    free(read);
}

void assign_rows(struct parser *p, struct ptx_function *f)
{
    struct scan s = {.parser = p, .f = f, .words = p->register_count / 64 + 1};
    find_order_sensitive(&s);
    find_blocks(&s);
    find_live_sets(&s);
    find_intervals(&s);
    scan(&s);
    for (uint32_t i = 0; i < f->insns; i++) {
        struct insn *in = &f->code[i];
        uint32_t *refs = in->list ? (uint32_t *)in->list : in->reg;
        for (uint32_t k = 0; k < (uint32_t)in->dsts + in->srcs; k++)
            refs[k] = place(&s, refs[k]);
        if (in->guard != NO_GUARD)
            in->guard = (int32_t)place(&s, (uint32_t)in->guard);
    }
    free(s.blocks);
    free(s.block_at);
    free(s.sets);
    free(s.intervals);
    free(s.row);
}
