/* transform.c: the transforms of a plan's settings as one multiplication and one addition a channel, in double. */
#include "word.h"

#include <string.h>

/* One transform on top of those before it. Of an argument that is a list each channel has its number. */
static void apply(const struct plan *p, const char *key, const struct word *w, int64_t channels, double *scale,
                  double *shift)
{
    const struct setting *given[MAX_WORD_ARGS] = {NULL};
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++)
        given[i] = word_setting(p, key, w, i);
    for (int64_t c = 0; c < channels; c++) {
        double num[MAX_WORD_ARGS];
        for (int i = 0; i < MAX_WORD_ARGS; i++)
            num[i] = given[i] && given[i]->n ? given[i]->num[c < given[i]->n ? c : 0] : w->arg[i].otherwise;
        w->affine(num, &scale[c], &shift[c]);
    }
}

void plan_transform(const struct plan *p, int64_t channels, double *scale, double *shift)
{
    for (int64_t c = 0; c < channels; c++) {
        scale[c] = 1;
        shift[c] = 0;
    }
    for (int i = 0;; i++) {
        char key[40];
        snprintf(key, sizeof key, "data.transform.%d", i);
        const struct setting *s = plan_setting(p, key);
        const struct word *w = s && s->text ? word_find(WORD_TRANSFORM, s->text) : NULL;
        if (!w)
            return;
        apply(p, key, w, channels, scale, shift);
    }
}

int64_t plan_channels(const struct plan *p)
{
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == ROLE_INPUT && t->rank > 0)
            return t->dim[0];
    return 0;
}
