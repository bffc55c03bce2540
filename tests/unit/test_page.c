/* Pages: what is escaped, what a picture decodes to, where curves lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/image.h"
#include "report/page.h"
#include "base/plot_svg.h"
#include "temp_files.h"

#include <math.h>

static char *written; /* of the last stream */
static size_t size;

static FILE *begin(void)
{
    free(written);
    written = NULL;
    return open_memstream(&written, &size);
}

static const char *text_of(const char *text)
{
    FILE *out = begin();
    markup_text(text, out);
    fclose(out);
    return written;
}

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(text_of("<b>&\"x\"</b> it's"), "&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt; it&#39;s");
    assert_string_equal(text_of("a\nb\tc\r\x1b[0m\x7f"), "a\nb\tc  [0m ");
    assert_string_equal(text_of("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82"), "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82");
    /* No UTF-8: a part of a character, an overlong <, a surrogate, a byte that never is there. */
    assert_string_equal(text_of("\xc3<"), "\xef\xbf\xbd&lt;");
    assert_string_equal(text_of("\xc0\xbc"), "\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(text_of("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(text_of("\xf5\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(text_of(NULL), "");
}

/* RFC 4648, section 10. */
static void test_base64(void **state)
{
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        FILE *out = begin();
        page_base64((const unsigned char *)plain[i], strlen(plain[i]), out);
        fclose(out);
        assert_string_equal(written ? written : "", coded[i]);
    }
}

static size_t decoded(const char *text, unsigned char *to)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = 0, bits = 0;
    size_t n = 0;
    for (const char *at; *text != '"' && *text != '='; text++) {
        assert_non_null(at = strchr(digit, *text));
        word = word << 6 | (uint32_t)(at - digit);
        if ((bits += 6) >= 8)
            to[n++] = (unsigned char)(word >> (bits -= 8));
    }
    return n;
}

/* What stands in the page is the image, and the reader of PNG says so. */
static void test_picture(void **state)
{
    const unsigned char image[] = {0, 255, 100, 200};
    const struct sheet_cell cell = {.image = image};
    const struct sheet s = {.type = DATA_U8,
                            .channels = 1,
                            .height = 2,
                            .width = 2,
                            .cells = 1,
                            .columns = 1,
                            .cell = &cell,
                            .scale = 1,
                            .text = 1};
    struct picture p;
    struct data_error e;
    struct temp *temp = *state;
    unsigned char pixel[3 * 100], png[2000];
    struct image_seen seen;
    assert_true(sheet_draw(&s, &p, &e));
    FILE *out = begin();
    page_picture(&p, "one <image>", "two & two", out);
    fclose(out);
    assert_non_null(strstr(written, "alt=\"one &lt;image&gt;\""));
    assert_non_null(strstr(written, "<figcaption>two &amp; two</figcaption>"));
    const char *data = strstr(written, "src=\"data:image/png;base64,");
    assert_non_null(data);
    size_t n = decoded(data + strlen("src=\"data:image/png;base64,"), png);
    assert_int_equal(n, p.bytes);
    temp_write(temp, "page.png", png, n);
    assert_true(p.height * p.width <= 100);
    assert_true(image_read(temp->path, NULL, 0, 3, p.height, p.width, DATA_U8, pixel, &seen, &e));
    const int64_t at = 4 * p.width + 4; /* behind a gap of 4 */
    assert_int_equal(pixel[at], 0);
    assert_int_equal(pixel[at + 1], 255);
    assert_int_equal(pixel[at + p.width], 100);
    assert_int_equal(pixel[at + p.width + 1], 200);
    picture_free(&p);
}

/* The points of the path behind `class`. */
static int points(const char *class, double x[], double y[], char verb[])
{
    const char *path = strstr(written, class), *at = path ? strstr(path, " d=\"") : NULL;
    int n = 0, used = 0;
    assert_non_null(at);
    for (at += 4; sscanf(at, "%c%lf %lf%n", &verb[n], &x[n], &y[n], &used) == 3; at += used)
        n++;
    return n;
}

static void draw(const double *y, size_t n, bool logarithmic)
{
    double x[1000];
    for (size_t i = 0; i < n; i++)
        x[i] = (double)i + 1;
    const struct plot_line line = {.label = "a<b", .tint = 2, .n = n, .x = x, .y = y, .dots = true};
    const struct plot p = {
        .title = "T", .x = "step", .y = "loss", .logarithmic = logarithmic, .lines = 1, .line = &line};
    FILE *out = begin();
    plot_svg(&p, out);
    fclose(out);
}

static void test_curve(void **state)
{
    double x[1000], y[1000];
    char verb[1000];
    (void)state;
    draw((const double[]){1, 2, NAN, 2, 3}, 5, false);
    assert_int_equal(points("class=\"curve t2\" d", x, y, verb), 4);
    assert_memory_equal(verb, "MLML", 4); /* a gap */
    assert_true(fabs((x[1] - x[0]) * 2 - (x[2] - x[1])) < 0.2 && y[1] == y[2]);
    assert_true(fabs((y[0] - y[1]) - (y[2] - y[3])) < 0.2 && y[0] > y[1]);
    assert_non_null(strstr(written, "a&lt;b: 3 at step 5"));
    /* Decades are as far from each other; what has no logarithm is a gap. */
    draw((const double[]){1, 10, 100, 0, 1000}, 5, true);
    assert_int_equal(points("class=\"curve t2\" d", x, y, verb), 4);
    assert_memory_equal(verb, "MLLM", 4);
    assert_true(fabs((y[0] - y[1]) - (y[1] - y[2])) < 0.2 && fabs((y[0] - y[1]) - (y[2] - y[3])) < 0.2);
    assert_non_null(strstr(written, ">100</text>"));
    draw((const double[]){NAN, INFINITY}, 2, false);
    assert_non_null(strstr(written, "no number that can be drawn"));
}

/* More points than can be seen are means of them. */
static void test_many(void **state)
{
    double value[1000], x[1000], y[1000];
    char verb[1000];
    (void)state;
    for (int i = 0; i < 1000; i++)
        value[i] = i % 2;
    draw(value, 1000, false);
    assert_int_equal(points("class=\"curve t2\" d", x, y, verb), 500);
    assert_true(y[0] == y[1] && y[0] == y[499]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_base64),
        cmocka_unit_test_setup_teardown(test_picture, temp_open, temp_close),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_many),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(written);
    return failed;
}
