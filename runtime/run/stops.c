/* stops.c: the signals that end a training after its step, with a checkpoint. */
#include "run.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_int by; /* the last such signal; several threads may train */

static void stop(int number)
{
    by = number;
}

/* When a signal comes a second time it ends the program, but for SIGPIPE: whoever read what we print has gone, and the rest
 * of it goes nowhere. `heeded`: even where it was ignored before. */
static const struct {
    int number, flags;
    bool heeded;
} signals[] = {
    {SIGINT, (int)SA_RESETHAND, true},
    {SIGTERM, (int)SA_RESETHAND, true},
    {SIGHUP, (int)SA_RESETHAND, false} /* nohup: go on without a terminal */,
    {SIGPIPE, 0, false} /* training: without a reader */,
};
enum { SIGNALS = sizeof signals / sizeof *signals };
static struct sigaction before[SIGNALS];
static atomic_int depth; /* of listeners within each other */

void stops_listen(void)
{
    if (depth++ > 0)
        return;
    by = 0;
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART | signals[i].flags};
        sigemptyset(&action.sa_mask);
        sigaction(signals[i].number, NULL, &before[i]);
        if (signals[i].heeded || before[i].sa_handler != SIG_IGN)
            sigaction(signals[i].number, &action, NULL);
    }
}

void stops_end(void)
{
    if (--depth > 0)
        return;
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i].number, &before[i], NULL);
}

int stopped_by(void)
{
    return by;
}
