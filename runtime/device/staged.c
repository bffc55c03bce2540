#include "staged.h"

#include "order.h"

#include <string.h>

void staged_rows(void *to, const void *from, int64_t each, const uint32_t *draws, const uint32_t control[CTL_WORDS])
{
    const struct order order = order_of(control, draws);
    for (uint32_t row = 0; from && row < control[CTL_ROWS]; row++) {
        uint32_t at = control[CTL_POSITION] + row;
        if (at >= order.count)
            break;
        memcpy((char *)to + row * each, (const char *)from + order_at(&order, at) * each, (size_t)each);
    }
}

void staged_targets(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS])
{
    staged_rows(to, data->targets, data->target_bytes, data->source ? data->source->draws : NULL, control);
}

bool staged_samples(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS], struct device_error *e)
{
    if (data->source)
        return data->source->rows(data->source, control, to, e);
    staged_rows(to, data->samples, data->sample_bytes, NULL, control);
    return true;
}
