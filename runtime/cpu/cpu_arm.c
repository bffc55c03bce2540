/* cpu_arm.c: the arena of the cpu device, and the phases bound to it. */
#define _GNU_SOURCE 1
#include "cpu.h"

#include "device/device_error.h"
#include "plan/op.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OPERANDS = MAX_STAGES * 2 * MAX_OPERANDS,
    HUGE_PAGE = 2 << 20, /* bytes; arenas of several are worth large pages */
};

void cpu_disarm(struct cpu *c)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        free(c->phase[ph].operand);
        free(c->phase[ph].step);
        c->phase[ph] = (struct armed){0};
    }
    if (c->arena)
        munmap(c->arena, (size_t)c->bytes);
    free(c->stage);
    c->arena = c->stage = NULL;
    c->bytes = c->stage_bytes = 0;
}

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
        a->step[a->steps++] = (struct step){k, first + (k - s->first_kernel), a->operand + total};
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

int64_t cpu_stage(const struct device_rows *rows, const struct device_data *split, int nsplit)
{
    int64_t most = 0, bytes = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        most = rows->rows[ph] > most ? rows->rows[ph] : most;
    for (int i = 0; i < nsplit; i++)
        if (split[i].source && most * (split[i].sample_bytes + split[i].target_bytes) > bytes)
            bytes = most * (split[i].sample_bytes + split[i].target_bytes);
    return bytes;
}

bool cpu_arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
             int64_t room, struct device_error *e)
{
    struct cpu *c = cpu_of(d);
    cpu_disarm(c);
    if (!c->jit.object)
        return device_fail(e, 70, "armed before it was compiled");
    if (!c->pool && !(c->pool = pool_new(c->device.threads)))
        return device_fail(e, 5, "%d threads cannot be had: %s", c->device.threads, strerror(errno));
    d->threads = pool_workers(c->pool);
    bool ok = measure(c, rows, e) &&
              (c->bytes <= room || device_fail(e, 3, "an arena of %lld bytes is more than the %lld allowed",
                                               (long long)c->bytes, (long long)room)) &&
              take(c, e);
    c->stage_bytes = cpu_stage(rows, split, nsplit);
    if (ok && c->stage_bytes > 0 && !(c->stage = calloc(1, (size_t)c->stage_bytes)))
        ok = device_fail(e, 3, "out of memory for batches of %lld bytes", (long long)c->stage_bytes);
    c->last = PHASE_COUNT;
    for (int ph = PHASE_COUNT - 1; ok && ph >= 0; ph--)
        if (c->phase[ph].schedule) {
            ok = bind(c, &c->phase[ph], e);
            c->last = ph;
        }
    if (!ok)
        cpu_disarm(c);
    return ok;
}
