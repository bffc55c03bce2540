/* sink_lines.c: what people read: one line an epoch. Nothing here allocates. */
#include "tell.h"

#include <stdarg.h>
#include <string.h>

/* ---- the line of an epoch ---- */

enum { LINE = 80 };                      /* columns */
static const char indent[] = "\n          ";              /* what does not fit goes on in a line of its own */

static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;      /* not the inside of a character of UTF-8 */
    return n;
}

struct line { char *text; size_t size; int used; };      /* used: columns of the last one */

/* Adds two spaces and a piece. `room` > 0: it may be left out, and is where so many columns are not free; room for the
 * widest of its kind keeps it from coming and going from epoch to epoch. */
static void piece(struct line *l, int room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void piece(struct line *l, int room, const char *format, ...)
{
    char text[LINE] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int width = columns(text);
    bool fits = l->used + 2 + (room > width ? room : width) <= LINE;
    if (!fits && room > 0)
        return;
    text_append(l->text, l->size, "%s%s", fits ? "  " : indent, text);
    l->used = (fits ? l->used + 2 : (int)sizeof indent - 2) + width;
}

void epoch_text(const struct epoch_report *r, char *text, size_t size)
{
    char word[32];
    struct line l = { text, size, 0 };
    l.used = snprintf(text, size, "epoch %*lld/%lld", digits_of(r->epochs), (long long)r->epoch, (long long)r->epochs);
    piece(&l, 0, "loss %s", loss_text(r->train_loss, word, sizeof word));
    if (r->tested)
        piece(&l, 0, "test %s", loss_text(r->test_loss, word, sizeof word));
    for (int m = 0; r->tested && m < r->metrics; m++) {
        struct interval i = wilson(r->correct[m], r->n);
        char either[32] = "";
        if (!r->synthetic)
            snprintf(either, sizeof either, " ± %.2f", 50 * (i.high - i.low));
        piece(&l, 0, "%s %5.2f%s %%", r->metric[m], 100.0 * (double)r->correct[m] / (double)r->n, either);
    }
    if (r->synthetic)
        piece(&l, 0, "synthetic");
    piece(&l, 0, "%s", r->best ? "best" : "    ");
    piece(&l, 0, "%s", short_duration_text(r->seconds, word, sizeof word));
    if (r->eta >= 0)
        piece(&l, sizeof "ETA 99.9 min" - 1, "ETA %s", short_duration_text(r->eta, word, sizeof word));
    piece(&l, sizeof "999.9k img/s" - 1, "%s img/s", rate_text(r->per_second, word, sizeof word));
}
