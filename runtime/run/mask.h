/* mask.h: what a network that tells the class of each place says of one picture, as a mask in a file. */
#ifndef MASK_H
#define MASK_H

#include "answers.h"
#include "asked.h"

/* --predict PICTURE --output FILE.png of such a network. */
bool mask_wanted(const struct job *j);
/* Refuses a file that is read, and more than one sample. */
int mask_check(const struct job *j, const struct asked *asked);
/* Writes it, and says what share of the places each class has. The classes are the largest of an output's values: [classes, H, W]. */
int mask_write(const struct answer *a, const struct job *j);

#endif
