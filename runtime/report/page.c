#include "page.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

static const char style[] = {
#include "page_css.inc"
    0};
static const char script[] = {
#include "page_js.inc"
    0};

/* The browser itself refuses whatever is not in the file. */
static const char policy[] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

void page_begin(const char *title, FILE *out)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"%s\"/>\n<title>",
            policy);
    markup_text(title, out);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
    markup_text(title, out);
    fputs("</h1>\n", out);
}

void page_end(FILE *out)
{
    fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", script);
}

void page_section(const char *id, const char *title, FILE *out)
{
    fprintf(out, "<h2 id=\"%s\">%s</h2>\n", id, title);
}

void page_contents(const char *const *id, const char *const *title, int n, FILE *out)
{
    fputs("<nav aria-label=\"contents\">\n", out);
    for (int i = 0; i < n; i++)
        fprintf(out, "<a href=\"#%s\">%s</a>\n", id[i], title[i]);
    fputs("</nav>\n", out);
}

/* ---- tables ---- */

void page_row(const char *name, const char *value, FILE *out)
{
    fputs("<tr><th>", out);
    markup_text(name, out);
    fputs("</th><td>", out);
    markup_text(value, out);
    fputs("</td></tr>\n", out);
}

void page_cell(const char *text, FILE *out)
{
    fputs("<td>", out);
    markup_text(text, out);
    fputs("</td>", out);
}

void page_number(double value, const char *text, FILE *out)
{
    if (isnan(value)) {
        fputs("<td class=\"n\">-</td>", out);
        return;
    }
    fprintf(out, "<td class=\"n\" data-v=\"%.9g\">", value);
    markup_text(text, out);
    fputs("</td>", out);
}

void page_head(const char *const *name, const char *align, FILE *out)
{
    fputs("<thead><tr>", out);
    for (int i = 0; name[i]; i++) {
        fprintf(out, "<th%s scope=\"col\">", align[i] == 'n' ? " class=\"n\"" : "");
        markup_text(name[i], out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n", out);
}

/* ---- pictures ---- */

void page_base64(const unsigned char *bytes, size_t n, FILE *out)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i < 3 ? n - i : 3;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < left ? bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            fputc(k <= left ? digit[word >> (18 - 6 * k) & 63] : '=', out);
    }
}

void page_picture(const struct picture *p, const char *alt, const char *caption, FILE *out)
{
    fprintf(out, "<figure class=\"sheet\"><img width=\"%lld\" height=\"%lld\" alt=\"", (long long)p->width,
            (long long)p->height);
    markup_text(alt, out);
    fputs("\" src=\"data:image/png;base64,", out);
    page_base64(p->png, p->bytes, out);
    fputs("\"/><figcaption>", out);
    markup_text(caption, out);
    fputs("</figcaption></figure>\n", out);
}
