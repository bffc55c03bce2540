/* transforms.c: what a list of transforms has to be as a whole: of pictures, sounds or tables first, then of numbers. */
#include "build.h"

#include <string.h>

static const char *kind_of(const struct word *w)
{
    return w->use ? "columns" : w->sound ? "sounds" : "pictures";
}

static void add_picture(struct builder *b, struct transforms *t, const struct word *w, const struct args *args,
                        struct loc loc)
{
    struct picture_step *s = &t->step[t->pictures++];
    s->word = w;
    for (int i = 0; i < arg_count(w); i++)
        s->num[i] = args->num[i][0];
    t->mixed |= t->step[0].word->sound != w->sound;
    if (t->step[0].word->sound != w->sound)
        diag_error(b->diag, "N0420", loc, NULL, "`%s` is for %s, but `%s` is for %s", w->name, kind_of(w),
                   t->step[0].word->name, kind_of(t->step[0].word));
}

/* Each column is named once. */
static void add_columns(struct builder *b, struct transforms *t, const struct args *args)
{
    for (const char *name = args->text[0]; name; name = next_line(name)) {
        const char *column = region_printf(b->region, "%.*s", (int)strcspn(name, "\n"), name);
        for (int k = 0; k < t->columns; k++)
            if (strcmp(t->column[k].text, column) == 0) {
                diag_error(b->diag, "N0406", args->loc[0], NULL, "column \"%s\" is given twice", column);
                diag_place(b->diag, t->column[k].loc, "given here");
                return;
            }
        region_grow(b->region, t->column, t->columns);
        t->column[t->columns++] = (struct ast_name){column, args->loc[0]};
    }
}

void transforms_add(struct builder *b, struct transforms *t, const struct word *w, const struct args *args,
                    struct loc loc)
{
    bool *once = w->learns ? &t->learns : w->use == COLUMN_FILL ? &t->fills : NULL;
    if (once && *once)
        diag_error(b->diag, "N0406", loc, NULL, "`%s` is given twice", w->name);
    if (once)
        *once = true;
    if (w->affine) {
        t->numbers = t->numbers ? t->numbers : w;
        return;
    }
    if (t->numbers)
        diag_error(b->diag, "N0420", loc, NULL, "`%s` is for %s, and `%s` has made numbers of them: put it before",
                   w->name, kind_of(w), t->numbers->name);
    if (w->use && !b->table) {
        diag_error(b->diag, "N0420", loc, NULL, "`%s` is for columns of a table, and the target is not from one",
                   w->name);
        diag_help(b->diag, "for example `target y : class[3] from \"species\"`");
    } else if (!w->use && b->table) {
        diag_error(b->diag, "N0420", loc, NULL, "`%s` is for %s, and the target is from a table", w->name, kind_of(w));
        diag_place(b->diag, b->table->from->loc, "a column of it");
    }
    if (!w->use)
        add_picture(b, t, w, args, loc);
    else if (w->use != COLUMN_FILL)
        add_columns(b, t, args);
    if (w->use == COLUMN_CATEGORY)
        t->categories += args->count[1];
}

/* Sounds are channels of so many values, which stand in one row where the network convolves them. */
static void check_sounds(struct builder *b, const struct value *input, int64_t length, struct loc loc)
{
    const struct tensor *t = &input->t;
    const int64_t last = t->rank ? t->dim[t->rank - 1] : 0;
    if (t->rank < 1 || t->rank > 3 || (t->rank == 3 && t->dim[1] != 1))
        diag_error(b->diag, "N0420", loc, NULL, "sounds are channels of one row of values, but input `%s` is %s",
                   t->name, shape_words(b->region, input));
    else if (t->rank == 1 ? last % length != 0 : last != length)
        diag_error(b->diag, "N0420", loc, NULL, "these transforms leave %lld values, but input `%s` is %s",
                   (long long)length, t->name, shape_words(b->region, input));
}

/* What of their result is known has to be the input's. */
static void check_pictures(struct builder *b, const struct transforms *p, struct loc loc)
{
    const struct value *input = input_of(b);
    struct pixels made = {.sound = p->pictures > 0 && p->step[0].word->sound};
    const char *why = picture_sized(p->step, p->pictures, &made);
    if (!input || p->pictures == 0 || p->mixed)
        return;
    if (made.sound && !why) {
        check_sounds(b, input, made.width, loc);
        return;
    }
    const struct tensor *t = &input->t;
    const bool image = t->rank == 2 || t->rank == 3;
    const int64_t channels = t->rank == 3 ? t->dim[0] : 1, *side = t->dim + (t->rank == 3);
    if (why)
        diag_error(b->diag, "N0420", loc, NULL, "a %s %s", made.sound ? "sound" : "picture", why);
    else if (t->rank != 1 && !image)
        diag_error(b->diag, "N0420", loc, NULL, "pictures are channels, rows and columns, but input `%s` is %s",
                   t->name, shape_words(b->region, input));
    else if (image && made.channels && made.channels != channels)
        diag_error(b->diag, "N0420", loc, NULL, "these transforms leave %d channel%s, but input `%s` is %s",
                   made.channels, made.channels > 1 ? "s" : "", t->name, shape_words(b->region, input));
    else if (image && made.height && (made.height != side[0] || made.width != side[1]))
        diag_error(b->diag, "N0420", loc, NULL, "these transforms leave %lld rows of %lld pixels, but input `%s` is %s",
                   (long long)made.height, (long long)made.width, t->name, shape_words(b->region, input));
}

/* A target is no input; and what OneHot makes is a part of it. */
static void check_columns(struct builder *b, const struct transforms *t, struct loc loc)
{
    const struct value *input = input_of(b);
    for (int i = 0; i < t->columns && b->from; i++)
        for (const char *target = b->from; target; target = next_line(target))
            if (strlen(t->column[i].text) == strcspn(target, "\n") &&
                strncmp(t->column[i].text, target, strlen(t->column[i].text)) == 0) {
                diag_error(b->diag, "N0420", t->column[i].loc, NULL, "column \"%s\" is the target, and no input",
                           t->column[i].text);
                diag_place(b->diag, b->table->from->loc, "target");
            }
    if (input && t->categories > value_elements(input)) {
        diag_error(b->diag, "N0420", loc, NULL, "OneHot makes %lld numbers of a row, but input `%s` is %s",
                   (long long)t->categories, input->t.name, shape_words(b->region, input));
        diag_place(b->diag, input->loc, "declared here");
    }
}

void transforms_check(struct builder *b, const struct transforms *t, struct loc loc)
{
    check_pictures(b, t, loc);
    check_columns(b, t, loc);
}
