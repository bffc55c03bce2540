/* The counters that stand in for speed, on kernels whose counts are known. */
#include "simtest.h"

static char *ptx;
static CUmodule module;
static CUdeviceptr a, b;
static struct sim_stats before, after;

static void measure(const char *name, int n)
{
    simStats(&before);
    OK(n ? LAUNCH(function(module, name), 1, 32, &b, &n) : LAUNCH(function(module, name), 1, 32, &a, &b));
    simStats(&after);
}

#define COUNTED(field) (after.field - before.field)

static void counters(void)
{
    static const float zeros[1024];
    module = load(ptx);
    a = upload(zeros, sizeof zeros);
    b = upload(zeros, sizeof zeros);
    measure("dense", 0);
    CHECK(COUNTED(global_requests) == 2 && COUNTED(global_sectors) == 8 && COUNTED(global_ideal) == 8);
    CHECK(COUNTED(lane_instructions) == 32 * COUNTED(warp_instructions) && COUNTED(warp_instructions) < 20);
    struct sim_stats of;
    CHECK(simKernelStats("dense", &of) && of.launches == 1 && of.global_sectors == 8);
    CHECK(!simKernelStats("strided", &of));
    measure("strided", 0);
    CHECK(COUNTED(global_requests) == 2 && COUNTED(global_sectors) == 36 && COUNTED(global_ideal) == 8);
    measure("broadcast", 0);
    CHECK(COUNTED(global_requests) == 2 && COUNTED(global_sectors) == 5 && COUNTED(global_ideal) == 5);
    static const int strides[] = {1, 2, 8, 32, 31};
    static const unsigned waves[] = {1, 2, 8, 32, 1};
    for (int i = 0; i < 5; i++) {
        measure("conflict", strides[i]);
        CHECK(COUNTED(shared_requests) == 2 && COUNTED(shared_wavefronts) == 2 * waves[i]);
    }
    measure("half_idle", 0);
    CHECK(COUNTED(lane_instructions) < 17 * COUNTED(warp_instructions));
}

int main(void)
{
    ptx = compile(read_text("tests/cudasim/tests/prof.cu"), "--gpu-architecture=compute_90");
    CASE(counters, "SIM_PROF=1");
    CASE(counters, "SIM_PROF=1 SIM_THREADS=1 SIM_CHECK=1");
    return finish();
}
