/* board_views.c: what TensorBoard has to look at: the graph of layers, images of the training set, the confusion matrix. What cannot
 * be made is left out. */
#include "netc/layers.h"
#include "report/report.h"
#include "run.h"

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

/* The second of a name is called name_1. */
static const char *name_of(struct region *r, const char *path, const struct tfevents_node *node, size_t n)
{
    const char *name = path;
    for (int again = 1;; again++) {
        size_t i = 0;
        while (i < n && strcmp(node[i].name, name) != 0)
            i++;
        if (i == n)
            return name;
        name = region_printf(r, "%s_%d", path, again);
    }
}

static void put_node(struct region *r, struct tfevents_node *node, size_t *n, const char *path, const char *op,
                     const struct layer *l)
{
    const struct tensor *t = &l->out->t;
    int64_t *dim = region_alloc(r, (size_t)t->rank + 1, sizeof *dim);
    int rank = 0;
    if (t->rows)
        dim[rank++] = -1;
    for (int i = 0; i < t->rank; i++)
        dim[rank++] = t->dim[i];
    node[*n] = (struct tfevents_node){.name = name_of(r, path, node, *n), .op = op, .rank = rank, .dim = dim};
    (*n)++;
}

static void put_layer(struct region *r, const struct layer *list, int i, struct tfevents_node *node, size_t *n)
{
    const struct layer *l = &list[i];
    put_node(r, node, n, path_of(r, l), l->word ? l->word : l->label, l);
    struct tfevents_node *to = &node[*n - 1];
    const char **input = region_alloc(r, (size_t)l->nfrom + 1, sizeof *input);
    struct tfevents_attribute *a = region_alloc(r, ATTRIBUTES, sizeof *a);
    for (int k = 0; k < l->nfrom; k++)
        input[k] = node[l->from[k]].name;
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
    size_t n = 0;
    const struct layer *list = layers_of(c, &layers);
    struct tfevents_node *node = region_alloc(r, 2 * (size_t)layers + 1, sizeof *node);
    for (int i = 0; i < layers; i++)
        put_layer(r, list, i, node, &n);
    for (int i = 0; i < layers; i++)
        if (list[i].outputs) {
            char *path = region_copy(r, list[i].outputs);
            path[strcspn(path, ",")] = '\0';
            put_node(r, node, &n, path, "output", &list[i]);
            node[n - 1].inputs = 1;
            node[n - 1].input = &node[i].name;
        }
    return tfevents_graph(&j->tell.board, wall_time(), node, n);
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
    char about[PAGE_TEXT];
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
    char about[PAGE_TEXT];
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
