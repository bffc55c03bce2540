/* build.h: what build.c, eval.c, args.c, stage.c, block.c and settings.c share while a syntax tree becomes a graph. */
#ifndef BUILD_H
#define BUILD_H

#include "front.h"

/* What an expression is worth. After an error: POISON, which produces no further message. */
enum result_kind { POISON, A_VALUE, A_NUMBER, A_BOOL, A_LIST };
struct result {
    enum result_kind kind;
    struct value *value;
    double number; /* A_BOOL: 0 or 1 */
    int n;
    double *list;
};
static const struct result poison = {.kind = POISON};

enum name_kind { NAME_PARAM, NAME_FORMAL, NAME_INPUT, NAME_TARGET, NAME_VALUE };
struct name {
    const char *text;
    struct loc loc;
    enum name_kind kind;
    struct result result;
    bool used;
};

/* The file, or one use of a block. */
struct scope {
    struct scope *outer;      /* a block sees the params of the file, nothing else of it */
    const struct decl *block; /* NULL: the file */
    const char *path;         /* "" or "stage1.0": prefix of the parameters made here */
    int nname;
    struct name *name;
    int nlabel;
    struct ast_name *label;
    struct lookup name_index, label_index; /* of name[] and label[] */
    struct lookup *given;                  /* anywhere in the text of the scope: automatic names step aside */
    int nlayer, nplain;                    /* layers without a label: with parameters, without */
};

struct block {
    const struct decl *decl;
    struct lookup given;
    bool active, failed, used;
};

struct builder {
    struct graph *graph;
    struct diag *diag;
    struct region *region;
    const struct ast_file *file;
    struct model *model;
    struct define *define;
    int ndefine;
    struct scope top;
    int nblock;
    struct block *block;
    struct lookup block_index, output_index;
    int nlayer, depth;
    int nnumber;              /* of all settings */
    bool full;                /* MAX_LAYERS was reported */
    bool in_loss;             /* targets may be read */
    const struct decl *table; /* the target whose values are columns of a table; NULL: none is */
    const char *from;         /* the names of those columns, a line each */
};

/* ---- eval.c: names and expressions ---- */

struct name *scope_find(struct scope *s, const char *text);
/* Adds a name, after an error if it is taken or cannot be one. */
void scope_declare(struct builder *b, struct scope *s, const char *text, struct loc loc, enum name_kind kind,
                   struct result result);
struct result eval(struct builder *b, struct scope *s, const struct ast *a);
struct result result_of(struct value *v); /* NULL: poison */
/* The same, with an error if it is not a value of the graph; NULL after any error. */
struct value *eval_value(struct builder *b, struct scope *s, const struct ast *a);
/* An integer in [min, max]; `what` names it in messages. */
bool eval_integer(struct builder *b, struct scope *s, const struct ast *a, const char *what, int64_t min, int64_t max,
                  int64_t *out);
void warn_unused(struct builder *b, const struct scope *s);
const char *kind_text(enum result_kind k); /* "a number" */
const char *ast_text(const struct ast *a); /* name of a NAME or CALL, else NULL */
/* One expression from the command line; NULL if it is none. */
const struct ast *parse_expression(const char *text, struct region *r);

/* ---- args.c: arguments against the table of a word ---- */

struct call {
    const char *name;
    struct loc loc;
    int narg;
    const struct ast_arg *arg;
};
bool call_of(const struct ast *a, struct call *c); /* AST_CALL, or AST_NAME: no arguments; else false */
/* Fills *out. The first `nvalue` positional arguments (-1: all of them) are values of the graph and go to x, as do
 * arguments of type ARG_VALUE. False after an error. */
bool args_check(struct builder *b, struct scope *s, const struct word *w, const struct call *c, int nvalue,
                struct args *out, struct value **x, int *nx);
/* Is `value` allowed for this argument, of which a list has so many numbers as there are channels or classes (0: not known)? If not,
 * `why` says what is ("an integer from 1 to 8"). */
bool arg_accepts(const struct arg *a, const struct result *value, int64_t many, const char **why, struct region *r);
int64_t arg_listed(const struct builder *b, const struct arg *a);            /* how many that is here */
const struct value *input_of(const struct builder *b);                       /* NULL: none so far */
const struct value *source_of(const struct builder *b, enum name_kind kind); /* NAME_INPUT, NAME_TARGET; the same */
int arg_index(const struct word *w, const char *name);                       /* -1: none */
int arg_count(const struct word *w);

/* ---- words.c ---- */

/* Looks up a word, or says that there is none, with the nearest. */
const struct word *word_required(struct builder *b, enum word_kind k, const struct call *c);
const char *word_kind_text(enum word_kind k);                /* "layer" */
const char *a_word_kind(struct region *r, enum word_kind k); /* "a layer", "an optimizer" */

/* args_text.c: the same for type ARG_TEXT: what it takes, as words; whether it takes that; the argument, false after an error. */
const char *arg_texts(const struct arg *a, struct region *r);
bool arg_takes_text(const struct arg *a, const char *text);
bool text_read(struct builder *b, const struct word *w, const struct arg *a, const struct ast *given,
               const char **text);

/* args_init.c: the same for type ARG_INIT. */
const char *arg_inits(struct region *r);
bool init_read(struct builder *b, struct scope *s, const struct arg *a, const struct ast *given, struct args *out,
               int index);

/* ---- stage.c: `-> layer`, repeat, and functions of values ---- */

/* One layer, block or sum more; false if that is too many, after an error. */
bool count_layer(struct builder *b, struct loc at);
struct result apply_chain(struct builder *b, struct scope *s, const struct ast *a);
struct result call_value(struct builder *b, struct scope *s, const struct ast *a);
/* "stage1.0" and "conv1" make "stage1.0.conv1". */
const char *path_below(struct builder *b, const struct scope *s, const char *name);
/* "conv_3": the layer's name in lower case and the next number with which no layer of the scope is labelled. */
const char *path_numbered(struct builder *b, const struct scope *s, const char *name, int *counter);
/* The labels in the values and entries of declarations. */
struct lookup labels_of(struct region *r, const struct decl *d, int n);

/* ---- block.c ---- */

void blocks_collect(struct builder *b);
void blocks_finish(struct builder *b); /* warns of those never used */
struct block *block_find(struct builder *b, const char *name);
struct result block_apply(struct builder *b, struct scope *s, struct block *block, const struct call *c,
                          struct value *x, const char *path);

/* ---- settings.c: data and train; samples.c, sweep.c ---- */

enum key_type { KEY_WORD, KEY_WORDS, KEY_PLAIN, KEY_BATCH, KEY_SAMPLES, KEY_INIT };
struct key {
    const char *name; /* "train.epochs" */
    enum key_type type;
    enum word_kind word; /* KEY_WORD, KEY_WORDS */
    bool list;           /* KEY_WORD: or a list, whose words follow each other */
    bool required;
    struct arg arg;      /* KEY_PLAIN, KEY_BATCH, KEY_INIT: type, default, range */
    const char *text;    /* KEY_WORD: the word that a text in quotes stands for, as its first argument */
    const char *instead; /* KEY_PLAIN: the key that a text in quotes or a word of its kind is, instead of a number */
    bool absent;         /* KEY_PLAIN: without an entry the plan has no such setting */
    const char
        *nothing; /* KEY_PLAIN: what is wrong with a 0 that is written, where a default of 0 stands for none, ... */
    const char *example; /* ... and what to give instead */
};
extern const struct key setting_keys[]; /* in the order of the plan; name NULL ends */
struct slot {                           /* what the text says about one key */
    const struct ast_entry *entry;
    int nchange;
    struct ast_arg *change;         /* optimizer.lr = 0.1 */
    const struct ast_entry *groups; /* optimizer.groups = [...] */
};
void settings_build(struct builder *b);
/* Of "train.optimizer" and "train.optimizer.lr"; NULL: there is none. */
const struct key *setting_key(const char *path);
/* With those of the settings before; false after an error. `at`: where the numbers stand. */
bool numbers_fit(struct builder *b, struct loc at, int64_t n);
void setting_numbers(struct builder *b, struct loc at, const char *key, int n, const double *num, bool graph);
void setting_text(struct builder *b, const char *key, const char *text, bool graph);
void samples_build(struct builder *b, const char *key, const struct ast *a);
void sweep_build(struct builder *b, const struct decl *d);
/* settings_words.c: a word, with the changes of its arguments; a list of words, or one alone. */
void setting_word(struct builder *b, const struct key *key, const struct slot *slot);
void setting_words(struct builder *b, const struct key *key, const struct ast *a);
/* data_block.c: the slot of a key; a source that stands where a number could, in its own place; what is read from where; how samples are
 * drawn. */
struct slot *slot_of(const char *key, struct slot *slots);
void sources_place(struct slot *slots);
void sources_check(struct builder *b, struct slot *slots);
void sampling_check(struct builder *b, struct slot *slots);
/* schedules.c: a schedule in a list of them; one that is the value of a key; what schedules ask of the optimizer, once all is read:
 * the values of `schedule` and `momentum_schedule`, in the text or from -D; NULL: without. False after an error. */
bool schedule_in_list(struct builder *b, const struct word *w, const struct args *args, struct loc loc, bool last);
bool schedule_of_key(struct builder *b, const struct word *w, const char *key, struct loc loc);
bool schedules_check(struct builder *b, const struct ast *schedule, const struct ast *momentum);
/* groups.c: what of the parameters have a learning rate or decay of their own, or are frozen. */
void groups_build(struct builder *b, const struct ast *a);
/* An argument of type ARG_MEASURE; false after an error. */
bool measure_read(struct builder *b, const struct word *w, const struct arg *a, const struct ast *given,
                  const char **name);

/* ---- transforms.c: a list of transforms as a whole ---- */

struct transforms {
    int pictures; /* steps, or of sounds */
    struct picture_step step[MAX_METRICS];
    const struct word *numbers; /* the first transform of numbers */
    bool mixed;                 /* of pictures and sounds: an error that has been said */
    bool learns, fills;         /* which once is enough */
    int columns;                /* that are named */
    struct ast_name *column;
    int64_t categories; /* values that OneHot makes of a row, in all */
};
void transforms_add(struct builder *b, struct transforms *t, const struct word *w, const struct args *args,
                    struct loc loc);
void transforms_check(struct builder *b, const struct transforms *t, struct loc loc);

/* ---- columns.c: names of columns and their values ---- */

/* A text in quotes or a list of them; `what` names it in messages. Into *text, a line each. False after an error. */
bool texts_read(struct builder *b, const char *what, const struct ast *a, const char **text, int *count);
/* The columns of a target that is declared with `from`. */
void columns_of_target(struct builder *b, const struct decl *d, const struct value *target);

/* ---- override.c: settings from the command line ---- */

/* What a setting accepts, from the tables; NULL: it is no single value. */
const struct arg *setting_rule(const struct setting *list, int n, const char *key);
const struct setting *setting_find(const struct setting *list, int n, const char *key);
const char *setting_nearest(const struct setting *list, int n, const char *key, struct region *r);

/* ---- names.c: what other frameworks call our things ---- */

/* What is no word; kinds of words have their own numbers. */
enum foreign_kind { FOREIGN_ARG = WORD_KINDS, FOREIGN_KEY, FOREIGN_TYPE, FOREIGN_VALUE };
struct foreign {
    int kind; /* enum word_kind or foreign_kind */
    const char *name, *ours, *hint;
};                                           /* ours NULL: nothing of ours; see hint */
extern const struct foreign foreign_names[]; /* name NULL ends */
/* Without regard to case and underscores. With a word, only rows whose `ours` is one of its arguments. NULL: none. */
const struct foreign *foreign_find(int k, const char *name, const struct word *owner);

#endif
