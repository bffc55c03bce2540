/* classes.c: the names of classes travel with the weights: a network that has learnt `cat` says so without its data. So does the sample
 * rate of sounds, as at another one the same values mean something else. */
#include "keep.h"

#include "data/safetensors.h"

#include <stdlib.h>
#include <string.h>

const char checkpoint_classes_key[] = "classes", checkpoint_inputs_key[] = "inputs";
const char checkpoint_rate_key[] = "sample_rate";

/* No name holds a control character. */
char *names_text(char *const *name, int64_t n)
{
    size_t size = 1;
    for (int64_t i = 0; i < n; i++)
        size += strlen(name[i]) + 1;
    char *text = malloc(size), *at = text;
    for (int64_t i = 0; text && i < n; i++)
        at += sprintf(at, "%s%s", i ? "\n" : "", name[i]);
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

int rate_differs(const char *path, int rate, const struct job *j)
{
    return complain(STATUS_DATA,
                    "%s: %d values a second, but the weights %s have learnt sounds of %d; expected one sample rate",
                    path, rate, j->weights, j->data.rate);
}

static int take_rate(struct job *j, const char *text)
{
    char *end;
    const long rate = strtol(text, &end, 10), own = j->data.rate;
    if (*end || rate <= 0 || rate > INT32_MAX)
        return complain(STATUS_DATA, "%s: %s `%.20s`; expected a number", j->weights, checkpoint_rate_key, text);
    j->data.rate = (int)rate;
    return own && own != rate ? rate_differs(data_first(&j->data)->sample.path, (int)own, j) : 0;
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
    if (status == 0 && (text = st_metadata(&f, checkpoint_rate_key)))
        status = take_rate(j, text);
    st_free(&f);
    return status;
}
