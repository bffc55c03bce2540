/* Confusion: counts of a few samples by hand, of many by the definitions; the text in 80 columns, the event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/image.h"
#include "temp_files.h"
#include "tell/confusion.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-12)

/* Class 2 is never predicted, once because its logits were not finite; class 3 is nowhere. */
static const int32_t truth[] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2}, predicted[] = {0, 0, 1, 1, 1, 0, 1, 0, 0, -1};
static const char *const names[] = {"zero", "\xc3\xa9ins", "a name that is too long to be shown"};

static struct confusion by_hand(void)
{
    struct confusion c = {.n = 10, .classes = 4, .truth = truth, .predicted = predicted, .name = names, .names = 3};
    assert_true(confusion_count(&c));
    return c;
}

static void test_by_hand(void **state)
{
    (void)state;
    struct confusion c = by_hand();
    double precision, recall, f1;
    const struct class_count *k = c.count;
    assert_true(k[0].samples == 3 && k[0].predicted == 5 && k[0].right == 2);
    assert_near(class_precision(&k[0]), 2 / 5.);
    assert_near(class_recall(&k[0]), 2 / 3.);
    assert_near(class_f1(&k[0]), 2 * (2 / 5. * 2 / 3.) / (2 / 5. + 2 / 3.));
    assert_near(class_f1(&k[1]), 3 / 4.);
    assert_true(isnan(class_precision(&k[2])) && class_recall(&k[2]) == 0 && class_f1(&k[2]) == 0);
    assert_true(isnan(class_precision(&k[3])) && isnan(class_recall(&k[3])) && isnan(class_f1(&k[3])));
    assert_int_equal(c.lost, 1);
    assert_int_equal(c.pairs, 4);
    static const struct class_pair expected[] = {{2, 0, 2}, {0, 1, 1}, {1, 0, 1}, {2, -1, 1}};
    for (int i = 0; i < 4; i++)
        assert_true(c.pair[i].truth == expected[i].truth && c.pair[i].predicted == expected[i].predicted &&
                    c.pair[i].n == expected[i].n);
    /* scikit-learn 1.9: classification_report(truth, predicted, labels=[0, 1, 2], zero_division=0)["macro avg"] */
    confusion_means(&c, &precision, &recall, &f1);
    assert_near(precision, 0.3833333333333333);
    assert_near(recall, 0.4722222222222222);
    assert_near(f1, 0.4166666666666667);
    confusion_free(&c);
}

/* White, blue and red in the middle of cells; what is said of sides and gaps is sheet.h's. Names make no cell wider than 72. */
static void test_picture(void **state)
{
    enum { FIRST = 3, SIDE = 72, GAP = 4, LEFT = GAP + 23 * 6 + GAP, TOP = 2 * GAP + 10, LINES = 1 + 10 + GAP };
    static const int rgb[FIRST][FIRST] = {{-1, -1, 0xffffff}, {-1, -1, 0xffffff}, {0xb2261f, 0xffffff, 0xffffff}};
    struct temp *temp = *state;
    static const int32_t is[] = {0, 0, 1, 1, 2, 2}, said[] = {0, 1, 0, 1, 0, 0};
    struct confusion c = {.n = 6, .classes = 4, .truth = is, .predicted = said, .name = names, .names = 3};
    struct picture p;
    struct data_error e;
    struct image_seen seen;
    assert_true(confusion_count(&c) && confusion_draw(&c, &p, &e));
    assert_int_equal(p.width, LEFT + 4 * (SIDE + GAP));
    unsigned char *pixel = calloc(3, (size_t)(p.height * p.width));
    temp_write(temp, "matrix.png", p.png, p.bytes);
    assert_true(image_read(temp->path, NULL, 0, 3, p.height, p.width, DATA_U8, pixel, &seen, &e));
    for (int64_t row = 0; row < FIRST; row++)
        for (int64_t column = 0; column < FIRST; column++) {
            const int64_t area = p.height * p.width, y = TOP + (row + 1) * (SIDE + LINES + GAP) + SIDE / 2,
                          at = y * p.width + LEFT + column * (SIDE + GAP) + SIDE / 2;
            const int red = pixel[at], green = pixel[area + at], blue = pixel[2 * area + at];
            if (rgb[row][column] >= 0)
                assert_int_equal(red << 16 | green << 8 | blue, rgb[row][column]);
            else /* half of the row */
                assert_true(row == column ? blue > green && green > red : red > green && red > blue);
        }
    free(pixel);
    picture_free(&p);
    confusion_free(&c);
    c.classes = 101;
    assert_false(confusion_draw(&c, &p, &e));
}

/* A walk over all cells, for each class. */
static void test_by_definition(void **state)
{
    (void)state;
    enum { N = 700, CLASSES = 9 };
    int32_t is[N], said[N];
    int64_t cell[CLASSES][CLASSES] = {{0}}, wrong = 0, listed = 0;
    uint32_t random = 1;
    for (int i = 0; i < N; i++) {
        is[i] = (int32_t)((random = random * 1664525 + 1013904223) >> 16) % CLASSES;
        said[i] = (random >> 10) % 3 ? is[i] : (int32_t)((random >> 20) % CLASSES);
        cell[is[i]][said[i]]++;
        wrong += is[i] != said[i];
    }
    struct confusion c = {.n = N, .classes = CLASSES, .truth = is, .predicted = said};
    assert_true(confusion_count(&c));
    for (int k = 0; k < CLASSES; k++) {
        double row = 0, column = 0, p = class_precision(&c.count[k]), r = class_recall(&c.count[k]);
        for (int i = 0; i < CLASSES; i++) {
            row += (double)cell[k][i];
            column += (double)cell[i][k];
        }
        assert_near(p, (double)cell[k][k] / column);
        assert_near(r, (double)cell[k][k] / row);
        assert_near(class_f1(&c.count[k]), 2 / (1 / p + 1 / r));
    }
    for (int64_t i = 0; i < c.pairs; i++) {
        assert_int_equal(c.pair[i].n, cell[c.pair[i].truth][c.pair[i].predicted]);
        assert_true(i == 0 || c.pair[i - 1].n >= c.pair[i].n);
        listed += c.pair[i].n;
    }
    assert_int_equal(listed, wrong);
    confusion_free(&c);
}

static char *text_of(const struct confusion *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    confusion_say(c, out);
    fclose(out);
    return text;
}

static void test_text(void **state)
{
    (void)state;
    struct confusion c = by_hand();
    char *text = text_of(&c);
    assert_string_equal(text, "\n"
                              "                   predicted\n"
                              "true               0 1 2 3\n"
                              "0 zero             2 1 . .\n"
                              "1 \xc3\xa9ins             1 3 . .\n"
                              "2 a name that is t 2 . . .\n"
                              "3                  . . . .\n"
                              "\n"
                              "class               precision     recall         F1   samples\n"
                              "0 zero                40.00 %    66.67 %    50.00 %         3\n"
                              "1 \xc3\xa9ins                75.00 %    75.00 %    75.00 %         4\n"
                              "2 a name that is t          -     0.00 %     0.00 %         3\n"
                              "3                           -          -          -         0\n"
                              "mean                  38.33 %    47.22 %    41.67 %        10\n"
                              "\n"
                              "most confused\n"
                              "true                predicted            times    of true\n"
                              "2 a name that is t  0 zero                   2    66.67 %\n"
                              "0 zero              1 \xc3\xa9ins                   1    33.33 %\n"
                              "1 \xc3\xa9ins              0 zero                   1    25.00 %\n"
                              "2 a name that is t  none                     1    33.33 %\n"
                              "\n"
                              "1 of 10 have no class: their logits are not finite\n");
    free(text);
    confusion_free(&c);
}

/* Class k is taken for the next k % 7 times of 8: no matrix, the ten worst classes, ten pairs. */
static void test_many_classes(void **state)
{
    (void)state;
    enum { CLASSES = 300, EACH = 8, N = CLASSES * EACH };
    static int32_t is[N], said[N];
    for (int i = 0; i < N; i++) {
        is[i] = i / EACH;
        said[i] = (is[i] + (i % EACH < is[i] % 7)) % CLASSES;
    }
    struct confusion c = {.n = N, .classes = CLASSES, .truth = is, .predicted = said};
    assert_true(confusion_count(&c));
    char *text = text_of(&c);
    int lines = 0;
    for (char *line = text; *line; lines++) {
        size_t length = strcspn(line, "\n");
        assert_true(length <= 80);
        line += length + 1;
    }
    assert_int_equal(lines, 1 + 1 + 10 + 1 + 1 + 1 + 1 + 10);
    assert_non_null(strstr(text, "lowest F1 of 300\n6  "));
    assert_non_null(strstr(text, "\n6      7               6    75.00 %\n"));
    free(text);
    confusion_free(&c);
}

static void test_event(void **state)
{
    (void)state;
    struct confusion c = by_hand();
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const struct event e = {
        .kind = EVENT_EVALUATION, .weights = "w", .evaluation = {.result = {.loss = 1, .n = 10}, .confusion = &c}};
    assert_true(event_write(&e, out));
    fclose(out);
    json_t *event = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *told = json_object_get(event, "confusion");
    json_t *k = json_object_get(told, "classes"), *pair = json_object_get(told, "pairs");
    assert_int_equal(json_array_size(k), 4);
    assert_string_equal(json_string_value(json_object_get(json_array_get(k, 1), "name")), names[1]);
    assert_null(json_object_get(json_array_get(k, 3), "name"));
    assert_near(json_real_value(json_object_get(json_array_get(k, 0), "precision")), 0.4);
    assert_true(json_is_null(json_object_get(json_array_get(k, 2), "precision")));
    json_t *row = json_array_get(json_object_get(told, "matrix"), 2);
    assert_int_equal(json_integer_value(json_array_get(row, 0)), 2);
    assert_int_equal(json_integer_value(json_array_get(row, 2)), 0);
    assert_int_equal(json_integer_value(json_object_get(told, "no_class")), 1);
    assert_int_equal(json_array_size(pair), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(pair, 0), "n")), 2);
    assert_null(json_object_get(json_array_get(pair, 3), "predicted"));
    json_decref(event);
    free(text);
    confusion_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_by_definition),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_many_classes),
        cmocka_unit_test(test_event),   cmocka_unit_test_setup_teardown(test_picture, temp_open, temp_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
