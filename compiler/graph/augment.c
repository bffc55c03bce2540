/* augment.c: the augmentations of a plan's settings, and what they make of a sample: the reference of what kernels do. */
#include "base/augment.h"
#include "word.h"

#include <stdio.h>

int plan_augment(const struct plan *p, struct augment_step step[MAX_AUGMENT])
{
    int n = 0;
    for (; n < MAX_AUGMENT; n++) {
        char key[40];
        snprintf(key, sizeof key, "data.augment.%d", n);
        const struct setting *s = plan_setting(p, key);
        const struct word *w = s && s->text ? word_find(WORD_AUGMENT, s->text) : NULL;
        if (!w)
            break;
        step[n].word = w;
        for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++) {
            const struct setting *given = word_setting(p, key, w, i);
            step[n].arg[i][0] = given && given->n ? given->num[0] : w->arg[i].otherwise;
            step[n].arg[i][1] = given && given->n > 1 ? given->num[1] : step[n].arg[i][0];
        }
    }
    return n;
}

struct augment_size augment_size(const struct tensor *t)
{
    struct augment_size s = {1, 1, 1};
    if (t->rank > 0)
        s.width = (int)t->dim[t->rank - 1];
    if (t->rank > 1)
        s.height = (int)t->dim[t->rank - 2];
    for (int i = 0; i + 2 < t->rank; i++)
        s.channels *= (int)t->dim[i];
    return s;
}

const char *augment_unfit(const struct augment_step *step, const struct tensor *sample)
{
    const struct augment_size s = augment_size(sample);
    if (sample->rank != 2 && sample->rank != 3)
        return "is for pictures: channels, rows and columns";
    return step->word->fits ? step->word->fits(step->arg, s.channels, s.height, s.width) : NULL;
}

const char *plan_augment_unfit(const struct plan *p, const char **name)
{
    struct augment_step step[MAX_AUGMENT];
    const int n = plan_augment(p, step);
    const char *why = NULL;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        for (int i = 0; t->role == ROLE_INPUT && !why && i < n; i++)
            if ((why = augment_unfit(&step[i], t)))
                *name = step[i].word->name;
    return why;
}

void augment_draw(const struct augment_step *step, int n, const struct augment_size *size, const struct augment_id *id,
                  float numbers[][AUGMENT_NUMBERS])
{
    for (int i = 0; i < n; i++) {
        struct augment_stream s = augment_stream(id, i);
        step[i].word->augment->draw(&s, step[i].arg, size->height, size->width, numbers[i]);
    }
}

float augmented(const struct augment_step *step, int n, const struct augment_size *size, const struct augment_id *id,
                float numbers[][AUGMENT_NUMBERS], const struct augment_source *from, int c, int y, int x)
{
    if (n == 0) {
        const int64_t e = ((int64_t)c * size->height + y) * size->width + x;
        return from->f32 ? from->f32[e] : from->u8[e];
    }
    const struct augmentation *a = step[--n].word->augment;
    if (a->value)
        return a->value(id, numbers[n], from->f32 ? 1 : 255, y, x,
                        augmented(step, n, size, id, numbers, from, c, y, x));
    a->place(numbers[n], size->height, size->width, &y, &x);
    return augment_inside(y, x, size->height, size->width) ? augmented(step, n, size, id, numbers, from, c, y, x) : 0;
}
