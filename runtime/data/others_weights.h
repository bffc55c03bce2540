/* foreign.h: files of weights that other programs write, told by their first bytes. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stdio.h>

struct foreign { const char *what; /* "an ONNX model" */ const char *const *help; /* lines, NULL ends; %s: the path */ };

/* What the file is; NULL: it is not known. */
const struct foreign *foreign_of(const char *path);
/* How to make weights that netrun reads of it: "  = help: ..." and lines of Python. */
void foreign_help(const struct foreign *f, const char *path, FILE *out);

#endif
