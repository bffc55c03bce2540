/* WAV and FLAC, as --predict reads them. */
#include "fuzz.h"

#include "data/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static float out[256];
    static struct picture_step step[2];
    char path[64];
    struct data_error error;
    struct image_seen seen;
    step[0] = (struct picture_step){word_find(WORD_TRANSFORM, "Crop"), {256}};
    step[1] = (struct picture_step){word_find(WORD_TRANSFORM, "Pad"), {256}};
    snprintf(path, sizeof path, "%s/%s", FUZZ_FOLDER, fuzz_file(bytes, size));
    image_read(path, step, 2, 1, 1, 256, DATA_F32, out, &seen, &error);
    return 0;
}
