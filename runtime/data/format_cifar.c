/* CIFAR-10, by its names: data_batch_1.bin and so on. */
#include "cifar.h"

#include <string.h>

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    return cifar_read(&(const struct cifar){.labels = 1, .classes = {10}}, from, split, error);
}

/* By its name: any bytes up to 9 may begin it. */
static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    (void)error;
    bool train = strstr(file->name, "data_batch") != NULL;
    *part = train ? TRAIN_SAMPLES : TEST_SAMPLES;
    return train || strstr(file->name, "test_batch") ? DATA_MINE : DATA_NOT_MINE;
}

const struct data_format format_cifar = {
    .name = "CIFAR-10",
    .usual = {[TRAIN_SAMPLES] = "data_batch_1.bin", [TEST_SAMPLES] = "test_batch.bin"},
    .many = true,
    .claim = claim,
    .read = read,
};
