/* plan_check as the guard of losses: with every tensor of the plan as an operand it accepts only what the emitted
 * loops stay within, and each loss looks at its target itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

#define NET(target, loss)                                                                                              \
    "net losses\n"                                                                                                     \
    "input x : f32[2, 4, 4]\n"                                                                                         \
    "target t : " target "\n"                                                                                          \
    "wide = x -> Conv(5, kernel = 3) -> ReLU -> Flatten\n"                                                             \
    "y = wide -> Linear(7)\n"                                                                                          \
    "output y\n"                                                                                                       \
    "train {\n"                                                                                                        \
    "    loss = " loss "\n"                                                                                            \
    "    optimizer = SGD(lr = 0.1)\n"                                                                                  \
    "    batch = 16\n"                                                                                                 \
    "}\n"

static const char mse[] = NET("f32[7]", "MSE(y, t)"), xent[] = NET("class[7]", "CrossEntropy(y, t)");

static struct trial open_plan(const char *text)
{
    struct trial t;
    struct plan_error e;
    assert_true(trial_plan(&t, "losses.net", strdup(text), NULL, 0, stderr));
    assert_true(plan_check(t.p, &e));
    return t;
}

static struct stage *loss_of(struct plan *p, const char *op)
{
    for (int k = 0; k < p->nkernel; k++)
        if (!strcmp(p->kernel[k].stage[0].op->name, op))
            return &p->kernel[k].stage[0];
    fail_msg("no %s", op);
    return NULL;
}

/* What the loops touch of a sample: n values of a tensor with rows. */
static bool holds(const struct tensor *t, enum dtype d, int64_t n)
{
    return t->rows && t->dtype == d && t->bytes >= n * dtype_bytes(d);
}

static bool stays_inside(const struct plan *p, const struct stage *s, bool classes)
{
    const struct tensor *x = &p->tensor[s->in[0]], *target = &p->tensor[s->in[1]];
    int64_t n = tensor_elements(x);
    return holds(x, DT_F32, n) && holds(target, classes ? DT_I32 : DT_F32, classes ? 1 : n) &&
           holds(&p->tensor[s->out[0]], DT_F32, 1) &&
           (!tensor_stored(&p->tensor[s->out[1]]) || holds(&p->tensor[s->out[1]], DT_F32, n));
}

static void try_operands(const char *text, const char *op, bool classes)
{
    struct trial t = open_plan(text);
    struct plan *p = t.c.plan;
    struct stage *s = loss_of(p, op);
    struct plan_error e;
    int accepted = 0, *operand[] = {&s->in[0], &s->in[1], &s->out[0], &s->out[1]};
    for (int o = 0; o < COUNT(operand); o++) {
        int before = *operand[o];
        for (int i = 0; i < p->ntensor; i++) {
            *operand[o] = i;
            if (!plan_check(p, &e))
                continue;
            accepted++;
            if (!stays_inside(p, s, classes))
                fail_msg("%s accepts %s as operand %d", op, p->tensor[i].name, o);
        }
        *operand[o] = before;
    }
    assert_in_range(accepted, COUNT(operand), p->ntensor);
    trial_close(&t);
}

static void test_mse_operands(void **state)
{
    (void)state;
    try_operands(mse, "mse", false);
}

static void test_xent_operands(void **state)
{
    (void)state;
    try_operands(xent, "xent", true);
}

/* One lie about the target, told to the loss alone: in a plan, the stage that fetches it would refuse it as well. */
static void refuse_target(const char *text, const char *op, void lie(struct tensor *t))
{
    struct trial t = open_plan(text);
    const struct stage *s = loss_of(t.c.plan, op);
    struct tensor target = t.p->tensor[s->in[1]], out[2];
    const struct tensor *in[] = {&t.p->tensor[s->in[0]], &target};
    assert_true(s->op->shape(s->attr, in, 2, out, 2));
    lie(&target);
    assert_false(s->op->shape(s->attr, in, 2, out, 2));
    trial_close(&t);
}

static void no_rows(struct tensor *t)
{
    t->rows = false;
}
static void fewer(struct tensor *t)
{
    t->dim[0] = 6;
}
static void flat(struct tensor *t)
{
    t->rank = 0;
}
static void bytes(struct tensor *t)
{
    t->dtype = DT_U8;
}
static void whole(struct tensor *t)
{
    t->dtype = DT_I32;
}
static void real(struct tensor *t)
{
    t->dtype = DT_F32;
}
static void plain(struct tensor *t)
{
    t->layout = &layout_plain;
}
static void longer(struct tensor *t)
{
    t->rank = 1;
    t->dim[0] = 7;
}

static void test_targets(void **state)
{
    (void)state;
    void (*const lies[])(struct tensor *) = {no_rows, fewer, flat, bytes, whole, plain};
    for (int i = 0; i < COUNT(lies); i++)
        refuse_target(mse, "mse", lies[i]);
    void (*const class_lies[])(struct tensor *) = {no_rows, bytes, real, longer};
    for (int i = 0; i < COUNT(class_lies); i++)
        refuse_target(xent, "xent", class_lies[i]);
}

/* ---- workspaces: a kernel on a GPU writes no more of them than there is ---- */

static void fewer_floats(struct tensor *t)
{
    t->dim[0]--;
}
static void never_there(struct tensor *t)
{
    t->first = t->last;
}
static void somewhere_else(struct tensor *t)
{
    t->role = ROLE_VALUE;
}
static void without_rows(struct tensor *t)
{
    t->rows = false;
}

static void refuse_workspace(bool rows, void lie(struct tensor *t), const char *message)
{
    struct trial t;
    struct plan_error e;
    int found = 0;
    assert_true(trial_plan(&t, "tests/wide.net", read_text("tests/wide.net"), NULL, 0, stderr));
    for (struct tensor *x = t.p->tensor; x < t.p->tensor + t.p->ntensor; x++) {
        if (x->role != ROLE_WORKSPACE || x->rows != rows)
            continue;
        struct tensor was = *x;
        lie(x);
        plan_link(t.c.plan);
        if (plan_check(t.p, &e) || !strstr(e.text, message))
            fail_msg("%s [%lld]: %s", was.name, (long long)was.dim[0], e.text);
        *x = was;
        plan_link(t.c.plan);
        found++;
    }
    assert_int_equal(found, rows ? 9 : 3); /* 5 products of training, 2 of evaluation, 2 of prediction */
    assert_true(plan_check(t.p, &e));
    trial_close(&t);
}

static void test_workspaces(void **state)
{
    (void)state;
    refuse_workspace(false, fewer_floats, "the workspace is too small");
    refuse_workspace(false, somewhere_else, "the workspace is too small");
    refuse_workspace(true, fewer_floats, "the workspace of its rows is too small");
    refuse_workspace(true, never_there, "the workspace of its rows is too small");
    refuse_workspace(true, somewhere_else, "the workspace of its rows is too small");
    refuse_workspace(true, without_rows, "the workspace of its rows is too small");
}

/* A gradient written over the parameter that has its shape. */
static void test_only_updates_write_what_persists(void **state)
{
    struct trial t = open_plan(mse);
    struct plan *p = t.c.plan;
    struct plan_error e;
    int tried = 0;
    (void)state;
    for (int k = 0; k < p->nkernel; k++)
        for (int s = 0; s < p->kernel[k].nstage; s++) {
            struct stage *stage = &p->kernel[k].stage[s];
            if (stage->op->update || !stage->nout)
                continue;
            int was = stage->out[0];
            for (int i = 0; i < p->ntensor; i++) {
                const struct tensor *x = &p->tensor[i];
                if (x->role != ROLE_PARAM || p->tensor[was].rows || !same_shape(x, &p->tensor[was]) ||
                    !tensor_is_named(p, i))
                    continue;
                stage->out[0] = i;
                if (plan_check(p, &e) || !strstr(e.text, "overwrites what persists"))
                    fail_msg("%s into %s: %s", stage->op->name, x->name, e.text);
                stage->out[0] = was;
                tried++;
            }
        }
    assert_true(tried > 0);
    assert_true(plan_check(p, &e));
    trial_close(&t);
}

/* The control block has room for the numbers of one optimizer. */
static void test_one_optimizer(void **state)
{
    static const char *const others[] = {"nadam",   "radam",          "adadelta",       "rmsprop_centered_momentum",
                                         "adagrad", "lamb_direction", "mean_of_weights"};
    struct trial t;
    struct plan_error e;
    int n = 0;
    (void)state;
    assert_true(trial_plan(&t, "tests/expect/optimizers/groups_sgd.net",
                           read_text("tests/expect/optimizers/groups_sgd.net"), NULL, 0, stderr));
    assert_true(plan_check(t.p, &e));
    for (int k = 0; k < t.p->nkernel && n < COUNT(others); k++)
        if (t.p->kernel[k].stage[0].op->gate == GATE_STEP)
            t.c.plan->kernel[k].stage[0].op = op_find(others[n++]);
    assert_false(plan_check(t.p, &e));
    assert_non_null(strstr(e.text, "the control block room for 18"));
    trial_close(&t);
}

/* A group that the control block has no words for. */
static void test_group_bound(void **state)
{
    struct trial t;
    struct plan_error e;
    (void)state;
    assert_true(trial_plan(&t, "models/resnet20.net", read_text("models/resnet20.net"), NULL, 0, stderr));
    for (int group = -1; group <= CTL_GROUPS; group++) {
        loss_of(t.c.plan, "sgd_momentum")->attr[UPDATE_GROUP] = group;
        assert_int_equal(plan_check(t.p, &e), group >= 0 && group < CTL_GROUPS);
    }
    trial_close(&t);
}

/* They belong to the kernel's launch, not to its stages. */
static void test_no_stage_names_one(void **state)
{
    struct trial t;
    struct plan_error e;
    int tried = 0;
    (void)state;
    assert_true(trial_plan(&t, "tests/wide.net", read_text("tests/wide.net"), NULL, 0, stderr));
    for (int i = 0; i < t.p->ntensor; i++) {
        const struct tensor *x = &t.p->tensor[i];
        if (x->schedule < 0 || (x->role != ROLE_WORKSPACE && x->role != ROLE_RING))
            continue;
        struct stage *s = t.p->kernel[t.p->schedule[x->schedule].first_kernel].stage;
        int was = s->in[0];
        s->in[0] = i;
        if (plan_check(t.p, &e) || !strstr(e.text, "names a workspace or a ring"))
            fail_msg("%s: %s", x->name, e.text);
        s->in[0] = was;
        tried++;
    }
    assert_true(tried > 4);
    assert_true(plan_check(t.p, &e));
    trial_close(&t);
}

/* ---- outputs: netrun shows what the plan says of them, and reads as many values of the target ---- */

static const char answers[] =
    "net t\ninput x : f32[4]\ntarget t : %s\n"
    "y = x -> Linear(3)\nw = x -> Linear(5)\nalias = y\np = y -> Softmax\noutput w, y, p, alias\n"
    "train {\n loss = %s\n optimizer = SGD(lr = 0.1)\n}\n";

static void open_answers(struct trial *t, char text[400], bool classes)
{
    snprintf(text, 400, answers, classes ? "class[3]" : "f32[3]", classes ? "CrossEntropy(y, t)" : "MSE(y, t)");
    *t = open_plan(text);
}

static void test_what_outputs_are(void **state)
{
    static const char *const name[] = {"output.w", "output.y", "output.p", "output.alias"};
    char text[400];
    (void)state;
    for (int classes = 0; classes < 2; classes++) {
        struct trial t;
        open_answers(&t, text, classes);
        enum role reads = classes ? ROLE_LOGITS : ROLE_ESTIMATE;
        const enum role role[] = {ROLE_OUTPUT, reads, ROLE_OUTPUT, reads};
        for (int s = 0; s < t.p->nschedule; s++)
            for (int i = 0; i < COUNT(name); i++) {
                int at = plan_find_tensor(t.p, s, name[i]);
                assert_int_equal(at >= 0, t.p->schedule[s].phase == PHASE_PREDICT);
                assert_true(at < 0 || t.p->tensor[at].role == role[i]);
            }
        trial_close(&t);
    }
}

static void with_lanes(struct tensor *t)
{
    t->layout = &layout_block;
}
static void unnamed(struct tensor *t)
{
    t->name += strlen(OUTPUT_PREFIX);
}
static void persistent(struct tensor *t)
{
    t->schedule = -1;
}
static void of_classes(struct tensor *t)
{
    t->role = ROLE_LOGITS;
}
static void of_values(struct tensor *t)
{
    t->role = ROLE_ESTIMATE;
}

static void refuse_output(bool classes, const char *name, void lie(struct tensor *t))
{
    char text[400];
    struct trial t;
    struct plan_error e;
    open_answers(&t, text, classes);
    assert_true(plan_check(t.p, &e));
    for (int i = 0; i < t.p->ntensor; i++)
        if (!strcmp(t.p->tensor[i].name, name))
            lie(&t.p->tensor[i]);
    assert_false(plan_check(t.p, &e));
    trial_close(&t);
}

static void test_outputs(void **state)
{
    void (*const lies[])(struct tensor *) = {with_lanes, unnamed, persistent, bytes};
    (void)state;
    for (int i = 0; i < COUNT(lies); i++)
        refuse_output(true, "output.w", lies[i]);
    refuse_output(true, "output.y", of_values);
    refuse_output(false, "output.w", of_classes); /* nor are they probabilities of its classes */
    refuse_output(false, "output.w", of_values);  /* five values are not those of the target */
}

/* ---- what metrics are made of ---- */

static void wide_numbers(struct tensor *t)
{
    t->dtype = DT_F64;
}
static void of_one_phase(struct tensor *t)
{
    t->schedule = 0;
}

static void refuse_measured(const char *name, void lie(struct tensor *t))
{
    struct plan_error e;
    struct trial t =
        open_plan("net t\ninput x : f32[4]\ntarget c : class[3]\ny = x -> Linear(3)\noutput y\n"
                  "train {\n loss = CrossEntropy(y, c)\n optimizer = SGD(lr = 0.1)\n metrics = [AUC]\n}\n");
    for (int i = 0; i < t.p->ntensor; i++)
        if (!strcmp(t.p->tensor[i].name, name))
            lie(&t.p->tensor[i]);
    assert_false(plan_check(t.p, &e));
    trial_close(&t);
}

static void made_a_tally(struct tensor *t)
{
    t->role = ROLE_TALLY;
}
static void made_scores(struct tensor *t)
{
    t->role = ROLE_SCORES;
}

static void test_measured(void **state)
{
    void (*const lies[])(struct tensor *) = {with_lanes, persistent, wide_numbers, of_one_phase, never_there, flat};
    (void)state;
    for (int i = 0; i < COUNT(lies); i++)
        refuse_measured("@scores", lies[i]);
    refuse_measured("x", made_scores);
    refuse_measured("@parameters", made_a_tally);
}

/* Sizes of pictures are counted in int: an input that no kernel fills is within the bounds of all others. */
static void test_large_input(void **state)
{
    struct trial t = open_plan(mse);
    struct plan_error e;
    (void)state;
    t.c.plan->nkernel = 0;
    assert_true(plan_check(t.p, &e));
    for (int i = 0; i < t.p->ntensor; i++)
        if (t.p->tensor[i].role == ROLE_INPUT)
            t.p->tensor[i].dim[0] = MAX_SIDE;
    assert_false(plan_check(t.p, &e));
    assert_non_null(strstr(e.text, "values of a sample"));
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mse_operands),
        cmocka_unit_test(test_xent_operands),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_workspaces),
        cmocka_unit_test(test_no_stage_names_one),
        cmocka_unit_test(test_only_updates_write_what_persists),
        cmocka_unit_test(test_one_optimizer),
        cmocka_unit_test(test_group_bound),
        cmocka_unit_test(test_what_outputs_are),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_measured),
        cmocka_unit_test(test_large_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
