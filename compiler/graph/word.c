/* word.c: the table of words, gathered from the files under ops/. */
#include "word.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 256 };
static const struct word *words[MAX_WORDS];
static int nword;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_word(const void *a, const void *b)
{
    const struct word *x = *(const struct word *const *)a, *y = *(const struct word *const *)b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static void gather_words(void)
{
    const struct module *m;
    for (int k = 0; (m = module_at(k)); k++)
        for (int i = 0; i < m->nword; i++) {
            if (nword == MAX_WORDS)
                abort();
            words[nword++] = &m->word[i];
        }
    qsort(words, (size_t)nword, sizeof *words, by_word);
}

const struct word *word_at(int i)
{
    pthread_once(&once, gather_words);
    return i < nword ? words[i] : NULL;
}

const struct setting *word_setting(const struct plan *p, const char *key, const struct word *w, int i)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", key, w->arg[i].name);
    return plan_setting(p, name);
}

void metric_shown(const struct word *w, const double *num, char name[METRIC_NAME])
{
    int n = snprintf(name, METRIC_NAME, "%s", w->shown);
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name && n < METRIC_NAME; i++)
        n += snprintf(name + n, METRIC_NAME - (size_t)n, "%.0f", num[i]);
}

bool plan_metric(const struct plan *p, int m, const struct word **w, char name[METRIC_NAME])
{
    char key[40];
    snprintf(key, sizeof key, "train.metrics.%d", m);
    const struct setting *word = plan_setting(p, key);
    *w = word && word->text ? word_find(WORD_METRIC, word->text) : NULL;
    if (!*w || !(*w)->shown)
        return false;
    double num[MAX_WORD_ARGS];
    for (int i = 0; i < MAX_WORD_ARGS && (*w)->arg[i].name; i++) {
        const struct setting *s = word_setting(p, key, *w, i);
        num[i] = s && s->n ? s->num[0] : (*w)->arg[i].otherwise;
    }
    metric_shown(*w, num, name);
    return true;
}

const struct word *metric_named(const char *shown)
{
    for (int i = 0; word_at(i); i++) {
        const struct word *w = word_at(i);
        size_t n = w->kind == WORD_METRIC ? strlen(w->shown) : 0;
        if (n > 0 && strncmp(shown, w->shown, n) == 0 && shown[n + strspn(shown + n, "0123456789")] == '\0')
            return w;
    }
    return NULL;
}

bool metric_is_share(const char *shown)
{
    const struct word *w = metric_named(shown);
    return !w || (!w->sums && !w->ranks);
}

bool metric_falls(const char *shown)
{
    const struct word *w = metric_named(shown);
    return w && w->falls;
}

bool plan_measure(const struct plan *p, const char *name, int *measure)
{
    const struct word *w;
    char metric[METRIC_NAME];
    if (!strcmp(name, "auto") || !strcmp(name, "loss")) {
        *measure = *name == 'a' ? MEASURE_AUTO : MEASURE_LOSS;
        return true;
    }
    for (*measure = 0; plan_metric(p, *measure, &w, metric); ++*measure)
        if (!strcmp(metric, name))
            return true;
    return false;
}

const struct word *word_find(enum word_kind k, const char *name)
{
    pthread_once(&once, gather_words);
    for (int i = 0; i < nword; i++)
        if (words[i]->kind == k && !strcmp(words[i]->name, name))
            return words[i];
    return NULL;
}
