/* The cuda device from within: device_cuda.c opens it, compiles, runs and copies; gpu_arm.c takes its memory. */
#ifndef GPU_H
#define GPU_H

#include "cuda_data.h"
#include "cuda_module.h"
#include "cuda_phase.h"
#include "device_cuda.h"

enum { RING_BYTES = (1 + RING_STEPS) * CTL_WORDS * 4 };

struct gpu {
    struct device device;
    struct device_options options;
    char name[16]; /* "cuda:0" */
    char compiler[32], driver[CUDA_VERSION_TEXT];
    cuda_emitter *emit;
    struct cuda api;
    struct cuda_gpu card;
    struct nvrtc_target target;
    bool retained, poison;
    const struct plan *plan;
    struct cuda_module module;
    struct cuda_products library; /* for plans with products that are large enough */
    int64_t unused;               /* free bytes once the module was loaded */
    CUstream stream;
    struct cuda_host ring;
    CUdeviceptr arena;
    int64_t planned, bytes; /* of the arena alone, and with what is behind it */
    int64_t skip;           /* bytes of the places in the plan before the arena begins */
    struct cuda_phase phase[PHASE_COUNT];
    enum phase last; /* run last, or the first one armed */
    struct cuda_data data;
    struct device_cuda_report report;
};

static inline struct gpu *gpu_of(const struct device *d)
{
    return (struct gpu *)d;
}

bool gpu_arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
             int64_t room, struct device_error *e); /* device.h's arm */
void gpu_disarm(struct gpu *g);                     /* frees what gpu_arm took */

/* cuda_peak.c: device.h's peak */
bool gpu_peak(struct device *d, struct device_peak *p, struct device_error *e);
/* On the stream, in order: bytes of the arena, the ring's control blocks of n steps; the last one waits for all. */
bool gpu_fill(struct gpu *g, unsigned char byte, int64_t from, int64_t end, struct device_error *e);
bool gpu_upload_ring(struct gpu *g, const struct cuda_phase *f, int n, struct device_error *e);
bool gpu_finish(struct gpu *g, struct device_error *e);

#endif
