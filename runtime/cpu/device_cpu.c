/* The cpu device: emitted C, one pool of threads, one arena. */
#define _GNU_SOURCE 1
#include "cpu.h"
#include "cores.h"

#include "device/device_error.h"
#include "device/staged.h"

#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- compile ---- */

static bool emit_text(struct cpu *c, const struct emit_options *o, char **text, size_t *length)
{
    FILE *out = open_memstream(text, length);
    if (!out)
        return false;
    bool ok = c->emit(c->plan, o, out);
    return fclose(out) == 0 && ok;
}

static bool compile(struct device *d, const struct plan *p, struct device_error *e)
{
    struct cpu *c = cpu_of(d);
    struct emit_options emit = {.lanes = jit_lanes(), .file = c->options.emit_dir ? p->file : NULL};
    struct jit_options jit = {.name = p->net,
                              .emit_dir = c->options.emit_dir,
                              .verbose = c->options.verbose,
                              .quiet = c->options.quiet,
                              .kernels = emit_row(p, &target_cpu, p->nkernel),
                              .lanes = emit.lanes,
                              .real_bytes = sizeof(float)};
    char *text = NULL;
    size_t length = 0;
    cpu_disarm(c);
    jit_unload(&c->jit);
    c->plan = p;
    bool ok = emit_text(c, &emit, &text, &length) || device_fail(e, 70, "the kernels cannot be emitted");
    ok = ok && jit_load(text, length, &jit, &c->jit, e);
    if (ok)
        c->device.compiler = c->jit.compiler;
    free(text);
    return ok;
}

/* ---- room ---- */

static int64_t memory_of(const struct device *d)
{
    (void)d;
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* A data set in memory is there already; of one in files the buffers count. */
static int64_t room_of(struct device *d, int64_t budget)
{
    return budget < memory_of(d) ? budget : memory_of(d);
}

/* Of samples that stay in their files the buffers, and those of one run. */
static int64_t beside(const struct device *d, const struct device_rows *rows, const struct device_data *split,
                      int nsplit)
{
    int64_t bytes = cpu_stage(rows, split, nsplit);
    (void)d;
    for (int i = 0; i < nsplit; i++)
        bytes += split[i].source ? split[i].source->bytes : 0;
    return bytes;
}

/* ---- run ---- */

struct job {
    const struct step *step, *end;
    struct nr_args args; /* t and stream excepted */
    struct pool *pool;
};

static int64_t tasks(const struct nr_kernel *k, int64_t blocks)
{
    return (k->blocks_per_task ? (blocks + k->blocks_per_task - 1) / k->blocks_per_task : 1) * k->splits;
}

/* Each worker has the slice [ceil(T w / n), ceil(T (w + 1) / n)) of T tasks: one task is worker 0's, and so a row of
 * kernels with one task each needs no barrier within. */
static void work(void *ctx, int worker, int workers)
{
    const struct job *job = ctx;
    struct nr_args args = job->args;
    for (const struct step *step = job->step; step < job->end; step++) {
        const struct nr_kernel *k = step->kernel;
        int64_t n = tasks(k, args.blocks);
        int64_t first = (n * worker + workers - 1) / workers, last = (n * (worker + 1) + workers - 1) / workers;
        args.t = step->operand;
        args.stream = k->stream;
        if (first < last)
            k->run(&args, first, last);
        if (step + 1 < job->end && (n > 1 || tasks(step[1].kernel, args.blocks) > 1))
            pool_barrier(job->pool, worker);
    }
}

/* Nothing but what persists, and the sums between the runs of a batch, may outlive a run. */
static void poison(struct cpu *c, const struct armed *a, bool first)
{
    int64_t from = c->plan->persistent - c->skip;
    int64_t end =
        first || !phase_trains(a->schedule->phase) ? c->bytes : schedule_arena(c->plan, a->schedule, a->rows) - c->skip;
    memset(c->arena + from, 0xff, (size_t)(end - from));
}

/* Targets first, as samples may be of any size. */
static bool stage(struct cpu *c, const uint32_t control[CTL_WORDS], struct device_error *e)
{
    const int64_t rows = control[CTL_ROWS], targets = rows * c->data.target_bytes;
    if (targets + rows * c->data.sample_bytes > c->stage_bytes)
        return device_fail(e, 70, "a batch of %lld samples that the device was not armed for", (long long)rows);
    staged_targets(c->stage, &c->data, control);
    return staged_samples(c->stage + targets, &c->data, control, e);
}

static bool begin(struct cpu *c, enum phase ph, const uint32_t control[CTL_WORDS], struct job *job,
                  struct device_error *e)
{
    struct armed *a = &c->phase[ph];
    if (!a->schedule || !control[CTL_ROWS] || control[CTL_ROWS] > a->rows)
        return device_fail(e, 70, "phase %d cannot run %u rows, it is armed for %lld", ph, control[CTL_ROWS],
                           (long long)a->rows);
    if (c->poison)
        poison(c, a, control[CTL_FIRST]);
    control_give(a->control, control);
    if (c->data.source && !stage(c, control, e))
        return false;
    const char *staged = c->data.source ? c->stage : NULL;
    *job = (struct job){
        .step = a->step,
        .end = a->step + a->steps,
        .args = {.control = a->control,
                 .samples = staged ? staged + control[CTL_ROWS] * c->data.target_bytes : c->data.samples,
                 .targets = staged ? staged : c->data.targets,
                 .staged = staged != NULL,
                 .samples_f32 = c->data.samples_f32,
                 .blocks = (int32_t)((control[CTL_ROWS] - 1) / ROW_BLOCK + 1)},
        .pool = c->pool,
    };
    c->last = ph;
    return true;
}

static bool do_steps(struct job *job, struct device_error *e)
{
    return pool_run(job->pool, work, job) || device_fail(e, 70, "the device is running already");
}

static void take_results(const struct job *job, uint32_t control[CTL_WORDS])
{
    memcpy(control + CTL_LOSS, job->args.control + CTL_LOSS, (CTL_RESULTS_END - CTL_LOSS) * sizeof *control);
}

static bool run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    struct job job;
    for (int i = 0; i < n; i++) {
        if (!begin(cpu_of(d), ph, control[i], &job, e) || !do_steps(&job, e))
            return false;
        take_results(&job, control[i]);
    }
    return true;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What it takes to start and await nothing: a kernel that is followed by itself costs that beside its own time. The least counts. */
static double idle_seconds(struct job job, struct device_error *e)
{
    double least = 1;
    job.end = job.step;
    for (int i = 0; i < 8; i++) {
        const double since = seconds();
        if (!do_steps(&job, e))
            return 0;
        least = fmin(least, seconds() - since);
    }
    return least;
}

static bool trace(struct device *d, enum phase ph, uint32_t control[CTL_WORDS], device_traced *traced, void *to,
                  struct device_error *e)
{
    struct job job;
    if (!begin(cpu_of(d), ph, control, &job, e))
        return false;
    const double idle = idle_seconds(job, e);
    for (const struct step *end = job.end; job.step < end; job.step++) {
        job.end = job.step + 1;
        const double since = seconds();
        if (!do_steps(&job, e))
            return false;
        traced(to, job.step->number, fmax(0, seconds() - since - idle));
    }
    take_results(&job, control);
    return true;
}

/* ---- copies ---- */

static bool set_data(struct device *d, const struct device_data *data, struct device_error *e)
{
    (void)e;
    cpu_of(d)->data = *data;
    return true;
}

/* First byte of a range of a tensor, NULL if it is not there. A persistent tensor's place is the same in all phases. */
static char *range(struct cpu *c, enum phase ph, int tensor, int64_t at, int64_t bytes)
{
    if (!c->arena || tensor < 0 || tensor >= c->plan->ntensor || at < 0 || bytes < 0)
        return NULL;
    const struct tensor *t = &c->plan->tensor[tensor];
    const struct armed *a = &c->phase[t->schedule < 0 ? c->last : ph];
    if (!a->schedule || (t->schedule >= 0 && t->schedule != a->schedule - c->plan->schedule) ||
        (t->role == ROLE_SUM && !a->parts))
        return NULL;
    int64_t from = tensor_place(c->plan, a->schedule, tensor, a->rows) - c->skip,
            size = t->rows ? t->bytes * a->rows : t->bytes;
    return from >= 0 && at <= size && bytes <= size - at ? c->arena + from + at : NULL;
}

static bool read_tensor(struct device *d, enum phase ph, int tensor, int64_t at, void *to, int64_t bytes)
{
    const char *from = range(cpu_of(d), ph, tensor, at, bytes);
    if (from)
        memcpy(to, from, (size_t)bytes);
    return from;
}

static bool write_tensor(struct device *d, enum phase ph, int tensor, int64_t at, const void *from, int64_t bytes)
{
    char *to = range(cpu_of(d), ph, tensor, at, bytes);
    if (to)
        memcpy(to, from, (size_t)bytes);
    return to;
}

static int64_t arena_bytes(const struct device *d)
{
    return cpu_of(d)->bytes;
}

/* ---- open and close ---- */

static void close_cpu(struct device *d)
{
    struct cpu *c = cpu_of(d);
    cpu_disarm(c);
    pool_free(c->pool);
    jit_unload(&c->jit);
    free(c);
}

struct device *device_cpu_open_with(const struct device_options *o, emitter *emit, struct device_error *e)
{
    const char *poison = getenv("NETRUN_POISON");
    struct cpu *c = calloc(1, sizeof *c);
    if (!c) {
        device_fail(e, 70, "out of memory");
        return NULL;
    }
    *c = (struct cpu){
        .device = {.name = "cpu",
                   .target = &target_cpu,
                   .threads = o->threads > 0 ? o->threads : cores_usable(),
                   .most_runs = 1,
                   .compile = compile,
                   .memory = memory_of,
                   .room = room_of,
                   .beside = beside,
                   .arm = cpu_arm,
                   .data = set_data,
                   .run = run,
                   .trace = trace,
                   .peak = cpu_peak,
                   .read = read_tensor,
                   .write = write_tensor,
                   .arena = arena_bytes,
                   .close = close_cpu},
        .options = *o,
        .emit = emit,
        .poison = poison && strcmp(poison, "1") == 0,
    };
    return &c->device;
}

struct device *device_cpu_open(const struct device_options *o, struct device_error *e)
{
    return device_cpu_open_with(o, emit_kernels, e);
}
