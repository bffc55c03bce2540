/* The cuda device on the simulator, with a plan and kernels written by hand: runs in rows, graphs, data on the device
 * and staged, memory to the byte, and every failing call. */
#define _GNU_SOURCE 1
#include "cuda_sim.h"
#include "cuda/cuda_phase.h"
#include "cuda/device_cuda.h"
#include "base/philox.h"
#include "plan/op.h"

/* train:   made = weight[0] * sample + target, by thread blocks of two row blocks;
 *          part p of three sums made of the rows n with n % 3 == p into the workspace, then
 *          loss = the sum of the parts, weight[1] = loss, weight[2] += loss
 * predict: answer = weight[1] + sample */
static const char kernels[] =
    "#define ENTRY extern \"C\" __global__ void\n"
    "typedef unsigned u32; typedef unsigned long long u64;\n"
    "const char *address(const u32 *control, int word) {\n"
    "    return (const char *)((u64)control[word + 1] << 32 | control[word]);\n"
    "}\n"
    "float sample(const u32 *control, u32 n) {\n"
    "    const char *at = address(control, SAMPLES);\n"
    "    u32 i = control[DATA] & 2 ? n : control[POSITION] + n;\n"
    "    return control[DATA] & 1 ? ((const float *)at)[i] : (float)((const unsigned char *)at)[i];\n"
    "}\n"
    "ENTRY __launch_bounds__(64) nr_begin(u32 *control, u32 *ring) {\n"
    "    control[threadIdx.x] = ring[64 * (1 + ring[0]) + threadIdx.x];\n"
    "}\n"
    "ENTRY __launch_bounds__(64) nr_end(u32 *control, u32 *ring) {\n"
    "    u32 run = ring[0];\n"
    "    if (threadIdx.x >= LOSS) ring[64 * (1 + run) + threadIdx.x] = control[threadIdx.x];\n"
    "    __syncthreads();\n"
    "    if (threadIdx.x == 0) ring[0] = run + 1;\n"
    "}\n"
    "ENTRY __launch_bounds__(32) make(const float *weight, float *made, u32 *control, float *) {\n"
    "    u32 n = blockIdx.x * 32 + threadIdx.x;\n"
    "    if (n >= control[ROWS]) return;\n"
    "    u32 i = control[DATA] & 2 ? n : control[POSITION] + n;\n"
    "    made[4 * n] = weight[0] * sample(control, n) + ((const int *)address(control, TARGETS))[i];\n"
    "}\n"
    "ENTRY __launch_bounds__(1) sum_parts(float *made, float *, u32 *control, float *workspace) {\n"
    "    float s = 0;\n"
    "    for (u32 n = blockIdx.x; n < control[ROWS]; n += 3) s += made[4 * n];\n"
    "    workspace[blockIdx.x] = s;\n"
    "}\n"
    "ENTRY __launch_bounds__(1) sum_all(float *, float *weight, u32 *control, float *workspace) {\n"
    "    float s = workspace[0] + workspace[1] + workspace[2];\n"
    "    control[LOSS] = __float_as_uint(s);\n"
    "    weight[1] = s; weight[2] += s;\n"
    "}\n"
    "ENTRY __launch_bounds__(64) answer(const float *weight, float *out, u32 *control, float *) {\n"
    "    u32 n = blockIdx.x * 64 + threadIdx.x;\n"
    "    if (n < control[ROWS]) out[4 * n] = weight[1] + sample(control, n);\n"
    "}\n";

static bool emit_text(const char *text, FILE *out, struct emit_launches *l)
{
    /* clang-format off */
    static struct emit_launch launch[] = {
        {.kernel = 0, .entry = "make", .threads = 32, .blocks_per_task = 2, .splits = 1},
        {.kernel = 1, .entry = "sum_parts", .threads = 1, .splits = 3},
        {.kernel = 1, .entry = "sum_all", .threads = 1, .splits = 1},
        {.kernel = 2, .entry = "answer", .threads = 64, .blocks_per_task = 4, .splits = 1},
    };
    /* clang-format on */
    *l = (struct emit_launches){.n = 4, .launch = launch};
    return fprintf(out, "enum { ROWS = %d, POSITION = %d, SAMPLES = %d, TARGETS = %d, DATA = %d, LOSS = %d };\n%s",
                   CTL_ROWS, CTL_POSITION, CTL_SAMPLES, CTL_TARGETS, CTL_DATA, CTL_LOSS, text) > 0;
}

static bool emit_by_hand(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    (void)p, (void)o;
    return emit_text(kernels, out, l);
}

/* Good kernels, of which the emitter says that they are not whole. */
static bool emit_in_vain(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    emit_by_hand(p, o, out, l);
    return false;
}

/* A kernel that writes outside of everything. */
static bool emit_fault(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    (void)p, (void)o;
    char *text = strdup(kernels), *at = strstr(text, "weight[1] = s;");
    memcpy(at, "weight[1<<30]=", 14);
    bool ok = emit_text(text, out, l);
    free(text);
    return ok;
}

/* A kernel with one parameter less than is packed. */
static bool emit_other_parameters(const struct plan *p, const struct emit_options *o, FILE *out,
                                  struct emit_launches *l)
{
    (void)p, (void)o;
    char *text = strdup(kernels), *at = strstr(text, ", u32 *control, float *) {\n    u32 n = blockIdx.x * 64");
    memcpy(at, ", u32 *control         )", 24);
    bool ok = emit_text(text, out, l);
    free(text);
    return ok;
}

static bool emit_nonsense(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    (void)p, (void)o;
    return emit_text("nonsense", out, l);
}

/* ptxas takes it, the simulated driver does not. */
static bool emit_unknown(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    (void)p, (void)o;
    return emit_text("extern \"C\" __global__ void sleep() { asm volatile(\"nanosleep.u32 10;\"); }\n", out, l);
}

enum { WEIGHT, CONTROL, RING, WORKSPACE, IMAGE, MADE, PREDICT_CONTROL, PREDICT_RING, PREDICT_IMAGE, ANSWER, TENSORS };
enum { RING_BYTES = (1 + RING_STEPS) * CTL_WORDS * 4 };

#define FIXED(s, r, place, size) .role = r, .rank = 1, .schedule = s, .base = -1, .offset = place, .bytes = size
/* clang-format off */
#define ROW(s, place) .rows = true, .rank = 1, .dim = {1}, .schedule = s, .base = -1, .bytes = 16, .offset = place
/* clang-format on */

static struct tensor tensors[TENSORS] = {
    [WEIGHT] = {.name = "weight",
                .role = ROLE_PARAM,
                .rank = 1,
                .dim = {4},
                .schedule = -1,
                .base = -1,
                .bytes = 256,
                .last = 2},
    [CONTROL] = {.name = "control", FIXED(0, ROLE_CONTROL, 0, 256), .last = 2},
    [RING] = {.name = "ring", FIXED(0, ROLE_RING, 256, RING_BYTES), .last = 2},
    [WORKSPACE] = {.name = "workspace", FIXED(0, ROLE_WORKSPACE, 256 + RING_BYTES, 256), .last = 2},
    [IMAGE] = {.name = "image", .role = ROLE_INPUT, ROW(0, 0), .last = 1},
    [MADE] = {.name = "made", ROW(0, 16), .last = 2},
    [PREDICT_CONTROL] = {.name = "control", FIXED(1, ROLE_CONTROL, 0, 256), .last = 1},
    [PREDICT_RING] = {.name = "ring", FIXED(1, ROLE_RING, 256, RING_BYTES), .last = 1},
    [PREDICT_IMAGE] = {.name = "image", .role = ROLE_INPUT, ROW(1, 0), .last = 1},
    [ANSWER] = {.name = "answer", ROW(1, 16), .last = 1},
};

static const struct op unknown = {.name = "by hand"};
/* clang-format off */
#define STAGE(a, b) .nstage = 1, .stage = (struct stage[]){{.op = &unknown, .nin = 1, .nout = 1, .in = (int[]){a}, .out = (int[]){b}}}
/* clang-format on */

static struct kernel table[] = {
    {.name = "make", STAGE(WEIGHT, MADE)},
    {.name = "sum", STAGE(MADE, WEIGHT)},
    {.name = "answer", .schedule = 1, STAGE(WEIGHT, ANSWER)},
};

/* clang-format off */
static struct schedule schedules[] = {
    {.target = &target_cuda, .phase = PHASE_TRAIN, .last_kernel = 2, .fixed = 512 + RING_BYTES, .per_row = 32},
    {.target = &target_cuda, .phase = PHASE_PREDICT, .first_kernel = 2, .last_kernel = 3, .fixed = 256 + RING_BYTES,
     .per_row = 32},
};
/* clang-format on */

static struct plan plan = {
    .net = "by_hand",
    .source = "",
    .file = "by_hand.net",
    .ntensor = TENSORS,
    .nkernel = 3,
    .nschedule = 2,
    .tensor = tensors,
    .kernel = table,
    .schedule = schedules,
    .persistent = 256,
};

enum { CAPACITY = 48, COUNT = 500 };
static unsigned char samples[COUNT];
static int32_t targets[COUNT];
static char folder[] = "/tmp/test_device_cuda-XXXXXX";

static const struct device_data train = {samples, targets, false, COUNT, 1, 4, NULL};
/* And 16 samples at once that come later. */
static const struct device_data splits[] = {{samples, targets, false, COUNT, 1, 4, NULL},
                                            {NULL, NULL, true, 16, 4, 0, NULL}};

static struct device *open_compiled(cuda_emitter *emit, struct device_error *e)
{
    struct device_options o = {0};
    struct device *d = device_cuda_open_with(&o, 0, emit, e);
    if (d && d->compile(d, &plan, e))
        return d;
    if (d)
        d->close(d);
    return NULL;
}

static const struct device_rows both = {.rows = {[PHASE_TRAIN] = CAPACITY, [PHASE_PREDICT] = 16}};

/* What arm needs at most: all of the data set, or one staging buffer. */
static int64_t arena_bytes(void)
{
    return (schedule_arena(&plan, &schedules[0], CAPACITY) + 255) / 256 * 256;
}

static struct device *open_armed(int64_t room, struct device_error *e)
{
    struct device *d = open_compiled(emit_by_hand, e);
    if (!d || d->arm(d, &both, splits, 2, room < 0 ? d->room(d, INT64_MAX) : room, e))
        return d;
    d->close(d);
    return NULL;
}

static float as_float(uint32_t word)
{
    float x;
    memcpy(&x, &word, sizeof x);
    return x;
}

/* n runs in one call, each of other rows; all numbers are small integers, so sums are exact. */
static bool train_runs(struct device *d, int n, bool shuffle, float *weight, struct device_error *e)
{
    static uint32_t control[RING_STEPS][CTL_WORDS];
    float start[3] = {2, 0, 0}, loss = 0, total = 0;
    memset(control, 0, sizeof control);
    for (int i = 0; i < n; i++) {
        control[i][CTL_ROWS] = 1 + (uint32_t)(i * 7 % CAPACITY);
        control[i][CTL_POSITION] = (uint32_t)(i * 3);
        control[i][CTL_COUNT_SAMPLES] = COUNT;
        control[i][CTL_SHUFFLE] = shuffle;
        control[i][CTL_EPOCH] = 5;
        control[i][CTL_SEED0] = 11;
    }
    if (!d->write(d, PHASE_TRAIN, WEIGHT, 0, start, sizeof start) || !d->data(d, &train, e) ||
        !d->run(d, PHASE_TRAIN, control, n, e))
        return false;
    for (int i = 0; i < n; i++) {
        loss = 0;
        for (uint32_t row = 0; row < control[i][CTL_ROWS]; row++) {
            uint32_t at = control[i][CTL_POSITION] + row;
            if (shuffle)
                at = (uint32_t)shuffle_index(at, COUNT, &control[i][CTL_SEED0], 5);
            loss += 2 * samples[at] + (float)targets[at];
        }
        total += loss;
        NEED(as_float(control[i][CTL_LOSS]) == loss);
    }
    if (!d->read(d, PHASE_TRAIN, WEIGHT, 0, weight, 3 * sizeof *weight))
        return false;
    NEED(weight[0] == 2 && weight[1] == loss && weight[2] == total);
    return true;
}

/* What no split has: the last three of four values. */
static bool predict_three(struct device *d, float answer, struct device_error *e)
{
    uint32_t control[CTL_WORDS] = {[CTL_ROWS] = 3, [CTL_POSITION] = 1, [CTL_COUNT_SAMPLES] = 4};
    float pixel[] = {9, 3.5f, -1, 7}, got[3 * 4] = {0};
    struct device_data data = {pixel, NULL, true, 4, sizeof *pixel, 0, NULL};
    if (!d->data(d, &data, e) || !d->run(d, PHASE_PREDICT, &control, 1, e) ||
        !d->read(d, PHASE_PREDICT, ANSWER, 0, got, sizeof got))
        return false;
    for (int i = 0; i < 3; i++)
        NEED(got[4 * i] == answer + pixel[1 + i]);
    return true;
}

/* ---- cases, each in a process of its own ---- */

static int case_runs(void *ctx)
{
    bool resident = !ctx;
    struct device_error e = {0};
    struct device_cuda_report r;
    float weight[3];
    /* room for the arena and two batches of 48 samples, not for 500 */
    struct device *d = open_armed(resident ? -1 : arena_bytes() + 2 * 512, &e);
    if (!d)
        fprintf(stderr, "%s\n", e.text);
    NEED(d);
    device_cuda_report(d, &r);
    NEED(r.resident == resident && r.arena == arena_bytes() && d->arena(d) == r.arena + r.data);
    NEED(stats_now().requested == (uint64_t)d->arena(d));
    uint64_t allocations = stats_now().allocations, charged = stats_now().charged_peak;
    for (int i = 0; i < 3; i++) {
        static const int runs[] = {1, 5, RING_STEPS};
        uint64_t launches = stats_now().graph_launches;
        NEED(train_runs(d, runs[i], !resident && i != 1, weight, &e));
        int most = resident ? GRAPH_RUNS : 1; /* runs of a launch; before each of staged samples something waits */
        NEED(!r.graphs || stats_now().graph_launches - launches == (uint64_t)(runs[i] / most + runs[i] % most));
        NEED(predict_three(d, weight[1], &e));
    }
    NEED(stats_now().allocations == allocations && stats_now().charged_peak == charged);
    NEED((stats_now().graph_launches > 0) == r.graphs);
    NEED(r.lazy == 0 && r.modules > 0 && r.context == 128 << 20);
    d->close(d);
    return 0;
}

static void check_case(const char *environment, int (*work)(void *), void *ctx)
{
    char log[8192];
    int status = in_child(environment, work, ctx, log, sizeof log);
    if (status)
        fail_msg("[%s]: status %d: %s", environment, status, log);
}

static void test_runs(void **state)
{
    static const char *const environments[] = {
        "SIM_LEAK=77",
        "SIM_ASYNC=defer SIM_LEAK=77",
        "NETRUN_CUDA_GRAPH=0 SIM_ASYNC=defer",
        "SIM_CHECK=1",
        "SIM_CHECK=1 SIM_ASYNC=defer NETRUN_POISON=1",
        "SIM_SEED=7",
        "SIM_CC=75",
        "SIM_CC=123",
        "SIM_FAIL=cuMemHostAlloc:1,cuMemHostAlloc:2,cuMemHostAlloc:3 SIM_ASYNC=defer SIM_LEAK=77",
    };
    (void)state;
    if (!sim_there())
        skip();
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        check_case(environments[i], case_runs, NULL);
        check_case(environments[i], case_runs, "staged");
    }
}

/* Exactly what is needed arms, a byte less does not; with one staging buffer as with two. */
static int case_room(void *ctx)
{
    (void)ctx;
    struct device_error e = {0};
    struct device_cuda_report r;
    float weight[3];
    struct device *d = open_compiled(emit_by_hand, &e);
    NEED(d);
    device_cuda_report(d, &r);
    int64_t unused = r.total - r.context - r.modules;
    NEED(r.total == (int64_t)1 << 30 && d->memory(d) == r.total && r.reserve == 64 << 20);
    NEED(d->room(d, INT64_MAX) == (unused - r.reserve) / (2 << 20) * (2 << 20));
    NEED(d->room(d, (int64_t)300 << 20) == ((int64_t)300 << 20) - r.context - r.modules);
    NEED(d->room(d, ((int64_t)300 << 20) - 1) == ((int64_t)298 << 20) - r.context - r.modules);
    NEED(d->room(d, r.context + r.modules) == 0);
    NEED(d->room(d, r.context + r.modules - 1) == -(2 << 20));
    NEED(d->room(d, r.context + r.modules - (3 << 20)) == -(4 << 20));

    int64_t stage = 2 * 256, set = 512 + 2048, guest = 256;
    NEED(device_cuda_beside(d, &both, splits, 2) == stage);
    NEED(device_cuda_beside(d, &(struct device_rows){.rows = {1 << 20}}, &train, 1) == set);
    NEED(device_cuda_beside(d, &(struct device_rows){.rows = {[PHASE_PREDICT] = 16}}, &splits[1], 1) == guest);
    NEED(device_cuda_beside(d, &(struct device_rows){.rows = {[PHASE_PREDICT] = 16}}, NULL, 0) == 0);
    /* as many at once as there are rows or will come, whichever is less, and their targets */
    struct device_data many = {NULL, NULL, true, 100, 4, 4, NULL};
    NEED(device_cuda_beside(d, &(struct device_rows){.rows = {[PHASE_PREDICT] = 80}}, &many, 1) == 2 * 512);
    NEED(device_cuda_beside(d, &(struct device_rows){.rows = {[PHASE_PREDICT] = 160}}, &many, 1) == 2 * 512);
    NEED(!d->arm(d, &both, splits, 2, arena_bytes() - 1, &e) && e.status == 3);
    NEED(strstr(e.text, "is more than the"));
    NEED(!d->arm(d, &both, splits, 2, arena_bytes() + stage - 1, &e) && e.status == 3);
    NEED(strstr(e.text, "batches of 48 samples need 512 bytes, and 511 are left"));
    const int64_t rooms[] = {stage, 2 * stage - 1, 2 * stage, set + guest - 1, set + guest};
    const int64_t taken[] = {stage, stage, 2 * stage, 2 * stage, set + guest};
    for (int i = 0; i < 5; i++) {
        NEED(d->arm(d, &both, splits, 2, arena_bytes() + rooms[i], &e));
        NEED(d->arena(d) == arena_bytes() + taken[i]);
        NEED(stats_now().requested == (uint64_t)d->arena(d));
        NEED(train_runs(d, 9, false, weight, &e) && predict_three(d, weight[1], &e));
    }
    NEED(d->arm(d, &both, (struct device_data[]){train, splits[1], train}, 3, arena_bytes() + set + guest, &e));
    device_cuda_report(d, &r);
    NEED(r.resident); /* the same split twice is there once */
    struct device_rows rows = {.rows = {(int64_t)1 << 40}};
    NEED(!d->arm(d, &rows, &train, 1, INT64_MAX, &e) && e.status == 3);
    NEED(strstr(e.text, "cuda:0 has ") && strstr(e.text, "bytes free of 1073741824, and the arena needs"));
    NEED(stats_now().requested == 0);
    rows.rows[0] = INT64_MAX / 16 * 16;
    NEED(!d->arm(d, &rows, &train, 1, INT64_MAX, &e) && e.status == 3);
    rows.rows[0] = 17;
    NEED(!d->arm(d, &rows, &train, 1, INT64_MAX, &e) && e.status == 70);
    d->close(d);
    return 0;
}

static void test_room(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    check_case("SIM_VRAM=1GiB SIM_LEAK=77", case_room, NULL);
}

static int case_refusals(void *ctx)
{
    (void)ctx;
    struct device_options o = {0};
    struct device_error e = {0};
    uint32_t control[CTL_WORDS] = {0};
    float weight[3];
    NEED(!device_cuda_open_with(&o, 1, emit_by_hand, &e) && e.status == 5);
    NEED(strstr(e.text, "there is no cuda:1: the driver finds 1 GPU"));
    NEED(!open_compiled(emit_in_vain, &e) && e.status == 70 && strstr(e.text, "the kernels cannot be emitted"));
    NEED(!open_compiled(emit_nonsense, &e) && e.status == 70 && strstr(e.text, "NVRTC refuses the kernels for sm_90"));
    NEED(!open_compiled(emit_unknown, &e) && e.status == 5 && strstr(e.text, "13.0") && strstr(e.text, "nanosleep"));
    NEED(!open_compiled(emit_other_parameters, &e) && e.status == 70);
    NEED(strstr(e.text, "kernel answer does not take 4 pointers"));
    struct device *d = open_compiled(emit_by_hand, &e);
    NEED(d && strcmp(d->name, "cuda:0") == 0 && d->most_runs == RING_STEPS);
    NEED(!d->read(d, PHASE_TRAIN, WEIGHT, 0, weight, 4));
    NEED(!d->arm(d, &(struct device_rows){0}, &train, 1, 1 << 30, &e) && e.status == 70);
    NEED(d->arm(d, &(struct device_rows){.rows = {16}}, NULL, 0, 1 << 30, &e));
    NEED(!d->run(d, PHASE_TRAIN, &control, 1, &e) && e.status == 70);
    control[CTL_ROWS] = 17;
    NEED(!d->run(d, PHASE_TRAIN, &control, 1, &e) && e.status == 70);
    control[CTL_ROWS] = 16;
    NEED(!d->run(d, PHASE_PREDICT, &control, 1, &e) && !d->run(d, PHASE_TRAIN, &control, 0, &e));
    NEED(d->data(d, &train, &e) && !d->run(d, PHASE_TRAIN, &control, 1, &e));
    NEED(e.status == 70 && strstr(e.text, "that the device was not armed for"));
    NEED(d->read(d, PHASE_TRAIN, WEIGHT, 244, weight, 12) && !d->read(d, PHASE_TRAIN, WEIGHT, 248, weight, 12));
    NEED(d->read(d, PHASE_PREDICT, WEIGHT, 256, weight, 0) && !d->read(d, PHASE_TRAIN, ANSWER, 0, weight, 4));
    NEED(!d->write(d, PHASE_TRAIN, WEIGHT, -1, weight, 4) && !d->write(d, PHASE_TRAIN, TENSORS, 0, weight, 4));
    NEED(!d->read(d, PHASE_TRAIN, MADE, INT64_MAX, weight, INT64_MAX));
    d->close(d);
    return 0;
}

/* A fault of a kernel is found while arming, and nothing is left behind. */
static int case_fault(void *ctx)
{
    (void)ctx;
    struct device_error e = {0};
    struct device *d = open_compiled(emit_fault, &e);
    NEED(d && !d->arm(d, &both, &train, 1, d->room(d, INT64_MAX), &e));
    NEED(e.status == 5 && strstr(e.text, "CUDA_ERROR_ILLEGAL_ADDRESS"));
    d->close(d);
    return 0;
}

static void test_refusals(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    check_case("SIM_LEAK=77", case_refusals, NULL);
    check_case("SIM_LEAK=77", case_fault, NULL);
}

/* The whole life, which may end early: 0 it was as if nothing had failed, 5 or 3 with a message. */
static int case_life(void *ctx)
{
    struct device_error e = {0};
    float weight[3];
    struct device *d = open_armed(ctx ? arena_bytes() + 1024 : -1, &e);
    if (!d || !train_runs(d, 4, false, weight, &e) || !predict_three(d, weight[1], &e)) {
        fprintf(stderr, "said: %s\n", e.text);
        if (d)
            d->close(d);
        /* copies of tensors say only that they failed */
        return e.status ? 40 + e.status : 41;
    }
    d->close(d);
    return 0;
}

static void sweep(void *ctx, const char *more)
{
    int failed = 0, refused = 0;
    for (int n = 1;; n++) {
        char environment[128], log[8192];
        snprintf(environment, sizeof environment, "SIM_FAIL=*:%d SIM_LEAK=77 %s", n, more);
        int status = in_child(environment, case_life, ctx, log, sizeof log);
        bool injected = strstr(log, "as SIM_FAIL asks");
        if (status != 0 && status != 41 && status != 43 && status != 45)
            fail_msg("[%s]: status %d: %s", environment, status, log);
        if (status > 41 && !strstr(log, "cu"))
            fail_msg("[%s]: the call is not named: %s", environment, log);
        failed += status != 0;
        refused += status == 43;
        if (!injected)
            break;
        assert_in_range(n, 1, 400);
    }
    assert_in_range(failed, 40, 400);
    assert_true(refused >= 1);
}

static void test_every_call_fails_once(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    sweep(NULL, "");
    sweep("staged", "SIM_ASYNC=defer");
    sweep("staged", "NETRUN_CUDA_GRAPH=0");
}

/* PTX is for a binary that the device cannot run, not for one that failed otherwise. */
static void test_ptx_is_no_remedy(void **state)
{
    (void)state;
    char log[8192];
    if (!sim_there())
        skip();
    assert_int_equal(in_child("SIM_FAIL=cuModuleLoadDataEx:1 SIM_LEAK=77", case_life, NULL, log, sizeof log), 45);
    assert_non_null(strstr(log, "cuModuleLoadDataEx failed with 999"));
    assert_int_equal(in_child("SIM_FAIL=cuModuleLoadDataEx:1:2 SIM_LEAK=77", case_life, NULL, log, sizeof log), 43);
    assert_int_equal(in_child("SIM_FAIL=cuModuleLoadDataEx:1:209 SIM_LEAK=77", case_life, NULL, log, sizeof log), 0);
}

static void test_pinned_memory_is_optional(void **state)
{
    (void)state;
    char log[8192];
    if (!sim_there())
        skip();
    assert_int_equal(in_child("SIM_FAIL=cuMemHostAlloc:1", case_life, NULL, log, sizeof log), 0);
    assert_non_null(strstr(log, "netrun: the ring of control blocks is not pinned, copies are slower: cuMemHostAlloc"));
    assert_int_equal(in_child("SIM_FAIL=cuMemHostAlloc:3", case_life, "staged", log, sizeof log), 0);
    assert_non_null(strstr(log, "netrun: memory for batches is not pinned"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_call_fails_once),
        cmocka_unit_test(test_ptx_is_no_remedy),
        cmocka_unit_test(test_pinned_memory_is_optional),
    };
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
    for (int n = 0; n < COUNT; n++) {
        samples[n] = (unsigned char)(n * 37 % 101);
        targets[n] = n % 10;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) ? 1 : failed;
}
