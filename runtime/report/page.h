/* page.h: a page of HTML that is one file: style, script and pictures are in it, and it asks no network for anything.
 * Every text from outside goes through markup_text. */
#ifndef PAGE_H
#define PAGE_H

#include "base/markup.h"
#include "data/sheet.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Up to <body>; the title is also the heading. page_end closes what it opens. */
void page_begin(const char *title, FILE *out);
void page_end(FILE *out);
void page_section(const char *id, const char *title, FILE *out); /* a heading that page_contents can lead to */
void page_contents(const char *const *id, const char *const *title, int n, FILE *out);

/* <tr> of two cells, the first a head. */
void page_row(const char *name, const char *value, FILE *out);
void page_cell(const char *text, FILE *out);                           /* <td> */
void page_number(double value, const char *text, FILE *out);           /* <td> that is sorted by the value; NaN: "-" */
void page_head(const char *const *name, const char *align, FILE *out); /* <thead>, NULL ends; align: 'l' or 'n' each */

/* <figure> of the picture, `alt` said to those who do not see it, and what one sees below it. */
void page_picture(const struct picture *p, const char *alt, const char *caption, FILE *out);
void page_base64(const unsigned char *bytes, size_t n, FILE *out); /* RFC 4648, with padding */

#endif
