/* What a format of data sets is: one row, `const struct data_format format_NAME`, in a file format_NAME.c of its own. The build
 * lists those files, and data.c asks the rows in the order of their names; nobody else knows a format. */
#ifndef FORMAT_H
#define FORMAT_H

#include "data.h"

enum { DATA_START = 12 };
enum data_part {
    TRAIN_SAMPLES,
    TRAIN_LABELS,
    TEST_SAMPLES,
    TEST_LABELS,
    HOLDOUT_SAMPLES,
    HOLDOUT_LABELS,
    DATA_PARTS,
    DATA_ALL_SAMPLES = DATA_PARTS
};

/* A file of the folder as far as its name and its first bytes, unpacked, tell. */
struct data_file {
    const char *name, *path;
    unsigned char start[DATA_START]; /* zeros behind `got` */
    uint64_t got;                    /* 0 also if it cannot be read */
    bool told;                       /* the .net file says which part it is, so that its name need not */
};

/* DAMAGED: it should be one of them, and `error` says why it is not; it counts if no other format takes the file. NOT_TOLD: it is of
 * the format, but no part of the set by itself, as `error` says; it counts if nothing in the folder is data. */
enum data_claim { DATA_NOT_MINE, DATA_MINE, DATA_DAMAGED, DATA_NOT_TOLD };

/* What a split is read from. */
struct data_source {
    char *const *samples; /* paths, in the order of the names */
    size_t n;             /* of samples: 1 but where parts may be `many` files */
    enum data_part part;  /* TRAIN_SAMPLES, TEST_SAMPLES or HOLDOUT_SAMPLES are asked for */
    const char *labels;   /* NULL: they are in the files of the samples, or ... */
    const int32_t *class; /* ... these are of the samples, from the folders they are in */
    char *const *masks;   /* ... or these files */
    struct data_wish wish;
    const struct data_where *where; /* what the .net file says of this split; NULL: nothing */
    int64_t most;             /* bytes of samples in memory; of more a reader is made (store.h, loaders.h); 0: any */
    struct data_files *files; /* goes on with what is there */
    const struct picture_cache *cache;
    const int64_t *kept;        /* of the samples: numbers in it, -1: not known there */
    struct picture_record *now; /* of the samples: what it will know of them; NULL: it keeps nothing */
    struct dataset *set;        /* names of classes and inputs do, too */
};

struct data_format {
    const char *name;              /* for people: "IDX" */
    const char *usual[DATA_PARTS]; /* names of files to expect; labels NULL: they are in the files of the samples */
    bool many;                     /* several files may be one part */
    const char *word; /* of .net (compiler/ops/sources.c), whose files are of this format whatever they hold; or NULL */
    bool table;       /* of columns: its files are data only where nothing else is */
    const char *(*names)(
        const struct data_where *where); /* a file beside the samples with a name for each class; or NULL */
    /* One of the two. Of files in the folder, or named by the .net file (`told`: *part does not matter); DATA_ALL_SAMPLES: it may be
     * all three of them, and of what is not in it `read` makes an empty split. */
    enum data_claim (*claim)(const struct data_file *file, enum data_part *part, struct data_error *error);
    /* Of files, one a sample, in a folder for each class (tree.c): begins one of them so? `read` applies the transforms. */
    bool (*is)(const unsigned char start[DATA_START]);
    /* ".png .jpg": a file called so is meant to be one, and damaged if it begins otherwise; or NULL. */
    const char *ends;
    bool cached; /* `cache` knows them */
    bool masks;  /* in images/, each with a file of its stem in masks/ */
    /* Everything of `split`, which is zero before; what there is of it is freed by the caller, after a failure as well. */
    bool (*read)(const struct data_source *from, struct data_split *split, struct data_error *error);
};

/* Puts into *part which samples a file's name speaks of (train; t10k, test), and into *label whether it means labels: 1, 0, or -1: it
 * does not tell. False: it tells no part. */
bool data_named(const char *name, enum data_part *part, int *label);

/* For a reader that has type, rank, sizes, bytes and path of a field, before it reads the values: gives images of one plane
 * their channel and targets of one number their rank, and refuses what no network takes, or the one that is `wanted` does not.
 * `samples` of a label are in the split already. */
bool data_head(const struct data_source *from, const struct data_split *split, int64_t count, struct data_field *field,
               struct data_error *error);

extern const struct data_format *const data_formats[]; /* all rows; NULL ends them. survey.c */

/* Puts shape and bytes in their place that the transforms of pictures leave of samples [C, H, W] of bytes; ... transformed.c */
bool data_transformed(const struct data_source *from, struct data_field *field, struct data_error *error);
/* ... and applies them to those that a format has read. */
bool data_transform(const struct data_source *from, struct data_split *split, struct data_error *error);

#endif
