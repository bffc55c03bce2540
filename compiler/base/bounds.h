/* bounds.h: how large what may be. One table for the language, the compiler and the reader of plans, so that netrun reads
 * whatever netc writes: netc refuses what is beyond, with its line, and the reader what no netc would have written.
 * docs/language.md lists what people meet. */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <stdint.h>

enum {
    /* the text */
    MAX_SOURCE = 16 << 20, /* bytes */
    MAX_NAME = 100,        /* characters of one name */
    MAX_NESTING = 100,     /* brackets within brackets */
    MAX_TREE = 1000,       /* depth of an expression: passes recurse over it */
    MAX_NAMES = 10000,     /* declarations of a file, lines of a block, of a section */
    MAX_DEPTH = 40,        /* blocks within blocks */
    MAX_NUMBERS = 1000000, /* of all settings together: samples */

    /* the network */
    MAX_LAYERS = 20000,       /* layers, blocks and sums, over all repeats */
    MAX_PATH = 500,           /* characters of a parameter's name: stage1.0.conv1.weight */
    MAX_RANK = 4,             /* sizes of one sample's shape, or of a parameter */
    MAX_SIDE = 1 << 24,       /* each size of a shape; values of an input; classes */
    MAX_ELEMENTS = INT32_MAX, /* values that a layer makes of one sample */
    MAX_PICTURE = 4096,       /* height and width of what a convolution or pool reads and makes */
    MAX_KERNEL_WIDTH = 64,    /* of a convolution, whose columns are unrolled */
    MAX_TAPS = 4096,          /* height times width of its kernel */
    MAX_OPERANDS = 12,        /* inputs or outputs of one op */
    MAX_METRICS = 8,          /* words of the control block; transforms too */
    MASK_IGNORED = 255,       /* in a mask: no class; its classes are below */
    MAX_ROWS = 1 << 24,       /* samples of a batch */

    /* the plan: what the above can become */
    MAX_ATTRS = 16,  /* attributes of one op */
    MAX_STAGES = 24, /* stages of one kernel */
    MAX_SETTINGS = 2 * MAX_NAMES,
    MAX_KERNELS = 1 << 20,
    MAX_TENSORS = 1 << 21,
    MAX_TENSOR_NAME = 600, /* characters; an optimizer's slot adds some to a parameter's */
    MAX_STRING = 65535     /* bytes of a quoted string */
};
#define MAX_WEIGHTS (INT64_C(1) << 40)   /* values of one parameter */
#define MAX_BYTES (INT64_C(1) << 48)     /* that persist, and of a phase besides those of its rows */
#define MAX_ROW_BYTES (INT64_C(1) << 38) /* of a sample in a phase: MAX_ROWS have a 64-bit size */

#endif
