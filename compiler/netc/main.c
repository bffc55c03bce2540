/* main.c: netc: what is asked for is compiled and answered. command.c has the options, compile.c the passes. */
#include "command.h"
#include "map.h"
#include "emit/emit.h"

#include <errno.h>
#include <stdlib.h>

/* ---- files ---- */

static char *read_whole(const char *path, size_t *length)
{
    FILE *f = is_stream(path) ? stdin : fopen(path, "rb");
    char *text = f ? malloc(MAX_SOURCE + 1) : NULL;
    *length = text ? fread(text, 1, MAX_SOURCE + 1, f) : 0;
    bool good = text && !ferror(f) && *length <= MAX_SOURCE;
    if (!good)
        fprintf(stderr, "netc: %s: %s\n", path, text && *length > MAX_SOURCE ? "more than 16 MiB" : strerror(errno));
    if (f && f != stdin)
        fclose(f);
    if (good) {
        text[*length] = 0;
        return text;
    }
    free(text);
    return NULL;
}

static int write_plan(const struct plan *p, const char *path)
{
    struct data_error e;
    if (is_stream(path))
        return plan_write(p, stdout) || ferror(stdout) ? 0 : EXIT_FILE; /* streams_close says what is lost */
    if (plan_save(p, path, &e))
        return 0;
    fprintf(stderr, "netc: %s\n", e.text);
    return EXIT_FILE;
}

static int write_svg(const struct compilation *c, const char *path)
{
    int64_t rows[PHASE_COUNT];
    struct data_error e;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        rows[ph] = (batch_of(c->plan, (enum phase)ph) + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    if (is_stream(path))
        memory_svg(c->plan, target_schedules(c->target), rows, stdout); /* streams_close says what is lost */
    else if (!memory_svg_save(c->plan, target_schedules(c->target), rows, path, &e))
        return fprintf(stderr, "netc: %s\n", e.text), EXIT_FILE;
    return 0;
}

static int show_rates(const struct compilation *c, const struct request *r)
{
    struct data_error e;
    if (!r->rates)
        draw_rates(c->plan, r->steps, option_colour(r->colour, stdout), stdout);
    else if (is_stream(r->rates))
        rates_svg(c->plan, r->steps, stdout); /* streams_close says what is lost */
    else if (!rates_svg_save(c->plan, r->steps, r->rates, &e))
        return fprintf(stderr, "netc: %s\n", e.text), EXIT_FILE;
    return 0;
}

/* Of --emit: whose kernels are printed; NULL: none. */
static const struct target *emitted(const struct compilation *c, enum emit what, bool plain)
{
    switch (what) {
    case EMIT_KERNELS:
        return c->target;
    case EMIT_C:
        return plain ? &target_c_scalar : &target_cpu;
    case EMIT_CUDA:
        return &target_cuda;
    default:
        return NULL;
    }
}

static int emit(const struct compilation *c, const struct request *r)
{
    struct emit_options o = {
        .target = emitted(c, r->emit, r->plain), .lanes = WIDEST, .file = c->file, .precision = r->precision};
    const struct kernel *k = o.target ? emit_unheeded(c->plan, o.target, o.precision) : NULL;
    bool good = true;
    if (k)
        fprintf(stderr,
                "netc: warning: %s was asked to be written by %s, which does not apply in %s: another body writes it\n",
                k->name, k->stage->algorithm, precision_word[o.precision]);
    if (o.target)
        good = emit_kernels(c->plan, &o, stdout);
    else if (r->emit == EMIT_PLAN)
        good = plan_write(c->plan, stdout);
    else if (r->emit == EMIT_GRAPH)
        print_graphs(c, stdout);
    else if (r->emit == EMIT_DOT)
        print_layers_dot(c, stdout);
    else if (r->emit == EMIT_DOT_KERNELS)
        print_kernels_dot(c->graph[PHASE_TRAIN], stdout);
    else
        print_json(c, stdout);
    if (good || ferror(stdout)) /* streams_close says what is lost */
        return 0;
    fprintf(stderr, "netc: error: --emit=%s cannot be written\n",
            (const char *const[]){"plan", "c", "cuda", "kernels"}[r->emit]); /* the others are always good */
    return EXIT_INTERNAL;
}

/* Says what nothing else says: that the model is right. */
static void say_ok(const struct compilation *c, const struct request *r)
{
    const char *slash = strrchr(r->file, '/'), *name = is_stream(r->file) ? c->plan->net : slash ? slash + 1 : r->file;
    const char *dot = strrchr(name, '.');
    fprintf(stderr, "ok: %s, %lld parameters", r->file, (long long)c->plan->params);
    if (!r->check)
        fprintf(stderr, "; write the plan with -o %.*s.plan", dot && dot > name ? (int)(dot - name) : (int)strlen(name),
                name);
    fprintf(stderr, "\n");
}

static int compile_and_answer(struct compilation *c, const struct request *r)
{
    bool good = run_passes(c, r->dump);
    diag_flush(&c->diag);
    if (!good)
        return c->wrong ? EXIT_USAGE : EXIT_MODEL;
    int status = r->memory >= 0 ? budget(c, r->memory, r->batch) : 0;
    if (status)
        return status;
    if (!r->summary && !r->map && !r->svg && !r->steps && r->emit == EMIT_NONE && !r->output && !r->dump)
        say_ok(c, r);
    if (r->summary)
        summary(c, r->flops, stdout);
    for (int s = 0; r->map && s < c->plan->nschedule; s++)
        if (c->plan->schedule[s].target == target_schedules(c->target))
            memory_map(c->plan, &c->plan->schedule[s], 64, stdout);
    if (r->steps)
        status = show_rates(c, r);
    if (r->svg && !status)
        status = write_svg(c, r->svg);
    if (r->emit != EMIT_NONE && !status)
        status = emit(c, r);
    if (r->output && !status)
        status = write_plan(c->plan, r->output);
    return status;
}

static int compile_file(struct request *r)
{
    struct compilation c = {
        .file = r->file,
        .define = r->pair[DEFINE],
        .ndefine = r->npair[DEFINE],
        .algorithm = r->pair[ALGORITHM],
        .nalgorithm = r->npair[ALGORITHM],
        .exact = r->exact,
        .target = r->target ? target_find(r->target) : &target_cpu,
    };
    c.text = read_whole(r->file, &c.length);
    if (!c.text)
        return EXIT_FILE;
    c.region = region_new();
    c.diag = (struct diag){
        .file = r->file, .text = c.text, .out = stderr, .colour = option_colour(r->colour, stderr), .region = c.region};
    int status = EXIT_FILE;
    if (strncmp(c.text, "netc-plan ", 10))
        status = compile_and_answer(&c, r);
    else
        fprintf(stderr, "netc: %s: this is a plan already; netrun takes it: netrun %s --train DIR\n", r->file, r->file);
    region_free(c.region);
    free(c.text);
    return status;
}

int main(int argc, char **argv)
{
    struct request r;
    streams_open();
    int status = request_read(&r, argc, argv);
    if (status == OPTIONS_GO)
        status = r.place ? place_file(r.place, r.capacity, stdout, stderr) : compile_file(&r);
    request_free(&r);
    return streams_close("netc", status);
}
