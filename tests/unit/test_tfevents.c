/* TensorBoard's event files: the bytes that its own writer makes of the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tell/histogram.h"
#include "tell/tfevents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3720, appendix B.4. */
static void test_checksum(void **state)
{
    (void)state;
    unsigned char bytes[32] = {0};
    assert_int_equal(crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(crc32c(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(bytes, 32), 0x46dd794e);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
}

/* Small and large, of both signs, zeros and what is no number. */
static void make_values(float value[1000])
{
    for (int i = 0; i < 1000; i++) {
        const int apart = i * 37 % 1000 - 400;
        value[i] = (float)apart * (float)apart * (float)apart * 0x1p-30F;
    }
    value[7] = -0.0F;
    value[11] = 1e-30F;
    value[13] = NAN;
    value[17] = -INFINITY;
}

static void tell_values(struct tfevents *t, const char *tag, const char *about, const float *value, size_t n)
{
    static struct histogram_limits limits;
    double limit[HISTOGRAM_SHOWN], count[HISTOGRAM_SHOWN];
    struct histogram h = {0};
    histogram_limits_make(&limits);
    histogram_add(&h, &limits, value, n / 3); /* in parts */
    histogram_add(&h, &limits, value + n / 3, n - n / 3);
    const size_t bins = histogram_show(&h, &limits, limit, count);
    assert_true(bins <= HISTOGRAM_SHOWN);
    tfevents_histogram(t, tag, about,
                       &(struct tfevents_histogram){h.min, h.max, h.n, h.sum, h.squares, bins, limit, count});
}

static bool tell_step(struct tfevents *t)
{
    static unsigned char png[2000];
    float value[1000];
    for (size_t i = 0; i < sizeof png; i++)
        png[i] = (unsigned char)(i % 251);
    make_values(value);
    tfevents_begin(t, 1700000002.5, 938);
    tfevents_scalar(t, "loss/train", 0.125);
    tfevents_scalar(t, "loss/test", NAN);
    tell_values(t, "weights/fc1.weight", "All *1000* of them.", value, 1000);
    tell_values(t, "weights/fc1.bias", NULL, (const float[]){0, 0, 0}, 3);
    tell_values(t, "updates/fc1.bias", NULL, (const float[]){-2e-5F, -1, 3e30F}, 3);
    tfevents_image(t, "data", "What is seen.", &(struct tfevents_image){28, 300, 1, png, sizeof png});
    return tfevents_end(t);
}

static bool tell_graph(struct tfevents *t)
{
    static const int64_t image[] = {-1, 1, 28, 28}, logits[] = {-1, 10};
    static const char *const input[] = {"image"};
    static const struct tfevents_attribute about[] = {{.name = "layer", .text = "Linear"},
                                                      {.name = "line", .number = 7}};
    const struct tfevents_node node[] = {
        {.name = "image", .op = "input", .rank = 4, .dim = image},
        {"block/fc1", "Linear", 1, 2, 2, input, logits, about},
    };
    return tfevents_graph(t, 1700000001.5, node, 2);
}

/* tests/oracle/tfevents.py made the file. */
static void test_bytes(void **state)
{
    (void)state;
    static const struct tfevents_hparam hparam[] = {{.name = "lr", .number = 0.001},
                                                    {.name = "optimizer", .text = "Adam"}};
    const char *const metric[] = {"accuracy/test"};
    struct tfevents t = {0};
    char *bytes;
    size_t size, wanted;
    FILE *to = open_memstream(&bytes, &size);
    assert_true(tfevents_start(&t, to, 1700000000.25));
    assert_true(tfevents_hparams(&t, 1700000001, "mlp-1", hparam, 2, metric, 1));
    assert_true(tfevents_session(&t, 1700000001, 469));
    assert_true(tell_graph(&t));
    assert_true(tell_step(&t));
    assert_true(tfevents_hparams_end(&t, 1700000003, true));
    proto_free(&t.event);
    assert_int_equal(fclose(to), 0);

    static char expected[1 << 16];
    FILE *from = fopen("tests/expect/tfevents.bin", "rb");
    assert_non_null(from);
    wanted = fread(expected, 1, sizeof expected, from);
    fclose(from);
    assert_int_equal(size, wanted);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

static void test_lost(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "wb");
    if (!full)
        skip();
    struct tfevents t = {0};
    assert_false(tfevents_start(&t, full, 1));
    proto_free(&t.event);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
