/* cuda_sim.h: tests on the simulated device. Its settings are read once a process, so each case has its own. */
#ifndef CUDA_SIM_H
#define CUDA_SIM_H

#include "../cudasim/sim.h"
#include "cuda/cuda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIM_FOLDER "build/cudasim"

static inline bool nvrtc_there(void)
{
    static struct cuda c;
    bool there = cuda_open(&c, NVRTC);
    if (!there)
        print_message("libnvrtc is not installed\n");
    return there;
}

/* NETRUN_CUDA_LIBDIR= has the tests run on a GPU where they can. */
static inline bool on_gpu(void)
{
    const char *folder = getenv("NETRUN_CUDA_LIBDIR");
    return folder && strcmp(folder, SIM_FOLDER) != 0;
}

static inline bool sim_there(void)
{
    if (on_gpu()) {
        print_message("only on the simulated device\n");
        return false;
    }
    bool there = access(SIM_FOLDER "/libcuda.so.1", R_OK) == 0;
    if (!there)
        print_message("the simulated device is not built: make sim\n");
    return there && nvrtc_there();
}

static inline bool device_there(void)
{
    return on_gpu() ? nvrtc_there() : sim_there();
}

/* Runs work(ctx) in a child with these words added to the environment; what it returns, 128 + a signal's number if one
 * ended it. Its stderr goes into `log`, which may be NULL. */
static inline int in_child(const char *environment, int (*work)(void *ctx), void *ctx, char *log, size_t size)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char *words = strdup(environment);
        if (log)
            dup2(fileno(out), STDERR_FILENO);
        setenv("NETRUN_CUDA_LIBDIR", SIM_FOLDER, 0);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
            putenv(word);
        int status = work(ctx);
        free(words); /* the environment is not read any more */
        exit(status);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (log) {
        rewind(out);
        log[fread(log, 1, size - 1, out)] = '\0';
    }
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a child: ends it. */
/* clang-format off */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            exit(9);                                                                               \
        }                                                                                          \
    } while (0)
/* clang-format on */

/* What the simulator has counted so far. */
static inline struct sim_stats stats_now(void)
{
    void *driver = dlopen(SIM_FOLDER "/libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    void (*stats)(struct sim_stats *) = (void (*)(struct sim_stats *))dlsym(driver, "simStats");
    struct sim_stats s;
    stats(&s);
    dlclose(driver);
    return s;
}

#endif
