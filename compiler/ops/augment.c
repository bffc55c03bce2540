/* augment.c: what training makes of its samples before it sees them: words whose formulas stand in base/augment.h. */
#include "graph/word.h"

/* Each by its kind: what its functions' names begin with. */
#define PLACE(f)                                                                                                       \
    &(const struct augmentation)                                                                                       \
    {                                                                                                                  \
        .text = #f, .draw = f##_draw, .place = f##_place                                                               \
    }
#define TAPS(f)                                                                                                        \
    &(const struct augmentation)                                                                                       \
    {                                                                                                                  \
        .text = #f, .draw = f##_draw, .taps = f##_taps                                                                 \
    }
#define COLOUR(f, by)                                                                                                  \
    &(const struct augmentation)                                                                                       \
    {                                                                                                                  \
        .text = #f, .draw = f##_draw, .colour = f##_colour, .before = f##_before, .mean = (by)                         \
    }
#define MIX(f)                                                                                                         \
    &(const struct augmentation)                                                                                       \
    {                                                                                                                  \
        .text = #f, .draw = f##_draw, .mix = f##_mix                                                                   \
    }
#define VALUE(f)                                                                                                       \
    &(const struct augmentation)                                                                                       \
    {                                                                                                                  \
        .text = #f, .draw = f##_draw, .value = f##_value                                                               \
    }

/* torchvision's first argument is the size; here that is the input's. */
static const char *crop_fits(const double (*arg)[2], int channels, int height, int width)
{
    (void)channels;
    return arg[0][0] >= height || arg[0][1] >= width
               ? "pads by a whole side of the picture and more: `pad` is what is added, the size is the input's"
               : NULL;
}

static const char *cutout_fits(const double (*arg)[2], int channels, int height, int width)
{
    (void)channels;
    return arg[0][0] >= 2 * height && arg[0][0] >= 2 * width ? "leaves nothing of any picture" : NULL;
}

static const char *erase_fits(const double (*arg)[2], int channels, int height, int width)
{
    (void)channels, (void)height, (void)width;
    return arg[1][0] > arg[1][1] || arg[2][0] > arg[2][1] ? "has a least `scale` or `ratio` above the most" : NULL;
}

static const char *resized_fits(const double (*arg)[2], int channels, int height, int width)
{
    (void)channels, (void)height, (void)width;
    return arg[0][0] > arg[0][1] || arg[1][0] > arg[1][1] ? "has a least `scale` or `ratio` above the most" : NULL;
}

static const char *colours_fit(const double (*arg)[2], int channels, int height, int width)
{
    (void)height, (void)width;
    return channels != 1 && channels != 3 ? "is for pictures of 1 or 3 channels"
           : channels == 1 && (arg[2][0] > 0 || arg[3][0] > 0)
               ? "changes `saturation` or `hue`, which grey pictures have not"
               : NULL;
}

/* clang-format off */
#define SIDE .type = ARG_PAIR, .required = true, .min = 0, .max = 65535
#define SHARE .type = ARG_NUMBER, .min = 0, .max = 1
#define CHANCE {.name = "p", .help = "share of the samples", .otherwise = 0.5, SHARE}
#define ALWAYS {.name = "p", .help = "share of the samples", .otherwise = 1, SHARE}
#define ALPHA {.name = "alpha", .help = "of Beta(alpha, alpha), which the shares are drawn from", .type = ARG_NUMBER, .otherwise = 1, .min = 0.01, .max = 4}
#define FILL {.name = "fill", .help = "0 black, 1 white", SHARE}

static const struct word word[] = {
    {.kind = WORD_AUGMENT, .name = "RandomCrop", .doc = "from a picture with more around it", .augment = PLACE(random_crop), .fits = crop_fits,
     .arg = {{.name = "pad", .help = "pixels around it", SIDE},
             {.name = "reflect", .help = "itself mirrored, not black", .type = ARG_BOOL}}},
    {.kind = WORD_AUGMENT, .name = "RandomFlip", .doc = "left and right", .augment = PLACE(random_flip),
     .arg = {CHANCE, {.name = "vertical", .help = "top and bottom instead", .type = ARG_BOOL}}},
    {.kind = WORD_AUGMENT, .name = "RandomShift", .doc = "by whole pixels, black comes in", .augment = PLACE(random_shift),
     .arg = {{.name = "height", .help = "share of it, at most", .otherwise = 0.1, SHARE},
             {.name = "width", .help = "share of it, at most", .otherwise = 0.1, SHARE}}},
    {.kind = WORD_AUGMENT, .name = "RandomRotate", .doc = "around the middle, bilinear, black comes in", .augment = TAPS(random_rotate),
     .arg = {{.name = "degrees", .help = "either way, at most", .type = ARG_NUMBER, .required = true, .min = 0, .max = 360}}},
    {.kind = WORD_AUGMENT, .name = "RandomResizedCrop", .doc = "a part, bilinear, in the picture's size", .augment = TAPS(random_resized_crop), .fits = resized_fits,
     .arg = {{.name = "scale", .help = "share of the area, least and most", .type = ARG_PAIR, .otherwise = 0.08, .second = 1, .min = 0.0001, .max = 1},
             {.name = "ratio", .help = "width to height, least and most", .type = ARG_PAIR, .otherwise = 3.0 / 4, .second = 4.0 / 3, .min = 0.01, .max = 100}}},
    {.kind = WORD_AUGMENT, .name = "ColorJitter", .doc = "four changes of colours, in any order", .augment = COLOUR(color_jitter, 1), .fits = colours_fit,
     .arg = {{.name = "brightness", .help = "factors from 1 less this to 1 more", .type = ARG_NUMBER, .min = 0, .max = 100},
             {.name = "contrast", .help = "the same, from the mean grey", .type = ARG_NUMBER, .min = 0, .max = 100},
             {.name = "saturation", .help = "the same, from each pixel's grey", .type = ARG_NUMBER, .min = 0, .max = 100},
             {.name = "hue", .help = "turns of the circle either way", .type = ARG_NUMBER, .min = 0, .max = 0.5}}},
    {.kind = WORD_AUGMENT, .name = "Noise", .doc = "normal, of each value", .augment = VALUE(noise),
     .arg = {{.name = "std", .help = "share of the range", .otherwise = 0.1, SHARE}}},
    {.kind = WORD_AUGMENT, .name = "Erase", .doc = "a rectangle (Zhong 2020)", .augment = VALUE(erase), .fits = erase_fits,
     .arg = {CHANCE,
             {.name = "scale", .help = "share of the area, least and most", .type = ARG_PAIR, .otherwise = 0.02, .second = 0.33, .max = 1},
             {.name = "ratio", .help = "height to width, least and most", .type = ARG_PAIR, .otherwise = 0.3, .second = 3.3, .min = 0.01, .max = 100},
             FILL}},
    {.kind = WORD_AUGMENT, .name = "Cutout", .doc = "a square around any pixel (DeVries 2017)", .augment = VALUE(cutout), .fits = cutout_fits,
     .arg = {{.name = "size", .help = "pixels of its side", .type = ARG_INT, .required = true, .min = 2, .max = 65535}, FILL}},
    {.kind = WORD_AUGMENT, .name = "Mixup", .doc = "with another sample, classes too (Zhang 2018)", .augment = MIX(mixup), .arg = {ALPHA, ALWAYS}},
    {.kind = WORD_AUGMENT, .name = "CutMix", .doc = "a box of another sample, classes too (Yun 2019)", .augment = MIX(cut_mix), .arg = {ALPHA, ALWAYS}},
};
/* clang-format on */

const struct module module_augment = {NULL, 0, word, COUNT(word)};
