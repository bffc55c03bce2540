/* Sounds: WAV files of every width by their definition, FLAC files as libsndfile writes them; damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/sound.h"
#include "graph/word.h"
#include "temp_files.h"

#include <math.h>
#include <sndfile.h>

enum { HEAD = 44 };

static void put_le(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

/* Format 1 is whole numbers, 3 floats. Returns the size of the file. */
static size_t wav(unsigned char *file, int format, int bits, int channels, const void *values, size_t bytes)
{
    memcpy(file, "RIFF????WAVEfmt ", 16);
    put_le(file + 4, bytes + HEAD - 8, 4);
    put_le(file + 16, 16, 4);
    put_le(file + 20, (uint64_t)format, 2);
    put_le(file + 22, (uint64_t)channels, 2);
    put_le(file + 24, 8000, 4);
    put_le(file + 28, (uint64_t)(8000 * channels * bits / 8), 4);
    put_le(file + 32, (uint64_t)(channels * bits / 8), 2);
    put_le(file + 34, (uint64_t)bits, 2);
    memcpy(file + 36, "data", 4);
    put_le(file + 40, bytes, 4);
    memcpy(file + HEAD, values, bytes);
    return HEAD + bytes;
}

/* From room of exactly that size, so that reading beyond is seen. */
static struct pixels read_bytes(const unsigned char *bytes, size_t size, struct data_error *error)
{
    struct pixels p;
    struct image_source source = {.path = "it.wav", .bytes = malloc(size + 1), .size = size};
    memcpy(source.bytes, bytes, size);
    source.bytes[size] = 0;
    *error = (struct data_error){""};
    if (!sound_read(&source, NULL, NULL, &p, error)) {
        assert_null(p.at);
        assert_contains(error->text, "it.wav: ");
    }
    free(source.bytes);
    return p;
}

static void test_values(void **state)
{
    static const struct {
        int format, bits;
        unsigned char bytes[16];
        float value[4];
    } cases[] = {
        {1, 8, {0, 64, 128, 255}, {-1, -0.5f, 0, 127.0f / 128}},
        {1, 16, {0, 128, 1, 0, 255, 127, 0, 192}, {-1, 1.0f / 32768, 32767.0f / 32768, -0.5f}},
        {1, 24, {0, 0, 128, 0, 0, 64, 0, 0, 0, 0, 0, 224}, {-1, 0.5f, 0, -0.25f}},
        {1, 32, {0, 0, 0, 128, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 224}, {-1, 0.5f, 0, -0.25f}},
        {3, 32, {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0x41, 0, 0, 0, 0, 0, 0, 0, 0xbf}, {1, 10, 0, -0.5f}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int channels = 1; channels <= 2; channels++) {
            unsigned char file[HEAD + 16];
            struct data_error error;
            size_t size =
                wav(file, cases[i].format, cases[i].bits, channels, cases[i].bytes, (size_t)cases[i].bits / 2);
            struct pixels p = read_bytes(file, size, &error);
            if (!p.at)
                fail_msg("%d bits: %s", cases[i].bits, error.text);
            assert_true(p.sound && p.rate == 8000 && p.channels == channels && p.height == 1 &&
                        p.width == 4 / channels);
            float plane[4];
            pixels_to_planes(&p, plane);
            for (int k = 0; k < 4; k++)
                if (plane[k % channels * (4 / channels) + k / channels] != cases[i].value[k])
                    fail_msg("%d bits: value %d is %g", cases[i].bits, k, (double)plane[k]);
            free(p.at);
        }
}

static void test_not_finite(void **state)
{
    const float value[3] = {0, 1, NAN};
    unsigned char file[HEAD + sizeof value];
    struct data_error error;
    (void)state;
    wav(file, 3, 32, 1, value, sizeof value);
    read_bytes(file, sizeof file, &error);
    assert_string_equal(error.text, "it.wav: value 2 is not finite");
}

/* A file of each kind, with sound in it. */
static unsigned char *written(struct temp *temp, int format, size_t *size)
{
    float value[500];
    SF_INFO info = {.samplerate = 8000, .channels = 1, .format = format | SF_FORMAT_PCM_16};
    for (int i = 0; i < 500; i++)
        value[i] = (float)(i * 7919 % 500) / 1000;
    SNDFILE *file = sf_open(temp_path(temp, "it"), SFM_WRITE, &info);
    assert_true(file && sf_writef_float(file, value, 500) == 500);
    sf_close(file);
    return temp_read(temp->path, size);
}

static const int formats[] = {SF_FORMAT_WAV, SF_FORMAT_FLAC};

static void test_cut(void **state)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t size;
        struct data_error error;
        unsigned char *bytes = written(*state, formats[i], &size);
        struct pixels whole = read_bytes(bytes, size, &error);
        assert_non_null(whole.at);
        free(whole.at);
        for (size_t n = 0; n < size; n++)
            if (read_bytes(bytes, n, &error).at)
                fail_msg("format %zu: %zu of %zu bytes will do", i, n, size);
        free(bytes);
    }
}

/* Of FLAC's STREAMINFO, whose last four bytes of the count of values are at 22: more than memory is given for. */
static void test_too_long(void **state)
{
    size_t size;
    struct data_error error;
    unsigned char *bytes = written(*state, SF_FORMAT_FLAC, &size);
    memcpy(bytes + 22, "\x05\0\0\0", 4);
    read_bytes(bytes, size, &error);
    assert_string_equal(error.text,
                        "it.wav: 83886080 values in each of 1 channels; expected at least one, and at most 2^26");
    free(bytes);
}

/* Any byte may be any other: a sound comes of it, or a message. */
static void test_changed(void **state)
{
    uint32_t x = 1;
    for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
        size_t size;
        struct data_error error;
        unsigned char *bytes = written(*state, formats[k], &size);
        for (int i = 0; i < 3000; i++) {
            x = x * 1664525u + 1013904223u;
            unsigned char *at = &bytes[(x >> 8) % (i % 2 ? size : 100)], kept = *at;
            *at = (unsigned char)(x >> 3);
            struct pixels p = read_bytes(bytes, size, &error);
            assert_true(p.at || *error.text);
            free(p.at);
            *at = kept;
        }
        free(bytes);
    }
}

/* ---- transforms ---- */

static void made(double crop, double pad, const char *wanted)
{
    struct picture_step step[] = {{word_find(WORD_TRANSFORM, "Crop"), {crop}},
                                  {word_find(WORD_TRANSFORM, "Pad"), {pad}}};
    const float value[10] = {1, -1, 2, -2, 3, -3, 4, -4, 5, -5};
    struct pixels p = {.height = 1, .width = 5, .channels = 2, .sound = true, .at = malloc(sizeof value)}, size = p;
    char text[80] = "";
    memcpy(p.at, value, sizeof value);
    assert_null(picture_sized(step, 2, &size));
    assert_true(picture_made(step, 2, &p));
    assert_true(p.width == size.width && p.channels == 2);
    for (int64_t i = 0; i < 2 * p.width; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %g", (double)((float *)(void *)p.at)[i]);
    assert_string_equal(text, wanted);
    free(p.at);
}

static void test_transforms(void **state)
{
    (void)state;
    made(3, 3, " 2 -2 3 -3 4 -4");
    made(2, 3, " 2 -2 3 -3 0 0");
    made(9, 7, " 1 -1 2 -2 3 -3 4 -4 5 -5 0 0 0 0");
    made(1, 1, " 3 -3");
    struct picture_step step[] = {{word_find(WORD_TRANSFORM, "Crop"), {8}}, {word_find(WORD_TRANSFORM, "Pad"), {7}}};
    struct pixels p = {.sound = true};
    assert_string_equal(picture_sized(step, 2, &p), "is longer than Pad leaves: put Crop before it");
    p = (struct pixels){.width = 6, .channels = 1, .sound = true};
    assert_null(picture_sized(step, 2, &p));
    assert_int_equal(p.width, 7);
    p = (struct pixels){.height = 6, .width = 6, .channels = 1};
    assert_string_equal(picture_sized(step, 1, &p),
                        "its transforms are for sounds: pictures have `Resize` and `CenterCrop`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test_setup_teardown(test_cut, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_too_long, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_changed, temp_open, temp_close),
        cmocka_unit_test(test_transforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
