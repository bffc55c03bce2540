/* layout.c: the table of layouts, gathered from the files layout_NAME.c, and places by them. */
#include "layout.h"
#include "plan.h"
#include "base/base.h"

#include <string.h>

#define LAYOUT(name) extern const struct layout layout_##name;
#include "layoutlist.h"
#undef LAYOUT

static const struct layout *const layouts[] = {
#define LAYOUT(name) &layout_##name,
#include "layoutlist.h"
#undef LAYOUT
    NULL};
_Static_assert(sizeof layouts / sizeof *layouts <= MOST_LAYOUTS + 1, "plans have room for MOST_LAYOUTS");

const struct layout *layout_at(int i)
{
    return layouts[i];
}

const struct layout *layout_find(const char *name)
{
    for (int i = 0; layouts[i]; i++)
        if (!strcmp(layouts[i]->name, name))
            return layouts[i];
    return NULL;
}

const char *layout_word(const struct tensor *t)
{
    return t->layout ? t->layout->name : layout_plain.name;
}

bool in_lanes(const struct tensor *t)
{
    return t->rows && t->layout && t->layout->samples == ROW_BLOCK;
}

bool row_by_row(const struct tensor *t)
{
    return t->rows && t->layout && t->layout->samples == 1;
}

int64_t row_elements(const struct tensor *t)
{
    const int64_t n = tensor_elements(t), size = dtype_bytes(t->dtype), align = t->layout->align;
    int64_t bytes;
    if (n < 0 || __builtin_mul_overflow(n, size, &bytes) || __builtin_add_overflow(bytes, align - 1, &bytes))
        return -1;
    return bytes / align * align / size;
}

int64_t row_bytes(const struct tensor *t)
{
    int64_t n = row_elements(t), bytes;
    if (n < 0 || __builtin_mul_overflow(n, dtype_bytes(t->dtype), &bytes) ||
        __builtin_add_overflow(bytes, PLACE_ALIGN - 1, &bytes))
        return -1;
    return bytes / PLACE_ALIGN * PLACE_ALIGN;
}

int64_t element_place(const struct tensor *t, int64_t row, int64_t e)
{
    const int64_t samples = t->layout->samples;
    return (row / samples * row_elements(t) + e) * samples + row % samples;
}

const char *row_place_text(struct region *r, const struct tensor *t, const char *row, const char *e)
{
    const long long samples = t->layout->samples, n = row_elements(t);
    if (samples == 1)
        return region_printf(r, "%s * %lld + %s", row, n, e);
    return region_printf(r, "(%s / %lld * %lld + %s) * %lld + %s %% %lld", row, samples, n, e, samples, row, samples);
}

const char *lane_place_text(struct region *r, const struct tensor *t, const char *block, const char *e)
{
    if (!in_lanes(t))
        return row_place_text(r, t, region_printf(r, "(%s * %d + lane)", block, ROW_BLOCK), e);
    return region_printf(r, "(%s * %lld + %s) * %d + lane", block, (long long)row_elements(t), e, ROW_BLOCK);
}
