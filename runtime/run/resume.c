/* resume.c: taking up a run that was stopped, or killed. */
#include "base/atomic_file.h"
#include "keep.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files that a killed process was writing. The run is ours alone, so nobody writes them any more. */
static void remove_leftovers(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (atomic_is_temporary(entry->d_name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

/* The folder: the one that is named, or that of the run which was started or resumed last. */
static int find(struct job *j)
{
    const char *run = j->options->resume, *runs = j->options->runs, *net = j->plan ? j->plan->net : NULL;
    bool last = strcmp(run, "last") == 0;
    if (last ? run_newest(runs, net, false, j->folder) : run_named(runs, run, j->folder))
        return 0;
    if (last)
        return complain(STATUS_DATA, "%s/: no run of %s%s to resume", runs, net ? "net " : "any net", net ? net : "");
    return complain(STATUS_DATA, "%s: no run of that name, neither here nor in %s/; --resume last takes the newest",
                    run, runs);
}

static int take_plan(struct job *j)
{
    char path[PATH_MAX];
    struct plan *plan = run_path(j->folder, "model.plan", path) ? plan_open(path) : NULL;
    if (!plan)
        return STATUS_DATA;
    int status = j->plan ? changed_network(j, plan, j->plan) : 0;
    plan_free(j->plan);
    j->plan = plan;
    return status;
}

static int take_checkpoint(struct job *j)
{
    struct recall r;
    if (!pair_there(j->folder))
        return complain(STATUS_DATA,
                        "%s: the run ended before its first checkpoint; start it anew, or name another: "
                        "--resume RUN",
                        j->folder);
    int status = pair_settle(j->folder, &j->from);
    if (status)
        return status;
    status = checkpoint_recall(j->from.optimizer, j->plan, &r);
    j->synthetic_weights = r.synthetic;
    if (status == 0)
        status = overrides_resume(j, &r);
    free(r.settings);
    return status;
}

int run_recall(struct job *j)
{
    int status = find(j);
    if (status == 0)
        status = take_plan(j);
    if (status == 0)
        status = run_lock(j);
    if (status)
        return status;
    remove_leftovers(j->folder);
    status = take_checkpoint(j);
    if (status == 0)
        run_stays(j);
    return status || j->options->folder ? status : run_data(j);
}

int run_take_up(struct job *j)
{
    int status = j->altered ? pair_save(j) : 0;
    return status ? status : run_settings_write(j);
}
