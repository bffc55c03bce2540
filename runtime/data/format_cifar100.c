/* CIFAR-100: train.bin and test.bin, or the file that `cifar100(file, label)` names. A record begins with its coarse label, one of 20,
 * and its fine one, of 100: the fine one counts unless the word says otherwise. */
#include "cifar.h"

#include "graph/word.h"

#include <string.h>

static bool is_coarse(const struct data_where *where)
{
    return where && where->word && strcmp(where->word->name, "cifar100") == 0 && strcmp(where->text[1], "coarse") == 0;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    const struct cifar kind = {.labels = 2, .classes = {20, 100}, .which = !is_coarse(from->where)};
    return cifar_read(&kind, from, split, error);
}

static const char *names(const struct data_where *where)
{
    return is_coarse(where) ? "coarse_label_names.txt" : "fine_label_names.txt";
}

static bool is_named(const char *name, const char *wanted)
{
    const size_t n = strlen(wanted);
    return strncmp(name, wanted, n) == 0 && (!name[n] || strcmp(name + n, ".gz") == 0);
}

/* By its name, and the labels of the first record. */
static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    const bool train = is_named(file->name, "train.bin"), test = is_named(file->name, "test.bin");
    const bool labels = file->got > 1 && file->start[0] < 20 && file->start[1] < 100;
    (void)error;
    *part = train ? TRAIN_SAMPLES : TEST_SAMPLES;
    return (train || test) && labels ? DATA_MINE : DATA_NOT_MINE;
}

const struct data_format format_cifar100 = {
    .name = "CIFAR-100",
    .usual = {[TRAIN_SAMPLES] = "train.bin", [TEST_SAMPLES] = "test.bin"},
    .word = "cifar100",
    .names = names,
    .claim = claim,
    .read = read,
};
