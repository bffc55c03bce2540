/* cifar.h: the binary versions of CIFAR-10 and CIFAR-100: records of label bytes and the red, green and blue planes of a 32 x 32
 * image. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html */
#ifndef CIFAR_H
#define CIFAR_H

#include "format.h"

struct cifar {
    int labels;     /* bytes in front of the image */
    int classes[2]; /* of each of these */
    int which;      /* of them is the label */
};

bool cifar_read(const struct cifar *kind, const struct data_source *from, struct data_split *split,
                struct data_error *error);

#endif
