/* plan_scan.h: lines, tokens and values of a plan file (plan_read.c), from text that may come from anybody.
 *
 * Tokens are separated by spaces; `#` at the start of one begins a comment. After the first error every call returns at
 * once with zero or "", and the text counts as ended, so that callers may check `failed` where it suits them. `what`
 * names in messages what was expected. */
#ifndef PLAN_SCAN_H
#define PLAN_SCAN_H

#include "base/base.h"
#include "op.h"

struct reader {
    const char *at, *eol, *end; /* the rest of the line [at, eol), of the text [at, end) */
    int line;                   /* 1-based; 0 before the first */
    int64_t source_lines;       /* of the .net text in the plan */
    bool failed;
    struct plan *plan;
    struct region *region; /* holds what is returned */
    struct plan_error *error;
};

struct token {
    const char *text;
    size_t size;
};

void scan_fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `t` found, expected `what`. */
void scan_expected(struct reader *r, struct token t, const char *what);

void scan_raw_line(struct reader *r, const char *what); /* the next line, whatever it holds */
void scan_line(struct reader *r, const char *what);     /* the next one that is not empty or a comment */
bool scan_more(struct reader *r);                       /* is there another token on this line? */
void scan_end(struct reader *r);                        /* there must not be */

struct token scan_token(struct reader *r, const char *what);
bool scan_is(struct token t, const char *word);
void scan_keyword(struct reader *r, const char *word);
/* Whole decimal numbers in [least, most]; `-` for `otherwise`. */
int64_t scan_integer_of(struct reader *r, struct token t, const char *what, int64_t least, int64_t most);
int64_t scan_integer(struct reader *r, const char *what, int64_t least, int64_t most);
int64_t scan_optional(struct reader *r, const char *what, int64_t otherwise, int64_t most);
double scan_number_of(struct reader *r, struct token t, const char *what); /* finite, decimal */
int scan_choice(struct reader *r, const char *what, const char *const *words, int n);
char *scan_name(struct reader *r, const char *what, bool valid(const char *));
char *scan_string(struct reader *r, const char *what); /* in quotes */
uint64_t scan_hash(struct reader *r);                  /* 16 hexadecimal digits */
/* The line `<word> <count>` before that many entries, each of which takes `least_bytes` of the rest of the text. */
int scan_section(struct reader *r, const char *word, int most, int least_bytes);

#endif
