/* others_weights.h: files of weights that other programs write, told by their first bytes. */
#ifndef OTHERS_WEIGHTS_H
#define OTHERS_WEIGHTS_H

#include <stdio.h>

struct others_weights {
    const char *what;        /* "an ONNX model" */
    const char *const *help; /* lines, NULL ends; %s: the path */
};

/* What the file is; NULL: it is not known. */
const struct others_weights *others_weights_of(const char *path);
/* How to make weights that netrun reads of it: "  = help: ..." and lines of Python. */
void others_weights_help(const struct others_weights *f, const char *path, FILE *out);

#endif
