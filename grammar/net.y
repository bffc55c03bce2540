/* net.y: tokens -> syntax tree. It knows no layer, loss or optimizer by name. */
%define api.pure full
%define api.value.type union
%define api.location.type {struct loc}
%define parse.error custom
%define parse.lac full
%locations
%parse-param { struct parser *p }
%lex-param { struct parser *p }

%code requires {
#include "front/front.h"

struct token {
    int kind;
    const char *text;                                  /* as written */
    const char *string;                                /* STRING: without quotes and escapes */
    const char *why;                                   /* BAD: what is wrong, NULL: no token starts like this */
    struct loc loc, open;                              /* a closing bracket of the wrong kind: of the opening one */
    double number;                                     /* sizes in bytes, 80 % is 0.8 */
    bool percent;
};

struct parser;
struct expr { struct ast *tree; int depth; };          /* tree NULL: an error was reported */
struct expr_arg { struct ast_arg arg; int depth; };
struct arg_list { struct ast_arg *v; int n, depth; };
struct name_list { struct ast_name *v; int n; };
struct path { const struct token *first, *last; };     /* key.key.key: neighbours among the tokens */
struct item_list { struct decl *v; int n; };           /* lines within { }: INPUT, OUTPUT, or BIND of a path */
}

%code provides {
/* net.l: laid out, ended by YYEOF. NULL if this is no text; errors are in d. */
struct token *tokenize(const char *text, size_t length, struct diag *d, struct region *r);
}

%code {
#include <string.h>

struct parser {
    struct diag *diag;
    struct region *region;
    const struct token *first, *next;
    struct ast_file *file;
};

static int yylex(YYSTYPE *value, struct loc *at, struct parser *p);
static void yyerror(struct loc *at, struct parser *p, const char *text);

static struct loc span(struct loc a, struct loc b);
static struct expr leaf(struct parser *p, enum ast_kind kind, const struct token *t);
static struct expr binary(struct parser *p, struct expr a, char op, struct loc at, struct expr b);
static struct expr negate(struct parser *p, struct loc at, struct expr a);
static struct expr call(struct parser *p, enum ast_kind kind, const char *name, struct loc at, struct arg_list args);
static struct expr apply(struct parser *p, struct expr x, const struct token *label, struct expr stage);
static struct arg_list add_arg(struct parser *p, struct arg_list list, struct expr_arg a);
static struct name_list add_name(struct parser *p, struct name_list list, const struct token *t);
static struct item_list add_item(struct parser *p, struct item_list list, struct decl d);
static struct expr_arg unnamed(struct expr e);
static struct decl name_line(enum decl_kind kind, struct loc at, struct name_list names);
static struct decl path_line(struct parser *p, struct path path, struct ast *value);
static void doubt(struct decl *d, int n);
static void declare(struct parser *p, struct decl d);
static void declare_value(struct parser *p, enum decl_kind kind, const struct token *name, struct ast *value);
static void declare_source(struct parser *p, enum decl_kind kind, const struct token *name, struct ast_type type);
static void read_from(struct parser *p, struct ast *columns);
static void set_net(struct parser *p, const struct token *name);
static void declare_block(struct parser *p, const struct token *name, struct name_list formals,
                          struct item_list items);
static const struct ast_type unknown;                  /* of an input whose type could not be read */
static void declare_section(struct parser *p, const struct token *keyword, struct item_list items);

#define YYLLOC_DEFAULT(at, rhs, n) ((at) = YYRHSLOC(rhs, (n) ? 1 : 0))
}

%token <const struct token *> NET PARAM INPUT TARGET OUTPUT BLOCK DATA TRAIN SWEEP NAME NUMBER STRING
%token ARROW NL BAD UNCLOSED FROM

%type <const struct token *> key section
%type <struct path> path
%type <struct name_list> names formals
%type <struct item_list> items
%type <struct decl> item
%type <struct ast_type> type
%type <struct expr> expr sum term unary atom layer
%type <struct arg_list> args list exprs arg_seq
%type <struct expr_arg> arg

%%

file    : %empty
        | file line
        ;

line    : NET NAME NL                           { set_net(p, $2); }
        | PARAM NAME '=' expr NL                { declare_value(p, DECL_PARAM, $2, $4.tree); }
        | PARAM NAME '=' error NL               { declare_value(p, DECL_PARAM, $2, NULL); yyerrok; }
        | INPUT NAME ':' type NL                { declare_source(p, DECL_INPUT, $2, $4); }
        | INPUT NAME ':' error NL               { declare_source(p, DECL_INPUT, $2, unknown); yyerrok; }
        | TARGET NAME ':' type NL               { declare_source(p, DECL_TARGET, $2, $4); }
        | TARGET NAME ':' type FROM sum NL      { declare_source(p, DECL_TARGET, $2, $4); read_from(p, $6.tree); }
        | TARGET NAME ':' type FROM error NL    { declare_source(p, DECL_TARGET, $2, $4); yyerrok; }
        | TARGET NAME ':' error NL              { declare_source(p, DECL_TARGET, $2, unknown); yyerrok; }
        | OUTPUT names NL                       { declare(p, name_line(DECL_OUTPUT, @1, $2)); }
        | NAME '=' expr NL                      { declare_value(p, DECL_BIND, $1, $3.tree); }
        | NAME '=' error NL                     { declare_value(p, DECL_BIND, $1, NULL); yyerrok; }
        | BLOCK NAME formals '{' items '}' NL   { declare_block(p, $2, $3, $5); }
        | section '{' items '}' NL              { declare_section(p, $1, $3); }
        | error NL                              { doubt(p->file->decl, p->file->ndecl); yyerrok; }
        | error '{' items '}' NL                { yyerrok; }
        ;

section : DATA | TRAIN | SWEEP | NAME
        ;

formals : %empty                                { $$ = (struct name_list){ 0 }; }
        | '(' ')'                               { $$ = (struct name_list){ 0 }; }
        | '(' names ')'                         { $$ = $2; }
        ;

names   : NAME                                  { $$ = add_name(p, (struct name_list){ 0 }, $1); }
        | names ',' NAME                        { $$ = add_name(p, $1, $3); }
        ;

items   : %empty                                { $$ = (struct item_list){ 0 }; }
        | items item                            { $$ = add_item(p, $1, $2); }
        | items error NL                        { $$ = $1; doubt($1.v, $1.n); yyerrok; }
        | items error '{' items '}' NL          { $$ = $1; yyerrok; }
        ;

item    : path '=' expr NL                      { $$ = path_line(p, $1, $3.tree); }
        | path '=' error NL                     { $$ = path_line(p, $1, NULL); yyerrok; }
        | INPUT names NL                        { $$ = name_line(DECL_INPUT, @1, $2); }
        | OUTPUT names NL                       { $$ = name_line(DECL_OUTPUT, @1, $2); }
        ;

path    : key                                   { $$ = (struct path){ $1, $1 }; }
        | path '.' key                          { $$ = (struct path){ $1.first, $3 }; }
        ;

key     : NAME | NET | PARAM | INPUT | TARGET | OUTPUT | BLOCK | DATA | TRAIN | SWEEP
        ;

type    : NAME '[' list ']'                     { $$ = (struct ast_type){ .name = $1->text, .loc = @1, .ndim = $3.n };
                                                  $$.dim = region_alloc(p->region, (size_t)$3.n, sizeof *$$.dim);
                                                  for (int i = 0; i < $3.n; i++)
                                                      $$.dim[i] = $3.v[i].value; }
        ;

expr    : sum
        | expr ARROW layer                      { $$ = apply(p, $1, NULL, $3); }
        | expr ARROW NAME ':' layer             { $$ = apply(p, $1, $3, $5); }
        ;

sum     : term
        | sum '+' term                          { $$ = binary(p, $1, '+', @2, $3); }
        | sum '-' term                          { $$ = binary(p, $1, '-', @2, $3); }
        ;

term    : unary
        | term '*' unary                        { $$ = binary(p, $1, '*', @2, $3); }
        | term '/' unary                        { $$ = binary(p, $1, '/', @2, $3); }
        ;

unary   : atom
        | '-' atom                              { $$ = negate(p, @1, $2); }
        ;

atom    : NUMBER                                { $$ = leaf(p, AST_NUMBER, $1); }
        | STRING                                { $$ = leaf(p, AST_STRING, $1); }
        | layer
        | '(' expr ')'                          { $$ = $2; }
        | '[' list ']'                          { $$ = call(p, AST_LIST, NULL, span(@1, @3), $2); }
        ;

layer   : NAME                                  { $$ = leaf(p, AST_NAME, $1); }
        | NAME '(' args ')'                     { $$ = call(p, AST_CALL, $1->text, @1, $3); }
        ;

list    : %empty                                { $$ = (struct arg_list){ 0 }; }
        | exprs
        | exprs ','
        ;

exprs   : expr                                  { $$ = add_arg(p, (struct arg_list){ 0 }, unnamed($1)); }
        | exprs ',' expr                        { $$ = add_arg(p, $1, unnamed($3)); }
        ;

args    : %empty                                { $$ = (struct arg_list){ 0 }; }
        | arg_seq
        | arg_seq ','
        ;

arg_seq : arg                                   { $$ = add_arg(p, (struct arg_list){ 0 }, $1); }
        | arg_seq ',' arg                       { $$ = add_arg(p, $1, $3); }
        ;

arg     : expr                                  { $$ = unnamed($1); }
        | key '=' expr                          { $$ = (struct expr_arg){ { $1->text, $1->loc, $3.tree }, $3.depth }; }
        ;

%%

/* ---- the tree ---- */

static struct loc span(struct loc a, struct loc b)
{
    return a.line == b.line ? (struct loc){ a.line, a.col, b.end } : a;
}

static struct ast *node(struct parser *p, enum ast_kind kind, struct loc at)
{
    struct ast *a = region_alloc(p->region, 1, sizeof *a);
    a->kind = kind;
    a->loc = at;
    return a;
}

static int deeper(int a, int b) { return a > b ? a : b; }

/* One more level above `depth`. A tree that is too deep is reported once and given up. */
static struct expr grown(struct parser *p, struct ast *tree, int depth)
{
    if (depth < MAX_TREE)
        return (struct expr){ tree, depth + 1 };
    diag_error(p->diag, "N0308", tree->loc, NULL, "this expression has more than %d levels", MAX_TREE);
    diag_help(p->diag, "give parts of it names");
    return (struct expr){ NULL, 0 };
}

static struct expr leaf(struct parser *p, enum ast_kind kind, const struct token *t)
{
    struct ast *a = node(p, kind, t->loc);
    a->text = kind == AST_STRING ? t->string : t->text;
    a->number = t->number;
    a->percent = t->percent;
    return (struct expr){ a, 1 };
}

static struct expr binary(struct parser *p, struct expr a, char op, struct loc at, struct expr b)
{
    if (!a.tree || !b.tree)
        return (struct expr){ NULL, 0 };
    struct ast *tree = node(p, AST_BINARY, at);
    tree->op = op;
    tree->left = a.tree;
    tree->right = b.tree;
    return grown(p, tree, deeper(a.depth, b.depth));
}

static struct expr negate(struct parser *p, struct loc at, struct expr a)
{
    if (!a.tree)
        return a;
    struct ast *tree = node(p, AST_NEGATE, span(at, a.tree->loc));
    tree->left = a.tree;
    return grown(p, tree, a.depth);
}

static struct expr call(struct parser *p, enum ast_kind kind, const char *name, struct loc at, struct arg_list args)
{
    struct ast *tree = node(p, kind, at);
    tree->text = name;
    tree->narg = args.n;
    tree->arg = args.v;
    return grown(p, tree, args.depth);
}

/* A chain a -> b -> c is as deep as its deepest stage: who walks it does so in a loop. */
static struct expr apply(struct parser *p, struct expr x, const struct token *label, struct expr stage)
{
    if (!x.tree || !stage.tree)
        return (struct expr){ NULL, 0 };
    struct ast *tree = node(p, AST_APPLY, stage.tree->loc);
    tree->left = x.tree;
    tree->right = stage.tree;
    if (label) {
        tree->label = label->text;
        tree->label_loc = label->loc;
    }
    struct expr e = grown(p, tree, stage.depth);
    return e.tree ? (struct expr){ tree, deeper(x.depth, e.depth) } : e;
}

static struct arg_list add_arg(struct parser *p, struct arg_list list, struct expr_arg a)
{
    region_grow(p->region, list.v, list.n);
    list.v[list.n++] = a.arg;
    list.depth = deeper(list.depth, a.depth);
    return list;
}

static struct expr_arg unnamed(struct expr e)
{
    return (struct expr_arg){ { NULL, e.tree ? e.tree->loc : (struct loc){ 0 }, e.tree }, e.depth };
}

static struct name_list add_name(struct parser *p, struct name_list list, const struct token *t)
{
    region_grow(p->region, list.v, list.n);
    list.v[list.n++] = (struct ast_name){ t->text, t->loc };
    return list;
}

static struct item_list add_item(struct parser *p, struct item_list list, struct decl d)
{
    region_grow(p->region, list.v, list.n);
    list.v[list.n++] = d;
    return list;
}

/* ---- declarations ---- */

/* A line that cannot be read may have been meant to continue the one before: that one's value is not to be trusted. */
static void doubt(struct decl *d, int n)
{
    if (n && d[n - 1].kind == DECL_BIND)
        d[n - 1].value = NULL;
}

static void declare(struct parser *p, struct decl d)
{
    struct ast_file *f = p->file;
    region_grow(p->region, f->decl, f->ndecl);
    f->decl[f->ndecl++] = d;
}

static void declare_value(struct parser *p, enum decl_kind kind, const struct token *name, struct ast *value)
{
    declare(p, (struct decl){ .kind = kind, .loc = name->loc, .name = name->text, .value = value });
}

static void declare_source(struct parser *p, enum decl_kind kind, const struct token *name, struct ast_type type)
{
    declare(p, (struct decl){ .kind = kind, .loc = name->loc, .name = name->text, .type = type });
}

/* Of the target that was declared last. */
static void read_from(struct parser *p, struct ast *columns)
{
    p->file->decl[p->file->ndecl - 1].from = columns;
}

static struct decl name_line(enum decl_kind kind, struct loc at, struct name_list names)
{
    return (struct decl){ .kind = kind, .loc = at, .nname = names.n, .names = names.v };
}

static struct decl path_line(struct parser *p, struct path path, struct ast *value)
{
    size_t length = 0;
    for (const struct token *t = path.first; t <= path.last; t++)
        length += strlen(t->text);
    char *name = region_alloc(p->region, length + 1, 1), *end = name;
    for (const struct token *t = path.first; t <= path.last; t++)
        end = stpcpy(end, t->text);
    return (struct decl){ .kind = DECL_BIND, .loc = span(path.first->loc, path.last->loc), .name = name, .value = value };
}

static void set_net(struct parser *p, const struct token *name)
{
    struct ast_file *f = p->file;
    if (f->name) {
        diag_error(p->diag, "N0309", name->loc, NULL, "a file holds one network, and this one has its name");
        diag_place(p->diag, f->loc, "given here");
    } else if (f->ndecl) {
        diag_error(p->diag, "N0309", name->loc, NULL, "`net %s` comes before everything else", name->text);
    }
    if (f->name)
        return;
    f->name = name->text;
    f->loc = name->loc;
}

static void declare_block(struct parser *p, const struct token *name, struct name_list formals,
                          struct item_list items)
{
    int kept = 0;
    for (int i = 0; i < items.n; i++) {
        struct decl d = items.v[i];
        if (d.kind == DECL_BIND && strchr(d.name, '.'))
            diag_error(p->diag, "N0311", d.loc, NULL, "a value has a plain name, not a path");
        else
            items.v[kept++] = d;
    }
    declare(p, (struct decl){ .kind = DECL_BLOCK, .loc = name->loc, .name = name->text, .nname = formals.n,
                              .names = formals.v, .nbody = kept, .body = items.v });
}

static void declare_section(struct parser *p, const struct token *keyword, struct item_list items)
{
    static const char *const known[] = { "data", "train", "sweep", "block" };
    enum decl_kind kind = DECL_SWEEP;
    if (keyword->kind == DATA)
        kind = DECL_DATA;
    if (keyword->kind == TRAIN)
        kind = DECL_TRAIN;
    if (keyword->kind == NAME) {
        const char *near = diag_nearest(keyword->text, known, COUNT(known));
        diag_error(p->diag, "N0310", keyword->loc, near ? region_printf(p->region, "did you mean `%s`?", near) : NULL,
                   "there is no section `%s`", keyword->text);
        diag_help(p->diag, "the sections are `data`, `train` and `sweep`; a block starts with `block NAME(...) {`");
        return;
    }
    struct decl section = { .kind = kind, .loc = keyword->loc, .name = keyword->text };
    for (int i = 0; i < items.n; i++) {
        struct decl d = items.v[i];
        if (d.kind != DECL_BIND) {
            diag_error(p->diag, "N0311", d.loc, NULL, "`%s` cannot stand in `%s`",
                       d.kind == DECL_INPUT ? "input" : "output", keyword->text);
            diag_help(p->diag, "here every line is `key = value`");
            continue;
        }
        region_grow(p->region, section.entry, section.nentry);
        section.entry[section.nentry++] = (struct ast_entry){ d.name, d.loc, d.value };
    }
    declare(p, section);
}

/* ---- tokens and errors ---- */

/* Behind a `]` no name can stand: there `from` is no name, and everywhere else it is. */
static int yylex(YYSTYPE *value, struct loc *at, struct parser *p)
{
    const struct token *t = p->next++;
    value->NAME = t;
    *at = t->loc;
    bool behind = t > p->first && t[-1].kind == ']';
    return behind && t->kind == NAME && strcmp(t->text, "from") == 0 ? FROM : t->kind;
}

static bool starts_line(const struct parser *p, const struct token *t)
{
    return t == p->first || t[-1].kind == NL || t[-1].kind == '{';
}

/* What could stand here, in words: only what a reader would think of. Operators are left out where an expression may
 * as well end, brackets where any value may start. */
static const char *expected_text(struct parser *p, const yypcontext_t *context)
{
    yysymbol_kind_t list[YYNTOKENS];
    bool want[YYNTOKENS] = { false };
    int n = yypcontext_expected_tokens(context, list, YYNTOKENS), ntext = 0;
    for (int i = 0; i < n; i++)
        want[list[i]] = true;
    const char *text[YYNTOKENS + 1];
    bool value = want[YYSYMBOL_NUMBER], line = want[YYSYMBOL_NL];
    bool ends = line || want[YYTRANSLATE(')')] || want[YYTRANSLATE(']')];
    if (value)
        text[ntext++] = "a value";
    else if (want[YYTRANSLATE('}')])
        text[ntext++] = "`key = value` or `}`";
    else if (want[YYSYMBOL_NET] && want[YYSYMBOL_YYEOF])
        text[ntext++] = "a declaration";
    else if (want[YYSYMBOL_NAME])
        text[ntext++] = "a name";
    for (const char *c = ":={}),]([.+-*/"; *c; c++) {
        bool implied = strchr("+-*/.([", *c) ? ends || value : *c == '}';
        int kind = *c;
        if (want[YYTRANSLATE(kind)] && !implied)
            text[ntext++] = region_printf(p->region, "`%c`", *c);
    }
    if (want[YYSYMBOL_ARROW] && !ends)
        text[ntext++] = "`->`";
    if (line)
        text[ntext++] = "the end of the line";
    const char *all = ntext ? text[0] : "something else";
    for (int i = 1; i < ntext; i++)
        all = region_printf(p->region, "%s%s%s", all, i + 1 < ntext ? ", " : " or ", text[i]);
    return all;
}

static void hint(struct parser *p, const struct token *t)
{
    static const char *const keywords[] = { "net", "param", "input", "target", "output", "block" };
    const struct token *before = t > p->first ? t - 1 : NULL;
    bool second = before && before->kind == NAME && starts_line(p, before);
    const char *near = second ? diag_nearest(before->text, keywords, COUNT(keywords)) : NULL;
    if (second && t->kind == NAME && near)
        diag_help(p->diag, "did you mean `%s` instead of `%s`?", near, before->text);
    else if (second && t->kind == ':')
        diag_help(p->diag, "a layer with a name follows a value: `value -> %s: Layer`", before->text);
    else if (second && (t->kind == NL || t->kind == ARROW || t->kind == '('))
        diag_help(p->diag, "to apply a layer write `-> %s`", before->text);
    else if (starts_line(p, t) && (t->kind == '+' || t->kind == '-' || t->kind == '*' || t->kind == '/'))
        diag_help(p->diag, "an expression goes on in the next line only within ( ) or before `->`");
    else if (t->kind == '.' && before)
        diag_help(p->diag, "layers have no module in front, but their name alone: `-> Flatten`");
    else if (t->kind >= NET && t->kind <= SWEEP && !starts_line(p, t))
        diag_help(p->diag, "`%s` is a keyword of the language; choose another name", t->text);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parser *p)
{
    const struct token *t = p->next - 1;
    if (t->kind == UNCLOSED) {
        diag_error(p->diag, "N0302", t->loc, "opened here", "`%s` is never closed", t->text);
    } else if (t->kind == BAD && t->why) {
        diag_error(p->diag, "N0305", t->loc, NULL, "%s", t->why);
    } else if (t->kind == BAD) {
        diag_error(p->diag, "N0304", t->loc, NULL, "unexpected character `%s`", t->text);
        if (*t->text == ';')
            diag_help(p->diag, "a declaration ends with its line");
    } else if (t->open.line) {
        diag_error(p->diag, "N0303", t->loc, NULL, "`%s` does not close what is open", t->text);
        diag_place(p->diag, t->open, "opened here");
    } else {
        const char *found = t->kind == YYEOF ? "the end of the file" : t->kind == NL ? "the end of the line"
                          : region_printf(p->region, "`%s`", t->text);
        diag_error(p->diag, "N0301", t->loc, NULL, "expected %s, found %s", expected_text(p, context), found);
        hint(p, t);
    }
    return 0;
}

/* Only bison itself calls it, when its stack is full. */
static void yyerror(struct loc *at, struct parser *p, const char *text)
{
    diag_error(p->diag, "N0308", *at, NULL, "cannot parse on from here: %s", text);
}

struct ast_file *parse(const char *text, size_t length, struct diag *d, struct region *r)
{
    struct token *tokens = tokenize(text, length, d, r);
    if (!tokens)
        return NULL;
    struct ast_file *f = region_alloc(r, 1, sizeof *f);
    struct parser p = { .diag = d, .region = r, .first = tokens, .next = tokens, .file = f };
    yyparse(&p);
    if (!f->name && !d->errors) {
        diag_error(d, "N0309", tokens->loc, NULL, "a file starts with the name of the network");
        diag_help(d, "put `net NAME` on the first line");
    }
    return f;
}
