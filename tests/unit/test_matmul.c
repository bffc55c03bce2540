/* Products of matrices without rows against the same in double: all bodies, on the processor and on CUDA, at sizes around those of
 * their tiles. Here they are put into the graph of a small network, each with a step that takes its result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cuda_sim.h"
#include "cuda/device_cuda.h"
#include "emit/choose.h"

static const struct size {
    int64_t M, N, K;
} sizes[] = {{1, 1, 1},    {1, 40, 7},  {40, 1, 33},   {3, 5, 600},  {16, 16, 16},  {17, 15, 31},
             {32, 33, 64}, {7, 64, 65}, {65, 70, 129}, {2, 3, 1100}, {130, 36, 40}, {64, 31, 8}},
  large[] = {{770, 770, 19}, {300, 1500, 33}};

struct product {
    struct size size;
    bool ta, tb, adds;
    int a, b, c, result; /* tensors of the plan */
};
enum { FORMS = 8, MOST = COUNT(sizes) * FORMS };
static struct product product[MOST];
static int products;

static const char text[] =
    "net products\ninput x : f32[2]\ntarget t : f32[1]\ny = x -> fc: Linear(1)\noutput y\ntrain {\n"
    "    loss = MSE(y, t)\n    optimizer = SGD(lr = 1)\n}\n";

static struct value *source(struct graph *g, const char *name, int i, int64_t rows, int64_t columns)
{
    return graph_source(g, ROLE_STATE, DT_F32, false, 2, (int64_t[]){rows, columns},
                        region_printf(g->region, "%s%d", name, i), (struct loc){0});
}

static void add_product(struct graph *g, int i)
{
    struct product *p = &product[i];
    const struct size s = p->size;
    struct value *a = p->ta ? source(g, "a", i, s.K, s.M) : source(g, "a", i, s.M, s.K),
                 *b = p->tb ? source(g, "b", i, s.N, s.K) : source(g, "b", i, s.K, s.N),
                 *c = p->adds ? source(g, "c", i, s.M, s.N) : NULL;
    struct value *x = matmul(g, a, p->ta, b, p->tb, p->adds ? -0.75 : 1, c, p->adds ? 1.5 : 0);
    graph_op(g, "muon_step", (double[]){0, 1}, source(g, "result", i, s.M, s.N), x, NULL);
}

static int found(const struct plan *p, const char *name, int i)
{
    char full[32];
    snprintf(full, sizeof full, "%s%d", name, i);
    return plan_find_tensor(p, -1, full);
}

/* A plan of the products of these sizes, in each form. */
static struct trial planned(const struct size *of, int n, const char *algorithm)
{
    struct trial t;
    struct plan_error e;
    assert_true(trial_plan(&t, "products.net", strdup(text), NULL, 0, stderr));
    products = 0;
    for (int i = 0; i < n; i++)
        for (int form = 0; form < FORMS; form++)
            product[products++] = (struct product){.size = of[i], form & 1, form & 2, form & 4, 0, 0, 0, 0};
    for (int i = 0; i < products; i++)
        add_product(t.c.graph[PHASE_TRAIN], i);
    struct plan *p = t.c.plan;
    p->ntensor = p->nkernel = p->nschedule = 0;
    p->persistent = 0;
    p->tensor = NULL;
    p->kernel = NULL;
    p->schedule = NULL;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        fuse(t.c.graph[ph]);
    for (int i = 0; target_planned(i); i++)
        for (int ph = 0; ph < PHASE_COUNT; ph++)
            schedule(t.c.graph[ph], p, target_planned(i));
    for (struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        if (!strcmp(k->stage->op->name, "matmul"))
            k->stage->algorithm = algorithm;
    memory(p);
    plan_link(p);
    if (!plan_check(p, &e) || !plan_judge(p, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < products; i++) {
        product[i].a = found(p, "a", i);
        product[i].b = found(p, "b", i);
        product[i].c = found(p, "c", i);
        product[i].result = found(p, "result", i);
    }
    return t;
}

/* Numbers that float holds, between -1 and 1. */
static double number(int tensor, int64_t e)
{
    const uint32_t x = ((uint32_t)e * 2654435761u ^ (uint32_t)tensor * 40503u) * 2246822519u;
    return (double)(x >> 12) / (1 << 19) - 1;
}

/* The step takes 1 times the product from 0. Errors are those of float sums: of a share of the terms' magnitudes. */
static void check_product(const struct product *p, const char *body, double got(const void *from, int64_t e),
                          const void *from)
{
    const struct size s = p->size;
    for (int64_t e = 0; e < s.M * s.N; e += 1 + s.M * s.N / 5000) {
        const int64_t i = e / s.N, j = e % s.N;
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < s.K; k++) {
            const double term =
                number(p->a, p->ta ? k * s.M + i : i * s.K + k) * number(p->b, p->tb ? j * s.K + k : k * s.N + j);
            sum += term;
            magnitude += fabs(term);
        }
        const double want = p->adds ? 1.5 * number(p->c, e) - 0.75 * sum : sum;
        if (!(fabs(-got(from, e) - want) <= 4e-7 * (magnitude + 2)))
            fail_msg("%s: [%lld x %lld x %lld] %d %d %d: element %lld is %.9g, not %.9g", body, (long long)s.M,
                     (long long)s.N, (long long)s.K, p->ta, p->tb, p->adds, (long long)e, -got(from, e), want);
    }
}

static double of_doubles(const void *from, int64_t e)
{
    return ((const double *)from)[e];
}

static double of_floats(const void *from, int64_t e)
{
    return (double)((const float *)from)[e];
}

static bool is_operand(int i)
{
    for (int k = 0; k < products; k++)
        if (product[k].a == i || product[k].b == i || product[k].c == i)
            return true;
    return false;
}

/* `wide`: vectors of half as many numbers. */
static void check_cpu(const char *algorithm, bool wide)
{
    struct trial t = planned(sizes, COUNT(sizes), algorithm);
    uint32_t control[CTL_WORDS];
    float none[4] = {0};
    trial_compile(&t, wide);
    trial_arm(&t, 1);
    t.data = (struct device_data){none, none, true, 1, 8, 4, NULL};
    for (int i = 0; i < t.p->ntensor; i++)
        for (int64_t e = 0; is_operand(i) && e < tensor_elements(&t.p->tensor[i]); e++)
            value_put(&t, i, 0, e, number(i, e));
    recipe_count(&t.recipe, 1);
    control_train(&t.recipe, 0, 0, 0, 1, 1, control);
    trial_run(&t, PHASE_TRAIN, control);
    for (int i = 0; i < products; i++)
        check_product(&product[i], algorithm, wide ? of_doubles : of_floats, tensor_at(&t, product[i].result));
    trial_close(&t);
}

static void test_registers(void **state)
{
    (void)state;
    check_cpu("registers", true);
    check_cpu("registers", false); /* which has no body for both transposed: there it is the plain one */
}

static void test_plain(void **state)
{
    (void)state;
    check_cpu("plain", false);
}

static void check_cuda(const struct size *of, int n)
{
    struct trial t = planned(of, n, "tiles");
    struct device_error e = {0};
    struct device *d = device_cuda_open(&(struct device_options){0}, 0, &e);
    const struct device_rows capacity = {.rows = {[PHASE_TRAIN] = ROW_BLOCK}};
    const struct device_data data = {(float[4]){0}, (float[4]){0}, true, 1, 8, 4, NULL};
    uint32_t control[CTL_WORDS];
    if (!d || !d->compile(d, t.p, &e) || !d->arm(d, &capacity, &data, 1, d->room(d, INT64_MAX), &e) ||
        !d->data(d, &data, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < t.p->ntensor; i++) {
        const int64_t elements = tensor_elements(&t.p->tensor[i]);
        float *value = calloc((size_t)elements, sizeof *value);
        for (int64_t k = 0; is_operand(i) && k < elements; k++)
            value[k] = (float)number(i, k);
        assert_true(!tensor_is_named(t.p, i) || d->write(d, PHASE_TRAIN, i, 0, value, elements * 4));
        free(value);
    }
    assert_int_equal(recipe_read(t.p, &t.recipe), 0);
    recipe_count(&t.recipe, 1);
    control_train(&t.recipe, 0, 0, 0, 1, 1, control);
    if (!d->run(d, PHASE_TRAIN, &control, 1, &e))
        fail_msg("%s", e.text);
    for (int i = 0; i < products; i++) {
        const int64_t elements = product[i].size.M * product[i].size.N;
        float *value = calloc((size_t)elements, sizeof *value);
        assert_true(d->read(d, PHASE_TRAIN, product[i].result, 0, value, elements * 4));
        check_product(&product[i], "tiles", of_floats, value);
        free(value);
    }
    d->close(d);
    trial_close(&t);
}

static void test_cuda(void **state)
{
    (void)state;
    if (!device_there())
        skip();
    check_cuda(sizes, COUNT(sizes));
    check_cuda(large, COUNT(large));
}

/* Of the product of that form by a body. */
static struct price price_of(const struct trial *t, const char *name, int form)
{
    const struct body *b = op_find("matmul")->body;
    while (strcmp(b->name, name))
        b++;
    const struct plan *p = t->c.plan;
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++) {
        const struct stage *s = k->stage;
        if (p->schedule[k->schedule].target != b->target || strcmp(s->op->name, "matmul") ||
            s->in[0] != product[form].a)
            continue;
        struct region *r = region_new();
        const struct writer w = {.plan = p, .kernel = k, .region = r, .target = b->target, .lanes = WIDEST};
        const struct price price = body_price(&w, s, b);
        region_free(r);
        return price;
    }
    fail_msg("%s: no product of form %d", name, form);
    return (struct price){0};
}

/* By hand, of [130 x 36] over 1064 terms: what bodies multiply and read, the padding of their tiles included. */
static void test_prices(void **state)
{
    static const struct size size = {130, 36, 1064};
    static const double y = 130 * 36;
    const double columns = 34. * 1064, rows_of_b = 297. * 1056, blocks = 27. * 1072,
                 tiles = blocks * 256 * 2 + blocks * 16 * 2 + 1064 * (130 * 3 + 36 * 9);
    const struct {
        const char *body;
        int form; /* ta, tb */
        double flops, bytes, error;
    } rows[] = {
        /* 17 x 2 tiles of 8 rows by two vectors of 16; three panels of terms */
        {"registers", 0, columns * 8 * 32 * 2 + 34 * 3 * 8 * 32, columns * (8 + 32), 512 + 2},
        {"registers", 1, columns * 8 * 32 * 2 + 34 * 3 * 8 * 32, columns * (8 + 32), 512 + 2},
        /* 33 x 9 tiles of 4 x 4 over 66 vectors of 16; each result adds 16 parts and 8 more terms */
        {"registers", 2, rows_of_b * 4 * 4 * 2 + y * (15 + 8 * 2), rows_of_b * (4 + 4) + y * 8 * 2, 66 + 15 + 8},
        /* 9 x 3 blocks of 16 x 16 threads with a sum each, over 67 times 16 terms; A is read by 3 of them, B by 9 */
        {"tiles", 0, blocks * 256 * 2, tiles, 1064},
        {"tiles", 3, blocks * 256 * 2, tiles, 1064},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++)
        for (int adds = 0; adds < 2; adds++) {
            struct trial t = planned(&size, 1, rows[i].body);
            const struct price p = price_of(&t, rows[i].body, rows[i].form + 4 * adds);
            assert_true(p.flops == 0 && p.bytes == 0 && p.cycles == 0);
            assert_true(p.fixed_flops == rows[i].flops + adds * 3 * y);
            assert_true(p.fixed_bytes == 4 * (rows[i].bytes + y + adds * y));
            assert_true(p.error == rows[i].error);
            trial_close(&t);
        }
}

/* What a plan from a stranger may not have. */
static void test_shapes(void **state)
{
    static const struct {
        double attr[4];
        int64_t a[2], b[2], c[2];
        int nin;
        bool good;
    } cases[] = {
        {{0, 0, 1, 0}, {3, 4}, {4, 5}, {0}, 2, true},
        {{1, 0, 1, 0}, {4, 3}, {4, 5}, {0}, 2, true},
        {{0, 1, 1, 0}, {3, 4}, {5, 4}, {0}, 2, true},
        {{0, 0, 2, 3}, {3, 4}, {4, 5}, {3, 5}, 3, true},
        {{0, 0, 1, 0}, {3, 4}, {5, 4}, {0}, 2, false},
        {{1, 0, 1, 0}, {3, 4}, {4, 5}, {0}, 2, false},
        {{0, 1, 1, 0}, {3, 4}, {4, 5}, {0}, 2, false},
        {{0, 0, 2, 3}, {3, 4}, {4, 5}, {5, 3}, 3, false},
        {{0, 0, 1, 3}, {3, 4}, {4, 5}, {0}, 2, false},
        {{2, 0, 1, 0}, {3, 4}, {4, 5}, {0}, 2, false},
        {{0, 0.5, 1, 0}, {3, 4}, {4, 5}, {0}, 2, false},
        {{0, 0, NAN, 0}, {3, 4}, {4, 5}, {0}, 2, false},
        {{0, 0, 1, INFINITY}, {3, 4}, {4, 5}, {3, 5}, 3, false},
        {{0, 0, 1, 0}, {3, 4}, {4, 5}, {0}, 1, false},
    };
    (void)state;
    const struct op *op = op_find("matmul");
    for (int i = 0; i < COUNT(cases); i++) {
        struct tensor in[3], out;
        const int64_t *const dim[] = {cases[i].a, cases[i].b, cases[i].c};
        for (int k = 0; k < 3; k++)
            in[k] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {dim[k][0], dim[k][1]}};
        const struct tensor *const list[] = {&in[0], &in[1], &in[2]};
        if (op->shape(cases[i].attr, list, cases[i].nin, &out, 1) != cases[i].good)
            fail_msg("case %d", i);
        in[1].rows = true;
        assert_false(op->shape(cases[i].attr, list, cases[i].nin, &out, 1));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers), cmocka_unit_test(test_plain),  cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_prices),    cmocka_unit_test(test_shapes),
    };
    (void)argc;
    if (!getenv("NETRUN_CUDA_LIBDIR"))
        setenv("NETRUN_CUDA_LIBDIR", SIM_FOLDER, 1);
    use_cache(argv[0]);
    return cmocka_run_group_tests_name("matmul", tests, NULL, NULL);
}
