/* json_check: reads JSON texts, one after the other, from stdin; says how many, or where they stop being JSON. */
#include <jansson.h>
#include <stdio.h>

int main(void)
{
    int texts = 0;
    for (;;) {
        int c = getchar();
        if (c == '\n' || c == ' ')
            continue;
        if (c == EOF)
            break;
        ungetc(c, stdin);
        json_error_t error;
        json_t *json = json_loadf(stdin, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        if (!json) {
            fprintf(stderr, "json_check: text %d, line %d: %s\n", texts + 1, error.line, error.text);
            return 1;
        }
        json_decref(json);
        texts++;
    }
    printf("%d\n", texts);
    return texts ? 0 : 1;
}
