/* fault.h: where values were first not finite, in a run whose loss is not. */
#ifndef FAULT_H
#define FAULT_H

#include "layer.h"
#include "tell/tell.h"

struct job;
struct data_split;

enum { FAULT_SAMPLES = 8, FAULT_TEXT = 640 };

struct fault {
    struct finding found; /* kind NULL: nothing was found */
    bool weights;         /* they were not finite before the run */
    char layer[LAYER_TEXT], text[FAULT_TEXT];
    int64_t sample[FAULT_SAMPLES];
};

/* Makes the run once more, kernel by kernel, and looks at all that lies in memory. `control` and the data that the device reads are
 * those of the run; `split` is these data. Nothing that persists changes, since the loss is not finite. Says nothing itself:
 * f->text is for behind a message, "FILE:LINE: ...", "" if nothing was found or there is no memory to look. */
void fault_find(struct job *j, enum phase ph, const uint32_t control[CTL_WORDS], const struct data_split *split,
                struct fault *f);

#endif
