/* Inside the stand-in driver: entry and exit of API calls, objects behind handles, operations in streams and graphs.
 * Everything here is called with the driver lock held, which api_enter takes and api_leave returns. */
#ifndef CUDASIM_DRIVER_H
#define CUDASIM_DRIVER_H

#include <stdbool.h>

#include "cuda_types.h"
#include "exec.h"
#include "sim.h"

#pragma GCC visibility push(default)
#include "cuda_prototypes.h"
#pragma GCC visibility pop

/* ---- API calls (driver.c, inject.c) ---- */

enum api_needs { NEEDS_NOTHING, NEEDS_INIT, NEEDS_CONTEXT };

/* Every exported function is `CUresult rc = api_enter(...); if (!rc) ...; return api_leave(rc);`. The result is nonzero
 * when the call must do nothing more: an injected failure, a sticky error, no context. Calls that give something back
 * (Free, Destroy, Unload, Release, Unregister) do it anyway, and api_leave returns the error. */
CUresult api_enter(const char *name, enum api_needs needs);
CUresult api_leave(CUresult rc);
CUresult inject_failure(const char *name);
bool is_release(const char *name);
/* The context is broken: every later call returns this. Keeps the first. */
void set_sticky(CUresult error, const char *report);

/* ---- objects ---- */

enum object_kind { OBJECT_STREAM, OBJECT_EVENT, OBJECT_MODULE, OBJECT_GRAPH, OBJECT_EXEC, OBJECT_HOST, OBJECT_KINDS };

struct object {
    struct object *next;
    enum object_kind kind;
};

void object_add(struct object *object, enum object_kind kind);
void object_remove(struct object *object);
bool object_valid(const void *handle, enum object_kind kind);
unsigned object_count(enum object_kind kind);
struct object *object_first(void);

/* ---- operations ---- */

/* Something that a stream or a graph does. Shared by reference count, because a graph is launched many times. */
struct op {
    unsigned references;
    CUresult (*run)(struct op *op);
    void (*drop)(struct op *op); /* frees what the operation owns, not the operation; may be NULL */
    struct mark *mark;           /* of an event recorded or waited for; NULL otherwise */
    size_t bytes;
    _Alignas(16) unsigned char data[];
};

struct op *op_new(CUresult (*run)(struct op *), size_t bytes);
void op_release(struct op *op);
/* Appends to the stream, or to the graph it is being captured into. Takes the caller's reference in any case. */
CUresult stream_enqueue(CUstream stream, struct op *op);
/* Handles 0, 1 and 2 are the default streams. NULL for a handle that is not a stream. */
struct CUstream_st *stream_of(CUstream handle);
/* Runs what the stream has to do, and what it waits for. */
CUresult stream_drain(struct CUstream_st *stream);
CUresult drain_all(void);
/* 0, or the error of a call that may not be made while some stream is captured; breaks that capture. */
CUresult refuse_in_capture(CUstream handle);
CUresult refuse_unsafe_in_capture(void);

/* A point in a stream. */
struct mark {
    unsigned references;
    struct CUstream_st *stream;
    bool done;
    double time;             /* in milliseconds */
    struct capture *capture; /* where it was recorded, if that was a capture */
    uint32_t *nodes, node_count;
};
struct mark *mark_new(struct CUstream_st *stream);
void mark_release(struct mark *mark);

struct queued {
    struct queued *next;
    struct op *op;
};

struct CUstream_st {
    struct object object;
    unsigned flags;
    struct queued *first, *last;
    struct capture *capture;
    uint32_t *tail, tail_count; /* capture: nodes that the next one depends on */
};

/* graph.c: captures an operation instead of queueing it */
CUresult capture_op(struct CUstream_st *stream, struct op *op);
CUresult capture_record(struct CUstream_st *stream, struct mark *mark);
CUresult capture_wait(struct CUstream_st *stream, const struct mark *mark);
void capture_break(struct capture *capture);
void capture_release(struct capture *capture);
bool capture_strict(void);

/* Device properties (driver.c). */
enum { MAX_THREADS_PER_BLOCK = 1024, SHARED_DEFAULT = 48 << 10, WARP_SIZE = 32, REGISTERS_PER_BLOCK = 65536 };
unsigned device_shared_optin(void);
unsigned device_shared_total(void);

#endif
