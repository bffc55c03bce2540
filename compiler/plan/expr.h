/* expr.h: parsing and printing of scalar expressions; see expr.c for the language. */
#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stdio.h>

struct region;
struct expr;
typedef void expr_namer(const char *name, FILE *out, void *context);   /* writes what stands for a name */

struct expr *expr_parse(struct region *r, const char *text);           /* exits 70 on bad text: the tables are ours */
bool expr_uses(const struct expr *e, const char *name);
void expr_print(const struct expr *e, FILE *out, expr_namer *namer, void *context);

#endif
