/* real_data.h: data that are not in the repository. DATA names the folder of mnist/, fashion/ and cifar10/, PLACEMENT one
 * of CSV files; empty is the same as not set. Include after cmocka.h. */
#ifndef REAL_DATA_H
#define REAL_DATA_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder $VARIABLE/name, or $VARIABLE where name is NULL. NULL: it is not there, skip the test; by the line
 * `needs VARIABLE/name` tests/run names it. */
static inline const char *real_data(const char *variable, const char *name)
{
    static char path[4000];
    const char *parent = getenv(variable), *slash = name ? "/" : "";
    name = name ? name : "";
    snprintf(path, sizeof path, "%s%s%s", parent ? parent : "", slash, name);
    if (!parent || !*parent || access(path, R_OK) != 0) {
        print_message("needs %s%s%s\n", variable, slash, name);
        return NULL;
    }
    return path;
}

#endif
