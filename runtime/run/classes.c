/* classes.c: the names of classes travel with the weights: a network that has learnt `cat` says so without its data. */
#include "keep.h"

#include "data/safetensors.h"

#include <stdlib.h>
#include <string.h>

const char checkpoint_classes_key[] = "classes";

/* No name holds a control character. */
char *classes_text(const struct dataset *set)
{
    size_t size = 1;
    for (int64_t i = 0; i < set->class_names; i++)
        size += strlen(set->class_name[i]) + 1;
    char *text = malloc(size), *at = text;
    for (int64_t i = 0; text && i < set->class_names; i++)
        at += sprintf(at, "%s%s", i ? "\n" : "", set->class_name[i]);
    if (text)
        *at = '\0';
    return text;
}

static int take(struct job *j, const char *text)
{
    struct data_error e;
    const int64_t most = samples_classes(j->plan);
    char *copy = strdup(text), *rest = copy;
    bool good = copy || data_fail(&e, "out of memory");
    for (char *name; good && j->data.class_names < most && (name = strsep(&rest, "\n"));)
        good = data_name_class(&j->data, name, j->weights, &e);
    free(copy);
    return good ? 0 : complain(STATUS_DATA, "%s", e.text);
}

/* Class i of the data may be another one than that of the weights. */
static void compare(struct job *j, const char *text)
{
    for (int64_t i = 0; i < j->data.class_names && text; i++) {
        size_t length = strcspn(text, "\n");
        const char *name = j->data.class_name[i];
        if (strlen(name) != length || strncmp(name, text, length) != 0) {
            warn(&j->tell, "class %lld of the data is `%s`, but of the weights %s it is `%.*s`", (long long)i, name,
                 j->weights, (int)length, text);
            return;
        }
        text = text[length] ? text + length + 1 : NULL;
    }
}

int classes_take(struct job *j)
{
    struct st_file f;
    struct data_error e;
    if (!st_open(j->weights, &f, &e))
        return complain(STATUS_DATA, "%s", e.text);
    const char *text = st_metadata(&f, checkpoint_classes_key);
    int status = 0;
    if (text && j->data.class_names > 0)
        compare(j, text);
    else if (text)
        status = take(j, text);
    st_free(&f);
    return status;
}
