/* layer.h: parts of a plan as its .net file calls them. Pure functions of the plan; all texts are cut to their buffers. */
#ifndef LAYER_H
#define LAYER_H

#include "plan/plan.h"

enum { LAYER_TEXT = 96 };

/* "conv1", "stage1.0.bn1" for what has parameters; "ReLU behind conv1" for what has none; "" if it is behind nothing. */
const char *layer_of_stage(const struct plan *p, int kernel, int stage, char text[LAYER_TEXT]);
/* "conv1" of its parameter "conv1.weight". */
const char *layer_of_param(const char *name, char text[LAYER_TEXT]);
/* The stage of a schedule that makes a tensor, or what the tensor is another shape of; kernel -1: none does. */
struct maker {
    int kernel, stage;
};
struct maker layer_maker(const struct plan *p, const struct schedule *s, int tensor);
/* Line `line` of the .net file without its comment and the arrow it begins with; "" if there is none. */
const char *layer_line(const struct plan *p, int64_t line, char text[LAYER_TEXT]);
/* The line that sets "train.optimizer.lr": of the entry `optimizer`, or of `optimizer.lr`, which changes it; 0: none does. */
int64_t layer_setting(const struct plan *p, const char *key);

#endif
