#include "report.h"
#include "base/options.h"
#include "page.h"

#include <string.h>

static const struct part {
    const char *id, *title;
    void (*put)(const struct report *r, FILE *out);
} part[] = {
    {"curves", "Curves", report_curves},
    {"layers", "Layers", report_layers},
    {"memory", "Memory plan", report_memory},
    {"classes", "Classes that are confused", report_classes},
    {"worst", "The surest mistakes", report_worst},
    {"filters", "Filters of the first layer", report_filters},
    {"images", "Training data as the network sees them", report_images},
    {"settings", "Settings", report_settings},
};
enum { PARTS = sizeof part / sizeof *part, MOST_SOURCE = 100000 };

void report_nothing(const char *why, FILE *out)
{
    fputs("<p class=\"soft\">", out);
    markup_text(why && *why ? why : "There is nothing to show here.", out);
    fputs("</p>\n", out);
}

const char *report_class(const struct dataset *data, int64_t class, char text[80])
{
    if (data && class >= 0 && class < data->class_names)
        snprintf(text, 80, "%s", data->class_name[class]);
    else
        snprintf(text, 80, "%lld", (long long)class);
    return text;
}

/* ---- settings ---- */

static void put_value(const json_t *value, char *text, size_t size)
{
    *text = '\0';
    if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else if (json_is_number(value))
        snprintf(text, size, "%.9g", json_number_value(value));
    else if (json_is_boolean(value))
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
    const size_t n = json_array_size(value), most = n < 20 ? n : 20;
    for (size_t i = 0; i < most; i++) {
        const json_t *one = json_array_get(value, i);
        if (json_is_string(one))
            text_append(text, size, "%s%s", i ? " " : "", json_string_value(one));
        else
            text_append(text, size, "%s%.9g", i ? ", " : "", json_number_value(one));
    }
    if (n > most)
        text_append(text, size, " and %zu more", n - most);
}

/* What is an object is shown by the table below it. */
static void put_settings(const char *title, const json_t *all, FILE *out)
{
    const char *key;
    json_t *value;
    char text[MARKUP_TEXT];
    fprintf(out, "<h3>%s</h3>\n<div class=\"scroll\"><table><tbody>\n", title);
    json_object_foreach((json_t *)all, key, value)
    {
        const bool listed = json_is_array(value) && json_is_object(json_array_get(value, 0));
        if (json_is_object(value) || json_is_null(value) || listed)
            continue;
        put_value(value, text, sizeof text);
        page_row(key, text, out);
    }
    fputs("</tbody></table></div>\n", out);
}

static void put_resumed(const json_t *all, FILE *out)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(all, "resumed"), i, one)
    {
        char text[MARKUP_TEXT];
        put_value(json_object_get(one, "command"), text, sizeof text);
        fprintf(out, "<p>Resumed after step %lld: <code>", (long long)json_integer_value(json_object_get(one, "step")));
        markup_text(text, out);
        fputs("</code></p>\n", out);
    }
}

void report_settings(const struct report *r, FILE *out)
{
    if (!r->settings)
        report_nothing("The run has no settings.json.", out);
    else {
        put_settings("Of the network and its training", json_object_get(r->settings, "settings"), out);
        put_settings("Of the run", r->settings, out);
        put_settings("Versions", json_object_get(r->settings, "versions"), out);
        put_resumed(r->settings, out);
    }
    if (r->plan->source && *r->plan->source) {
        const size_t size = strlen(r->plan->source);
        char text[MOST_SOURCE];
        snprintf(text, sizeof text, "%s", r->plan->source);
        fputs("<h3>The model</h3>\n<pre>", out);
        markup_text(text, out);
        fputs(size < sizeof text ? "</pre>\n" : "</pre>\n<p class=\"soft\">And so on: model.net has all of it.</p>\n",
              out);
    }
}

/* ---- the page ---- */

static void put_head(const struct report *r, FILE *out)
{
    const json_t *synthetic = json_object_get(r->settings, "synthetic");
    fputs("<p>", out);
    for (const char *line = r->summary; line && *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        char text[MARKUP_TEXT];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
        markup_text(text, out);
        fputs("<br/>\n", out);
    }
    markup_print(out, "%s%s", r->summary ? "" : "The run has not ended. ", r->folder);
    fputs("</p>\n", out);
    if (json_is_true(synthetic))
        fputs("<p class=\"warn\">The data are SYNTHETIC: made up, so that results say nothing of a real set.</p>\n",
              out);
    for (size_t i = 0; i < r->history->warnings; i++) {
        fputs("<p class=\"warn\">", out);
        markup_print(out, "Warning: %s", r->history->warning[i]);
        fputs("</p>\n", out);
    }
}

void report_write(const struct report *r, FILE *out)
{
    const char *id[PARTS], *title[PARTS];
    for (int i = 0; i < PARTS; i++) {
        id[i] = part[i].id;
        title[i] = part[i].title;
    }
    page_begin(r->name, out);
    put_head(r, out);
    page_contents(id, title, PARTS, out);
    for (int i = 0; i < PARTS; i++) {
        page_section(part[i].id, part[i].title, out);
        part[i].put(r, out);
    }
    fprintf(out, "<footer>netrun %s. This file is whole: it needs no other, and no network.</footer>\n",
            PROJECT_VERSION);
    page_end(out);
}
