/* run_mutant: emits the kernels of a plan, compiles them, and runs each task of each schedule once, every tensor in a
 * block of memory of exactly its size. Built and run under ASan and UBSan, so that no byte past a tensor goes unseen.
 *
 *     run_mutant FOLDER PLAN...
 *
 * $CC compiles in FOLDER with $MUTANT_CFLAGS. A line for each plan: `ran` or `too large`. Exit status: 0, 1 if a plan is
 * refused or its kernels do not compile, 4 for a file; the sanitizers abort. */
#define _GNU_SOURCE 1
#include "emit/emit.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { LANES = 16, ALIGN = 64, SAMPLES = 100 };
static const int64_t most = INT64_C(1) << 28; /* bytes of one tensor, beyond which a plan is not run */

static char *read_file(const char *path, size_t *size)
{
    char *text = NULL;
    FILE *in = fopen(path, "rb"), *out = open_memstream(&text, size);
    for (int c; in && (c = getc(in)) != EOF;)
        putc(c, out);
    fclose(out);
    if (in)
        fclose(in);
    return in ? text : NULL;
}

/* ---- memory ---- */

/* A block of its own for each tensor that is not a part of another; parts point into it. `wild` fills all bytes with
 * ones: NaN, class -1, place 255. False if one is too large. */
static bool bind(const struct plan *p, int64_t rows, bool wild, char **at)
{
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        int64_t size =
            t->rows ? t->bytes : (t->bytes + ALIGN - 1) / ALIGN * ALIGN; /* vectors may fill up the last 64 */
        if (t->base >= 0 || !tensor_stored(t))
            continue;
        if (size > most / rows || !(at[i] = aligned_alloc(ALIGN, (size_t)(t->rows ? size * rows : size))))
            return false;
        memset(at[i], wild ? 0xff : 0, (size_t)(t->rows ? size * rows : size));
    }
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].base >= 0)
            at[i] = at[p->tensor[i].base] + p->tensor[i].at * (p->tensor[i].rows ? rows : 1);
    return true;
}

static void release(const struct plan *p, char **at)
{
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].base < 0)
            free(at[i]);
    free(at);
}

/* Exactly the samples that the host would give: by the first tensor of the role. */
static void *data(const struct plan *p, enum role role, int64_t bytes)
{
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == role)
            return calloc(SAMPLES, (size_t)(tensor_elements(t) * bytes));
    return NULL;
}

/* ---- running ---- */

static void run_kernel(const struct plan *p, int k, const struct nr_kernel *kernel, struct nr_args *a, char **at)
{
    int list[MAX_STAGES * 2 * MAX_OPERANDS];
    int n = kernel_operands(p, k, list);
    void **operand = malloc((size_t)(n + 1) * sizeof *operand);
    for (int i = 0; i < n; i++)
        operand[i] = at[list[i]];
    a->t = operand;
    a->stream = kernel->stream;
    int64_t per = kernel->blocks_per_task, tasks = (per ? (a->blocks + per - 1) / per : 1) * kernel->splits;
    kernel->run(a, 0, tasks / 2);
    kernel->run(a, tasks / 2, tasks);
    free(operand);
}

static bool run_plan(const struct plan *p, const struct nr_object *object, int64_t rows, uint32_t valid, bool wild)
{
    char **at = calloc((size_t)p->ntensor + 1, sizeof *at);
    bool fits = bind(p, rows, wild, at);
    void *samples = data(p, ROLE_INPUT, wild ? 4 : 1), *targets = data(p, ROLE_TARGET, 4);
    struct nr_args a = {
        .samples = samples, .targets = targets, .samples_f32 = wild, .blocks = (int32_t)(valid + 15) / 16};
    for (int i = 0; fits && i < p->ntensor; i++)
        if (p->tensor[i].role == ROLE_CONTROL)
            a.control = (uint32_t *)(void *)at[i];
    for (const struct schedule *s = p->schedule; fits && s < p->schedule + p->nschedule; s++) {
        if (s->target != &target_cpu)
            continue;
        memset(a.control, 0, CTL_WORDS * sizeof *a.control);
        a.control[CTL_ROWS] = valid;
        a.control[CTL_COUNT_SAMPLES] = SAMPLES;
        a.control[CTL_POSITION] = SAMPLES - valid + 1; /* the last row has no sample */
        a.control[CTL_SHUFFLE] = a.control[CTL_FINITE] = 1;
        for (int k = s->first_kernel; k < s->last_kernel; k++)
            run_kernel(p, k, &object->kernel[emit_row(p, &target_cpu, k)], &a, at);
    }
    free(samples);
    free(targets);
    release(p, at);
    return fits;
}

static bool write_source(const char *path, const char *text, size_t size)
{
    FILE *out = fopen(path, "w");
    bool good = out && fwrite(text, 1, size, out) == size;
    return out && fclose(out) == 0 && good;
}

/* Equal kernels are compiled once: objects stay in the folder under the hash of their source. */
static void *compile(const struct plan *p, const char *folder)
{
    const char *cc = getenv("CC"), *flags = getenv("MUTANT_CFLAGS");
    char source[4096], made[4096], object[4096], *command = NULL, *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool good = emit_kernels(p, &(struct emit_options){.lanes = LANES, .file = "mutant"}, out);
    good = fclose(out) == 0 && good;
    snprintf(object, sizeof object, "%s/%016llx.so", folder, (unsigned long long)XXH3_64bits(text, size));
    if (good && access(object, R_OK) != 0) {
        snprintf(source, sizeof source, "%s/mutant-%d.c", folder, (int)getpid());
        snprintf(made, sizeof made, "%s/mutant-%d.so", folder, (int)getpid());
        if (asprintf(&command, "%s %s -w -std=gnu11 -fPIC -shared -o '%s' '%s' -lm", cc ? cc : "cc", flags ? flags : "",
                     made, source) < 0)
            command = NULL;
        good = command && write_source(source, text, size) && system(command) == 0 && rename(made, object) == 0;
        unlink(source);
        free(command);
    }
    free(text);
    return good ? dlopen(object, RTLD_NOW | RTLD_LOCAL) : NULL;
}

static int run_file(const char *path, const char *folder)
{
    struct plan_error e;
    size_t size = 0;
    char *text = read_file(path, &size);
    if (!text) {
        perror(path);
        return 4;
    }
    struct plan *p = plan_read(text, size, &e);
    free(text);
    void *handle = p ? compile(p, folder) : NULL;
    const struct nr_object *object = handle ? dlsym(handle, "nr_object") : NULL;
    if (!object) {
        fprintf(stderr, "%s: %s\n", path, p ? "its kernels do not compile" : e.text);
    } else {
        bool fits = run_plan(p, object, 16, 16, false) && run_plan(p, object, 48, 35, true);
        printf("%s: %s\n", path, fits ? "ran" : "too large");
    }
    if (handle)
        dlclose(handle);
    plan_free(p);
    return object ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = 0;
    for (int i = 2; i < argc && !status; i++) {
        fprintf(stderr, "%s\n", argv[i]); /* the sanitizers' report follows the name of its plan */
        status = run_file(argv[i], argv[1]);
    }
    return argc < 3 ? 2 : status;
}
