/* sounds.c: transforms that give sounds the length of the network's input, once, when they are read. */
#include "graph/word.h"

#include <string.h>

/* ---- Crop: the middle of what is longer; what is shorter stays, for Pad ---- */

static const char *cropped(const double *num, struct pixels *p)
{
    const int64_t n = (int64_t)num[0];
    p->width = p->width > 0 && p->width < n ? p->width : n;
    return NULL;
}

static bool crop(const double *num, const struct pixels *from, struct pixels *to)
{
    (void)num;
    const size_t value = (size_t)from->channels * sizeof(float);
    memcpy(to->at, from->at + (size_t)((from->width - to->width) / 2) * value, (size_t)to->width * value);
    return true;
}

/* ---- Pad: zeros behind the end ---- */

static const char *padded(const double *num, struct pixels *p)
{
    const int64_t n = (int64_t)num[0];
    if (p->width > n)
        return "is longer than Pad leaves: put Crop before it";
    p->width = n;
    return n * (p->channels ? p->channels : 1) <= PIXELS_MOST ? NULL : "has too many channels for Pad";
}

static bool pad(const double *num, const struct pixels *from, struct pixels *to)
{
    (void)num;
    memset(to->at, 0, pixels_bytes(to));
    memcpy(to->at, from->at, pixels_bytes(from));
    return true;
}

/* clang-format off */
#define LENGTH {.name = "length", .help = "values of a channel", .type = ARG_INT, .required = true, .min = 1, .max = PIXELS_MOST}
static const struct word word[] = {
    {.kind = WORD_TRANSFORM, .name = "Crop", .doc = "the middle of longer sounds", .sound = true, .sized = cropped, .picture = crop,
     .arg = {LENGTH}},
    {.kind = WORD_TRANSFORM, .name = "Pad", .doc = "zeros behind shorter sounds", .sound = true, .sized = padded, .picture = pad,
     .arg = {LENGTH}},
};
/* clang-format on */

const struct module module_sounds = {NULL, 0, word, COUNT(word)};
