/* contract_product.c: the products of large fully connected layers as a library wants them: matrices of features by the row capacity
 * of the phase. Samples in blocks are packed into such a matrix and taken from there, which are two more passes over the values: little
 * where every value meets thousands of weights. */
#include "choose.h"
#include "contract.h"

bool is_product(const struct tensor *x, const struct tensor *y)
{
    return x->rank == 1 && y->rank == 1 && x->dim[0] * y->dim[0] >= PRODUCT_WEIGHTS;
}

int64_t product_scratch(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr;
    return is_product(in[0], in[1]->rows ? in[1] : out[0]) ? PRODUCT_WORKSPACE / 4 : 0;
}

/* workspace[n][capacity] of a tensor in blocks, zeros behind the batch. Declares `rows`, the capacity. Ends with close_kernel. */
static void open_pack(struct writer *w, int tensor)
{
    int64_t n = tensor_of(w, tensor)->dim[0];
    struct emit_launch *l = &w->launch[w->nlaunch];
    fprintf(w->out, "\n");
    l->entry = "_pack";
    l->when = EMIT_WITH_LIBRARY;
    l->multiplies = true;
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = (int)least(groups_of(n, 64), 1024);
    put(w, "const int64_t part = blockIdx.x %% %d, block = blockIdx.x / %d, rows = (int64_t)gridDim.x / %d * $;",
        w->splits, w->splits, w->splits);
    put(w, "const int lane = threadIdx.x %% $, unit = threadIdx.x / $;");
    put(w, "const bool live = live_mask(a, block, lane);");
    put(w, "for (int64_t e = part * $ + unit; e < %lld; e += %d)", (long long)n, ROW_BLOCK * w->splits);
    put(w, "    workspace[e * rows + block * $ + lane] = live ? ld(%s) : 0;", place_of(w, tensor, "block", "e"));
}

static int packed(const struct writer *w)
{
    return plan_row_workspace(w->plan, (int)(w->kernel - w->plan->kernel));
}

/* Our own kernel, for machines without the library: what would be taken if there were no library at all. */
static void put_without(struct writer *w, const struct stage *s)
{
    w->launch[0].when = EMIT_WITHOUT_LIBRARY;
    const struct body *own = choose_body(w, s, "library");
    if (own)
        own->emit(w, s);
    else
        s->op->emit(w, s);
}

bool is_library_product(const struct writer *w, const struct stage *s)
{
    return contraction_of(w, s).groups == 1 && is_product(tensor_of(w, s->in[0]), tensor_of(w, s->out[0]));
}

/* conv of x, conv_dx of y': the weight lies [K][C] for both. */
void put_library_product(struct writer *w, const struct stage *s)
{
    put_without(w, s);
    struct contraction at = contraction_of(w, s), *c = &at;
    const int out = c->result;
    const bool transposed = c->w_out == 1; /* along the outputs: of [depth][outs] */
    open_pack(w, s->in[0]);
    close_kernel(w);
    const int64_t from = c->depth; /* behind the packed operand */
    w->launch[w->nlaunch - 1].product = (struct emit_product){.m = c->outs,
                                                              .k = c->depth,
                                                              .transposed = transposed,
                                                              .a = {s->in[1], 0, transposed ? c->outs : c->depth},
                                                              .b = {packed(w), 0, 0},
                                                              .c = {packed(w), from, 0}};
    fprintf(w->out, "\n");
    w->launch[w->nlaunch].entry = "_unpack";
    w->launch[w->nlaunch].when = EMIT_WITH_LIBRARY;
    open_kernel(w);
    open_elements(w, c->outs, 1);
    put(w, "const int64_t rows = (int64_t)gridDim.x / %d * $;", w->splits);
    put(w, "const V v%d = workspace[(%lld + e) * rows + block * $ + lane]%s;", var_of(w, out), (long long)from,
        c->bias < 0 ? "" : region_printf(w->region, " + %s", read_of(w, c->bias, NULL, NULL, "e")));
    if (is_stored(w, out))
        put(w, "st(%s, v%d);", place_of(w, out, "block", "e"), var_of(w, out));
    put_maps(w, c->next, w->kernel->nstage, "block", "e", "e");
    close_elements(w);
    close_kernel(w);
}

bool is_library_dw(const struct writer *w, const struct stage *s)
{
    return is_product(tensor_of(w, s->in[0]), tensor_of(w, s->in[1]));
}

/* y' is packed; x lies row by row and takes zeros behind the batch, so that all rows of the capacity may be summed. */
void put_library_dw(struct writer *w, const struct stage *s)
{
    put_without(w, s);
    int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0];
    int64_t stride = row_elements(tensor_of(w, s->in[0]));
    w->pads = true;
    open_pack(w, s->in[1]);
    put(w, "for (int64_t row = a->control[%d] + blockIdx.x; row < rows; row += gridDim.x)", CTL_ROWS);
    put(w, "for (int c = threadIdx.x; c < %lld; c += %d)", (long long)stride, w->threads);
    put(w, "    %s[row * %lld + c] = 0;", name_of(w, s->in[0]), (long long)stride);
    close_kernel(w);
    w->launch[w->nlaunch - 1].product = (struct emit_product){
        .m = K, .n = C, .a = {packed(w), 0, 0}, .b = {s->in[0], 0, stride}, .c = {s->out[0], 0, C}};
}
