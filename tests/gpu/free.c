/* The first GPU's memory.
 *   free                  FREE TOTAL, in bytes
 *   free MILLISECONDS     the same so often, a line each, until nobody reads
 *   free --card           what it is, for the head of a results file */
#include "gpu.h"

#include <string.h>
#include <time.h>

static void print_card(struct cuda *c, const struct cuda_gpu *g)
{
    int driver = 0, major = 0, minor = 0;
    printf("card      %s, sm_%d, %.1f GiB\n", g->name, g->arch, (double)gpu_total(c) / (1 << 30));
    if (!c->cuDriverGetVersion(&driver))
        printf("driver    for CUDA up to %d.%d, %s\n", driver / 1000, driver % 1000 / 10, c->library[DRIVER].path);
    if (cuda_open(c, NVRTC) && !c->nvrtcVersion(&major, &minor))
        printf("NVRTC     %d.%d, %s\n", major, minor, c->library[NVRTC].path);
    else
        printf("NVRTC     not found\n");
}

int main(int argc, char **argv)
{
    static struct cuda c;
    struct cuda_gpu g;
    long pause = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    gpu_open(&c, &g);
    if (argc > 1 && strcmp(argv[1], "--card") == 0) {
        print_card(&c, &g);
        gpu_close(&c, &g);
        return 0;
    }
    const struct timespec t = {pause / 1000, pause % 1000 * 1000000};
    do {
        printf("%lld %lld\n", (long long)gpu_free(&c), (long long)gpu_total(&c));
    } while (fflush(stdout) == 0 && pause > 0 && nanosleep(&t, NULL) == 0);
    gpu_close(&c, &g);
    return 0;
}
