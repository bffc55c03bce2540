#include "renames.h"

#include "run.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100000 }; /* rows */

static bool add(struct renames *r, const char *from, size_t length, const char *to)
{
    struct rename *row = realloc(r->row, (r->n + 1) * sizeof *row);
    if (!row)
        return false;
    r->row = row;
    row[r->n] = (struct rename){strndup(from, length), strdup(to), false};
    return row[r->n].from && row[r->n++].to;
}

/* "OLD=NEW"; neither is empty. */
static int add_pair(struct renames *r, const char *text, const char *where)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1] || strchr(equals + 1, '='))
        return complain(STATUS_USAGE, "%s: expected OLD=NEW, such as features.0=conv1, not `%s`", where, text);
    if (r->n == MOST)
        return complain(STATUS_USAGE, "%s: more than %d names", where, MOST);
    for (size_t i = 0; i < r->n; i++)
        if (strlen(r->row[i].from) == (size_t)(equals - text) &&
            !strncmp(r->row[i].from, text, (size_t)(equals - text)))
            return complain(STATUS_USAGE, "%s: `%s` has a new name already: %s", where, r->row[i].from, r->row[i].to);
    return add(r, text, (size_t)(equals - text), equals + 1) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

static char *trim(char *line)
{
    while (isspace((unsigned char)*line))
        line++;
    size_t n = strlen(line);
    while (n > 0 && isspace((unsigned char)line[n - 1]))
        line[--n] = '\0';
    return line;
}

static int add_file(struct renames *r, const char *path)
{
    char *line = NULL, where[PATH_MAX + 32];
    size_t room = 0;
    int status = 0;
    FILE *in = fopen(path, "re");
    if (!in)
        return complain(STATUS_USAGE, "--map %s: expected OLD=NEW, or a file of such lines: %s", path, strerror(errno));
    const char **file = realloc(r->file, (r->files + 1) * sizeof *file);
    if (file) {
        r->file = file;
        file[r->files++] = path;
    } else
        status = complain(STATUS_INTERNAL, "out of memory");
    for (int n = 1; status == 0 && getline(&line, &room, in) > 0; n++) {
        const char *text = trim(line);
        snprintf(where, sizeof where, "%s:%d", path, n);
        if (*text && *text != '#')
            status = add_pair(r, text, where);
    }
    if (status == 0 && ferror(in))
        status = complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    free(line);
    fclose(in);
    return status;
}

int renames_add(struct renames *r, const char *text)
{
    return strchr(text, '=') ? add_pair(r, text, "--map") : add_file(r, text);
}

static struct rename *find(struct renames *r, const char *name, size_t length)
{
    for (size_t i = 0; i < r->n; i++)
        if (strlen(r->row[i].from) == length && !strncmp(r->row[i].from, name, length))
            return &r->row[i];
    return NULL;
}

char *renames_apply(struct renames *r, const char *name)
{
    size_t length = r->n > 0 ? strlen(name) : 0;
    struct rename *row = NULL;
    char *text = NULL;
    while (length > 0 && !(row = find(r, name, length)))
        do
            length--;
        while (length > 0 && name[length] != '.');
    if (!row || asprintf(&text, "%s%s", row->to, name + length) < 0)
        return NULL;
    row->used = true;
    return text;
}

void renames_free(struct renames *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->row[i].from);
        free(r->row[i].to);
    }
    free(r->row);
    free(r->file);
    *r = (struct renames){0};
}
