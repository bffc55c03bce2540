#include "cuda_phase.h"

#include "device/device_error.h"
#include "plan/op.h"

#include <stdlib.h>

enum { OPERANDS = MAX_STAGES * 2 * MAX_OPERANDS };

/* ---- binding ---- */

/* Address of the schedule's first tensor of a role, 0 if it has none. */
static CUdeviceptr place_of(const struct cuda_phase *f, const struct plan *p, enum role role, CUdeviceptr arena)
{
    int index = (int)(f->schedule - p->schedule);
    for (int t = 0; t < p->ntensor; t++) {
        const struct tensor *x = &p->tensor[t];
        if (x->role == role && (x->schedule == index || x->schedule < 0))
            return arena + (CUdeviceptr)tensor_place(p, f->schedule, t, f->rows);
    }
    return 0;
}

static bool is_of(const struct cuda_phase *f, const struct plan *p, const struct emit_launch *l,
                  const struct cuda_products *library)
{
    return l->kernel >= f->schedule->first_kernel && l->kernel < f->schedule->last_kernel &&
           kernel_runs(p, l->kernel, f->parts) &&
           l->when != (library->handle ? EMIT_WITHOUT_LIBRARY : EMIT_WITH_LIBRARY);
}

/* Begins a launch whose parameters come next. */
static struct cuda_launch *add(struct cuda_phase *f, int *parameters, int kernel, CUfunction function, int threads)
{
    struct cuda_launch *l = &f->launch[f->launches++];
    *l = (struct cuda_launch){
        .kernel = kernel, .function = function, .blocks = 1, .threads = (unsigned)threads, .first = *parameters};
    return l;
}

static CUdeviceptr address_of(const struct cuda_phase *f, const struct plan *p, CUdeviceptr arena, int tensor)
{
    return tensor < 0 ? 0 : arena + (CUdeviceptr)tensor_place(p, f->schedule, tensor, f->rows);
}

static bool add_kernel(struct cuda_phase *f, const struct plan *p, int *parameters, CUfunction function,
                       const struct emit_launch *e, CUdeviceptr arena)
{
    int list[OPERANDS], n = kernel_operands(p, e->kernel, list);
    int64_t blocks = f->rows / ROW_BLOCK, tasks = e->blocks_per_task ? (blocks - 1) / e->blocks_per_task + 1 : 1;
    if (e->splits <= 0 || tasks > INT32_MAX / e->splits)
        return false;
    add(f, parameters, e->kernel, function, e->threads)->blocks = (unsigned)(tasks * e->splits);
    for (int i = 0; i < n; i++)
        f->value[(*parameters)++] = address_of(f, p, arena, list[i]);
    f->value[(*parameters)++] = f->control;
    f->value[(*parameters)++] =
        e->when == EMIT_WITH_LIBRARY ? address_of(f, p, arena, plan_row_workspace(p, e->kernel)) : f->workspace;
    uint32_t stream[MAX_STAGES];
    int streams = kernel_streams(p, e->kernel, stream);
    for (int i = 0; i < streams; i++)
        f->value[(*parameters)++] = stream[i];
    return true;
}

static CUdeviceptr matrix_at(const struct cuda_phase *f, const struct plan *p, CUdeviceptr arena,
                             const struct emit_matrix *m)
{
    return address_of(f, p, arena, m->tensor) + (CUdeviceptr)(m->at * f->rows) * sizeof(float);
}

static bool add_product(struct cuda_phase *f, const struct plan *p, const struct emit_launch *e, CUdeviceptr arena)
{
    const struct emit_product *x = &e->product;
    const int64_t size[] = {x->m, x->n, x->k, x->a.step, x->b.step, x->c.step};
    int of[6];
    for (int i = 0; i < 6; i++) {
        int64_t n = size[i] ? size[i] : f->rows;
        if (n > INT32_MAX)
            return false;
        of[i] = (int)n;
    }
    f->launch[f->launches++] = (struct cuda_launch){.kernel = e->kernel,
                                                    .product = {.m = of[0],
                                                                .n = of[1],
                                                                .k = of[2],
                                                                .step_a = of[3],
                                                                .step_b = of[4],
                                                                .step_c = of[5],
                                                                .transposed = x->transposed,
                                                                .a = matrix_at(f, p, arena, &x->a),
                                                                .b = matrix_at(f, p, arena, &x->b),
                                                                .c = matrix_at(f, p, arena, &x->c)}};
    return true;
}

static void add_turn(struct cuda_phase *f, int *parameters, CUfunction function)
{
    add(f, parameters, -1, function, CTL_WORDS);
    f->value[(*parameters)++] = f->control;
    f->value[(*parameters)++] = f->ring;
}

static bool make_room(struct cuda_phase *f, const struct plan *p, const struct emit_launches *l,
                      const struct cuda_products *library)
{
    int list[OPERANDS];
    uint32_t stream[MAX_STAGES];
    size_t launches = 2, parameters = 4;
    for (int i = 0; i < l->n; i++)
        if (is_of(f, p, &l->launch[i], library)) {
            launches += l->launch[i].multiplies ? 2 : 1;
            parameters += (size_t)(kernel_operands(p, l->launch[i].kernel, list) + 2 +
                                   kernel_streams(p, l->launch[i].kernel, stream));
        }
    f->launch = calloc(launches, sizeof *f->launch);
    f->value = calloc(parameters, sizeof *f->value);
    f->parameter = calloc(parameters, sizeof *f->parameter);
    for (size_t i = 0; f->value && f->parameter && i < parameters; i++)
        f->parameter[i] = &f->value[i];
    return f->launch && f->value && f->parameter;
}

bool cuda_phase_bind(struct cuda_phase *f, const struct plan *p, const struct cuda_module *m,
                     const struct cuda_products *l, CUdeviceptr arena, struct device_error *e)
{
    int parameters = 0, workspace = plan_workspace(p, (int)(f->schedule - p->schedule));
    if (!make_room(f, p, &m->list, l))
        return device_fail(e, 70, "out of memory");
    f->control = place_of(f, p, ROLE_CONTROL, arena);
    f->ring = place_of(f, p, ROLE_RING, arena);
    if (!f->control || !f->ring)
        return device_fail(e, 70, "the plan has no control block, or no ring of them");
    f->workspace = address_of(f, p, arena, workspace);
    f->workspace_bytes = workspace < 0 ? 0 : p->tensor[workspace].bytes;
    add_turn(f, &parameters, m->begin);
    for (int i = 0; i < m->list.n; i++) {
        const struct emit_launch *x = &m->list.launch[i];
        if (!is_of(f, p, x, l))
            continue;
        if (!add_kernel(f, p, &parameters, m->function[i], x, arena) || (x->multiplies && !add_product(f, p, x, arena)))
            return device_fail(e, 70, "kernel %s cannot be launched for %lld rows", x->entry, (long long)f->rows);
        if (x->multiplies)
            f->library = l;
    }
    add_turn(f, &parameters, m->end);
    return true;
}

/* ---- running ---- */

static bool give_workspace(const struct cuda_phase *f, const struct cuda *c, struct device_error *e)
{
    return !f->library || cuda_products_workspace(f->library, c, f->workspace, f->workspace_bytes, e);
}

static bool launch(const struct cuda_phase *f, const struct cuda *c, const struct cuda_launch *l, CUstream stream,
                   struct device_error *e)
{
    return l->function ? CUDA_CALL(c, e, cuLaunchKernel, l->function, l->blocks, 1, 1, l->threads, 1, 1, 0, stream,
                                   f->parameter + l->first, NULL)
                       : cuda_products_multiply(f->library, c, &l->product, e);
}

static bool launch_all(const struct cuda_phase *f, const struct cuda *c, CUstream stream, struct device_error *e)
{
    bool ok = give_workspace(f, c, e);
    for (int i = 0; ok && i < f->launches; i++)
        ok = launch(f, c, &f->launch[i], stream, e);
    return ok;
}

static bool capture(const struct cuda_phase *f, const struct cuda *c, CUstream stream, int runs, CUgraphExec *exec,
                    struct device_error *e)
{
    CUgraph graph = NULL;
    struct device_error later;
    if (!CUDA_CALL(c, e, cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < runs; i++)
        ok = launch_all(f, c, stream, e);
    ok = CUDA_CALL(c, ok ? e : &later, cuStreamEndCapture, stream, &graph) && ok;
    ok = ok && CUDA_CALL(c, e, cuGraphInstantiateWithFlags, exec, graph, 0);
    if (graph)
        c->cuGraphDestroy(graph);
    return ok;
}

/* A graph takes memory of the device when it is first launched, or uploaded. */
bool cuda_phase_capture(struct cuda_phase *f, const struct cuda *c, CUstream stream, struct device_error *e)
{
    return capture(f, c, stream, 1, &f->graph, e) && capture(f, c, stream, GRAPH_RUNS, &f->several, e) &&
           CUDA_CALL(c, e, cuGraphUpload, f->several, stream);
}

int cuda_phase_launch(const struct cuda_phase *f, const struct cuda *c, CUstream stream, int most,
                      struct device_error *e)
{
    const bool several = f->several && most >= GRAPH_RUNS;
    bool ok = several    ? CUDA_CALL(c, e, cuGraphLaunch, f->several, stream)
              : f->graph ? CUDA_CALL(c, e, cuGraphLaunch, f->graph, stream)
                         : launch_all(f, c, stream, e);
    return !ok ? 0 : several ? GRAPH_RUNS : 1;
}

/* The launches of one kernel, between two events. */
static bool time_kernel(const struct cuda_phase *f, const struct cuda *c, int *at, CUstream stream,
                        const CUevent event[2], float *milliseconds, struct device_error *e)
{
    int kernel = f->launch[*at].kernel;
    bool ok = CUDA_CALL(c, e, cuEventRecord, event[0], stream);
    while (ok && *at < f->launches && f->launch[*at].kernel == kernel)
        ok = launch(f, c, &f->launch[(*at)++], stream, e);
    return ok && CUDA_CALL(c, e, cuEventRecord, event[1], stream) && CUDA_CALL(c, e, cuEventSynchronize, event[1]) &&
           CUDA_CALL(c, e, cuEventElapsedTime, milliseconds, event[0], event[1]);
}

bool cuda_phase_trace(const struct cuda_phase *f, const struct cuda *c, CUstream stream, device_traced *traced,
                      void *to, struct device_error *e)
{
    CUevent event[2] = {NULL, NULL};
    bool ok = CUDA_CALL(c, e, cuEventCreate, &event[0], CU_EVENT_DEFAULT) &&
              CUDA_CALL(c, e, cuEventCreate, &event[1], CU_EVENT_DEFAULT) && give_workspace(f, c, e);
    for (int i = 0; ok && i < f->launches;) {
        float milliseconds = 0;
        int kernel = f->launch[i].kernel;
        ok = time_kernel(f, c, &i, stream, event, &milliseconds, e);
        if (ok && kernel >= 0)
            traced(to, kernel, 1e-3 * (double)milliseconds);
    }
    for (int i = 0; i < 2; i++)
        if (event[i])
            c->cuEventDestroy_v2(event[i]);
    return ok;
}

void cuda_phase_free(struct cuda_phase *f, const struct cuda *c)
{
    if (f->graph)
        c->cuGraphExecDestroy(f->graph);
    if (f->several)
        c->cuGraphExecDestroy(f->several);
    free(f->launch);
    free(f->value);
    free(f->parameter);
    *f = (struct cuda_phase){0};
}
