#define _GNU_SOURCE
#include "simtest.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_TEXTS = 64 };
static int cases, failures;
static char *texts[MAX_TEXTS]; /* live until the end of the test */
static int text_count;

static char *keep(char *text)
{
    if (text_count == MAX_TEXTS)
        exit(1);
    return texts[text_count++] = text;
}

/* What a case says is shown only if it fails: planted faults are reported loudly. */
static void show(FILE *log)
{
    char buffer[4096];
    rewind(log);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, log)) > 0;)
        fwrite(buffer, 1, n, stderr);
}

void run_case(const char *name, const char *environment, void (*function)(void), int status)
{
    FILE *log = tmpfile();
    fflush(NULL);
    const pid_t child = log ? fork() : -1;
    if (child < 0) {
        fprintf(stderr, "no child process for %s\n", name);
        exit(1);
    }
    if (child == 0) {
        dup2(fileno(log), STDERR_FILENO);
        char *copy = strdup(environment);
        for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
            putenv(word);
        function();
        exit(0);
    }
    int result = 0;
    cases++;
    waitpid(child, &result, 0);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != status) {
        failures++;
        show(log);
        fprintf(stderr, "FAILED: %s [%s]: %s %d\n", name, environment, WIFEXITED(result) ? "exit status" : "signal",
                WIFEXITED(result) ? WEXITSTATUS(result) : WTERMSIG(result));
    }
    fclose(log);
}

int finish(void)
{
    printf("%d cases, %d failed\n", cases, failures);
    return failures != 0;
}

/* ---- NVRTC, opened as the framework does: by soname, then in the toolkit's default directory ---- */

typedef struct program *nvrtc_program;

static void *open_nvrtc(void)
{
    static const char *const names[] = {"libnvrtc.so.13", "/usr/local/cuda/lib64/libnvrtc.so.13", "libnvrtc.so.12",
                                        "/usr/local/cuda/lib64/libnvrtc.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW);
        if (library)
            return library;
    }
    return NULL;
}

static void compile_to(int pipe, const char *source, const char *options)
{
    void *library = open_nvrtc();
    if (!library)
        _exit(SKIPPED);
#define NVRTC(name, ...) int (*name)(__VA_ARGS__) = (int (*)(__VA_ARGS__))dlsym(library, #name)
    NVRTC(nvrtcCreateProgram, nvrtc_program *, const char *, const char *, int, const char **, const char **);
    NVRTC(nvrtcCompileProgram, nvrtc_program, int, const char **);
    NVRTC(nvrtcGetPTXSize, nvrtc_program, size_t *);
    NVRTC(nvrtcGetPTX, nvrtc_program, char *);
    NVRTC(nvrtcGetProgramLogSize, nvrtc_program, size_t *);
    NVRTC(nvrtcGetProgramLog, nvrtc_program, char *);
    const char *words[16];
    int count = 0;
    for (char *word = strtok(strdup(options), " "); word && count < 16; word = strtok(NULL, " "))
        words[count++] = word;
    nvrtc_program program;
    size_t bytes;
    if (nvrtcCreateProgram(&program, source, "test.cu", 0, NULL, NULL))
        _exit(2);
    if (nvrtcCompileProgram(program, count, words)) {
        nvrtcGetProgramLogSize(program, &bytes);
        char *log = calloc(1, bytes + 1);
        nvrtcGetProgramLog(program, log);
        fprintf(stderr, "%s\n", log);
        _exit(2);
    }
    nvrtcGetPTXSize(program, &bytes);
    char *ptx = calloc(1, bytes + 1);
    nvrtcGetPTX(program, ptx);
    for (size_t sent = 0; sent + 1 < bytes;) {
        const ssize_t n = write(pipe, ptx + sent, bytes - 1 - sent);
        if (n <= 0)
            _exit(2);
        sent += (size_t)n;
    }
    _exit(0);
}

char *compile(const char *source, const char *options)
{
    int ends[2], result = 0;
    if (pipe(ends))
        exit(2);
    fflush(NULL);
    const pid_t child = fork(); /* NVRTC asks the driver that is loaded, which reads the environment */
    if (child == 0) {
        close(ends[0]);
        compile_to(ends[1], source, options);
    }
    close(ends[1]);
    size_t used = 0, capacity = 1 << 20;
    char *text = malloc(capacity);
    for (ssize_t n; (n = read(ends[0], text + used, capacity - used - 1)) > 0;) {
        used += (size_t)n;
        if (capacity - used < 65536)
            text = realloc(text, capacity *= 2);
    }
    text[used] = 0;
    close(ends[0]);
    waitpid(child, &result, 0);
    if (WIFEXITED(result) && WEXITSTATUS(result) == SKIPPED) {
        printf("skipped: libnvrtc is not installed\n");
        exit(SKIPPED);
    }
    if (!WIFEXITED(result) || WEXITSTATUS(result)) {
        fprintf(stderr, "NVRTC failed with %s\n", options);
        exit(1);
    }
    return keep(text);
}

char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s cannot be read: run from the repository's root\n", path);
        exit(1);
    }
    char *text = calloc(1, 1 << 20);
    if (!fread(text, 1, (1 << 20) - 1, file))
        exit(1);
    fclose(file);
    return keep(text);
}

/* ---- the device ---- */

void start(void)
{
    CUcontext context;
    OK(cuInit(0));
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxSetCurrent(context));
}

CUmodule load(const char *ptx)
{
    CUmodule module;
    start();
    OK(cuModuleLoadData(&module, ptx));
    return module;
}

CUfunction function(CUmodule module, const char *name)
{
    CUfunction f;
    OK(cuModuleGetFunction(&f, module, name));
    return f;
}

CUresult launch(CUfunction f, unsigned grid, unsigned block, unsigned shared, void **params)
{
    const CUresult rc = cuLaunchKernel(f, grid, 1, 1, block, 1, 1, shared, NULL, params, NULL);
    return rc ? rc : cuCtxSynchronize();
}

CUdeviceptr allocate(size_t bytes)
{
    CUdeviceptr address;
    OK(cuMemAlloc_v2(&address, bytes));
    return address;
}

CUdeviceptr upload(const void *data, size_t bytes)
{
    const CUdeviceptr address = allocate(bytes);
    OK(cuMemcpyHtoD_v2(address, data, bytes));
    OK(cuStreamSynchronize(NULL)); /* from pageable memory, which the copy has only read by now */
    return address;
}

void download(void *data, CUdeviceptr from, size_t bytes)
{
    OK(cuMemcpyDtoH_v2(data, from, bytes));
}

bool report_has(const char *text)
{
    const bool found = strstr(simLastReport(), text) != NULL;
    if (!found)
        fprintf(stderr, "the report does not name `%s`: %s\n", text, simLastReport());
    return found;
}
