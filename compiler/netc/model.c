/* model.c: the compiler as a function: from the text of a model to the text of its plan, for programs that run it at once. */
#include "compile.h"
#include "base/options.h"

#include <stdlib.h>
#include <string.h>

char *model_compile(const char *file, char *text, size_t length, struct define *define, int ndefine, FILE *messages,
                    size_t *size)
{
    struct region *region = region_new();
    struct compilation c = {.file = file,
                            .text = text,
                            .length = length,
                            .define = define,
                            .ndefine = ndefine,
                            .region = region,
                            .diag = {.file = file, .text = text, .out = messages, .region = region},
                            .target = &target_cpu};
    c.diag.colour = option_colour(COLOUR_AUTO, messages);
    bool good = run_passes(&c, NULL);
    diag_flush(&c.diag);
    char *plan = NULL;
    FILE *out = good ? open_memstream(&plan, size) : NULL;
    bool written = out && plan_write(c.plan, out);
    if (out && fclose(out) != 0)
        written = false;
    if (good && !written) {
        fprintf(messages, "out of memory\n");
        free(plan);
        plan = NULL;
    }
    region_free(region);
    return plan;
}

/* The params of the plan as -D would give them. */
static struct define *defines_of(const struct plan *p, struct region *r, int *n)
{
    static const char prefix[] = "param.";
    struct define *list = NULL;
    *n = 0;
    for (const struct setting *s = p->setting; s < p->setting + p->nsetting; s++) {
        if (strncmp(s->key, prefix, sizeof prefix - 1) != 0 || (!s->text && s->n < 1))
            continue;
        const char *value = s->text ? s->text : region_printf(r, s->n > 1 ? "[%.17g" : "%.17g", s->num[0]);
        for (int i = 1; !s->text && i < s->n; i++)
            value = region_printf(r, "%s, %.17g%s", value, s->num[i], i + 1 < s->n ? "" : "]");
        region_grow(r, list, *n);
        list[(*n)++] = (struct define){.name = s->key + sizeof prefix - 1, .text = value};
    }
    return list;
}

bool model_again(const struct plan *p, struct region *r, struct compilation *c)
{
    char *text = region_copy(r, p->source ? p->source : ""), *said = NULL;
    size_t size;
    FILE *messages = open_memstream(&said, &size);
    *c = (struct compilation){.file = p->file,
                              .text = text,
                              .length = strlen(text),
                              .region = r,
                              .diag = {.file = p->file, .text = text, .out = messages, .region = r},
                              .target = &target_cpu};
    c->define = defines_of(p, r, &c->ndefine);
    bool good = messages && *text && run_passes(c, NULL);
    if (messages)
        fclose(messages);
    free(said);
    return good;
}
