/* Modules and functions, shared by module.c and launch.c. */
#ifndef CUDASIM_MODULE_H
#define CUDASIM_MODULE_H

#include "driver.h"

struct CUfunc_st {
    const struct ptx_function *ptx;
    uint32_t dynamic_limit; /* bytes of dynamic shared memory that a launch may ask for */
};

struct CUmod_st {
    struct object object;
    struct ptx_module *ptx;
    struct CUfunc_st *functions;   /* one for each of the module */
    struct allocation **variables; /* likewise */
    uint64_t charged;
};

/* Whether the handle is a function of a loaded module. */
bool function_valid(CUfunction function);
unsigned function_max_threads(const struct CUfunc_st *function);

#endif
