/* algorithm.c: netc --algorithm LAYER=BODY, on the kernels that begin in a layer, and --exact, on all others. */
#include "compile.h"
#include "emit/choose.h"

#include <string.h>

/* The first node of a kernel. */
static const struct node *node_of(const struct compilation *c, const struct schedule *s, int kernel)
{
    int t = 0;
    while (target_planned(t) != s->target)
        t++;
    return c->planned[t][s->phase]->group[kernel - s->first_kernel]->node[0];
}

static void say_bodies(const struct compilation *c, const struct define *a)
{
    fprintf(stderr, "netc: error: --algorithm %s=%s: ", a->name, a->text);
    const char *said[16] = {NULL};
    int n = 0;
    for (const struct schedule *s = c->plan->schedule; s < c->plan->schedule + c->plan->nschedule; s++)
        for (int k = s->first_kernel; k < s->last_kernel; k++) {
            const struct node *node = node_of(c, s, k);
            for (const struct body *b = node->layer && !strcmp(node->layer, a->name) ? node->op->body : NULL;
                 b && b->name; b++) {
                int at = 0;
                while (at < n && strcmp(said[at], b->name))
                    at++;
                if (at == n && n < COUNT(said) && kernel_can(c->plan, k, b->name))
                    said[n++] = b->name;
            }
        }
    fprintf(stderr, n ? "no kernel of the layer can be written so\n" : "its kernels can be written in one way only\n");
    for (int i = 0; i < n; i++)
        fprintf(stderr, "%s%s%s", i ? ", " : "  = help: it can be written by plain, ", said[i], i == n - 1 ? "\n" : "");
}

static bool overrule_layer(struct compilation *c, const struct define *a)
{
    bool found = false, done = false;
    for (const struct schedule *s = c->plan->schedule; s < c->plan->schedule + c->plan->nschedule; s++)
        for (int k = s->first_kernel; k < s->last_kernel; k++) {
            const struct node *n = node_of(c, s, k);
            if (!n->layer || strcmp(n->layer, a->name))
                continue;
            found = true;
            if (!kernel_can(c->plan, k, a->text))
                continue;
            c->plan->kernel[k].stage[0].algorithm = a->text;
            done = true;
        }
    if (!found)
        fprintf(stderr, "netc: error: --algorithm %s=%s: no kernel begins with a layer of that name; see -d f\n",
                a->name, a->text);
    else if (!done)
        say_bodies(c, a);
    return done;
}

bool overrule(struct compilation *c)
{
    for (int i = 0; i < c->nalgorithm; i++)
        if (!overrule_layer(c, &c->algorithm[i]))
            return false;
    for (int k = 0; c->exact && k < c->plan->nkernel; k++) {
        struct stage *s = c->plan->kernel[k].stage;
        s->algorithm = s->algorithm ? s->algorithm : body_exact(c->plan, k);
    }
    return true;
}
