/* A plan may put behind conv_dx_max what no network does: a pool. Its kernel has rows of its own to hold, which the winners' body has
 * not, so the plain one writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "emit/choose.h"

static struct kernel *winners_kernel(const struct plan *p)
{
    for (struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        if (!strcmp(k->stage->op->name, "conv_dx_max"))
            return k;
    return NULL;
}

static void test_pool_behind(void **state)
{
    (void)state;
    struct trial t;
    struct plan_error e;
    assert_true(trial_plan(&t, "models/mnist_cnn.net", read_text("models/mnist_cnn.net"), NULL, 0, stderr));
    struct graph *g = t.c.graph[PHASE_TRAIN];
    struct plan *p = t.c.plan;
    struct kernel *k = winners_kernel(p);
    assert_non_null(k);
    assert_true(kernel_can(p, (int)(k - p->kernel), "winners"));

    const struct group *group = g->group[k - p->kernel - p->schedule[k->schedule].first_kernel];
    const double window[MAX_ATTRS] = {2, 2, 2, 2};
    graph_op(g, "maxpool", window, group->node[group->nnode - 1]->out[0], NULL);
    p->ntensor = p->nkernel = p->nschedule = 0;
    p->persistent = 0;
    p->tensor = NULL;
    p->kernel = NULL;
    p->schedule = NULL;
    fuse(g);
    schedule(g, p, &target_cpu);
    memory(p);
    plan_link(p);
    if (!plan_check(p, &e))
        fail_msg("%s", e.text);
    k = winners_kernel(p);
    assert_non_null(k);
    assert_string_equal(k->stage[k->nstage - 1].op->name, "maxpool");
    assert_false(kernel_can(p, (int)(k - p->kernel), "winners"));
    assert_true(kernel_can(p, (int)(k - p->kernel), "plain"));
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool_behind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
