/* board.c: the event file of TensorBoard: opening it, and what it says of the run's settings. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_HPARAMS = 200, HPARAM_TEXT = 200 };

/* The name that TensorBoard looks for, with time, machine and process, as its own writers have it. */
static bool board_path(const struct job *j, char path[PATH_MAX])
{
    char host[64] = "", name[160];
    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (*c == '/')
            *c = '_';
    snprintf(name, sizeof name, "events.out.tfevents.%lld.%s.%lld.netrun", (long long)time(NULL), host,
             (long long)getpid());
    return run_path(j->folder, name, path);
}

static void list_text(const struct setting *s, char text[HPARAM_TEXT])
{
    *text = '\0';
    for (int i = 0; i < s->n; i++)
        text_append(text, HPARAM_TEXT, "%s%.6g", i ? ", " : "", s->num[i]);
}

/* Settings, and what the run was given beside them; what is shown in a run's row. */
static bool put_hparams(struct job *j)
{
    struct tfevents_hparam hparam[MOST_HPARAMS];
    static const char *const own[] = {"train.seed", "train.batch", "train.epochs", "train.optimizer.lr"};
    char text[MOST_HPARAMS][HPARAM_TEXT], metric[80];
    size_t n = 0;
    const double number[] = {j->recipe.seed, (double)j->recipe.batch, (double)j->recipe.epochs, j->recipe.rate.lr};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        hparam[n++] = (struct tfevents_hparam){.name = own[i], .number = number[i]};
    hparam[n++] = (struct tfevents_hparam){.name = "device", .text = j->device->name};
    for (int i = 0; i < j->plan->nsetting && n < MOST_HPARAMS; i++) {
        const struct setting *s = &j->plan->setting[i];
        bool there = s->n > 20; /* samples */
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            there |= strcmp(s->key, own[k]) == 0;
        if (there)
            continue;
        if (!s->text && s->n != 1)
            list_text(s, text[n]);
        hparam[n] = (struct tfevents_hparam){.name = s->key, .text = s->text ? s->text : s->n != 1 ? text[n] : NULL};
        hparam[n++].number = !s->text && s->n == 1 ? s->num[0] : 0;
    }
    snprintf(metric, sizeof metric, "%s/%s", j->recipe.metrics ? j->recipe.metric[0] : "loss",
             choose_split(j)->count > 0 ? choose_tested(j) : "train");
    const char *slash = strrchr(j->folder, '/'), *const shown = metric;
    return tfevents_hparams(&j->tell.board, wall_time(), slash ? slash + 1 : j->folder, hparam, n, &shown, 1);
}

/* What a process that was killed has told of steps behind the checkpoint is not true of the run that goes on from there. */
static bool begin(struct job *j, FILE *to)
{
    struct tfevents *t = &j->tell.board;
    return tfevents_start(t, to, wall_time()) && put_hparams(j) &&
           (!j->options->resume || tfevents_session(t, wall_time(), j->at.step + 1));
}

void run_board(struct job *j)
{
    char path[PATH_MAX];
    if (j->options->no_tensorboard || !board_path(j, path))
        return;
    FILE *to = fopen(path, "wbe");
    if (!to) {
        warn(&j->tell, "%s: %s: TensorBoard will not see this run", path, strerror(errno));
        return;
    }
    if (begin(j, to)) {
        if (!parameters_open(j))
            warn(&j->tell, "there is no memory for histograms: TensorBoard will see none");
        if (!j->options->into && !j->options->resume) /* runs of a sweep are too alike; the first file has them */
            board_network(j);
        return;
    }
    board_lost(j);
}

void board_lost(struct job *j)
{
    warn(&j->tell, "%s: the event file cannot be written: TensorBoard will not see more of this run", j->folder);
    board_close(j);
    parameters_close(j);
}

void board_close(struct job *j)
{
    if (j->tell.board.to)
        fclose(j->tell.board.to);
    proto_free(&j->tell.board.event);
    j->tell.board.to = NULL;
}
