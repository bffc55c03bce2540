/* Names: each stands for one thing. Of ops over all tables, of words within their kind, of other frameworks within theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "front/build.h"

/* Derived ops (`relu.da`) are found by the same look-up as those of the tables. */
static void test_ops(void **state)
{
    const struct module *m;
    bool good = true;
    (void)state;
    for (int k = 0; (m = module_at(k)); k++)
        for (int i = 0; i < m->nop; i++) {
            const struct op *op = &m->op[i];
            if (op_find(op->name) != op) {
                print_error("op %s is there twice\n", op->name);
                good = false;
            }
            if (strchr(op->name, '.')) {
                print_error("op %s is called as derived ones are\n", op->name);
                good = false;
            }
        }
    for (int i = 1; op_at(i); i++)
        if (!strcmp(op_at(i - 1)->name, op_at(i)->name)) {
            print_error("op %s is there twice\n", op_at(i)->name);
            good = false;
        }
    assert_true(good);
}

static void test_words(void **state)
{
    bool good = true;
    (void)state;
    for (int i = 0; word_at(i); i++) {
        const struct word *w = word_at(i), *before = i ? word_at(i - 1) : NULL;
        if (before && before->kind == w->kind && !strcmp(before->name, w->name)) {
            print_error("%s %s is there twice\n", word_kind_text(w->kind), w->name);
            good = false;
        }
        for (int k = 0; k < arg_count(w); k++)
            if (arg_index(w, w->arg[k].name) != k) {
                print_error("%s %s has two arguments %s\n", word_kind_text(w->kind), w->name, w->arg[k].name);
                good = false;
            }
        for (int k = 0; w->kind == WORD_METRIC && k < i; k++)
            if (word_at(k)->kind == WORD_METRIC && !strcmp(word_at(k)->shown, w->shown)) {
                print_error("%s and %s are shown as %s\n", word_at(k)->name, w->name, w->shown);
                good = false;
            }
    }
    assert_true(good);
}

/* Some word has this argument. */
static bool is_argument(const char *name)
{
    for (int i = 0; word_at(i); i++)
        if (arg_index(word_at(i), name) >= 0)
            return true;
    return false;
}

static bool is_key(const char *name)
{
    char path[80];
    snprintf(path, sizeof path, "train.%s", name);
    if (setting_key(path))
        return true;
    snprintf(path, sizeof path, "data.%s", name);
    return setting_key(path) != NULL;
}

static bool is_ours(const struct foreign *f)
{
    if (f->kind < WORD_KINDS)
        return word_find((enum word_kind)f->kind, f->ours) != NULL;
    return f->kind == FOREIGN_ARG ? is_argument(f->ours) : f->kind == FOREIGN_KEY ? is_key(f->ours) : true;
}

/* What is ours is there, what is not is reached: a name of ours is looked up before those of others. */
static void test_foreign(void **state)
{
    bool good = true;
    (void)state;
    for (const struct foreign *f = foreign_names; f->name; f++) {
        const char *wrong = NULL;
        if (f->ours && !is_ours(f))
            wrong = "what it is said to be is not there";
        else if (f->kind < WORD_KINDS && word_find((enum word_kind)f->kind, f->name))
            wrong = "it is a name of ours";
        else if (f->kind != FOREIGN_ARG && foreign_find(f->kind, f->name, NULL) != f)
            wrong = "it is there twice";
        else if (!f->ours && !f->hint)
            wrong = "nothing is said of it";
        if (wrong)
            print_error("%s: %s\n", f->name, wrong);
        good &= !wrong;
    }
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ops),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
