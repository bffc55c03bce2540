/* expr.h: parsing and printing of scalar expressions; see expr.c for the language. */
#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stdio.h>

struct region;
struct expr;
typedef void expr_namer(const char *name, FILE *out, void *context); /* writes what stands for a name */
typedef double expr_valuer(const char *name, const void *context);   /* its value; NaN: it has none */

struct expr *expr_parse(struct region *r, const char *text); /* exits 70 on bad text: the tables are ours */
bool expr_uses(const struct expr *e, const char *name);
/* Adds its names to the n of list that are there, each once, in the order written: "lr"; "{1 - beta1}" is one, with its braces.
 * Returns how many there are then; aborts at more than `most`. */
int expr_names(const struct expr *e, const char **list, int n, int most);
double expr_value(const struct expr *e, expr_valuer *valuer, const void *context);
void expr_print(const struct expr *e, FILE *out, expr_namer *namer, void *context);

#endif
