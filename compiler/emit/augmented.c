/* augmented.c: the functions by which a kernel of training reads its samples augmented: a chain of one function a word, each of
 * which asks the one before it for a pixel, around those of base/augment.h. */
#include "graph/word.h"
#include "language.h"

_Static_assert(AUGMENT_BLOCK == ROW_BLOCK, "samples of a block are mixed with each other");

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

/* What range values have, by their type. */
static const char top[] = "(a->samples_f32 ? 1.0f : 255.0f)";

static const char id_text[] =
    "{a->control[CTL_SEED0], a->control[CTL_SEED1]}, a->control[CTL_POSITION] + (uint32_t)row, "
    "a->control[CTL_EPOCH]";

static const char *arguments(struct writer *w, const struct augment_step *step)
{
    const char *arg = "";
    for (int k = 0; k < MAX_WORD_ARGS && step->word->arg[k].name; k++)
        arg = region_printf(w->region, "%s%s{%.17g, %.17g}", arg, k ? ", " : "", step->arg[k][0], step->arg[k][1]);
    return arg;
}

enum { MOST_LINES = 2048 }; /* rows and columns of a table */

/* How many of the first words say by a table where rows and columns come from: a row's place does not depend on the column, nor a
 * column's on the row. Threads of a GPU, which share what a sample draws, compute it anew. */
static int tabled(const struct augment_step *step, int n, const struct augment_size *size, bool shared)
{
    int k = 0;
    while (k < n && step[k].word->augment->place)
        k++;
    return shared || size->height + size->width > MOST_LINES ? 0 : k;
}

static void put_table(struct writer *w, const struct augment_step *step, int n, const struct augment_size *size,
                      bool columns)
{
    put(w, "for (int i = 0; i < %d; i++) {", columns ? size->width : size->height);
    put(w, "int y = %s, x = %s;", columns ? "0" : "i", columns ? "i" : "0");
    for (int k = n - 1; k >= 0; k--) {
        put(w, "if (augment_inside(%s, %d, %d))", columns ? "0, x" : "y, 0", size->height, size->width);
        put(w, "    %s_place(d->n[%d], %d, %d, &y, &x);", step[k].word->augment->text, k, size->height, size->width);
    }
    put(w, "drawn.%s[i] = (short)(augment_inside(%s, %d, %d) ? %s : -1);", columns ? "column" : "row",
        columns ? "0, x" : "y, 0", size->height, size->width, columns ? "x" : "y");
    put(w, "}");
}

static void put_drawn(struct writer *w, int n, int lines, const struct augment_size *size)
{
    put(w, "struct @_drawn {");
    put(w, "struct augment_id id;");
    put(w, "float n[%d][AUGMENT_NUMBERS];", n);
    if (lines)
        put(w, "short row[%d], column[%d];", size->height, size->width);
    put(w, "};");
    put(w, "%s", "");
}

static void open_pixel(struct writer *w, int after)
{
    put(w, "static inline float @_pixel%d(%s, int64_t at, const struct @_drawn *d, int c, int y, int x)", after,
        w->target->language->arguments);
    put(w, "{");
}

/* Declares rgb: red, green and blue of a pixel of sample `at`, or channel c alone, behind i words. */
static void put_rgb(struct writer *w, int i, const char *at, const char *c, const struct augment_size *size)
{
    if (size->channels == 3)
        put(w,
            "float rgb[3] = {@_pixel%d(a, %s, d, 0, y, x), @_pixel%d(a, %s, d, 1, y, x), @_pixel%d(a, %s, d, 2, y, x)};",
            i, at, i, at, i, at);
    else
        put(w, "float rgb[3] = {@_pixel%d(a, %s, d, %s, y, x), -1, -1};", i, at, c);
}

static void put_step(struct writer *w, const struct augment_step *step, int i, const struct augment_size *size)
{
    const struct augmentation *a = step->word->augment;
    const int height = size->height, width = size->width;
    open_pixel(w, i + 1);
    if (a->value) {
        put(w, "const struct augment_stream s = augment_stream(&d->id, %d);", i);
        put(w, "return %s_value(&s, d->n[%d], %s, (c * %d + y) * %d + x, y, x, @_pixel%d(a, at, d, c, y, x));", a->text,
            i, top, height, width, i);
    }
    if (a->colour) {
        put_rgb(w, i, "at", "c", size);
        put(w, "%s_colour(d->n[%d], %s, rgb);", a->text, i, top);
        put(w, size->channels == 3 ? "return c == 0 ? rgb[0] : c == 1 ? rgb[1] : rgb[2];" : "return rgb[0];");
    }
    if (a->taps) {
        put(w, "const struct augment_taps t = %s_taps(d->n[%d], %d, %d, y, x);", a->text, i, height, width);
        put(w, "float v = 0, inside = 0;");
        put(w, "for (int k = 0; k < 4; k++) {");
        put(w, "const int ty = t.y[k / 2], tx = t.x[k %% 2];");
        put(w, "const float weight = augment_inside(ty, tx, %d, %d) ? augment_weight(&t, k) : 0;", height, width);
        put(w, "v += weight != 0 ? weight * @_pixel%d(a, at, d, c, ty, tx) : 0;", i);
        put(w, "inside += weight;");
        put(w, "}");
        put(w, "return v * inside;");
    }
    if (a->place) {
        put(w, "%s_place(d->n[%d], %d, %d, &y, &x);", a->text, i, height, width);
        put(w, "return augment_inside(y, x, %d, %d) ? @_pixel%d(a, at, d, c, y, x) : 0;", height, width, i);
    }
    put(w, "}");
    put(w, "%s", "");
}

/* The mean over a picture that word i needs, alone. */
static void put_mean(struct writer *w, const struct augment_step *step, int i, const struct augment_size *size)
{
    put(w, "{");
    put(w, "double sum = 0;");
    put(w, "for (int y = 0; at >= 0 && y < %d; y++)", size->height);
    put(w, "for (int x = 0; x < %d; x++) {", size->width);
    put_rgb(w, i, "at", "0", size);
    put(w, "sum += %s_before(d->n[%d], %s, rgb);", step->word->augment->text, i, top);
    put(w, "}");
    put(w, "drawn.n[%d][AUGMENT_MEAN] = (float)(sum / %d / %d);", i, size->height, size->width);
    put(w, "}");
}

/* What each word draws for the sample `at` in a row of the batch. */
static void put_draw(struct writer *w, const struct augment_step *step, int n, const struct augment_size *size,
                     bool shared)
{
    put(w, "static inline struct @_drawn @_draw(%s, int64_t at, int64_t row)", w->target->language->arguments);
    put(w, "{");
    put(w, "struct @_drawn drawn = {{%s}};", id_text);
    put(w, "const struct @_drawn *const d = &drawn;");
    put(w, "struct augment_stream s;");
    for (int i = 0; i < n; i++) {
        put(w, "const double arg%d[][2] = {%s}; // %s", i, arguments(w, &step[i]), step[i].word->name);
        put(w, "s = augment_stream(&d->id, %d);", i);
        put(w, "%s_draw(&s, arg%d, %d, %d, drawn.n[%d]);", step[i].word->augment->text, i, size->height, size->width,
            i);
        if (augment_averages(&step[i]) && !shared)
            put_mean(w, &step[i], i, size);
    }
    const int lines = tabled(step, n, size, shared);
    if (lines) {
        put_table(w, step, lines, size, false);
        put_table(w, step, lines, size, true);
    }
    put(w, "(void)at;");
    put(w, "return drawn;");
    put(w, "}");
    put(w, "%s", "");
}

/* A pixel of a sample and the same of the one that is mixed in. */
static void put_mix(struct writer *w, const struct augment_step *step, int i)
{
    put(w,
        "static inline float @_mixed(%s, int64_t at, const struct @_drawn *d, int64_t other, const struct @_drawn *o, int c, int y, int x)",
        w->target->language->arguments);
    put(w, "{");
    put(w, "const float v = @_pixel%d(a, at, d, c, y, x);", i);
    put(w, "return other >= 0 && d->n[%d][0] < 1 ? %s_mix(d->n[%d], y, x, v, @_pixel%d(a, other, o, c, y, x)) : v;", i,
        step->word->augment->text, i, i);
    put(w, "}");
    put(w, "%s", "");
}

bool put_augment_share(struct writer *w)
{
    struct augment_step step[MAX_AUGMENT];
    const int n = augment_steps(w, step), i = n - 1;
    const struct tensor *input = NULL;
    for (const struct tensor *t = w->plan->tensor; t < w->plan->tensor + w->plan->ntensor; t++)
        if (t->role == ROLE_INPUT)
            input = t;
    if (!input || !n || !step[i].word->augment->mix)
        return false;
    const struct augment_size size = augment_size(input);
    put(w, "static inline float @_share(%s, int64_t row)", w->target->language->arguments);
    put(w, "{");
    put(w, "const struct augment_id id = {%s};", id_text);
    put(w, "struct augment_stream s = augment_stream(&id, %d);", i);
    put(w, "const double arg[][2] = {%s};", arguments(w, &step[i]));
    put(w, "float n[AUGMENT_NUMBERS];");
    put(w, "%s_draw(&s, arg, %d, %d, n);", step[i].word->augment->text, size.height, size.width);
    put(w, "return n[0];");
    put(w, "}");
    put(w, "%s", "");
    return true;
}

int put_augmented(struct writer *w, const struct tensor *t, bool shared)
{
    struct augment_step step[MAX_AUGMENT];
    const struct augment_size size = augment_size(t);
    const int n = augment_steps(w, step);
    if (n == 0)
        return 0;
    const bool mixes = step[n - 1].word->augment->mix;
    const int lines = tabled(step, n, &size, shared);
    put_drawn(w, n, lines, &size);
    open_pixel(w, 0);
    put(w, "const int64_t e = at * %lld + (c * %d + y) * %d + x;", (long long)tensor_elements(t), size.height,
        size.width);
    put(w, "(void)d;");
    put(w, "return a->samples_f32 ? ((const float *)a->samples)[e] : ((const uint8_t *)a->samples)[e];");
    put(w, "}");
    put(w, "%s", "");
    if (lines) {
        open_pixel(w, lines);
        put(w, "const int row = d->row[y], column = d->column[x];");
        put(w, "return (row | column) < 0 ? 0 : @_pixel0(a, at, d, c, row, column);");
        put(w, "}");
        put(w, "%s", "");
    }
    for (int i = lines; i < n - mixes; i++)
        put_step(w, &step[i], i, &size);
    put_draw(w, step, n, &size, shared);
    if (mixes)
        put_mix(w, &step[n - 1], n - 1);
    return n;
}

void put_augment_means(struct writer *w, const struct tensor *t)
{
    struct augment_step step[MAX_AUGMENT];
    const struct augment_size size = augment_size(t);
    const int n = augment_steps(w, step), area = size.height * size.width;
    for (int i = 0; i < n; i++) {
        if (!augment_averages(&step[i]))
            continue;
        put(w, "{");
        put(w, "__shared__ double sums[$][$];");
        put(w, "const struct @_drawn *const d = &drawn[lane];");
        put(w, "double sum = 0;");
        put(w, "__syncthreads();");
        put(w, "for (int e = unit; at[lane] >= 0 && unit < $ && e < %d; e += $) {", area);
        put(w, "const int y = e / %d, x = e %% %d;", size.width, size.width);
        put_rgb(w, i, "at[lane]", "0", &size);
        put(w, "sum += %s_before(d->n[%d], %s, rgb);", step[i].word->augment->text, i, top);
        put(w, "}");
        put(w, "sums[unit][lane] = sum;");
        put(w, "__syncthreads();");
        put(w, "if (unit == 0) {");
        put(w, "for (int k = 1; k < $; k++)");
        put(w, "    sum += sums[k][lane];");
        put(w, "drawn[lane].n[%d][AUGMENT_MEAN] = (float)(sum / %d / %d);", i, size.height, size.width);
        put(w, "}");
        put(w, "}");
    }
}

const char *augment_place(struct writer *w, const struct tensor *t, const char *e)
{
    const struct augment_size s = augment_size(t);
    return region_printf(w->region, "(int)((%s) / %lld), (int)((%s) / %d %% %d), (int)((%s) %% %d)", e,
                         (long long)s.height * s.width, e, s.width, s.height, e, s.width);
}

const char *augmented_text(struct writer *w, int n, const struct augmented *of, const char *place)
{
    if (augment_mixes(w->plan))
        return region_printf(w->region, "@_mixed(a, %s, %s, %s, %s, %s)", of->at, of->drawn, of->other, of->other_drawn,
                             place);
    return region_printf(w->region, "@_pixel%d(a, %s, %s, %s)", n, of->at, of->drawn, place);
}
