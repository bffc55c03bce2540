/* images_part.c: sheets of images: training data after the transforms, filters, mistakes. */
#include "data/safetensors.h"
#include "device/order.h"
#include "graph/word.h"
#include "page.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 64,     /* an image is made at most so large, by means over squares */
    AREA = 100000, /* pixels of all images of a sheet */
    COLUMNS = 10,
    TEXT = 80,
    PREDICTED = 0xb3261e,
    TRUE = 0x1b6e2f,
    REST = 0x5f5f5f,
};

/* Images on their way onto a sheet, as floats. */
struct images {
    int64_t n, channels, height, width; /* of the source */
    int64_t by, h, w;                   /* by x by pixels become one; h x w is left */
    float *value;                       /* [n, channels, h, w] */
    struct sheet_cell *cell;
    char (*text)[SHEET_LINES][TEXT];
};

/* Fewer where they are large. False: no memory. */
static bool images_open(struct images *m, int64_t n, int64_t channels, int64_t height, int64_t width)
{
    const int64_t longest = height > width ? height : width;
    *m = (struct images){.channels = channels, .height = height, .width = width, .by = (longest + SIDE - 1) / SIDE};
    m->h = (height + m->by - 1) / m->by;
    m->w = (width + m->by - 1) / m->by;
    const int64_t most = AREA / (m->h * m->w);
    m->n = n < most ? n : most;
    m->value = calloc((size_t)m->n, (size_t)(channels * m->h * m->w) * sizeof *m->value);
    m->cell = calloc((size_t)m->n, sizeof *m->cell);
    m->text = calloc((size_t)m->n, sizeof *m->text);
    for (int64_t i = 0; m->value && m->cell && i < m->n; i++)
        m->cell[i].image = m->value + i * channels * m->h * m->w;
    return m->value && m->cell && m->text;
}

static void images_close(struct images *m)
{
    free(m->value);
    free(m->cell);
    free(m->text);
}

static double value_at(enum data_type type, const void *values, int64_t i)
{
    float f;
    if (type == DATA_U8)
        return ((const unsigned char *)values)[i];
    memcpy(&f, (const char *)values + i * (int64_t)sizeof f, sizeof f);
    return (double)f;
}

/* Image i from its source, each channel times its factor and moved. NULL: as they are. */
static void take(struct images *m, int64_t i, enum data_type type, const void *source, const double *scale,
                 const double *shift)
{
    float *to = m->value + i * m->channels * m->h * m->w;
    for (int64_t c = 0; c < m->channels; c++)
        for (int64_t y = 0; y < m->h; y++)
            for (int64_t x = 0; x < m->w; x++) {
                double sum = 0, n = 0;
                for (int64_t v = y * m->by; v < (y + 1) * m->by && v < m->height; v++)
                    for (int64_t u = x * m->by; u < (x + 1) * m->by && u < m->width; u++, n++)
                        sum += value_at(type, source, (c * m->height + v) * m->width + u);
                double mean = sum / n;
                *to++ = (float)(scale ? mean * scale[c] + shift[c] : mean);
            }
}

/* False: *e says why there is no picture. `text`: the caption, and the values that are drawn black and white. */
static bool draw(struct images *m, float black, float white, const char *caption, struct picture *p,
                 char text[MARKUP_TEXT], struct data_error *e)
{
    struct sheet s = {.type = DATA_F32,
                      .channels = m->channels,
                      .height = m->h,
                      .width = m->w,
                      .cells = m->n,
                      .columns = COLUMNS,
                      .cell = m->cell,
                      .black = black,
                      .white = white,
                      .text = 1};
    if (black == white)
        sheet_range(&s);
    snprintf(text, MARKUP_TEXT, "%s Black is %.4g, white %.4g.%s", caption, (double)s.black, (double)s.white,
             m->by > 1 ? " Large images are shown smaller." : "");
    return sheet_draw(&s, p, e);
}

static void put_sheet(struct images *m, float black, float white, const char *alt, const char *caption, FILE *out)
{
    struct picture p;
    struct data_error e;
    char text[MARKUP_TEXT];
    if (draw(m, black, white, caption, &p, text, &e))
        page_picture(&p, alt, text, out);
    else
        report_nothing(e.text, out);
    picture_free(&p);
}

static bool are_images(const struct data_split *split)
{
    const struct data_field *f = &split->sample;
    return split->count > 0 && data_is_image(f) && f->type != DATA_I32;
}

/* ---- training data ---- */

/* Into room that is open for them; `one`: for a sample. */
static bool take_seen(const struct report *r, struct images *m, void *one, double *scale, double *shift,
                      struct data_error *e)
{
    const struct data_split *train = &r->data->train;
    const struct order o = order_in((const uint32_t[]){r->seed, 0}, 0, (uint32_t)train->count, r->shuffled, NULL);
    plan_transform(r->plan, m->channels, scale, shift);
    for (int64_t i = 0; i < m->n; i++) {
        const int64_t at = order_at(&o, (uint32_t)i);
        const void *image = data_look(train, at, one, e);
        if (!image)
            return false;
        take(m, i, train->sample.type, image, scale, shift);
        if (train->label.rank == 0 && train->label.type != DATA_F32)
            m->cell[i].line[0] = (struct sheet_line){report_class(r->data, data_class(train, at), m->text[i][0]), REST};
    }
    return true;
}

bool report_seen(const struct report *r, struct picture *p, char text[MARKUP_TEXT], struct data_error *e)
{
    const struct data_split *train = &r->data->train;
    struct images m = {0};
    *p = (struct picture){0};
    if (!are_images(train))
        return data_fail(e, "The samples are no images [channels, height, width].");
    const int64_t *dim = train->sample.dims;
    double *scale = calloc((size_t)dim[0], sizeof *scale), *shift = calloc((size_t)dim[0], sizeof *shift);
    void *one = malloc((size_t)train->sample.bytes);
    bool good = scale && shift && one &&
                images_open(&m, train->count < REPORT_IMAGES ? train->count : REPORT_IMAGES, dim[0], dim[1], dim[2]);
    if (!good)
        data_fail(e, "There was no memory for the images.");
    else if ((good = take_seen(r, &m, one, scale, shift, e))) {
        good = draw(
            &m, 0, 0,
            "The samples that the first epoch begins with, in its order, after the transforms, with their classes. Colours are as "
            "they look in these values: normalised channels are not those of a photograph.",
            p, text, e);
    }
    images_close(&m);
    free(scale);
    free(shift);
    free(one);
    return good;
}

void report_images(const struct report *r, FILE *out)
{
    struct picture p;
    struct data_error e;
    char text[MARKUP_TEXT];
    if (!r->data)
        report_nothing(r->no_data, out);
    else if (report_seen(r, &p, text, &e)) {
        page_picture(&p, "images of the training set", text, out);
        picture_free(&p);
    } else
        report_nothing(e.text, out);
}

/* ---- filters ---- */

/* The first parameter that sees the channels of the images, and what one of its filters is. */
static const struct tensor *first_filters(const struct plan *p, int64_t dim[4])
{
    const struct tensor *in = NULL;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor && !in; t++)
        in = t->role == ROLE_INPUT && t->rank == 3 ? t : NULL;
    for (const struct tensor *t = p->tensor; in && t < p->tensor + p->ntensor; t++) {
        if (t->role != ROLE_PARAM || t->rank < 2)
            continue;
        const bool image = t->rank == 2 && t->dim[1] == in->dim[0] * in->dim[1] * in->dim[2];
        dim[0] = t->dim[0];
        for (int i = 0; i < 3; i++)
            dim[i + 1] = image ? in->dim[i] : t->rank == 4 ? t->dim[i + 1] : 0;
        return image || (t->rank == 4 && t->dim[2] * t->dim[3] > 1) ? t : NULL;
    }
    return NULL;
}

static bool fetch(const char *path, const char *name, uint64_t bytes, void *to, struct data_error *e)
{
    struct st_file file;
    if (!st_open(path, &file, e))
        return false;
    const struct st_tensor *t = st_find(&file, name);
    bool good = t && t->type == ST_F32 && t->bytes >= bytes ? true : data_fail(e, "%s has no such %s", path, name);
    for (uint64_t at = 0; good && at < bytes; at += ST_PART)
        good = st_fetch(&file, t, at, (char *)to + at, bytes - at < ST_PART ? (size_t)(bytes - at) : ST_PART, e);
    st_free(&file);
    return good;
}

void report_filters(const struct report *r, FILE *out)
{
    int64_t dim[4];
    struct images m = {0};
    struct data_error e;
    char caption[MARKUP_TEXT];
    const struct tensor *t = first_filters(r->plan, dim);
    if (!t || !r->weights) {
        report_nothing(
            !r->weights ? "There are no weights yet." : "The first layer has no filters that look at an image.", out);
        return;
    }
    const int64_t one = dim[1] * dim[2] * dim[3], n = dim[0] < REPORT_FILTERS ? dim[0] : REPORT_FILTERS;
    float *value = calloc((size_t)n, (size_t)one * sizeof *value), far = 0;
    if (!value || !images_open(&m, n, dim[1], dim[2], dim[3]))
        report_nothing("There was no memory for the filters.", out);
    else if (!fetch(r->weights, t->name, (uint64_t)(m.n * one) * sizeof *value, value, &e))
        report_nothing(e.text, out);
    else {
        for (int64_t i = 0; i < m.n * one; i++)
            far = isfinite(value[i]) && fabsf(value[i]) > far ? fabsf(value[i]) : far;
        for (int64_t i = 0; i < m.n; i++)
            take(&m, i, DATA_F32, value + i * one, NULL, NULL);
        snprintf(
            caption, sizeof caption,
            "%s, %lld of %lld filters of %lldx%lldx%lld, with the weights of %s. Grey is 0; all are drawn on one scale. What a filter "
            "looks like is what it answers to most.",
            t->name, (long long)m.n, (long long)dim[0], (long long)dim[1], (long long)dim[2], (long long)dim[3],
            r->weights_text);
        put_sheet(&m, -far, far, "filters of the first layer", caption, out);
    }
    images_close(&m);
    free(value);
}

/* ---- mistakes ---- */

/* `one`: for a sample. */
static bool take_worst(const struct report *r, struct images *m, void *one, struct data_error *e)
{
    const struct report_answers *a = r->answers;
    char text[TEXT];
    for (int64_t i = 0; i < m->n; i++) {
        const struct wrong_sample *w = &a->worst[i];
        const void *image = data_look(a->tested, w->sample, one, e);
        if (!image)
            return false;
        take(m, i, a->tested->sample.type, image, NULL, NULL);
        report_class(r->data, w->predicted, m->text[i][0]);
        snprintf(m->text[i][1], TEXT, "is %.60s", report_class(r->data, w->truth, text));
        snprintf(m->text[i][2], TEXT, "%.1f%% #%lld", 100 * (double)w->probability, (long long)w->sample);
        m->cell[i].line[0] = (struct sheet_line){m->text[i][0], PREDICTED};
        m->cell[i].line[1] = (struct sheet_line){m->text[i][1], TRUE};
        m->cell[i].line[2] = (struct sheet_line){m->text[i][2], REST};
    }
    return true;
}

void report_worst(const struct report *r, FILE *out)
{
    const struct report_answers *a = r->answers;
    struct images m = {0};
    if (!a || a->confusion.classes == 0 || a->worsts == 0) {
        report_nothing(a && a->confusion.classes ? "There is no mistake." : r->no_answers, out);
        return;
    }
    if (!are_images(a->tested)) {
        report_nothing("The samples are no images [channels, height, width].", out);
        return;
    }
    const int64_t *dim = a->tested->sample.dims;
    struct data_error e;
    char caption[MARKUP_TEXT];
    void *one = malloc((size_t)a->tested->sample.bytes);
    if (!one || !images_open(&m, a->worsts, dim[0], dim[1], dim[2]))
        report_nothing("There was no memory for the images.", out);
    else if (!take_worst(r, &m, one, &e))
        report_nothing(e.text, out);
    else {
        snprintf(
            caption, sizeof caption,
            "The %lld samples of the %s that the network is surest of and wrong about: what it takes each for, what it is, how sure it "
            "is, and its number. Before the transforms. Among them are often samples with a wrong label.",
            (long long)m.n, a->set);
        put_sheet(&m, 0, 0, "the surest mistakes", caption, out);
    }
    images_close(&m);
    free(one);
}
