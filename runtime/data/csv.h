/* csv.h: rows of CSV and TSV: RFC 4180, with what is common besides. Plain or gzip.
 *
 * Fields are separated by commas, tabs or semicolons: what is most frequent in the first row, tabs in a file *.tsv. A row ends with LF,
 * CRLF or CR, and at the end of the file; empty lines are none. A field in quotes may hold separators, line ends, and quotes as two
 * of them. Spaces around a field are no part of it, unless they are within quotes; a byte order mark of UTF-8 is passed over. */
#ifndef CSV_H
#define CSV_H

#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>

/* Puts up to `size` bytes of the text, and into *got how many: 0 at its end. */
typedef bool csv_more(void *from, void *to, uint64_t size, uint64_t *got, struct data_error *error);

struct csv {
    const char *path;
    csv_more *more; /* NULL: all of the text has been read */
    void *from;
    struct gz *file;
    char *text, *at, *end; /* [at, end): what has been read of the text, and is no row yet; one byte more is there */
    uint64_t size, before; /* of the memory; bytes of the text that were read before those in it */
    char separator;
    int64_t line, next_line; /* where the row began, counted from 1; where the next one begins */
    char **field;            /* of the row, until the next one; ended by \0 */
    int64_t fields, room;
};

/* Does the name say that it is such a file? Ends in .csv, .tsv or .tab, also with .gz behind. */
bool csv_is(const char *name);
/* Reads as far as rows are asked for, so that memory holds a row or two. Both need csv_close after a failure as well. */
bool csv_open(struct csv *c, const char *path, struct data_error *error);
/* The same of a text that is no file. */
bool csv_begin(struct csv *c, const char *path, csv_more *more, void *from, struct data_error *error);
/* The next row; *more false: there is none. Messages begin with path and line. */
bool csv_next(struct csv *c, bool *more, struct data_error *error);
void csv_close(struct csv *c);

/* "a", "b", ...: names, as many as a message holds. */
enum { CSV_LIST = 168 };
const char *csv_list(char *const *name, int64_t n, char text[CSV_LIST]);

/* A decimal number, as strtod has it without its words and hexadecimals; false: it is none, or beyond a double. */
bool csv_number(const char *field, double *value);
/* What says that there is no value: nothing, or a word such as NA, nan or null, as pandas' read_csv has them, and `?`. */
bool csv_missing(const char *field);

#endif
