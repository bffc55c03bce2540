/* kernel_name.c: a kernel as the .net file calls it. */
#include "op.h"
#include "plan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Is `path` written as in names of kernels `name`? There all but letters and digits is _. */
static bool is_path(const char *path, size_t length, const char *name)
{
    size_t i = 0;
    for (; i < length && name[i]; i++)
        if (name[i] != (isalnum((unsigned char)path[i]) ? path[i] : '_'))
            return false;
    return i == length && !name[i];
}

/* "train12_stage1_0_conv2_conv": the layer stands between the number and the op. */
void kernel_layer(const struct plan *p, const struct kernel *k, char layer[KERNEL_LAYER])
{
    const char *at = k->name, *op = k->stage->op->name;
    at += strcspn(at, "0123456789");
    at += strspn(at, "0123456789");
    at += *at == '_';
    snprintf(layer, KERNEL_LAYER, "%s", at);
    size_t length = strlen(layer), tail = strlen(op);
    if (length > tail + 1 && is_path(op, tail, layer + length - tail))
        layer[length - tail - 1] = '\0';
    for (int t = 0; t < p->ntensor; t++) {
        const char *name = p->tensor[t].name, *dot = strrchr(name, '.');
        if (p->tensor[t].role == ROLE_PARAM && dot && is_path(name, (size_t)(dot - name), layer)) {
            snprintf(layer, KERNEL_LAYER, "%.*s", (int)(dot - name), name);
            return;
        }
    }
}

int kernel_line(const struct kernel *k)
{
    for (int i = 0; i < k->nstage; i++)
        if (k->stage[i].line > 0)
            return k->stage[i].line;
    return 0;
}
