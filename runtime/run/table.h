/* A table of answers: CSV as in RFC 4180, but for line ends, with the columns of docs/predicting.md. */
#ifndef TABLE_H
#define TABLE_H

#include "answers.h"
#include "asked.h"
#include "base/atomic_file.h"

struct answer_table {
    FILE *out;             /* NULL: none is wanted */
    bool truth;            /* some samples have a target */
    const char *synthetic; /* what is: "data", "weights"; NULL: nothing */
    const char *path;
    struct atomic_file file; /* that it goes to, unless that is stdout */
};

/* The head is made from any answer of the table. */
void answer_head(const struct answer *a, const struct answer_table *t);
void answer_row(const struct answer *a, const struct answer_table *t);

/* Refuses a path of --output that is one of the files that are read here; asked NULL: those of --test. */
int output_spares(const struct job *j, const struct asked *asked, const char *path);
/* Begins the table that --output names, which appears when it is committed. */
int table_open(struct answer_table *t, struct job *j, const struct asked *asked, const struct answer *a);
/* A signal has come, and no more rows are wanted; says what is lost. */
bool table_stops(const struct answer_table *t);
int table_commit(struct answer_table *t, struct job *j, int64_t samples);
void table_close(struct answer_table *t);

#endif
