/* test_steps.c: twice the text takes twice the steps, not four times as many. The compiler's files are built for this test
 * so that every piece of straight code calls back (-fsanitize-coverage=trace-pc); bytes that the C library clears, copies
 * and searches count too. No clock is asked. */
#include "emit/emit.h"
#include "netc/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 16 }; /* that the library is taken to move in one step */

static unsigned long steps;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    steps += n * size / BYTES;
    return __real_calloc(n, size);
}

void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n)
{
    steps += n / BYTES;
    return __real_memmove(to, from, n);
}

char *__real_strchr(const char *s, int c);
char *__wrap_strchr(const char *s, int c);
char *__wrap_strchr(const char *s, int c)
{
    char *found = __real_strchr(s, c);
    steps += (found ? (size_t)(found - s) : strlen(s)) / BYTES;
    return found;
}

/* Text that is `piece` many times; %1$d and %2$d in it are i and i + 1, in `after` the count. */
struct input {
    const char *name, *before, *piece, *after;
};

#define NET "net a\ninput x : f32[4]\ntarget y : class[4]\n"
#define END "output z\ntrain {\nloss = CrossEntropy(z, y)\noptimizer = SGD(lr = 0.1)\n}\n"
#define ANY "z = x -> Linear(4)\n" END
#define BODY " {\ninput i\no = i -> ReLU\noutput o\n}\n"

static const struct input texts[] = {
    {"empty lines", NET, "\n", ANY},
    {"empty lines before an arrow", NET "z = x\n", "\n", "-> Linear(4)\n" END},
    {"empty lines in brackets", NET "z = x -> Linear(\n", "\n", "4)\n" END},
    {"comments", NET, "# c\n", ANY},
    {"a long comment", NET "#", "cccccccc", "\n" ANY},
    {"spaces", NET, "        ", "\n" ANY},
    {"open brackets", NET "z = ", "(", "x\n" END},
    {"closing brackets", NET "z = x", ")", "\n" END},
    {"pairs of brackets", NET "z = x", "()", "\n" END},
    {"braces", NET, "{}\n", ANY},
    {"a long list", NET "param p = [", "1,", "1]\n" ANY},
    {"a long path", NET ANY "data {\n", "a.a.a.a.a.a.a.a.", "a = 1\n}\n"},
    {"a long path in brackets", NET "z = x -> Linear(4\n", "a.a.a.a.a.a.a.a.", "a = 1)\n" END},
    {"a long string", NET "param p = \"", "ssssssss", "\"\n" ANY},
    {"an open string", NET "param p = \"", "ssssssss", "\n" ANY},
    {"escapes", NET "\"", "\\\"", "\n" ANY},
    {"a long name", NET, "zzzzzzzz", " = x\n" ANY},
    {"a long number", NET "param p = ", "11111111", "\n" ANY},
    {"strange characters", NET, ";", "\n" ANY},
    {"strange lines", NET, "; ;\n", ANY},
    {"a long sum", NET "param p = 1", "+1", "\n" ANY},
    {"many signs", NET "param p = ", "-", "1\n" ANY},
    {"params", NET "param p0 = 1\n", "param p%2$d = p%1$d\n", ANY},
    {"values", NET "v0 = x\n", "v%2$d = v%1$d -> ReLU\n", "z = v%1$d -> Linear(4)\n" END},
    {"values that nobody uses", NET, "v%1$d = x -> ReLU\n", ANY},
    {"blocks", NET, "block b%1$d" BODY, ANY},
    {"arguments of a block", NET "block b(a", ", a%1$d", ")" BODY ANY},
    {"unknown arguments", NET "z = x -> Linear(4", ", a%1$d = 1", ")\n" END},
    {"unknown keys", NET ANY "data {\n", "foo = 1\n", "}\n"},
    {"unknown layers on one line", NET "z = x", " -> Foo", "\n" END},
    {"unknown layers", NET "z = x", "\n-> Foo", "\n" END},
    {"one message behind much text", NET, "\n", "z = x -> Foo\n" END},
    {"samples", NET ANY "data {\nsamples = [[[1,2,3,4],0]", ",[[1,2,3,4],0]", "]\n}\n"},
};
static const struct input networks[] = {
    {"activations", NET "z = x -> Linear(4)", " -> ReLU", "\n" END},
    {"names that automatic ones step aside for", NET "z = x", "\n-> relu_%2$d: Linear(4) -> ReLU", "\n" END},
    {"normalised layers", NET "z = x", "\n-> Linear(4) -> BatchNorm", "\n" END},
    {"repeats", NET "block b {\ninput i\no = i + (i -> Linear(4) -> ReLU)\noutput o\n}\nz = x", "",
     " -> repeat(%1$d, b)\n" END},
    {"outputs", NET, "v%1$d = x -> ReLU\noutput v%1$d\n", ANY},
};
static const struct input kernels[] = {
    /* are written too */
    {"layers with names", NET "z = x", "\n-> l%1$d: Linear(4) -> ReLU", "\n" END},
    {"large layers", NET "z = x", "\n-> Linear(1024)", "\n-> Linear(4)\n" END},
};

static const struct input sweep[] = {
    /* one text */
    {"sweeps", NET, "param p%1$d = 1\n", ANY "sweep {\n"},
    {NULL, "", "p%1$d = [1]\n", "}\n"},
};

/* What is made of a plan: its text and back, and both kinds of kernels if wanted. */
static void use_plan(const struct plan *p, bool kernels, FILE *out)
{
    char *text = NULL;
    size_t length;
    struct plan_error e;
    struct emit_launches launches;
    FILE *memory = open_memstream(&text, &length);
    assert_true(plan_write(p, memory) && fclose(memory) == 0);
    struct plan *again = plan_read(text, length, &e);
    assert_non_null(again);
    if (kernels) {
        assert_true(emit_kernels(again, &(struct emit_options){.lanes = 4, .file = "a.net"}, out));
        assert_true(emit_cuda(again, &(struct emit_options){.file = "a.net"}, out, &launches));
        emit_launches_free(&launches);
    }
    plan_free(again);
    free(text);
}

/* Steps from the text of some inputs to messages, or to a plan and its kernels. */
static unsigned long steps_of(const struct input *in, int parts, int n, bool kernels)
{
    struct compilation c = {.file = "a.net", .region = region_new()};
    FILE *text = open_memstream(&c.text, &c.length), *out = fopen("/dev/null", "w");
    for (const struct input *part = in; part < in + parts; part++) {
        fputs(part->before, text);
        for (int i = 0; i < n; i++)
            fprintf(text, part->piece, i, i + 1);
        fprintf(text, part->after, n);
    }
    fclose(text);
    c.diag = (struct diag){.file = c.file, .text = c.text, .out = out, .region = c.region};
    steps = 0;
    if (run_passes(&c, NULL))
        use_plan(c.plan, kernels, out);
    diag_flush(&c.diag);
    unsigned long needed = steps;
    region_free(c.region);
    free(c.text);
    fclose(out);
    return needed;
}

/* Sorting n things takes n log n steps: a little more than twice as many for 2 n. */
static void compare(const struct input *in, int count, int parts, int n, bool kernels)
{
    int wrong = 0;
    for (int i = 0; i < count; i += parts) {
        const unsigned long one = steps_of(&in[i], parts, n, kernels), two = steps_of(&in[i], parts, 2 * n, kernels);
        assert_true(one > (unsigned long)n);
        if (two > one * 2.3) {
            print_error("%s: %lu steps for %d, %lu for %d\n", in[i].name, one, n, two, 2 * n);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void twice_the_text_takes_twice_the_steps(void **state)
{
    (void)state;
    compare(texts, COUNT(texts), 1, 1000, false);
    compare(sweep, COUNT(sweep), COUNT(sweep), 1000, false);
}

static void twice_the_layers_take_twice_the_steps(void **state)
{
    (void)state;
    compare(networks, COUNT(networks), 1, 500, false);
    compare(kernels, COUNT(kernels), 1, 250, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_text_takes_twice_the_steps),
        cmocka_unit_test(twice_the_layers_take_twice_the_steps),
    };
    steps_of(texts, 1, 1, false); /* tables are made once */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
