/* Tiles on their way to tensor cores: cp.async from global to shared memory, and ldmatrix from there to registers.
 *
 * An asynchronous copy is made when a wait asks for its group, never before: a kernel that forgets to wait sees what
 * the shared memory held earlier. Groups are counted per thread, as the PTX manual has it. */
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"
#include "reach.h"

enum { MATRIX_ROWS = 8, ROW_OF_MATRIX = 16, WIDE_SHARED = 1 };

/* One cp.async of one warp; a source of 0 stands for zeros. */
struct async_copy {
    struct warp *warp;
    uint32_t lanes, bytes;
    uint32_t group[LANES];
    uintptr_t to[LANES], from[LANES];
};

static struct async_copy *new_copy(struct warp *w, const struct insn *in)
{
    struct worker *worker = w->worker;
    if (worker->copy_count == worker->copy_capacity) {
        const uint32_t capacity = worker->copy_capacity ? 2 * worker->copy_capacity : 64;
        struct async_copy *larger = realloc(worker->copies, capacity * sizeof *larger);
        if (!larger)
            exec_fault(w, in, 0, FAULT_TRAP, "cudasim: out of host memory");
        worker->copies = larger;
        worker->copy_capacity = capacity;
    }
    struct async_copy *copy = &worker->copies[worker->copy_count++];
    *copy = (struct async_copy){.warp = w, .lanes = w->mask, .bytes = in->bytes};
    memcpy(copy->group, w->committed, sizeof copy->group);
    return copy;
}

/* The lanes that read: with a source size of 0 a lane writes zeros and its address may be anything. */
static uint32_t reading_lanes(struct warp *w, const struct insn *in)
{
    if (in->srcs < 3)
        return w->mask;
    const u32 *sizes = row(w, in->reg[2]);
    uint32_t lanes = 0;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        if (sizes[lane] != 0 && sizes[lane] != in->bytes)
            exec_fault(w, in, lane, FAULT_TRAP, "cp.async of %u of %u bytes is not simulated", sizes[lane], in->bytes);
        lanes |= (uint32_t)(sizes[lane] != 0) << lane;
    }
    return lanes;
}

/* reg: shared address, global address, [bytes to read]. The shared offset is in `target`, the global one in `imm`. */
static void copy_async(struct warp *w, const struct insn *in)
{
    struct insn to = *in;
    struct reach r;
    to.space = SPACE_SHARED;
    to.imm = (int32_t)in->target;
    to.wide_address = in->mode & WIDE_SHARED;
    reach_lanes(w, &to, in->reg[0], true, &r);
    struct async_copy *copy = new_copy(w, in);
    const uint32_t all = w->mask, reading = reading_lanes(w, in);
    for (int l = 0; l < LANES; l++)
        copy->to[l] = (uintptr_t)reached(&r, l);
    if (!reading)
        return;
    warp_set_mask(w, reading);
    reach_lanes(w, in, in->reg[1], false, &r);
    warp_set_mask(w, all);
    for (int l = 0; l < LANES; l++)
        copy->from[l] = reading >> l & 1 ? (uintptr_t)reached(&r, l) : 0;
}

static void commit(struct warp *w, const struct insn *in)
{
    (void)in;
    for (int l = 0; l < LANES; l++)
        w->committed[l] += w->mask >> l & 1;
}

/* Completes all but the newest in->imm groups of each active lane; in->imm < 0: everything, committed or not. */
static void wait(struct warp *w, const struct insn *in)
{
    struct worker *worker = w->worker;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < worker->copy_count; i++) {
        struct async_copy *copy = &worker->copies[i];
        for (uint32_t left = copy->warp == w ? copy->lanes & w->mask : 0; left; left &= left - 1) {
            const int l = __builtin_ctz(left);
            if (in->imm >= 0 && (int64_t)copy->group[l] + in->imm >= w->committed[l])
                continue;
            if (copy->from[l])
                memcpy((void *)copy->to[l], (const void *)copy->from[l], copy->bytes);
            else
                memset((void *)copy->to[l], 0, copy->bytes);
            copy->lanes &= ~(1u << l);
        }
        if (copy->lanes)
            worker->copies[kept++] = *copy;
    }
    worker->copy_count = kept;
}

static bool constant_operand(const struct operand *o, uint64_t *value)
{
    *value = o->element[0].value;
    return o->element[0].kind == OPERAND_NUMBER && o->element[0].number == NUMBER_INTEGER && !o->address && !o->braces;
}

static void decode_copy(struct parser *p, const struct statement *s, struct insn *in)
{
    uint64_t bytes;
    const bool all_levels = !strncmp(s->opcode, "cp.async.ca.shared", 18);
    const char *from = strstr(s->opcode, ".global");
    if (!from || (from[7] && strncmp(from + 7, ".L2::", 5)) || s->operands < 3 || s->operands > 4 ||
        !constant_operand(&s->operand[2], &bytes) || !(bytes == 16 || (all_levels && (bytes == 4 || bytes == 8))))
        unknown_form(p, s);
    in->bytes = (uint8_t)bytes;
    in->count = 1;
    in->run = copy_async;
    in->space = SPACE_SHARED;
    add_address(p, s, in, &s->operand[0]);
    in->target = (uint32_t)(int32_t)in->imm;
    in->mode = in->wide_address ? WIDE_SHARED : 0;
    in->space = SPACE_GLOBAL;
    add_address(p, s, in, &s->operand[1]);
    if (s->operands == 4)
        add_source(p, s, in, &s->operand[3].element[0], 'w');
}

static void decode_cp(struct parser *p, const struct statement *s, struct insn *in)
{
    uint64_t groups;
    if (!strcmp(s->opcode, "cp.async.commit_group") && s->operands == 0) {
        in->run = commit;
    } else if (!strcmp(s->opcode, "cp.async.wait_all") && s->operands == 0) {
        in->run = wait;
        in->imm = -1;
    } else if (!strcmp(s->opcode, "cp.async.wait_group") && s->operands == 1 &&
               constant_operand(&s->operand[0], &groups) && groups < 1u << 20) {
        in->run = wait;
        in->imm = (int64_t)groups;
    } else if (!strncmp(s->opcode, "cp.async.ca.shared", 18) || !strncmp(s->opcode, "cp.async.cg.shared", 18)) {
        decode_copy(p, s, in);
    } else {
        unknown_form(p, s);
    }
}

/* ldmatrix: lanes 8i to 8i + 7 name the rows of matrix i, 8 halves each; lane l receives the halves 2 (l mod 4) and the
 * next of row l / 4, or of the transposed matrix. */
static void load_matrices(struct warp *w, const struct insn *in)
{
    if (!warp_gathered(w, in, w->born))
        return;
    if (w->mask != ALL_LANES)
        exec_fault(w, in, __builtin_ctz(w->mask), FAULT_TRAP, "ldmatrix needs all 32 threads of the warp");
    const unsigned matrices = in->dsts, naming = matrices * MATRIX_ROWS;
    struct reach r;
    u16 row_of[LANES][ROW_OF_MATRIX / 2];
    if (naming < LANES)
        warp_set_mask(w, (1u << naming) - 1);
    reach_lanes(w, in, in->reg[in->dsts], false, &r);
    warp_set_mask(w, ALL_LANES);
    for (unsigned l = 0; l < naming; l++)
        memcpy(row_of[l], reached(&r, (int)l), ROW_OF_MATRIX);
    for (unsigned i = 0; i < matrices; i++) {
        u32 *d = row(w, in->reg[i]);
        for (unsigned l = 0; l < LANES; l++) {
            const unsigned major = l / 4, minor = 2 * (l % 4), base = i * MATRIX_ROWS;
            d[l] = in->mode ? row_of[base + minor][major] | (u32)row_of[base + minor + 1][major] << 16
                            : row_of[base + major][minor] | (u32)row_of[base + major][minor + 1] << 16;
        }
    }
}

static void decode_ldmatrix(struct parser *p, const struct statement *s, struct insn *in)
{
    static const char prefix[] = "ldmatrix.sync.aligned.m8n8.x";
    if (strncmp(s->opcode, prefix, sizeof prefix - 1) || s->operands != 2)
        unknown_form(p, s);
    const char *count = s->opcode + sizeof prefix - 1;
    in->mode = !strncmp(count + 1, ".trans", 6);
    const char *end = count + 1 + (in->mode ? 6 : 0);
    const uint32_t matrices = (uint32_t)(*count - '0');
    if ((matrices != 1 && matrices != 2 && matrices != 4) || s->operand[0].count != matrices ||
        (strcmp(end, ".shared.b16") && strcmp(end, ".shared::cta.b16")))
        unknown_form(p, s);
    in->run = load_matrices;
    in->space = SPACE_SHARED;
    in->bytes = ROW_OF_MATRIX;
    in->count = 1;
    for (uint32_t i = 0; i < matrices; i++)
        add_destination(p, s, in, &s->operand[0].element[i], 'w');
    add_address(p, s, in, &s->operand[1]);
}

const struct family families_tile[] = {{"cp", decode_cp}, {"ldmatrix", decode_ldmatrix}, {0}};
