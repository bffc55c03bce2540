/* augment.c: the augmentations of a plan's settings, and what they make of a sample: the reference of what kernels do. */
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

static const char *target_unfit(const struct augmentation *a, const struct tensor *target)
{
    const bool classes = target->dtype == DT_I32;
    if ((a->place || a->taps) && target->rank >= 2)
        return classes ? "moves pixels, and the mask would stay where it is"
                       : "moves pixels, and the target is a picture that would stay where it is";
    if (a->mix && classes && target->rank > 0)
        return "mixes classes of whole samples, and a mask has one at each pixel";
    return a->mix && !classes ? "mixes classes, and the target has values" : NULL;
}

const char *augment_unfit(const struct augment_step *step, const struct tensor *sample)
{
    const struct augment_size s = augment_size(sample);
    if (sample->role == ROLE_TARGET)
        return target_unfit(step->word->augment, sample);
    if (sample->rank != 2 && sample->rank != 3)
        return "is for pictures: channels, rows and columns";
    return step->word->fits ? step->word->fits(step->arg, s.channels, s.height, s.width) : NULL;
}

const char *plan_augment_unfit(const struct plan *p, const char **name)
{
    struct augment_step step[MAX_AUGMENT];
    const int n = plan_augment(p, step);
    const char *why = NULL;
    for (int i = 0; i + 1 < n; i++)
        if (step[i].word->augment->mix) {
            *name = step[i].word->name;
            return "is of two samples, as the words before it make them: put it last";
        }
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        for (int i = 0; (t->role == ROLE_INPUT || t->role == ROLE_TARGET) && !why && i < n; i++)
            if ((why = augment_unfit(&step[i], t)))
                *name = step[i].word->name;
    return why;
}

bool augment_mixes(const struct plan *p)
{
    struct augment_step step[MAX_AUGMENT];
    const int n = plan_augment(p, step);
    return n > 0 && step[n - 1].word->augment->mix;
}

bool augment_averages(const struct augment_step *step)
{
    const struct augmentation *a = step->word->augment;
    return a->before && step->arg[a->mean][0] > 0;
}

static float top(const struct augment_sample *s)
{
    return s->from.f32 ? 1 : 255;
}

/* Red, green and blue behind the first n steps; grey alone is that of channel c. */
static void colours(const struct augment_sample *s, int n, int c, int y, int x, float rgb[3])
{
    for (int k = 0; k < 3; k++)
        rgb[k] = s->size.channels == 3 ? augmented(s, n, k, y, x) : k ? -1 : augmented(s, n, c, y, x);
}

/* What step i measures contrast from. */
static float mean(const struct augment_sample *s, int i)
{
    double sum = 0;
    for (int y = 0; y < s->size.height; y++)
        for (int x = 0; x < s->size.width; x++) {
            float rgb[3];
            colours(s, i, 0, y, x, rgb);
            sum += (double)s->step[i].word->augment->before(s->number[i], top(s), rgb);
        }
    return (float)(sum / s->size.height / s->size.width);
}

void augment_draw(struct augment_sample *s)
{
    for (int i = 0; i < s->steps; i++) {
        struct augment_stream stream = augment_stream(&s->id, i);
        s->step[i].word->augment->draw(&stream, s->step[i].arg, s->size.height, s->size.width, s->number[i]);
        if (augment_averages(&s->step[i]))
            s->number[i][AUGMENT_MEAN] = mean(s, i);
    }
}

static float between(const struct augment_sample *s, int n, const struct augment_taps *t, int c)
{
    float v = 0, inside = 0;
    for (int k = 0; k < 4; k++) {
        const float weight = augment_weight(t, k);
        if (!augment_inside(t->y[k / 2], t->x[k % 2], s->size.height, s->size.width))
            continue;
        v += weight * augmented(s, n, c, t->y[k / 2], t->x[k % 2]);
        inside += weight;
    }
    return v * inside;
}

float augmented(const struct augment_sample *s, int n, int c, int y, int x)
{
    const int height = s->size.height, width = s->size.width;
    const int64_t e = ((int64_t)c * height + y) * width + x;
    if (n == 0)
        return s->from.f32 ? s->from.f32[e] : s->from.u8[e];
    const struct augmentation *a = s->step[--n].word->augment;
    if (a->value) {
        const struct augment_stream stream = augment_stream(&s->id, n);
        return a->value(&stream, s->number[n], top(s), (int)e, y, x, augmented(s, n, c, y, x));
    }
    if (a->mix) {
        const float v = augmented(s, n, c, y, x);
        return s->other && s->number[n][0] < 1 ? a->mix(s->number[n], y, x, v, augmented(s->other, n, c, y, x)) : v;
    }
    if (a->colour) {
        float rgb[3];
        colours(s, n, c, y, x, rgb);
        a->colour(s->number[n], top(s), rgb);
        return rgb[s->size.channels == 3 ? c : 0];
    }
    if (a->taps) {
        const struct augment_taps t = a->taps(s->number[n], height, width, y, x);
        return between(s, n, &t, c);
    }
    a->place(s->number[n], height, width, &y, &x);
    return augment_inside(y, x, height, width) ? augmented(s, n, c, y, x) : 0;
}
