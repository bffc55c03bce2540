/* compile.h: one compilation from text to plan, and what netc tells of it. */
#ifndef COMPILE_H
#define COMPILE_H

#include "front/front.h"

struct compilation {
    const char *file;
    char *text;
    size_t length;
    struct define *define;
    int ndefine;
    struct define *algorithm; /* layer and body, of --algorithm */
    int nalgorithm;
    bool exact;
    struct region *region;
    struct diag diag;
    struct ast_file *ast;
    struct model model;
    struct graph *graph[PHASE_COUNT];                     /* from specialise on those of `target` */
    struct graph *planned[MOST_TARGETS + 1][PHASE_COUNT]; /* of each target_planned, from specialise on */
    struct plan *plan;
    const struct target *target; /* whose kernels and memory are shown; NULL: the first */
    int64_t macs;                /* of one sample's forward pass */
    bool wrong;                  /* the command line asks for what there is not; stderr says what */
};

/* ---- compile.c ---- */

struct pass {
    char letter;
    const char *name, *purpose;
    void (*run)(struct compilation *c);
    void (*dump)(const struct compilation *c, FILE *out);
    bool graphs; /* leaves graphs to verify */
};
const struct pass *pass_at(int i); /* NULL ends */
/* All passes in order; needs file, text, length, define, region and diag. Dumps on stderr the state after each pass whose
 * letter is in `dump` (NULL: none). False as soon as there are errors in diag, which the caller flushes. */
bool run_passes(struct compilation *c, const char *dump);
void print_graphs(const struct compilation *c, FILE *out);

/* ---- model.c ---- */

/* All of it as a function: the plan of a model, byte for byte as netc writes it for the same file name, text (with a 0 behind its
 * `length` bytes) and -D. Errors and warnings are on `messages`. NULL if there are errors. The caller frees it. */
char *model_compile(const char *file, char *text, size_t length, struct define *define, int ndefine, FILE *messages,
                    size_t *size);

/* The text in a plan, compiled once more with its params: for who wants to know of layers. False: this version cannot. All is the
 * region's. */
bool model_again(const struct plan *p, struct region *r, struct compilation *c);

/* ---- algorithm.c ---- */

/* Each --algorithm on the kernels of its layer; false after saying on stderr why one of them is for none. */
bool overrule(struct compilation *c);

/* ---- answer.c ---- */

/* A plan with everything but schedules, kernels and tensors; it shares the compilation's region. */
struct plan *plan_new(struct compilation *c);
/* Multiply-adds of Conv and Linear in one sample's forward pass. */
int64_t graph_macs(const struct graph *g);
/* 0 if the phases fit `bytes` with the model's batch (or `batch` if > 0); else says on stderr what would, returns 3. */
int budget(const struct compilation *c, int64_t bytes, int64_t batch);

/* ---- flops.c ---- */

/* Of --flops, in the order of its words. */
enum flops {
    FLOPS_MACS,
    FLOPS_THOP,
    FLOPS_THOP_OLD,
    FLOPS_FVCORE,
    FLOPS_PTFLOPS,
    FLOPS_TORCHINFO,
    FLOPS_TORCH,
    FLOPS_STEP, /* all others are of a forward pass */
    FLOPS_RULES
};
struct flops_rule {
    const char *name, *of;    /* "thop-old", "by the rule of thop 0.0.31"; NULL: ours */
    const char *unit;         /* what is counted: "MACs", "FLOPs" */
    const char *multiply_add; /* what a multiply and an add are: "1 MAC", "2 FLOPs" */
};
extern const struct flops_rule flops_rules[FLOPS_RULES];

/* ---- summary.c ---- */

/* One line a layer, totals, memory of each phase. */
void summary(const struct compilation *c, enum flops rule, FILE *out);
int64_t batch_of(const struct plan *p, enum phase phase); /* samples that the settings ask for in a phase */

/* ---- dot.c ---- */

/* For graphviz: a box a layer, with its name, word, shape and parameters; frames are blocks, edges have shapes. */
void print_layers_dot(const struct compilation *c, FILE *out);
void print_kernels_dot(const struct graph *g, FILE *out); /* the same of nodes, in frames that are kernels */

/* ---- json.c ---- */

void print_json(const struct compilation *c, FILE *out);

/* ---- place.c ---- */

/* netc --place: reads rows `id,lower,upper,size` below that header, packs them with alignment 1, writes the same rows
 * with `,offset` to `out`, and reports arena, LB and gap in bytes on `err`. `capacity` -1 means none. Returns the exit
 * status: 0 fits (or no capacity was given), 3 does not fit, 4 the file cannot be read or is not such a file (its name,
 * line, column and what was expected are on `err`; nothing is on `out`) or `out` cannot be written, 70 no memory. */
int place_file(const char *path, int64_t capacity, FILE *out, FILE *err);

#endif
