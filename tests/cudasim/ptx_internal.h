/* Shared by the files of the PTX front end: tokens, operands, the parser's state and the table of instruction forms. */
#ifndef CUDASIM_PTX_INTERNAL_H
#define CUDASIM_PTX_INTERNAL_H

#include <setjmp.h>

#include "ptx.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_PUNCTUATION };
enum number_kind { NUMBER_INTEGER, NUMBER_F32, NUMBER_F64 };
enum { NAME_BYTES = 256, MAX_ELEMENTS = 8, MAX_OPERANDS = 8 };

struct token {
    enum token_kind kind;
    const char *start;
    size_t length;
    uint32_t line;
    enum number_kind number;
    uint64_t value; /* number: two's complement, or the bits of the float */
};

struct lexer {
    const char *at;
    uint32_t line;
    struct token token; /* the token not yet taken */
};

enum operand_kind { OPERAND_NONE, OPERAND_REGISTER, OPERAND_SPECIAL, OPERAND_NUMBER, OPERAND_SYMBOL, OPERAND_SINK };

/* One register, number or name; `value` is the register index, special row, number bits or symbol index. */
struct element {
    enum operand_kind kind;
    enum number_kind number;
    uint64_t value;
    bool negated;
};

struct operand {
    struct element element[MAX_ELEMENTS]; /* a vector has count > 1 */
    uint32_t count;
    struct element second; /* the part behind `|` */
    bool braces, address;
    int64_t offset; /* address: added to the element */
};

struct statement {
    char opcode[NAME_BYTES]; /* with its dotted modifiers */
    struct operand operand[MAX_OPERANDS];
    uint32_t operands, line;
    char label[NAME_BYTES]; /* branch target */
};

enum register_class { CLASS_PREDICATE = 1, CLASS_16 = 16, CLASS_32 = 32, CLASS_64 = 64 };

struct symbol {
    char *name;
    enum space space;
    uint64_t value; /* address or offset */
    uint64_t bytes;
};

/* Register names: `%r<10>` is one range, a single name a range with count 0. */
struct register_range {
    char prefix[NAME_BYTES];
    uint32_t count, first, depth;
    enum register_class class;
};

struct label {
    char *name;
    uint32_t target, depth;
};

struct fixup {
    char *name;
    uint32_t insn, line;
};

struct parser {
    struct lexer lexer;
    char *message;
    jmp_buf failed;
    struct ptx_module *module;
    uint64_t next_address;
    struct symbol *symbols;
    uint32_t symbol_count, module_symbols;
    uint32_t extern_shared; /* alignment of dynamic shared memory in bytes */

    struct ptx_function *function;
    struct register_range *ranges;
    uint32_t range_count, depth;
    uint8_t *classes; /* register_class of every virtual register of the function */
    uint32_t register_count;
    struct label *labels;
    uint32_t label_count;
    struct fixup *fixups;
    uint32_t fixup_count;
    uint64_t *constants; /* values of the function's constant rows; see constant_wide */
    uint8_t *constant_wide;
    uint32_t constant_count;
    int64_t dynamic_shared[2]; /* constants that hold the offset of dynamic shared memory: 32 and 64 bits, or -1 */
    uint32_t source_line;
};

/* Virtual operand references, before rows are assigned (ptx_rows.c). */
enum { REF_REGISTER = 0u << 30, REF_CONSTANT = 1u << 30, REF_SPECIAL = 2u << 30, REF_KIND = 3u << 30 };

/* One instruction form that needs no analysis beyond its operands. The shape is destinations = sources, one letter per
 * operand: p predicate, h 16 bits, w 32 bits, l 64 bits. */
struct form {
    const char *name, *shape;
    handler run;
};

/* A family of forms decoded by a function; `prefix` is the text up to the first dot. */
struct family {
    const char *prefix;
    void (*decode)(struct parser *p, const struct statement *s, struct insn *in);
};

extern const struct form forms_integer[], forms_float[], forms_round[], forms_bits[]; /* each ends with a NULL name */
extern const struct family families_memory[], families_atomic[], families_convert[], families_compare[],
    families_control[], families_warp[], families_mma[], families_tile[];

/* lexer */
void lexer_start(struct lexer *lexer, const char *text);
void lexer_next(struct lexer *lexer);
bool token_is(const struct token *token, const char *text);

/* Leaves the parse with a message that names the line. */
_Noreturn void parse_failed(struct parser *p, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* declarations and statements */
void parse_function(struct parser *p);
void parse_registers(struct parser *p);
void parse_statement(struct parser *p, struct statement *s);
void parse_variable(struct parser *p, enum space space, bool is_extern);
void take(struct parser *p, const char *text);
bool accept(struct parser *p, const char *text);
uint64_t take_integer(struct parser *p);
void take_name(struct parser *p, char name[NAME_BYTES]);
struct symbol *add_symbol(struct parser *p, const char *name, enum space space, uint64_t value, uint64_t bytes);
const struct symbol *find_symbol(const struct parser *p, const char *name);

/* decoding: each appends one reference; `width` is the letter of struct form */
void decode_statement(struct parser *p, const struct statement *s);
void add_destination(struct parser *p, const struct statement *s, struct insn *in, const struct element *e, char width);
void add_source(struct parser *p, const struct statement *s, struct insn *in, const struct element *e, char width);
void decode_shape(struct parser *p, const struct statement *s, struct insn *in, const char *shape);
char element_width(const struct parser *p, const struct element *e);
_Noreturn void unknown_form(struct parser *p, const struct statement *s);
/* Steps through the dotted parts of an opcode: copies the next one, false at the end. */
bool next_part(const char **at, char part[NAME_BYTES]);

/* Memory operands: sets address width, offset and slot. in->space and in->bytes are set before. */
void add_address(struct parser *p, const struct statement *s, struct insn *in, const struct operand *o);
/* Whether a dotted part names a state space. */
bool memory_space(const char *part, uint8_t *space);

void assign_rows(struct parser *p, struct ptx_function *f);

void *grow(struct parser *p, void *array, uint32_t count, size_t bytes);
char *copy_name(struct parser *p, const char *name);

#endif
