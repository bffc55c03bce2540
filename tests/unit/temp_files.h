/* Files that a test makes for itself: in a folder of its own, which is the state of the test and goes with it. Include
 * after cmocka.h. */
#ifndef TEMP_FILES_H
#define TEMP_FILES_H

#include <dirent.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp {
    char folder[64];
    char path[256]; /* of the file named last */
};

static inline int temp_open(void **state)
{
    struct temp *temp = calloc(1, sizeof *temp);
    strcpy(temp->folder, "/tmp/netc-test-XXXXXX");
    *state = temp;
    return mkdtemp(temp->folder) ? 0 : -1;
}

static inline const char *temp_path(struct temp *temp, const char *name)
{
    snprintf(temp->path, sizeof temp->path, "%s/%s", temp->folder, name);
    return temp->path;
}

/* Number of files, hidden ones too. */
static inline int temp_count(const struct temp *temp)
{
    int count = 0;
    DIR *stream = opendir(temp->folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (stream)
        closedir(stream);
    return count;
}

static inline int temp_remove(const char *path, const struct stat *s, int kind, struct FTW *walk)
{
    (void)s, (void)kind, (void)walk;
    return remove(path);
}

static inline int temp_close(void **state)
{
    struct temp *temp = *state;
    const int failed = nftw(temp->folder, temp_remove, 4, FTW_DEPTH | FTW_PHYS);
    free(temp);
    return failed;
}

static inline const char *temp_write(struct temp *temp, const char *name, const void *data, size_t size)
{
    FILE *stream = fopen(temp_path(temp, name), "wb");
    assert_non_null(stream);
    if (size)
        assert_int_equal(fwrite(data, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    return temp->path;
}

/* The whole file, to be freed. */
static inline unsigned char *temp_read(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    fseek(stream, 0, SEEK_END);
    *size = (size_t)ftell(stream);
    rewind(stream);
    unsigned char *data = malloc(*size + 1);
    assert_int_equal(fread(data, 1, *size, stream), *size);
    fclose(stream);
    return data;
}

#define assert_contains(text, piece)                                                                                   \
    do {                                                                                                               \
        if (!strstr(text, piece))                                                                                      \
            fail_msg("expected \"%s\" in \"%s\"", piece, text);                                                        \
    } while (0)

#endif
