/* live.c: a sweep while it runs: finished rows on stdout, those that run below them on the terminal. */
#include "sweep.h"

#include <string.h>
#include <xxhash.h>

void live_clear(struct sweep *s)
{
    if (s->drawn > 0)
        fprintf(s->screen, "\033[%dA\r\033[J", s->drawn);
    if (s->screen)
        fflush(s->screen);
    s->drawn = 0;
}

void live_draw(struct sweep *s, bool at_once)
{
    double time = now();
    if (!s->screen || (!at_once && time - s->drawn_at < 0.1))
        return;
    live_clear(s);
    s->drawn_at = time;
    for (const struct row *r = s->row; r < s->row + s->nrow; r++) {
        char loss[32] = "-", epochs[48] = "-";
        if (!r->running)
            continue;
        if (r->epochs > 0) {
            snprintf(epochs, sizeof epochs, "%lld/%lld", (long long)(r->epoch < r->epochs ? r->epoch + 1 : r->epochs),
                     (long long)r->epochs);
            loss_text(r->now_loss, loss, sizeof loss);
        }
        fprintf(s->screen, ">%4d  %7s  %8s  ", r->number, epochs, loss);
        for (int i = 0; i < s->naxis; i++)
            fprintf(s->screen, "%s%s = %s", i ? ", " : "", s->axis[i].shown, r->value[i]);
        fputc('\n', s->screen);
        s->drawn++;
    }
    fflush(s->screen);
}

void live_row(struct sweep *s, const struct row *r)
{
    live_clear(s);
    if (s->lines) {
        sweep_line(s, r, ' ', s->lines);
        fflush(s->lines);
    }
    live_draw(s, true);
}

void live_note(struct sweep *s, const char *text)
{
    uint64_t hash = XXH3_64bits(text, strlen(text));
    for (int i = 0; i < s->nsaid; i++)
        if (s->said[i] == hash)
            return;
    if (s->nsaid == (int)(sizeof s->said / sizeof *s->said))
        return;
    s->said[s->nsaid++] = hash;
    live_clear(s);
    fprintf(stderr, "netrun: %s\n", text);
    live_draw(s, true);
}
