/* What kernels do, counted by hand. Sizes of the network are chosen such that no two counts are equal by chance. The rules: count.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "emit/count.h"
#include "harness.h"

static const char net[] = "net counted\n"
                          "input  x : f32[2, 6, 8]\n"
                          "target t : class[7]\n"
                          "logits = x\n"
                          "    -> conv1: Conv(4, kernel = 3)\n"
                          "    -> bn1: BatchNorm\n"
                          "    -> ReLU\n"
                          "    -> conv2: Conv(5, kernel = 3, pad = 1, stride = 2)\n"
                          "    -> MaxPool(3, stride = 1, pad = 1)\n"
                          "    -> Flatten\n"
                          "    -> fc1: Linear(7, bias = false)\n"
                          "output logits\n"
                          "train {\n"
                          "    loss      = CrossEntropy(logits, t)\n"
                          "    optimizer = SGD(lr = 0.1, momentum = 0.9)\n"
                          "    epochs    = 1\n"
                          "    batch     = 16\n"
                          "}\n";

/* What is one number for a whole block of samples is read, or computed, once for 16 of them. */
static const double once = 1. / ROW_BLOCK;

static struct writer writer_of(struct trial *t, int kernel, struct region *r)
{
    return (struct writer){
        .plan = t->c.plan, .kernel = &t->c.plan->kernel[kernel], .region = r, .target = &target_cpu, .lanes = 16};
}

/* The kernel of the CPU's training that ends in `name`. */
static int kernel_called(const struct trial *t, const char *name)
{
    for (int k = 0; k < t->c.plan->nkernel; k++) {
        const char *is = t->c.plan->kernel[k].name, *end = is + strlen(is) - strlen(name);
        if (end > is && !strcmp(end, name) && !strncmp(is, "train", 5))
            return k;
    }
    fail_msg("no kernel %s", name);
    return -1;
}

static struct count count_of(struct trial *t, const char *name)
{
    struct region *r = region_new();
    const struct writer w = writer_of(t, kernel_called(t, name), r);
    struct count n;
    if (!count_kernel(&w, &n))
        fail_msg("%s is not understood", name);
    region_free(r);
    return n;
}

static void check(const char *what, double is, double should)
{
    if (!(fabs(is - should) <= 1e-9 * (1 + fabs(should))))
        fail_msg("%s: %.17g, but by hand %.17g", what, is, should);
}

static void check_sample(struct trial *t, const char *name, double flops, double read, double written)
{
    const struct count n = count_of(t, name);
    check(name, n.sample.flops, flops);
    check(name, n.sample.read, read);
    check(name, n.sample.written, written);
}

static void check_fixed(struct trial *t, const char *name, double flops, double read, double written)
{
    const struct count n = count_of(t, name);
    check(name, n.fixed.flops, flops);
    check(name, n.fixed.read, read);
    check(name, n.fixed.written, written);
}

/* A multiply-add of a Conv is two flops: K C R S P Q of them without padding (K = 4, C = 2, R = S = 3, P = 4, Q = 6), each of
 * which reads x, and the weight for the whole block. */
static void test_conv(void **state)
{
    struct trial *t = *state;
    const double macs = 4 * 2 * 3 * 3 * 4 * 6, y = 4 * 4 * 6;
    check_sample(t, "conv1_conv", 2 * macs, 4 * macs * (1 + once) + 4 * y * once, 4 * y);
    check("terms", count_of(t, "conv1_conv").terms, 2 * 3 * 3);
    check_sample(t, "conv1_conv_dw", 2 * macs, 8 * macs, 0);
    check_fixed(t, "conv1_conv_dw", 0, 0, 4 * 4 * 2 * 3 * 3);
    check("terms", count_of(t, "conv1_conv_dw").terms, 1); /* in double */
}

/* Pad 1, stride 2, from 4 x 6 to 2 x 3. Row 0 has taps -1 0 1, row 1 has 1 2 3: 5 inside; columns 0 1, 1 2 3, 3 4 5: 8. */
static void test_padding_and_stride(void **state)
{
    struct trial *t = *state;
    const double macs = 5 * 4 * (5 * 8), y = 5 * 2 * 3, x = 4 * 4 * 6;
    check_sample(t, "conv2_conv", 2 * macs, 4 * macs * (1 + once) + 4 * y * once, 4 * y);
    check_sample(t, "conv2_conv_dw", 2 * macs, 8 * macs, 0);
    /* and the gradient of the ReLU before it: y <= 0 ? 0 : g */
    check_sample(t, "conv2_conv_dx", 2 * macs + x, 4 * macs * (1 + once) + 4 * x, 4 * x);
}

static void test_linear(void **state)
{
    struct trial *t = *state;
    const double macs = 30 * 7;
    check_sample(t, "fc1_conv", 2 * macs, 4 * macs * (1 + once), 4 * 7);
    check_sample(t, "fc1_linear_dw", 2 * macs, 8 * macs, 0);
    check_sample(t, "fc1_conv_dx", 2 * macs, 4 * macs * (1 + once), 4 * 30);
}

/* Two comparisons a value, x > max and x != x. Windows of 3 x 3 over 2 x 3 with a border of 1: rows 2 + 2, columns 2 + 3 + 2. */
static void test_pool(void **state)
{
    struct trial *t = *state;
    const double places = 5 * (2 + 2) * (2 + 3 + 2), y = 5 * 2 * 3;
    check_sample(t, "_maxpool", 2 * places, 4 * places, (4 + 1) * y);
    check_sample(t, "_maxpool_dx", places, (4 + 1) * places, 4 * y);
}

/* relu(normalize) is (x - centre) * scale + shift and a comparison; three numbers a channel are read for each vector. */
static void test_batch_norm(void **state)
{
    struct trial *t = *state;
    const double x = 4 * 4 * 6;
    check_sample(t, "bn1_chan_mean", x, 4 * x, 0);
    check_sample(t, "bn1_chan_var", 4 * x, 4 * x * (1 + once), 0); /* (x - m) * (x - m), added */
    check_sample(t, "bn1_normalize", 4 * x, 4 * x * (1 + 3 * once), 4 * x);
    /* live * (w * inv * (g - f - (x - m) * i)); its g and x are values, w inv f m i numbers of the channel */
    check_sample(t, "bn1_normalize_dx", 7 * x, 4 * x * (2 + 5 * once), 4 * x);
    check_fixed(t, "bn1_chan_affine", 4 * 12, 4 * 4 * 4, 4 * 4 * 4);
}

/* Of a class: 2 comparisons; x - max, exp, added; x - max, exp, / sum, - t, / rows. Then log(sum) + max - 1 * wanted - 0 * all. */
static void test_loss(void **state)
{
    struct trial *t = *state;
    check_sample(t, "loss_xent", (2 + 3 + 5) * 7 + 6 + once, 4 * (3 * 7 + 1), 4 * (7 + 1));
}

/* v = momentum * v + (g + decay * p), p = p - lr * v of each parameter, whatever the batch. */
static void test_update(void **state)
{
    struct trial *t = *state;
    const struct tensor *p = t->c.plan->tensor;
    while (strcmp(p->name, "@parameters"))
        p++;
    const double n = (double)tensor_elements(p);
    check_fixed(t, "sgd_momentum", 6 * n, 3 * 4 * n, 2 * 4 * n);
    check_sample(t, "sgd_momentum", 0, 0, 0);
}

static void check_work(struct trial *t, const char *name, double flops, double bytes, double fixed_bytes)
{
    struct emit_work w;
    emit_work(t->c.plan, kernel_called(t, name), &w);
    assert_true(w.known);
    check(name, w.flops, flops);
    check(name, w.bytes, bytes);
    check(name, w.fixed_bytes, fixed_bytes);
}

/* What a kernel has to do: its operands once. fc1 is 30 to 7 without bias, conv1 has one. The update reads p, g, v and writes p, v. */
static void test_work(void **state)
{
    struct trial *t = *state;
    struct emit_work w;
    check_work(t, "fc1_conv", 2 * 30 * 7, 4 * (30 + 7), 4 * 30 * 7);
    check_work(t, "fc1_conv_dx", 2 * 30 * 7, 4 * (30 + 7), 4 * 30 * 7);
    check_work(t, "fc1_linear_dw", 2 * 30 * 7, 4 * (30 + 7), 4 * 30 * 7);
    check_work(t, "conv1_conv", 2 * 4 * 2 * 3 * 3 * 4 * 6, 4 * (2 * 6 * 8 + 4 * 4 * 6), 4 * (4 * 2 * 3 * 3 + 4));
    emit_work(t->c.plan, kernel_called(t, "sgd_momentum"), &w);
    const struct tensor *p = t->c.plan->tensor;
    while (strcmp(p->name, "@parameters"))
        p++;
    const double n = (double)tensor_elements(p);
    check("update", w.fixed_flops, 6 * n);
    check("update", w.fixed_bytes, 4 * 5 * n);
    check("update", w.bytes, 0);
}

/* GELU reads what the layer before it in the kernel has made; that is kept for the gradient, too. */
static void test_work_within(void **state)
{
    (void)state;
    struct trial t;
    static const char text[] = "net within\ninput x : f32[3]\ntarget t : class[7]\n"
                               "y = x -> fc1: Linear(5, bias = false) -> GELU -> Linear(7)\noutput y\n"
                               "train {\n    loss = CrossEntropy(y, t)\n    optimizer = SGD(lr = 0.1)\n}\n";
    assert_true(trial_plan(&t, "within", strdup(text), NULL, 0, stderr));
    struct emit_work w;
    emit_work(t.c.plan, kernel_called(&t, "fc1_conv"), &w);
    check("bytes", w.bytes, 4 * (3 + 5 + 5));
    check("fixed bytes", w.fixed_bytes, 4 * 3 * 5);
    trial_close(&t);
}

/* No line of a kernel that the project has is passed over. */
static void test_all_models(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("models/*.net", 0, NULL, &found), 0);
    assert_int_equal(glob("tests/expect/*/*.net", GLOB_APPEND, NULL, &found), 0);
    int kernels = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct trial t;
        assert_true(trial_plan(&t, found.gl_pathv[i], read_text(found.gl_pathv[i]), NULL, 0, stderr));
        for (int k = 0; k < t.c.plan->nkernel; k++, kernels++) {
            struct region *r = region_new();
            const struct writer w = writer_of(&t, k, r);
            struct count n;
            if (!count_kernel(&w, &n))
                fail_msg("%s: %s is not understood", found.gl_pathv[i], w.kernel->name);
            region_free(r);
        }
        trial_close(&t);
    }
    assert_true(kernels > 3000);
    globfree(&found);
}

/* ---- a body with one line more ---- */

static const char *line;

static void emit_line(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_elements(w, 10, 1);
    put(w, "const V x = ld(%s);", place_of(w, s->in[0], "block", "e"));
    put(w, "V sum = x;");
    put(w, "%s", line);
    close_elements(w);
    close_kernel(w);
}

/* The flops of the line for each element; -1: it is not understood. */
static double flops_of(struct trial *t, const char *text)
{
    const struct op op = {.name = "odd", .kind = OP_ROW, .nin = 1, .nout = 1, .emit = emit_line};
    const int k = kernel_called(t, "fc1_conv");
    struct region *r = region_new();
    const struct writer w = writer_of(t, k, r);
    struct stage *s = &t->c.plan->kernel[k].stage[0];
    const struct op *was = s->op;
    struct count n;
    line = text;
    s->op = &op;
    const bool known = count_kernel(&w, &n);
    s->op = was;
    region_free(r);
    return known ? n.sample.flops / 10 : -1;
}

static void test_lines(void **state)
{
    static const struct {
        const char *text;
        double flops;
    } row[] = {
        {"sum += x * x;", 2},
        {"sum = v_exp(x - num(1)) / (num(2) * num(3));", 3}, /* of constants: none */
        {"sum = sel(x < num(0) && e / 2 % 3 == 1, -x, x + x);", 2},
        {"for (int i = 0; i < 4; i++) sum -= x;", 4},
        {"for (int i = 0; i < 4; i++) { sum *= x; sum = sum / x; } sum = -sum;", 8},
        {"const double y = (double)3 * 2, z = y + y;", 2 * once},
        {"sum = 1 < 2 ? x + x : x * x; /* both */", 2},
        {"sum = fma(x, x, x);", -1},                   /* an unknown function, */
        {"sum = y;", -1},                              /* name, */
        {"while (1) sum += x;", -1},                   /* statement */
        {"for (int i = 0; i < e; i++) sum += x;", -1}, /* and bound, of which nobody told */
        {"if (e < 3) continue;", -1},
        {"sum += ;", -1},
        {"{ sum += x;", -1},
        {"sum = x + x; }", -1},
    };
    for (int i = 0; i < COUNT(row); i++)
        check(row[i].text, flops_of(*state, row[i].text), row[i].flops);
}

int main(void)
{
    struct trial t;
    if (!trial_plan(&t, "counted.net", strdup(net), NULL, 0, stderr))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_conv, &t),
        cmocka_unit_test_prestate(test_padding_and_stride, &t),
        cmocka_unit_test_prestate(test_linear, &t),
        cmocka_unit_test_prestate(test_pool, &t),
        cmocka_unit_test_prestate(test_batch_norm, &t),
        cmocka_unit_test_prestate(test_loss, &t),
        cmocka_unit_test_prestate(test_update, &t),
        cmocka_unit_test_prestate(test_work, &t),
        cmocka_unit_test(test_work_within),
        cmocka_unit_test_prestate(test_lines, &t),
        cmocka_unit_test(test_all_models),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    trial_close(&t);
    return failed;
}
