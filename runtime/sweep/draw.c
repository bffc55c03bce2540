/* draw.c: values that are drawn rather than listed. */
#include "base/philox.h"
#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What stands between `word(` and `)`; NULL: something else. */
static const char *inside(const char *text, const char *word, size_t *size)
{
    size_t n = strlen(word), all = strlen(text);
    if (strncmp(text, word, n) != 0 || text[n] != '(' || text[all - 1] != ')')
        return NULL;
    *size = all - n - 2;
    return text + n + 1;
}

static bool is_whole(const char *text, size_t n)
{
    return n > 0 && strspn(text, " -0123456789") >= n;
}

bool draw_range(struct axis *a, const char *text)
{
    size_t size;
    const char *in = inside(text, "log", &size);
    a->log = in != NULL;
    in = in ? in : inside(text, "uniform", &size);
    const char *comma = in ? memchr(in, ',', size) : NULL;
    char *end;
    if (!comma)
        return false;
    a->low = strtod(in, &end);
    if (end + strspn(end, " ") != comma)
        return false;
    a->high = strtod(comma + 1, &end);
    if (end + strspn(end, " ") != in + size || !(a->low < a->high) || !isfinite(a->high - a->low) ||
        (a->log && !(a->low > 0)))
        return false;
    a->whole = is_whole(in, (size_t)(comma - in)) && is_whole(comma + 1, (size_t)(in + size - comma - 1));
    return a->range = true;
}

int draw_rule(const char *text, const char *word, const char *argument, int otherwise)
{
    size_t size;
    text += strspn(text, " ");
    if (strcmp(text, word) == 0)
        return otherwise;
    const char *in = inside(text, word, &size);
    if (!in)
        return -1;
    in += strspn(in, " ");
    if (strncmp(in, argument, strlen(argument)) == 0) {
        in += strlen(argument);
        in += strspn(in, " ");
        if (*in++ != '=')
            return 0;
        in += strspn(in, " ");
    }
    char *end;
    long n = strtol(in, &end, 10);
    return end > in && end[strspn(end, " ")] == ')' && n >= 0 && n < 1 << 30 ? (int)n : 0;
}

/* Four digits are enough for a value that was drawn, and people can type them. */
static const char *draw(struct region *r, const struct axis *a, double u)
{
    if (!a->range)
        return a->value[(int)(u * a->n)];
    double top = a->whole ? a->high + 1 : a->high; /* each whole number has its part */
    double x = a->log ? exp(log(a->low) + u * (log(top) - log(a->low))) : a->low + u * (top - a->low);
    x = a->whole ? fmin(floor(x), a->high) : fmin(fmax(x, a->low), a->high);
    return region_printf(r, a->whole ? "%.0f" : "%.4g", x);
}

int draw_rows(struct sweep *s)
{
    const uint32_t key[2] = {0x53574545, s->seed};
    s->nrow = s->draws;
    s->row = region_alloc(s->region, (size_t)s->nrow, sizeof *s->row);
    for (int k = 0; k < s->nrow; k++) {
        struct row *r = &s->row[k];
        r->number = k + 1;
        r->value = region_alloc(s->region, (size_t)s->naxis, sizeof *r->value);
        for (int i = 0; i < s->naxis; i++) {
            uint32_t word[4];
            philox4x32((const uint32_t[4]){(uint32_t)k, (uint32_t)i / 4, 0, 0}, key, word);
            r->value[i] = draw(s->region, &s->axis[i], word[i % 4] * 0x1p-32);
        }
    }
    return 0;
}
