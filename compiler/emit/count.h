/* count.h: what the plain body of a kernel does, counted and not timed: the language (language.h) in which a body is not
 * written but run over, line by line, with the number of times that each line runs. */
#ifndef EMIT_COUNT_H
#define EMIT_COUNT_H

#include "writer.h"

/* A flop is one of + - * / or a comparison of numbers, or one call of exp, log, tanh, erf or sqrt, or one term of a sum that keeps
 * what rounding takes (its corrections do not count). Both sides of a choice count; changes of sign and of type do not, nor
 * what is made of constants alone. Bytes are those of the plan's tensors, each time that a line reads or writes one. */
struct work {
    double flops, read, written;
    double
        slots; /* flops if each operation took all lanes of a vector: more where there is one number for all samples */
    double chain; /* additions to a sum, each of which waits for the one before */
};
struct count {
    struct work sample, fixed; /* for each sample of a batch; once, whatever the batch */
    double terms;              /* the longest sum that is added up in one float */
};

/* Counts the plain body of w's kernel, vectors being of a block of samples where it bears them: what is one number for all of them
 * counts once a block. False if there is none, or a line that the counter does not know. */
bool count_kernel(const struct writer *w, struct count *to);

/* ---- between the loops (count.c) and the lines (count_line.c) ---- */

enum { COUNT_NESTING = 32, COUNT_NAMES = 256 };

/* What a value is. INT is all that is no flop: places, truths, classes; CONSTANT is known to the compiler. */
enum value_kind { VALUE_INT, VALUE_CONSTANT, VALUE_SCALAR, VALUE_VECTOR, VALUE_POINTER };
struct type {
    enum value_kind kind, element; /* of a pointer */
    int bytes;                     /* of an element in a tensor, 0: it lies elsewhere; of a value: it is still there */
    bool wide;                     /* a double */
};

struct nest {
    double times; /* that what stands here runs, for each sample or once */
    double most;  /* the same without what is skipped */
    bool rows;    /* in a loop over samples */
};
struct counted_name {
    const char *name;
    struct type type;
    double most; /* where it was declared */
};
struct counter {
    struct count *to;
    const struct writer *writer;
    bool known;             /* all lines were understood */
    double told, told_most; /* by put_times; negative: nothing */
    int depth, names;
    struct nest nest[COUNT_NESTING], next; /* open braces; where the next statement stands */
    struct counted_name name[COUNT_NAMES];
    const char *at; /* in the line */
    char word[128]; /* of it: the last that was read */
    int loads;      /* in it: their text */
    struct {
        const char *at;
        size_t n;
    } load[16];
};

void count_line(struct writer *w, const char *line);
void count_open(struct counter *c); /* a brace, where the next statement stands */

/* count_value.c: reads the line at c->at. */
void count_blank(struct counter *c);
void count_name(struct counter *c, const char *name, struct type t);              /* declares it */
const struct counted_name *count_find(const struct counter *c, const char *name); /* the latest; NULL: none */
void count_give_up(struct counter *c);                /* the rest of the line is not understood */
bool count_take(struct counter *c, const char *text); /* passes over text that is next; a word is whole */
void count_need(struct counter *c, const char *text);
const char *count_word(struct counter *c);          /* c->word */
bool count_type(struct counter *c, struct type *t); /* false if no type is next */
struct type count_operand(struct counter *c);
struct type count_rest(struct counter *c, struct type left); /* of an expression, behind its first operand */
struct type count_expression(struct counter *c);
struct type count_used(struct counter *c, struct type t); /* reads what still lies in a tensor */
struct type count_wider(struct type x, struct type y);
struct work *count_work(struct counter *c); /* of a sample, or fixed */
void count_flops(struct counter *c, struct type t, int flops);
void count_term(struct counter *c, const struct counted_name *sum,
                bool kept); /* added to it; kept: what rounding takes, too */

#endif
