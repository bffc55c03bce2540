/* What the simulator's own tests share. The environment is read once per process, so every case runs in a child. */
#ifndef CUDASIM_SIMTEST_H
#define CUDASIM_SIMTEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_types.h"
#include "cuda_prototypes.h"
#include "sim.h"

/* clang-format off */
#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, __func__, #condition); \
            exit(1);                                                                            \
        }                                                                                       \
    } while (0)
/* clang-format on */

/* The call returns this code. */
/* clang-format off */
#define RETURNS(code, call)                                                                     \
    do {                                                                                        \
        const unsigned rc_ = (call);                                                            \
        if (rc_ != (unsigned)(code)) {                                                          \
            fprintf(stderr, "%s:%d: %s: %s returned %u, expected %u\n", __FILE__, __LINE__, __func__, #call, rc_, \
                    (unsigned)(code));                                                          \
            exit(1);                                                                            \
        }                                                                                       \
    } while (0)
/* clang-format on */
#define OK(call) RETURNS(CUDA_SUCCESS, call)

enum { SKIPPED = 77 };

/* Runs `function` in a child with the environment set ("A=1 B=2"); counts and prints a failure. An exit status other
 * than 0 can be expected: SIM_LEAK. */
void run_case(const char *name, const char *environment, void (*function)(void), int status);
#define CASE(function, environment) run_case(#function, environment, function, 0)
int finish(void);

/* PTX of CUDA text by the real NVRTC; options are separated by blanks. Ends the test as skipped if there is none. */
char *compile(const char *source, const char *options);
char *read_text(const char *path);

/* In a case: a context on device 0, and a module with its functions. */
CUmodule load(const char *ptx);
void start(void);
CUfunction function(CUmodule module, const char *name);
/* Launches and waits; `params` are pointers to the arguments. */
CUresult launch(CUfunction f, unsigned grid, unsigned block, unsigned shared, void **params);
/* clang-format off */
#define LAUNCH(f, grid, block, ...) launch(f, grid, block, 0, (void *[]){__VA_ARGS__})
/* clang-format on */
CUdeviceptr upload(const void *data, size_t bytes);
CUdeviceptr allocate(size_t bytes);
void download(void *data, CUdeviceptr from, size_t bytes);
/* Frees nothing, but ends the context: for cases that do not look at leaks. */
bool report_has(const char *text);

#endif
