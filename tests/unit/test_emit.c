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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c),
        cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
