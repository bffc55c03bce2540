/* hog LEAVE: takes the first GPU's memory until LEAVE bytes are free, says what it took, and holds it until its stdin
 * ends. */
#include "gpu.h"

enum { GRANULE = 2 << 20 };

int main(int argc, char **argv)
{
    static struct cuda c;
    struct cuda_gpu g;
    struct device_error e;
    CUdeviceptr at = 0;
    long long leave = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
    if (leave <= 0) {
        fprintf(stderr, "usage: hog LEAVE\n");
        return 2;
    }
    gpu_open(&c, &g);
    int64_t bytes = (gpu_free(&c) - leave) / GRANULE * GRANULE;
    if (bytes > 0 && !CUDA_CALL(&c, &e, cuMemAlloc_v2, &at, (size_t)bytes))
        gpu_stop(&e);
    printf("%lld taken, %lld left\n", (long long)(bytes > 0 ? bytes : 0), (long long)gpu_free(&c));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    if (at)
        c.cuMemFree_v2(at);
    gpu_close(&c, &g);
    return 0;
}
