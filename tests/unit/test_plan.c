/* The text form of plans: what is written reads back the same, and nothing else is read. */
#define _GNU_SOURCE 1
#include "emit/emit.h"
#include "netc/map.h"
#include "netc/compile.h"
#include "sample_plan.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <xxhash.h>

static struct plan *read_back(const char *text, size_t size, struct plan_error *e)
{
    char *exact = malloc(size ? size : 1); /* so that a sanitizer sees every byte too far */
    memcpy(exact, text, size);
    struct plan *p = plan_read(exact, size, e);
    free(exact);
    return p;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    struct plan_error e;
    size_t size, again;
    char *text = sample_text(p, &size);
    assert_non_null(text);
    struct plan *q = read_back(text, size, &e);
    if (!q)
        fail_msg("line %d: %s", e.line, e.text);
    char *second = sample_text(q, &again);
    assert_int_equal(size, again);
    assert_memory_equal(text, second, size);
    assert_string_equal(q->source, p->source);
    assert_string_equal(q->file, p->file);
    assert_true(q->source_hash == XXH3_64bits(p->source, strlen(p->source)));
    for (int i = 0; i < SETTINGS; i++) {
        assert_string_equal(q->setting[i].key, p->setting[i].key);
        assert_int_equal(q->setting[i].graph, p->setting[i].graph);
        assert_int_equal(q->setting[i].n, p->setting[i].n);
        if (p->setting[i].n)
            assert_memory_equal(q->setting[i].num, p->setting[i].num, (size_t)p->setting[i].n * sizeof(double));
        if (p->setting[i].text)
            assert_string_equal(q->setting[i].text, p->setting[i].text);
    }
    for (int i = 0; i < TENSORS; i++) {
        struct tensor *a = &p->tensor[i], *b = &q->tensor[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->rows, b->rows);
        assert_int_equal(a->rank, b->rank);
        assert_memory_equal(a->dim, b->dim, sizeof a->dim);
        assert_int_equal(a->base, b->base);
        assert_int_equal(a->at, b->at);
        assert_true(a->bound == b->bound);
        if (a->base < 0 && a->first < a->last)
            assert_int_equal(a->offset, b->offset);
    }
    for (int k = 0; k < KERNELS; k++) {
        assert_int_equal(p->kernel[k].nstage, q->kernel[k].nstage);
        for (int i = 0; i < p->kernel[k].nstage; i++) {
            const struct stage *s = &p->kernel[k].stage[i], *t = &q->kernel[k].stage[i];
            assert_true(s->op == t->op && s->nin == t->nin && s->nout == t->nout && s->line == t->line);
            assert_memory_equal(s->attr, t->attr, (size_t)op_attrs(s->op) * sizeof *s->attr);
            assert_memory_equal(s->in, t->in, (size_t)s->nin * sizeof *s->in);
            assert_memory_equal(s->out, t->out, (size_t)s->nout * sizeof *s->out);
        }
    }
    free(text);
    free(second);
    plan_free(p);
    plan_free(q);
}

static void test_any_source(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "", "\n", "a", "a\n", "\n\na", "a\r\n| end\nend\n", "\xff\x01 # \"\n\n\n", "tensors 3"};
    for (int i = 0; i < COUNT(sources); i++) {
        struct plan *p = sample_plan();
        struct plan_error e;
        size_t size;
        p->source = region_copy(p->region, sources[i]);
        for (int t = 0; t < p->ntensor; t++)
            p->tensor[t].line = 0;
        for (int k = 0; k < p->nkernel; k++)
            for (int s = 0; s < p->kernel[k].nstage; s++)
                p->kernel[k].stage[s].line = 0;
        char *text = sample_text(p, &size);
        struct plan *q = read_back(text, size, &e);
        if (!q)
            fail_msg("source %d, line %d: %s", i, e.line, e.text);
        assert_string_equal(q->source, sources[i]);
        free(text);
        plan_free(p);
        plan_free(q);
    }
}

static void test_disk_full(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        assert_false(plan_write(p, full));
        fclose(full);
    }
    plan_free(p);
}

/* The text with the first `from` replaced by `to` and the checksum made right again. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("`%s` is not in the plan", from);
    char *out = NULL, sum[17];
    if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
        abort();
    char *body = strchr(strchr(out, '\n') + 1, '\n') + 1;
    snprintf(sum, sizeof sum, "%016" PRIx64, (uint64_t)XXH3_64bits(body, strlen(body)));
    memcpy(body - 17, sum, 16);
    return out;
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"netc-plan 3", "netc-plan 2", "version"},
        {"netc-plan 3", "GIF89a", "netc-plan"},
        {"params 36", "params 037x", "integer"},
        {"params 36", "params -1", "integer"},
        {"params 36", "params 9223372036854775808", "integer"},
        {"params 36", "params +3", "integer"},
        {"params 36", "params", "line ends"},
        {"params 36", "params 36 7", "more text"},
        {"net sample", "net sam/ple", "name of the net"},
        {"| net sample", "| net Sample", "hash"},
        {"| net sample", "net sample", "line of the source"},
        {"source 5 lines", "source 4 lines", "bytes"},
        {"source 5 lines", "source 6 lines", "source"},
        {"settings 4", "settings 5", "free or graph"},
        {"settings 4", "settings 20001", "integer"},
        {"settings 4", "settings 9999", "rest of the file"},
        {"train.batch 128", "train.batch 0x80", "finite"},
        {"train.batch 128", "train.batch nan", "finite"},
        {"train.batch 128", "train.batch 1e999", "finite"},
        {"train.batch 128", "train.note 128", "two settings"},
        {"\"Adam\"", "\"Adam", "closed"},
        {"\"Adam\"", "\"A\\q\"", "escape"},
        {"\"Adam\"", "\"A\\x00\"", "escape"},
        {"tensors 17", "tensors 100000", "rest of the file"},
        {"tensors 17", "tensors 16", "kernels"},
        {" 3 fc.bias ", " 3 fc.weight ", "two tensors"},
        {" 3 fc.bias ", " 3 fc*bias ", "name"},
        {" 3 fc.bias ", " 4 fc.bias ", "number of the tensor"},
        {"4x8", "4x-8", "dimension"},
        {"4x8", "4x0", "dimension"},
        {"4x8", "4xx8", "dimension"},
        {"4x8", "1x2x3x4x5", "shape"},
        {"4x8", "2147483647x2147483647x2147483647", "shape"},
        {"Nx1x2x4", "N1x2x4", "shape"},
        {"block  Nx1x2x4", "heaps  Nx1x2x4", "layout"},
        {"plain  4x8", "block  4x8", "only rows"},
        {"kernel 0 gather", "kernel 0 gather(){}", "name of the kernel"},
        {"kernel 0 gather schedule 0", "kernel 0 gather schedule 2", "schedule"},
        {"stages 2", "stages 25", "stages"},
        {"stages 2", "stages 0", "stages"},
        {"  relu slope", "  rely slope", "op"},
        {"slope=-0.01", "slope=", "slope"},
        {"slope=-0.01", "slop=1", "slope"},
        {"in 5 2 3 out", "in 5 2 out", "inputs"},
        {"in 5 2 3 out", "in 5 2 17 out", "number of a tensor"},
        {"in 5 2 3 out", "in 1 1 1 1 1 1 1 1 1 1 1 1 1 out", "more than"},
        {"out 8 9", "out 8", "outputs"},
        {"out 8 9 line 4", "out 8 9 line 6", "line of the source"},
        {"line 4 by plain", "line 4 by fft", "body"},
        {"line 4 by plain", "line 4 by", "line ends"},
        {"line 4 by plain", "line 4 by plain plain", "more text"},
        {"line 4 by plain", "line 4 for plain", "by"},
        {"\nend\n", "\n", "file ends"},
        {"\nend\n", "\nend\nend\n", "goes on"},
    };
    struct plan *p = sample_plan();
    size_t size;
    char *text = sample_text(p, &size);
    for (int i = 0; i < COUNT(cases); i++) {
        char *bad = changed(text, cases[i].from, cases[i].to);
        struct plan_error e;
        struct plan *q = read_back(bad, strlen(bad), &e);
        if (q || !strstr(e.text, cases[i].message))
            fail_msg("`%s` -> `%s`: %s", cases[i].from, cases[i].to, q ? "read" : e.text);
        assert_int_not_equal(e.line, 0);
        free(bad);
    }
    free(text);
    plan_free(p);
}

/* The longest text in quotes is read, one more byte is not. */
static void test_long_text(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    size_t size;
    char *text = sample_text(p, &size), longest[MAX_STRING + 4] = "\"";
    for (int more = 0; more < 2; more++) {
        struct plan_error e;
        memset(longest + 1, 'a', MAX_STRING + 1);
        strcpy(longest + 1 + MAX_STRING + more, "\"");
        char *other = changed(text, "\"Adam\"", longest);
        struct plan *q = read_back(other, strlen(other), &e);
        assert_true(more ? !q && strstr(e.text, "are not closed within 65535 bytes") : q != NULL);
        plan_free(q);
        free(other);
    }
    free(text);
    plan_free(p);
}

/* Every shorter file and every flipped bit is refused: by the checksum at the latest. */
static void test_damage(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    struct plan_error e;
    size_t size;
    char *text = sample_text(p, &size);
    for (size_t n = 0; n < size; n++)
        assert_null(read_back(text, n, &e));
    for (size_t bit = 0; bit < 8 * size; bit += 5) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        struct plan *q = plan_read(text, size, &e);
        if (q)
            fail_msg("bit %zu flipped and not seen", bit);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(text);
    plan_free(p);
}

static void test_lookups(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    assert_true(plan_number(p, "train.batch", 1) == 128);
    assert_true(plan_number(p, "train.optimizer", 7) == 7);
    assert_null(plan_setting(p, "train"));
    assert_int_equal(plan_find_tensor(p, 0, "image"), IMAGE);
    assert_int_equal(plan_find_tensor(p, 1, "image"), IMAGE2);
    assert_int_equal(plan_find_tensor(p, 1, "fc.weight"), WEIGHT);
    assert_int_equal(plan_find_tensor(p, 1, "loss"), -1);
    assert_ptr_equal(plan_schedule(p, &target_cpu, PHASE_PREDICT), &p->schedule[1]);
    assert_null(plan_schedule(p, &target_cuda, PHASE_TRAIN));
    plan_free(p);
}

static void test_arena(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    struct schedule *s = &p->schedule[0];
    assert_int_equal(schedule_arena(p, s, 0), 768 + 512);
    assert_int_equal(schedule_arena(p, s, 160), 1280 + 160 * 80);
    assert_int_equal(schedule_arena(p, s, -16), -1);
    assert_int_equal(schedule_arena(p, s, 17), -1);
    assert_int_equal(schedule_fit(p, s, 1280 + 16 * 80 - 1), 0);
    assert_int_equal(schedule_fit(p, s, 1280 + 16 * 80), 16);
    assert_int_equal(schedule_fit(p, s, 1280 + 40 * 80), 32);
    assert_int_equal(schedule_fit(p, s, 100), 0);
    assert_int_equal(schedule_fit(p, s, INT64_MAX), MAX_ROWS);
    assert_int_equal(tensor_place(p, s, BIAS, 32), 256 + 128);
    assert_int_equal(tensor_place(p, s, BIAS_GRAD, 32), 768 + 128);
    assert_int_equal(tensor_place(p, s, GSUM, 32), 1280 + 64 * 32);
    assert_int_equal(tensor_place(p, &p->schedule[1], LOGITS, 16), 768 + 32 * 16);
    assert_int_equal(tensor_elements(&p->tensor[WEIGHT]), 32);
    assert_int_equal(tensor_elements(&p->tensor[LOSS]), 1);
    s->per_row = INT64_MAX / 16;
    assert_int_equal(schedule_arena(p, s, 16), -1);
    p->tensor[GY].offset = INT64_MAX / 2;
    assert_int_equal(tensor_place(p, s, GY, 32), -1);
    plan_free(p);
}

/* The optimizer's slots come first, and an arena that none of them is needed in begins behind them. */
static void test_slots(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    const int64_t trains[PHASE_COUNT] = {[PHASE_PREDICT] = 16, [PHASE_TRAIN] = 16},
                  predicts[PHASE_COUNT] = {[PHASE_PREDICT] = 16};
    assert_int_equal(plan_slots(p), 0);
    p->tensor[MEAN].role = ROLE_SLOT;
    p->tensor[MEAN].offset = 0;
    p->tensor[CONTROL].offset = 512;
    assert_int_equal(plan_slots(p), 256);
    assert_int_equal(schedule_alone(p, &p->schedule[0], 16), 768 + 512 + 16 * 80);
    assert_int_equal(schedule_alone(p, &p->schedule[1], 16), 512 + 16 * 48);
    assert_int_equal(arena_skip(p, trains), 0);
    assert_int_equal(arena_skip(p, predicts), 256);
    p->tensor[BIAS].at = -200; /* whatever lies there: nothing but slots is left out */
    assert_int_equal(plan_slots(p), 0);
    plan_free(p);
}

/* What is summed over parts lies behind the arena of a batch in one piece, and is written and read like the rest. */
static void test_parts(void **state)
{
    (void)state;
    struct plan *p = summing_plan();
    struct schedule *s = &p->schedule[0];
    size_t size;
    char *text = sample_text(p, &size), *map = NULL;
    struct plan_error e;
    struct plan *q = read_back(text, size, &e);
    assert_non_null(q);
    assert_int_equal(q->schedule[0].parts, 256);
    char *other = changed(text, "parts 256", "parts 281474976710657");
    assert_null(read_back(other, strlen(other), &e));
    assert_non_null(strstr(e.text, "integer"));
    assert_int_equal(schedule_needs(p, s, 32, false), 1280 + 80 * 32);
    assert_int_equal(schedule_needs(p, s, 32, true), 1280 + 80 * 32 + 256);
    assert_int_equal(schedule_needs(p, s, 17, true), -1);
    assert_int_equal(tensor_place(p, s, SUMS, 32), 1280 + 80 * 32);
    assert_int_equal(tensor_place(p, s, GSUM, 32), 1280 + 64 * 32);
    for (int k = 0; k < p->nkernel; k++) {
        assert_true(kernel_runs(p, k, true));
        assert_int_equal(kernel_runs(p, k, false), k != 4);
    }
    FILE *out = open_memstream(&map, &size);
    memory_map(p, s, 20, out);
    fclose(out);
    assert_non_null(strstr(map, "\nfixed 512 bytes: gradients 192 [3, 5), partial 200 [3, 4)\n"
                                "256 bytes more where batches run in parts: sums 192 [0, 5)\n\n"));
    s->parts = INT64_MAX;
    assert_int_equal(schedule_needs(p, s, 32, true), -1);
    free(map);
    free(text);
    free(other);
    plan_free(q);
    plan_free(p);
}

static void test_operands(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    int list[MAX_STAGES * 2 * MAX_OPERANDS];
    static const int fc[] = {IMAGE, WEIGHT, BIAS, Y}, update[] = {WEIGHT, WEIGHT_GRAD, CONTROL, BIAS, BIAS_GRAD};
    assert_int_equal(kernel_operands(p, 1, list), COUNT(fc));
    assert_memory_equal(list, fc, sizeof fc);
    assert_int_equal(kernel_operands(p, 4, list), COUNT(update));
    assert_memory_equal(list, update, sizeof update);
    plan_free(p);
}

static void test_map(void **state)
{
    (void)state;
    static const char expected[] = "cpu train: arena = 1280 + rows * 80 bytes; LB 80 bytes a row at step 2 (*), gap 0\n"
                                   "persistent 768 bytes: control 256, parameters 192, running_mean 16\n"
                                   "fixed 512 bytes: gradients 192 [3, 5), partial 200 [3, 4)\n"
                                   "\n"
                                   "   step kernel                 one column is 4 bytes a row; | is LB\n"
                                   "      0 gather                 aaaaaaaa............|\n"
                                   "      1 fc                     aaaaaaaabbbb........|\n"
                                   "  *   2 loss                   aaaaaaaabbbbccccdddd|\n"
                                   "      3 fc_grad                aaaaaaaabbbb....dddd|\n"
                                   "      4 update                 ....................|\n"
                                   "\n"
                                   "    a image                               32 bytes a row at          0  [0, 4)\n"
                                   "    b relu_1                              16 bytes a row at         32  [1, 4)\n"
                                   "    c loss                                16 bytes a row at         48  [2, 3)\n"
                                   "    d relu_1.grad                         16 bytes a row at         64  [2, 4)\n";
    struct plan *p = sample_plan();
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    memory_map(p, &p->schedule[0], 20, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    plan_free(p);
}

/* Beyond what the reader accepts, the line that asks for most is blamed. */
static void test_within(void **state)
{
    (void)state;
    struct plan_error e;
    struct plan *p = sample_plan(), many = *p;
    assert_true(plan_within(p, &e));
    many.nkernel = MAX_KERNELS + 1;
    many.kernel = calloc((size_t)many.nkernel, sizeof *many.kernel);
    assert_non_null(many.kernel);
    struct stage few = {.line = 3}, most = {.line = 2};
    for (int k = 0; k < many.nkernel; k++)
        many.kernel[k].stage = k % 5 < 2 ? &few : &most;
    assert_false(plan_within(&many, &e));
    assert_int_equal(e.line, 2);
    assert_non_null(strstr(e.text, "1048577 kernels"));
    free(many.kernel);

    p->persistent = MAX_BYTES + 1;
    assert_false(plan_within(p, &e));
    p->persistent = 0;
    p->schedule[1].per_row = MAX_ROW_BYTES + 1;
    assert_false(plan_within(p, &e));
    assert_int_equal(e.line, 2); /* of the image, the largest in that schedule */
    p->schedule[1].per_row = MAX_ROW_BYTES;
    assert_true(plan_within(p, &e));
    p->schedule[0].parts = MAX_BYTES + 1;
    assert_false(plan_within(p, &e));
    plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_any_source), cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_long_text),  cmocka_unit_test(test_damage),
        cmocka_unit_test(test_lookups),    cmocka_unit_test(test_arena),      cmocka_unit_test(test_slots),
        cmocka_unit_test(test_parts),      cmocka_unit_test(test_operands),   cmocka_unit_test(test_map),
        cmocka_unit_test(test_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
