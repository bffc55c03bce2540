/* mma.sync with float accumulators: tf32, bf16 and f16 operands of shape m16n8k4, k8 and k16, A row, B column major.
 * The fragments are gathered into matrices, multiplied, and the result is handed back to the lanes. */
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"
#include "convert.h"
#include "lanes.h"

enum { M = 16, N = 8, MAX_K = 16, MAX_REFERENCES = 32 };
enum element_type { ELEMENT_TF32, ELEMENT_BF16, ELEMENT_F16 };

/* Tensor cores drop the lower 13 bits of a tf32 operand. */
static float element_of(const struct insn *in, u32 bits, int half)
{
    switch (in->mode) {
    case ELEMENT_TF32:
        return bits_float(bits & ~0x1fffu);
    case ELEMENT_BF16:
        return float_from_bfloat((uint16_t)(bits >> (16 * half)));
    default:
        return float_from_half((uint16_t)(bits >> (16 * half)));
    }
}

/* Register r of A: row group + 8 * (r mod 2), columns from 4 (or 8 halves) * (r / 2); of B: rows from 4 or 8 * r. */
static void multiply(struct warp *w, const struct insn *in)
{
    if (!warp_gathered(w, in, w->born))
        return;
    if (w->mask != ALL_LANES)
        exec_fault(w, in, __builtin_ctz(w->mask), FAULT_TRAP, "mma needs all 32 threads of the warp");
    const int k_size = (int)in->imm, per_register = in->mode == ELEMENT_TF32 ? 1 : 2;
    const int a_registers = M * k_size / (LANES * per_register), b_registers = a_registers / 2;
    const uint32_t *d = in->list, *a = d + 4, *b = a + a_registers, *c = b + b_registers;
    float A[M][MAX_K], B[MAX_K][N], D[M][N];
    for (int lane = 0; lane < LANES; lane++) {
        const int group = lane / 4, thread = lane % 4;
        for (int r = 0; r < a_registers; r++)
            for (int h = 0; h < per_register; h++)
                A[group + 8 * (r % 2)][(thread + 4 * (r / 2)) * per_register + h] =
                    element_of(in, ((const u32 *)row(w, a[r]))[lane], h);
        for (int r = 0; r < b_registers; r++)
            for (int h = 0; h < per_register; h++)
                B[(thread + 4 * r) * per_register + h][group] = element_of(in, ((const u32 *)row(w, b[r]))[lane], h);
        for (int r = 0; r < 4; r++)
            D[group + 8 * (r / 2)][2 * thread + r % 2] = ((const float *)row(w, c[r]))[lane];
    }
    for (int m = 0; m < M; m++)
        for (int k = 0; k < k_size; k++)
            for (int n = 0; n < N; n++)
                D[m][n] += A[m][k] * B[k][n];
    for (int lane = 0; lane < LANES; lane++)
        for (int r = 0; r < 4; r++)
            ((float *)row(w, d[r]))[lane] = D[lane / 4 + 8 * (r / 2)][2 * (lane % 4) + r % 2];
}

static void decode_mma(struct parser *p, const struct statement *s, struct insn *in)
{
    static const struct {
        const char *opcode;
        int k;
        enum element_type type;
    } forms[] = {{"mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", 4, ELEMENT_TF32},
                 {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 8, ELEMENT_TF32},
                 {"mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", 8, ELEMENT_BF16},
                 {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, ELEMENT_BF16},
                 {"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 8, ELEMENT_F16},
                 {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, ELEMENT_F16}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(s->opcode, forms[i].opcode)) {
            in->run = multiply;
            in->imm = forms[i].k;
            in->mode = (uint8_t)forms[i].type;
        }
    if (!in->run || s->operands != 4)
        unknown_form(p, s);
    const uint32_t a = (uint32_t)(M * in->imm / (LANES * (in->mode == ELEMENT_TF32 ? 1 : 2)));
    const uint32_t counts[] = {4, a, a / 2, 4};
    in->list = calloc(MAX_REFERENCES, sizeof *in->list);
    if (!in->list)
        parse_failed(p, s->line, "out of host memory");
    for (uint32_t i = 0; i < 4; i++) {
        if (s->operand[i].count != counts[i])
            unknown_form(p, s);
        for (uint32_t k = 0; k < counts[i]; k++)
            if (i == 0)
                add_destination(p, s, in, &s->operand[i].element[k], 'w');
            else
                add_source(p, s, in, &s->operand[i].element[k], 'w');
    }
}

const struct family families_mma[] = {{"mma", decode_mma}, {0}};
