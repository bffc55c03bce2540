/* columns.h: what a network makes of the columns of a table. */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "word.h"

struct column_rule {
    enum column_use use; /* COLUMN_TARGET, COLUMN_DROP or COLUMN_CATEGORY */
    const char *name;
    int n; /* COLUMN_CATEGORY: values, whose place is their number */
    const char *const *value;
};

struct columns {
    int n, targets; /* the first `targets` rules are the target's, in its order */
    struct column_rule *rule;
    bool fills; /* a number that is missing is no error */
};

/* Of a plan, in whose memory they lie. False: its data are no table. */
bool plan_columns(const struct plan *p, struct columns *c);
/* The rule of a column; NULL: it is a number. */
const struct column_rule *columns_rule(const struct columns *c, const char *name);

#endif
