/* matmul.c: products of matrices without rows, y[i][j] = alpha sum k a[i][k] b[k][j] + beta c[i][j], lying row by row: the plain loops, in
 * registers of a processor, and in tiles of a GPU's shared memory. A sum's order is that of its body, whoever makes it. */
#include "contract.h"

#include <stdlib.h>

enum { PANEL = 512 };     /* terms that are added up in float: then they meet the others */
enum { MOST_PARTS = 64 }; /* tasks of a kernel */

static struct matmul sizes_of(const struct writer *w, const struct stage *s)
{
    const struct tensor *const in[] = {tensor_of(w, s->in[0]), tensor_of(w, s->in[1])};
    return matmul_of(s->attr, in);
}

/* C expressions of a's and b's elements. */
static const char *a_at(struct writer *w, const struct stage *s, const struct matmul *m, const char *i, const char *k)
{
    return m->ta ? region_printf(w->region, "%s[%s * %lld + %s]", name_of(w, s->in[0]), k, (long long)m->M, i)
                 : region_printf(w->region, "%s[%s * %lld + %s]", name_of(w, s->in[0]), i, (long long)m->K, k);
}

static const char *b_at(struct writer *w, const struct stage *s, const struct matmul *m, const char *k, const char *j)
{
    return m->tb ? region_printf(w->region, "%s[%s * %lld + %s]", name_of(w, s->in[1]), j, (long long)m->K, k)
                 : region_printf(w->region, "%s[%s * %lld + %s]", name_of(w, s->in[1]), k, (long long)m->N, j);
}

/* Element e of the result, of a sum. */
static const char *result_text(struct writer *w, const struct stage *s, const struct matmul *m, const char *e,
                               const char *sum)
{
    const char *product = m->alpha == 1 ? sum : region_printf(w->region, "(real)%.17g * %s", m->alpha, sum);
    return s->nin < 3
               ? product
               : region_printf(w->region, "(real)%.17g * %s[%s] + %s", m->beta, name_of(w, s->in[2]), e, product);
}

/* `pieces` of rows x columns sums over so many terms, their padding included, and the results by alpha, beta and C: once a run. A term of
 * a piece takes a value of A for each row and one of B for each column. */
static struct price pieces_price(const struct stage *s, const struct matmul *m, int64_t pieces, double rows,
                                 double columns, int64_t terms)
{
    const double results = (double)(m->M * m->N), turns = (double)pieces * (double)terms, adds = s->nin > 2;
    return (struct price){.fixed_flops = 2 * turns * rows * columns + results * ((m->alpha != 1) + 2 * adds),
                          .fixed_bytes = 4 * (turns * (rows + columns) + results * (1 + adds))};
}

void put_matmul_plain(struct writer *w, const struct stage *s)
{
    const struct matmul m = sizes_of(w, s);
    open_kernel(w);
    open_values(w, "e", m.M * m.N, (int)least(m.M * m.N, MOST_PARTS));
    put(w, "const int64_t i = e / %lld, j = e %% %lld;", (long long)m.N, (long long)m.N);
    put(w, "double sum = 0;");
    put(w, "for (int64_t k = 0; k < %lld; k++)", (long long)m.K);
    put(w, "    sum += (double)%s * (double)%s;", a_at(w, s, &m, "i", "k"), b_at(w, s, &m, "k", "j"));
    put(w, "%s[e] = %s;", name_of(w, s->out[0]), result_text(w, s, &m, "e", "(real)sum"));
    put(w, "}");
    close_kernel(w);
}

/* ---- a processor: a task has tiles of rows x columns sums in registers ---- */

/* Sums of a tile: `rows` of A by `columns` of B, each a vector of `span` floats: neighbouring columns; or, where B is transposed,
 * terms of one sum. */
struct tile {
    int rows, columns, span;
    int64_t down, across; /* tiles */
};

static struct tile choose_tile(const struct writer *w, const struct matmul *m)
{
    const int registers = registers_of(w);
    const int64_t vector = m->tb ? m->K : m->N;
    struct tile t = {.span = w->lanes};
    while (t.span > 1 && t.span > vector)
        t.span = t.span > 4 ? t.span / 2 : 1;
    t.columns = m->tb ? (registers > 16 ? 4 : 3) : m->N < 2 * t.span ? 1 : 2;
    t.rows = m->tb ? t.columns : (registers - t.columns - 1) / t.columns;
    t.rows = (int)least(least(t.rows, 8), m->M);
    if (m->tb)
        t.columns = (int)least(t.columns, m->N);
    t.down = groups_of(m->M, t.rows);
    t.across = groups_of(m->N, m->tb ? t.columns : t.columns * t.span);
    return t;
}

bool is_matmul_cpu(const struct writer *w, const struct stage *s)
{
    (void)w;
    return s->attr[0] == 0 || s->attr[1] == 0; /* A and B are not both transposed */
}

/* a0 and on: the rows of A, or what of a column the tile has; rows behind the last are the last one again, and not written. */
static void put_rows(struct writer *w, const struct stage *s, const struct matmul *m, const struct tile *t)
{
    for (int i = 0; i < t->rows; i++)
        put(w, "const real *a%d = %s + (i0 + %d < %lld ? i0 + %d : %lld)%s;", i, name_of(w, s->in[0]), i,
            (long long)m->M, i, (long long)m->M - 1, m->ta ? "" : region_printf(w->region, " * %lld", (long long)m->K));
}

static void put_zero_sums(struct writer *w, const struct tile *t)
{
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++)
            put(w, "V%d s%d_%d = {0};", t->span, i, j);
}

static const char *vector_at(struct writer *w, const struct tile *t, const char *at)
{
    return region_printf(w->region, "*(const V%du *)(%s)", t->span, at);
}

static const char *plain_sum(struct writer *w, const struct tile *t, const char *name)
{
    const char *text = "";
    for (int n = 0; n < t->span; n++)
        text = region_printf(w->region, t->span == 1 ? "%s%s%s" : "%s%s%s[%d]", text, n ? " + " : "", name, n);
    return text;
}

/* Vectors of neighbouring columns. Columns of the last tile that the one before has, too, are made again and not written. */
static void put_columns_tile(struct writer *w, const struct stage *s, const struct matmul *m, const struct tile *t)
{
    const int wide = t->columns * t->span;
    put(w, "const int64_t j0 = t %% %lld * %d < %lld ? t %% %lld * %d : %lld, skip = t %% %lld * %d - j0;",
        (long long)t->across, wide, (long long)(m->N - wide), (long long)t->across, wide, (long long)(m->N - wide),
        (long long)t->across, wide);
    put(w, "real sum[%d] = {0};", t->rows * wide);
    put(w, "for (int64_t k0 = 0; k0 < %lld; k0 += %d) {", (long long)m->K, PANEL);
    put(w, "const int64_t end = k0 + %d < %lld ? k0 + %d : %lld;", PANEL, (long long)m->K, PANEL, (long long)m->K);
    put_zero_sums(w, t);
    put(w, "for (int64_t k = k0; k < end; k++) {");
    for (int j = 0; j < t->columns; j++)
        put(w, "const V%d b%d = %s;", t->span, j,
            vector_at(w, t,
                      region_printf(w->region, "%s + k * %lld + j0 + %d", name_of(w, s->in[1]), (long long)m->N,
                                    j * t->span)));
    for (int i = 0; i < t->rows; i++) {
        put(w, "const real f%d = a%d[k%s];", i, i, m->ta ? region_printf(w->region, " * %lld", (long long)m->M) : "");
        for (int j = 0; j < t->columns; j++)
            put(w, "s%d_%d += f%d * b%d;", i, j, i, j);
    }
    put(w, "}");
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++)
            put(w, "*(V%du *)(sum + %d) += s%d_%d;", t->span, i * wide + j * t->span, i, j);
    put(w, "}");
    put(w, "for (int i = 0; i < %d && i0 + i < %lld; i++)", t->rows, (long long)m->M);
    put(w, "for (int64_t j = skip; j < %d; j++) {", wide);
    put(w, "const int64_t e = (i0 + i) * %lld + j0 + j;", (long long)m->N);
    put(w, "%s[e] = %s;", name_of(w, s->out[0]),
        result_text(w, s, m, "e", region_printf(w->region, "sum[i * %d + j]", wide)));
    put(w, "}");
}

/* Vectors of the terms of a sum, rows of A by rows of B. */
static void put_rows_tile(struct writer *w, const struct stage *s, const struct matmul *m, const struct tile *t)
{
    const int64_t whole = m->K / t->span * t->span;
    put(w, "const int64_t j0 = t %% %lld * %d;", (long long)t->across, t->columns);
    for (int j = 0; j < t->columns; j++)
        put(w, "const real *b%d = %s + (j0 + %d < %lld ? j0 + %d : %lld) * %lld;", j, name_of(w, s->in[1]), j,
            (long long)m->N, j, (long long)m->N - 1, (long long)m->K);
    put_zero_sums(w, t);
    put(w, "for (int64_t k = 0; k < %lld; k += %d) {", (long long)whole, t->span);
    for (int j = 0; j < t->columns; j++)
        put(w, "const V%d g%d = %s;", t->span, j, vector_at(w, t, region_printf(w->region, "b%d + k", j)));
    for (int i = 0; i < t->rows; i++) {
        put(w, "const V%d f%d = %s;", t->span, i, vector_at(w, t, region_printf(w->region, "a%d + k", i)));
        for (int j = 0; j < t->columns; j++)
            put(w, "s%d_%d += f%d * g%d;", i, j, i, j);
    }
    put(w, "}");
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++) {
            put(w, "if (i0 + %d < %lld && j0 + %d < %lld) {", i, (long long)m->M, j, (long long)m->N);
            put(w, "const int64_t e = (i0 + %d) * %lld + j0 + %d;", i, (long long)m->N, j);
            put(w, "real sum = %s;", plain_sum(w, t, region_printf(w->region, "s%d_%d", i, j)));
            put(w, "for (int64_t k = %lld; k < %lld; k++)", (long long)whole, (long long)m->K);
            put(w, "    sum += a%d[k] * b%d[k];", i, j);
            put(w, "%s[e] = %s;", name_of(w, s->out[0]), result_text(w, s, m, "e", "sum"));
            put(w, "}");
        }
}

/* Panels meet in a sum; where B is transposed, the parts of a vector, and then the terms that fill none, each read by itself. */
void price_matmul_cpu(const struct writer *w, const struct stage *s, struct price *p)
{
    const struct matmul m = sizes_of(w, s);
    const struct tile t = choose_tile(w, &m);
    const int64_t tiles = t.down * t.across, rest = m.tb ? m.K % t.span : 0, panels = groups_of(m.K, PANEL);
    const double columns = m.tb ? t.columns : t.columns * t.span, results = (double)(m.M * m.N);
    *p = pieces_price(s, &m, tiles, t.rows, columns, m.K - rest);
    p->fixed_flops += m.tb ? results * (double)(t.span - 1 + 2 * rest) : (double)(tiles * panels) * t.rows * columns;
    p->fixed_bytes += 8 * results * (double)rest;
    p->error = (double)(m.tb ? m.K / t.span + t.span - 1 + rest : least(m.K, PANEL) + panels - 1);
}

void put_matmul_cpu(struct writer *w, const struct stage *s)
{
    const struct matmul m = sizes_of(w, s);
    const struct tile t = choose_tile(w, &m);
    open_kernel(w);
    open_values(w, "t", t.down * t.across, (int)least(t.down * t.across, MOST_PARTS));
    put(w, "const int64_t i0 = t / %lld * %d;", (long long)t.across, t.rows);
    put_rows(w, s, &m, &t);
    if (m.tb)
        put_rows_tile(w, s, &m, &t);
    else
        put_columns_tile(w, s, &m, &t);
    put(w, "}");
    close_kernel(w);
}

/* ---- a GPU: a thread block has a tile, its 16 x 16 threads `each` x `each` sums ---- */

enum { SIDE = 16, DEPTH = 16 };

/* Large tiles read less; there are enough of them for a GPU's multiprocessors, or else smaller ones. */
static int sums_of_thread(const struct matmul *m)
{
    const int64_t enough = 132;
    int each = 4;
    while (each > 1 && groups_of(m->M, SIDE * each) * groups_of(m->N, SIDE * each) < enough)
        each /= 2;
    return each;
}

/* Fills x[DEPTH][wide] with what the tile multiplies of an operand, neighbouring threads reading neighbours; 0 beyond its ends. */
static void put_shared(struct writer *w, const char *x, const char *line, int wide, int64_t lines, bool along,
                       const struct matmul *m, const char *value)
{
    put(w, "for (int e = threadIdx.x; e < %d; e += %d) {", DEPTH * wide, SIDE * SIDE);
    if (along) /* terms are neighbours in memory */
        put(w, "const int k = e %% %d, n = e / %d;", DEPTH, DEPTH);
    else
        put(w, "const int k = e / %d, n = e %% %d;", wide, wide);
    put(w, "%s[k][n] = %s + n < %lld && k0 + k < %lld ? %s : 0;", x, line, (long long)lines, (long long)m->K, value);
    put(w, "}");
}

/* A thread's sums are a piece, whose operands are in shared memory: what fills that is read and written besides. */
void price_matmul_cuda(const struct writer *w, const struct stage *s, struct price *p)
{
    const struct matmul m = sizes_of(w, s);
    const int each = sums_of_thread(&m), wide = SIDE * each;
    const int64_t down = groups_of(m.M, wide), across = groups_of(m.N, wide), terms = groups_of(m.K, DEPTH) * DEPTH;
    const double read = (double)m.K * (double)(m.M * across + m.N * down);
    *p = pieces_price(s, &m, down * across * SIDE * SIDE, each, each, terms);
    p->fixed_bytes += 4 * (read + (double)(down * across) * 2 * wide * (double)terms);
    p->error = (double)m.K;
}

void put_matmul_cuda(struct writer *w, const struct stage *s)
{
    const struct matmul m = sizes_of(w, s);
    const int each = sums_of_thread(&m), wide = SIDE * each;
    const int64_t across = groups_of(m.N, wide);
    w->threads = SIDE * SIDE;
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(groups_of(m.M, wide) * across);
    put(w, "__shared__ real as[%d][%d], bs[%d][%d];", DEPTH, wide + 1, DEPTH, wide + 1);
    put(w, "const int64_t i0 = blockIdx.x / %lld * %d, j0 = blockIdx.x %% %lld * %d;", (long long)across, wide,
        (long long)across, wide);
    put(w, "const int row = threadIdx.x / %d, column = threadIdx.x %% %d;", SIDE, SIDE);
    put(w, "real sum[%d][%d] = {};", each, each);
    put(w, "for (int64_t k0 = 0; k0 < %lld; k0 += %d) {", (long long)m.K, DEPTH);
    put_shared(w, "as", "i0", wide, m.M, !m.ta, &m, a_at(w, s, &m, "(i0 + n)", "(k0 + k)"));
    put_shared(w, "bs", "j0", wide, m.N, m.tb, &m, b_at(w, s, &m, "(k0 + k)", "(j0 + n)"));
    put(w, "__syncthreads();");
    put(w, "UNROLL for (int k = 0; k < %d; k++)", DEPTH);
    put(w, "UNROLL for (int i = 0; i < %d; i++)", each);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", each);
    put(w, "    sum[i][j] += as[k][row + i * %d] * bs[k][column + j * %d];", SIDE, SIDE);
    put(w, "__syncthreads();");
    put(w, "}");
    put(w, "UNROLL for (int i = 0; i < %d; i++)", each);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", each);
    put(w, "if (i0 + row + i * %d < %lld && j0 + column + j * %d < %lld) {", SIDE, (long long)m.M, SIDE,
        (long long)m.N);
    put(w, "const int64_t e = (i0 + row + i * %d) * %lld + j0 + column + j * %d;", SIDE, (long long)m.N, SIDE);
    put(w, "%s[e] = %s;", name_of(w, s->out[0]), result_text(w, s, &m, "e", "sum[i][j]"));
    put(w, "}");
    close_kernel(w);
}
