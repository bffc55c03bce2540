/* sink_bar.c: on a terminal a live bar, redrawn at most ten times a second. Nothing here allocates. */
#include "tell.h"

#include <string.h>
#include <sys/ioctl.h>

#define REDRAW 0.1 /* seconds between two drawings of the bar */

void bar_text(const struct step_report *s, int width, char *text, size_t size)
{
    enum { CELLS = 24 };
    char tail[160] = "", word[32];
    text_append(tail, sizeof tail, "  %*lld/%lld", digits_of(s->steps), (long long)s->step, (long long)s->steps);
    text_append(tail, sizeof tail, "  loss %s", loss_text(s->loss, word, sizeof word));
    text_append(tail, sizeof tail, "  %s img/s", rate_text(s->per_second, word, sizeof word));
    text_append(tail, sizeof tail, "  ETA %s", duration_text(s->eta, word, sizeof word));
    snprintf(text, size, "epoch %*lld/%lld", digits_of(s->epochs), (long long)s->epoch, (long long)s->epochs);
    if ((int)(strlen(text) + strlen(tail)) + CELLS + 4 <= width) {
        int full = (int)((double)CELLS * (double)s->step / (double)s->steps);
        text_append(text, size, "  [");
        for (int i = 0; i < CELLS; i++)
            text_append(text, size, "%c", i < full ? '=' : i == full ? '>' : ' ');
        text_append(text, size, "]");
    }
    text_append(text, size, "%s", tail);
    if (width > 0 && strlen(text) > (size_t)width)
        text[width] = '\0';
}

static bool draw(FILE *bar, const struct step_report *s)
{
    struct winsize w;
    char text[256];
    int width = ioctl(fileno(bar), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col - 1 : 79;
    bar_text(s, width < 200 ? width : 200, text, sizeof text);
    fprintf(bar, "\r%s\033[K", text);
    bar_stands(bar);
    return fflush(bar) == 0 && !ferror(bar);
}

static bool take(struct tell *t, const struct event *e)
{
    double time = now();
    if (!t->bar || e->kind != EVENT_STEP || time - t->drawn_at < REDRAW)
        return true;
    t->drawn_at = time;
    return draw(t->bar, &e->step);
}

const struct sink sink_bar = {.name = "the bar on stderr", .take = take};
