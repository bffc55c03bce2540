/* language.h: what a target's kernels are written in: the loops around the code of one element or sample, which ops open by the
 * functions of writer.h, and what stands around the kernels in a file. */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include "writer.h"

struct source; /* the kernels of one target as text */

struct language {
    void (*put_line)(struct writer *w, const char *line); /* what becomes of a line; NULL: it is written */
    const char *arguments;                                /* what functions called by kernels take as `a` */
    /* Kernels: as in writer.h. */
    void (*open_kernel)(struct writer *w);
    void (*put_operands)(struct writer *w); /* behind the gate; NULL: they are parameters of the function */
    void (*open_tasks)(struct writer *w, int blocks_per_task, int splits);
    int task_loops; /* that open_tasks leaves open */
    void (*open_elements)(struct writer *w, int64_t n, int splits);
    void (*open_image)(struct writer *w, int64_t C, int64_t P, int64_t Q);
    void (*open_rows)(struct writer *w);
    void (*open_share)(struct writer *w, int64_t n);
    int parts; /* of a block's elements: what open_share shares them among */
    void (*open_values)(struct writer *w, const char *name, int64_t n, int splits);
    void (*open_team)(struct writer *w);
    int team_loops; /* that it leaves open */
    void (*open_terms)(struct writer *w, int64_t places);
    const char *first, *step; /* of a member's share of a loop */
    /* NULL where a team is one: what its sums meet in, a function of sum and that, what only one member does. */
    const char *meeting, *fold, *lead;
    /* All maps of the kernel, over samples and their elements (t is the first result), or over n values without rows. */
    void (*put_row_maps)(struct writer *w, const struct tensor *t);
    void (*put_value_maps)(struct writer *w, int64_t n);
    /* A file. */
    const char *(*kind)(struct region *r, const struct target *t,
                        const struct emit_options *o); /* for its first line: "16 lanes of float" */
    const char *page;                                  /* how to read the kernels: lines of a comment */
    void (*put_prelude)(const struct target *t, const struct emit_options *o, FILE *out);
    int pieces; /* of the kernels; 0: one */
    void (*put_functions)(const struct plan *p, const struct source *s,
                          FILE *out); /* a table behind the kernels; NULL: none */
};
extern const struct language language_c, language_cuda;

/* What a tensor's elements are called in both, by type. */
extern const char *const real_type[];
/* A comment behind the declaration of operand i of a kernel's list: which one before it an update overwrites with it; "": none. */
const char *alias_text(struct writer *w, const int *list, int i);
/* maps.c: declares the numbers of a step (learning rate, ...) that the kernel's expressions name. */
void put_numbers(struct writer *w);
/* Does the kernel write the bytes of this tensor, or of what it is a part of? */
bool is_written(const struct writer *w, int tensor);

void put_augment_prelude(const struct plan *p, FILE *out); /* augmented.c; nothing if the plan augments nothing */

/* emit_file.c: what has the same text is one function, wherever in the network it stands. */
struct text {
    char *body;
    const char *name;
};
struct row {
    int text, blocks_per_task, splits;
}; /* of a kernel of the plan; text -1: it is for another target */
struct source {
    struct region *region;
    const struct target *target;
    int ntext;
    struct text *text;
    struct row *row;
};

#endif
