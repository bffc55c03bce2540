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

/* Each column shows the buffer that has most of its bytes. `most` has room for `width` numbers. */
static void draw_step(const struct plan *p, const struct schedule *s, int step, int width, char *line, int64_t *most)
{
    int schedule = (int)(s - p->schedule), buffer = 0;
    memset(line, '.', (size_t)width);
    memset(most, 0, (size_t)width * sizeof *most);
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (!is_buffer(t, schedule, true))
            continue;
        char own = letter(buffer++);
        if (step < t->first || step >= t->last)
            continue;
        int64_t end = t->offset + t->bytes; /* below 2^32, as the judge has seen; so products fit */
        for (int64_t c = t->offset * width / s->per_row; c < width && c * s->per_row < end * width; c++) {
            int64_t low = c * s->per_row, high = low + s->per_row; /* of the column, in bytes * width */
            low = low > t->offset * width ? low : t->offset * width;
            high = high < end * width ? high : end * width;
            if (high - low > most[c]) {
                most[c] = high - low;
                line[c] = own;
            }
        }
    }
}

static void draw_steps(const struct plan *p, const struct schedule *s, int width, FILE *out)
{
    char *line = calloc((size_t)width, 1);
    int64_t *most = calloc((size_t)width, sizeof *most);
    int bound = s->per_row ? (int)((s->bound_per_row * width + s->per_row - 1) / s->per_row) : 0;
    for (int k = s->first_kernel; line && most && k < s->last_kernel; k++) {
        int step = k - s->first_kernel;
        draw_step(p, s, step, width, line, most);
        fprintf(out, "  %c%4d %-22.22s %.*s|%.*s\n", step == s->peak_step ? '*' : ' ', step, p->kernel[k].name, bound,
                line, width - bound, line + bound);
    }
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
