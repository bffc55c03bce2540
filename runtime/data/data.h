/* Data sets in memory: what a folder of files holds. format.h says what a format is.
 *
 * Every function that takes a `struct data_error` says there, and only when it returns false, which file is wrong,
 * at which byte, and what was expected. */
#ifndef DATA_H
#define DATA_H

#include "base/bounds.h"
#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DATA_MAX_RANK 7
/* More than this in one file, unpacked, is taken for damage. */
#define DATA_MAX_BYTES ((uint64_t)64 << 30)

enum data_type { DATA_U8, DATA_I32, DATA_F32 };

/* One array per sample: its pixels, or its label. All samples lie one after the other, without gaps. */
struct data_field {
    enum data_type type;
    int rank; /* of one sample; a class index has rank 0 */
    int64_t dims[DATA_MAX_RANK];
    uint64_t bytes;        /* of one sample */
    unsigned char *values; /* count * bytes, in the byte order of the machine */
    char *path;            /* where it came from; the first file if there were several */
    uint64_t header;       /* bytes before the first value in that file; 0 if samples and labels take turns in it */
    int rate;              /* of sounds: values a second; 0: they are none */
};

struct data_split {
    int64_t count; /* of samples; 0: the folder has no such files, and the rest is zero */
    /* U8 pixels 0..255 [C, H, W] (rank 2 gets C = 1), or F32 of any shape; sounds are [C, 1, T]. */
    struct data_field sample;
    /* U8 or I32 class index of rank 0, or F32 target of rank 1 and more; masks of classes [H, W]. */
    struct data_field label;
    char **mask;     /* files of the masks, if they are in files of their own, as they are read */
    int64_t masks;   /* how many */
    int64_t *number; /* of each sample in the file, where some were taken out of it; NULL: as it stands here */
    struct data_reader *reader; /* of samples that stay in their files, so that they have no values; or NULL */
    const double *fill;         /* of those: what stands for a NaN, for each of a sample's values; NULL: nothing does */
    struct device_source
        *source; /* who brings samples to the device, from their files (loaders.h) or drawn; NULL: nobody */
};

/* Samples in files of their own: pictures or sounds. */
struct data_files {
    int64_t single, several;        /* of one channel (grey, mono) and of more; all 0: there are none */
    int64_t height[2], width[2];    /* the least and the largest; of sounds 1, and the length */
    int64_t read;                   /* of them: their files, as the cache (picture_cache.h) did not know those */
    int64_t decoded;                /* ... nor their content */
    int64_t damaged;                /* left out, as `skip_damaged` has it */
    struct data_error first_damage; /* of the first of them */
};

struct dataset {
    const char *format;            /* its name for people, such as "IDX" */
    struct data_split train, test; /* same shapes and types, also in the holdout, where they are there; one is */
    struct data_split holdout;     /* to test on while it trains: files of its own, or taken out of the training set */
    int64_t classes;               /* largest class index of both splits + 1; 0 for F32 targets */
    char **class_name;             /* of the first `class_names` classes, from a file beside the data */
    int64_t class_names;           /* 0: they have numbers only; else at least `classes` */
    char **input;                  /* names of a table's columns, in the order of the samples' values */
    int64_t inputs;
    struct data_files files; /* of all splits */
    int rate;                /* of sounds: values a second; 0: they are none */
    int64_t strangers;       /* files beside the samples of classes' folders that are no samples */
    bool synthetic;          /* a file SYNTHETIC beside them says that they were drawn: no results of a real set */
};

/* Will a field do? Asked as soon as shape and type are known, before any value is read or unpacked (values NULL). False with the
 * reason in `error`. */
typedef bool data_fits(const void *wanted, const struct data_field *field, bool label, struct data_error *error);

enum data_target { TARGET_ANY, TARGET_CLASS, TARGET_VALUES };
struct picture_step;
struct device_source;
struct data_reader;
struct data_where;
struct columns;
struct data_wish {
    data_fits *fits; /* NULL: anything will do */
    const void *wanted;
    enum data_target target;         /* what the network's is */
    const struct data_where *where;  /* [DATA_SPLITS] (word.h); NULL: the folder decides */
    const struct picture_step *step; /* transforms of pictures or sounds (word.h), which make the samples */
    int steps;
    bool alone;                    /* each is for files of its kind, and what comes as an array stays as it is */
    bool skip_damaged;             /* a file of its own that is damaged is left out */
    const struct columns *columns; /* what the network makes of those of a table; NULL: its data are none */
    int64_t classes;               /* of a table's target; 0: it is values */
    const char *inputs,
        *class_names; /* of a table, a line each, as the weights know them; NULL: as the data have them */
    bool renews;      /* labels that are not all among those names make names of their own */
    int64_t most;     /* bytes of samples in memory: sets of more stay in their files, or in one that is made; 0: any */
};

/* Gives the next class a name; `path` for messages. */
bool data_name_class(struct dataset *set, const char *name, const char *path, struct data_error *error);
void data_unname(struct dataset *set); /* the classes have no names any more */
/* Names of classes, a line each: of `file`, or if that is NULL of batches.meta.txt, as CIFAR-10 has it, or of classes.txt. In UTF-8, without control characters,
 * cut to 64 bytes; class_names.c. No such file: none. False if they are fewer than `set->classes`, or no text. */
bool data_class_names(const char *folder, const char *file, struct dataset *set, struct data_error *error);

/* Reads all files of a folder, plain or gzip, that are of a format, or those in a folder for each class; one format, or it is
 * refused. Other files are passed over, and X.gz where X is there too. On failure `set` holds nothing. `wish` NULL: none. */
bool data_open(const char *folder, const struct data_wish *wish, struct dataset *set, struct data_error *error);
void data_close(struct dataset *set);

/* Would writing to `path` destroy one of the files that data_open reads? */
bool data_reads(const char *folder, const struct data_wish *wish, const char *path);

/* Training set, test set and holdout in this order. */
enum { DATA_SPLITS = 3 };
static inline const struct data_split *data_split_of(const struct dataset *set, int i)
{
    return i == 0 ? &set->train : i == 1 ? &set->test : &set->holdout;
}

/* The training set, or the test set where there is none. */
static inline const struct data_split *data_first(const struct dataset *set)
{
    return set->train.count ? &set->train : &set->test;
}

/* Something to look at: [C, H, W]. */
bool data_is_image(const struct data_field *field);

/* One class a sample. */
bool data_is_class(const struct data_field *label);
/* A class at each place, MASK_IGNORED where there is none. */
bool data_is_mask(const struct data_field *label);
/* Sample i, from memory or its file. */
bool data_sample(const struct data_split *split, int64_t i, void *to, struct data_error *error);
/* The same where it lies, or in `room`, if it has to be read. NULL: it cannot be. */
const void *data_look(const struct data_split *split, int64_t i, void *room, struct data_error *error);

/* Class index of sample i; the label must have rank 0. */
int64_t data_class(const struct data_split *split, int64_t i);

/* Every class index of the split is below `classes`; the message names the first that is not by file and byte. */
bool data_check_classes(const struct data_split *split, int64_t classes, struct data_error *error);

/* Every value of F32 samples and targets is a finite number; the message names the first that is not by file, byte and
 * sample. */
bool data_check_finite(const struct data_split *split, struct data_error *error);

/* For people: counts, shapes, types, samples per class, mean and standard deviation per channel of the training set
 * (bytes scaled to 0..1, F32 as they are), and the first images drawn in characters. inspect.c */
void inspect_print(const struct dataset *set, FILE *out);
/* Of masks: what share of the places each class has, MASK_IGNORED too. inspect_masks.c */
void masks_shares(const struct data_split *split, double share[]);
void inspect_masks(const struct dataset *set, FILE *out);
/* A mask of height x width classes as a PNG with a palette, as data have it. */
bool mask_save(const char *path, const unsigned char *class, int64_t height, int64_t width, struct data_error *error);
/* A PNG of the first pictures, each with its mask beside it. */
bool masks_sheet(const struct dataset *set, const char *path, FILE *say, struct data_error *error);
/* Of a folder with a table: a line for each column. *is false: it has none, and nothing is said. inspect_table.c */
bool inspect_table(const char *folder, FILE *out, bool *is, struct data_error *error);
const char *data_type_name(enum data_type type); /* "u8" */
/* Samples of each class in each split: [classes][DATA_SPLITS], to be freed; NULL: no memory. */
int64_t *data_class_counts(const struct dataset *set);
/* How many channels a sample has: one, unless it is [C, H, W]; *size: elements of each. */
int64_t data_channels(const struct data_field *sample, int64_t *size);
/* Of one channel of `size` elements, bytes scaled to 0..1. */
void data_channel(const struct data_split *split, int64_t channel, int64_t size, double *mean, double *deviation);
/* A PNG: a row of ten images for each class, 100 classes at most; without classes the first 1000 images. inspect_sheet.c. Says what is
 * in it. False: the samples are no images, or the disk. */
bool inspect_sheet(const struct dataset *set, const char *path, FILE *say, struct data_error *error);

#endif
