/* contract.h: sums of products with affine index maps, as the ops of conv.c and linear.c hand them to the tile emitter. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "window.h"

/* Sizes of a convolution: G groups of C / G channels in and K / G out; 1 for what a fully connected layer has not. */
struct geometry {
    int64_t G, C, K, H, W, P, Q, R, S;
    int stride[2], pad[2], dil[2];
};

/* Source coordinate of tap t for output o: (a*o + b*t + c) / d where exact, valid in [0, source). */
struct axis {
    int a, b, c, d;
    int64_t out, source, taps;
};

/* One contraction over lanes of samples: per group `outs` output channels, each a sum over `depth` channels and the taps. */
struct contraction {
    struct axis y, x;
    int64_t groups, outs, depth;
    int64_t w_out, w_depth, w_group; /* strides in the weight */
    int tile, columns;               /* registers: tile output channels x columns */
    int bias;                        /* what the sums of a channel start from, -1: zero */
    int result, next;                /* the tensor that they make, and the first stage behind it */
};

/* ---- ops/conv.c ---- */

enum { CONV_SH, CONV_SW, CONV_PH, CONV_PW, CONV_DH, CONV_DW, CONV_GROUPS, CONV_EXTRA_H, CONV_EXTRA_W }; /* attributes */
#define CONV_ATTRS "stride_h", "stride_w", "pad_h", "pad_w", "dil_h", "dil_w", "groups"
/* From the attributes, the input [C,H,W] or [C] and the weight [K,C/G,R,S] or [K,C]. False if they do not fit. */
bool conv_geometry(struct geometry *g, const double *attr, int rank, const int64_t *x, int wrank, const int64_t *w);
void conv_dx_sizes(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to);
void conv_dw_sizes(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to);

/* ---- contract.c ---- */

struct contraction contraction_of(const struct writer *w,
                                  const struct stage *s);                   /* of conv and its dx; tile and columns 0 */
struct geometry geometry_of(const struct writer *w, const struct stage *s); /* of its dw */
/* Where tap t of output `out` lies in the source; false: outside. */
bool axis_tap(const struct axis *a, int64_t out, int64_t t, int64_t *source);
/* The share of the taps that lie there, over all outputs; of both axes together. */
double taps_inside(const struct axis *a);
double geometry_inside(const struct geometry *g);
/* Do outputs [start, start + n) and [other, other + n) have the same taps inside? */
bool same_taps(const struct axis *x, int64_t start, int64_t other, int n);
const struct stage *window_behind(const struct writer *w, const struct stage *s); /* a pool or a scatter; NULL: none */

bool is_flat(const struct writer *w, const struct stage *s); /* a fully connected layer */
bool is_image(const struct writer *w, const struct stage *s);

/* ---- the bodies: each writes the kernel whose first stage is s ---- */

/* contract_plain.c; conv_dx_max and conv_dw_max too */
void put_contraction_plain(struct writer *w, const struct stage *s);
void put_conv_dw_plain(struct writer *w, const struct stage *s);   /* w'[K, C / G, R, S] from x and y' in blocks */
void put_linear_dw_plain(struct writer *w, const struct stage *s); /* w'[K, C] from x row by row and y' in blocks */

/* contract_cpu.c, contract_cpu_dw.c */
void put_flat_cpu(struct writer *w, const struct stage *s);
void put_image_cpu(struct writer *w, const struct stage *s);
void put_conv_dw_cpu(struct writer *w, const struct stage *s);
void put_linear_dw_cpu(struct writer *w, const struct stage *s);

/* A tile of at most most_columns, of `columns` that there are in all, for the registers that the target has. */
void choose_tile_cpu(const struct writer *w, struct contraction *c, int64_t columns, int most_columns);
/* Of a function that begins its sums at the biases of its channels: parameter, and argument from channel k on; "": there are none. */
const char *bias_parameter(const struct contraction *c);
const char *bias_argument(struct writer *w, const struct contraction *c);
/* Expressions of n values: number i is `before`, i * step, `behind`. */
struct factors {
    int n;
    const char *before;
    int64_t step;
    const char *behind;
};
/* s<i>_<j> += row i * column j: rows are floats, columns vectors. */
void put_outer_product(struct writer *w, struct factors rows, struct factors columns);
/* The maps between the anchor and the window (or the end), the window, and the maps behind it, over `rows` rows from p0 on: channel k + i
 * of row r is at tile[(i * rows + r) * Q + q]. Behind a pool that is as many rows as its window has. */
void put_epilogue(struct writer *w, const struct contraction *c, int64_t rows, const char *p0);

/* contract_winograd.c */
bool is_winograd(const struct writer *w, const struct stage *s);
void put_winograd_cpu(struct writer *w, const struct stage *s);

/* winners.c, winners_dw.c, winners_dx.c: behind a max-pool of windows that cover the image, from the pooled gradient and the winners' places */
enum { MOST_PLACES = 256 }; /* of a window: a place is a byte */
bool is_dw_winners(const struct writer *w, const struct stage *s);
bool is_dx_winners(const struct writer *w, const struct stage *s);
void put_dw_winners_cpu(struct writer *w, const struct stage *s);
void put_dx_winners_cpu(struct writer *w, const struct stage *s);
/* Are they cheaper than from the gradient of all places? `pooled`: the sizes of that behind the max-pool. */
bool dw_winners_pay(const struct geometry *g, const int64_t *pooled);
bool dx_winners_pay(const struct geometry *g, const int64_t *pooled);

/* contract_winograd_dw.c */
struct winograd_dw {
    struct geometry g;
    int64_t inputs, parts; /* channels of x at a time, with those that fill vectors, and how often there are so many */
    int64_t across, down, strip; /* patches of an image, and of a part of a row of them */
    int64_t tiles, shared;       /* of channels of y', and that are multiplied with what x is turned into once */
    int tile, vectors, columns;  /* channels of y' of a tile; vectors of x's, and of a tile */
    int64_t u_place, v_place; /* from one place to the next: floats of what y' is turned into, vectors of what x is, */
    int64_t place;            /* vectors of sums */
};
struct winograd_dw winograd_dw_of(const struct writer *w, const struct stage *s);
bool is_winograd_dw(const struct writer *w, const struct stage *s);
void put_winograd_dw_cpu(struct writer *w, const struct stage *s);

enum { MAX_TERMS = 512 }; /* of a fully connected layer's sum in one register */
void choose_registers(const struct writer *w, const struct stage *s, struct contraction *c); /* sets tile and columns */

/* contract_cuda.c, contract_cuda_dw.c */
bool is_tiled_cuda(const struct writer *w, const struct stage *s);
void put_tiled_cuda(struct writer *w, const struct stage *s);
void put_flat_cuda(struct writer *w, const struct stage *s);
void put_conv_dw_cuda(struct writer *w, const struct stage *s);
void put_linear_dw_cuda(struct writer *w, const struct stage *s);
int64_t conv_dw_scratch(const struct geometry *size); /* floats of the workspace */
int conv_dw_parts(const struct geometry *g);          /* into which the places are cut */
/* Behind the kernel of conv_dw, where there are several parts: another that adds them up. */
void put_conv_dw_parts(struct writer *w, const struct stage *s, const struct geometry *g, int parts);

/* ---- what bodies share ---- */

enum { MMA_M = 16 };      /* output channels of a product on tensor cores: mma.m16n8 */
enum { FLAT_BLOCKS = 4 }; /* blocks of samples that a thread of a fully connected layer has */
enum { FAR = 1 << 14 };   /* columns of x that a tile may reach to either side */
static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int registers_of(
    const struct writer *w) /* of a processor that sums may be held in: one is left for a product */
{
    return w->lanes == WIDEST ? 31 : 15;
}
static inline int64_t groups_of(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* A tile of places: rows x columns for a thread (a warp), whose units stand side by side in an image; depth: channels whose
 * weights are in shared memory at once. False if the sums do not fit the registers, or the taps the shared memory. */
struct tiling {
    int rows, columns, units;
    int64_t p_groups, q_groups, unit_groups;
    int64_t depth;
};
bool choose_tiling(const struct writer *w, const struct stage *s, struct contraction *c, struct tiling *t);
/* Declares of tile t: group, from (first channel of x), k and n (output channels), weight. */
void put_tile(struct writer *w, const struct stage *s, const struct contraction *c);
/* How a tile reads and multiplies: `weights` names those of row 0, `tap` is from one tap to the next; place() declares the variable of
 * column w0 + at of x, which is 0 unless `inside`; weight() loads those of a tap into f; product() adds f times a place to a column;
 * `end` closes a tap. */
struct tap_text {
    const char *weights;
    int tap;
    void (*place)(struct writer *w, const struct contraction *c, int at, const char *inside);
    void (*weight)(struct writer *w, const struct contraction *c, int tap);
    void (*product)(struct writer *w, int column, int at);
    const char *end;
};
void put_tap_row(struct writer *w, const struct contraction *c, const struct tiling *t, const struct tap_text *text);
const char *place_name(struct writer *w, int at);
/* acc[i][row][column], i < sums, where they begin and where they are written: `who` is the text that declares o8, the channel
 * behind k of acc[i], and its lane. */
void put_tile_start(struct writer *w, const struct contraction *c, const struct tiling *t, int sums, const char *who);
void put_tile_results(struct writer *w, const struct stage *s, const struct contraction *c, const struct tiling *t,
                      int sums, const char *who);
void put_flat_results(struct writer *w, const struct contraction *c, int slices);

/* contract_product.c: large fully connected layers, for a library: what packs the operands for it, what it is to multiply, and what
 * takes the result from there. They stand beside our own kernel, for machines without the library. */
enum { PRODUCT_WEIGHTS = 1 << 21 };    /* from so many on; to be measured on a card */
enum { PRODUCT_WORKSPACE = 32 << 20 }; /* bytes: what cuBLAS's makers advise for their largest cards */
bool is_product(const struct tensor *x, const struct tensor *y); /* both flat, with so many weights between them */
bool is_library_product(const struct writer *w, const struct stage *s);
int64_t product_scratch(const double *attr, const struct tensor *const *in,
                        const struct tensor *const *out); /* floats */
void put_library_product(struct writer *w, const struct stage *s);
bool is_library_dw(const struct writer *w, const struct stage *s);
void put_library_dw(struct writer *w, const struct stage *s);

/* contract_mma.c: on tensor cores, where TF32 or BF16 is asked for and they are worth it */
bool is_mma(const struct writer *w, const struct stage *s);
void put_mma(struct writer *w, const struct stage *s);
bool is_conv_dw_mma(const struct writer *w, const struct stage *s);
void put_conv_dw_mma(struct writer *w, const struct stage *s);
bool is_linear_dw_mma(const struct writer *w, const struct stage *s);
void put_linear_dw_mma(struct writer *w, const struct stage *s);

/* matmul.c: products of matrices without rows */
struct
    matmul { /* y[M][N] = alpha a b + beta c over K terms; a is [M][K], or [K][M] where ta, and b [K][N], or [N][K] where tb */
    int64_t M, N, K;
    bool ta, tb;
    double alpha, beta;
};
struct matmul matmul_of(const double *attr, const struct tensor *const *in); /* ops/matmul.c */
void put_matmul_plain(struct writer *w, const struct stage *s);
bool is_matmul_cpu(const struct writer *w, const struct stage *s);
void put_matmul_cpu(struct writer *w, const struct stage *s);
void put_matmul_cuda(struct writer *w, const struct stage *s);
void price_matmul_cpu(const struct writer *w, const struct stage *s, struct price *p);
void price_matmul_cuda(const struct writer *w, const struct stage *s, struct price *p);

enum { LATENCY = 4 }; /* cycles of an FMA */
/* contract_price.c: struct body's price of each */
void price_registers_cpu(const struct writer *w, const struct stage *s, struct price *p);
void price_winograd(const struct writer *w, const struct stage *s, struct price *p);
void price_dw_winners(const struct writer *w, const struct stage *s, struct price *p);
void price_dx_winners(const struct writer *w, const struct stage *s, struct price *p);
void price_registers_cuda(const struct writer *w, const struct stage *s, struct price *p);
void price_mma(const struct writer *w, const struct stage *s, struct price *p);
void price_library(const struct writer *w, const struct stage *s, struct price *p);
void price_dw_registers(const struct writer *w, const struct stage *s, struct price *p);
void price_conv_dw_cpu(const struct writer *w, const struct stage *s, struct price *p);
void price_winograd_dw(const struct writer *w, const struct stage *s, struct price *p);
void price_dw_mma(const struct writer *w, const struct stage *s, struct price *p);

#endif
