/* markup.h: text of others within HTML and SVG. */
#ifndef MARKUP_H
#define MARKUP_H

#include <stdio.h>

/* Within an element or a quoted attribute: what has a meaning in HTML is escaped; what is no UTF-8, and control characters, become
 * U+FFFD and blanks. NULL: nothing. */
void markup_text(const char *text, FILE *out);
/* The same of so many bytes of printf's text. */
enum { MARKUP_TEXT = 2048 };
void markup_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
