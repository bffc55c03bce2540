/* Every constant and function of CUDA that is used, included with both macros defined: in cuda.h to declare them, in
 * cuda.c to find them in the libraries, in a test to compare them with the toolkit's headers. No guard, therefore.
 *
 * CONSTANT(name, value)
 * FUNCTION(library, need, result, symbol, arguments)   need: REQUIRED, or OPTIONAL: NULL where a library is too old */
CONSTANT(CUDA_ERROR_OUT_OF_MEMORY, 2)
CONSTANT(CUDA_ERROR_STUB_LIBRARY, 34)
CONSTANT(CUDA_ERROR_NO_DEVICE, 100)
CONSTANT(CUDA_ERROR_NO_BINARY_FOR_GPU, 209)
CONSTANT(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)
CONSTANT(CU_DEVICE_ATTRIBUTE_INTEGRATED, 18)
CONSTANT(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)
CONSTANT(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)
CONSTANT(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 0)
CONSTANT(CU_JIT_ERROR_LOG_BUFFER, 5)
CONSTANT(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 6)
CONSTANT(CU_STREAM_NON_BLOCKING, 1)
CONSTANT(CU_EVENT_DEFAULT, 0)
CONSTANT(CU_EVENT_DISABLE_TIMING, 2)
CONSTANT(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, 1)
CONSTANT(NVRTC_ERROR_COMPILATION, 6)
CONSTANT(CUBLAS_STATUS_ALLOC_FAILED, 3)
CONSTANT(CUBLAS_OP_N, 0)
CONSTANT(CUBLAS_OP_T, 1)
CONSTANT(CUDA_R_32F, 0)
CONSTANT(CUBLAS_COMPUTE_32F, 68)
CONSTANT(CUBLAS_COMPUTE_32F_FAST_16BF, 75)
CONSTANT(CUBLAS_COMPUTE_32F_FAST_TF32, 77)
CONSTANT(CUBLAS_GEMM_DEFAULT, -1)

FUNCTION(DRIVER, REQUIRED, CUresult, cuInit, (unsigned flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDriverGetVersion, (int *version))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGetErrorName, (CUresult error, const char **text))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGetErrorString, (CUresult error, const char **text))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDeviceGetCount, (int *count))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDeviceGet, (CUdevice * device, int ordinal))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDeviceGetName, (char *name, int bytes, CUdevice device))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDeviceGetAttribute, (int *value, CUdevice_attribute attribute, CUdevice device))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))
FUNCTION(DRIVER, REQUIRED, CUresult, cuDevicePrimaryCtxRelease_v2, (CUdevice device))
FUNCTION(DRIVER, REQUIRED, CUresult, cuCtxSetCurrent, (CUcontext context))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemGetInfo_v2, (size_t * free_bytes, size_t *total_bytes))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemFree_v2, (CUdeviceptr address))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemHostAlloc, (void **pointer, size_t bytes, unsigned flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemFreeHost, (void *pointer))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemcpyHtoDAsync_v2,
         (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuMemsetD8Async,
         (CUdeviceptr to, unsigned char value, size_t count, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuModuleLoadDataEx,
         (CUmodule * module, const void *image, unsigned count, CUjit_option *options, void **values))
FUNCTION(DRIVER, REQUIRED, CUresult, cuModuleUnload, (CUmodule module))
FUNCTION(DRIVER, REQUIRED, CUresult, cuModuleGetFunction, (CUfunction * function, CUmodule module, const char *name))
FUNCTION(DRIVER, REQUIRED, CUresult, cuFuncGetAttribute,
         (int *value, CUfunction_attribute attribute, CUfunction function))
FUNCTION(DRIVER, REQUIRED, CUresult, cuLaunchKernel,
         (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
          unsigned block_z, unsigned shared_bytes, CUstream stream, void **params, void **extra))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamCreate, (CUstream * stream, unsigned flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamDestroy_v2, (CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamSynchronize, (CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuEventCreate, (CUevent * event, unsigned flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuEventDestroy_v2, (CUevent event))
FUNCTION(DRIVER, REQUIRED, CUresult, cuEventRecord, (CUevent event, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuEventSynchronize, (CUevent event))
FUNCTION(DRIVER, REQUIRED, CUresult, cuEventElapsedTime, (float *milliseconds, CUevent start, CUevent end))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamBeginCapture_v2, (CUstream stream, CUstreamCaptureMode mode))
FUNCTION(DRIVER, REQUIRED, CUresult, cuStreamEndCapture, (CUstream stream, CUgraph *graph))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGraphInstantiateWithFlags,
         (CUgraphExec * exec, CUgraph graph, unsigned long long flags))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGraphUpload, (CUgraphExec exec, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGraphLaunch, (CUgraphExec exec, CUstream stream))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGraphExecDestroy, (CUgraphExec exec))
FUNCTION(DRIVER, REQUIRED, CUresult, cuGraphDestroy, (CUgraph graph))

FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcVersion, (int *major, int *minor))
FUNCTION(NVRTC, REQUIRED, const char *, nvrtcGetErrorString, (nvrtcResult result))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetNumSupportedArchs, (int *count))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetSupportedArchs, (int *architectures))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcCreateProgram,
         (nvrtcProgram * program, const char *source, const char *name, int headers, const char *const *header,
          const char *const *header_name))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcDestroyProgram, (nvrtcProgram * program))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcCompileProgram,
         (nvrtcProgram program, int options, const char *const *option))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetCUBINSize, (nvrtcProgram program, size_t *bytes))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetCUBIN, (nvrtcProgram program, char *cubin))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetPTXSize, (nvrtcProgram program, size_t *bytes))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetPTX, (nvrtcProgram program, char *ptx))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetProgramLogSize, (nvrtcProgram program, size_t *bytes))
FUNCTION(NVRTC, REQUIRED, nvrtcResult, nvrtcGetProgramLog, (nvrtcProgram program, char *log))

FUNCTION(CUBLAS, REQUIRED, cublasStatus_t, cublasCreate_v2, (cublasHandle_t * handle))
FUNCTION(CUBLAS, REQUIRED, cublasStatus_t, cublasDestroy_v2, (cublasHandle_t handle))
FUNCTION(CUBLAS, OPTIONAL, cublasStatus_t, cublasGetProperty, (libraryPropertyType type, int *value))
FUNCTION(CUBLAS, REQUIRED, const char *, cublasGetStatusString, (cublasStatus_t status))
FUNCTION(CUBLAS, REQUIRED, cublasStatus_t, cublasSetStream_v2, (cublasHandle_t handle, cudaStream_t stream))
FUNCTION(CUBLAS, REQUIRED, cublasStatus_t, cublasSetWorkspace_v2,
         (cublasHandle_t handle, void *workspace, size_t bytes))
FUNCTION(CUBLAS, REQUIRED, cublasStatus_t, cublasGemmEx,
         (cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k, const void *alpha,
          const void *a, cudaDataType type_a, int lda, const void *b, cudaDataType type_b, int ldb, const void *beta,
          void *c, cudaDataType type_c, int ldc, cublasComputeType_t compute, cublasGemmAlgo_t algorithm))
