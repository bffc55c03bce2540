/* Shape rules against plans that are wrong: an operand that is one larger in one dimension is refused, or makes another
 * result than the plan says. Else a plan from a stranger could have kernels read beside a tensor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

/* Stride 1 everywhere, so that every size follows from the others. */
static const char text[] =
    "net shapes\ninput image : f32[3, 9, 7]\ntarget goal : class[5]\n"
    "y = image -> Conv(6, kernel = 3, pad = 1) -> BatchNorm -> ReLU -> MaxPool(2, stride = 1)\n"
    "    -> Conv(4, kernel = [3, 2], groups = 2) -> AvgPool(2, stride = 1) -> Sigmoid -> Flatten -> Linear(8) -> Dropout(0.5)\n"
    "    -> Linear(5)\n"
    "output y\ntrain {\n    loss = CrossEntropy(y, goal)\n    optimizer = AdamW(lr = 0.1)\n    batch = 4\n"
    "    metrics = [Accuracy]\n}\n";

/* The stage with operand `which` one larger in dimension `d`: whether its rule takes it for the results of the plan. */
static bool accepted(const struct plan *p, const struct stage *s, int which, int d)
{
    struct tensor larger = p->tensor[s->in[which]], out[MAX_OPERANDS] = {0};
    const struct tensor *in[MAX_OPERANDS];
    larger.dim[d]++;
    for (int i = 0; i < s->nin; i++)
        in[i] = i == which ? &larger : &p->tensor[s->in[i]];
    if (!s->op->shape(s->attr, in, s->nin, out, s->nout))
        return false;
    for (int i = 0; i < s->nout; i++)
        if (!same_shape(&out[i], &p->tensor[s->out[i]]))
            return false;
    return true;
}

/* Sums over a whole dimension: any size will do. The control block is not of the network's shapes. */
static bool is_free(const struct plan *p, const struct stage *s, int which, int d)
{
    static const struct {
        const char *op;
        int operand, from;
    } sums[] = {
        {"chan_sum", 0, 1},
        {"chan_mean", 0, 1},
        {"chan_var", 0, 1},
        {"topk_hit", 0, 0},
    };
    for (int i = 0; i < COUNT(sums); i++)
        if (!strcmp(s->op->name, sums[i].op) && which == sums[i].operand && d >= sums[i].from)
            return true;
    return p->tensor[s->in[which]].role == ROLE_CONTROL;
}

static void test_every_size_counts(void **state)
{
    struct trial t;
    int tried = 0;
    bool good = true;
    (void)state;
    assert_true(trial_plan(&t, "shapes.net", strdup(text), NULL, 0, stderr));
    for (int k = 0; k < t.p->nkernel; k++)
        for (int s = 0; s < t.p->kernel[k].nstage; s++) {
            const struct stage *stage = &t.p->kernel[k].stage[s];
            for (int i = 0; i < stage->nin; i++)
                for (int d = 0; d < t.p->tensor[stage->in[i]].rank; d++, tried++)
                    if (!is_free(t.p, stage, i, d) && accepted(t.p, stage, i, d)) {
                        print_error("%s takes operand %d one larger in dimension %d\n", stage->op->name, i, d);
                        good = false;
                    }
        }
    assert_true(tried > 100);
    assert_true(good);
    trial_close(&t);
}

/* What the kernel of a stage reads in vectors of samples lies in lanes, what it reads along a sample lies row by row. */
static void test_every_layout_counts(void **state)
{
    struct trial t;
    int tried = 0;
    bool good = true;
    (void)state;
    assert_true(trial_plan(&t, "shapes.net", strdup(text), NULL, 0, stderr));
    for (struct kernel *k = t.c.plan->kernel; k < t.c.plan->kernel + t.c.plan->nkernel; k++)
        for (struct stage *s = k->stage; s < k->stage + k->nstage; s++)
            for (int i = 0; i < s->nin; i++) {
                struct tensor *x = &t.c.plan->tensor[s->in[i]], out[MAX_OPERANDS];
                const struct layout *layout = x->layout;
                const struct tensor *in[MAX_OPERANDS];
                if (!x->rows)
                    continue;
                for (int j = 0; j < s->nin; j++)
                    in[j] = &t.c.plan->tensor[s->in[j]];
                x->layout = in_lanes(x) ? &layout_plain : &layout_block;
                if (s->op->shape(s->attr, in, s->nin, out, s->nout)) {
                    print_error("%s takes operand %d as %s\n", s->op->name, i, x->layout->name);
                    good = false;
                }
                x->layout = layout;
                tried++;
            }
    assert_true(tried > 100);
    assert_true(good);
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_counts),
        cmocka_unit_test(test_every_layout_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
