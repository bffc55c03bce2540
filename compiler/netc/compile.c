/* compile.c: the compiler is a table of passes and one loop: run, verify, dump if asked. */
#include "compile.h"
#include "emit/choose.h"

#include <stdlib.h>
#include <string.h>

static void parse_pass(struct compilation *c)
{
    c->ast = parse(c->text, c->length, &c->diag, c->region);
}

static void build_pass(struct compilation *c)
{
    if (!c->ast || c->diag.errors)
        return;
    for (int ph = 0; ph < PHASE_COUNT && !c->diag.errors; ph++) {
        struct diag quiet = {.file = c->file, .text = c->text, .region = c->region};
        bool train = ph == PHASE_TRAIN;
        c->graph[ph] =
            build(c->ast, ph, c->define, c->ndefine, train ? &c->model : NULL, train ? &c->diag : &quiet, c->region);
    }
}

static void grad_pass(struct compilation *c)
{
    report(c->graph[PHASE_TRAIN], &c->model);
    report(c->graph[PHASE_EVALUATE], &c->model);
    if (!c->diag.errors) {
        grad(c->graph[PHASE_TRAIN]);
        update(c->graph[PHASE_TRAIN], &c->model);
    }
}

static void simplify_pass(struct compilation *c)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        simplify(c->graph[ph]);
    c->macs = graph_macs(c->graph[PHASE_PREDICT]); /* without what only training needs */
}

static void specialise_pass(struct compilation *c)
{
    int shown = 0;
    for (int i = 0; target_planned(i); i++) {
        for (int ph = 0; ph < PHASE_COUNT; ph++) {
            c->planned[i][ph] = graph_copy(c->graph[ph]);
            specialise(c->planned[i][ph], target_planned(i));
        }
        if (c->target && target_planned(i) == target_schedules(c->target))
            shown = i;
    }
    memcpy(c->graph, c->planned[shown], sizeof c->graph);
}

static void fuse_pass(struct compilation *c)
{
    for (int i = 0; target_planned(i); i++)
        for (int ph = 0; ph < PHASE_COUNT; ph++)
            fuse(c->planned[i][ph]);
}

static void schedule_pass(struct compilation *c)
{
    c->plan = plan_new(c);
    for (int i = 0; target_planned(i); i++)
        for (int ph = 0; ph < PHASE_COUNT; ph++)
            schedule(c->planned[i][ph], c->plan, target_planned(i));
}

static void memory_pass(struct compilation *c)
{
    memory(c->plan);
    plan_link(c->plan);
    struct plan_error e;
    if (!plan_within(c->plan, &e)) {
        diag_error(&c->diag, "N0417", (struct loc){e.line, 1, 2}, NULL, "%s", e.text);
        return;
    }
    if (!plan_check(c->plan, &e) || !plan_judge(c->plan, &e)) {
        fprintf(stderr, "internal error: the plan is wrong: %s\n", e.text);
        exit(70);
    }
}

static void choose_pass(struct compilation *c)
{
    c->wrong = !overrule(c);
}

static void dump_choices(const struct compilation *c, FILE *out)
{
    choices_print(c->plan, out);
}

static void dump_ast(const struct compilation *c, FILE *out)
{
    if (c->ast)
        ast_print(c->ast, out);
}

void print_graphs(const struct compilation *c, FILE *out)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        graph_print(c->graph[ph], out);
}

static void dump_groups(const struct compilation *c, FILE *out)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        groups_print(c->graph[ph], out);
}

static void dump_plan(const struct compilation *c, FILE *out)
{
    plan_write(c->plan, out);
}

static const struct pass passes[] = {
    {'p', "parse", "text -> syntax tree", parse_pass, dump_ast, false},
    {'b', "build", "syntax tree -> a graph for training, evaluation and prediction: names, blocks, arguments, shapes",
     build_pass, print_graphs, true},
    {'g', "grad", "adds what is reported, the gradients, and the optimizer's update", grad_pass, print_graphs, true},
    {'s', "simplify", "rewrites pairs of nodes, binds inputs to the data, drops what nothing needs", simplify_pass,
     print_graphs, true},
    {'t', "specialise", "ops for one target in the place of those for all, where they are cheaper", specialise_pass,
     print_graphs, true},
    {'f', "fuse", "nodes -> kernels, with the reason why two stay apart", fuse_pass, dump_groups, true},
    {'o', "schedule", "order of the kernels, lifetimes of the values", schedule_pass, dump_plan, false},
    {'m', "memory", "a place for every value; judged by code that shares nothing with the packer", memory_pass,
     dump_plan, false},
    {'c', "choose", "which body writes each kernel: the cheapest, or that of --algorithm", choose_pass, dump_choices,
     false},
};

const struct pass *pass_at(int i)
{
    return i < COUNT(passes) ? &passes[i] : NULL;
}

bool run_passes(struct compilation *c, const char *dump)
{
    for (int i = 0; i < COUNT(passes); i++) {
        passes[i].run(c);
        if (c->diag.errors || c->wrong)
            return false;
        for (int ph = 0; passes[i].graphs && ph < PHASE_COUNT; ph++) {
            graph_verify(c->graph[ph], passes[i].name);
            for (int t = 0; c->planned[t][ph]; t++)
                graph_verify(c->planned[t][ph], passes[i].name);
        }
        if (dump && strchr(dump, passes[i].letter))
            passes[i].dump(c, stderr);
    }
    return true;
}
