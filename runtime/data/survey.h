/* survey.h: which files of a folder are data, of what format, and which part of the set each is. */
#ifndef SURVEY_H
#define SURVEY_H

#include "format.h"

struct names {
    char **name;
    size_t n;
};

/* The files of the one format that a folder holds. */
struct contents {
    const struct data_format *format;
    struct names part[DATA_PARTS];
    /* Of a folder for each class: */
    struct names classes;
    const struct picture_cache *cache; /* looked into for pictures, which then need not be opened; NULL: none */
    int32_t *class[DATA_SPLITS];       /* of the samples of each set */
    int64_t *kept[DATA_SPLITS];        /* their numbers in the cache; -1: not there */
    struct data_error not_told;        /* of the first file with that claim */
    int64_t strangers;                 /* files beside them that are of no format */
    bool masks;                        /* of pictures in images/, whose masks are the labels */
};

extern const char *const part_names[DATA_PARTS]; /* for people: "training samples" */

bool names_append(struct names *list, char *name); /* takes it; false: no memory, or it is NULL */
void names_free(struct names *list);
/* Splits the visible names of the folder into files and subfolders, each in order. */
bool names_list(const char *folder, struct names *files, struct names *folders, struct data_error *error);
/* Which format takes this file; NULL: none, and *claim and `error` are of the one that speaks of it first, if any does. */
const struct data_format *survey_file(const char *name, const char *path, bool told, enum data_part *part,
                                      enum data_claim *claim, struct data_error *error);
char *path_join(const char *folder, const char *name); /* NULL: no memory */

/* tree.c: the same for subfolders that stand for classes; contents->format stays NULL where they do not. */
bool tree_survey(const char *folder, const struct names *folders, struct contents *contents, struct data_error *error);

/* where.c: the same for what the .net file says of each set. */
struct data_where;
bool where_survey(const char *folder, const struct data_where *where, struct contents *contents,
                  struct data_error *error);

/* Needs survey_free, after a failure as well. */
bool survey(const char *folder, struct contents *contents, struct data_error *error);
void survey_free(struct contents *contents);

#endif
