/* Where a toolkit is installed: its headers agree with the simulator's own declarations. The compiler does the work. */
#include <stdio.h>

#if __has_include(<cuda.h>)
#include <cuda.h>

#include "cuda_prototypes.h"

#define CONSTANT(name, value) _Static_assert((unsigned)(name) == (value), #name);
#include "cuda_constants.h"
#undef CONSTANT

_Static_assert(sizeof(CUdeviceptr) == sizeof(unsigned long long), "device addresses");
_Static_assert(sizeof(CUresult) == sizeof(unsigned), "results");

int main(void)
{
    printf("cuda.h agrees\n");
    return 0;
}
#else
int main(void)
{
    printf("skipped: cuda.h is not installed\n");
    return 77;
}
#endif
