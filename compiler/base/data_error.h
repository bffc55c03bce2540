/* The text of the first thing that is wrong with a file. netrun prints it and exits with status 4. */
#ifndef DATA_ERROR_H
#define DATA_ERROR_H

#include <stdbool.h>

struct data_error {
    char text[1024];
};

/* Formats the text and returns false, so that a reader can say `return data_fail(...)`. Control characters, which
 * names inside a damaged file may hold, become '?'. */
bool data_fail(struct data_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
