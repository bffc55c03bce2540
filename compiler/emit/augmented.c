/* augmented.c: the functions by which a kernel of training reads its samples augmented: a chain of one function a word, each of
 * which asks the one before it for a pixel, around those of base/augment.h. */
#include "graph/word.h"
#include "language.h"

static const char text[] = {
#include "augment.inc"
    0};

void put_augment_prelude(const struct plan *p, FILE *out)
{
    struct augment_step step[MAX_AUGMENT];
    if (plan_augment(p, step))
        fprintf(out, "\n%s", text);
}

static int augment_steps(const struct writer *w, struct augment_step step[MAX_AUGMENT])
{
    const bool trains = w->plan->schedule[w->kernel->schedule].phase == PHASE_TRAIN;
    return trains && !w->counter ? plan_augment(w->plan, step) : 0;
}

/* What each word draws for the sample in a row of the batch. */
static void put_draw(struct writer *w, const struct augment_step *step, int n, const struct augment_size *size)
{
    put(w, "struct @_drawn {");
    put(w, "struct augment_id id;");
    put(w, "float n[%d][AUGMENT_NUMBERS];", n);
    put(w, "};");
    put(w, "%s", "");
    put(w, "static inline struct @_drawn @_draw(%s, int64_t row)", w->target->language->arguments);
    put(w, "{");
    put(w,
        "struct @_drawn d = {{{a->control[CTL_SEED0], a->control[CTL_SEED1]}, a->control[CTL_POSITION] + (uint32_t)row, "
        "a->control[CTL_EPOCH]}};");
    put(w, "struct augment_stream s;");
    for (int i = 0; i < n; i++) {
        const char *arg = "";
        for (int k = 0; k < MAX_WORD_ARGS && step[i].word->arg[k].name; k++)
            arg = region_printf(w->region, "%s%s{%.17g, %.17g}", arg, k ? ", " : "", step[i].arg[k][0],
                                step[i].arg[k][1]);
        put(w, "const double arg%d[][2] = {%s}; // %s", i, arg, step[i].word->name);
        put(w, "s = augment_stream(&d.id, %d);", i);
        put(w, "%s_draw(&s, arg%d, %d, %d, d.n[%d]);", step[i].word->augment->text, i, size->height, size->width, i);
    }
    put(w, "return d;");
    put(w, "}");
    put(w, "%s", "");
}

static void open_pixel(struct writer *w, int after)
{
    put(w, "static inline float @_pixel%d(%s, int64_t at, const struct @_drawn *d, int c, int y, int x)", after,
        w->target->language->arguments);
    put(w, "{");
}

static void put_step(struct writer *w, const struct augment_step *step, int i, const struct augment_size *size)
{
    const struct augmentation *a = step->word->augment;
    open_pixel(w, i + 1);
    if (a->value)
        put(w, "return %s_value(&d->id, d->n[%d], a->samples_f32 ? 1 : 255, y, x, @_pixel%d(a, at, d, c, y, x));",
            a->text, i, i);
    if (a->place) {
        put(w, "%s_place(d->n[%d], %d, %d, &y, &x);", a->text, i, size->height, size->width);
        put(w, "return augment_inside(y, x, %d, %d) ? @_pixel%d(a, at, d, c, y, x) : 0;", size->height, size->width, i);
    }
    put(w, "}");
    put(w, "%s", "");
}

int put_augmented(struct writer *w, const struct tensor *t)
{
    struct augment_step step[MAX_AUGMENT];
    const struct augment_size size = augment_size(t);
    const int n = augment_steps(w, step);
    if (n == 0)
        return 0;
    put_draw(w, step, n, &size);
    open_pixel(w, 0);
    put(w, "const int64_t e = at * %lld + (c * %d + y) * %d + x;", (long long)tensor_elements(t), size.height,
        size.width);
    put(w, "(void)d;");
    put(w, "return a->samples_f32 ? ((const float *)a->samples)[e] : ((const uint8_t *)a->samples)[e];");
    put(w, "}");
    put(w, "%s", "");
    for (int i = 0; i < n; i++)
        put_step(w, &step[i], i, &size);
    return n;
}

const char *augmented_text(struct writer *w, const struct tensor *t, int n, const char *at, const char *drawn,
                           const char *e)
{
    const struct augment_size s = augment_size(t);
    return region_printf(w->region,
                         "@_pixel%d(a, %s, %s, (int)((%s) / %lld), (int)((%s) / %d %% %d), (int)((%s) %% %d))", n, at,
                         drawn, e, (long long)s.height * s.width, e, s.width, s.height, e, s.width);
}
