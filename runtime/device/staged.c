#include "staged.h"

#include "order.h"

#include <string.h>

void staged_rows(void *to, const void *from, int64_t each, const uint32_t control[CTL_WORDS])
{
    const struct order order = order_of(control);
    for (uint32_t row = 0; from && row < control[CTL_ROWS]; row++) {
        uint32_t at = control[CTL_POSITION] + row;
        if (at >= order.count)
            break;
        memcpy((char *)to + row * each, (const char *)from + order_at(&order, at) * each, (size_t)each);
    }
}

bool staged_samples(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS], struct device_error *e)
{
    if (data->source)
        return data->source->rows(data->source, control, to, e);
    staged_rows(to, data->samples, data->sample_bytes, control);
    return true;
}
