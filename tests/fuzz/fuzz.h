/* fuzz.h: what the targets share. Each is a file fuzz_NAME.c with LLVMFuzzerTestOneInput, which `make fuzz` finds by its name; whatever
 * the bytes are, the reader has to take them or say why not, within the memory that they can stand for. https://llvm.org/docs/LibFuzzer.html */
#ifndef FUZZ_H
#define FUZZ_H

#include "data/data.h"
#include "graph/word.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define FUZZ_FOLDER "/proc/self/fd"

/* The name, within FUZZ_FOLDER, of a file in memory with these bytes. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char name[16];
    if (file < 0) {
        file = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(name, sizeof name, "%d", file);
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, size, 0) != (ssize_t)size)
        abort();
    return name;
}

/* Reads the bytes as the source of data that the word names, its first arguments all the same file. What is read is looked at. */
static inline int fuzz_source(const char *word, int files, const char *last, const uint8_t *bytes, size_t size)
{
    const char *name = fuzz_file(bytes, size);
    struct data_where where[DATA_SPLITS] = {{.word = word_find(WORD_SOURCE, word)}};
    for (int i = 0; i < MAX_WORD_ARGS; i++)
        where[0].text[i] = i < files ? name : i == files ? last : "";
    for (int target = TARGET_ANY; target <= TARGET_VALUES; target++) {
        const struct data_wish wish = {.where = where, .target = (enum data_target)target};
        struct dataset set;
        struct data_error error;
        if (!data_open(FUZZ_FOLDER, &wish, &set, &error))
            continue;
        data_check_finite(&set.train, &error);
        if (set.train.label.rank == 0)
            data_check_classes(&set.train, set.classes, &error);
        volatile unsigned char seen = 0;
        for (uint64_t i = 0; i < (uint64_t)set.train.count * set.train.sample.bytes; i++)
            seen ^= set.train.sample.values[i];
        (void)seen;
        data_close(&set);
    }
    return 0;
}

#endif
