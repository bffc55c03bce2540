/* contract_price.c: what the bodies of contractions take for a sample: by the roofline of a core or multiprocessor, the longer of
 * arithmetic and bytes (Williams, Waterman & Patterson, CACM 52(4), 2009). The rates are those of the target's row; those below
 * are of an H100's multiprocessor as its maker states them, of which our kernels are taken to reach a half and a library four
 * fifths. None of them is measured: they rank bodies, and predict no time. */
#include "contract.h"

#include <math.h>

struct unit {
    double flops, bytes;
}; /* a cycle */
static const struct unit tensor_cores = {1024, 128}, library = {205, 205}, library_tensor_cores = {1638, 205};

/* `terms` products a sample, in tiles of rows x columns sums, whose padding counts: each product of a tile needs one value of x
 * for a column of them, and one weight for all samples that it meets. `run`: terms that are added up in one float. */
static void set_price(struct price *p, struct unit u, double terms, double rows, double columns, double run)
{
    p->flops = 2 * terms;
    p->bytes = 4 * terms * (1 / rows + 1 / (ROW_BLOCK * columns));
    p->cycles = fmax(fmax(p->flops / u.flops, p->bytes / u.bytes), LATENCY * terms / (ROW_BLOCK * rows * columns));
    p->error = run;
}

static struct unit unit_of(const struct writer *w)
{
    return (struct unit){w->target->flops, w->target->bytes};
}

static double depth_of(const struct contraction *c)
{
    return (double)c->depth * (double)(c->y.taps * c->x.taps);
}

/* Products of a sample, the outputs rounded up to whole tiles of `tile`. Bodies leave out taps that lie outside. */
static double terms_of(const struct contraction *c, int tile)
{
    return depth_of(c) * (double)(groups_of(c->outs, tile) * tile * c->groups) * (double)(c->y.out * c->x.out) *
           taps_inside(&c->y) * taps_inside(&c->x);
}

/* As if for the widest vectors: bodies that round otherwise are chosen between, and every processor is to choose alike. */
static struct writer widest(const struct writer *w)
{
    struct writer wide = *w;
    wide.lanes = WIDEST;
    return wide;
}

void price_registers_cpu(const struct writer *writer, const struct stage *s, struct price *p)
{
    const struct writer wide = widest(writer), *w = &wide;
    struct contraction c = contraction_of(w, s);
    choose_registers(w, s, &c);
    set_price(p, unit_of(w), terms_of(&c, 1), c.tile, c.columns,
              is_flat(w, s) ? fmin(depth_of(&c), MAX_TERMS) : depth_of(&c));
}

/* Products of 16 places for 4 results, and the transforms: of a patch 32 additions and as many values read and written, of its results
 * 24. Errors: Lavin's table, about twice those of direct sums. */
void price_winograd(const struct writer *writer, const struct stage *s, struct price *p)
{
    const struct writer wide = widest(writer), *w = &wide;
    struct contraction c = contraction_of(w, s);
    const double patches = (double)groups_of(c.y.out, 2) * (double)groups_of(c.x.out, 2);
    choose_tile_cpu(w, &c, groups_of(c.x.out, 2), 14);
    const double turned = patches * (double)c.depth, back = patches * (double)c.outs;
    set_price(p, unit_of(w), 4 * 4 * patches * (double)c.depth * (double)c.outs, c.tile, c.columns, 2 * depth_of(&c));
    p->flops += 32 * turned + 24 * back;
    p->bytes += 4 * (32 * turned + 36 * back);
    p->cycles += 4 * (32 * turned + 36 * back) / unit_of(w).bytes;
}

void price_registers_cuda(const struct writer *w, const struct stage *s, struct price *p)
{
    struct contraction c = contraction_of(w, s);
    struct tiling t = {.rows = 1, .columns = FLAT_BLOCKS};
    c.tile = (int)least(8, c.outs);
    if (!is_flat(w, s))
        choose_tiling(w, s, &c, &t);
    set_price(p, unit_of(w), terms_of(&c, c.tile), c.tile, t.rows * t.columns,
              is_flat(w, s) ? depth_of(&c) / 2 : depth_of(&c));
}

/* Operands lose what TF32 and BF16 have not: 11 and 8 bits are left of 24. */
static double rounding(const struct writer *w)
{
    return w->precision == PRECISION_BF16 ? 65536 : 8192;
}

void price_mma(const struct writer *w, const struct stage *s, struct price *p)
{
    const struct contraction c = contraction_of(w, s);
    set_price(p, tensor_cores, terms_of(&c, MMA_M), MMA_M, FLAT_BLOCKS, depth_of(&c) + rounding(w));
}

/* Tiles of 128 x 128, and two more passes over the values. */
void price_library(const struct writer *w, const struct stage *s, struct price *p)
{
    const double x = (double)tensor_elements(tensor_of(w, s->in[0]));
    const struct tensor *out = tensor_of(w, s->out[0]), *in = tensor_of(w, s->in[1]);
    const double y = (double)tensor_elements(out->rows ? out : in), packed = 8 * (x + y);
    const bool fp32 = w->precision == PRECISION_FP32;
    set_price(p, fp32 ? library : library_tensor_cores, x * y, 128, 128. / ROW_BLOCK, x + (fp32 ? 0 : rounding(w)));
    p->bytes += packed;
    p->cycles += packed / unit_of(w).bytes;
}

/* ---- gradients of weights: as many products as the forward pass has ---- */

static struct geometry dw_geometry(const struct writer *w, const struct stage *s)
{
    if (s->op->sizes)
        return geometry_of(w, s);
    return (struct geometry){.G = 1,
                             .C = tensor_of(w, s->in[0])->dim[0],
                             .K = tensor_of(w, s->in[1])->dim[0],
                             .H = 1,
                             .W = 1,
                             .P = 1,
                             .Q = 1,
                             .R = 1,
                             .S = 1};
}

static double dw_terms(const struct geometry *g)
{
    return (double)(g->K * (g->C / g->G)) * (double)(g->R * g->S) * (double)(g->P * g->Q) * geometry_inside(g);
}

/* The tiles are the largest that bodies choose. */
void price_dw_registers(const struct writer *w, const struct stage *s, struct price *p)
{
    const struct geometry g = dw_geometry(w, s);
    set_price(p, unit_of(w), dw_terms(&g), (double)least(8, g.K / g.G), (double)least(4, g.S > 1 ? g.S : 4), 256);
}

/* Sums of a tile are in registers for some rows of y' only, of about 40 places: then they are read, added to and written. */
void price_conv_dw_cpu(const struct writer *w, const struct stage *s, struct price *p)
{
    price_dw_registers(w, s, p);
    const struct geometry g = geometry_of(w, s);
    const double places = fmax((double)g.Q, fmin(40, (double)(g.P * g.Q))), moved = 4 * 2 * dw_terms(&g) / places;
    p->bytes += moved;
    p->cycles += moved / unit_of(w).bytes;
}

/* Products of 16 places for 2 x 2 values of y' and 9 sums. Of x a patch takes 5 values that are transposed, by 4 shuffles each, and 16 that
 * are read and 16 that are written; of y' 4 and 16; sums are moved once a strip, in which 16 samples meet. Values are written half as
 * fast as they are read. Errors: as for price_winograd. */
void price_winograd_dw(const struct writer *writer, const struct stage *s, struct price *p)
{
    const struct writer wide = widest(writer), *w = &wide;
    const struct winograd_dw d = winograd_dw_of(w, s);
    const double patches = (double)(d.across * d.down), inputs = (double)(d.inputs * d.parts), outs = (double)d.g.K,
                 terms = 4 * 4 * patches * inputs * outs, sums = terms / (double)(d.strip * ROW_BLOCK),
                 x = patches * inputs * (double)groups_of(d.tiles, d.shared), y = patches * outs * (double)d.parts;
    set_price(p, unit_of(w), terms, d.tile, d.columns, 2 * 256);
    p->flops += 32 * x + 12 * y + sums;
    p->bytes += 4 * (42 * x + 20 * y + 2 * sums);
    p->cycles += 4 * (83 * x + 36 * y + 3 * sums) / unit_of(w).bytes;
}

void price_dw_mma(const struct writer *w, const struct stage *s, struct price *p)
{
    const struct geometry g = dw_geometry(w, s);
    set_price(p, tensor_cores, dw_terms(&g), MMA_M, 8, 256 + rounding(w));
}
