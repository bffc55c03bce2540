/* watch.c: --watch, a run seen from another terminal. */
#include "run.h"
#include "base/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BLUE = 34, YELLOW = 33, LINES = 24, COLUMNS = 80, LEAST_COLUMNS = 40, AROUND = 9 };

/* What is left of the terminal for two charts. */
struct room {
    int width, height; /* of one chart's curves */
    bool terminal, colour;
};

static struct room look(void)
{
    struct winsize size = {0};
    struct room r = {.terminal = isatty(STDOUT_FILENO) == 1};
    const char *none = getenv("NO_COLOR"), *forced = getenv("CLICOLOR_FORCE");
    r.colour = (r.terminal && !(none && *none)) || (forced && *forced && strcmp(forced, "0") != 0);
    if (!r.terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < LEAST_COLUMNS)
        size.ws_col = COLUMNS;
    if (size.ws_row < LINES)
        size.ws_row = LINES;
    r.width = size.ws_col - 1;
    r.height = (size.ws_row - AROUND) / 2;
    return r;
}

/* `what` of the training and of the test set against steps: "loss", "accuracy". */
static void draw(const struct history *h, const struct room *r, const char *what, bool share)
{
    static const char *const set[] = {"train", "holdout", "test"};
    struct chart_line line[CHART_LINES];
    double low = INFINITY, high = 0;
    int n = 0;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        char name[100];
        snprintf(name, sizeof name, "%s.%s", set[i], what);
        const double *y = history_column(h, name), *x = history_column(h, "steps");
        if (!x || !y)
            continue;
        line[n] = (struct chart_line){set[i], x, y, h->epochs, n ? YELLOW : BLUE};
        n++;
        for (size_t e = 0; e < h->epochs; e++) {
            low = y[e] > 0 && y[e] < low ? y[e] : low;
            high = isfinite(y[e]) && y[e] > high ? y[e] : high;
        }
    }
    struct chart c = {.title = what,
                      .width = r->width,
                      .height = r->height,
                      .logarithmic = !share && high / low >= 10,
                      .share = share,
                      .colour = r->colour,
                      .lines = n,
                      .line = line};
    chart_draw(&c, stdout);
}

static void show(const char *folder, const struct history *h)
{
    const struct room r = look();
    const char *metric = history_metric(h);
    const double *seconds = history_column(h, "seconds");
    char text[32];
    if (r.terminal)
        fputs("\033[H\033[J", stdout);
    printf("%s: %zu epoch%s%s", folder, h->epochs, h->epochs == 1 ? "" : "s", h->ended ? ", ended" : "");
    if (seconds && h->epochs > 0)
        printf(", the last in %s", duration_text(seconds[h->epochs - 1], text, sizeof text));
    printf("\n\n");
    draw(h, &r, "loss", false);
    printf("\n");
    if (metric)
        draw(h, &r, metric, true);
    fflush(stdout);
}

/* Till the run has ended, or for ever: a run that was killed may be taken up again. Off a terminal, once. */
int watch(const struct options *o)
{
    char folder[PATH_MAX];
    struct history h;
    size_t before = SIZE_MAX;
    bool more = true;
    while (more) {
        int status = run_history(o, o->predictions ? o->predict[0] : "last", folder, &h);
        if (status)
            return status;
        if (h.epochs != before || h.ended)
            show(folder, &h);
        before = h.epochs;
        more = isatty(STDOUT_FILENO) && !h.ended && !ferror(stdout);
        history_free(&h);
        if (more)
            nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    }
    return 0;
}
