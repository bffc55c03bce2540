/* The cpu device: emitted C, one pool of threads, one arena. */
#define _GNU_SOURCE 1
#include "device_cpu.h"
#include "cores.h"

#include "device/device_error.h"
#include "jit.h"
#include "plan/op.h"
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OPERANDS = MAX_STAGES * 2 * MAX_OPERANDS,
    HUGE_PAGE = 2 << 20, /* bytes; arenas of several are worth large pages */
};

struct step {
    const struct nr_kernel *kernel;
    void *const *operand;
};

/* One phase as it was armed. */
struct armed {
    const struct schedule *schedule; /* NULL: not armed */
    int64_t rows;
    bool parts; /* sums outlive a run: those that the next part of a batch goes on with */
    int steps;
    struct step *step;
    void **operand; /* of all steps, one after the other */
    uint32_t *control;
};

struct cpu {
    struct device device;
    struct device_options options;
    emitter *emit;
    bool poison;
    const struct plan *plan;
    struct jit jit;
    struct pool *pool;
    char *arena;
    int64_t bytes, skip; /* skip: of the places in the plan, before the arena begins */
    struct armed phase[PHASE_COUNT];
    enum phase last; /* run last, or the first one armed */
    struct device_data data;
};

static struct cpu *cpu_of(const struct device *d)
{
    return (struct cpu *)d;
}

static void disarm(struct cpu *c)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        free(c->phase[ph].operand);
        free(c->phase[ph].step);
        c->phase[ph] = (struct armed){0};
    }
    if (c->arena)
        munmap(c->arena, (size_t)c->bytes);
    c->arena = NULL;
    c->bytes = 0;
}

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
    disarm(c);
    jit_unload(&c->jit);
    c->plan = p;
    bool ok = emit_text(c, &emit, &text, &length) || device_fail(e, 70, "the kernels cannot be emitted");
    ok = ok && jit_load(text, length, &jit, &c->jit, e);
    if (ok)
        c->device.compiler = c->jit.compiler;
    free(text);
    return ok;
}

/* ---- arm ---- */

static bool measure(struct cpu *c, const struct device_rows *rows, struct device_error *e)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        int64_t n = rows->rows[ph];
        if (!n)
            continue;
        const struct schedule *s = plan_schedule(c->plan, &target_cpu, ph);
        if (!s || n < 0 || n % ROW_BLOCK)
            return device_fail(e, 70, "phase %d cannot be armed with %lld rows", ph, (long long)n);
        int64_t bytes = schedule_needs(c->plan, s, n, rows->parts);
        if (bytes < 0 || (uint64_t)bytes > SIZE_MAX - 2 * (size_t)HUGE_PAGE)
            return device_fail(e, 3, "an arena of %lld rows is larger than any memory", (long long)n);
        c->phase[ph] = (struct armed){.schedule = s, .rows = n, .parts = rows->parts};
        c->bytes = bytes > c->bytes ? bytes : c->bytes;
    }
    c->skip = arena_skip(c->plan, rows->rows);
    c->bytes -= c->bytes > 0 ? c->skip : 0;
    return c->bytes > 0 || device_fail(e, 70, "no phase to arm");
}

/* Anonymous memory, so every page is zero and, once written, really there. Large pages need an aligned start: what
 * that costs before and behind is given back. */
static bool take(struct cpu *c, struct device_error *e)
{
    size_t size = (size_t)c->bytes, spare = size >= 4 * (size_t)HUGE_PAGE ? HUGE_PAGE : 0;
    char *at = mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return device_fail(e, 3, "an arena of %lld bytes cannot be had: %s", (long long)size, strerror(errno));
    if (spare) {
        size_t before = -(uintptr_t)at % HUGE_PAGE, page = (size_t)sysconf(_SC_PAGESIZE);
        size_t used = (before + size + page - 1) / page * page;
        if (before)
            munmap(at, before);
        if (used < size + spare)
            munmap(at + used, size + spare - used);
        at += before;
        madvise(at, size, MADV_HUGEPAGE);
    }
    c->arena = at;
    memset(at, 0, size);
    return true;
}

static char *place(const struct cpu *c, const struct armed *a, int tensor)
{
    return c->arena + (tensor_place(c->plan, a->schedule, tensor, a->rows) - c->skip);
}

static bool bind(struct cpu *c, struct armed *a, struct device_error *e)
{
    const struct schedule *s = a->schedule;
    const struct nr_kernel *first = c->jit.object->kernel + emit_row(c->plan, &target_cpu, s->first_kernel);
    int list[OPERANDS];
    size_t total = 0, kernels = (size_t)(s->last_kernel - s->first_kernel);
    for (int k = s->first_kernel; k < s->last_kernel; k++)
        total += (size_t)kernel_operands(c->plan, k, list);
    a->operand = calloc(total + 1, sizeof *a->operand);
    a->step = calloc(kernels + 1, sizeof *a->step);
    if (!a->operand || !a->step)
        return device_fail(e, 70, "out of memory");
    total = 0;
    for (int k = s->first_kernel; k < s->last_kernel; k++) {
        if (!kernel_runs(c->plan, k, a->parts))
            continue;
        int n = kernel_operands(c->plan, k, list);
        a->step[a->steps++] = (struct step){first + (k - s->first_kernel), a->operand + total};
        for (int i = 0; i < n; i++)
            a->operand[total++] = place(c, a, list[i]);
    }
    int index = (int)(s - c->plan->schedule);
    for (int t = 0; t < c->plan->ntensor; t++) {
        const struct tensor *x = &c->plan->tensor[t];
        if (x->role == ROLE_CONTROL && (x->schedule == index || x->schedule < 0))
            a->control = (uint32_t *)(void *)place(c, a, t);
    }
    return a->control || device_fail(e, 70, "the plan has no control block");
}

static int64_t memory_of(const struct device *d)
{
    (void)d;
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

/* The budget is the arena's alone: the data set is in memory already. */
static int64_t room_of(struct device *d, int64_t budget)
{
    return budget < memory_of(d) ? budget : memory_of(d);
}

static int64_t nothing_beside(const struct device *d, const struct device_rows *rows, const struct device_data *split,
                              int nsplit)
{
    (void)d, (void)rows, (void)split, (void)nsplit;
    return 0;
}

static bool arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
                int64_t room, struct device_error *e)
{
    (void)split, (void)nsplit;
    struct cpu *c = cpu_of(d);
    disarm(c);
    if (!c->jit.object)
        return device_fail(e, 70, "armed before it was compiled");
    if (!c->pool && !(c->pool = pool_new(c->device.threads)))
        return device_fail(e, 5, "%d threads cannot be had: %s", c->device.threads, strerror(errno));
    d->threads = pool_workers(c->pool);
    bool ok = measure(c, rows, e) &&
              (c->bytes <= room || device_fail(e, 3, "an arena of %lld bytes is more than the %lld allowed",
                                               (long long)c->bytes, (long long)room)) &&
              take(c, e);
    c->last = PHASE_COUNT;
    for (int ph = PHASE_COUNT - 1; ok && ph >= 0; ph--)
        if (c->phase[ph].schedule) {
            ok = bind(c, &c->phase[ph], e);
            c->last = ph;
        }
    if (!ok)
        disarm(c);
    return ok;
}

/* ---- run ---- */

struct job {
    const struct armed *armed;
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
    const struct step *step = job->armed->step, *end = step + job->armed->steps;
    struct nr_args args = job->args;
    for (; step < end; step++) {
        const struct nr_kernel *k = step->kernel;
        int64_t n = tasks(k, args.blocks);
        int64_t first = (n * worker + workers - 1) / workers, last = (n * (worker + 1) + workers - 1) / workers;
        args.t = step->operand;
        args.stream = k->stream;
        if (first < last)
            k->run(&args, first, last);
        if (step + 1 < end && (n > 1 || tasks(step[1].kernel, args.blocks) > 1))
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

static bool run_once(struct cpu *c, enum phase ph, uint32_t control[CTL_WORDS], struct device_error *e)
{
    struct armed *a = &c->phase[ph];
    if (!a->schedule || !control[CTL_ROWS] || control[CTL_ROWS] > a->rows)
        return device_fail(e, 70, "phase %d cannot run %u rows, it is armed for %lld", ph, control[CTL_ROWS],
                           (long long)a->rows);
    if (c->poison)
        poison(c, a, control[CTL_FIRST]);
    memcpy(a->control, control, CTL_LOSS * sizeof *control);
    struct job job = {
        .armed = a,
        .args = {.control = a->control,
                 .samples = c->data.samples,
                 .targets = c->data.targets,
                 .samples_f32 = c->data.samples_f32,
                 .blocks = (int32_t)((control[CTL_ROWS] - 1) / ROW_BLOCK + 1)},
        .pool = c->pool,
    };
    c->last = ph;
    if (!pool_run(c->pool, work, &job))
        return device_fail(e, 70, "the device is running already");
    memcpy(control + CTL_LOSS, a->control + CTL_LOSS, (CTL_RESULTS_END - CTL_LOSS) * sizeof *control);
    return true;
}

static bool run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    for (int i = 0; i < n; i++)
        if (!run_once(cpu_of(d), ph, control[i], e))
            return false;
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
    disarm(c);
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
                   .beside = nothing_beside,
                   .arm = arm,
                   .data = set_data,
                   .run = run,
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
