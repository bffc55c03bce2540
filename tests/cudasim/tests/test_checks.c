/* Each planted fault is caught and named with its place; correct kernels pass. */
#include "simtest.h"

static char *ptx;
static CUmodule module;
static CUdeviceptr x, y; /* 64 floats each */
static const float values[64] = {1, 2, 3, 4, 5, 6, 7, 8};

static void prepare(void)
{
    module = load(ptx);
    x = upload(values, sizeof values);
    y = upload(values, sizeof values);
}

static CUresult run(const char *name, unsigned grid, unsigned block, int n)
{
    return LAUNCH(function(module, name), grid, block, &x, &n);
}

static CUresult run2(const char *name, unsigned grid, unsigned block)
{
    return LAUNCH(function(module, name), grid, block, &x, &y);
}

/* The fault is reported, and every later call returns it too. */
static void expect(CUresult got, CUresult code, const char *kernel, const char *place, const char *what)
{
    RETURNS(code, got);
    CHECK(report_has(kernel) && report_has(place) && report_has("PTX line ") && report_has("source line ") &&
          report_has(what));
    CUdeviceptr p;
    RETURNS(code, cuMemAlloc_v2(&p, 4));
    RETURNS(code, cuCtxSynchronize());
}

/* clang-format off */
#define FAULT(NAME, CALL, CODE, PLACE, WHAT)                             \
    static void NAME(void) {                                             \
        prepare();                                                       \
        expect(CALL, CODE, "kernel " #NAME ",", PLACE, WHAT);            \
    }
/* clang-format on */

FAULT(out_of_bounds, run("out_of_bounds", 1, 32, 40), 700, "thread (24, 0, 0)", "offset 256 of allocation")
FAULT(one_past, run2("one_past", 1, 64), 700, "thread (63, 0, 0)", "offset 256 of allocation")
FAULT(misaligned, run("misaligned", 1, 8, 0), 716, "block (0, 0, 0), thread (0, 0, 0)", "not aligned to 4 bytes")
FAULT(null_pointer, run("null_pointer", 2, 8, 0), 700, "block (0, 0, 0), thread (3, 0, 0)", "null pointer")
FAULT(vector_past_end, run("vector_past_end", 1, 17, 0), 700, "thread (16, 0, 0)", "write of 16 bytes")
FAULT(shared_out_of_bounds, run("shared_out_of_bounds", 1, 32, 5), 700, "thread (27, 0, 0)",
      "offset 128 of 128 bytes of shared memory")
FAULT(trapped, (cuMemsetD32Async(x + 40, 5, 1, NULL), run("trapped", 1, 32, 0)), 719, "thread (10, 0, 0)", "trap")
FAULT(early_exit, run("early_exit", 1, 32, 20), 719, "thread (20, 0, 0)", "barrier divergence")
FAULT(two_barriers, run("two_barriers", 1, 32, 0), 719, "block (0, 0, 0)", "barrier divergence")
FAULT(warps_at_two_barriers, run("warps_at_two_barriers", 1, 64, 0), 719, "thread (32, 0, 0)", "barrier divergence")
FAULT(absent_member, run("absent_member", 1, 32, 0), 719, "block (0, 0, 0)", "warp deadlock")
FAULT(exited_member, run("exited_member", 1, 32, 0), 719, "thread (7, 0, 0)", "left the kernel")
FAULT(shuffle_from_absent, run("shuffle_from_absent", 1, 32, 0), 719, "thread (0, 0, 0)", "shuffle from lane 16")
FAULT(shared_uninitialised, run("shared_uninitialised", 1, 32, 0), 719, "thread (31, 0, 0)", "uninitialised shared")
FAULT(race_write_read, run("race_write_read", 1, 64, 0), 719, "block (0, 0, 0)", "race on shared memory")
FAULT(race_read_write, run("race_read_write", 1, 64, 0), 719, "block (0, 0, 0)", "written after a read")
FAULT(race_write_write, run("race_write_write", 1, 64, 0), 719, "thread (1, 0, 0)", "also written by thread 0")
FAULT(race_in_warp, run("race_in_warp", 1, 32, 0), 719, "block (0, 0, 0)", "race on shared memory")
FAULT(blocks_write_same, run("blocks_write_same", 2, 32, 0), 719, "block (1, 0, 0), thread (0, 0, 0)",
      "race between blocks")
FAULT(blocks_read_others, run2("blocks_read_others", 2, 32), 719, "block (1, 0, 0)", "race between blocks")
FAULT(blocks_write_what_others_read, run2("blocks_write_what_others_read", 2, 32), 719, "block (1, 0, 0)",
      "race between blocks")

static void endless(void)
{
    const int zero = 0;
    prepare();
    OK(cuMemcpyHtoD_v2(x, &zero, sizeof zero));
    expect(run("endless", 1, 1, 0), 702, "kernel endless,", "thread (0, 0, 0)", "endless loop");
}

static void freed(void)
{
    prepare();
    OK(cuMemFree_v2(x));
    expect(run2("copies", 1, 32), 700, "kernel copies,", "thread (0, 0, 0)", "which was freed");
}

static void host_pointer(void)
{
    prepare();
    x = (CUdeviceptr)(uintptr_t)values;
    expect(run2("copies", 1, 32), 700, "kernel copies,", "thread (0, 0, 0)", "not an address of the device");
}

static void uninitialised(void)
{
    prepare();
    x = allocate(64 * sizeof(float));
    OK(cuMemcpyHtoD_v2(x, values, 20));
    expect(run2("copies", 1, 32), 719, "kernel copies,", "thread (5, 0, 0)", "offset 20 of allocation");
}

static void constant_written(void)
{
    prepare();
    CUdeviceptr c;
    OK(LAUNCH(function(module, "constant_address"), 1, 1, &x));
    download(&c, x, sizeof c);
    y = c;
    expect(run2("writes_constant", 1, 32), 700, "kernel writes_constant,", "thread (0, 0, 0)", "constant");
}

/* With several faulty blocks, the lowest is reported, whatever the number of threads. */
static void lowest_block(void)
{
    prepare();
    expect(run("out_of_bounds", 200, 32, 40), 700, "kernel out_of_bounds,", "block (0, 0, 0), thread (24, 0, 0)",
           "offset 256");
}

/* ---- correct kernels ---- */

static void controls(void)
{
    prepare();
    const unsigned zero = 0;
    float sum;
    CUdeviceptr count = upload(&zero, sizeof zero), partial = allocate(8 * sizeof(float)),
                result = allocate(sizeof sum);
    OK(LAUNCH(function(module, "last_block_sums"), 8, 32, &y, &partial, &result, &count));
    download(&sum, result, sizeof sum);
    CHECK(sum == 36);
    OK(run("ordered_in_warp", 1, 32, 0));
    OK(run("ordered_in_block", 1, 64, 0));
    OK(run2("copies", 1, 64));
}

/* What a launch itself gets wrong is returned at once and is not sticky. */
static void launches(void)
{
    prepare();
    CUfunction bounded = function(module, "bounded"), copies = function(module, "copies");
    void *params[] = {&x, &y};
    RETURNS(701, cuLaunchKernel(bounded, 1, 1, 1, 65, 1, 1, 0, NULL, params, NULL));
    RETURNS(1, cuLaunchKernel(copies, 1, 1, 1, 1025, 1, 1, 0, NULL, params, NULL));
    RETURNS(1, cuLaunchKernel(copies, 0, 1, 1, 32, 1, 1, 0, NULL, params, NULL));
    RETURNS(1, cuLaunchKernel(copies, 1, 65536, 1, 32, 1, 1, 0, NULL, params, NULL));
    RETURNS(1, cuLaunchKernel(copies, 1, 1, 1, 32, 1, 1, 0, NULL, NULL, NULL));
    RETURNS(1, cuLaunchKernel(copies, 1, 1, 1, 32, 1, 1, 49153, NULL, params, NULL));
    OK(cuFuncSetAttribute(copies, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100000));
    OK(cuLaunchKernel(copies, 1, 1, 1, 32, 1, 1, 49153, NULL, params, NULL));
    RETURNS(1, cuFuncSetAttribute(copies, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 300000));
    RETURNS(1, cuMemcpyHtoD_v2(x, values, sizeof values + 1));
    RETURNS(1, cuMemcpyDtoH_v2((void *)values, x + 4, sizeof values));
    RETURNS(400, cuLaunchKernel((CUfunction)values, 1, 1, 1, 32, 1, 1, 0, NULL, params, NULL));
    OK(cuLaunchKernel(bounded, 1, 1, 1, 64, 1, 1, 0, NULL, params, NULL));
    OK(cuCtxSynchronize());
    int value;
    OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, bounded));
    CHECK(value == 64);
}

int main(void)
{
    ptx = compile(read_text("tests/cudasim/tests/faults.cu"), "--gpu-architecture=compute_90 --generate-line-info");
    /* Always found. */
    CASE(out_of_bounds, "");
    CASE(one_past, "");
    CASE(misaligned, "");
    CASE(null_pointer, "");
    CASE(vector_past_end, "");
    CASE(shared_out_of_bounds, "");
    CASE(endless, "SIM_BUDGET=100000");
    CASE(trapped, "");
    CASE(early_exit, "");
    CASE(two_barriers, "");
    CASE(warps_at_two_barriers, "");
    CASE(absent_member, "");
    CASE(exited_member, "");
    CASE(shuffle_from_absent, "");
    CASE(freed, "");
    CASE(host_pointer, "");
    CASE(constant_written, "");
    CASE(lowest_block, "SIM_THREADS=1");
    CASE(lowest_block, "SIM_THREADS=8");
    CASE(launches, "");
    /* Found with SIM_CHECK=1. */
    CASE(uninitialised, "SIM_CHECK=1");
    CASE(shared_uninitialised, "SIM_CHECK=1");
    CASE(race_write_read, "SIM_CHECK=1");
    CASE(race_read_write, "SIM_CHECK=1");
    CASE(race_write_write, "SIM_CHECK=1");
    CASE(race_in_warp, "SIM_CHECK=1");
    CASE(blocks_write_same, "SIM_CHECK=1");
    CASE(blocks_read_others, "SIM_CHECK=1");
    CASE(blocks_write_what_others_read, "SIM_CHECK=1");
    CASE(controls, "SIM_CHECK=1");
    CASE(controls, "SIM_THREADS=4");
    return finish();
}
