/* norules.c: words of every kind whose rows nobody finished. A network that uses one must be refused, not taken for what
 * another word does. */
#include "netc.h"

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Fold", .doc = "no rule"},       {.kind = WORD_LOSS, .name = "Hinge", .doc = "no rule"},
    {.kind = WORD_OPTIMIZER, .name = "Lion", .doc = "no rule"},   {.kind = WORD_SCHEDULE, .name = "Poly", .doc = "no rule"},
    {.kind = WORD_TRANSFORM, .name = "Invert", .doc = "no rule"}, {.kind = WORD_METRIC, .name = "Recall", .doc = "no rule"},
};

const struct module module_norules = {NULL, 0, word, COUNT(word)};
