/* choose.h: which body of an op writes a kernel. */
#ifndef CHOOSE_H
#define CHOOSE_H

#include "writer.h"

/* For the kernel of w, whose first stage is s: the cheapest that applies, or what the plan asks for if that applies; NULL: the plain
 * one. `without` NULL, or the name of one that is not to be taken. */
const struct body *choose_body(const struct writer *w, const struct stage *s, const char *without);
bool body_applies(const struct writer *w, const struct stage *s, const struct body *b);
/* b NULL: of the plain one, from what it does (count.h); cycles are INFINITY if there is none. */
struct price body_price(const struct writer *w, const struct stage *s, const struct body *b);

/* Each kernel with the bodies that apply, and what each takes. */
void choices_print(const struct plan *p, FILE *out);
/* The cheapest body that sums the products which the op names; NULL: kernel k has no others. */
const char *body_exact(const struct plan *p, int k);
/* Bodies called `algorithm` that kernel k could be written by, in any precision. */
bool kernel_can(const struct plan *p, int k, const char *algorithm);

#endif
