#include "staged.h"

#include "base/philox.h"

#include <string.h>

void staged_rows(void *to, const void *from, int64_t each, const uint32_t control[CTL_WORDS])
{
    uint32_t keys[SHUFFLE_ROUNDS], n = control[CTL_COUNT_SAMPLES];
    shuffle_keys(&control[CTL_SEED0], control[CTL_EPOCH], keys);
    for (uint32_t row = 0; from && row < control[CTL_ROWS]; row++) {
        uint32_t at = control[CTL_POSITION] + row;
        if (at >= n)
            break;
        int64_t sample = control[CTL_SHUFFLE] ? shuffle_at(at, n, keys) : at;
        memcpy((char *)to + row * each, (const char *)from + sample * each, (size_t)each);
    }
}

bool staged_samples(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS], struct device_error *e)
{
    if (data->source)
        return data->source->rows(data->source, control, to, e);
    staged_rows(to, data->samples, data->sample_bytes, control);
    return true;
}
