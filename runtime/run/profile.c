/* profile.c: steps that are followed kernel by kernel, in turns with steps that are not. */
#include "profile.h"
#include "base/atomic_file.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM = 3, STEPS_LEAST = 3, STEPS = 20, STEPS_MOST = 1000 };
static const double usual_seconds = 1, most_seconds = 5, call_seconds = 0.025;

struct measuring {
    struct job *job;
    struct profile_phase *phase;
    int64_t samples, step; /* of the split; the next one */
    int64_t room, done;    /* traced steps */
    int *place;            /* of each kernel of the plan, in phase->kernel */
    double *seconds;       /* of each kernel `room` numbers */
    double *plain;         /* of steps that were not traced */
    int64_t calls;         /* steps of one call of run */
    uint32_t control[RING_STEPS][CTL_WORDS];
};

/* The fastest counts, as for the peaks: what else the machine does can only add. */
static double fastest(const double *list, int64_t n)
{
    double least = list[0];
    for (int64_t i = 1; i < n; i++)
        least = list[i] < least ? list[i] : least;
    return least;
}

/* ---- steps ---- */

/* Control words of one run of the next step, over the rows behind `done` of its batch; returns how many. */
static int64_t next_run(struct measuring *m, int64_t done, uint32_t control[CTL_WORDS])
{
    const struct recipe *r = &m->job->recipe;
    const struct profile_phase *f = m->phase;
    const int64_t position = m->step % (m->samples / f->rows) * f->rows, left = f->rows - done;
    if (f->phase != PHASE_TRAIN) {
        control_evaluate(r, position, f->rows, m->samples, control);
        return f->rows;
    }
    const int64_t rows = r->micro > 0 && r->micro < left ? r->micro : left;
    control_train(r, m->step, m->job->at.epoch, position, f->rows, m->samples, control);
    control_weigh_batch(&m->job->weighed[0], control);
    if (r->micro > 0)
        control_part(control, done, rows);
    return rows;
}

static void take(void *to, int kernel, double seconds)
{
    struct measuring *m = to;
    m->seconds[m->place[kernel] * m->room + m->done] += seconds;
}

static int trace_step(struct measuring *m)
{
    struct device *d = m->job->device;
    struct device_error e;
    for (int64_t done = 0; done < m->phase->rows;) {
        done += next_run(m, done, m->control[0]);
        if (!d->trace(d, m->phase->phase, m->control[0], take, m, &e))
            return complain(e.status, "%s", e.text);
    }
    m->done++;
    m->step++;
    return 0;
}

/* Some steps as in a training, by one call of the device where it takes as many. */
static int run_steps(struct measuring *m, double *seconds)
{
    struct device *d = m->job->device;
    struct device_error e;
    const double since = now();
    const int most = d->most_runs < RING_STEPS ? d->most_runs : RING_STEPS;
    int n = 0;
    for (int64_t i = 0; i < m->calls; i++, m->step++)
        for (int64_t done = 0; done < m->phase->rows; n++) {
            if (n == most) {
                if (!d->run(d, m->phase->phase, m->control, n, &e))
                    return complain(e.status, "%s", e.text);
                n = 0;
            }
            done += next_run(m, done, m->control[n]);
            m->control[n][CTL_CHAIN] |= n > 0;
        }
    if (!d->run(d, m->phase->phase, m->control, n, &e))
        return complain(e.status, "%s", e.text);
    *seconds = (now() - since) / (double)m->calls;
    if (now() - since < call_seconds && 2 * m->calls * m->phase->runs <= most)
        m->calls *= 2;
    const float loss = control_float(m->control[n - 1], CTL_LOSS);
    return isfinite(loss) ? 0 : complain(STATUS_DIVERGED, "the loss is not finite: there is nothing to measure");
}

/* With a number of steps so many; else for a second, but at least 20, unless that takes too long. */
static bool goes_on(const struct measuring *m, int64_t steps, double seconds)
{
    if (m->done == m->room || stopped_by())
        return false;
    return steps > 0 || m->done < STEPS_LEAST || seconds < (m->done < STEPS ? most_seconds : usual_seconds);
}

static int measure_steps(struct measuring *m, int64_t steps)
{
    double seconds, since;
    int status = 0;
    for (int i = 0; i < WARM && status == 0; i++)
        status = run_steps(m, &seconds);
    since = now();
    while (status == 0 && goes_on(m, steps, now() - since)) {
        status = run_steps(m, &m->plain[m->done]);
        status = status ? status : trace_step(m);
    }
    return status;
}

/* ---- phases ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void settle(struct measuring *m)
{
    struct profile_phase *f = m->phase;
    f->steps = m->done;
    f->seconds = fastest(m->plain, m->done);
    qsort(m->plain, (size_t)m->done, sizeof *m->plain, by_size);
    f->median = m->plain[m->done / 2];
    for (int k = 0; k < f->kernels; k++)
        f->kernel[k].effort.seconds = fastest(m->seconds + k * m->room, m->done);
}

static int measure_phase(struct job *j, const struct data_split *split, int64_t steps, struct profile_phase *f)
{
    const struct device_data data = samples_of(split);
    struct device_error e;
    struct measuring *m = calloc(1, sizeof *m);
    int status = m && profile_kernels(j, f) ? 0 : complain(STATUS_INTERNAL, "out of memory");
    if (status == 0) {
        *m = (struct measuring){.job = j, .phase = f, .samples = split->count, .calls = 1};
        m->room = steps > 0 ? steps : STEPS_MOST;
        m->place = calloc((size_t)j->plan->nkernel, sizeof *m->place);
        m->seconds = calloc((size_t)(m->room * f->kernels), sizeof *m->seconds);
        m->plain = calloc((size_t)m->room, sizeof *m->plain);
        if (!m->place || !m->seconds || !m->plain)
            status = complain(STATUS_INTERNAL, "out of memory");
    }
    for (int k = 0; status == 0 && k < f->kernels; k++)
        m->place[f->kernel[k].kernel] = k;
    if (status == 0 && !j->device->data(j->device, &data, &e))
        status = complain(e.status, "%s", e.text);
    if (status == 0)
        status = measure_steps(m, steps);
    if (status == 0 && m->done > 0)
        settle(m);
    if (m) {
        free(m->place);
        free(m->seconds);
        free(m->plain);
    }
    free(m);
    return status;
}

static struct profile_phase phase_of(const struct job *j, enum phase phase, int64_t samples)
{
    const struct recipe *r = &j->recipe;
    const int64_t batch = phase == PHASE_TRAIN ? r->batch : r->evaluation_batch;
    struct profile_phase f = {.phase = phase, .rows = samples < batch ? samples : batch, .runs = 1};
    if (phase == PHASE_TRAIN && r->micro > 0)
        f.runs = (f.rows + r->micro - 1) / r->micro;
    return f;
}

int profile_measure(struct job *j, int64_t steps, struct profile *p)
{
    const struct data_split *split[] = {[PHASE_TRAIN] = &j->data.train, [PHASE_EVALUATE] = choose_split(j)};
    struct device_error e;
    int status = 0;
    *p = (struct profile){0};
    for (enum phase phase = PHASE_TRAIN; phase <= PHASE_EVALUATE && status == 0; phase++)
        if (split[phase]->count > 0) {
            struct profile_phase *f = &p->phase[p->phases++];
            *f = phase_of(j, phase, split[phase]->count);
            status = measure_phase(j, split[phase], steps, f);
        }
    if (status == 0 && !j->device->peak(j->device, &p->peak, &e)) {
        note("the peaks are not known: %s", e.text);
        p->peak = (struct device_peak){0};
    }
    for (int i = 0; i < p->phases && status == 0; i++)
        profile_compare(&p->peak, &p->phase[i]);
    return status;
}

void profile_free(struct profile *p)
{
    for (int i = 0; i < p->phases; i++) {
        free(p->phase[i].kernel);
        free(p->phase[i].layer);
    }
}

/* ---- what becomes of it ---- */

static void put_json(const struct job *j, const struct profile *p, FILE *out)
{
    json_t *all = profile_json(j, p);
    json_dumpf(all, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(all);
}

static int put_file(const struct job *j, const struct profile *p, const char *path)
{
    struct data_error e;
    struct atomic_file file;
    const char *dot = strrchr(path, '.');
    if (!atomic_open(&file, path, &e))
        return complain(STATUS_DATA, "%s", e.text);
    if (dot && strcmp(dot, ".json") == 0)
        put_json(j, p, file.stream);
    else
        profile_csv(j, p, file.stream);
    return atomic_commit(&file, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

static int put(const struct job *j, const struct profile *p)
{
    const struct options *o = j->options;
    const bool stream = o->output && strcmp(o->output, "-") == 0;
    profile_print(j, p, o->verbose, stream || o->json ? stderr : j->tell.results);
    if (o->json)
        put_json(j, p, stdout);
    if (stream)
        profile_csv(j, p, stdout);
    return o->output && !stream ? put_file(j, p, o->output) : 0;
}

int profile(struct job *j)
{
    const struct options *o = j->options;
    struct profile p = {0};
    if (o->steps > STEPS_MOST)
        return complain(STATUS_USAGE, "--steps %lld: --profile takes up to %d", (long long)o->steps, STEPS_MOST);
    int status = train_prepare(j);
    if (status == 0 && o->output && strcmp(o->output, "-") != 0)
        status = output_spares(j, NULL, o->output);
    if (status == 0)
        status = profile_measure(j, o->steps, &p);
    if (status == 0)
        status = put(j, &p);
    profile_free(&p);
    return status;
}

int profile_own(struct job *j)
{
    struct profile p;
    char path[PATH_MAX];
    if (!j->options->profile || stopped_by())
        return 0;
    int status = profile_measure(j, 0, &p);
    if (status == 0 && !stopped_by()) {
        profile_print(j, &p, j->options->verbose, j->tell.results);
        status = run_path(j->folder, "profile.json", path) ? put_file(j, &p, path) : STATUS_DATA;
    }
    profile_free(&p);
    return status;
}
