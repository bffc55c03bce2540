/* TensorBoard's event files: the bytes that its own writer makes of the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

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

static bool tell_step(struct tfevents *t)
{
    static unsigned char png[2000];
    double limit[33], count[33];
    for (size_t i = 0; i < sizeof png; i++)
        png[i] = (unsigned char)(i % 251);
    for (int i = 0; i < 33; i++) {
        limit[i] = -1 + i / 16.0;
        count[i] = 2;
    }
    tfevents_begin(t, 1700000002.5, 938);
    tfevents_scalar(t, "loss/train", 0.125);
    tfevents_scalar(t, "loss/test", NAN);
    tfevents_histogram(t, "weights/fc1.weight", &(struct tfevents_histogram){-1, 1, 66, 0.5, 2.25, 33, limit, count});
    tfevents_image(t, "data", 28, 300, 1, png, sizeof png);
    return tfevents_end(t);
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
