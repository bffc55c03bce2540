/* words.c: the word that a name is, or what to say of one that is none. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

const char *word_kind_text(enum word_kind k)
{
    static const char *const text[] = {
        [WORD_LAYER] = "layer",       [WORD_LOSS] = "loss",           [WORD_OPTIMIZER] = "optimizer",
        [WORD_SCHEDULE] = "schedule", [WORD_TRANSFORM] = "transform", [WORD_AUGMENT] = "augmentation",
        [WORD_METRIC] = "metric",     [WORD_SAVE] = "way to save",    [WORD_STOP] = "way to stop",
        [WORD_CLIP] = "way to clip",  [WORD_SAMPLING] = "sampling",   [WORD_SOURCE] = "source of data",
    };
    return text[k];
}

const char *a_word_kind(struct region *r, enum word_kind k)
{
    return region_printf(r, "a%s %s", strchr("aeio", *word_kind_text(k)) ? "n" : "", word_kind_text(k));
}

/* A word of another kind has this name: say where it belongs. */
static void note_other_kind(struct builder *b, enum word_kind k, const char *name)
{
    for (int i = 0; word_at(i); i++)
        if (word_at(i)->kind != k && strcmp(word_at(i)->name, name) == 0)
            diag_note(b->diag, "`%s` is %s", name, a_word_kind(b->region, word_at(i)->kind));
}

static void list_words(struct builder *b, enum word_kind k, const char *const *name, int n)
{
    const char *all = "";
    for (int i = 0; i < n; i++)
        all = region_printf(b->region, "%s%s%s", all, i ? ", " : "", name[i]);
    if (n)
        diag_help(b->diag, "there %s: %s", k == WORD_LOSS || n > 1 ? "are" : "is", all);
}

/* A row of a table that nobody wrote a rule for must not be taken for another word. */
static const struct word *with_rule(const struct word *w)
{
    const bool is[] = {
        [WORD_LAYER] = w->build,
        [WORD_LOSS] = w->build,
        [WORD_METRIC] = w->build && w->shown,
        [WORD_OPTIMIZER] = w->update,
        [WORD_TRANSFORM] = w->affine || (w->sized && w->picture) || w->use,
        [WORD_AUGMENT] = w->augment,
        [WORD_SCHEDULE] = w->rate,
        [WORD_SAVE] = w->better,
        [WORD_STOP] = w->better && w->enough,
        [WORD_CLIP] = update_clips(w->name),
        [WORD_SAMPLING] = w->weighs,
        [WORD_SOURCE] = w->arg[0].path,
    };
    if (is[w->kind])
        return w;
    fprintf(stderr, "internal error: %s %s has no rule\n", word_kind_text(w->kind), w->name);
    exit(70);
}

const struct word *word_required(struct builder *b, enum word_kind k, const struct call *c)
{
    const struct word *w = word_find(k, c->name);
    if (w)
        return with_rule(w);
    const char **name = NULL;
    int n = 0;
    for (int i = 0; word_at(i); i++) {
        if (word_at(i)->kind != k)
            continue;
        region_grow(b->region, name, n);
        name[n++] = word_at(i)->name;
    }
    int nword = n;
    for (int i = 0; k == WORD_LAYER && i < b->nblock; i++) {
        region_grow(b->region, name, n);
        name[n++] = b->block[i].decl->name;
    }
    const struct foreign *f = foreign_find(k, c->name, NULL);
    const char *near = f ? f->ours : diag_nearest(c->name, name, n);
    diag_error(b->diag, "N0102", c->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "there is no %s `%s`", word_kind_text(k), c->name);
    note_other_kind(b, k, c->name);
    if (f && f->hint)
        diag_help(b->diag, "%s", f->hint);
    else if (!near)
        list_words(b, k, name, nword);
    return NULL;
}
