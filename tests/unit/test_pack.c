/* test_pack.c: the packer against an overlap checker of its own, and netc --place on good and bad files. */
#include "graph/pack.h"
#include "netc/compile.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "real_data.h"

enum { MANY = 2000 };

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The largest live set by trying every birth: shares nothing with the sweep. */
static int64_t slow_bound(const struct interval *v, int n)
{
    int64_t bound = 0;
    for (int i = 0; i < n; i++) {
        int64_t live = 0;
        for (int j = 0; j < n; j++)
            if (v[j].lower <= v[i].lower && v[i].lower < v[j].upper)
                live += v[j].size;
        bound = larger(bound, live);
    }
    return bound;
}

static void check(const struct interval *v, int n, int64_t align, int64_t arena)
{
    int64_t highest = 0;
    for (int i = 0; i < n; i++) {
        assert_true(v[i].offset >= 0);
        assert_int_equal(v[i].offset % align, 0);
        highest = larger(highest, v[i].offset + v[i].size);
        for (int j = 0; j < i; j++)
            if (v[i].lower < v[j].upper && v[j].lower < v[i].upper)
                assert_true(v[i].offset + v[i].size <= v[j].offset || v[j].offset + v[j].size <= v[i].offset ||
                            v[i].size == 0 || v[j].size == 0);
    }
    assert_int_equal(arena, highest);
    assert_int_equal(pack_bound(v, n), slow_bound(v, n));
    assert_true(arena >= slow_bound(v, n));
}

static void random_buffers_never_overlap(void **state)
{
    (void)state;
    static struct interval v[60], again[60];
    uint64_t seed = 1;
    for (int round = 0; round < 60; round++) {
        int n = (int)(draw(&seed) % 60);
        int64_t align = (int64_t[]){1, 16, 100}[draw(&seed) % 3];
        for (int i = 0; i < n; i++) {
            int64_t lower = (int64_t)(draw(&seed) % 40) - 20;
            v[i] = (struct interval){lower, lower + 1 + draw(&seed) % 20, draw(&seed) % 200, -1};
        }
        memcpy(again, v, sizeof v);
        int64_t arena = pack(v, n, align);
        check(v, n, align, arena);
        assert_int_equal(pack(again, n, align), arena);
        assert_memory_equal(again, v, sizeof v);
    }
}

/* A random tree of lifetimes inside [lower, upper). */
static int nest(struct interval *v, int n, int64_t lower, int64_t upper, uint64_t *seed)
{
    while (lower < upper && n < MANY) {
        int64_t end = lower + 1 + draw(seed) % (uint64_t)(upper - lower);
        v[n++] = (struct interval){lower, end, 16 * (1 + draw(seed) % 1000), 0};
        n = nest(v, n, lower + draw(seed) % 2, end - 1, seed);
        lower = end;
    }
    return n;
}

static void nested_lifetimes_reach_the_bound(void **state)
{
    (void)state;
    static struct interval v[MANY];
    for (uint64_t round = 1; round <= 20; round++) {
        uint64_t seed = round;
        int n = nest(v, 0, 0, 60, &seed);
        for (int i = n - 1; i > 0; i--) { /* the order of the rows is no help */
            int j = (int)(draw(&seed) % (uint64_t)(i + 1));
            struct interval swap = v[i];
            v[i] = v[j];
            v[j] = swap;
        }
        int64_t arena = pack(v, n, 16);
        check(v, n, 16, arena);
        assert_int_equal(arena, pack_bound(v, n));
    }
}

/* Layer i runs forward at i and backward at 2L - i: activations nest, gradients hand over from layer to layer. */
static void training_chain_reaches_the_bound(void **state)
{
    (void)state;
    static struct interval v[3 * 50];
    for (int layers = 2; layers <= 50; layers += 6) {
        int n = 0;
        for (int i = 0; i < layers; i++) {
            int64_t back = 2 * layers - i, size = 16 * (64 + (layers - i) * 37 % 50 * 8);
            v[n++] = (struct interval){i, back, size, 0};
            v[n++] = (struct interval){back - 1, back + 1, size, 0};
            v[n++] = (struct interval){back, back + 1, 256, 0};
        }
        int64_t arena = pack(v, n, 16);
        check(v, n, 16, arena);
        assert_int_equal(arena, pack_bound(v, n));
    }
}

static void refused(struct interval one, int n, int64_t align, int reason)
{
    struct interval v[2] = {one, {0, 4, INT64_MAX, 77}};
    errno = 0;
    assert_int_equal(pack(v, n, align), -1);
    assert_int_equal(errno, reason);
    assert_int_equal(v[1].offset, 77);
}

static void bad_buffers_are_refused(void **state)
{
    (void)state;
    refused((struct interval){3, 3, 1, 0}, 1, 1, EINVAL);
    refused((struct interval){3, 2, 1, 0}, 1, 1, EINVAL);
    refused((struct interval){0, 1, -1, 0}, 1, 1, EINVAL);
    refused((struct interval){0, 1, 1, 0}, 1, 0, EINVAL);
    refused((struct interval){0, 1, 1, 0}, -1, 1, EINVAL);
    refused((struct interval){3, 5, 1, 0}, 2, 1, EOVERFLOW);

    struct interval huge[2] = {{INT64_MIN, 0, INT64_MAX, 0}, {0, INT64_MAX, INT64_MAX, 0}};
    assert_int_equal(pack(huge, 2, 256), INT64_MAX);
    assert_int_equal(huge[1].offset, 0);
    assert_int_equal(pack(NULL, 0, 1), 0);
    assert_int_equal(pack_bound(NULL, 0), 0);
}

/* ---- netc --place ---- */

struct answer {
    int status;
    char *out, *err;
};

static struct answer place(const char *path, int64_t capacity)
{
    struct answer a;
    size_t nout, nerr;
    FILE *out = open_memstream(&a.out, &nout), *err = open_memstream(&a.err, &nerr);
    a.status = place_file(path, capacity, out, err);
    fclose(out);
    fclose(err);
    return a;
}

static void answer_free(struct answer a)
{
    free(a.out);
    free(a.err);
}

/* Reads what --place wrote and checks it as any other packing. */
static void check_answer(const struct answer *a)
{
    static struct interval v[MANY];
    int n = 0;
    int64_t arena = 0;
    assert_memory_equal(a->out, "id,lower,upper,size,offset\n", 27);
    for (const char *line = a->out + 27; *line; line = strchr(line, '\n') + 1, n++) {
        assert_true(n < MANY);
        struct interval *b = &v[n];
        assert_int_equal(sscanf(line, "%*[^,],%" SCNd64 ",%" SCNd64 ",%" SCNd64 ",%" SCNd64, &b->lower, &b->upper,
                                &b->size, &b->offset),
                         4);
        arena = larger(arena, b->offset + b->size);
    }
    check(v, n, 1, arena);
    char figures[80];
    snprintf(figures, sizeof figures, "arena %" PRId64 " bytes, LB %" PRId64 " bytes", arena, slow_bound(v, n));
    assert_non_null(strstr(a->err, figures));
}

/* tests/place/NAME.OPTIMUM.csv */
static void small_files_reach_their_optimum(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("tests/place/*.csv", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        int64_t optimum = strtoll(strchr(files.gl_pathv[i], '.') + 1, NULL, 10);
        struct answer a = place(files.gl_pathv[i], optimum);
        assert_int_equal(a.status, 0);
        check_answer(&a);
        answer_free(a);
        if (optimum == 0)
            continue;
        a = place(files.gl_pathv[i], optimum - 1);
        assert_int_equal(a.status, 3);
        check_answer(&a);
        answer_free(a);
    }
    globfree(&files);
}

static void rows_come_back_as_they_were(void **state)
{
    (void)state;
    struct answer a = place("tests/place/crlf.12.csv", -1);
    assert_int_equal(a.status, 0);
    assert_non_null(strstr(a.out, "\nconv1 out,-4,2,5,"));
    assert_non_null(strstr(a.out, "\n\"q\",0,3,0,0\n"));
    assert_null(strchr(a.out, '\r'));
    answer_free(a);
}

static void real_instances(void **state)
{
    (void)state;
    const char *folder = real_data("PLACEMENT", NULL);
    if (!folder)
        skip();
    char pattern[4096];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%s/*.csv", folder);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct answer a = place(files.gl_pathv[i], -1);
        assert_int_equal(a.status, 0);
        check_answer(&a);
        answer_free(a);
    }
    globfree(&files);
}

#define HEADER "id,lower,upper,size\n"

struct bad {
    const char *text;
    size_t length;
    const char *where, *expected;
};
/* clang-format off */
#define BAD(text, where, expected) { text, sizeof(text) - 1, where, expected }
/* clang-format on */

static const struct bad bad[] = {
    BAD("", ":1:1:", "header"),
    BAD("a,0,1,2\n", ":1:1:", "header"),
    BAD("id,lower,upper,size,offset\n", ":1:1:", "header"),
    BAD(HEADER "a,0,1\n", ":2:5:", "a comma"),
    BAD(HEADER "a,0,1,2,3\n", ":2:7:", "end of the line"),
    BAD(HEADER "a,0,1,2 \n", ":2:7:", "end of the line"),
    BAD(HEADER "a,0,1, 2\n", ":2:7:", "size"),
    BAD(HEADER "a,0,1,\n", ":2:7:", "size"),
    BAD(HEADER "a,x,1,2\n", ":2:3:", "lower"),
    BAD(HEADER "a,0,-,2\n", ":2:5:", "upper"),
    BAD(HEADER "a,0,1e3,2\n", ":2:5:", "upper"),
    BAD(HEADER "a,0,1,-2\n", ":2:7:", "0 bytes or more"),
    BAD(HEADER "a,1,1,2\n", ":2:5:", "greater"),
    BAD(HEADER "a,2,1,2\n", ":2:5:", "greater"),
    BAD(HEADER ",0,1,2\n", ":2:1:", "an id"),
    BAD(HEADER "\n", ":2:1:", "an id"),
    BAD(HEADER "a,0,1,2\n\n", ":3:1:", "an id"),
    BAD(HEADER "a,0,1,9223372036854775808\n", ":2:7:", "64 bits"),
    BAD(HEADER "a,0,2,9223372036854775807\nb,1,3,1\n", ":3:1:", "2^63"),
    BAD(HEADER "a,0,1,2\nb,0,1,2\na,3,4,5\n", ":4:1:", "line 2"),
    BAD(HEADER "a\0b,0,1,2\n", ":2:2:", "control"),
    BAD(HEADER "a,0,1,2\rb,0,1,2\n", ":2:8:", "line feed"),
    BAD("\177ELF\2\1\1\0", ":1:1:", "control"),
};

static void bad_files_are_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_pack.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/bad.csv", folder);
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        char lengthy[3000] = HEADER; /* the last case: a line without end */
        struct bad b = {lengthy, sizeof lengthy, ":2:1025:", "1024"};
        if (i < sizeof bad / sizeof *bad)
            b = bad[i];
        else
            memset(lengthy + strlen(HEADER), 'a', sizeof lengthy - strlen(HEADER));
        FILE *f = fopen(path, "wb");
        assert_int_equal(fwrite(b.text, 1, b.length, f), b.length);
        fclose(f);
        struct answer a = place(path, -1);
        if (a.status != 4 || !strstr(a.err, b.where) || !strstr(a.err, b.expected))
            fail_msg("case %zu: status %d, wanted %s %s, got %s", i, a.status, b.where, b.expected, a.err);
        assert_string_equal(a.out, "");
        answer_free(a);
    }
    unlink(path);
    struct answer a = place(path, -1);
    assert_int_equal(a.status, 4);
    assert_non_null(strstr(a.err, "bad.csv"));
    answer_free(a);
    a = place(folder, -1);
    assert_int_equal(a.status, 4);
    answer_free(a);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_buffers_never_overlap),
        cmocka_unit_test(nested_lifetimes_reach_the_bound),
        cmocka_unit_test(training_chain_reaches_the_bound),
        cmocka_unit_test(bad_buffers_are_refused),
        cmocka_unit_test(small_files_reach_their_optimum),
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(real_instances),
        cmocka_unit_test(bad_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
