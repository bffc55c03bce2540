/* layer.c: parts of a plan as its .net file calls them: by the names of parameters, and by the text that the plan holds. */
#include "layer.h"
#include "base/base.h"
#include "plan/op.h"

#include <stdio.h>
#include <string.h>

const char *layer_of_param(const char *name, char text[LAYER_TEXT])
{
    const char *dot = strrchr(name, '.');
    snprintf(text, LAYER_TEXT, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
    return text;
}

/* A tensor that persists, among a stage's operands; NULL: none. */
static const struct tensor *own_tensor(const struct plan *p, const struct stage *s)
{
    for (int i = 0; i < s->nin; i++) {
        const struct tensor *t = &p->tensor[s->in[i]];
        if (t->schedule < 0 && (t->role == ROLE_PARAM || t->role == ROLE_STATE))
            return t;
    }
    return NULL;
}

struct maker layer_maker(const struct plan *p, const struct schedule *s, int tensor)
{
    const struct tensor *t = &p->tensor[tensor];
    for (int k = s->last_kernel - 1; k >= s->first_kernel; k--)
        for (int i = p->kernel[k].nstage - 1; i >= 0; i--)
            for (int o = 0; o < p->kernel[k].stage[i].nout; o++) {
                int out = p->kernel[k].stage[i].out[o];
                bool another_shape = t->base >= 0 && out == t->base && t->role == ROLE_VALUE;
                if (out == tensor || another_shape)
                    return (struct maker){k, i};
            }
    return (struct maker){-1, -1};
}

/* What the .net file calls an op that is a layer, or else the op's own name: "ReLU" of line 11 and relu. */
static void word_of(const struct plan *p, const struct stage *s, char *text, size_t size)
{
    char line[LAYER_TEXT];
    const char *name = s->op->name;
    size_t n = strcspn(name, "."), end = strlen(layer_line(p, s->line, line));
    snprintf(text, size, "%.*s", (int)n, name);
    for (size_t at = 0; at + n <= end; at++)
        if (strncasecmp(line + at, name, n) == 0) {
            snprintf(text, size, "%.*s", (int)n, line + at);
            return;
        }
}

/* Statistics belong to the layer that normalises by them, whose parameters come a few kernels later. */
static const struct tensor *owner_behind(const struct plan *p, int kernel, const struct stage *s)
{
    if (s->op->kind != OP_REDUCE)
        return NULL;
    for (int k = kernel + 1; k < p->nkernel && p->kernel[k].schedule == p->kernel[kernel].schedule; k++)
        for (const struct stage *next = p->kernel[k].stage; next < p->kernel[k].stage + p->kernel[k].nstage; next++)
            for (int i = 0; i < next->nin && s->nout > 0; i++)
                if (next->in[i] == s->out[0] && next->line == s->line && own_tensor(p, next))
                    return own_tensor(p, next);
    return NULL;
}

const char *layer_of_stage(const struct plan *p, int kernel, int stage, char text[LAYER_TEXT])
{
    const struct schedule *schedule = &p->schedule[p->kernel[kernel].schedule];
    const struct stage *s = &p->kernel[kernel].stage[stage];
    const struct tensor *own = own_tensor(p, s);
    own = own ? own : owner_behind(p, kernel, s);
    char word[LAYER_TEXT / 4], name[LAYER_TEXT];
    if (own)
        return layer_of_param(own->name, text);
    word_of(p, s, word, sizeof word);
    snprintf(text, LAYER_TEXT, "%s", word);
    for (int n = p->nkernel * MAX_STAGES; n > 0 && s->nin > 0; n--) { /* a plan is finite, whoever wrote it */
        struct maker m = layer_maker(p, schedule, s->in[0]);
        if (m.kernel < 0)
            break;
        s = &p->kernel[m.kernel].stage[m.stage];
        if ((own = own_tensor(p, s))) {
            snprintf(text, LAYER_TEXT, "%s behind %.55s", word, layer_of_param(own->name, name));
            break;
        }
    }
    return text;
}

/* ---- the text of the .net file ---- */

/* Begins at line `line`, from 1 on; NULL: there are not so many. */
static const char *line_at(const struct plan *p, int64_t line)
{
    const char *at = line > 0 && p->source ? p->source : NULL;
    for (; at && line > 1; line--)
        at = next_line(at);
    return at && *at ? at : NULL;
}

/* Of a line: what stands before its comment, without the space around it. */
static const char *trimmed(const char *at, size_t *n)
{
    size_t space = strspn(at, " \t");
    at += space;
    *n = strcspn(at, "#\n");
    while (*n > 0 && strchr(" \t\r", at[*n - 1]))
        --*n;
    return at;
}

const char *layer_line(const struct plan *p, int64_t line, char text[LAYER_TEXT])
{
    const char *at = line_at(p, line);
    size_t n = 0;
    *text = '\0';
    if (!at)
        return text;
    at = trimmed(at, &n);
    if (n > 2 && strncmp(at, "->", 2) == 0)
        at = trimmed(at + 2, &n);
    for (size_t i = 0, to = 0; i < n && to + 1 < LAYER_TEXT; i++) /* columns of a table are not wanted here */
        if (at[i] != ' ' || at[i + 1] != ' ') {
            text[to++] = at[i];
            text[to] = '\0';
        }
    return text;
}

static bool is_word(const char *at, const char *word, size_t n)
{
    return strncmp(at, word, n) == 0 && strchr(" \t={.", at[n]) && at[n];
}

/* Is the entry `name`, n letters, set in this line: at its beginning, or behind the brace of a section on one line? */
static bool sets(const char *line, size_t length, const char *name, size_t n)
{
    const char *brace = memchr(line, '{', length);
    if (is_word(line, name, n))
        return true;
    for (const char *at = brace; at && at + n < line + length; at++)
        if (strchr("{ \t;", at[0]) && is_word(at + 1, name, n) && at[1 + n + strspn(at + 1 + n, " \t")] == '=')
            return true;
    return false;
}

int64_t layer_setting(const struct plan *p, const char *key)
{
    const size_t section = strcspn(key, ".");
    const char *name = key + section + (key[section] == '.');
    const size_t n = strcspn(name, "."), whole = strlen(name);
    bool inside = false;
    int64_t found = 0, line = 1;
    for (const char *at; (at = line_at(p, line)); line++) {
        size_t length;
        at = trimmed(at, &length);
        inside = inside || (is_word(at, key, section) && memchr(at, '{', length));
        if (inside && whole > n && strncmp(at, name, whole) == 0 && strchr(" \t=", at[whole]))
            return line;
        if (inside && found == 0 && sets(at, length, name, n))
            found = line;
        inside = inside && !(length > 0 && at[length - 1] == '}');
    }
    return found;
}
