/* board_views.c: what TensorBoard has to look at: the graph of layers, images of the training set, the confusion matrix. What cannot
 * be made is left out. */
#include "netc/layers.h"
#include "report/report.h"
#include "run.h"

#include <search.h>
#include <string.h>

/* ---- the graph ---- */

enum { ATTRIBUTES = 5 };

/* "stage1/0/conv1" of "stage1.0.conv1"; a sum is `add`. */
static char *path_of(struct region *r, const struct layer *l)
{
    char *path = region_copy(r, l->path), *end = strrchr(path, '.');
    end = end ? end + 1 : path;
    if (strcmp(end, "+") == 0)
        path = region_printf(r, "%.*sadd", (int)(end - path), path);
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c;
    return path;
}

/* Nodes as they are added, and their names in a tree: of thousands of sums each is an `add`. */
struct graph_nodes {
    struct region *region;
    struct tfevents_node *node;
    size_t n;
    void *names; /* of struct named */
};

struct named {
    const char *name;
    int again; /* how often it was wanted besides */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void keep(void *named)
{
    (void)named; /* it is the region's */
}

/* NULL: no memory. Else what has the name, which is the new one if nothing had it. */
static struct named *enter(struct graph_nodes *g, const char *name)
{
    struct named *new = region_alloc(g->region, 1, sizeof *new);
    new->name = name;
    struct named **found = tsearch(new, &g->names, compare);
    return found ? *found : NULL;
}

/* The second of a name is called name_1. */
static const char *name_of(struct graph_nodes *g, const char *path)
{
    struct named *first = enter(g, path), *entered = first;
    const char *name = path;
    while (entered && entered->name != name) {
        name = region_printf(g->region, "%s_%d", path, ++first->again);
        entered = enter(g, name);
    }
    return name;
}

static struct tfevents_node *put_node(struct graph_nodes *g, const char *path, const char *op, const struct layer *l)
{
    const struct tensor *t = &l->out->t;
    int64_t *dim = region_alloc(g->region, (size_t)t->rank + 1, sizeof *dim);
    int rank = 0;
    if (t->rows)
        dim[rank++] = -1;
    for (int i = 0; i < t->rank; i++)
        dim[rank++] = t->dim[i];
    struct tfevents_node *node = &g->node[g->n++];
    *node = (struct tfevents_node){.name = name_of(g, path), .op = op, .rank = rank, .dim = dim};
    return node;
}

static void put_layer(struct graph_nodes *g, const struct layer *l)
{
    struct region *r = g->region;
    struct tfevents_node *to = put_node(g, path_of(r, l), l->word ? l->word : l->label, l);
    const char **input = region_alloc(r, (size_t)l->nfrom + 1, sizeof *input);
    struct tfevents_attribute *a = region_alloc(r, ATTRIBUTES, sizeof *a);
    for (int k = 0; k < l->nfrom; k++)
        input[k] = g->node[l->from[k]].name;
    to->inputs = l->nfrom;
    to->input = input;
    to->attribute = a;
    if (l->input)
        return;
    a[to->attributes++] = (struct tfevents_attribute){.name = "how", .text = l->fate};
    a[to->attributes++] = (struct tfevents_attribute){.name = "layer", .text = l->label};
    a[to->attributes++] = (struct tfevents_attribute){.name = "line", .number = l->out->loc.line};
    if (l->macs)
        a[to->attributes++] = (struct tfevents_attribute){.name = "macs", .number = l->macs};
    if (l->params)
        a[to->attributes++] = (struct tfevents_attribute){.name = "parameters", .number = l->params};
}

/* Layers, and behind them the outputs of the network. */
static bool put_graph(struct job *j, struct region *r, const struct compilation *c)
{
    int layers;
    const struct layer *list = layers_of(c, &layers);
    struct graph_nodes g = {.region = r, .node = region_alloc(r, 2 * (size_t)layers + 1, sizeof *g.node)};
    for (int i = 0; i < layers; i++)
        put_layer(&g, &list[i]);
    for (int i = 0; i < layers; i++)
        if (list[i].outputs) {
            char *path = region_copy(r, list[i].outputs);
            path[strcspn(path, ",")] = '\0';
            struct tfevents_node *node = put_node(&g, path, "output", &list[i]);
            node->inputs = 1;
            node->input = &g.node[i].name;
        }
    tdestroy(g.names, keep);
    return tfevents_graph(&j->tell.board, wall_time(), g.node, g.n);
}

/* ---- images ---- */

static bool put_picture(struct job *j, const char *tag, const char *about, const struct picture *p)
{
    tfevents_begin(&j->tell.board, wall_time(), j->at.step);
    tfevents_image(&j->tell.board, tag, about,
                   &(struct tfevents_image){p->height, p->width, p->channels, p->png, p->bytes});
    return tfevents_end(&j->tell.board);
}

void board_network(struct job *j)
{
    struct region *region = region_new();
    struct compilation c;
    struct picture p;
    struct data_error e;
    char about[MARKUP_TEXT];
    const struct report seen = {
        .plan = j->plan, .data = &j->data, .seed = j->recipe.seed, .shuffled = j->recipe.shuffle};
    bool good = !model_again(j->plan, region, &c) || put_graph(j, region, &c);
    region_free(region);
    if (good && report_seen(&seen, &p, about, &e)) {
        good = put_picture(j, "data/train", about, &p);
        picture_free(&p);
    }
    if (!good)
        board_lost(j);
}

void board_confusion(struct job *j, const struct confusion *c, const char *set)
{
    struct picture p;
    struct data_error e;
    char about[MARKUP_TEXT];
    if (!j->tell.board.to || !confusion_draw(c, &p, &e))
        return;
    snprintf(
        about, sizeof about,
        "The %lld samples of the %s with the weights that the run keeps: a row for what a sample is, a column for what it was "
        "taken for. Blue is right, red is wrong; the deeper, the larger the share of the row.",
        (long long)c->n, set);
    if (!put_picture(j, "confusion", about, &p))
        board_lost(j);
    picture_free(&p);
}
