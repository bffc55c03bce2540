/* target.c: the table of targets, gathered from the files target_NAME.c under emit/. */
#include "target.h"

#include <stddef.h>
#include <string.h>

#define TARGET(name) extern const struct target target_##name;
#include "targetlist.h"
#undef TARGET

static const struct target *const targets[] = {
#define TARGET(name) &target_##name,
#include "targetlist.h"
#undef TARGET
    NULL};
_Static_assert(sizeof targets / sizeof *targets <= MOST_TARGETS + 1, "plans have room for MOST_TARGETS");

const struct target *target_at(int i)
{
    return targets[i];
}

const struct target *target_find(const char *name)
{
    for (int i = 0; targets[i]; i++)
        if (!strcmp(targets[i]->name, name))
            return targets[i];
    return NULL;
}

const struct target *target_schedules(const struct target *t)
{
    return t->runs ? t->runs : t;
}

const struct target *target_planned(int i)
{
    for (int k = 0; targets[k]; k++)
        if (!targets[k]->runs && i-- == 0)
            return targets[k];
    return NULL;
}
