/* tensors.c: finding tensors of the plan by what they are. */
#include "run.h"

#include <string.h>

static bool has_role_to_save(const struct tensor *t)
{
    return t->schedule == -1 && (t->role == ROLE_PARAM || t->role == ROLE_STATE || t->role == ROLE_SLOT);
}

bool tensor_is_named(const struct plan *p, int t)
{
    if (!has_role_to_save(&p->tensor[t]))
        return false;
    if (p->tensor[t].base >= 0)
        return true; /* a part has no parts */
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].base == t && p->tensor[i].role == p->tensor[t].role && p->tensor[i].schedule == -1)
            return false;
    return true;
}

bool tensor_is_tally(const struct plan *p, int t)
{
    return p->tensor[t].role == ROLE_TALLY && p->tensor[t].base < 0;
}

int tensor_with_role(const struct plan *p, enum role role)
{
    for (int t = 0; t < p->ntensor; t++)
        if (p->tensor[t].role == role)
            return t;
    return -1;
}

int tensor_output(const struct plan *p, const struct schedule *s, int after)
{
    for (int t = after + 1; t < p->ntensor; t++) {
        const struct tensor *tensor = &p->tensor[t];
        if (role_is_output(tensor->role) && tensor->schedule == (int)(s - p->schedule))
            return t;
    }
    return -1;
}

int tensor_gradient(const struct plan *p, const struct schedule *s, int parameter)
{
    for (int t = 0; s && t < p->ntensor; t++) {
        const struct tensor *g = &p->tensor[t];
        if (g->role == ROLE_GRAD && g->schedule == s - p->schedule && strncmp(g->name, "grad.", 5) == 0 &&
            strcmp(g->name + 5, p->tensor[parameter].name) == 0)
            return t;
    }
    return -1;
}

const char *shape_text_of(int rank, const int64_t *dim, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "scalar");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : "", (long long)dim[i]);
    return text;
}
