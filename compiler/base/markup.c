#include "markup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

/* Bytes of the character that begins there, 0: it is none. RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. */
static int character(const unsigned char *c)
{
    int n = c[0] < 0x80                   ? 1
            : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
            : (c[0] & 0xf0) == 0xe0       ? 3
            : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
                                          : 0;
    for (int i = 1; i < n; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
               (c[0] == 0xf4 && c[1] > 0x8f);
    return bad ? 0 : n;
}

void markup_text(const char *text, FILE *out)
{
    static const char marked[] = "&<>\"'";
    static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (const unsigned char *c = (const unsigned char *)(text ? text : ""); *c;) {
        const char *mark = strchr(marked, *c);
        int n = character(c);
        if (mark)
            fputs(escaped[mark - marked], out);
        else if (n == 1)
            fputc((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f ? ' ' : *c, out);
        else if (n > 1)
            fwrite(c, 1, (size_t)n, out);
        else
            fputs("\xef\xbf\xbd", out);
        c += n ? n : 1;
    }
}

void markup_print(FILE *out, const char *format, ...)
{
    char text[MARKUP_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    markup_text(text, out);
}
