/* A model compiled within the test and run kernel by kernel. Every stored tensor has a buffer of its own, of exactly
 * its size, so that a sanitizer sees each access beside it; what does not persist is NaN before a run. Tasks run one at
 * a time and out of order. Include after cmocka.h. */
#ifndef HARNESS_H
#define HARNESS_H

#include "netc/compile.h"
#include "cpu/jit.h"
#include "run/run.h"
#include "data/safetensors.h"

#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct trial {
    struct compilation c;
    const struct plan *p;
    const struct target *target; /* NULL: target_cpu */
    bool wide;                   /* computes in double: tensors DT_F32 hold doubles */
    struct jit jit;
    struct recipe recipe;
    int64_t capacity;         /* rows */
    void **own;               /* by tensor: its buffer, NULL if it has a base or is not stored */
    const struct schedule *s; /* that run last */
    struct device_data data;
    int32_t blocks;
};

static inline char *read_text(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        fail_msg("%s: cannot be read", path);
    char *text = calloc(1, 1 << 20);
    assert_true(text && fread(text, 1, (1 << 20) - 1, in) > 0);
    fclose(in);
    return text;
}

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Flags of the test itself behind those of the toolchain: tests run little and compile much. */
static inline void use_flags(const char *optimize)
{
    static char *given;
    char flags[512];
    const char *sanitize = SANITIZED ? "-g -fsanitize=address,undefined -fno-sanitize-recover=undefined" : "";
    if (!given)
        given = strdup(getenv("NETRUN_CFLAGS") ? getenv("NETRUN_CFLAGS") : "");
    snprintf(flags, sizeof flags, "%s %s %s", optimize, sanitize, given);
    setenv("NETRUN_CFLAGS", flags, 1);
}

/* Compiled objects stay in a folder beside the test program, or in TEST_CACHE, which several builds may share: a second
 * run compiles nothing. */
static inline void use_cache(const char *program)
{
    char *folder = realpath(program, NULL), *slash = folder ? strrchr(folder, '/') : NULL;
    const char *shared = getenv("TEST_CACHE");
    if (slash) {
        strcpy(slash, "/");
        setenv("XDG_CACHE_HOME", shared ? shared : folder, 1);
    }
    free(folder);
    use_flags("-O1");
}

/* ---- compiling ---- */

/* To a plan. Takes `text`. False if the model is wrong; messages go to `out`. */
static inline bool trial_plan(struct trial *t, const char *file, char *text, struct define *define, int ndefine,
                              FILE *out)
{
    *t = (struct trial){.c = {.file = file, .target = &target_cpu, .text = text, .length = strlen(text)}};
    t->c.define = define;
    t->c.ndefine = ndefine;
    t->c.region = region_new();
    t->c.diag = (struct diag){.file = file, .text = text, .out = out, .region = t->c.region};
    bool good = run_passes(&t->c, NULL);
    diag_flush(&t->c.diag);
    t->p = t->c.plan;
    return good;
}

/* Kernels of a plan that is there. */
static inline void trial_compile(struct trial *t, bool wide)
{
    int lanes = t->target && t->target->lanes ? t->target->lanes : wide ? jit_lanes() / 2 : jit_lanes();
    struct emit_options emit = {.target = t->target, .lanes = lanes, .f64 = wide, .file = t->c.file};
    struct jit_options o = {.name = t->p->net,
                            .kernels = emit_row(t->p, &target_cpu, t->p->nkernel),
                            .lanes = lanes,
                            .real_bytes = wide ? sizeof(double) : sizeof(float)};
    struct device_error e;
    static char *text;
    static size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_true(out && emit_kernels(t->p, &emit, out) && fclose(out) == 0);
    t->wide = wide;
    use_flags(wide ? "-O0" : "-O1");
    if (!jit_load(text, length, &o, &t->jit, &e))
        fail_msg("%s: %s", t->c.file, e.text);
    free(text);
    assert_int_equal(recipe_read(t->p, &t->recipe), 0);
    t->recipe.shuffle = false;
}

/* ---- memory ---- */

static inline int64_t element_bytes(const struct trial *t, const struct tensor *x)
{
    return x->dtype == DT_F32 && t->wide ? 8 : dtype_bytes(x->dtype);
}

/* Bytes of a tensor of its own. Maps over values without rows work on 16 at a time. */
static inline size_t tensor_size(const struct trial *t, const struct tensor *x)
{
    int64_t n = x->rows ? row_elements(x) * t->capacity : (tensor_elements(x) + 15) / 16 * 16;
    return (size_t)(n * element_bytes(t, x));
}

static inline void trial_poison(struct trial *t, bool persistent)
{
    for (int i = 0; i < t->p->ntensor; i++)
        if (t->own[i] && (t->p->tensor[i].schedule < 0) == persistent)
            memset(t->own[i], persistent ? 0 : 0xff, tensor_size(t, &t->p->tensor[i]));
}

/* Room for `rows` samples in every phase; what persists is zero. */
static inline void trial_arm(struct trial *t, int64_t rows)
{
    t->capacity = (rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    t->own = calloc((size_t)t->p->ntensor, sizeof *t->own);
    assert_non_null(t->own);
    for (int i = 0; i < t->p->ntensor; i++) {
        const struct tensor *x = &t->p->tensor[i];
        if (x->base < 0 && tensor_stored(x))
            assert_int_equal(posix_memalign(&t->own[i], 64, tensor_size(t, x)), 0);
    }
    trial_poison(t, true);
}

static inline void trial_close(struct trial *t)
{
    for (int i = 0; t->own && i < t->p->ntensor; i++)
        free(t->own[i]);
    free(t->own);
    jit_unload(&t->jit);
    region_free(t->c.region);
    free(t->c.text);
    *t = (struct trial){0};
}

static inline void *tensor_at(const struct trial *t, int tensor)
{
    const struct tensor *x = &t->p->tensor[tensor];
    if (x->base < 0)
        return t->own[tensor];
    return (char *)t->own[x->base] + x->at / dtype_bytes(x->dtype) * element_bytes(t, x);
}

/* Index in memory of an element of a row (0 without rows). */
static inline int64_t index_of(const struct tensor *x, int64_t row, int64_t element)
{
    return x->rows ? element_place(x, row, element) : element;
}

static inline double value_get(const struct trial *t, int tensor, int64_t row, int64_t element)
{
    const struct tensor *x = &t->p->tensor[tensor];
    int64_t i = index_of(x, row, element);
    const void *at = tensor_at(t, tensor);
    assert_int_equal(x->dtype, DT_F32);
    return t->wide ? ((const double *)at)[i] : (double)((const float *)at)[i];
}

static inline void value_put(struct trial *t, int tensor, int64_t row, int64_t element, double value)
{
    int64_t i = index_of(&t->p->tensor[tensor], row, element);
    void *at = tensor_at(t, tensor);
    if (t->wide)
        ((double *)at)[i] = value;
    else
        ((float *)at)[i] = (float)value;
}

/* By name, in the schedule of a phase or persistent. */
static inline int tensor_named(const struct trial *t, enum phase ph, const char *name)
{
    const struct schedule *s = plan_schedule(t->p, &target_cpu, ph);
    for (int i = 0; i < t->p->ntensor; i++)
        if (!strcmp(t->p->tensor[i].name, name) &&
            (t->p->tensor[i].schedule < 0 || t->p->tensor[i].schedule == s - t->p->schedule))
            return i;
    return -1;
}

/* The tensor of a value of the graph, behind views. */
static inline int tensor_of_value(const struct trial *t, enum phase ph, const struct value *v)
{
    while (v->def && v->def->op->kind == OP_VIEW)
        v = v->def->in[0];
    return tensor_named(t, ph, v->t.name);
}

/* ---- running ---- */

/* The step that makes a tensor, -1: none does. */
static inline int step_of(const struct trial *t, const struct schedule *s, int tensor)
{
    for (int k = s->first_kernel; k < s->last_kernel; k++)
        for (int i = 0; i < t->p->kernel[k].nstage; i++)
            for (int o = 0; o < t->p->kernel[k].stage[i].nout; o++)
                if (t->p->kernel[k].stage[i].out[o] == tensor)
                    return k - s->first_kernel;
    return -1;
}

static inline uint32_t *control_of(const struct trial *t)
{
    for (int i = 0; i < t->p->ntensor; i++)
        if (t->p->tensor[i].role == ROLE_CONTROL && t->own[i])
            return t->own[i];
    fail_msg("no control block");
    return NULL;
}

/* Prepares a run: poison, control words. Then run_steps. */
static inline void trial_begin(struct trial *t, enum phase ph, const uint32_t control[CTL_WORDS])
{
    t->s = plan_schedule(t->p, &target_cpu, ph);
    assert_non_null(t->s);
    assert_true(control[CTL_ROWS] > 0 && control[CTL_ROWS] <= t->capacity);
    trial_poison(t, false);
    memcpy(control_of(t), control, CTL_WORDS * sizeof *control);
    t->blocks = (int32_t)((control[CTL_ROWS] - 1) / ROW_BLOCK + 1);
}

/* Steps [from, to) of the schedule; to < 0: to its end. */
static inline void run_steps(struct trial *t, int from, int to)
{
    int list[MAX_STAGES * 2 * MAX_OPERANDS];
    void *operand[MAX_STAGES * 2 * MAX_OPERANDS];
    int steps = t->s->last_kernel - t->s->first_kernel;
    struct nr_args a = {.t = operand,
                        .control = control_of(t),
                        .samples = t->data.samples,
                        .targets = t->data.targets,
                        .samples_f32 = t->data.samples_f32,
                        .blocks = t->blocks};
    for (int step = from; step < (to < 0 ? steps : to); step++) {
        const struct nr_kernel *k = &t->jit.object->kernel[emit_row(t->p, &target_cpu, t->s->first_kernel + step)];
        int n = kernel_operands(t->p, t->s->first_kernel + step, list);
        for (int i = 0; i < n; i++)
            operand[i] = tensor_at(t, list[i]);
        a.stream = k->stream;
        int64_t group = k->blocks_per_task, tasks = (group ? (t->blocks + group - 1) / group : 1) * k->splits;
        for (int64_t task = tasks - 1; task >= 0; task--)
            k->run(&a, task, task + 1);
    }
}

static inline void trial_run(struct trial *t, enum phase ph, const uint32_t control[CTL_WORDS])
{
    trial_begin(t, ph, control);
    run_steps(t, 0, -1);
}

/* ---- comparing with stored tensors ---- */

static inline void open_stored(struct st_file *f, const char *path)
{
    struct data_error e;
    if (!st_read(path, f, &e))
        fail_msg("%s", e.text);
}

/* X.safetensors for X.net. */
static inline void open_beside(struct st_file *f, const char *net)
{
    char path[512];
    snprintf(path, sizeof path, "%.*s.safetensors", (int)(strlen(net) - strlen(".net")), net);
    open_stored(f, path);
}

static inline int64_t stored_count(const struct st_tensor *x)
{
    return (int64_t)(x->bytes / st_type_size(x->type));
}

static inline double stored_value(const struct st_tensor *x, int64_t i)
{
    float f;
    int64_t n;
    if (x->type == ST_F32) {
        memcpy(&f, (const char *)x->data + 4 * i, 4);
        return f;
    }
    assert_int_equal(x->type, ST_I64);
    memcpy(&n, (const char *)x->data + 8 * i, 8);
    return (double)n;
}

struct closeness {
    double error, largest;
    int64_t at;
};

/* Largest |a - b| and largest |b|; NaN counts as infinitely far. */
static inline void closer(struct closeness *c, int64_t at, double a, double b)
{
    double d = isnan(a) != isnan(b) ? INFINITY : isnan(a) || a == b ? 0 : fabs(a - b);
    if (d > c->error) {
        c->error = d;
        c->at = at;
    }
    c->largest = fmax(c->largest, fabs(b));
}

/* |a - b| <= tolerance * (largest |b|) + addend for all; says where not. */
static inline bool is_close(const struct closeness *c, const char *file, const char *what, double tolerance,
                            double addend)
{
    if (c->error <= tolerance * c->largest + addend)
        return true;
    print_error("%s: %s: off by %.3g at element %lld, %.3g of the largest value %.3g\n", file, what, c->error,
                (long long)c->at, c->error / (c->largest + 1e-300), c->largest);
    return false;
}

/* A tensor of the plan with a stored one: all rows of the batch, or the whole without rows. */
static inline bool tensor_close(const struct trial *t, int tensor, const struct st_tensor *want, double tolerance,
                                double addend)
{
    const struct tensor *x = &t->p->tensor[tensor];
    int64_t n = tensor_elements(x), count = stored_count(want);
    struct closeness c = {0};
    if (count % n || (!x->rows && count != n))
        fail_msg("%s: %s has %lld values, stored are %lld", t->c.file, x->name, (long long)n, (long long)count);
    for (int64_t i = 0; i < count; i++)
        closer(&c, i, value_get(t, tensor, i / n, i % n), stored_value(want, i));
    return is_close(&c, t->c.file, want->name, tolerance, addend);
}

/* Sets every parameter and state from the tensor of its name. */
static inline void put_state(struct trial *t, const struct st_file *f)
{
    for (int i = 0; i < t->p->ntensor; i++) {
        const struct tensor *x = &t->p->tensor[i];
        if (!tensor_is_named(t->p, i) || x->role == ROLE_SLOT)
            continue;
        const struct st_tensor *from = st_find(f, x->name);
        if (!from || stored_count(from) != tensor_elements(x))
            fail_msg("%s: %s is not stored, or not in that shape", t->c.file, x->name);
        for (int64_t k = 0; k < tensor_elements(x); k++)
            value_put(t, i, 0, k, stored_value(from, k));
    }
}

/* Samples and targets as kernels read them, from `input` and `target`; free both. Returns the rows. */
static inline int64_t put_batch(struct trial *t, const struct st_file *f)
{
    const struct st_tensor *input = st_find(f, "input"), *target = st_find(f, "target");
    assert_true(input && target && input->type == ST_F32);
    float *samples = malloc(input->bytes), *targets = malloc(target->bytes);
    assert_true(samples && targets);
    memcpy(samples, input->data, input->bytes);
    for (int64_t i = 0; i < stored_count(target); i++)
        if (target->type == ST_F32)
            targets[i] = (float)stored_value(target, i);
        else
            ((int32_t *)targets)[i] = (int32_t)stored_value(target, i);
    int64_t count = (int64_t)input->dims[0];
    t->data = (struct device_data){
        samples, targets, true, count, (int64_t)input->bytes / count, stored_count(target) * 4 / count, NULL};
    return t->data.count;
}

/* Control words of a step, or of a test, over the whole batch that put_batch() has put. */
static inline void weigh_batch(const struct trial *t, uint32_t control[CTL_WORDS])
{
    struct weighed w;
    assert_int_equal(weigh_targets(t->p, t->data.targets, t->data.count, &w), 0);
    control_weigh_batch(&w, control);
    weigh_free(&w);
}

static inline void free_batch(struct trial *t)
{
    free((void *)t->data.samples);
    free((void *)t->data.targets);
    t->data = (struct device_data){0};
}

/* A split that fits the plan: samples in [0, 1), targets too, or class 0. */
static inline struct data_split samples_for(const struct plan *p, int64_t count)
{
    struct data_split s = {.count = count};
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        struct data_field *field = t->role == ROLE_INPUT ? &s.sample : &s.label;
        if ((t->role != ROLE_INPUT && t->role != ROLE_TARGET) || field->values)
            continue;
        field->type = t->dtype == DT_I32 ? DATA_I32 : DATA_F32;
        field->bytes = (uint64_t)tensor_elements(t) * 4;
        field->values = calloc((size_t)count, field->bytes);
        assert_non_null(field->values);
        for (uint64_t k = 0; field->type == DATA_F32 && k < (uint64_t)count * field->bytes / 4; k++)
            ((float *)field->values)[k] = (float)(k * 2654435761u % 1000) / 1000;
    }
    return s;
}

static inline void free_samples(struct data_split *s)
{
    free(s->sample.values);
    free(s->label.values);
}

/* What a case is compiled for. */
struct variant {
    const struct target *target;
    bool wide;
};

/* Compiles the models of a list in each variant, on all cores; what it finds goes to the cache. */
static inline void compile_all(const glob_t *files, const struct variant *variant, int nvariant)
{
    long workers = sysconf(_SC_NPROCESSORS_ONLN);
    fflush(NULL);
    for (long worker = 0; worker < workers; worker++)
        if (fork() == 0) {
            for (size_t i = (size_t)worker; i < files->gl_pathc; i += (size_t)workers)
                for (int v = 0; v < nvariant; v++) {
                    struct trial t;
                    if (!trial_plan(&t, files->gl_pathv[i], read_text(files->gl_pathv[i]), NULL, 0, stderr))
                        _exit(1);
                    t.target = variant[v].target;
                    trial_compile(&t, variant[v].wide);
                    trial_close(&t);
                }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
}

/* One test for each file, named by it, its state the path; then `more`. */
static inline int run_files(const char *group, const glob_t *files, void run(void **state),
                            const struct CMUnitTest *more, size_t nmore)
{
    struct CMUnitTest *tests = calloc(files->gl_pathc + nmore + 1, sizeof *tests);
    for (size_t i = 0; i < files->gl_pathc; i++) {
        char *path = files->gl_pathv[i];
        tests[i] = (struct CMUnitTest){.name = path, .test_func = run, .initial_state = path};
    }
    for (size_t i = 0; i < nmore; i++)
        tests[files->gl_pathc + i] = more[i];
    int failed = _cmocka_run_group_tests(group, tests, files->gl_pathc + nmore, NULL, NULL);
    free(tests);
    return failed;
}

/* The main of a test of all models in tests/expect/GROUP/. */
static inline int run_expected(char *program, const char *group, const struct variant *variant, int nvariant,
                               void run(void **state), const struct CMUnitTest *more, size_t nmore)
{
    char pattern[80];
    glob_t files;
    use_cache(program);
    snprintf(pattern, sizeof pattern, "tests/expect/%s/*.net", group);
    if (glob(pattern, 0, NULL, &files))
        return 1;
    compile_all(&files, variant, nvariant);
    int failed = run_files(group, &files, run, more, nmore);
    globfree(&files);
    return failed;
}

#endif
