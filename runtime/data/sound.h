/* sound.h: a WAV or FLAC file as a row of values a channel, through libsndfile. */
#ifndef SOUND_H
#define SOUND_H

#include "format.h"
#include "picture.h"

extern const char sound_formats[]; /* for messages */
bool sound_is(const unsigned char start[DATA_START]);
/* Whole numbers of any width become floats of -1 to 1; floats stay what they are, and have to be finite. A file that ends early is
 * refused. */
picture_reader sound_read;

#endif
