#include "gnuplot.h"

#include "base/atomic_file.h"
#include "cpu/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void gnuplot_text(const char *text, FILE *out)
{
    fputc('\'', out);
    for (; *text; text++)
        if ((unsigned char)*text >= ' ')
            fprintf(out, *text == '\'' ? "''" : "%c", *text);
    fputc('\'', out);
}

static void run(const char *path, const char *stem, char *why, size_t size)
{
    char output[500] = "", argument[2 * PATH_MAX] = "";
    struct command c = {0};
    char *gnuplot = command_find("gnuplot");
    *why = '\0';
    if (!gnuplot) {
        snprintf(why, size, "there is no gnuplot (`make deps` installs it)");
        return;
    }
    int status = -1;
    FILE *f = strlen(stem) < PATH_MAX - 20 ? fmemopen(argument, sizeof argument, "w") : NULL;
    if (f) {
        fputs("stem = ", f);
        gnuplot_text(stem, f);
        fclose(f);
    }
    if (!*argument)
        snprintf(output, sizeof output, "its path is too long");
    else if (command_add(&c, "gnuplot") && command_add(&c, "-e") && command_add(&c, argument) && command_add(&c, path))
        status = command_run(&c, gnuplot, output, sizeof output);
    if (status != 0)
        snprintf(why, size, "gnuplot failed%s%s", *output ? ": " : "", output);
    command_free(&c);
    free(gnuplot);
}

bool gnuplot_draw(char *script, const char *stem, char *why, size_t size, struct data_error *error)
{
    char path[PATH_MAX];
    *why = '\0';
    bool good = script || data_fail(error, "%s.gp: out of memory", stem);
    if (good && snprintf(path, sizeof path, "%s.gp", stem) >= (int)sizeof path)
        good = data_fail(error, "%s.gp: too long a path", stem);
    good = good && atomic_save(path, script, strlen(script), error);
    free(script);
    if (good)
        run(path, stem, why, size);
    return good;
}
