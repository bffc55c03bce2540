#include "teach.h"
#include "base/base.h"
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static int number_of(const char *name, size_t n)
{
    for (int i = 0; i < lesson_count; i++)
        if (strlen(lessons[i].name) == n && strncmp(lessons[i].name, name, n) == 0)
            return i;
    return -1;
}

static int no_such(const char *name, size_t n)
{
    const char *known[32];
    char given[40], all[400] = "";
    snprintf(given, sizeof given, "%.*s", (int)n, name);
    for (int i = 0; i < lesson_count; i++) {
        known[i] = lessons[i].name;
        text_append(all, sizeof all, "%s, ", known[i]);
    }
    const char *near = diag_nearest(given, known, lesson_count);
    return near ? complain(STATUS_USAGE, "--no-warn %s: no warning has that name; did you mean `%s`?", given, near)
                : complain(STATUS_USAGE, "--no-warn %s: no warning has that name; they are %sall", given, all);
}

int teach_silence(const char *names, unsigned *silent)
{
    for (;; names++) {
        size_t n = strcspn(names, ",");
        int i = number_of(names, n);
        if (n == strlen("all") && strncmp(names, "all", n) == 0)
            *silent = ~0u;
        else if (i < 0)
            return no_such(names, n);
        else
            *silent |= 1u << i;
        names += n;
        if (!*names)
            return 0;
    }
}

unsigned teach_set(const char *name)
{
    int i = number_of(name, strlen(name));
    return i < 0 ? 0 : 1u << i;
}

const char *teach_name(unsigned set, int i)
{
    for (int k = 0; k < lesson_count; k++)
        if (set >> k & 1 && i-- == 0)
            return lessons[k].name;
    return NULL;
}

bool teach_may(struct job *j, const char *name)
{
    int i = number_of(name, strlen(name));
    if (i < 0 || (j->taught.said | j->options->silent) >> i & 1)
        return false;
    j->taught.said |= 1u << i;
    return true;
}

/* Lessons of a kind that may still be said. */
static bool any_left(const struct job *j, unsigned when)
{
    for (int i = 0; i < lesson_count; i++)
        if (lessons[i].when & when && !((j->taught.said | j->options->silent) >> i & 1))
            return true;
    return false;
}

/* ---- the training set ---- */

/* Classes and their order. An order by lot has (n - 1) (1 - sum of p^2) changes. */
static bool count_classes(struct job *j)
{
    const struct data_split *s = &j->data.train;
    struct taught *t = &j->taught;
    int64_t classes = samples_classes(j->plan), last = -1;
    double same = 0;
    if (classes <= 0 || s->label.rank != 0 || s->label.type == DATA_F32)
        return true;
    int64_t *count = calloc((size_t)classes, sizeof *count);
    for (int64_t i = 0; count && i < s->count; i++) {
        int64_t class = data_class(s, i);
        if (class < 0 || class >= classes)
            continue;
        count[class]++;
        t->changes += last >= 0 && class != last;
        last = class;
    }
    for (int64_t c = 0; count && c < classes; c++) {
        double share = (double)count[c] / (double)s->count;
        t->classes += count[c] > 0;
        t->only = count[c] > 0 ? c : t->only;
        t->entropy -= share > 0 ? share * log(share) : 0;
        same += share * share;
    }
    t->changes_expected = (double)(s->count - 1) * (1 - same);
    free(count);
    return count;
}

/* ---- what an earlier process of the run has said and seen ---- */

static void take_losses(struct job *j, const char *path)
{
    struct history h;
    struct data_error e;
    if (!history_read(path, &h, &e))
        return;
    const double *train = history_column(&h, "train.loss"), *test = history_tested(&h, "loss");
    for (size_t i = 0; i < EPOCHS_KEPT && i < h.epochs; i++) {
        j->taught.train[i] = train ? train[h.epochs - 1 - i] : NAN;
        j->taught.test[i] = test ? test[h.epochs - 1 - i] : NAN;
    }
    history_free(&h);
}

static void take_said(struct job *j, const char *path)
{
    FILE *from = fopen(path, "re");
    char *line = NULL, name[64];
    size_t room = 0;
    while (from && getline(&line, &room, from) > 0) {
        if (!strstr(line, "\"event\":\"warning\""))
            continue;
        for (int i = 0; i < lesson_count; i++) {
            snprintf(name, sizeof name, "\"name\":\"%s\"", lessons[i].name);
            j->taught.said |= strstr(line, name) ? 1u << i : 0;
        }
    }
    free(line);
    if (from)
        fclose(from);
}

/* ---- saying it ---- */

static void say_it(struct job *j, const struct teaching *lesson, struct remark *m)
{
    const struct plan *p = j->plan;
    char line[LAYER_TEXT], place[PATH_MAX + LAYER_TEXT + 32] = "";
    if (m->found.line == 0 && lesson->setting)
        m->found.line = layer_setting(p, lesson->setting);
    if (m->found.line > 0)
        snprintf(place, sizeof place, "%.400s:%lld: `%s`: ", p->file, (long long)m->found.line,
                 layer_line(p, m->found.line, line));
    m->found.name = lesson->name;
    m->found.layer = *m->layer ? m->layer : NULL;
    warn_of(&j->tell, &m->found, !j->options->into, "%s%s\n  = help: %s\n  = note: --no-warn %s silences this", place,
            m->text, m->help, lesson->name);
}

static void ask(struct job *j, unsigned when, const struct epoch_report *r)
{
    for (int i = 0; i < lesson_count; i++) {
        const struct teaching *lesson = &lessons[i];
        struct remark m = {0};
        if (lesson->when & when && lesson->is_so && !((j->taught.said | j->options->silent) >> i & 1) &&
            lesson->is_so(j, r, &m) && teach_may(j, lesson->name))
            say_it(j, lesson, &m);
    }
}

/* ---- the training ---- */

int teach_begin(struct job *j)
{
    char path[PATH_MAX];
    struct taught *t = &j->taught;
    for (int i = 0; i < EPOCHS_KEPT; i++)
        t->train[i] = t->test[i] = NAN;
    if (!count_classes(j) || !look_open(&t->look, j))
        return complain(STATUS_INTERNAL, "out of memory");
    if (j->options->resume && run_path(j->folder, "metrics.jsonl", path)) {
        take_said(j, path);
        take_losses(j, path);
    }
    ask(j, LESSON_START, NULL);
    return 0;
}

void teach_end(struct job *j)
{
    look_close(&j->taught.look);
}

int64_t teach_next(const struct job *j)
{
    int64_t from = look_from(j);
    if (!j->taught.look.room || j->at.in_epoch >= from || !any_left(j, LESSON_LOOK))
        return INT64_MAX;
    return j->at.step + from - j->at.in_epoch;
}

bool teach_looks(struct job *j)
{
    return j->taught.look.room && j->at.in_epoch >= look_from(j) && any_left(j, LESSON_LOOK);
}

void teach_seen(struct job *j)
{
    if (j->taught.look.room && any_left(j, LESSON_LOOK))
        look_end(&j->taught.look);
}

static void push(double list[EPOCHS_KEPT], double value)
{
    memmove(list + 1, list, (EPOCHS_KEPT - 1) * sizeof *list);
    list[0] = value;
}

void teach_epoch(struct job *j, const struct epoch_report *r)
{
    push(j->taught.train, r->train.loss);
    push(j->taught.test, r->test.n > 0 ? r->test.loss : NAN);
    ask(j, LESSON_EPOCH, r);
    if (j->taught.look.room)
        look_begin(&j->taught.look);
}
