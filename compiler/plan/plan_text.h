/* plan_text.h: what the writer and the reader of plan files share: words, names. */
#ifndef PLAN_TEXT_H
#define PLAN_TEXT_H

#include "plan.h"

enum { MOST_SCHEDULES = MOST_TARGETS * PHASE_COUNT };

/* Indexed by the enums of plan.h. */
extern const char *const dtype_word[DT_COUNT];
extern const char *const role_word[ROLE_COUNT];
extern const char *const init_word[INIT_COUNT];
extern const char *const phase_word[PHASE_COUNT];

/* Names of tensors and keys: 1 to MAX_TENSOR_NAME of A-Z a-z 0-9 _ . : @ + - so that they can stand in a comment of emitted
 * code. Identifiers, for nets and kernels, are C's. */
bool plan_name_valid(const char *name);
bool plan_identifier_valid(const char *name);

#endif
