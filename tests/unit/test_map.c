/* Pictures of the memory plan: what they show against the plan itself. */
#include "compiled.h"
#include "netc/map.h"

static bool is_drawn(const struct tensor *t, int schedule)
{
    return t->schedule == schedule && t->rows && t->base < 0 && tensor_stored(t);
}

/* The letter of a buffer is its place among those drawn; models of up to 52 of them are looked at here. */
static char letter_of(const struct plan *p, const struct tensor *t)
{
    int at = 0;
    for (const struct tensor *u = p->tensor; u < t; u++)
        at += is_drawn(u, t->schedule);
    return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[at];
}

/* The buffer that has more than half of a column; 0: none has. */
static char expected(const struct plan *p, int schedule, int step, int column, int width)
{
    int64_t per_row = p->schedule[schedule].per_row, low = column * per_row, high = low + per_row;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (!is_drawn(t, schedule) || step < t->first || step >= t->last)
            continue;
        int64_t from = t->offset * width, to = (t->offset + t->bytes) * width;
        if ((to < high ? to : high) - (from > low ? from : low) > per_row / 2)
            return letter_of(p, t);
    }
    return 0;
}

/* Each step shows the buffers that live then, and no dead one, where the plan has put them. */
static void check_lines(const struct plan *p, int schedule, int width)
{
    const struct schedule *s = &p->schedule[schedule];
    char *text = NULL;
    size_t size;
    int seen = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    memory_map(p, s, width, out);
    fclose(out);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        int step, start = 0;
        char *bar = strchr(line, '|');
        if ((line[2] != ' ' && line[2] != '*') || sscanf(line + 3, "%d %*s %n", &step, &start) < 1 || !start || !bar)
            continue;
        memmove(bar, bar + 1, strlen(bar)); /* LB, between two columns */
        const char *columns = line + 3 + 5 + 22 + 1;
        assert_int_equal(strlen(columns), width);
        for (int c = 0; c < width; c++) {
            char want = expected(p, schedule, step, c, width);
            if (want)
                assert_int_equal(columns[c], want);
            for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
                if (is_drawn(t, schedule) && columns[c] == letter_of(p, t))
                    assert_true(t->first <= step && step < t->last);
        }
        seen++;
    }
    assert_int_equal(seen, s->last_kernel - s->first_kernel);
    free(text);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const models[] = {"mlp", "mnist_cnn", "strided_cnn"};
    for (int m = 0; m < COUNT(models); m++) {
        struct compilation *c = compiled_model(models[m]);
        for (int s = 0; s < c->plan->nschedule; s++)
            check_lines(c->plan, s, 61);
        compiled_free(c);
    }
}

/* ---- the picture ---- */

/* Not inlined, or gcc 12 takes the text for the variable that pointed to it. */
static __attribute__((noinline)) char *drawn(const struct plan *p, const int64_t rows[PHASE_COUNT])
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    memory_svg(p, &target_cpu, rows, out);
    fclose(out);
    return text;
}

/* The number behind ` name="` in an element. */
static double attribute(const char *element, const char *name)
{
    char start[32];
    snprintf(start, sizeof start, " %s=\"", name);
    const char *at = strstr(element, start);
    assert_non_null(at);
    return strtod(at + strlen(start), NULL);
}

/* The rectangle of a buffer, by its title. */
static const char *rectangle(const char *svg, const char *name)
{
    char title[300];
    snprintf(title, sizeof title, "<title>%s: ", name);
    const char *at = strstr(svg, title);
    if (!at)
        fail_msg("%s is not drawn", name);
    while (strncmp(at, "<rect", 5))
        at--;
    return at;
}

/* Rectangles stand where the plan puts buffers: addresses in proportion to the arena, lives to the steps. */
static void test_picture(void **state)
{
    (void)state;
    struct compilation *c = compiled_model("mnist_cnn");
    const struct plan *p = c->plan;
    const struct schedule *s = plan_schedule(p, &target_cpu, PHASE_TRAIN);
    char *svg = drawn(p, (int64_t[PHASE_COUNT]){[PHASE_TRAIN] = 128});
    const char *ground = strstr(svg, "<rect class=\"g\"");
    const int schedule = (int)(s - p->schedule), steps = s->last_kernel - s->first_kernel;
    const int64_t arena = schedule_alone(p, s, 128);
    assert_non_null(ground);
    double left = attribute(ground, "x"), width = attribute(ground, "width"), bottom = attribute(ground, "y"),
           height = attribute(ground, "height");
    int buffers = 0;
    bottom += height;
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        if ((t->schedule != schedule && t->schedule >= 0) || t->base >= 0 || !tensor_stored(t) || t->role == ROLE_SUM)
            continue;
        const char *r = rectangle(svg, t->name);
        int64_t place = tensor_place(p, s, i, 128), size = t->rows ? 128 * t->bytes : t->bytes;
        int first = t->schedule < 0 ? 0 : t->first, last = t->schedule < 0 ? steps : t->last;
        assert_float_equal(attribute(r, "x"), left + width * first / steps, 0.02);
        assert_float_equal(attribute(r, "width"), width * (last - first) / steps, 0.02);
        assert_float_equal(attribute(r, "y"), bottom - height * (double)(place + size) / (double)arena, 0.02);
        assert_float_equal(attribute(r, "height"), height * (double)size / (double)arena, 0.02);
        buffers++;
    }
    assert_true(buffers > 15);
    assert_non_null(strstr(rectangle(svg, "maxpool@4"), "1.5 MiB (12544 bytes a sample)"));
    assert_int_equal(strncmp(rectangle(svg, "maxpool@4"), "<rect class=\"b u4\"", 18), 0);  /* activations */
    assert_int_equal(strncmp(rectangle(svg, "relu.da@46"), "<rect class=\"b u5\"", 18), 0); /* gradients */
    assert_int_equal(strncmp(rectangle(svg, "digit"), "<rect class=\"o u3\"", 18), 0);      /* thin: without an edge */
    assert_int_equal(strncmp(rectangle(svg, "@parameters"), "<rect class=\"b u0\"", 18), 0);
    assert_non_null(strstr(svg, ">backward, update<"));
    assert_null(strstr(svg, "<script"));
    free(svg);
    compiled_free(c);
}

/* A phase without rows is not drawn; one that does not train lacks the optimizer's state. */
static void test_phases(void **state)
{
    (void)state;
    struct compilation *c = compiled_model("mlp");
    char *svg = drawn(c->plan, (int64_t[PHASE_COUNT]){[PHASE_PREDICT] = 16});
    assert_non_null(strstr(svg, ">predict, cpu: 16 rows"));
    assert_null(strstr(svg, ">train, "));
    assert_null(strstr(svg, "exp_avg"));
    assert_null(strstr(svg, ">backward"));
    const char *ground = strstr(svg, "<rect class=\"g\""), *r = rectangle(svg, "@parameters");
    assert_non_null(ground);
    assert_true(attribute(r, "y") + attribute(r, "height") <= attribute(ground, "y") + attribute(ground, "height"));
    free(svg);
    compiled_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_picture),
        cmocka_unit_test(test_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
