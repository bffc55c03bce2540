/* plan_open.c: a plan from a file that may be anything: a plan, or a model that is compiled here. */
#include "run.h"
#include "front/override.h"
#include "netc/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "netc-plan ";
enum { HEAD = 4096, MOST = 1 << 30 }; /* bytes: looked at first, and of the whole */

/* By its name, or because the first word behind blank lines and comments is `net`. */
static bool is_model(const char *path, const char *text)
{
    const char *end = strrchr(path, '.');
    if (end && strcmp(end, ".net") == 0)
        return true;
    while (*(text += strspn(text, " \t\r\n")) == '#')
        text += strcspn(text, "\n");
    return strncmp(text, "net ", 4) == 0;
}

static int refuse(const char *path, const char *text, size_t size)
{
    if (size > 9 && text[8] == '{')
        return complain(STATUS_DATA, "%s: these are weights, not a plan\n  = help: netrun PLAN --weights %s ...", path,
                        path);
    return complain(STATUS_DATA,
                    "%s: %s: a plan starts with `%s`\n  = help: netc makes one: netc MODEL.net -o FILE.plan", path,
                    size ? "no plan" : "an empty file", magic);
}

/* The rest, behind the `size` bytes that are in *text; a 0 follows. */
static bool read_rest(FILE *file, char **text, size_t *size, size_t room, size_t most)
{
    for (size_t got = 1; got > 0; *size += got) {
        if (*size == room) {
            char *grown = room < most ? realloc(*text, (room *= 2) + 1) : NULL;
            if (!grown) {
                errno = room < most ? ENOMEM : EFBIG;
                return false;
            }
            *text = grown;
        }
        got = fread(*text + *size, 1, room - *size, file);
    }
    (*text)[*size] = '\0';
    return !ferror(file);
}

int source_read(const char *path, struct source *s)
{
    *s = (struct source){.path = path};
    FILE *file = fopen(path, "rb");
    s->text = file ? calloc(1, HEAD + 1) : NULL;
    s->size = s->text ? fread(s->text, 1, HEAD, file) : 0;
    int status = 0;
    if (!s->text || ferror(file))
        status = complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    else if (strncmp(s->text, magic, strlen(magic)) != 0 && !(s->model = is_model(path, s->text)))
        status = refuse(path, s->text, s->size);
    else if (!read_rest(file, &s->text, &s->size, HEAD, s->model ? MAX_SOURCE : MOST))
        status =
            complain(STATUS_DATA, "%s: %s", path, errno == EFBIG && s->model ? "more than 16 MiB" : strerror(errno));
    if (file)
        fclose(file);
    if (status)
        source_free(s);
    return status;
}

void source_free(struct source *s)
{
    free(s->text);
    s->text = NULL;
}

/* The plan of a text that starts like one. */
static struct plan *read_plan(const char *path, const char *text, size_t size)
{
    struct plan_error e;
    struct plan *plan = plan_read(text, size, &e);
    if (!plan && e.line > 0)
        complain(STATUS_DATA, "%s:%d: %s", path, e.line, e.text);
    else if (!plan || !settings_check(plan, &e)) {
        complain(STATUS_DATA, "%s: %s", path, e.text);
        plan_free(plan);
        plan = NULL;
    }
    return plan;
}

/* "NAME=VALUE" each; false if one is not. The copies are the region's. */
static bool cut_defines(char *const *text, int n, struct define *define, struct region *r)
{
    for (int i = 0; i < n; i++) {
        char *name = region_copy(r, text[i]), *equals = strchr(name, '=');
        if (!equals || equals == name)
            return false;
        *equals = '\0';
        define[i] = (struct define){.name = name, .text = equals + 1};
    }
    return true;
}

int source_plan(const struct source *s, char *const *define, int ndefine, FILE *messages, struct plan **plan)
{
    *plan = NULL;
    if (!s->model && ndefine > 0)
        return complain(STATUS_USAGE,
                        "-D %s: %s is a plan, whose params are numbers already\n"
                        "  = help: give the model: netrun MODEL.net -D %s ...",
                        define[0], s->path, define[0]);
    if (!s->model)
        return (*plan = read_plan(s->path, s->text, s->size)) ? 0 : STATUS_DATA;
    struct region *region = region_new();
    struct define *cut = region_alloc(region, (size_t)ndefine + 1, sizeof *cut);
    size_t size = 0;
    char *text = NULL;
    int status = 0;
    if (!cut_defines(define, ndefine, cut, region))
        status = complain(STATUS_USAGE, "-D needs NAME=VALUE");
    else if (!(text = model_compile(s->path, s->text, s->size, cut, ndefine, messages, &size)))
        status = STATUS_MODEL;
    else if (!(*plan = read_plan(s->path, text, size)))
        status = STATUS_INTERNAL;
    free(text);
    region_free(region);
    return status;
}

struct plan *plan_open(const char *path)
{
    struct source s;
    struct plan *plan = NULL;
    if (source_read(path, &s) == 0)
        source_plan(&s, NULL, 0, stderr, &plan);
    source_free(&s);
    return plan;
}
