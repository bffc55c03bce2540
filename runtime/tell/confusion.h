/* Which classes of a test set were taken for which: counts, precision, recall and F1, and the pairs that are confused. */
#ifndef CONFUSION_H
#define CONFUSION_H

#include "data/sheet.h"
#include "tell.h"

/* Precision is right / predicted, recall right / samples, F1 their harmonic mean, 2 right / (samples + predicted). */
struct class_count {
    int64_t samples, predicted, right;
};
double class_precision(
    const struct class_count *c); /* this and the next two: NaN where nothing is divided by nothing */
double class_recall(const struct class_count *c);
double class_f1(const struct class_count *c);

struct class_pair {
    int32_t truth, predicted; /* predicted -1: no class, as the logits are not finite */
    int64_t n;
};

struct confusion {
    int64_t n, classes;               /* samples; classes that the network tells apart */
    const int32_t *truth, *predicted; /* of each sample; predicted -1: no class. The caller's */
    const char *const *name;          /* of the first `names` classes; the caller's */
    int64_t names;
    struct class_count *count; /* of each class; this and what follows is made by confusion_count() */
    struct class_pair *pair;   /* that differ, by number, then by class */
    int64_t pairs, lost;       /* lost: samples without a class */
};

/* False: out of memory. Takes memory by samples and classes, not by their square. */
bool confusion_count(struct confusion *c);
void confusion_free(struct confusion *c);
/* Means over the classes that were there or predicted, as scikit-learn's "macro avg": what is not defined counts 0. */
void confusion_means(const struct confusion *c, double *precision, double *recall, double *f1);

/* For people, in 80 columns: the matrix where it fits, the classes, the pairs that are confused most. */
void confusion_say(const struct confusion *c, FILE *out);
/* confusion_picture.c: a picture of it, of at most 100 classes: a colour by the share of a class, blue where it is right, red where
 * not, and up to 30 classes the number of samples below. False: *e says why not. */
bool confusion_draw(const struct confusion *c, struct picture *p, struct data_error *e);
/* "confusion": { ... }; of more than 100 classes without the matrix. */
void confusion_put(const struct confusion *c, struct event_line *l);

#endif
