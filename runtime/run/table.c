/* table.c: answers as CSV, a line each. */
#include "table.h"

#include <string.h>

/* ---- lines ---- */

/* In quotes where it must be. */
static void put_field(const char *text, FILE *out)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

static void put_columns(const char *name, int64_t n, FILE *out)
{
    for (int64_t i = 0; i < n; i++)
        if (n == 1)
            fprintf(out, ",%s", name);
        else
            fprintf(out, ",%s.%lld", name, (long long)i);
}

void answer_head(const struct answer *a, const struct answer_table *t)
{
    FILE *out = t->out;
    fputs(t->synthetic ? "sample,synthetic" : "sample", out);
    if (t->truth)
        put_columns("true", a->targets, out);
    if (answer_classes(a))
        fputs(",class", out);
    for (int i = 0; i < a->outputs; i++)
        put_columns(a->output[i].name, a->output[i].n, out);
    fputc('\n', out);
}

void answer_row(const struct answer *a, const struct answer_table *t)
{
    FILE *out = t->out;
    const struct answer_output *classes = answer_classes(a);
    put_field(a->sample, out);
    if (t->synthetic)
        fprintf(out, ",%s", t->synthetic);
    for (int64_t i = 0; t->truth && i < a->targets; i++) {
        fputc(',', out);
        if (a->target)
            answer_number(a->target[i], 9, out);
        else if (a->class >= 0)
            fprintf(out, "%lld", (long long)a->class);
    }
    if (classes)
        fputc(',', out);
    if (classes && classes->best >= 0)
        fprintf(out, "%lld", (long long)classes->best);
    for (const struct answer_output *o = a->output; o < a->output + a->outputs; o++)
        for (int64_t i = 0; i < o->n; i++) {
            fputc(',', out);
            answer_number(o->classes ? o->probability[i] : (double)o->value[i], 9, out);
        }
    fputc('\n', out);
}

/* ---- the file ---- */

static bool is_read(const struct job *j, const struct asked *asked, const char *path)
{
    const struct options *o = j->options;
    const char *folder = !asked || asked->set ? o->folder : NULL;
    bool read = atomic_destroys(path, o->plan) || atomic_destroys(path, j->weights) ||
                (folder && samples_read(j->plan, folder, path));
    for (int64_t i = 0; asked && i < asked->parts && !read; i++)
        read = asked->part[i].path && atomic_destroys(path, asked->part[i].path);
    for (size_t i = 0; i < o->map.files && !read; i++)
        read = atomic_destroys(path, o->map.file[i]);
    return read;
}

int output_spares(const struct job *j, const struct asked *asked, const char *path)
{
    if (strcmp(path, "-") != 0 && is_read(j, asked, path))
        return complain(STATUS_USAGE, "--output %s: this file is read here, and would be lost", path);
    return 0;
}

int table_open(struct answer_table *t, struct job *j, const struct asked *asked, const struct answer *a)
{
    const char *path = j->options->output;
    struct data_error e;
    bool aside = strcmp(path, "-") != 0;
    int status = output_spares(j, asked, path);
    if (status)
        return status;
    if (aside && !atomic_open(&t->file, path, &e))
        return complain(STATUS_DATA, "%s", e.text);
    if (aside)
        stops_listen(); /* no part of a table is to be left */
    t->path = path;
    t->out = aside ? t->file.stream : stdout;
    t->truth = !asked || asked->known;
    t->synthetic = j->data.synthetic ? "data" : j->synthetic_weights ? "weights" : NULL;
    answer_head(a, t);
    return 0;
}

bool table_stops(const struct answer_table *t)
{
    bool stops = t->file.stream && stopped_by();
    if (stops)
        note("stopped; %s is not written", t->path);
    return stops;
}

int table_commit(struct answer_table *t, struct job *j, int64_t samples)
{
    struct data_error e;
    if (!t->file.stream)
        return 0;
    if (!atomic_commit(&t->file, &e))
        return complain(STATUS_DATA, "%s", e.text);
    say(&j->tell, "%s: %lld sample%s%s", t->path, (long long)samples, samples == 1 ? "" : "s",
        synthetic_text(j->data.synthetic, j->synthetic_weights));
    return 0;
}

void table_close(struct answer_table *t)
{
    atomic_abandon(&t->file);
    if (t->out && t->out != stdout)
        stops_end();
}
