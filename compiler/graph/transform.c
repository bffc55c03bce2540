/* transform.c: the transforms of a plan's settings: those of pictures and sounds one by one, those of numbers as one multiplication and one
 * addition a channel, in double. */
#include "word.h"

#include <stdlib.h>
#include <string.h>

const struct word *plan_transform_at(const struct plan *p, int i, char key[40])
{
    snprintf(key, 40, "data.transform.%d", i);
    const struct setting *s = plan_setting(p, key);
    return s && s->text ? word_find(WORD_TRANSFORM, s->text) : NULL;
}

/* One transform on top of those before it. Of an argument that is a list each channel has its number. */
static void apply(const struct plan *p, const char *key, const struct word *w, int64_t channels, double *scale,
                  double *shift)
{
    const struct setting *given[MAX_WORD_ARGS] = {NULL};
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++)
        given[i] = word_setting(p, key, w, i);
    for (int64_t c = 0; c < channels; c++) {
        double num[MAX_WORD_ARGS];
        for (int i = 0; i < MAX_WORD_ARGS && !w->learns; i++)
            num[i] = given[i] && given[i]->n ? given[i]->num[c < given[i]->n ? c : 0] : w->arg[i].otherwise;
        if (w->learns) {
            num[0] = p->learnt.mean ? p->learnt.mean[c] : 0;
            num[1] = p->learnt.deviation ? p->learnt.deviation[c] : 1;
        }
        w->affine(num, &scale[c], &shift[c]);
    }
}

void plan_transform(const struct plan *p, int64_t channels, double *scale, double *shift)
{
    for (int64_t c = 0; c < channels; c++) {
        scale[c] = 1;
        shift[c] = 0;
    }
    char key[40];
    const struct word *w;
    for (int i = 0; (w = plan_transform_at(p, i, key)); i++)
        if (w->affine)
            apply(p, key, w, channels, scale, shift);
}

static bool learns(const struct word *w)
{
    return w->learns;
}

static bool fills(const struct word *w)
{
    return w->use == COLUMN_FILL;
}

static bool has(const struct plan *p, bool (*is)(const struct word *))
{
    char key[40];
    const struct word *w;
    for (int i = 0; (w = plan_transform_at(p, i, key)); i++)
        if (is(w))
            return true;
    return false;
}

bool plan_standardizes(const struct plan *p)
{
    return has(p, learns);
}

bool plan_fills(const struct plan *p)
{
    return has(p, fills);
}

int plan_picture_steps(const struct plan *p, struct picture_step step[MAX_METRICS])
{
    char key[40];
    const struct word *w;
    int n = 0;
    while (n < MAX_METRICS && (w = plan_transform_at(p, n, key)) && w->picture) {
        step[n].word = w;
        for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++) {
            const struct setting *given = word_setting(p, key, w, i);
            step[n].num[i] = given && given->n ? given->num[0] : w->arg[i].otherwise;
        }
        n++;
    }
    return n;
}

const char *picture_sized(const struct picture_step *step, int n, struct pixels *p)
{
    const char *why = NULL;
    for (int i = 0; !why && i < n; i++)
        if (step[i].word->sound == p->sound)
            why = step[i].word->sized(step[i].num, p);
        else
            why = p->sound ? "its transforms are for pictures: sounds have `Crop` and `Pad`"
                           : "its transforms are for sounds: pictures have `Resize` and `CenterCrop`";
    return why;
}

static bool make_one(const struct picture_step *s, struct pixels *p)
{
    struct pixels to = *p;
    s->word->sized(s->num, &to);
    if (to.height == p->height && to.width == p->width && to.channels == p->channels)
        return true;
    to.at = malloc(pixels_bytes(&to));
    bool ok = to.at && s->word->picture(s->num, p, &to);
    free(p->at);
    if (!ok)
        free(to.at);
    *p = ok ? to : (struct pixels){0};
    return ok;
}

bool picture_made(const struct picture_step *step, int n, struct pixels *p)
{
    bool ok = true;
    for (int i = 0; ok && i < n; i++)
        ok = make_one(&step[i], p);
    return ok;
}

struct data_where plan_where(const struct plan *p, const char *key)
{
    const struct setting *s = plan_setting(p, key);
    struct data_where where = {.word = s && s->text ? word_find(WORD_SOURCE, s->text) : NULL};
    for (int i = 0; where.word && i < MAX_WORD_ARGS && where.word->arg[i].name; i++) {
        const struct setting *given = word_setting(p, key, where.word, i);
        where.text[i] = given && given->text ? given->text : "";
        where.num[i] = given && given->n ? given->num[0] : where.word->arg[i].otherwise;
    }
    return where;
}

int64_t plan_channels(const struct plan *p)
{
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == ROLE_INPUT && t->rank > 0)
            return t->dim[0];
    return 0;
}

/* As many as there are values where a stage compares them with a target. */
int64_t plan_classes(const struct plan *p)
{
    int64_t least = 0;
    for (int k = 0; k < p->nkernel; k++)
        for (int i = 0; i < p->kernel[k].nstage; i++) {
            const struct stage *s = &p->kernel[k].stage[i];
            const struct tensor *target = s->nin < 2 ? NULL : &p->tensor[s->in[1]], *x = &p->tensor[s->in[0]];
            if (!target || target->role != ROLE_TARGET || (target->dtype != DT_I32 && target->rank != 1))
                continue;
            const int64_t n = target->dtype == DT_I32 && target->rank ? x->dim[0] : tensor_elements(x);
            if (least == 0 || n < least)
                least = n;
        }
    return least;
}

const double *plan_class_weights(const struct plan *p, int64_t classes)
{
    const struct setting *s = plan_setting(p, "train.loss.weights");
    return s && s->n > 1 && s->n == classes ? s->num : NULL;
}
