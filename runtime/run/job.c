/* job.c: what a job holds, given back. */
#include "run.h"

void job_close(struct job *j)
{
    bar_clear();
    if (j->metrics)
        fclose(j->metrics);
    if (j->tell.table)
        fclose(j->tell.table);
    board_close(j);
    measures_close(j);
    parameters_close(j);
    teach_end(j);
    for (int i = 0; i < DATA_SPLITS; i++)
        weigh_free(&j->weighed[i]);
    if (j->device)
        j->device->close(j->device);
    samples_close(&j->data);
    plan_free(j->plan);
}
