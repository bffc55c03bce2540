/* plan_write.c: a plan as text that explains itself. docs/plan.md describes it line by line. */
#include "op.h"
#include "plan_text.h"
#include "base/atomic_file.h"
#include "base/base.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static void put_quoted(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\x%02x", *c);
        else
            putc(*c, out);
    }
    putc('"', out);
}

/* The shortest decimal form that reads back as the same double. */
static void put_number(FILE *out, double x)
{
    char text[40];
    if (x == trunc(x) && fabs(x) < 1e15) {
        fprintf(out, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    fputs(text, out);
}

/* Source lines are set off by a bar, so that no content can be taken for plan text. */
static void put_source(FILE *out, const char *source)
{
    size_t bytes = strlen(source), lines = bytes && source[bytes - 1] != '\n';
    for (const char *c = source; *c; c++)
        lines += *c == '\n';
    fprintf(out, "\nsource %zu lines %zu bytes hash %016" PRIx64 "\n", lines, bytes,
            (uint64_t)XXH3_64bits(source, bytes));
    while (*source) {
        size_t n = strcspn(source, "\n");
        fprintf(out, "| %.*s\n", (int)n, source);
        source += n + (source[n] == '\n');
    }
}

static void put_settings(FILE *out, const struct plan *p)
{
    fprintf(out,
            "\n# Settings of the data and train blocks. `graph`: shaped the network, only netc can change it;\n"
            "# `free`: netrun --set can.\nsettings %d\n",
            p->nsetting);
    for (const struct setting *s = p->setting; s < p->setting + p->nsetting; s++) {
        fprintf(out, "  %s %s", s->graph ? "graph" : "free ", s->key);
        if (s->text) {
            putc(' ', out);
            put_quoted(out, s->text);
        }
        for (int i = 0; i < s->n; i++) {
            putc(' ', out);
            put_number(out, s->num[i]);
        }
        putc('\n', out);
    }
}

static void put_schedules(FILE *out, const struct plan *p)
{
    fputs("\n# Schedules: one phase on one kind of device: kernels [first, last); step k is kernel first + k.\n", out);
    fprintf(out,
            "# `rows` samples (a multiple of %d) need arena = persistent + fixed + rows * per_row bytes; without\n"
            "# training less by the slots, which come first; `parts` more, at the end, where a batch runs in parts.\n",
            ROW_BLOCK);
    fputs("# No placement has a smaller per_row than `bound`: the bytes a row that are live at step `peak`.\n", out);
    fprintf(out, "schedules %d\n", p->nschedule);
    for (int i = 0; i < p->nschedule; i++) {
        const struct schedule *s = &p->schedule[i];
        fprintf(out,
                "  %d %s %s fixed %" PRId64 " parts %" PRId64 " per_row %" PRId64 " bound %" PRId64
                " peak %d kernels %d %d",
                i, s->target->name, phase_word[s->phase], s->fixed, s->parts, s->per_row, s->bound_per_row,
                s->peak_step, s->first_kernel, s->last_kernel);
        int64_t always = schedule_alone(p, s, 0);
        if (always >= 0)
            fprintf(out, "  # arena = %" PRId64 " + rows * %" PRId64, always, s->per_row);
        putc('\n', out);
    }
}

static const char *shape(const struct tensor *t, char text[128])
{
    int n = snprintf(text, 128, "%s", t->rows ? "N" : "");
    for (int i = 0; i < t->rank; i++)
        n += snprintf(text + n, 128 - (size_t)n, "%s%" PRId64, n ? "x" : "", t->dim[i]);
    return n ? text : "scalar";
}

/* A number, or `-` where there is none to tell. */
static const char *optional(bool is, int64_t x, char text[24])
{
    snprintf(text, 24, is ? "%" PRId64 : "-", x);
    return text;
}

static void put_tensors(FILE *out, const struct plan *p)
{
    int width = 4;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        width = (int)strlen(t->name) > width ? (int)strlen(t->name) : width;
    width = width > 32 ? 32 : width;
    fputs(
        "\n# Tensors. shape: N is the batch. sched: schedule, `-`: persistent. base: the tensor whose bytes it\n"
        "# shares from byte `at`. bytes: of a row if the shape has N. offset: within its region (rows, fixed, parts\n"
        "# of a sum, or persistent); without one it lives in its base, or in registers of one kernel. first, last: its bytes\n"
        "# live during these steps, half-open. line: of the source. init, bound, fan_in: its first values.\n",
        out);
    fprintf(out, "tensors %d\n", p->ntensor);
    fprintf(out, "# %4s %-*s %-9s %-5s %-6s %-14s %5s %5s %9s %10s %11s %5s %5s %5s %-7s %5s %s\n", "", width, "name",
            "role", "dtype", "layout", "shape", "sched", "base", "at", "bytes", "offset", "first", "last", "line",
            "init", "bound", "fan_in");
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        bool placed = t->base < 0 && tensor_stored(t);
        char dims[128], schedule[24], base[24], at[24], offset[24];
        fprintf(out, "  %4d %-*s %-9s %-5s %-6s %-14s %5s %5s %9s %10" PRId64 " %11s %5d %5d %5d %-7s ", i, width,
                t->name, role_word[t->role], dtype_word[t->dtype], layout_word(t), shape(t, dims),
                optional(t->schedule >= 0, t->schedule, schedule), optional(t->base >= 0, t->base, base),
                optional(t->base >= 0, t->at, at), t->bytes, optional(placed, t->offset, offset), t->first, t->last,
                t->line, init_word[t->init]);
        put_number(out, t->bound);
        fprintf(out, " %d\n", t->fan_in);
    }
}

static void put_names(FILE *out, const struct plan *p, const int *tensor, int n)
{
    for (int i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? ", " : "", p->tensor[tensor[i]].name);
}

static void put_stage(FILE *out, const struct plan *p, const struct stage *s)
{
    fprintf(out, "  %s", s->op->name);
    for (int i = 0; i < MAX_ATTRS && s->op->attr[i]; i++) {
        fprintf(out, " %s=", s->op->attr[i]);
        put_number(out, s->attr[i]);
    }
    fputs(" in", out);
    for (int i = 0; i < s->nin; i++)
        fprintf(out, " %d", s->in[i]);
    fputs(" out", out);
    for (int i = 0; i < s->nout; i++)
        fprintf(out, " %d", s->out[i]);
    fprintf(out, " line %d", s->line);
    if (s->algorithm)
        fprintf(out, " by %s", s->algorithm);
    fputs("  # ", out);
    put_names(out, p, s->out, s->nout);
    fputs(" <- ", out);
    put_names(out, p, s->in, s->nin);
    putc('\n', out);
}

static void put_kernels(FILE *out, const struct plan *p)
{
    fputs("\n# Kernels in the order in which they run; a line a stage: op, attributes, tensors, source line.\n", out);
    fprintf(out, "kernels %d\n", p->nkernel);
    for (int k = 0; k < p->nkernel; k++) {
        const struct kernel *kernel = &p->kernel[k];
        fprintf(out, "kernel %d %s schedule %d stages %d\n", k, kernel->name, kernel->schedule, kernel->nstage);
        for (int i = 0; i < kernel->nstage; i++)
            put_stage(out, p, &kernel->stage[i]);
    }
}

static void put_body(FILE *out, const struct plan *p)
{
    fputs("# The plan of one network: what netrun allocates and runs, as decided by netc. Sizes are bytes.\n"
          "# docs/plan.md explains every line.\n",
          out);
    fprintf(out, "\nnet %s\nfile ", p->net);
    put_quoted(out, p->file);
    fprintf(out, "\nparams %" PRId64 "  # trained values\n", p->params);
    fprintf(out, "macs %" PRId64 "  # multiply-adds of one sample's forward pass\n", p->macs);
    fprintf(out,
            "persistent %" PRId64 "  # bytes that are kept: %" PRId64
            " of the optimizer's slots, then parameters, states, control block\n",
            p->persistent, plan_slots(p));
    put_source(out, p->source);
    put_settings(out, p);
    put_schedules(out, p);
    put_tensors(out, p);
    put_kernels(out, p);
    fputs("end\n", out);
}

static ssize_t add_to_hash(void *hash, const char *bytes, size_t n)
{
    return XXH3_64bits_update(hash, bytes, n) == XXH_OK ? (ssize_t)n : -1;
}

/* The checksum stands before the body, which may have hundreds of MiB: it is written twice, the first time into the hash alone. */
bool plan_write(const struct plan *p, FILE *out)
{
    XXH3_state_t *hash = XXH3_createState();
    FILE *sum = hash && XXH3_64bits_reset(hash) == XXH_OK
                    ? fopencookie(hash, "w", (cookie_io_functions_t){.write = add_to_hash})
                    : NULL;
    bool good = sum;
    if (sum) {
        put_body(sum, p);
        good = !ferror(sum);
        good = fclose(sum) == 0 && good;
    }
    if (good) {
        fprintf(out, "netc-plan %d\nchecksum %016" PRIx64 "\n", PLAN_VERSION, (uint64_t)XXH3_64bits_digest(hash));
        put_body(out, p);
        good = fflush(out) == 0 && !ferror(out);
    }
    XXH3_freeState(hash);
    return good;
}

bool plan_save(const struct plan *p, const char *path, struct data_error *e)
{
    struct atomic_file file;
    if (!atomic_open(&file, path, e))
        return false;
    if (plan_write(p, file.stream))
        return atomic_commit(&file, e);
    data_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    atomic_abandon(&file);
    return false;
}
