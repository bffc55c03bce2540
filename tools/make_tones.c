/* Makes a data set of sounds: four words of a whistled language, WAV and FLAC of many lengths in a folder for each word, so that whoever
 * has recordings of his own can see how they have to lie. All words have the same pitches: what tells them apart is how these move. */
#include "drawing.h"

#include <math.h>
#include <sndfile.h>

enum { WORDS = 4, RATE = 8000, LEAST = 2400, MOST = 5600 };
static const char *const word_name[WORDS] = {"down", "flat", "twice", "up"};

/* Octaves above the word's pitch, and loudness, at a moment 0..1 of the word. */
static double bend(int word, double at)
{
    return word == 0 ? 0.5 - at : word == 3 ? at - 0.5 : 0;
}

static double loudness(int word, double at)
{
    double end = fmin(1, fmin(at, 1 - at) * 12); /* softly on, and off */
    double gap = fmin(1, fmax(0, fabs(at - 0.5) - 0.08) * 12);
    return word == 2 ? end * gap : end;
}

/* A tone with two overtones, somewhere in the noise. Returns the length. */
static int whistle(int word, struct random *r, float *value)
{
    static const double pi = 3.14159265358979323846;
    const int length = (int)between(r, LEAST, MOST), sounding = (int)(length * between(r, 0.6, 0.9));
    const int first = (int)between(r, 0, length - sounding);
    const double pitch = between(r, 400, 900), loud = between(r, 0.15, 0.6), noise = between(r, 0.01, 0.1);
    const double tint[2] = {between(r, 0, 0.5), between(r, 0, 0.3)};
    double phase = 0;
    for (int i = 0; i < length; i++) {
        double at = (double)(i - first) / sounding, x = noise * between(r, -1, 1);
        if (at >= 0 && at < 1) {
            phase += 2 * pi * pitch * exp2(bend(word, at)) / RATE;
            x += loud * loudness(word, at) * (sin(phase) + tint[0] * sin(2 * phase) + tint[1] * sin(3 * phase)) / 1.8;
        }
        value[i] = (float)x;
    }
    return length;
}

static bool make(const char *path, int word, uint32_t number, struct random *r)
{
    static float value[MOST];
    SF_INFO info = {
        .samplerate = RATE, .channels = 1, .format = (number % 2 ? SF_FORMAT_FLAC : SF_FORMAT_WAV) | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file)
        return false;
    const int length = whistle(word, r, value);
    bool ok = sf_writef_float(file, value, length) == length;
    return sf_close(file) == 0 && ok;
}

static const struct drawing tones = {
    .program = "make_tones",
    .usage =
        "usage: make_tones DIR [--train N] [--test N] [--seed S]\n"
        "\n"
        "Whistles the words down, flat, twice and up into DIR/train/WORD and DIR/test/WORD, WAV and FLAC in turn.\n"
        "\n"
        "  --train N  sounds of each word (200)\n"
        "  --test N   the same (50)\n"
        "  --seed S   other sounds (1)\n",
    .mark = "Words whistled by make_tones: do not compare accuracies.\n",
    .class_name = word_name,
    .classes = WORDS,
    .count = {200, 50},
    .ending = {"wav", "flac"},
    .make = make,
};

int main(int argc, char **argv)
{
    return draw_folders(&tones, argc, argv);
}
