/* Streams and events. A stream is a FIFO of operations. SIM_ASYNC=eager runs each at once; =defer runs nothing until
 * something waits for it, and then only the stream in question and what that one waits for. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "state.h"

static struct CUstream_st legacy;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- operations and marks ---- */

struct op *op_new(CUresult (*run)(struct op *), size_t bytes)
{
    struct op *op = calloc(1, sizeof *op + bytes);
    if (op)
        *op = (struct op){.references = 1, .run = run, .bytes = bytes};
    return op;
}

void op_release(struct op *op)
{
    if (!op || --op->references)
        return;
    if (op->drop)
        op->drop(op);
    mark_release(op->mark);
    free(op);
}

struct mark *mark_new(struct CUstream_st *stream)
{
    struct mark *mark = calloc(1, sizeof *mark);
    if (mark)
        *mark = (struct mark){.references = 1, .stream = stream};
    return mark;
}

void mark_release(struct mark *mark)
{
    if (!mark || --mark->references)
        return;
    capture_release(mark->capture);
    free(mark->nodes);
    free(mark);
}

/* ---- running ---- */

struct CUstream_st *stream_of(CUstream handle)
{
    if (!handle || handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD)
        return &legacy;
    return object_valid(handle, OBJECT_STREAM) ? handle : NULL;
}

static CUresult run_first(struct CUstream_st *stream)
{
    struct queued *item = stream->first;
    stream->first = item->next;
    if (!stream->first)
        stream->last = NULL;
    CUresult rc = state.sticky ? state.sticky : item->op->run(item->op);
    if (rc && !state.sticky)
        state.sticky = rc;
    op_release(item->op);
    free(item);
    return rc;
}

CUresult stream_drain(struct CUstream_st *stream)
{
    while (stream->first)
        run_first(stream);
    return state.sticky;
}

static void drain_to(struct mark *mark)
{
    while (!mark->done && mark->stream->first)
        run_first(mark->stream);
}

CUresult drain_all(void)
{
    stream_drain(&legacy);
    for (struct object *o = object_first(); o; o = o->next)
        if (o->kind == OBJECT_STREAM)
            stream_drain((struct CUstream_st *)o);
    return state.sticky;
}

static CUresult run_record(struct op *op)
{
    op->mark->done = true;
    op->mark->time = now();
    return CUDA_SUCCESS;
}

static CUresult run_wait(struct op *op)
{
    drain_to(op->mark);
    return state.sticky;
}

static CUresult append(struct CUstream_st *stream, struct op *op)
{
    struct queued *item = calloc(1, sizeof *item);
    if (!item) {
        op_release(op);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    item->op = op;
    if (stream->last)
        stream->last->next = item;
    else
        stream->first = item;
    stream->last = item;
    return CUDA_SUCCESS;
}

/* `stream` goes on when all that `other` has to do now is done. */
static CUresult append_wait_for(struct CUstream_st *stream, struct CUstream_st *other)
{
    if (!other->first)
        return CUDA_SUCCESS;
    struct mark *mark = mark_new(other);
    struct op *record = op_new(run_record, 0), *wait = op_new(run_wait, 0);
    if (!mark || !record || !wait) {
        mark_release(mark);
        op_release(record);
        op_release(wait);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    mark->references = 2;
    record->mark = wait->mark = mark;
    const CUresult rc = append(other, record);
    if (rc) {
        op_release(wait);
        return rc;
    }
    return append(stream, wait);
}

/* The legacy default stream waits for all blocking streams, and they for it. */
static CUresult order_with_legacy(struct CUstream_st *stream)
{
    CUresult rc = CUDA_SUCCESS;
    if (stream != &legacy)
        return stream->flags & CU_STREAM_NON_BLOCKING ? rc : append_wait_for(stream, &legacy);
    for (struct object *o = object_first(); o && !rc; o = o->next)
        if (o->kind == OBJECT_STREAM && !(((struct CUstream_st *)o)->flags & CU_STREAM_NON_BLOCKING))
            rc = append_wait_for(&legacy, (struct CUstream_st *)o);
    return rc;
}

/* Use of the default stream while a blocking stream is captured would make the graph depend on it. */
CUresult refuse_in_capture(CUstream handle)
{
    if (stream_of(handle) != &legacy)
        return CUDA_SUCCESS;
    for (struct object *o = object_first(); o; o = o->next) {
        struct CUstream_st *s = (struct CUstream_st *)o;
        if (o->kind == OBJECT_STREAM && s->capture && !(s->flags & CU_STREAM_NON_BLOCKING)) {
            capture_break(s->capture);
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
    }
    return CUDA_SUCCESS;
}

CUresult refuse_unsafe_in_capture(void)
{
    if (!capture_strict())
        return CUDA_SUCCESS;
    for (struct object *o = object_first(); o; o = o->next)
        if (o->kind == OBJECT_STREAM && ((struct CUstream_st *)o)->capture)
            capture_break(((struct CUstream_st *)o)->capture);
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult stream_enqueue(CUstream handle, struct op *op)
{
    if (!op)
        return CUDA_ERROR_OUT_OF_MEMORY;
    struct CUstream_st *stream = stream_of(handle);
    CUresult rc = stream ? refuse_in_capture(handle) : CUDA_ERROR_INVALID_HANDLE;
    if (!rc && stream->capture)
        return capture_op(stream, op);
    if (!rc)
        rc = order_with_legacy(stream);
    if (rc) {
        op_release(op);
        return rc;
    }
    rc = append(stream, op);
    if (!rc && !config()->defer)
        stream_drain(stream); /* its errors are seen by the next call, as on a device */
    return rc;
}

/* ---- streams ---- */

static CUresult create_stream(const char *name, CUstream *stream, unsigned flags)
{
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    if (!rc && (!stream || flags & ~(unsigned)CU_STREAM_NON_BLOCKING))
        rc = CUDA_ERROR_INVALID_VALUE;
    struct CUstream_st *s = rc ? NULL : calloc(1, sizeof *s);
    if (!rc && !s)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        s->flags = flags;
        object_add(&s->object, OBJECT_STREAM);
        *stream = s;
    }
    return api_leave(rc);
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags)
{
    return create_stream("cuStreamCreate", stream, flags);
}

CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority)
{
    (void)priority;
    return create_stream("cuStreamCreateWithPriority", stream, flags);
}

CUresult cuStreamDestroy_v2(CUstream stream)
{
    CUresult rc = api_enter("cuStreamDestroy_v2", NEEDS_CONTEXT);
    if (!rc && !object_valid(stream, OBJECT_STREAM))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        if (stream->capture) {
            capture_break(stream->capture);
            capture_release(stream->capture);
        }
        stream_drain(stream);
        drain_all(); /* others may wait for marks in this stream */
        object_remove(&stream->object);
        free(stream->tail);
        free(stream);
    }
    return api_leave(rc);
}

/* A wait on a captured stream breaks the capture. */
static CUresult usable(CUstream handle, struct CUstream_st **stream)
{
    *stream = stream_of(handle);
    if (!*stream)
        return CUDA_ERROR_INVALID_HANDLE;
    if ((*stream)->capture) {
        capture_break((*stream)->capture);
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return refuse_in_capture(handle);
}

CUresult cuStreamSynchronize(CUstream handle)
{
    struct CUstream_st *stream;
    CUresult rc = api_enter("cuStreamSynchronize", NEEDS_CONTEXT);
    if (!rc)
        rc = usable(handle, &stream);
    if (!rc)
        rc = stream_drain(stream);
    return api_leave(rc);
}

/* A query is answered once with "not ready", and by then the work has been done. */
CUresult cuStreamQuery(CUstream handle)
{
    struct CUstream_st *stream;
    CUresult rc = api_enter("cuStreamQuery", NEEDS_CONTEXT);
    if (!rc)
        rc = usable(handle, &stream);
    if (!rc && stream->first) {
        rc = stream_drain(stream);
        rc = rc ? rc : CUDA_ERROR_NOT_READY;
    }
    return api_leave(rc);
}

/* ---- events ---- */

struct CUevent_st {
    struct object object;
    unsigned flags;
    struct mark *mark; /* NULL until recorded */
};

CUresult cuEventCreate(CUevent *event, unsigned flags)
{
    CUresult rc = api_enter("cuEventCreate", NEEDS_CONTEXT);
    struct CUevent_st *e = rc ? NULL : calloc(1, sizeof *e);
    if (!rc && !e)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        e->flags = flags;
        object_add(&e->object, OBJECT_EVENT);
        *event = e;
    }
    return api_leave(rc);
}

CUresult cuEventDestroy_v2(CUevent event)
{
    CUresult rc = api_enter("cuEventDestroy_v2", NEEDS_CONTEXT);
    if (!rc && !object_valid(event, OBJECT_EVENT))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        object_remove(&event->object);
        mark_release(event->mark);
        free(event);
    }
    return api_leave(rc);
}

CUresult cuEventRecord(CUevent event, CUstream handle)
{
    CUresult rc = api_enter("cuEventRecord", NEEDS_CONTEXT);
    struct CUstream_st *stream = stream_of(handle);
    if (!rc && (!object_valid(event, OBJECT_EVENT) || !stream))
        rc = CUDA_ERROR_INVALID_HANDLE;
    struct mark *mark = rc ? NULL : mark_new(stream);
    if (!rc && !mark)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc && stream->capture) {
        rc = capture_record(stream, mark);
    } else if (!rc) {
        struct op *op = op_new(run_record, 0);
        if (op) {
            op->mark = mark;
            mark->references++;
        }
        rc = stream_enqueue(handle, op);
    }
    if (!rc) {
        mark_release(event->mark);
        event->mark = mark;
    } else {
        mark_release(mark);
    }
    return api_leave(rc);
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags)
{
    CUresult rc = api_enter("cuStreamWaitEvent", NEEDS_CONTEXT);
    struct CUstream_st *stream = stream_of(handle);
    (void)flags;
    if (!rc && (!object_valid(event, OBJECT_EVENT) || !stream))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && event->mark && (event->mark->capture || stream->capture)) {
        rc = capture_wait(stream, event->mark);
    } else if (!rc && event->mark && !event->mark->done) {
        struct op *op = op_new(run_wait, 0);
        if (op) {
            op->mark = event->mark;
            op->mark->references++;
        }
        rc = stream_enqueue(handle, op);
    }
    return api_leave(rc);
}

static CUresult event_use(CUevent event)
{
    return !object_valid(event, OBJECT_EVENT)    ? CUDA_ERROR_INVALID_HANDLE
           : event->mark && event->mark->capture ? CUDA_ERROR_CAPTURED_EVENT
                                                 : CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent event)
{
    CUresult rc = api_enter("cuEventSynchronize", NEEDS_CONTEXT);
    if (!rc)
        rc = event_use(event);
    if (!rc && event->mark) {
        drain_to(event->mark);
        rc = state.sticky;
    }
    return api_leave(rc);
}

CUresult cuEventQuery(CUevent event)
{
    CUresult rc = api_enter("cuEventQuery", NEEDS_CONTEXT);
    if (!rc)
        rc = event_use(event);
    if (!rc && event->mark && !event->mark->done) {
        drain_to(event->mark);
        rc = state.sticky ? state.sticky : CUDA_ERROR_NOT_READY;
    }
    return api_leave(rc);
}

static CUresult elapsed(const char *name, float *milliseconds, CUevent start, CUevent end)
{
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    if (!rc && (event_use(start) || event_use(end) || !start->mark || !end->mark ||
                (start->flags | end->flags) & CU_EVENT_DISABLE_TIMING))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && (!start->mark->done || !end->mark->done))
        rc = CUDA_ERROR_NOT_READY;
    if (!rc)
        *milliseconds = (float)(end->mark->time - start->mark->time);
    return api_leave(rc);
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end)
{
    return elapsed("cuEventElapsedTime", milliseconds, start, end);
}

CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end)
{
    return elapsed("cuEventElapsedTime_v2", milliseconds, start, end);
}
