/* Emitted source kept for reading: --emit-dir. */
#ifndef KEEP_SOURCE_H
#define KEEP_SOURCE_H

#include "device.h"

enum { STEM_ROOM = 64 };

/* A file name of the net's name, which may come from a stranger's plan: what is no letter or digit becomes _. */
void source_stem(char stem[STEM_ROOM], const char *net);
/* Writes folder/<stem of net><suffix>; makes the folder. Status 4 if that fails. */
bool keep_source(const char *folder, const char *net, const char *suffix, const char *text, size_t length,
                 struct device_error *e);

#endif
