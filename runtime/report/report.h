/* report.h: report.html of a run: what it was, what came of it, and what there is to look at, in one file. Whoever calls gathers what is
 * known; a part of which nothing is known says so and why. */
#ifndef REPORT_H
#define REPORT_H

#include "data/data.h"
#include "page.h"
#include "plan/plan.h"
#include "tell/confusion.h"
#include "tell/history.h"

#include <jansson.h>

enum { REPORT_WORST = 25, REPORT_IMAGES = 100, REPORT_FILTERS = 100, REPORT_WHY = 500 };

/* What the network says of the samples that it is tested on. */
struct report_answers {
    struct confusion confusion;      /* classes 0: it was not counted */
    const struct data_split *tested; /* whose samples they are */
    const char *set;                 /* "test set", "holdout" */
    const struct wrong_sample *worst;
    int64_t worsts;
};

struct report {
    const char *name, *folder; /* of the run */
    const char *summary;       /* its summary.txt; NULL: none */
    const struct plan *plan;   /* with the settings in force */
    const json_t *settings;    /* settings.json; NULL: none */
    const json_t *profile;     /* profile.json; NULL: none */
    const struct history *history;
    const struct dataset *data; /* NULL: there is none, because of ... */
    const char *no_data;
    uint32_t seed;
    bool shuffled;
    const char *weights, *weights_text; /* the file, and what is to be said of it; NULL: there is none */
    const struct report_answers *answers;
    const char *no_answers; /* if there are none */
};

/* The page. What goes wrong on the way is said in it. */
void report_write(const struct report *r, FILE *out);

/* ---- its parts: each writes what stands below a heading ---- */

void report_settings(const struct report *r, FILE *out);
void report_curves(const struct report *r, FILE *out);  /* curves_part.c */
void report_layers(const struct report *r, FILE *out);  /* layers_part.c */
void report_memory(const struct report *r, FILE *out);  /* the same */
void report_classes(const struct report *r, FILE *out); /* classes_part.c */
void report_worst(const struct report *r, FILE *out);   /* images_part.c */
void report_filters(const struct report *r, FILE *out);
void report_images(const struct report *r, FILE *out);

/* images_part.c: images of the training set as the network sees them, and what is to be said of them. Of r: plan, data, seed and
 * order. False: *e says why there are none. */
bool report_seen(const struct report *r, struct picture *p, char text[MARKUP_TEXT], struct data_error *e);

/* "automobile", or its number; the region's, or the caller's of the names. */
const char *report_class(const struct dataset *data, int64_t class, char text[80]);
/* A paragraph that says why there is nothing. */
void report_nothing(const char *why, FILE *out);

#endif
