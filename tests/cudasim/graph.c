/* Stream capture and graphs. A node depends on earlier nodes only, so the order of capture is one topological order;
 * SIM_SEED chooses others at random, which shows edges that are missing. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "state.h"

struct node {
    struct op *op;
    uint32_t *before; /* nodes that come first */
    uint32_t before_count;
};

/* Shared by a graph, its executable forms and their launches; complete once capture has ended. */
struct node_list {
    unsigned references;
    struct node *nodes;
    uint32_t count;
};

struct CUgraph_st {
    struct object object;
    struct node_list *list;
};

struct CUgraphExec_st {
    struct object object;
    struct node_list *list;
};

struct capture {
    unsigned references; /* by streams and marks */
    struct node_list *list;
    struct CUstream_st *origin;
    CUstreamCaptureMode mode;
    bool broken, ended;
};

static void list_release(struct node_list *list)
{
    if (!list || --list->references)
        return;
    for (uint32_t i = 0; i < list->count; i++) {
        op_release(list->nodes[i].op);
        free(list->nodes[i].before);
    }
    free(list->nodes);
    free(list);
}

void capture_release(struct capture *capture)
{
    if (!capture || --capture->references)
        return;
    list_release(capture->list);
    free(capture);
}

void capture_break(struct capture *capture)
{
    capture->broken = true;
}

/* ---- capturing ---- */

static CUresult set_tail(struct CUstream_st *stream, const uint32_t *nodes, uint32_t count)
{
    uint32_t *tail = malloc((count + 1) * sizeof *tail);
    if (!tail)
        return CUDA_ERROR_OUT_OF_MEMORY;
    if (count)
        memcpy(tail, nodes, count * sizeof *tail);
    free(stream->tail);
    stream->tail = tail;
    stream->tail_count = count;
    return CUDA_SUCCESS;
}

CUresult capture_op(struct CUstream_st *stream, struct op *op)
{
    struct node_list *list = stream->capture->list;
    struct node *larger = NULL;
    uint32_t *before = malloc((stream->tail_count + 1) * sizeof *before);
    if (stream->capture->broken) {
        free(before);
        op_release(op);
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    if (before)
        larger = realloc(list->nodes, (list->count + 1) * sizeof *list->nodes);
    if (!larger) {
        free(before);
        op_release(op);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    list->nodes = larger;
    if (stream->tail_count)
        memcpy(before, stream->tail, stream->tail_count * sizeof *before);
    list->nodes[list->count] = (struct node){op, before, stream->tail_count};
    const uint32_t added = list->count++;
    return set_tail(stream, &added, 1);
}

CUresult capture_record(struct CUstream_st *stream, struct mark *mark)
{
    mark->nodes = malloc((stream->tail_count + 1) * sizeof *mark->nodes);
    if (!mark->nodes)
        return CUDA_ERROR_OUT_OF_MEMORY;
    if (stream->tail_count)
        memcpy(mark->nodes, stream->tail, stream->tail_count * sizeof *mark->nodes);
    mark->node_count = stream->tail_count;
    mark->capture = stream->capture;
    mark->capture->references++;
    return CUDA_SUCCESS;
}

/* The stream joins the capture in which the event was recorded. */
CUresult capture_wait(struct CUstream_st *stream, const struct mark *mark)
{
    if (!mark->capture || mark->capture->ended) {
        if (stream->capture)
            capture_break(stream->capture);
        return stream->capture ? CUDA_ERROR_STREAM_CAPTURE_ISOLATION : CUDA_ERROR_INVALID_VALUE;
    }
    if (stream->capture && stream->capture != mark->capture) {
        capture_break(stream->capture);
        capture_break(mark->capture);
        return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    }
    if (!stream->capture) {
        if (stream == stream_of(NULL)) {
            capture_break(mark->capture);
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
        stream->capture = mark->capture;
        stream->capture->references++;
        return set_tail(stream, mark->nodes, mark->node_count);
    }
    const uint32_t total = stream->tail_count + mark->node_count;
    uint32_t *both = malloc((total + 1) * sizeof *both), count = 0;
    if (!both)
        return CUDA_ERROR_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < total; i++) {
        const uint32_t node = i < stream->tail_count ? stream->tail[i] : mark->nodes[i - stream->tail_count];
        uint32_t k = 0;
        while (k < count && both[k] != node)
            k++;
        if (k == count)
            both[count++] = node;
    }
    const CUresult rc = set_tail(stream, both, count);
    free(both);
    return rc;
}

static struct CUstream_st *next_captured(struct object *after)
{
    for (struct object *o = after ? after->next : object_first(); o; o = o->next)
        if (o->kind == OBJECT_STREAM && ((struct CUstream_st *)o)->capture)
            return (struct CUstream_st *)o;
    return NULL;
}

/* Whether some capture forbids calls that are not part of it. */
bool capture_strict(void)
{
    for (struct CUstream_st *s = next_captured(NULL); s; s = next_captured(&s->object))
        if (s->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED)
            return true;
    return false;
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode)
{
    CUresult rc = api_enter("cuStreamBeginCapture_v2", NEEDS_CONTEXT);
    if (!rc && mode > CU_STREAM_CAPTURE_MODE_RELAXED)
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc && !object_valid(stream, OBJECT_STREAM)) /* the default stream cannot be captured */
        rc = stream_of(stream) ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_ERROR_INVALID_HANDLE;
    if (!rc && stream->capture)
        rc = CUDA_ERROR_INVALID_VALUE;
    struct capture *capture = rc ? NULL : calloc(1, sizeof *capture);
    if (capture)
        capture->list = calloc(1, sizeof *capture->list);
    if (!rc && (!capture || !capture->list || set_tail(stream, NULL, 0))) {
        if (capture)
            free(capture->list);
        free(capture);
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    }
    if (!rc) {
        capture->references = 1;
        capture->list->references = 1;
        capture->mode = mode;
        capture->origin = stream;
        stream->capture = capture;
    }
    return api_leave(rc);
}

/* Whether every node of a joined stream's tail leads to the tail of the origin. */
static bool joined(const struct capture *capture, const struct CUstream_st *stream)
{
    const struct node_list *list = capture->list;
    bool *reached = calloc(list->count + 1, sizeof *reached);
    bool all = reached != NULL;
    for (uint32_t i = 0; i < capture->origin->tail_count && reached; i++)
        reached[capture->origin->tail[i]] = true;
    for (uint32_t i = list->count; i-- > 0 && reached;)
        for (uint32_t k = 0; k < list->nodes[i].before_count && reached[i]; k++)
            reached[list->nodes[i].before[k]] = true;
    for (uint32_t i = 0; i < stream->tail_count && all; i++)
        all = reached[stream->tail[i]];
    free(reached);
    return all;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph)
{
    CUresult rc = api_enter("cuStreamEndCapture", NEEDS_CONTEXT);
    if (!rc && !object_valid(stream, OBJECT_STREAM))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && !stream->capture)
        rc = CUDA_ERROR_INVALID_VALUE;
    struct capture *capture = rc ? NULL : stream->capture;
    if (!rc && capture->origin != stream)
        rc = CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    if (rc)
        return api_leave(rc);
    for (struct CUstream_st *s = next_captured(NULL); s; s = next_captured(&s->object))
        if (s->capture == capture && s != stream && !joined(capture, s))
            rc = CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    if (capture->broken)
        rc = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    capture->ended = true;
    struct CUgraph_st *g = rc ? NULL : calloc(1, sizeof *g);
    if (!rc && !g)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        g->list = capture->list;
        g->list->references++;
        object_add(&g->object, OBJECT_GRAPH);
    }
    *graph = g;
    for (struct CUstream_st *s = next_captured(NULL), *next; s; s = next) {
        next = next_captured(&s->object);
        if (s->capture == capture) {
            s->capture = NULL;
            capture_release(capture);
        }
    }
    return api_leave(rc);
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status)
{
    CUresult rc = api_enter("cuStreamIsCapturing", NEEDS_CONTEXT);
    const struct CUstream_st *s = stream_of(stream);
    if (!rc && !s)
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc)
        *status = !s->capture          ? CU_STREAM_CAPTURE_STATUS_NONE
                  : s->capture->broken ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                       : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return api_leave(rc);
}

/* ---- graphs ---- */

CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags)
{
    CUresult rc = api_enter("cuGraphInstantiateWithFlags", NEEDS_CONTEXT);
    (void)flags;
    if (!rc && !object_valid(graph, OBJECT_GRAPH))
        rc = CUDA_ERROR_INVALID_HANDLE;
    struct CUgraphExec_st *e = rc ? NULL : calloc(1, sizeof *e);
    if (!rc && !e)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        e->list = graph->list;
        e->list->references++;
        object_add(&e->object, OBJECT_EXEC);
        *exec = e;
    }
    return api_leave(rc);
}

static uint64_t next_random(uint64_t *state_of)
{
    uint64_t z = (*state_of += 0x9e3779b97f4a7c15ull); /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static bool ready(const struct node *node, const bool *done)
{
    for (uint32_t i = 0; i < node->before_count; i++)
        if (!done[node->before[i]])
            return false;
    return true;
}

static CUresult run_graph(struct op *op)
{
    struct node_list *list = *(struct node_list **)op->data;
    bool *done = calloc(list->count + 1, sizeof *done);
    uint32_t *choices = calloc(list->count + 1, sizeof *choices);
    CUresult rc = done && choices ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    uint64_t random = config()->seed * 0x2545f4914f6cdd1dull + ++state.graph_launches;
    for (uint32_t left = list->count; left && !rc; left--) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < list->count; i++)
            if (!done[i] && ready(&list->nodes[i], done)) {
                choices[count++] = i;
                if (!config()->seed)
                    break;
            }
        const uint32_t chosen = choices[config()->seed ? next_random(&random) % count : 0];
        done[chosen] = true;
        rc = list->nodes[chosen].op->run(list->nodes[chosen].op);
    }
    free(done);
    free(choices);
    return rc;
}

static void drop_graph(struct op *op)
{
    list_release(*(struct node_list **)op->data);
}

CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream)
{
    CUresult rc = api_enter("cuGraphLaunch", NEEDS_CONTEXT);
    if (!rc && !object_valid(exec, OBJECT_EXEC))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        struct op *op = op_new(run_graph, sizeof exec->list);
        if (op) {
            memcpy(op->data, &exec->list, sizeof exec->list);
            exec->list->references++;
            op->drop = drop_graph;
        }
        rc = stream_enqueue(stream, op);
    }
    return api_leave(rc);
}

CUresult cuGraphUpload(CUgraphExec exec, CUstream stream)
{
    CUresult rc = api_enter("cuGraphUpload", NEEDS_CONTEXT);
    if (!rc && (!object_valid(exec, OBJECT_EXEC) || !stream_of(stream)))
        rc = CUDA_ERROR_INVALID_HANDLE;
    return api_leave(rc);
}

CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count)
{
    CUresult rc = api_enter("cuGraphGetNodes", NEEDS_CONTEXT);
    if (!rc && !object_valid(graph, OBJECT_GRAPH))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        for (size_t i = 0; nodes && i < *count; i++)
            nodes[i] = i < graph->list->count ? (CUgraphNode)&graph->list->nodes[i] : NULL;
        *count = graph->list->count;
    }
    return api_leave(rc);
}

CUresult cuGraphExecDestroy(CUgraphExec exec)
{
    CUresult rc = api_enter("cuGraphExecDestroy", NEEDS_CONTEXT);
    if (!rc && !object_valid(exec, OBJECT_EXEC))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        object_remove(&exec->object);
        list_release(exec->list);
        free(exec);
    }
    return api_leave(rc);
}

CUresult cuGraphDestroy(CUgraph graph)
{
    CUresult rc = api_enter("cuGraphDestroy", NEEDS_CONTEXT);
    if (!rc && !object_valid(graph, OBJECT_GRAPH))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        object_remove(&graph->object);
        list_release(graph->list);
        free(graph);
    }
    return api_leave(rc);
}
