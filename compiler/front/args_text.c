/* args_text.c: arguments that are texts in quotes: paths, and choices, which need no quotes. */
#include "build.h"

#include <string.h>

const char *arg_texts(const struct arg *a, struct region *r)
{
    const char *choices = NULL;
    for (const char *const *c = a->choice; c && *c; c++)
        choices = region_printf(r, "%s%s\"%s\"", choices ? choices : "", !choices ? "" : c[1] ? ", " : " or ", *c);
    if (choices)
        return choices;
    return a->path ? "a path within the folder of data, without `..`, in quotes" : "a text in quotes";
}

static bool stays_within(const char *path)
{
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (strcmp(part, "..") == 0 || strncmp(part, "../", 3) == 0)
            return false;
    return *path != '/';
}

bool arg_takes_text(const struct arg *a, const char *text)
{
    bool fits = !a->choice && (*text || !a->required) && (!a->path || stays_within(text));
    for (const char *const *c = a->choice; c && *c; c++)
        fits |= strcmp(*c, text) == 0;
    return fits;
}

bool text_read(struct builder *b, const struct word *w, const struct arg *a, const struct ast *given, const char **text)
{
    const bool quoted = given->kind == AST_STRING || (a->choice && given->kind == AST_NAME);
    if (quoted && arg_takes_text(a, given->text)) {
        *text = given->text;
        return true;
    }
    diag_error(b->diag, "N0403", given->loc, NULL, "`%s` of `%s` is %s", a->name, w->name, arg_texts(a, b->region));
    return false;
}
