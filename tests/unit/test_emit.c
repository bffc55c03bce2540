/* A kernel that cannot be written leaves no source behind: not the others, and none that is cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>

#include "harness.h"

/* ---- the stream that fails: there is no memory for it, or none to finish it ---- */

enum { NEVER, OPENED, CLOSED };
static int failing, fails; /* the stream before which none fails, and how it does */

static ssize_t write_nothing(void *cookie, const char *text, size_t size)
{
    (void)cookie, (void)text, (void)size;
    return 0;
}

FILE *open_memstream(char **text, size_t *size)
{
    FILE *(*real)(char **, size_t *);
    *(void **)&real = dlsym(RTLD_NEXT, "open_memstream");
    if (fails == NEVER || failing--)
        return real(text, size);
    if (fails == OPENED)
        return NULL;
    *text = strdup("static void @(");
    return fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_nothing});
}

/* ---- the kernels of a model ---- */

static bool write_c(const struct plan *p, FILE *out)
{
    return emit_kernels(p, &(struct emit_options){.lanes = 8, .file = "mlp.net"}, out);
}

static bool write_cuda(const struct plan *p, FILE *out)
{
    struct emit_launches launches;
    bool good = emit_cuda(p, &(struct emit_options){.file = "mlp.net"}, out, &launches);
    emit_launches_free(&launches);
    return good;
}

/* Each of the kernels in turn is the one that fails. */
static void check(const struct target *target, bool (*write)(const struct plan *p, FILE *out), int how)
{
    struct trial t;
    assert_true(trial_plan(&t, "mlp.net", read_text("models/mlp.net"), NULL, 0, stderr));
    const int n = emit_row(t.c.plan, target, t.c.plan->nkernel);
    assert_true(n > 10);
    for (int k = 0; k <= n; k++) {
        FILE *out = tmpfile();
        assert_non_null(out);
        failing = k;
        fails = how;
        const bool good = write(t.c.plan, out);
        fails = NEVER;
        assert_int_equal(good, k == n);
        assert_int_equal(ftell(out) > 0, good);
        fclose(out);
    }
    trial_close(&t);
}

static void test_c(void **state)
{
    (void)state;
    check(&target_cpu, write_c, OPENED);
    check(&target_cpu, write_c, CLOSED);
}

static void test_cuda(void **state)
{
    (void)state;
    check(&target_cuda, write_cuda, OPENED);
    check(&target_cuda, write_cuda, CLOSED);
}

/* What is written to a full device is a loss too. */
static void test_full(void **state)
{
    (void)state;
    struct trial t;
    assert_true(trial_plan(&t, "mlp.net", read_text("models/mlp.net"), NULL, 0, stderr));
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    assert_false(write_c(t.c.plan, full));
    assert_false(write_cuda(t.c.plan, full));
    fclose(full);
    trial_close(&t);
}

/* ---- results that nobody reads have no place, and are not written ---- */

static int stores(const struct plan *p)
{
    char *text;
    size_t size;
    int n = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(write_c(p, out));
    fclose(out);
    for (const char *at = text; (at = strstr(at, "st(")); at++)
        n++;
    free(text);
    return n;
}

static void test_no_place(void **state)
{
    static const char *const model[][2] = {{"class[3]", "Flatten -> Linear(3)"},
                                           {"class[3, 4, 4]", "Conv(3, kernel = 1)"}};
    (void)state;
    for (int i = 0; i < COUNT(model); i++) {
        char text[400];
        struct trial t;
        int found = 0;
        snprintf(text, sizeof text,
                 "net t\ninput x : f32[1, 4, 4]\ntarget c : %s\ny = x -> %s\noutput y\ntrain {\n"
                 " loss = CrossEntropy(y, c)\n optimizer = SGD(lr = 0.1)\n metrics = [F1]\n}\n",
                 model[i][0], model[i][1]);
        assert_true(trial_plan(&t, "t.net", strdup(text), NULL, 0, stderr));
        const int before = stores(t.p);
        for (int k = 0; k < t.p->nkernel; k++) {
            const struct stage *s = t.p->kernel[k].stage;
            if (strcmp(s->op->name, "pick"))
                continue;
            struct tensor *pick = &t.c.plan->tensor[s->out[0]];
            if (t.p->schedule[pick->schedule].target != &target_cpu)
                continue;
            pick->first = pick->last;
            found++;
        }
        assert_true(found > 0 && stores(t.p) < before);
        trial_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c),
        cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
