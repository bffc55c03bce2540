/* command.h: the command line of netc. */
#ifndef NETC_COMMAND_H
#define NETC_COMMAND_H

#include "compile.h"
#include "base/options.h"

#include <string.h>

enum { EXIT_MODEL = 1, EXIT_USAGE = 2, EXIT_BUDGET = 3, EXIT_FILE = 4, EXIT_INTERNAL = 70 };

enum emit {
    EMIT_NONE = -1,
    EMIT_PLAN,
    EMIT_C,
    EMIT_CUDA,
    EMIT_KERNELS,
    EMIT_GRAPH,
    EMIT_DOT,
    EMIT_DOT_KERNELS,
    EMIT_JSON
};
enum pairs { DEFINE, ALGORITHM, PAIRS };

struct request {
    const char *file, *output, *place, *dump, *target, *svg, *rates;
    enum emit emit;
    enum flops flops;
    enum precision precision;
    enum colour colour;
    bool check, summary, map, plain, exact;
    int64_t memory, batch, capacity,
        steps; /* steps: of an epoch, whose rates are drawn, into `rates` if that is given; 0: they are not */
    int npair[PAIRS];
    struct define pair[PAIRS][64];
};

static inline bool is_stream(const char *path)
{
    return !strcmp(path, "-");
}

/* rates.c: learning rate and what else moves, over the steps: on a terminal, as SVG, and in a file of that (false after filling *e). */
void draw_rates(const struct plan *p, int64_t steps, bool colour, FILE *out);
void rates_svg(const struct plan *p, int64_t steps, FILE *out);
struct data_error;
bool rates_svg_save(const struct plan *p, int64_t steps, const char *path, struct data_error *e);

/* OPTIONS_GO, or the exit status at which to stop (0 after --help); to be freed in any case. */
int request_read(struct request *r, int argc, char **argv);
void request_free(struct request *r);

#endif
