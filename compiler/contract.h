/* contract.h: sums of products with affine index maps, as the ops of conv.c hand them to the tile emitter. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "netc.h"

/* Sizes of a convolution: G groups of C / G channels in and K / G out; 1 for what a fully connected layer has not. */
struct geometry { int64_t G, C, K, H, W, P, Q, R, S; int stride[2], pad[2], dil[2]; };

/* Source coordinate of tap t for output o: (a*o + b*t + c) / d where exact, valid in [0, source). */
struct axis { int a, b, c, d; int64_t out, source, taps; };

/* One contraction over lanes of samples: per group `outs` output channels, each a sum over `depth` channels and the taps. */
struct contraction {
    struct axis y, x;
    int64_t groups, outs, depth;
    int64_t w_out, w_depth, w_group;                   /* strides in the weight */
    int tile, columns;                                 /* registers: tile output channels x columns */
};

/* Writes the kernel whose first stage is s: the contraction and the stages behind it. tile and columns are chosen here. */
void put_contraction(struct writer *w, const struct stage *s, struct contraction *c);
/* w'[K, C / G, R, S] from x and y' in blocks. */
void put_conv_dw(struct writer *w, const struct stage *s, const struct geometry *size);
/* w'[K, C] from x row by row and y' in blocks. */
void put_linear_dw(struct writer *w, const struct stage *s);

/* contract_cuda.c: the same for CUDA; the functions above call them. */
void put_contraction_cuda(struct writer *w, const struct stage *s, struct contraction *c);
void put_conv_dw_cuda(struct writer *w, const struct stage *s, const struct geometry *size);
void put_linear_dw_cuda(struct writer *w, const struct stage *s);
int64_t conv_dw_scratch(const struct geometry *size);  /* floats of the workspace */

#endif
