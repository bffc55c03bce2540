/* front.h: from text to a syntax tree to the graph of a phase. */
#ifndef FRONT_H
#define FRONT_H

#include "base/base.h"
#include "graph/graph.h"

/* ---- ast.c: what the text says, before anything is looked up ---- */

enum ast_kind {
    AST_NUMBER, /* number; also 8KiB (unit in text) and 80% (number = 0.8, percent set) */
    AST_STRING, /* text */
    AST_NAME,   /* text */
    AST_CALL,   /* text ( args ); called is false for a bare stage name such as ReLU */
    AST_LIST,   /* args, none named */
    AST_NEGATE, /* left */
    AST_BINARY, /* left op right; op is one of + - * / */
    AST_APPLY   /* left -> [label :] right, right an AST_CALL or AST_NAME */
};

struct ast {
    enum ast_kind kind;
    struct loc loc; /* for AST_CALL the name only; for AST_BINARY the operator */
    const char *text;
    const char *label; /* AST_APPLY: the name before ':' or NULL */
    struct loc label_loc;
    double number;
    bool percent;
    char op;
    struct ast *left, *right;
    int narg;
    struct ast_arg *arg;
};
struct ast_arg {
    const char *name;
    struct loc loc;
    struct ast *value;
}; /* name NULL: positional */

enum decl_kind {
    DECL_PARAM,
    DECL_INPUT,
    DECL_TARGET,
    DECL_OUTPUT,
    DECL_BIND,
    DECL_BLOCK,
    DECL_DATA,
    DECL_TRAIN,
    DECL_SWEEP
};

struct ast_name {
    const char *text;
    struct loc loc;
};
struct ast_type {
    const char *name;
    struct loc loc;
    int ndim;
    struct ast **dim;
}; /* f32[1, 28, 28], class[10] */
struct ast_entry {
    const char *path;
    struct loc loc;
    struct ast *value;
}; /* optimizer.lr = 0.1 */

struct decl {
    enum decl_kind kind;
    struct loc loc; /* of the name, or of the keyword */
    const char *name;
    struct ast *value;    /* PARAM, BIND */
    struct ast_type type; /* INPUT, TARGET; type.name NULL for a block's input */
    struct ast *from;     /* TARGET: columns of a table, NULL: none */
    int nname;
    struct ast_name *names; /* OUTPUT; formals of BLOCK; INPUT in a block: names */
    int nbody;
    struct decl *body; /* BLOCK */
    int nentry;
    struct ast_entry *entry; /* DATA, TRAIN, SWEEP */
};

struct ast_file {
    const char *name;
    struct loc loc;
    int ndecl;
    struct decl *decl;
};

/* NULL only if nothing could be made of the text; errors are in d. Defined beside grammar/net.y. */
struct ast_file *parse(const char *text, size_t length, struct diag *d, struct region *r);
const char *ast_expression(const struct ast *a, struct region *r); /* as one writes it */
void ast_print(const struct ast_file *f, FILE *out); /* normalised .net text: the dump of the parse pass */

/* ---- build.c: syntax tree -> graph and settings. Scopes, blocks, repeat, -D, argument checking from the word tables ---- */

struct define {
    const char *name;
    const char *text;
    bool used;
}; /* -D name=expression: of a param, or of a setting by its path */

/* Builds the forward graph for one phase; layers that differ between phases (Dropout, BatchNorm) look at graph->phase.
 * Reports to d; returns NULL if there were errors. Settings are filled when m is not NULL. */
struct graph *build(const struct ast_file *f, enum phase ph, struct define *defines, int ndefine, struct model *m,
                    struct diag *d, struct region *r);

#endif
