/* worst.c: the most certain mistakes, as a page of images. */
#include "worst.h"

#include "data/sheet.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_COLUMNS = 10,
    TEXT = 80, /* bytes of a line below an image */
    PREDICTED = 0xb3261e,
    TRUE = 0x1b6e2f,
    REST = 0x5f5f5f,
};

const char *worst_path(const struct options *o)
{
    return o->output ? o->output : "worst.png";
}

int worst_check(const struct job *j, bool classes)
{
    const struct data_field *f = &j->data.test.sample;
    if (!classes)
        return complain(STATUS_USAGE, "--worst: net %s tells no classes apart", j->plan->net);
    if (!data_is_image(f))
        return complain(STATUS_USAGE, "--worst: the samples of %s are no images [C, H, W]", f->path);
    return output_spares(j, NULL, worst_path(j->options));
}

static int by_certainty(const void *left, const void *right)
{
    const struct wrong_sample *a = left, *b = right;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

int64_t worst_choose(const struct confusion *c, const float *certainty, int64_t most, struct wrong_sample *worst)
{
    int64_t n = 0;
    struct wrong_sample *all = calloc((size_t)c->n + 1, sizeof *all);
    if (!all)
        return -1;
    for (int64_t i = 0; i < c->n; i++)
        if (c->predicted[i] >= 0 && c->predicted[i] != c->truth[i])
            all[n++] = (struct wrong_sample){i, c->truth[i], c->predicted[i], certainty[i]};
    qsort(all, (size_t)n, sizeof *all, by_certainty);
    n = n < most ? n : most;
    memcpy(worst, all, (size_t)n * sizeof *all);
    free(all);
    return n;
}

static void name(const struct confusion *c, int64_t class, const char *before, char text[TEXT])
{
    if (class < c->names)
        snprintf(text, TEXT, "%s%s", before, c->name[class]);
    else
        snprintf(text, TEXT, "%s%lld", before, (long long)class);
}

static int64_t wrong_of(const struct confusion *c)
{
    int64_t n = 0;
    for (int64_t i = 0; i < c->pairs; i++)
        n += c->pair[i].predicted >= 0 ? c->pair[i].n : 0;
    return n;
}

/* `room`: for n samples, if they have to be read. */
static int draw(const struct job *j, const struct confusion *c, const struct wrong_sample *worst, int64_t n,
                unsigned char *room, struct sheet_cell *cell, char (*text)[SHEET_LINES][TEXT])
{
    const struct data_split *test = &j->data.test;
    const int64_t *dim = test->sample.dims;
    char title[120];
    struct data_error e;
    for (int64_t i = 0; i < n; i++) {
        const struct wrong_sample *w = &worst[i];
        name(c, w->predicted, "", text[i][0]);
        name(c, w->truth, "is ", text[i][1]);
        snprintf(text[i][2], TEXT, w->probability < 0.9995 ? "%.1f%% #%lld" : "%.0f%% #%lld",
                 100 * (double)w->probability, (long long)w->sample);
        const void *image = data_look(test, w->sample, room ? room + (uint64_t)i * test->sample.bytes : NULL, &e);
        if (!image)
            return complain(STATUS_DATA, "%s", e.text);
        cell[i] = (struct sheet_cell){image, {{text[i][0], PREDICTED}, {text[i][1], TRUE}, {text[i][2], REST}}};
    }
    snprintf(title, sizeof title, "The surest %lld of %lld mistakes", (long long)n, (long long)wrong_of(c));
    int64_t columns = (int64_t)ceil(sqrt((double)n));
    const struct sheet s = {.type = test->sample.type,
                            .channels = dim[0],
                            .height = dim[1],
                            .width = dim[2],
                            .cells = n,
                            .columns = columns < MOST_COLUMNS ? columns : MOST_COLUMNS,
                            .cell = cell,
                            .title = title};
    return sheet_save(&s, worst_path(j->options), &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

int worst_draw(const struct job *j, const struct confusion *c, const struct wrong_sample *worst, int64_t n)
{
    struct sheet_cell *cell = calloc((size_t)n + 1, sizeof *cell);
    char(*text)[SHEET_LINES][TEXT] = calloc((size_t)n + 1, sizeof *text);
    const struct data_split *test = &j->data.test;
    unsigned char *room = test->reader ? calloc((size_t)n + 1, (size_t)test->sample.bytes) : NULL;
    int status = cell && text && (room || !test->reader) ? 0 : complain(STATUS_INTERNAL, "out of memory");
    if (status == 0 && n > 0)
        status = draw(j, c, worst, n, room, cell, text);
    free(room);
    free(text);
    free(cell);
    return status;
}
