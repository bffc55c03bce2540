/* data_block.c: what entries of the data section ask of each other, and of the target. */
#include "build.h"

#include <string.h>

struct slot *slot_of(const char *key, struct slot *slots)
{
    const struct key *k = setting_keys;
    while (strcmp(k->name, key) != 0)
        k++;
    return &slots[k - setting_keys];
}

/* A number, or where something is read. */
void sources_place(struct slot *slots)
{
    for (const struct key *k = setting_keys; k->name; k++) {
        struct slot *slot = &slots[k - setting_keys];
        const struct ast *a = k->instead && slot->entry ? slot->entry->value : NULL;
        if (!a || (a->kind != AST_STRING && !(ast_text(a) && word_find(WORD_SOURCE, a->text))))
            continue;
        *slot_of(k->instead, slots) = *slot;
        *slot = (struct slot){0};
    }
}

/* What is read from where: nothing for samples that stand in the file, and no other set without a training set. */
void sources_check(struct builder *b, struct slot *slots)
{
    static const char *const keys[] = {"data.train", "data.test", "data.holdout.from"};
    const struct ast_entry *samples = slot_of("data.samples", slots)->entry;
    for (int i = 0; i < COUNT(keys); i++) {
        const struct ast_entry *e = slot_of(keys[i], slots)->entry;
        if (e && samples) {
            diag_error(b->diag, "N0420", e->loc, NULL, "`%s` is read from files, but the samples stand here", e->path);
            diag_place(b->diag, samples->loc, "set here");
        } else if (e && !slot_of(keys[0], slots)->entry) {
            diag_error(b->diag, "N0420", e->loc, NULL, "`%s` says what is read, and `train` does not", e->path);
            diag_help(b->diag, "for example `train = \"train\"`: a file or folder within that of the data");
        }
    }
}

/* Samples are drawn by their classes, and in no order of their files. */
void sampling_check(struct builder *b, struct slot *slots)
{
    const struct ast_entry *e = slot_of("data.sampling", slots)->entry,
                           *shuffle = slot_of("data.shuffle", slots)->entry;
    const struct value *target = source_of(b, NAME_TARGET);
    if (e && target && (target->t.dtype != DT_I32 || target->t.rank > 0)) {
        diag_error(b->diag, "N0420", e->loc, NULL, "`sampling` goes by the class of a sample, and target `%s` is %s",
                   target->t.name, target->t.dtype == DT_I32 ? "a mask" : "values");
        diag_place(b->diag, target->loc, "declared here");
    }
    for (int i = 0; e && shuffle && i < b->model->nsetting; i++)
        if (strcmp(b->model->setting[i].key, "data.shuffle") == 0 && b->model->setting[i].num[0] == 0) {
            diag_error(b->diag, "N0420", shuffle->loc, NULL,
                       "`sampling` draws samples: they have no order of their files");
            diag_place(b->diag, e->loc, "set here");
        }
}
