#include "data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GALLERY_WIDTH = 116, MAX_DRAWN_SIDE = 64, MAX_LISTED_CLASSES = 100 };

static const char ramp[] = " .:-=+*#%@";

const char *data_type_name(enum data_type type)
{
    return type == DATA_U8 ? "u8" : type == DATA_I32 ? "i32" : "f32";
}

static void print_shape(const struct data_field *field, FILE *out)
{
    fprintf(out, "%s[", data_type_name(field->type));
    for (int i = 0; i < field->rank; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", field->dims[i]);
    fprintf(out, "]");
}

static void print_split(const char *name, const struct data_split *split, int64_t classes, FILE *out)
{
    fprintf(out, "%-6s ", name);
    if (split->count == 0) {
        fprintf(out, "none\n");
        return;
    }
    fprintf(out, "%" PRId64 " samples  ", split->count);
    print_shape(&split->sample, out);
    if (data_is_mask(&split->label)) {
        fprintf(out, "  mask ");
        print_shape(&split->label, out);
        fprintf(out, "\n");
    } else if (classes)
        fprintf(out, "  class[%" PRId64 "] as %s\n", classes, data_type_name(split->label.type));
    else {
        fprintf(out, "  target ");
        print_shape(&split->label, out);
        fprintf(out, "\n");
    }
}

static void print_range(const int64_t range[2], FILE *out)
{
    fprintf(out, "%" PRId64, range[0]);
    if (range[0] != range[1])
        fprintf(out, " to %" PRId64, range[1]);
}

/* Of samples in files of their own, which may differ in size. */
static void print_files(const struct dataset *set, FILE *out)
{
    const struct data_files *f = &set->files;
    const int64_t *dim = data_first(set)->sample.dims;
    if (f->single + f->several == 0)
        return;
    if (set->rate) {
        fprintf(out, "sounds   %" PRId64 " of %" PRId64 " channel%s, %d values a second, ", f->single + f->several,
                dim[0], dim[0] > 1 ? "s" : "", set->rate);
        print_range(f->width, out);
        fprintf(out, " values (%.3g s", (double)f->width[0] / set->rate);
        if (f->width[0] != f->width[1])
            fprintf(out, " to %.3g s", (double)f->width[1] / set->rate);
        fprintf(out, "); here the middle %" PRId64 " of each\n", dim[2]);
        return;
    }
    fprintf(out, "pictures %" PRId64 " in colour, %" PRId64 " grey  ", f->several, f->single);
    print_range(f->width, out);
    fprintf(out, " wide, ");
    print_range(f->height, out);
    fprintf(out, " high; here the middle of each at %" PRId64 " x %" PRId64 "\n", dim[2], dim[1]);
}

int64_t *data_class_counts(const struct dataset *set)
{
    int64_t *counts = calloc((size_t)set->classes + 1, DATA_SPLITS * sizeof *counts);
    for (int k = 0; counts && k < DATA_SPLITS; k++)
        for (int64_t i = 0; i < data_split_of(set, k)->count; i++)
            counts[DATA_SPLITS * data_class(data_split_of(set, k), i) + k]++;
    return counts;
}

/* Samples per class of all splits, one class a line. */
static void print_classes(const struct dataset *set, FILE *out)
{
    const int shown = set->holdout.count ? 3 : 2;
    int64_t *counts = data_class_counts(set);
    if (!counts)
        return;
    fprintf(out, "\nclass     train      test%s\n", shown > 2 ? "   holdout" : "");
    for (int64_t class = 0; class < set->classes && class < MAX_LISTED_CLASSES; class ++) {
        fprintf(out, "%5" PRId64, class);
        for (int k = 0; k < shown; k++)
            fprintf(out, "%10" PRId64, counts[DATA_SPLITS * class + k]);
        fprintf(out, "%s%s\n", class < set->class_names ? "  " : "",
                class < set->class_names ? set->class_name[class] : "");
    }
    if (set->classes > MAX_LISTED_CLASSES)
        fprintf(out, "... and %" PRId64 " more\n", set->classes - MAX_LISTED_CLASSES);
    free(counts);
}

/* Element e of sample i; bytes are scaled to 0..1. */
static double element(const struct data_field *field, int64_t i, int64_t e)
{
    const unsigned char *values = field->values + (uint64_t)i * field->bytes;
    if (field->type == DATA_U8)
        return values[e] / 255.0;
    float value;
    memcpy(&value, values + e * (int64_t)sizeof value, sizeof value);
    return (double)value;
}

/* Welford's running mean and sum of squared deviations (Technometrics 4, 1962), merged sample by sample (Chan et al.). */
void data_channel(const struct data_split *split, int64_t channel, int64_t size, double *mean, double *deviation)
{
    double squares = 0, n = 0;
    *mean = 0;
    for (int64_t i = 0; i < split->count; i++) {
        double sum = 0, sum_of_squares = 0;
        for (int64_t e = channel * size; e < (channel + 1) * size; e++)
            sum += element(&split->sample, i, e);
        double own_mean = sum / (double)size;
        for (int64_t e = channel * size; e < (channel + 1) * size; e++) {
            double d = element(&split->sample, i, e) - own_mean;
            sum_of_squares += d * d;
        }
        double apart = own_mean - *mean, total = n + (double)size;
        squares += sum_of_squares + apart * apart * n * (double)size / total;
        *mean += apart * (double)size / total;
        n = total;
    }
    *deviation = sqrt(squares / n);
}

int64_t data_channels(const struct data_field *sample, int64_t *size)
{
    const bool several = sample->rank == 3;
    *size = 1;
    for (int i = several; i < sample->rank; i++)
        *size *= sample->dims[i];
    return several ? sample->dims[0] : 1;
}

static void print_statistics(const struct data_split *split, FILE *out)
{
    const struct data_field *field = &split->sample;
    int64_t size, channels = data_channels(field, &size);
    fprintf(out, "\ntraining set%s:\n", field->type == DATA_U8 ? ", pixels scaled to 0..1" : "");
    for (int64_t channel = 0; channel < channels; channel++) {
        double mean, deviation;
        data_channel(split, channel, size, &mean, &deviation);
        if (channels > 1)
            fprintf(out, "  channel %" PRId64 ": ", channel);
        else
            fprintf(out, "  ");
        fprintf(out, "mean %.4f  std %.4f\n", mean, deviation);
    }
}

/* Brightness of one pixel, 0..1: the mean over the channels. */
static double brightness(const struct data_field *field, int64_t i, int64_t row, int64_t column)
{
    int64_t channels = field->dims[0], height = field->dims[1], width = field->dims[2];
    double sum = 0;
    for (int64_t channel = 0; channel < channels; channel++)
        sum += element(field, i, (channel * height + row) * width + column);
    double mean = sum / (double)channels;
    return mean >= 0 && mean <= 1 ? mean : mean > 1;
}

static void print_trimmed(char *line, size_t length, FILE *out)
{
    while (length && line[length - 1] == ' ')
        length--;
    fprintf(out, "%.*s\n", (int)length, line);
}

/* Two rows of pixels make one row of characters, which are about twice as high as they are wide. */
static void print_gallery(const struct data_split *split, bool classes, FILE *out)
{
    const struct data_field *field = &split->sample;
    int64_t height = field->dims[1], width = field->dims[2], shown = GALLERY_WIDTH / (width + 1);
    if (shown > split->count)
        shown = split->count;
    size_t length = (size_t)(shown * (width + 1));
    char line[GALLERY_WIDTH + 16];
    fprintf(out, "\n");
    if (classes) {
        memset(line, ' ', length);
        for (int64_t i = 0; i < shown; i++) {
            char label[12];
            int digits = snprintf(label, sizeof label, "%" PRId64, data_class(split, i));
            memcpy(line + i * (width + 1), label, (size_t)(digits < width ? digits : width));
        }
        print_trimmed(line, length, out);
    }
    for (int64_t row = 0; row < height; row += 2) {
        char *next = line;
        for (int64_t i = 0; i < shown; i++) {
            for (int64_t column = 0; column < width; column++) {
                double upper = brightness(field, i, row, column);
                double lower = row + 1 < height ? brightness(field, i, row + 1, column) : upper;
                *next++ = ramp[(int)((upper + lower) / 2 * (sizeof ramp - 2) + 0.5)];
            }
            *next++ = ' ';
        }
        print_trimmed(line, length, out);
    }
}

void inspect_print(const struct dataset *set, FILE *out)
{
    const struct data_split *first = data_first(set);
    fprintf(out, "%s%s\n", set->format, set->synthetic ? ", synthetic: a file SYNTHETIC is beside the data" : "");
    print_split("train", &set->train, set->classes, out);
    print_split("test", &set->test, set->classes, out);
    if (set->holdout.count)
        print_split("holdout", &set->holdout, set->classes, out);
    print_files(set, out);
    if (set->classes)
        print_classes(set, out);
    else if (data_is_mask(&first->label))
        inspect_masks(set, out);
    struct data_error wrong;
    if (!data_check_finite(&set->train, &wrong) || !data_check_finite(&set->test, &wrong) ||
        !data_check_finite(&set->holdout, &wrong))
        fprintf(out, "\n%s\n", wrong.text);
    else if (set->train.count)
        print_statistics(&set->train, out);
    if (data_is_image(&first->sample) && first->sample.dims[1] <= MAX_DRAWN_SIDE &&
        first->sample.dims[2] <= MAX_DRAWN_SIDE)
        print_gallery(first, set->classes > 0, out);
}
