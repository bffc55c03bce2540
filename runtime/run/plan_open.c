/* plan_open.c: a plan from a file that may be anything. */
#include "run.h"
#include "front/override.h"

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

static void refuse(const char *path, const char *text, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    int stem = (int)(dot && dot > name ? dot - name : (long)strlen(name));
    if (is_model(path, text))
        complain(STATUS_DATA,
                 "%s: this is a model; netrun takes the plan that netc makes of it\n"
                 "  = help: netc %s -o %.*s.plan, and then netrun %.*s.plan ...",
                 path, path, stem, name, stem, name);
    else if (size > 9 && text[8] == '{')
        complain(STATUS_DATA, "%s: these are weights, not a plan\n  = help: netrun PLAN --weights %s ...", path, path);
    else
        complain(STATUS_DATA, "%s: %s: a plan starts with `%s`\n  = help: netc makes one: netc MODEL.net -o FILE.plan",
                 path, size ? "no plan" : "an empty file", magic);
}

/* The rest, behind the `size` bytes that are in *text. */
static bool read_rest(FILE *file, char **text, size_t *size, size_t room)
{
    for (size_t got = 1; got > 0; *size += got) {
        if (*size == room) {
            char *grown = room < MOST ? realloc(*text, room *= 2) : NULL;
            if (!grown) {
                errno = room < MOST ? ENOMEM : EFBIG;
                return false;
            }
            *text = grown;
        }
        got = fread(*text + *size, 1, room - *size, file);
    }
    return !ferror(file);
}

struct plan *plan_open(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? calloc(1, HEAD + 1) : NULL;
    size_t size = text ? fread(text, 1, HEAD, file) : 0;
    struct plan *plan = NULL;
    struct plan_error e;
    if (!text || ferror(file))
        complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    else if (strncmp(text, magic, strlen(magic)) != 0)
        refuse(path, text, size);
    else if (!read_rest(file, &text, &size, HEAD))
        complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    else if (!(plan = plan_read(text, size, &e)) && e.line > 0)
        complain(STATUS_DATA, "%s:%d: %s", path, e.line, e.text);
    else if (!plan || !settings_check(plan, &e)) {
        complain(STATUS_DATA, "%s: %s", path, e.text);
        plan_free(plan);
        plan = NULL;
    }
    free(text);
    if (file)
        fclose(file);
    return plan;
}
