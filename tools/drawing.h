/* drawing.h: what the programs share that make a folder for each class: DIR/train/CLASS/000000.png and so on. Deterministic: file i of a
 * class depends on the seed and i. */
#ifndef DRAWING_H
#define DRAWING_H

#include <stdbool.h>
#include <stdint.h>

/* Random numbers of one file. */
struct random {
    uint32_t key[2], counter[4], word[4];
    int used;
};

double between(struct random *r, double low, double high);

struct drawing {
    const char *program, *usage, *mark; /* mark: of the file SYNTHETIC, by which netrun knows that they are drawn */
    const char *const *class_name;
    int classes;
    uint32_t count[2];     /* of each class, training and test, unless told otherwise */
    const char *ending[2]; /* of files with even and odd numbers */
    /* False: it cannot be written; errno may say why. */
    bool (*make)(const char *path, int class, uint32_t number, struct random *r);
};

/* The command, with --train, --test and --seed. Returns its exit status. */
int draw_folders(const struct drawing *d, int argc, char **argv);

#endif
