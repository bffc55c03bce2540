/* The types of the driver API, declared here so that building needs no cuda.h. Enumerations are unsigned, as compilers
 * make them. */
#ifndef CUDASIM_CUDA_TYPES_H
#define CUDASIM_CUDA_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum {
#define CONSTANT(name, value) name = value,
#include "cuda_constants.h"
#undef CONSTANT
};

typedef unsigned CUresult, CUdevice_attribute, CUfunction_attribute, CUstreamCaptureMode, CUstreamCaptureStatus,
    CUjit_option;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;
typedef struct CUgraphNode_st *CUgraphNode;
typedef void (*CUhostFn)(void *data);
typedef size_t (*CUoccupancyB2DSize)(int threads);
typedef struct CUuuid_st {
    char bytes[16];
} CUuuid;

#define CU_STREAM_LEGACY ((CUstream)0x1)
#define CU_STREAM_PER_THREAD ((CUstream)0x2)

#endif
