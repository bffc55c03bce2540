/* The PTX front end: text in, decoded instructions out.
 *
 * Every operand of a decoded instruction (register, immediate, special register) is a *row*: 32 lanes of 4 or 8
 * bytes, so that an instruction is one loop over 32 lanes. A row reference is `byte offset | bank`; bank 0 is the
 * warp's register file, bank 1 the function's constants; a row is 128 bytes, a 64-bit row takes two of them.
 * Registers of 16 bits and predicates (0 or ~0) take 32 bits. */
#ifndef CUDASIM_PTX_H
#define CUDASIM_PTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 32, ROW_BYTES = 4 * LANES, MAX_PARAMS = 512, MESSAGE_BYTES = 1024 };

enum space { SPACE_GENERIC, SPACE_GLOBAL, SPACE_CONST, SPACE_SHARED, SPACE_LOCAL, SPACE_PARAM };

/* Rows at the start of every register file, filled before a block starts. */
enum special_row {
    ROW_TID_X,
    ROW_TID_Y,
    ROW_TID_Z,
    ROW_NTID_X,
    ROW_NTID_Y,
    ROW_NTID_Z,
    ROW_CTAID_X,
    ROW_CTAID_Y,
    ROW_CTAID_Z,
    ROW_NCTAID_X,
    ROW_NCTAID_Y,
    ROW_NCTAID_Z,
    ROW_LANEID,
    ROW_WARPID,
    ROW_NWARPID,
    ROW_DYNAMIC_SHARED,
    ROW_TOTAL_SHARED,
    SPECIAL_ROWS
};

struct warp;
struct insn;
typedef void (*handler)(struct warp *w, const struct insn *in);

enum { NO_GUARD = -1, INLINE_REFS = 6 };
enum flow { FLOW_NEXT, FLOW_BRANCH, FLOW_EXIT }; /* a branch with a source is conditional */

struct insn {
    handler run;
    uint32_t reg[INLINE_REFS]; /* destinations first, then sources */
    const uint32_t *list;      /* all references of an instruction with more than INLINE_REFS of them, else NULL */
    int64_t imm;               /* byte offset of an address; otherwise as the handler says */
    int32_t guard;             /* row reference of the guarding predicate, or NO_GUARD */
    uint32_t target;           /* branch: instruction index */
    uint32_t line;             /* line of the PTX text */
    uint32_t source_line;      /* line of the CUDA text from .loc, 0 if unknown */
    uint32_t slot;             /* memory instruction: number within its function */
    uint8_t guard_negated, dsts, srcs;
    uint8_t space, bytes, count; /* memory instruction: bytes per element, elements */
    uint8_t mode;                /* as the handler says */
    uint8_t wide_address;        /* the address register has 64 bits */
    uint8_t is_signed, reg_bits; /* load: sign extension; bits of the data registers */
    uint8_t atomic, barrier;
    uint8_t flow; /* enum flow */
};

struct param {
    uint32_t offset, bytes;
};

struct ptx_function {
    char *name;
    struct insn *code;
    uint32_t insns, slots;
    uint8_t *constants; /* rows of bank 1 */
    uint32_t constant_rows, register_rows, register_count;
    struct param params[MAX_PARAMS];
    uint32_t param_count, param_bytes, static_shared, local_bytes;
    uint32_t max_threads;       /* from .maxntid or .reqntid, 0 if not stated */
    uint32_t min_shared_access; /* smallest access to shared memory in bytes: the granularity of the race check */
    bool order_sensitive;       /* results may depend on the order of blocks: they are run in order on one thread */
    bool has_atomics;
};

struct ptx_variable {
    char *name;
    uint64_t address, bytes;
    uint8_t *initial; /* `bytes` bytes */
    bool constant;
};

struct ptx_module {
    struct ptx_function *functions;
    uint32_t function_count;
    struct ptx_variable *variables; /* in increasing order of address */
    uint32_t variable_count;
    uint32_t target; /* e.g. 90 for sm_90 */
    uint64_t address_end;
};

/* Parses NUL-terminated PTX. Module variables get addresses from `base` upwards. Returns NULL and a message that names
 * the PTX line when anything is not understood. */
struct ptx_module *ptx_parse(const char *text, uint64_t base, char message[MESSAGE_BYTES]);
void ptx_free(struct ptx_module *module);

#endif
