/* word.c: the table of words, gathered from the files under ops/. */
#include "word.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 64 };
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

const struct word *word_find(enum word_kind k, const char *name)
{
    pthread_once(&once, gather_words);
    for (int i = 0; i < nword; i++)
        if (words[i]->kind == k && !strcmp(words[i]->name, name))
            return words[i];
    return NULL;
}
