/* What people suffer from elsewhere, a test for each, by its number in the list of pains, as far as it is a GPU's: on the
 * simulated device, each in a process of its own. */
#define _GNU_SOURCE 1
#include "cuda_sim.h"
#include "cuda/device_cuda.h"
#include "harness.h"

#include <sys/mman.h>
#include <xxhash.h>

enum { SAMPLES = 200, PIXELS = 28 * 28, STEPS = 6, GRANULE = 2 << 20, CONTEXT = 128 << 20, RESERVE = 64 << 20 };
#define GIB ((int64_t)1 << 30)

static uint8_t pixels[SAMPLES * PIXELS];
static int32_t classes[SAMPLES];
static const struct device_data data = {pixels, classes, false, SAMPLES, PIXELS, sizeof(int32_t), NULL};
static struct trial mlp;

static const struct schedule *training(void)
{
    return plan_schedule(mlp.p, &target_cuda, PHASE_TRAIN);
}

static struct device *compiled(void)
{
    struct device_error e = {0};
    struct device *d = device_cuda_open(&(struct device_options){0}, 0, &e);
    if (!d || !d->compile(d, mlp.p, &e))
        fprintf(stderr, "%s\n", e.text);
    NEED(d && !*e.text);
    return d;
}

/* A job with first weights, armed for so many rows in training and evaluation, within `room`, 0: all. */
static struct job armed(int64_t rows, const struct device_data *split, int64_t room)
{
    struct device_error e = {0};
    struct job j = {.plan = (struct plan *)mlp.p, .phase = PHASE_TRAIN, .device = compiled()};
    j.rows.rows[PHASE_TRAIN] = j.rows.rows[PHASE_EVALUATE] = rows;
    if (!j.device->arm(j.device, &j.rows, split, 1, room ? room : j.device->room(j.device, INT64_MAX), &e))
        fprintf(stderr, "%s\n", e.text);
    NEED(!*e.text && j.device->data(j.device, split, &e) && recipe_read(mlp.p, &j.recipe) == 0);
    j.recipe.shuffle = false;
    recipe_count(&j.recipe, split->count);
    NEED(init_weights(&j) == 0);
    return j;
}

static bool run(struct job *j, int64_t step, int64_t position, int64_t rows, int64_t samples, float *loss)
{
    struct device_error e;
    uint32_t control[CTL_WORDS];
    control_train(&j->recipe, step, 0, position, rows, samples, control);
    bool ok = j->device->run(j->device, PHASE_TRAIN, &control, 1, &e) && control[CTL_FINITE];
    *loss = control_float(control, CTL_LOSS);
    return ok;
}

/* Of all values that persist; what lies between them may be anything. */
static XXH64_hash_t weights(struct job *j)
{
    XXH64_hash_t hash = 0;
    for (int t = 0; t < j->plan->ntensor; t++) {
        int64_t bytes = tensor_elements(&j->plan->tensor[t]) * 4;
        if (!tensor_is_named(j->plan, t))
            continue;
        char *value = malloc((size_t)bytes);
        NEED(value && j->device->read(j->device, PHASE_TRAIN, t, 0, value, bytes));
        hash = XXH64(value, (size_t)bytes, hash);
        free(value);
    }
    return hash;
}

/* Some steps, batches of 32 and 23; prints the bits that they end with. */
static int learn(void *ctx)
{
    const int64_t *room = ctx;
    struct job j = armed(32, &data, *room);
    float loss;
    for (int64_t step = 0; step < STEPS; step++)
        NEED(run(&j, step, step % 2 * 32, step % 2 ? 23 : 32, SAMPLES, &loss));
    fprintf(stderr, "bits %016llx\n", (unsigned long long)weights(&j));
    j.device->close(j.device);
    return 0;
}

static void check(const char *environment, int (*work)(void *), void *ctx, char *log, size_t size)
{
    int status = in_child(environment, work, ctx, log, size);
    if (status)
        fail_msg("[%s]: status %d: %s", environment, status, log);
}

static void check_one(const char *environment, int (*work)(void *))
{
    char log[8192];
    if (!sim_there())
        skip();
    check(environment, work, NULL, log, sizeof log);
}

static unsigned long long bits(const char *environment, int64_t room, char *log, size_t size)
{
    check(environment, learn, &room, log, size);
    const char *at = strstr(log, "bits ");
    assert_non_null(at);
    return strtoull(at + 5, NULL, 16);
}

/* Room for the arena and one staging buffer, or two. */
static int64_t staged_room(int64_t rows, int buffers)
{
    int64_t arena = (schedule_arena(mlp.p, training(), rows) + 255) / 256 * 256;
    int64_t other = (schedule_arena(mlp.p, plan_schedule(mlp.p, &target_cuda, PHASE_EVALUATE), rows) + 255) / 256 * 256;
    return (arena > other ? arena : other) +
           buffers * ((rows * PIXELS + 255) / 256 * 256 + (rows * 4 + 255) / 256 * 256);
}

/* ---- the cases ---- */

static int one_allocation(void *ctx)
{
    (void)ctx;
    struct job j = armed(32, &data, 0);
    float loss;
    struct sim_stats first = stats_now();
    NEED(first.allocations == 1 && first.live_buffers == 1 && first.requested == (uint64_t)j.device->arena(j.device));
    for (int64_t step = 0; step < 3 * STEPS; step++)
        NEED(run(&j, step, step % 2 * 32, step % 2 ? 23 : 32, SAMPLES, &loss));
    struct sim_stats last = stats_now();
    NEED(last.allocations == 1 && last.charged == first.charged && last.charged_peak == first.charged_peak);
    NEED(last.graph_launches - first.graph_launches == 3 * STEPS); /* what was captured with these addresses */
    j.device->close(j.device);
    return 0;
}

static void case_1_one_allocation(void **state)
{
    (void)state;
    check_one("SIM_LEAK=77", one_allocation);
}

static int more_than_was_planned(void *ctx)
{
    (void)ctx;
    struct job j = armed(16, &data, 0);
    struct device_error e = {0};
    uint32_t control[CTL_WORDS];
    XXH64_hash_t before = weights(&j);
    uint64_t calls = stats_now().calls;
    control_train(&j.recipe, 0, 0, 0, 17, SAMPLES, control);
    NEED(!j.device->run(j.device, PHASE_TRAIN, &control, 1, &e) &&
         strstr(e.text, "cannot run 17 rows, it is armed for 16"));
    NEED(stats_now().calls == calls && weights(&j) == before); /* the device was not asked */
    j.device->close(j.device);
    return 0;
}

static void case_5_more_than_was_planned(void **state)
{
    (void)state;
    check_one("SIM_LEAK=77", more_than_was_planned);
}

/* What is taken is affine in the rows, for every size and on the device too. */
static int affine_sizes(void *ctx)
{
    (void)ctx;
    const struct schedule *s = training();
    struct device *d = compiled();
    struct device_error e;
    struct device_cuda_report r;
    for (int64_t rows = 16; rows <= 1 << 20; rows = rows < 4096 ? rows + 16 : 2 * rows)
        NEED(schedule_arena(mlp.p, s, rows) - schedule_arena(mlp.p, s, 16) == (rows - 16) * s->per_row);
    for (int64_t rows = 16; rows <= 128; rows += 16) {
        NEED(d->arm(d, &(struct device_rows){.rows = {[PHASE_TRAIN] = rows}}, NULL, 0, GIB, &e));
        device_cuda_report(d, &r);
        NEED(stats_now().requested == (uint64_t)d->arena(d));
        NEED(r.arena == (schedule_arena(mlp.p, s, 16) + (rows - 16) * s->per_row + 255) / 256 * 256);
    }
    d->close(d);
    return 0;
}

static void case_7_sizes_are_affine(void **state)
{
    (void)state;
    check_one("SIM_LEAK=77", affine_sizes);
}

/* Other processes take memory between compiling and arming: a refusal with numbers, and what is left serves a smaller fit. */
static int neighbours(void *ctx)
{
    (void)ctx;
    struct cuda c = {0};
    struct device *d = compiled();
    struct device_error e = {0};
    CUdeviceptr hog;
    struct device_rows rows = {.rows = {[PHASE_TRAIN] = 8192}};
    int64_t room = d->room(d, INT64_MAX);
    NEED(cuda_open(&c, DRIVER) && !c.cuMemAlloc_v2(&hog, (size_t)(room + RESERVE - 16 * GRANULE)));
    NEED(!d->arm(d, &rows, &data, 1, room, &e) && e.status == STATUS_BUDGET);
    NEED(strstr(e.text, "cuda:0 has 33554432 bytes free of") && strstr(e.text, "and the arena needs"));
    rows.rows[PHASE_TRAIN] = 16;
    NEED(d->arm(d, &rows, &data, 1, room, &e));
    NEED(!c.cuMemFree_v2(hog));
    d->close(d);
    return 0;
}

/* Two with half of the device each. */
static int halves(void *ctx)
{
    (void)ctx;
    struct device *d[2] = {compiled(), compiled()};
    struct device_error e = {0};
    struct cuda c = {0};
    CUcontext context;
    NEED(cuda_open(&c, DRIVER) && !c.cuDevicePrimaryCtxRetain(&context, 0));
    for (int i = 0; i < 2; i++) {
        int64_t room = d[i]->room(d[i], d[i]->memory(d[i]) / 2), rows = schedule_fit(mlp.p, training(), room - GRANULE);
        NEED(rows > 4096);
        NEED(d[i]->arm(d[i], &(struct device_rows){.rows = {[PHASE_TRAIN] = rows}}, &data, 1, room, &e));
    }
    NEED(stats_now().refusals == 0);
    for (int i = 0; i < 2; i++) {
        NEED(!c.cuCtxSetCurrent(context)); /* which closing takes away */
        d[i]->close(d[i]);
    }
    c.cuDevicePrimaryCtxRelease_v2(0);
    return 0;
}

static void case_12_neighbours(void **state)
{
    (void)state;
    check_one("SIM_VRAM=512MiB SIM_LEAK=77", neighbours);
    check_one("SIM_VRAM=512MiB SIM_LEAK=77", halves);
}

/* The driver counts the cache of files as used, where the memory is the host's: here a buffer stands for it. */
static int page_cache(void *ctx)
{
    bool *shared = ctx;
    struct cuda c = {0};
    struct cuda_gpu g;
    struct device_error e;
    CUcontext context;
    CUdeviceptr cache;
    int n;
    NEED(cuda_start(&c, &n, &e) && cuda_gpu(&c, 0, &g, &e) && g.integrated == *shared);
    NEED(!c.cuDevicePrimaryCtxRetain(&context, g.device) && !c.cuCtxSetCurrent(context) &&
         !c.cuMemAlloc_v2(&cache, 3 * GIB / 4));
    struct device *d = compiled();
    int64_t room = d->room(d, INT64_MAX);
    NEED(*shared ? room > GIB / 2 && room < GIB : room < GIB / 4);
    struct device_rows rows = {.rows = {[PHASE_TRAIN] = 4096}};
    int64_t stage = 4096 * PIXELS + 4096 * 4; /* the host's end is in the same memory */
    struct device_data many = {pixels, classes, false, INT32_MAX, PIXELS, 4, NULL};
    NEED(device_cuda_beside(d, &rows, &many, 1) == (*shared ? 2 * stage : stage));
    d->close(d);
    NEED(!c.cuCtxSetCurrent(context) && !c.cuMemFree_v2(cache));
    c.cuDevicePrimaryCtxRelease_v2(g.device);
    return 0;
}

static void case_13_memory_of_the_host(void **state)
{
    (void)state;
    char log[8192];
    if (!sim_there())
        skip();
    check("SIM_VRAM=1GiB SIM_INTEGRATED=1 SIM_LEAK=77", page_cache, &(bool){true}, log, sizeof log);
    check("SIM_VRAM=1GiB SIM_LEAK=77", page_cache, &(bool){false}, log, sizeof log);
}

/* A slice of a GPU: sizes come from the context, and the library that knows only whole GPUs is not opened. */
static int slice(void *ctx)
{
    (void)ctx;
    struct device *d = compiled();
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    NEED(d->memory(d) == 16 * GIB && d->room(d, INT64_MAX) < 16 * GIB - CONTEXT && maps);
    while (fgets(line, sizeof line, maps))
        NEED(!strstr(line, "nvidia-ml"));
    fclose(maps);
    d->close(d);
    return 0;
}

static void case_14_a_slice_of_a_gpu(void **state)
{
    (void)state;
    check_one("SIM_VRAM=16GiB SIM_LEAK=77", slice);
}

/* Pageable memory instead, said, and to the same bits. */
static void case_15_pinned_memory_refused(void **state)
{
    (void)state;
    char log[8192];
    int64_t room = staged_room(32, 2);
    if (!sim_there())
        skip();
    unsigned long long pinned = bits("SIM_LEAK=77 SIM_ASYNC=defer", room, log, sizeof log);
    assert_null(strstr(log, "not pinned"));
    assert_true(pinned ==
                bits("SIM_FAIL=cuMemHostAlloc:1,cuMemHostAlloc:2,cuMemHostAlloc:3 SIM_LEAK=77 SIM_ASYNC=defer", room,
                     log, sizeof log));
    assert_non_null(strstr(log, "the ring of control blocks is not pinned"));
    assert_non_null(strstr(log, "memory for batches is not pinned"));
}

static CUresult more_free_than_there_is(size_t *unused, size_t *total)
{
    *unused = SIZE_MAX - 4095; /* below nothing, as some drivers count */
    *total = (size_t)8 << 30;
    return 0;
}

static void case_15_impossible_figures(void **state)
{
    (void)state;
    struct cuda c = {.cuMemGetInfo_v2 = more_free_than_there_is};
    struct device_error e = {0};
    int64_t unused, total;
    assert_false(cuda_memory(&c, &unused, &total, &e));
    assert_int_equal(e.status, STATUS_DEVICE);
    assert_non_null(strstr(e.text, "cannot be right"));
}

/* Samples whose bytes lie on both sides of 2^31 and of 2^32 are the same samples as at the beginning of a small set. */
static int far_samples(void *ctx)
{
    (void)ctx;
    float near_loss, loss;
    struct job j = armed(16, &data, staged_room(16, 2));
    NEED(run(&j, 0, 0, 16, SAMPLES, &near_loss));
    j.device->close(j.device);
    for (int power = 31; power <= 32; power++) {
        int64_t across = ((int64_t)1 << power) / PIXELS - 8, count = across + 16;
        uint8_t *far = mmap(NULL, (size_t)(count * PIXELS), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        int32_t *target =
            mmap(NULL, (size_t)count * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        NEED(far != MAP_FAILED && target != MAP_FAILED);
        memcpy(far + across * PIXELS, pixels, 16 * PIXELS);
        memcpy(target + across, classes, 16 * sizeof *classes);
        struct device_data set = {far, target, false, count, PIXELS, 4, NULL};
        j = armed(16, &set, staged_room(16, 2));
        NEED(run(&j, 0, across, 16, count, &loss) && loss == near_loss);
        j.device->close(j.device);
        munmap(far, (size_t)(count * PIXELS));
        munmap(target, (size_t)count * 4);
    }
    return 0;
}

/* Rows whose elements in one tensor pass 2^31, or that are so many themselves: counted in 64 bits, and refused. */
static int many_rows(void *ctx)
{
    (void)ctx;
    struct device *d = compiled();
    struct device_error e;
    const int64_t many[] = {((int64_t)1 << 31) / PIXELS / 16 * 16,
                            ((int64_t)1 << 31) / PIXELS / 16 * 16 + 16,
                            ((int64_t)1 << 31) - 16,
                            (int64_t)1 << 31,
                            ((int64_t)1 << 31) + 16,
                            (int64_t)1 << 32,
                            (int64_t)1 << 48,
                            INT64_MAX / 16 * 16};
    for (int i = 0; i < COUNT(many); i++) {
        struct device_rows rows = {.rows = {[PHASE_TRAIN] = many[i]}};
        int64_t arena = schedule_arena(mlp.p, training(), many[i]);
        NEED(arena < 0 ? many[i] > INT64_MAX / training()->per_row : arena > many[i] * PIXELS * 4);
        NEED(!d->arm(d, &rows, &data, 1, INT64_MAX, &e) && e.status == STATUS_BUDGET && d->arena(d) == 0);
    }
    d->close(d);
    return 0;
}

static void case_21_beyond_2_31(void **state)
{
    (void)state;
    check_one("SIM_LEAK=77", far_samples);
    check_one("SIM_LEAK=77", many_rows);
}

/* Every element of the batch has a place that a 64-bit number counts: no block of samples is counted in 32 bits. */
static void case_21_blocks_are_64_bit(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("models/*.net", 0, NULL, &found), 0);
    for (size_t m = 0; m < found.gl_pathc; m++) {
        struct trial t;
        struct emit_launches l = {0};
        char *text;
        size_t size;
        int blocks = 0;
        assert_true(trial_plan(&t, found.gl_pathv[m], read_text(found.gl_pathv[m]), NULL, 0, stderr));
        FILE *out = open_memstream(&text, &size);
        assert_true(out && emit_cuda(t.p, &(struct emit_options){.file = "x"}, out, &l) && fclose(out) == 0);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            const char *at = strstr(line, " block = ");
            blocks += at != NULL;
            if (at && !strstr(line, "int64_t"))
                fail_msg("%s: %s", found.gl_pathv[m], line);
        }
        assert_true(blocks > 0);
        free(text);
        emit_launches_free(&l);
        trial_close(&t);
    }
    globfree(&found);
}

static void case_25_dead_bytes(void **state)
{
    (void)state;
    char log[8192];
    if (!sim_there())
        skip();
    unsigned long long clean = bits("SIM_LEAK=77", 0, log, sizeof log);
    assert_true(clean == bits("NETRUN_POISON=1", 0, log, sizeof log));
    assert_true(clean == bits("NETRUN_POISON=1 NETRUN_CUDA_GRAPH=0", staged_room(32, 1), log, sizeof log));
}

static int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

/* Memory of the host that copies are made from is taken while arming: the ring, and one buffer for each staging buffer. */
static void case_28_staging_on_the_host(void **state)
{
    (void)state;
    static char log[1 << 20];
    static const struct {
        int buffers, taken;
    } way[] = {{0, 1}, {1, 2}, {2, 3}};
    if (!sim_there())
        skip();
    for (int i = 0; i < COUNT(way); i++) {
        bits("SIM_TRACE=1 SIM_LEAK=77", way[i].buffers ? staged_room(32, way[i].buffers) : 0, log, sizeof log);
        assert_int_equal(count_of(log, "cuMemHostAlloc"), way[i].taken);
        const char *taken = log, *results = "cuMemcpyDtoHAsync_v2"; /* of each step, after the last allocation */
        for (const char *next; (next = strstr(taken + 1, "Alloc"));)
            taken = next;
        assert_true(count_of(log, results) >= STEPS);
        assert_int_equal(count_of(taken, results), count_of(log, results));
    }
}

static int make(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES * PIXELS; i++)
        pixels[i] = (uint8_t)(i * 7919 >> 3);
    for (int i = 0; i < SAMPLES; i++)
        classes[i] = i % 10;
    assert_true(trial_plan(&mlp, "models/mlp.net", read_text("models/mlp.net"), NULL, 0, stderr));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    trial_close(&mlp);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_one_allocation),
        cmocka_unit_test(case_5_more_than_was_planned),
        cmocka_unit_test(case_7_sizes_are_affine),
        cmocka_unit_test(case_12_neighbours),
        cmocka_unit_test(case_13_memory_of_the_host),
        cmocka_unit_test(case_14_a_slice_of_a_gpu),
        cmocka_unit_test(case_15_pinned_memory_refused),
        cmocka_unit_test(case_15_impossible_figures),
        cmocka_unit_test(case_21_beyond_2_31),
        cmocka_unit_test(case_21_blocks_are_64_bit),
        cmocka_unit_test(case_25_dead_bytes),
        cmocka_unit_test(case_28_staging_on_the_host),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
