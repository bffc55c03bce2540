/* model.c: the compiler as a function: from the text of a model to the text of its plan, for programs that run it at once. */
#include "compile.h"
#include "base/options.h"

#include <stdlib.h>

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
