// models/xor.net: network `xor`, 33 parameters, 16 lanes of float; plan version 3
//
// How to read this. The kernels stand behind the table and the prelude, each once, however many layers use it. A kernel is a
// function over tasks, [first, last) of them: whoever runs which, the bits are the same. Its first lines name its operands: a
// number, and what it is to this kernel (weight, bias; the op that makes it here; x for what another kernel makes).
//
// Samples stand in blocks of 16. Element e of the E of a sample lies at (block * E + e) * 16 + lane: neighbours in memory are the
// same element of 16 samples. V is the value of LANES samples at once (one of them with --plain), M a truth of each; ld and st
// read and write V, vec(x) is x in all lanes, sel(m, a, b) a where m is true and else b, num(x) a constant. In images c is a
// channel, p and q are row and column of what is made, h and w of what is read, r and s of a window; k is a channel out.
// What changes from step to step (learning rate, rows of the batch) is read from a->control. #if FIRST_PIECE ... #endif has the
// kernels of one piece: netrun has several pieces compiled at a time.
//
// kernel of the plan, its function here, lines of the model | the first of them
// train0_bits_gather               k0_gather         4 | input  bits : f32[2]
// train1_odd_gather_target         k1_gather_target  5 | target odd  : f32[1]
// train2_fc1_conv                  k2_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train3_fc2_conv                  k3_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train4_loss_mse                  k4_mse            19 | loss      = MSE(y, odd)
// train5_loss_report_loss          k5_report_loss    19 | loss      = MSE(y, odd)
// train6_fc2_chan_sum              k6_chan_sum       7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train7_fc2_relayout              k7_relayout       7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train8_fc2_linear_dw             k8_linear_dw      7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train9_fc2_conv_dx               k9_conv_dx        7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train10_fc1_chan_sum             k10_chan_sum      7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train11_fc1_linear_dw            k11_linear_dw     7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// train12_optimizer_accumulate     k12_accumulate
// train13_optimizer_adam           k13_adam
// evaluate0_bits_gather            k14_gather        4 | input  bits : f32[2]
// evaluate1_odd_gather_target      k1_gather_target  5 | target odd  : f32[1]
// evaluate2_fc1_conv               k2_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// evaluate3_fc2_conv               k3_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// evaluate4_loss_mse               k15_mse           19 | loss      = MSE(y, odd)
// evaluate5_loss_report_loss       k5_report_loss    19 | loss      = MSE(y, odd)
// predict0_bits_gather             k14_gather        4 | input  bits : f32[2]
// predict1_fc1_conv                k2_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// predict2_fc2_conv                k3_conv           7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
// predict3_y_relayout              k16_relayout      7 | y = bits -> fc1: Linear(8) -> Tanh -> fc2: Linear(1)
enum { ROW_BLOCK = 16, CTL_ROWS = 0, CTL_STEP = 2, CTL_POSITION = 3, CTL_EPOCH = 4, CTL_COUNT_SAMPLES = 5, CTL_SHUFFLE = 6, CTL_SEED0 = 7, CTL_SEED1 = 8, CTL_LAST = 30, CTL_FINITE = 38 };
#ifdef FIRST_PIECE    /* to LAST_PIECE, of 8: the others are in other objects */
#define KERNEL __attribute__((visibility("hidden")))
#else
#define FIRST_PIECE 0
#define LAST_PIECE 8
#define KERNEL static
#endif
#define REAL float
#define INT int32_t
#define LANES 16
#define WIDE 0
/* philox.h: counter-based random numbers, and a shuffle that needs no memory.
 *
 * Self-contained C on 32-bit integers (64-bit only for products): emitted kernels hold this very text, so host and
 * kernels draw the same bits.
 *
 * The order of the samples in one epoch is the permutation i -> shuffle_at(i, n, round_keys) of [0, n),
 * 1 <= n <= 2^31, i < n. The round keys depend on (key, epoch) only. */
#ifndef PHILOX_H
#define PHILOX_H

#include <stdint.h>

#define SHUFFLE_ROUNDS 6

/* Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011: from counters
 * c0 .. c3 and keys k0, k1, the variables of these names, to four words in c0 .. c3. These may be numbers, or vectors of
 * them: PRODUCT(x, m) is x * m in 64 bits, a TYPE, HIGH and LOW its halves. */
#define PHILOX4X32_10(TYPE, PRODUCT, HIGH, LOW)                                                                        \
    for (int round = 0; round < 10; round++) {                                                                         \
        const TYPE p0 = PRODUCT(c0, 0xD2511F53u), p1 = PRODUCT(c2, 0xCD9E8D57u);                                       \
        c0 = HIGH(p1) ^ c1 ^ k0;                                                                                       \
        c1 = LOW(p1);                                                                                                  \
        c2 = HIGH(p0) ^ c3 ^ k1;                                                                                       \
        c3 = LOW(p0);                                                                                                  \
        k0 += 0x9E3779B9u;                                                                                             \
        k1 += 0xBB67AE85u;                                                                                             \
    }

static inline void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
#define PRODUCT(x, m) ((uint64_t)(m) * (x))
#define HIGH(p) (uint32_t)((p) >> 32)
#define LOW(p) (uint32_t)(p)
    PHILOX4X32_10(uint64_t, PRODUCT, HIGH, LOW)
#undef PRODUCT
#undef HIGH
#undef LOW
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* A word of philox4x32 as a float in [0, 1), a multiple of 2^-24. */
static inline float philox_unit(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* Counters of the shuffle end in this word; the other users of a key must not (a layer's index never is this large). */
#define SHUFFLE_STREAM 0x53485546u

static inline void shuffle_keys(const uint32_t key[2], uint64_t epoch, uint32_t round_keys[SHUFFLE_ROUNDS])
{
    uint32_t counter[4] = {0, (uint32_t)epoch, (uint32_t)(epoch >> 32), SHUFFLE_STREAM};
    uint32_t words[8];
    philox4x32(counter, key, words);
    counter[0] = 1;
    philox4x32(counter, key, words + 4);
    for (int round = 0; round < SHUFFLE_ROUNDS; round++)
        round_keys[round] = words[round];
}

/* `to` is changed by `from`, through the finaliser of MurmurHash3: each bit flips each bit of the result about half of the time.
 * Numbers, or vectors of them: a TYPE. */
#define SHUFFLE_ROUND(TYPE, to, from, key, mask)                                                                       \
    {                                                                                                                  \
        TYPE x = (from) ^ (key);                                                                                       \
        x ^= x >> 16;                                                                                                  \
        x *= 0x85EBCA6Bu;                                                                                              \
        x ^= x >> 13;                                                                                                  \
        x *= 0xC2B2AE35u;                                                                                              \
        to ^= (x ^ x >> 16) & (mask);                                                                                  \
    }

/* Below 256 the halves would be so small that some orders come much more often than others. */
#define SHUFFLE_MIN_BITS 8

/* A Feistel network permutes [0, 2^bits), the smallest such range that holds n; values outside [0, n) are put through
 * it again until they fall inside (cycle walking: fewer than two turns on average for n > 128, and 256 / n below). The
 * halves may differ by one bit, so the rounds change them alternately instead of swapping them. */
#define SHUFFLE_ONCE(TYPE, i, n, round_keys)                                                                           \
    {                                                                                                                  \
        uint32_t bits = SHUFFLE_MIN_BITS;                                                                              \
        while (bits < 31 && 1u << bits < (n))                                                                          \
            bits++;                                                                                                    \
        const uint32_t low_bits = bits / 2;                                                                            \
        const uint32_t low_mask = (1u << low_bits) - 1, high_mask = (1u << (bits - low_bits)) - 1;                     \
        TYPE low = i & low_mask, high = i >> low_bits;                                                                 \
        for (int round = 0; round < SHUFFLE_ROUNDS; round += 2) {                                                      \
            SHUFFLE_ROUND(TYPE, high, low, (round_keys)[round], high_mask)                                             \
            SHUFFLE_ROUND(TYPE, low, high, (round_keys)[round + 1], low_mask)                                          \
        }                                                                                                              \
        i = high << low_bits | low;                                                                                    \
    }

static inline uint32_t shuffle_at(uint32_t i, uint32_t n, const uint32_t round_keys[SHUFFLE_ROUNDS])
{
    do
        SHUFFLE_ONCE(uint32_t, i, n, round_keys)
    while (i >= n);
    return i;
}

/* The i-th sample of the epoch. */
static inline uint64_t shuffle_index(uint64_t i, uint64_t n, const uint32_t key[2], uint64_t epoch)
{
    uint32_t round_keys[SHUFFLE_ROUNDS];
    shuffle_keys(key, epoch, round_keys);
    return shuffle_at((uint32_t)i, (uint32_t)n, round_keys);
}

#endif
/* abi.h: what emitted C and the program that runs it agree on. Emitted files hold this very text. */
#ifndef ABI_H
#define ABI_H

#include <stdint.h>

struct nr_args {
    void *const *t;         /* kernel_operands() in order: their first bytes in the arena */
    uint32_t *control;      /* control block */
    const void *samples;    /* of the split being read: u8 or f32, sample-major */
    const void *targets;    /* i32 class or f32 values, sample-major */
    int32_t samples_f32;    /* 1: samples are f32 as given (transforms still apply), 0: u8 */
    int32_t blocks;         /* blocks of samples that hold the valid rows */
    int32_t staged;         /* 1: samples and targets are those of the run, row by row, 0: all of the split */
    const uint32_t *stream; /* kernel_streams() in order, as the table has them */
};

struct nr_kernel {
    void (*run)(const struct nr_args *a, int64_t first, int64_t last); /* tasks [first, last) */
    int32_t blocks_per_task; /* 0: the number of tasks does not depend on the rows */
    int32_t splits;          /* tasks = (blocks_per_task ? ceil(blocks / blocks_per_task) : 1) * splits */
    const uint32_t *stream;  /* NULL: it draws nothing */
};

struct nr_object {
    int32_t abi, kernels, lanes, real_bytes;
    const struct nr_kernel *kernel;
};
/* exported symbol: const struct nr_object nr_object */

#endif
#if defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__
#error "kernels must see NaN and infinities: compile them without -ffast-math and -ffinite-math-only"
#endif

typedef REAL real;

#define INFINITE __builtin_inf()
#define NOT_A_NUMBER __builtin_nan("")
#define UNROLL
#define sqrt_of(x) __builtin_sqrt(x)
#define is_finite(x) __builtin_isfinite(x)

/* A control word as a number. */
static inline real word(const struct nr_args *a, int i)
{
    float x;
    __builtin_memcpy(&x, &a->control[i], 4);
    return x;
}

static inline void put_word(const struct nr_args *a, int i, float x)
{
    __builtin_memcpy(&a->control[i], &x, 4);
}

typedef real V __attribute__((vector_size(LANES * sizeof(real))));         /* LANES samples */
typedef real Vm __attribute__((vector_size(LANES * sizeof(real)), may_alias));
typedef real Vu __attribute__((vector_size(LANES * sizeof(real)), may_alias, aligned(4)));
typedef INT M __attribute__((vector_size(LANES * sizeof(real))));          /* all ones where true */
typedef uint32_t U __attribute__((vector_size(LANES * 4)));
typedef uint64_t L __attribute__((vector_size(LANES * 8)));
typedef uint8_t B __attribute__((vector_size(LANES)));
typedef uint8_t Bm __attribute__((vector_size(LANES), may_alias));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef int32_t Im __attribute__((vector_size(LANES * 4), may_alias));
#define SPAN(n)                                                                                    \
    typedef real V##n __attribute__((vector_size(n * sizeof(real))));                              \
    typedef real V##n##u __attribute__((vector_size(n * sizeof(real)), may_alias, aligned(4)));
SPAN(16) SPAN(8) SPAN(4)
typedef real V1;
typedef real V1u __attribute__((may_alias));

#define ld(p) (*(const Vm *)(p))
#define st(p, v) (*(Vm *)(p) = (v))
#define sel(m, a, b) ((V)(((M)(a) & (m)) | ((M)(b) & ~(m))))
#define pick(m, a, b) (((a) & (m)) | ((b) & ~(m)))       /* of M */
#define num(x) vec((real)(x))
#define ld_u8(p) __builtin_convertvector(*(Bm *)(p), M)
#define ld_i32(p) __builtin_convertvector(*(Im *)(p), M)
#define st_u8(p, v) (*(Bm *)(p) = __builtin_convertvector(v, B))
#define st_i32(p, v) (*(Im *)(p) = __builtin_convertvector(v, I))

/* A value that several sums share is loaded once: GCC would load it again in each multiply-add. */
#if !WIDE && defined __x86_64__ && (LANES == 4 || (LANES == 8 && defined __AVX__) || (LANES == 16 && defined __AVX512F__))
#define HOLD(v) __asm__("" : "+v"(v))
#else
#define HOLD(v) (void)0
#endif

static inline V vec(real x)
{
    return x - (V){0};
}

static inline double lane_sum(V v)
{
    double x[LANES];
    for (int i = 0; i < LANES; i++)
        x[i] = v[i];
    for (int n = LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++)
            x[i] += x[i + n];
    return x[0];
}

#define sum_of_lanes(s) (lane_sum((s)->high) + lane_sum(sum_rest(s)))

/* Tiles of a weight gradient, out[i * step + j], one below the other, as sums over samples: those of many pieces meet in double. All
 * tiles of a group take a piece while it is near, and ask for their part of the next one: samples of many are far. */
enum { PIECE = 256, TILE = 512, TILES = 32 };            /* samples of a piece; most elements of a tile; tiles of a group */
typedef void nr_tile(const real *x, const real *y, int64_t samples, real *out, int64_t step);
static inline __attribute__((always_inline)) void sum_pieces(nr_tile *tile, int rows, int columns, int64_t tiles, const real *x, int64_t x_step,
                                                             const real *y, int64_t y_step, int64_t samples, real *out, int64_t step)
{
    for (int64_t n; tiles > 0; tiles -= n, y += n * rows * ROW_BLOCK, out += n * rows * step) {
        n = tiles < TILES ? tiles : TILES;
        for (int64_t t = 0; samples <= PIECE && t < n; t++)
            tile(x, y + t * rows * ROW_BLOCK, samples, out + t * rows * step, step);
        if (samples <= PIECE)
            continue;
        double sum[TILES][TILE];
        for (int64_t m = 0; m < samples; m += PIECE)
            for (int64_t t = 0; t < n; t++) {
                real piece[TILE];
                const real *own = y + m * y_step + t * rows * ROW_BLOCK;
                const int64_t some = samples - m < PIECE ? samples - m : PIECE, more = samples - m - some < PIECE ? samples - m - some : PIECE;
                for (int64_t r = t * more / n; r < (t + 1) * more / n; r++)
                    for (int k = 0; k < columns; k += 16)
                        __builtin_prefetch(x + (m + some + r) * x_step + k, 0, 2);
                for (int64_t r = 0; r < more; r += ROW_BLOCK)
                    for (int i = 0; i < rows; i++)
                        __builtin_prefetch(own + (some + r) * y_step + i * ROW_BLOCK, 0, 2);
                tile(x + m * x_step, own, some, piece, columns);
                for (int k = 0; k < rows * columns; k++)
                    sum[t][k] = (m ? sum[t][k] : 0) + piece[k];
            }
        for (int64_t i = 0; i < n * rows; i++)
            for (int k = 0; k < columns; k++)
                out[i * step + k] = (real)sum[i / rows][i % rows * columns + k];
    }
}

#define LANEWISE(name, call)                                                                       \
    static inline V v_##name(V v)                                                                  \
    {                                                                                              \
        for (int i = 0; i < LANES; i++)                                                            \
            v[i] = __builtin_##call(v[i]);                                                         \
        return v;                                                                                  \
    }

static inline U lane_numbers(void)
{
    U u;
    for (int i = 0; i < LANES; i++)
        u[i] = (uint32_t)i;
    return u;
}

/* Valid rows of the batch among the samples of this block's lanes, as a mask. */
static inline M live_mask(const struct nr_args *a, int64_t block, int lane)
{
    const U row = lane_numbers() + (uint32_t)(block * ROW_BLOCK + lane);
    return __builtin_convertvector((I)(row < a->control[CTL_ROWS]), M);
}

/* Dropout's mask. Counter = (element / 4, position in the epoch, step, stream), key = seed. True where the word is at least
 * `threshold`. */
static inline M keep_mask(const struct nr_args *a, int64_t block, int lane, uint32_t element, uint32_t stream, uint32_t threshold)
{
    U c0 = element / 4 - (U){0}, c1 = lane_numbers() + (uint32_t)(block * ROW_BLOCK + lane) + a->control[CTL_POSITION];
    U c2 = a->control[CTL_STEP] - (U){0}, c3 = stream - (U){0};
    uint32_t k0 = a->control[CTL_SEED0], k1 = a->control[CTL_SEED1];
#define PRODUCT(x, m) (__builtin_convertvector(x, L) * (uint64_t)(m))
#define HIGH_WORDS(p) __builtin_convertvector((p) >> 32, U)
#define LOW_WORDS(p) __builtin_convertvector(p, U)
    PHILOX4X32_10(L, PRODUCT, HIGH_WORDS, LOW_WORDS)
#undef PRODUCT
    const U word = element % 4 == 0 ? c0 : element % 4 == 1 ? c1 : element % 4 == 2 ? c2 : c3;
    return __builtin_convertvector((I)(word >= threshold), M);
}

/* ---- the data set ---- */

struct order { uint32_t keys[SHUFFLE_ROUNDS]; };

static inline struct order order_of(const struct nr_args *a)
{
    struct order o;
    const uint32_t key[2] = {a->control[CTL_SEED0], a->control[CTL_SEED1]};
    shuffle_keys(key, a->control[CTL_EPOCH], o.keys);
    return o;
}

/* The place in the data of the sample in row i of the batch; -1 beyond its end. */
static inline int64_t sample_at(const struct nr_args *a, const struct order *o, int64_t i)
{
    const uint32_t n = a->control[CTL_COUNT_SAMPLES], at = a->control[CTL_POSITION] + (uint32_t)i;
    if (i >= a->control[CTL_ROWS] || at >= n)
        return -1;
    if (a->staged)
        return i;
    return a->control[CTL_SHUFFLE] ? shuffle_at(at, n, o->keys) : at;
}

/* The same of all rows of a block: the walk into [0, n) ends at its first step for most of them, which LANES take together. */
static inline void samples_at(const struct nr_args *a, const struct order *o, int64_t block, int64_t *at)
{
    const uint32_t n = a->control[CTL_COUNT_SAMPLES], first = a->control[CTL_POSITION] + (uint32_t)(block * ROW_BLOCK);
    for (int lane = 0; lane < ROW_BLOCK; lane += LANES) {
        U to = lane_numbers() + (first + (uint32_t)lane);
        SHUFFLE_ONCE(U, to, n, o->keys)
        for (int i = 0; i < LANES; i++) {
            const int64_t row = block * ROW_BLOCK + lane + i;
            const int taken = row < a->control[CTL_ROWS] && first + (uint32_t)(lane + i) < n;
            at[lane + i] = !taken ? -1 : a->staged ? row : !a->control[CTL_SHUFFLE] ? first + (uint32_t)(lane + i)
                         : to[i] < n ? to[i] : shuffle_at(to[i], n, o->keys);
        }
    }
}

/* Samples lie anywhere in a set larger than the caches: ask for all of a block's lines before the first is read. */
static inline void want_pixels(const struct nr_args *a, int64_t at, int64_t n)
{
    const char *from = (const char *)a->samples + at * (a->samples_f32 ? 4 : 1);
    for (int64_t i = 0; at >= 0 && i < n * (a->samples_f32 ? 4 : 1); i += 64)
        __builtin_prefetch(from + i);
}

/* n values from `at` on, transformed; zeros if at < 0 and beyond n. */
static inline void read_pixels(const struct nr_args *a, int64_t at, int n, real scale, real shift, real *restrict x)
{
    if (at < 0)
        for (int k = 0; k < ROW_BLOCK; k++)
            x[k] = 0;
    else if (a->samples_f32)
        for (int k = 0; k < ROW_BLOCK; k++)
            x[k] = k < n ? scale * ((const float *)a->samples)[at + k] + shift : 0;
    else if (n == ROW_BLOCK)
        for (int k = 0; k < ROW_BLOCK; k++)
            x[k] = scale * ((const uint8_t *)a->samples)[at + k] + shift;
    else
        for (int k = 0; k < ROW_BLOCK; k++)
            x[k] = k < n ? scale * ((const uint8_t *)a->samples)[at + k] + shift : 0;
}

static inline void copy_pixels(const real *restrict x, int n, real *restrict to)
{
    if (n == ROW_BLOCK)
        __builtin_memcpy(to, x, ROW_BLOCK * sizeof(real));
    else
        for (int k = 0; k < n; k++)
            to[k] = x[k];
}

/* ---- 16 x 16 turns between samples in lanes and row by row ---- */

/* Perfect shuffles of its rows, log2 LANES of them, transpose a tile of LANES x LANES; they begin in START and end in a. gcc before 12
 * cannot say so. */
#if defined __clang__ || __GNUC__ >= 12
#define PAIR(t, f, i) t[2 * i] = LOW(f[i], f[i + LANES / 2]), t[2 * i + 1] = HIGH(f[i], f[i + LANES / 2])
#if LANES == 16
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define ROUND(t, f) PAIR(t, f, 0), PAIR(t, f, 1), PAIR(t, f, 2), PAIR(t, f, 3), PAIR(t, f, 4), PAIR(t, f, 5), PAIR(t, f, 6), PAIR(t, f, 7)
#define START a
#define ROUNDS ROUND(b, a), ROUND(a, b), ROUND(b, a), ROUND(a, b)
#define EACH(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15)
#elif LANES == 8
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define ROUND(t, f) PAIR(t, f, 0), PAIR(t, f, 1), PAIR(t, f, 2), PAIR(t, f, 3)
#define START b
#define ROUNDS ROUND(a, b), ROUND(b, a), ROUND(a, b)
#define EACH(f) f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)
#elif LANES == 4
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define ROUND(t, f) PAIR(t, f, 0), PAIR(t, f, 1)
#define START a
#define ROUNDS ROUND(b, a), ROUND(a, b)
#define EACH(f) f(0), f(1), f(2), f(3)
#endif
#endif

/* to[k * to_step + i] = from[i * from_step + k] */
static inline void turn16(const real *restrict from, int64_t from_step, int64_t to_step, real *restrict to)
{
#ifdef EACH
#define READ(n) START[n] = *(const Vu *)(from + (i + n) * from_step + k)
#define WRITE(n) *(Vu *)(to + (k + n) * to_step + i) = a[n]
    for (int i = 0; i < 16; i += LANES)
        for (int k = 0; k < 16; k += LANES) {
            V a[LANES], b[LANES];
            EACH(READ);
            ROUNDS;
            EACH(WRITE);
        }
#else
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 16; k++)
            to[k * to_step + i] = from[i * from_step + k];
#endif
}

#if LANES == 16
/* Adds to sum[i] the lanes of part[16 * i], 16 sums at a time, each added up in the order of lane_sum. */
static inline void lane_sums(const real *part, double *sum)
{
    typedef double D __attribute__((vector_size(64)));
    real turned[16 * 16];
    turn16(part, 16, 16, turned);
    for (int i = 0; i < 16; i += 8) {
        D x[16];
#pragma GCC unroll 16
        for (int k = 0; k < 16; k++)
            x[k] = __builtin_convertvector(*(const V8u *)(turned + 16 * k + i), D);
#pragma GCC unroll 4
        for (int n = 8; n; n /= 2)
#pragma GCC unroll 8
            for (int k = 0; k < n; k++)
                x[k] += x[k + n];
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++)
            sum[i + k] += x[0][k];
    }
}
#endif

/* to[k * ROW_BLOCK + i] = from[i * ROW_BLOCK + k] for k < n */
static inline void turn(const real *restrict from, int n, real *restrict to)
{
    if (n == ROW_BLOCK)
        turn16(from, ROW_BLOCK, ROW_BLOCK, to);
    else
        for (int k = 0; k < n; k++)
            for (int i = 0; i < ROW_BLOCK; i++)
                to[k * ROW_BLOCK + i] = from[i * ROW_BLOCK + k];
}

/* to[i * step + k] = from[k * ROW_BLOCK + i] for k < n */
static inline void turn_back(const real *restrict from, int n, int64_t step, real *restrict to)
{
    if (n == ROW_BLOCK)
        turn16(from, ROW_BLOCK, step, to);
    else
        for (int k = 0; k < n; k++)
            for (int i = 0; i < ROW_BLOCK; i++)
                to[i * step + k] = from[k * ROW_BLOCK + i];
}
/* ---- functions of a value in each lane ---- */

#if WIDE
LANEWISE(exp, exp) LANEWISE(log, log) LANEWISE(tanh, tanh) LANEWISE(erf, erf) LANEWISE(sqrt, sqrt)
#else
LANEWISE(log, logf) LANEWISE(sqrt, sqrtf)

/* exp(x) = 2^n * exp(r), |r| <= ln(2) / 2, a minimax polynomial of degree 6 for exp(r); 0 for what is below all
 * normal numbers. Keeps NaN and infinities. All three are within 1.5 units of the last place (tests/unit/test_functions.c). */
static inline V v_exp(V x)
{
    const V high = vec(88.7228f), low = vec(-87.3365f);
    V c = sel(x > high, high, x);
    c = sel(c < low, low, c);
    const V shift = vec(12582912.0f);                  /* 1.5 * 2^23: adding it rounds to an integer */
    const V n = (c * 1.44269504f + shift) - shift;
    const V r = (c - n * 0.693359375f) - n * -2.12194440e-4f;
    V p = vec(1.38146104e-3f);
    p = p * r + 8.36871113e-3f;
    p = p * r + 4.16683875e-2f;
    p = p * r + 1.66665207e-1f;
    p = p * r + 4.99999935e-1f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const I half = __builtin_convertvector(n, I) >> 1, rest = __builtin_convertvector(n, I) - half;
    p = p * (V)((half + 127) << 23) * (V)((rest + 127) << 23);
    p = sel(x > high, vec(__builtin_inff()), p);
    p = sel(x < low, vec(0.0f), p);
    return sel(x != x, x, p);
}

static inline V magnitude(V x)
{
    return (V)((M)x & 0x7fffffff);
}

static inline V with_sign(V x, V of)
{
    return (V)((M)x | ((M)of & ~0x7fffffff));
}

/* For |x| < 0.55 x + x^3 P(x^2), a minimax polynomial of relative error 1e-9; else 1 - 2 / (exp(2 |x|) + 1). */
static inline V v_tanh(V x)
{
    const V t = magnitude(x), s = x * x;
    V p = vec(-6.27423956e-3f);
    p = p * s + 2.10716791e-2f;
    p = p * s + -5.38523099e-2f;
    p = p * s + 1.33325861e-1f;
    p = p * s + -3.33333176e-1f;
    const V large = 1.0f - 2.0f / (v_exp(t + t) + 1.0f);
    return with_sign(sel(t < 0.55f, t * s * p + t, large), x);
}

/* For |x| < 1 x + x P(x^2), else 1 - exp(-Q(|x|)), which is 1 from 4 on: minimax polynomials of relative error 1e-9. */
static inline V v_erf(V x)
{
    const V t = magnitude(x), s = x * x, c = sel(t > 4.0f, vec(4.0f), t);
    V p = vec(7.85386122e-5f);
    p = p * s + -8.01019358e-4f;
    p = p * s + 5.18832768e-3f;
    p = p * s + -2.68538119e-2f;
    p = p * s + 1.12835851e-1f;
    p = p * s + -3.76126258e-1f;
    p = p * s + 1.28379166e-1f;
    V q = vec(-1.86379193e-4f);
    q = q * c + 2.94765832e-3f;
    q = q * c + -2.18380641e-2f;
    q = q * c + 1.03106755e-1f;
    q = q * c + 6.38144833e-1f;
    q = q * c + 1.12708919f;
    q = q * c + 3.41523030e-4f;
    return with_sign(sel(t < 1.0f, t * p + t, 1.0f - v_exp(-q)), x);
}
#endif
/* A sum in each lane that keeps what rounding takes from it: TwoSum, Knuth, The Art of Computer Programming, 4.2.2. What
 * was kept is a sum itself, so it goes back to the other before it is of many terms: settle after at most some hundreds. */
struct sum { V high, low; };

static inline void sum_add(struct sum *s, V x)
{
    const V high = s->high + x, back = high - s->high;
    s->low += (s->high - (high - back)) + (x - back);
    s->high = high;
}

static inline V sum_rest(const struct sum *s)            /* infinite sums have none */
{
    return sel(s->low == s->low, s->low, num(0));
}

static inline void sum_settle(struct sum *s)
{
    const V high = s->high + sum_rest(s);
    s->low -= high - s->high;
    s->high = high;
}

static inline V sum_of(const struct sum *s)
{
    return s->high + sum_rest(s);
}


#if FIRST_PIECE <= 0 && 0 < LAST_PIECE
// k0_gather = gather
static const real k0_gather_scale[] = {
    (real)1,
};
static const real k0_gather_shift[] = {
    (real)0,
};

KERNEL void k0_gather(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t1_gather = a->t[1];
    real *const t2_gather = a->t[2];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t block = task / 1, part = task % 1;
        const struct order order = order_of(a);
        int64_t at[16];
        samples_at(a, &order, block, at);
        for (int i = 0; i < 16; i++)
            want_pixels(a, at[i] < 0 ? -1 : at[i] * 2LL + 2LL * part / 1, 2);
        for (int c = 0; c < 1; c++)
        for (int64_t e = 2 * part / 1 / 16 * 16; e < (part == 0 ? 2 : 2 * (part + 1) / 1 / 16 * 16); e += 16) {
            real x[16][16] __attribute__((aligned(64)));
            const int n = 2 - e < 16 ? (int)(2 - e) : 16;
            const int64_t from = c * 2LL + e;
            for (int i = 0; i < 16; i++)
                read_pixels(a, at[i] < 0 ? -1 : at[i] * 2LL + from, n, k0_gather_scale[c], k0_gather_shift[c], x[i]);
            for (int i = 0; i < 16; i++)
                copy_pixels(x[i], n, t2_gather + (block * 16 + i) * 4 + from);
            turn(&x[0][0], n, t1_gather + (block * 2 + from) * 16);
        }
    }
}

// k1_gather_target = gather_target
KERNEL void k1_gather_target(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t1_gather_target = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    const struct order order = order_of(a);
    for (int64_t block = first; block < last; block++) {
        int64_t all[16];
        samples_at(a, &order, block, all);
        for (int i = 0; i < 16; i++) {
            const int64_t at = all[i];
            for (int64_t e = 0; e < 1; e++)
                t1_gather_target[(block * 1 + e) * 16 + i] = at < 0 ? 0 : ((const float *)a->targets)[at * 1 + e];
        }
    }
}

#endif

#if FIRST_PIECE <= 1 && 1 < LAST_PIECE
// k2_conv = conv, add, tanh
static void k2_conv_tile4x4(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]), s0_1 = vec(bias[0]), s0_2 = vec(bias[0]), s0_3 = vec(bias[0]);
    V s1_0 = vec(bias[1]), s1_1 = vec(bias[1]), s1_2 = vec(bias[1]), s1_3 = vec(bias[1]);
    V s2_0 = vec(bias[2]), s2_1 = vec(bias[2]), s2_2 = vec(bias[2]), s2_3 = vec(bias[2]);
    V s3_0 = vec(bias[3]), s3_1 = vec(bias[3]), s3_2 = vec(bias[3]), s3_3 = vec(bias[3]);
    for (int d = 0; d < 2; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0), b1 = ld(x + 32), b2 = ld(x + 64), b3 = ld(x + 96);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; s0_2 += a * b2; s0_3 += a * b3; }
        { const V a = vec(weight[2]); s1_0 += a * b0; s1_1 += a * b1; s1_2 += a * b2; s1_3 += a * b3; }
        { const V a = vec(weight[4]); s2_0 += a * b0; s2_1 += a * b1; s2_2 += a * b2; s2_3 += a * b3; }
        { const V a = vec(weight[6]); s3_0 += a * b0; s3_1 += a * b1; s3_2 += a * b2; s3_3 += a * b3; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
    tile[2] = s0_2;
    tile[3] = s0_3;
    tile[4] = s1_0;
    tile[5] = s1_1;
    tile[6] = s1_2;
    tile[7] = s1_3;
    tile[8] = s2_0;
    tile[9] = s2_1;
    tile[10] = s2_2;
    tile[11] = s2_3;
    tile[12] = s3_0;
    tile[13] = s3_1;
    tile[14] = s3_2;
    tile[15] = s3_3;
}

static void k2_conv_tile4x2(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]), s0_1 = vec(bias[0]);
    V s1_0 = vec(bias[1]), s1_1 = vec(bias[1]);
    V s2_0 = vec(bias[2]), s2_1 = vec(bias[2]);
    V s3_0 = vec(bias[3]), s3_1 = vec(bias[3]);
    for (int d = 0; d < 2; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0), b1 = ld(x + 32);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; }
        { const V a = vec(weight[2]); s1_0 += a * b0; s1_1 += a * b1; }
        { const V a = vec(weight[4]); s2_0 += a * b0; s2_1 += a * b1; }
        { const V a = vec(weight[6]); s3_0 += a * b0; s3_1 += a * b1; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
    tile[4] = s1_0;
    tile[5] = s1_1;
    tile[8] = s2_0;
    tile[9] = s2_1;
    tile[12] = s3_0;
    tile[13] = s3_1;
}

static void k2_conv_tile4x1(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]);
    V s1_0 = vec(bias[1]);
    V s2_0 = vec(bias[2]);
    V s3_0 = vec(bias[3]);
    for (int d = 0; d < 2; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0);
        { const V a = vec(weight[0]); s0_0 += a * b0; }
        { const V a = vec(weight[2]); s1_0 += a * b0; }
        { const V a = vec(weight[4]); s2_0 += a * b0; }
        { const V a = vec(weight[6]); s3_0 += a * b0; }
    }
    tile[0] = s0_0;
    tile[4] = s1_0;
    tile[8] = s2_0;
    tile[12] = s3_0;
}

KERNEL void k2_conv(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_weight = a->t[1];
    real *const t2_bias = a->t[2];
    real *const t3_tanh = a->t[3];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t part = task % 2, block = task / 2 * 4;
        (void)part;
        const int blocks_here = blocks - block < 4 ? (int)(blocks - block) : 4;
        for (int lane = 0; lane < 16; lane += LANES) {
            for (int64_t t = part * 2LL / 2; t < (part + 1) * 2LL / 2; t++) {
                const int64_t k = t * 4;
                enum { n = 4 };
                const real *weight = t1_weight + k * 2;
                V tile[16];
                for (int j0 = 0; j0 < blocks_here;) {
                    const int m = blocks_here - j0 >= 4 ? 4 : blocks_here - j0 >= 2 ? 2 : 1;
                    const real *x = t0_x + ((block + j0) * 2) * 16 + lane;
                    if (n == 4 && m == 4) k2_conv_tile4x4(x, weight, t2_bias + k, tile);
                    else if (n == 4 && m == 2) k2_conv_tile4x2(x, weight, t2_bias + k, tile);
                    else if (n == 4 && m == 1) k2_conv_tile4x1(x, weight, t2_bias + k, tile);
                    for (int i = 0; i < n; i++)
                    for (int j = 0; j < m; j++) {
                        const V v1 = tile[i * 4 + j];
                        const V v2 = v_tanh(v1);
                        st(t3_tanh + ((block + j0 + j) * 8 + (k + i)) * 16 + lane, v2);
                    }
                    j0 += m;
                }
            }
        }
    }
}

#endif

#if FIRST_PIECE <= 2 && 2 < LAST_PIECE
// k3_conv = conv, add
static void k3_conv_tile1x4(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]), s0_1 = vec(bias[0]), s0_2 = vec(bias[0]), s0_3 = vec(bias[0]);
    for (int d = 0; d < 8; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0), b1 = ld(x + 128), b2 = ld(x + 256), b3 = ld(x + 384);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; s0_2 += a * b2; s0_3 += a * b3; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
    tile[2] = s0_2;
    tile[3] = s0_3;
}

static void k3_conv_tile1x2(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]), s0_1 = vec(bias[0]);
    for (int d = 0; d < 8; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0), b1 = ld(x + 128);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
}

static void k3_conv_tile1x1(const real *restrict x, const real *restrict weight, const real *restrict bias, V *restrict tile)
{
    V s0_0 = vec(bias[0]);
    for (int d = 0; d < 8; d++, x += 16, weight += 1) {
        const V b0 = ld(x + 0);
        { const V a = vec(weight[0]); s0_0 += a * b0; }
    }
    tile[0] = s0_0;
}

KERNEL void k3_conv(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_weight = a->t[1];
    real *const t2_bias = a->t[2];
    real *const t3_add = a->t[3];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t part = task % 1, block = task / 1 * 4;
        (void)part;
        const int blocks_here = blocks - block < 4 ? (int)(blocks - block) : 4;
        for (int lane = 0; lane < 16; lane += LANES) {
            for (int64_t t = part * 1LL / 1; t < (part + 1) * 1LL / 1; t++) {
                const int64_t k = t * 1;
                enum { n = 1 };
                const real *weight = t1_weight + k * 8;
                V tile[4];
                for (int j0 = 0; j0 < blocks_here;) {
                    const int m = blocks_here - j0 >= 4 ? 4 : blocks_here - j0 >= 2 ? 2 : 1;
                    const real *x = t0_x + ((block + j0) * 8) * 16 + lane;
                    if (n == 1 && m == 4) k3_conv_tile1x4(x, weight, t2_bias + k, tile);
                    else if (n == 1 && m == 2) k3_conv_tile1x2(x, weight, t2_bias + k, tile);
                    else if (n == 1 && m == 1) k3_conv_tile1x1(x, weight, t2_bias + k, tile);
                    for (int i = 0; i < n; i++)
                    for (int j = 0; j < m; j++) {
                        const V v1 = tile[i * 4 + j];
                        st(t3_add + ((block + j0 + j) * 1 + (k + i)) * 16 + lane, v1);
                    }
                    j0 += m;
                }
            }
        }
    }
}

#endif

#if FIRST_PIECE <= 3 && 3 < LAST_PIECE
// k4_mse = mse
KERNEL void k4_mse(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_target = a->t[1];
    real *const t2_mse = a->t[2];
    real *const t3_mse = a->t[3];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t part = task % 1, block = task / 1 * 1;
        (void)part;
        for (int lane = 0; lane < 16; lane += LANES) {
            const M live = live_mask(a, block, lane);
            const V slope = vec((real)2 / ((real)1 * (real)a->control[1]));
            (void)slope;
            struct sum loss = {};
            for (int64_t e = 0; e < 1; e++) {
                const V d = ld(t0_x + (block * 1 + e) * 16 + lane) - ld(t1_target + (block * 1 + e) * 16 + lane);
                sum_add(&loss, d * d);
                if (e % 256 == 0)
                    sum_settle(&loss);
                st(t3_mse + (block * 1 + e) * 16 + lane, sel(live, d * slope, num(0)));
            }
            st(t2_mse + (block * 1 + 0) * 16 + lane, sel(live, sum_of(&loss) / num(1), num(0)));
        }
    }
}

// k5_report_loss = report_loss
KERNEL void k5_report_loss(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t c = first; c < last; c++) {
        const int64_t rows = a->control[0];
        {
            double sum = 0;
            for (int64_t i = 0; i < rows; i++)
                sum += t0_x[i];
            const double total = sum;
            const float loss = (float)(total / rows);
            put_word(a, 37, loss);
            a->control[38] = is_finite(loss) && (!a->control[28] || a->control[38]);
        }
    }
}

// k6_chan_sum = chan_sum
KERNEL void k6_chan_sum(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_chan_sum = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t c = first; c < last; c++) {
        struct sum sum0 = {};
        for (int64_t block = 0; block < blocks; block++)
        for (int lane = 0; lane < 16; lane += LANES) {
            const M live = live_mask(a, block, lane);
            for (int64_t e = c * 1; e < (c + 1) * 1; e++) {
                const V v0 = ld(t0_x + (block * 1 + e) * 16 + lane);
                sum_add(&sum0, sel(live, v0, num(0)));
            }
            sum_settle(&sum0);
        }
        const double total0 = sum_of_lanes(&sum0);
        const double n = 1.0 * a->control[0];
        (void)n;
        t1_chan_sum[c] = (real)(total0);
    }
}

// k7_relayout = relayout
KERNEL void k7_relayout(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_relayout = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t block = first; block < last; block++)
    for (int64_t e = 0; e < 8; e += 16)
        turn_back(t0_x + (block * 8LL + e) * 16, 8LL - e < 16 ? (int)(8LL - e) : 16, 8, t1_relayout + block * 16 * 8LL + e);
}

// k8_linear_dw = linear_dw
static void k8_linear_dw_tile1x8(const real *restrict x, const real *restrict y, const int64_t samples, real *restrict out, const int64_t step)
{
    V8 s0_0 = {0};
    for (int64_t m = 0; m < samples; m++) {
        const real *xr = x + m * 8, *yr = y + m / 16 * 16 + m % 16;
        const V8 x0 = *(const V8u *)(xr + 0);
        { const real a = yr[0]; s0_0 += x0 * a; }
    }
    *(V8u *)(out + 0 * step + 0) = s0_0;
}

KERNEL void k8_linear_dw(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_x = a->t[1];
    real *const t2_linear_dw = a->t[2];
    const int64_t blocks = a->blocks;
    (void)blocks;
    const int64_t samples = a->control[0];
    const int64_t end = last < 1 ? last : 1;
    sum_pieces(k8_linear_dw_tile1x8, 1, 8, end - first, t0_x + 0, 8, t1_x + first * 1 * 16, 1, samples, t2_linear_dw + first * 1 * 8 + 0, 8);
}

#endif

#if FIRST_PIECE <= 4 && 4 < LAST_PIECE
// k9_conv_dx = conv_dx, tanh.da
static void k9_conv_dx_tile4x4(const real *restrict x, const real *restrict weight, V *restrict tile)
{
    V s0_0 = {0}, s0_1 = {0}, s0_2 = {0}, s0_3 = {0};
    V s1_0 = {0}, s1_1 = {0}, s1_2 = {0}, s1_3 = {0};
    V s2_0 = {0}, s2_1 = {0}, s2_2 = {0}, s2_3 = {0};
    V s3_0 = {0}, s3_1 = {0}, s3_2 = {0}, s3_3 = {0};
    for (int d = 0; d < 1; d++, x += 16, weight += 8) {
        const V b0 = ld(x + 0), b1 = ld(x + 16), b2 = ld(x + 32), b3 = ld(x + 48);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; s0_2 += a * b2; s0_3 += a * b3; }
        { const V a = vec(weight[1]); s1_0 += a * b0; s1_1 += a * b1; s1_2 += a * b2; s1_3 += a * b3; }
        { const V a = vec(weight[2]); s2_0 += a * b0; s2_1 += a * b1; s2_2 += a * b2; s2_3 += a * b3; }
        { const V a = vec(weight[3]); s3_0 += a * b0; s3_1 += a * b1; s3_2 += a * b2; s3_3 += a * b3; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
    tile[2] = s0_2;
    tile[3] = s0_3;
    tile[4] = s1_0;
    tile[5] = s1_1;
    tile[6] = s1_2;
    tile[7] = s1_3;
    tile[8] = s2_0;
    tile[9] = s2_1;
    tile[10] = s2_2;
    tile[11] = s2_3;
    tile[12] = s3_0;
    tile[13] = s3_1;
    tile[14] = s3_2;
    tile[15] = s3_3;
}

static void k9_conv_dx_tile4x2(const real *restrict x, const real *restrict weight, V *restrict tile)
{
    V s0_0 = {0}, s0_1 = {0};
    V s1_0 = {0}, s1_1 = {0};
    V s2_0 = {0}, s2_1 = {0};
    V s3_0 = {0}, s3_1 = {0};
    for (int d = 0; d < 1; d++, x += 16, weight += 8) {
        const V b0 = ld(x + 0), b1 = ld(x + 16);
        { const V a = vec(weight[0]); s0_0 += a * b0; s0_1 += a * b1; }
        { const V a = vec(weight[1]); s1_0 += a * b0; s1_1 += a * b1; }
        { const V a = vec(weight[2]); s2_0 += a * b0; s2_1 += a * b1; }
        { const V a = vec(weight[3]); s3_0 += a * b0; s3_1 += a * b1; }
    }
    tile[0] = s0_0;
    tile[1] = s0_1;
    tile[4] = s1_0;
    tile[5] = s1_1;
    tile[8] = s2_0;
    tile[9] = s2_1;
    tile[12] = s3_0;
    tile[13] = s3_1;
}

static void k9_conv_dx_tile4x1(const real *restrict x, const real *restrict weight, V *restrict tile)
{
    V s0_0 = {0};
    V s1_0 = {0};
    V s2_0 = {0};
    V s3_0 = {0};
    for (int d = 0; d < 1; d++, x += 16, weight += 8) {
        const V b0 = ld(x + 0);
        { const V a = vec(weight[0]); s0_0 += a * b0; }
        { const V a = vec(weight[1]); s1_0 += a * b0; }
        { const V a = vec(weight[2]); s2_0 += a * b0; }
        { const V a = vec(weight[3]); s3_0 += a * b0; }
    }
    tile[0] = s0_0;
    tile[4] = s1_0;
    tile[8] = s2_0;
    tile[12] = s3_0;
}

KERNEL void k9_conv_dx(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_weight = a->t[1];
    real *const t2_x = a->t[2];
    real *const t3_tanh_da = a->t[3];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t part = task % 2, block = task / 2 * 4;
        (void)part;
        const int blocks_here = blocks - block < 4 ? (int)(blocks - block) : 4;
        for (int lane = 0; lane < 16; lane += LANES) {
            for (int64_t t = part * 2LL / 2; t < (part + 1) * 2LL / 2; t++) {
                const int64_t k = t * 4;
                enum { n = 4 };
                const real *weight = t1_weight + k * 1;
                V tile[16];
                for (int j0 = 0; j0 < blocks_here;) {
                    const int m = blocks_here - j0 >= 4 ? 4 : blocks_here - j0 >= 2 ? 2 : 1;
                    const real *x = t0_x + ((block + j0) * 1) * 16 + lane;
                    if (n == 4 && m == 4) k9_conv_dx_tile4x4(x, weight, tile);
                    else if (n == 4 && m == 2) k9_conv_dx_tile4x2(x, weight, tile);
                    else if (n == 4 && m == 1) k9_conv_dx_tile4x1(x, weight, tile);
                    for (int i = 0; i < n; i++)
                    for (int j = 0; j < m; j++) {
                        const V v0 = tile[i * 4 + j];
                        const V v1 = v0 * (num(1) - ld(t2_x + ((block + j0 + j) * 8 + (k + i)) * 16 + lane) * ld(t2_x + ((block + j0 + j) * 8 + (k + i)) * 16 + lane));
                        st(t3_tanh_da + ((block + j0 + j) * 8 + (k + i)) * 16 + lane, v1);
                    }
                    j0 += m;
                }
            }
        }
    }
}

#endif

#if FIRST_PIECE <= 5 && 5 < LAST_PIECE
// k10_chan_sum = chan_sum
KERNEL void k10_chan_sum(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_chan_sum = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t c = first; c < last; c++) {
        struct sum sum0 = {};
        for (int64_t block = 0; block < blocks; block++)
        for (int lane = 0; lane < 16; lane += LANES) {
            const M live = live_mask(a, block, lane);
            for (int64_t e = c * 1; e < (c + 1) * 1; e++) {
                const V v0 = ld(t0_x + (block * 8 + e) * 16 + lane);
                sum_add(&sum0, sel(live, v0, num(0)));
            }
            sum_settle(&sum0);
        }
        const double total0 = sum_of_lanes(&sum0);
        const double n = 1.0 * a->control[0];
        (void)n;
        t1_chan_sum[c] = (real)(total0);
    }
}

#endif

#if FIRST_PIECE <= 6 && 6 < LAST_PIECE
// k11_linear_dw = linear_dw
static void k11_linear_dw_tile8x2(const real *restrict x, const real *restrict y, const int64_t samples, real *restrict out, const int64_t step)
{
    V1 s0_0 = {0};
    V1 s0_1 = {0};
    V1 s1_0 = {0};
    V1 s1_1 = {0};
    V1 s2_0 = {0};
    V1 s2_1 = {0};
    V1 s3_0 = {0};
    V1 s3_1 = {0};
    V1 s4_0 = {0};
    V1 s4_1 = {0};
    V1 s5_0 = {0};
    V1 s5_1 = {0};
    V1 s6_0 = {0};
    V1 s6_1 = {0};
    V1 s7_0 = {0};
    V1 s7_1 = {0};
    for (int64_t m = 0; m < samples; m++) {
        const real *xr = x + m * 4, *yr = y + m / 16 * 128 + m % 16;
        const V1 x0 = *(const V1u *)(xr + 0);
        const V1 x1 = *(const V1u *)(xr + 1);
        { const real a = yr[0]; s0_0 += x0 * a; s0_1 += x1 * a; }
        { const real a = yr[16]; s1_0 += x0 * a; s1_1 += x1 * a; }
        { const real a = yr[32]; s2_0 += x0 * a; s2_1 += x1 * a; }
        { const real a = yr[48]; s3_0 += x0 * a; s3_1 += x1 * a; }
        { const real a = yr[64]; s4_0 += x0 * a; s4_1 += x1 * a; }
        { const real a = yr[80]; s5_0 += x0 * a; s5_1 += x1 * a; }
        { const real a = yr[96]; s6_0 += x0 * a; s6_1 += x1 * a; }
        { const real a = yr[112]; s7_0 += x0 * a; s7_1 += x1 * a; }
    }
    *(V1u *)(out + 0 * step + 0) = s0_0;
    *(V1u *)(out + 0 * step + 1) = s0_1;
    *(V1u *)(out + 1 * step + 0) = s1_0;
    *(V1u *)(out + 1 * step + 1) = s1_1;
    *(V1u *)(out + 2 * step + 0) = s2_0;
    *(V1u *)(out + 2 * step + 1) = s2_1;
    *(V1u *)(out + 3 * step + 0) = s3_0;
    *(V1u *)(out + 3 * step + 1) = s3_1;
    *(V1u *)(out + 4 * step + 0) = s4_0;
    *(V1u *)(out + 4 * step + 1) = s4_1;
    *(V1u *)(out + 5 * step + 0) = s5_0;
    *(V1u *)(out + 5 * step + 1) = s5_1;
    *(V1u *)(out + 6 * step + 0) = s6_0;
    *(V1u *)(out + 6 * step + 1) = s6_1;
    *(V1u *)(out + 7 * step + 0) = s7_0;
    *(V1u *)(out + 7 * step + 1) = s7_1;
}

KERNEL void k11_linear_dw(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_x = a->t[1];
    real *const t2_linear_dw = a->t[2];
    const int64_t blocks = a->blocks;
    (void)blocks;
    const int64_t samples = a->control[0];
    const int64_t end = last < 1 ? last : 1;
    sum_pieces(k11_linear_dw_tile8x2, 8, 2, end - first, t0_x + 0, 4, t1_x + first * 8 * 16, 8, samples, t2_linear_dw + first * 8 * 2 + 0, 2);
}

// k12_accumulate = accumulate
KERNEL void k12_accumulate(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_sum = a->t[0];
    real *const t1_gradients = a->t[1];
    real *const t2_accumulate = a->t[2];    /* the bytes of t0_sum */
    real *const t3_accumulate = a->t[3];    /* the bytes of t1_gradients */
    const V begin = vec(word(a, 29));
    const int64_t blocks = a->blocks;
    (void)blocks;
    const int lane = 0;
    (void)lane;
    for (int64_t e = first * 4LL / 1 * 16; e < last * 4LL / 1 * 16; e += LANES) {
        V s = ld(t0_sum + e);
        V g = ld(t1_gradients + e);
        s = sel(begin > num(0), g, s + g);
        g = s;
        st(t2_accumulate + e, s);
        st(t3_accumulate + e, g);
    }
}

// k13_adam = adam
KERNEL void k13_adam(const struct nr_args *a, int64_t first, int64_t last)
{
    if (!a->control[CTL_LAST] || !a->control[CTL_FINITE])
        return;                                    /* a loss that is not finite changes nothing */
    real *const t0_parameters = a->t[0];
    real *const t1_exp_avg = a->t[1];
    real *const t2_exp_avg_sq = a->t[2];
    real *const t3_gradients = a->t[3];
    real *const t4_adam = a->t[4];    /* the bytes of t0_parameters */
    real *const t5_adam = a->t[5];    /* the bytes of t1_exp_avg */
    real *const t6_adam = a->t[6];    /* the bytes of t2_exp_avg_sq */
    const V lr = vec(word(a, 9));
    const V beta1 = vec(word(a, 10));
    const V host1 = vec(word(a, 11));    /* {1 - beta1} */
    const V decay = vec(word(a, 12));
    const V beta2 = vec(word(a, 13));
    const V host4 = vec(word(a, 14));    /* {1 - beta2} */
    const V host5 = vec(word(a, 15));    /* {1 - pow(beta1, t)} */
    const V host6 = vec(word(a, 16));    /* {sqrt(1 - pow(beta2, t))} */
    const V eps = vec(word(a, 17));
    const int64_t blocks = a->blocks;
    (void)blocks;
    const int lane = 0;
    (void)lane;
    for (int64_t e = first * 4LL / 1 * 16; e < last * 4LL / 1 * 16; e += LANES) {
        V p = ld(t0_parameters + e);
        V m = ld(t1_exp_avg + e);
        V v = ld(t2_exp_avg_sq + e);
        V g = ld(t3_gradients + e);
        m = beta1 * m + host1 * (g + decay * p);
        v = beta2 * v + host4 * (g + decay * p) * (g + decay * p);
        p = p - lr / host5 * m / (v_sqrt(v) * (num(1) / host6) + eps);
        st(t4_adam + e, p);
        st(t5_adam + e, m);
        st(t6_adam + e, v);
    }
}

#endif

#if FIRST_PIECE <= 7 && 7 < LAST_PIECE
// k14_gather = gather
static const real k14_gather_scale[] = {
    (real)1,
};
static const real k14_gather_shift[] = {
    (real)0,
};

KERNEL void k14_gather(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t1_gather = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t block = task / 1, part = task % 1;
        const struct order order = order_of(a);
        int64_t at[16];
        samples_at(a, &order, block, at);
        for (int i = 0; i < 16; i++)
            want_pixels(a, at[i] < 0 ? -1 : at[i] * 2LL + 2LL * part / 1, 2);
        for (int c = 0; c < 1; c++)
        for (int64_t e = 2 * part / 1 / 16 * 16; e < (part == 0 ? 2 : 2 * (part + 1) / 1 / 16 * 16); e += 16) {
            real x[16][16] __attribute__((aligned(64)));
            const int n = 2 - e < 16 ? (int)(2 - e) : 16;
            const int64_t from = c * 2LL + e;
            for (int i = 0; i < 16; i++)
                read_pixels(a, at[i] < 0 ? -1 : at[i] * 2LL + from, n, k14_gather_scale[c], k14_gather_shift[c], x[i]);
            turn(&x[0][0], n, t1_gather + (block * 2 + from) * 16);
        }
    }
}

// k15_mse = mse
KERNEL void k15_mse(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_target = a->t[1];
    real *const t2_mse = a->t[2];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t task = first; task < last; task++) {
        const int64_t part = task % 1, block = task / 1 * 1;
        (void)part;
        for (int lane = 0; lane < 16; lane += LANES) {
            const M live = live_mask(a, block, lane);
            const V slope = vec((real)2 / ((real)1 * (real)a->control[1]));
            (void)slope;
            struct sum loss = {};
            for (int64_t e = 0; e < 1; e++) {
                const V d = ld(t0_x + (block * 1 + e) * 16 + lane) - ld(t1_target + (block * 1 + e) * 16 + lane);
                sum_add(&loss, d * d);
                if (e % 256 == 0)
                    sum_settle(&loss);
            }
            st(t2_mse + (block * 1 + 0) * 16 + lane, sel(live, sum_of(&loss) / num(1), num(0)));
        }
    }
}

// k16_relayout = relayout
KERNEL void k16_relayout(const struct nr_args *a, int64_t first, int64_t last)
{
    real *const t0_x = a->t[0];
    real *const t1_relayout = a->t[1];
    const int64_t blocks = a->blocks;
    (void)blocks;
    for (int64_t block = first; block < last; block++)
    for (int64_t e = 0; e < 1; e += 16)
        turn_back(t0_x + (block * 1LL + e) * 16, 1LL - e < 16 ? (int)(1LL - e) : 16, 4, t1_relayout + block * 16 * 4LL + e);
}

#endif

#if FIRST_PIECE == 0
KERNEL void k0_gather(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k1_gather_target(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k2_conv(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k3_conv(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k4_mse(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k5_report_loss(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k6_chan_sum(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k7_relayout(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k8_linear_dw(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k9_conv_dx(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k10_chan_sum(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k11_linear_dw(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k12_accumulate(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k13_adam(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k14_gather(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k15_mse(const struct nr_args *a, int64_t first, int64_t last);
KERNEL void k16_relayout(const struct nr_args *a, int64_t first, int64_t last);

static const struct nr_kernel kernels[] = {
    {k0_gather, 1, 1},
    {k1_gather_target, 1, 1},
    {k2_conv, 4, 2},
    {k3_conv, 4, 1},
    {k4_mse, 1, 1},
    {k5_report_loss, 0, 1},
    {k6_chan_sum, 0, 1},
    {k7_relayout, 1, 1},
    {k8_linear_dw, 0, 1},
    {k9_conv_dx, 4, 2},
    {k10_chan_sum, 0, 8},
    {k11_linear_dw, 0, 1},
    {k12_accumulate, 0, 1},
    {k13_adam, 0, 1},
    {k14_gather, 1, 1},
    {k1_gather_target, 1, 1},
    {k2_conv, 4, 2},
    {k3_conv, 4, 1},
    {k15_mse, 1, 1},
    {k5_report_loss, 0, 1},
    {k14_gather, 1, 1},
    {k2_conv, 4, 2},
    {k3_conv, 4, 1},
    {k16_relayout, 1, 1},
};

const struct nr_object nr_object = {3, 24, LANES, sizeof(real), kernels};
#endif
