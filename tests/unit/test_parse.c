/* test_parse.c: from text to tree to graph and settings, and the messages on the way. */
#include "netc/compile.h"
#include "front/override.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct compiled {
    struct region *region;
    struct diag diag;
    char *said; /* what was printed */
    size_t length;
    struct ast_file *tree;
    struct model model;
    struct graph *graph;
};

static void start(struct compiled *c, const char *text)
{
    *c = (struct compiled){.region = region_new()};
    FILE *out = open_memstream(&c->said, &c->length);
    c->diag = (struct diag){.file = "t.net", .text = text, .out = out, .region = c->region};
    c->tree = parse(text, strlen(text), &c->diag, c->region);
}

static void finish(struct compiled *c)
{
    diag_flush(&c->diag);
    fclose(c->diag.out);
}

static void drop(struct compiled *c)
{
    free(c->said);
    region_free(c->region);
}

static void compile(struct compiled *c, const char *text, enum phase phase, struct define *define)
{
    start(c, text);
    if (c->tree && !c->diag.errors)
        c->graph = build(c->tree, phase, define, define ? 1 : 0, &c->model, &c->diag, c->region);
    finish(c);
}

static const char *const network =
    "net blocks\n"
    "param width = 4 * 2\n"
    "input  image : f32[3, 8, 8]\n"
    "target label : class[10]\n"
    "block keep(channels) {\n"
    "    input x\n"
    "    y = x\n"
    "        -> conv1: Conv(channels, kernel = 3, pad = 1, bias = false)\n"
    "        -> ReLU\n"
    "        -> Conv(channels, 3, pad = 1, bias = false)\n"
    "    out = x + y -> ReLU\n"
    "    output out\n"
    "}\n"
    "stem = image -> conv0: Conv(width, kernel = 3, pad = 1, bias = false)\n"
    "logits = stem -> stage1: repeat(2, keep(width)) -> keep(channels = width) -> Flatten -> Linear(10, bias = false)\n"
    "output logits\n"
    "data { transform = [Scale(1/255)] }\n"
    "train {\n"
    "    loss = CrossEntropy(logits, label)\n"
    "    optimizer = SGD(0.1, momentum = 0.9)\n"
    "    optimizer.lr = 0.01\n"
    "    schedule = Step(every = 1)\n"
    "}\n";

static void round_trip(void **state)
{
    (void)state;
    char *printed[2] = {NULL, NULL};
    const char *text = network;
    for (int i = 0; i < 2; i++) {
        struct compiled c;
        size_t length;
        start(&c, text);
        FILE *out = open_memstream(&printed[i], &length);
        ast_print(c.tree, out);
        fclose(out);
        finish(&c);
        assert_int_equal(c.diag.errors, 0);
        drop(&c);
        text = printed[i];
    }
    assert_string_equal(printed[0], printed[1]);
    free(printed[0]);
    free(printed[1]);
}

static void numbers_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
        bool percent;
    } rows[] = {
        {"3", 3, false},       {".5", 0.5, false},         {"1e-3", 1e-3, false},       {"80%", 80 * 0.01, true},
        {"8KiB", 8192, false}, {"1.5MiB", 1572864, false}, {"8GiB", 8589934592, false},
    };
    for (int i = 0; i < COUNT(rows); i++) {
        struct compiled c;
        char text[40];
        snprintf(text, sizeof text, "net t\nparam a = %s\n", rows[i].text);
        start(&c, text);
        finish(&c);
        assert_string_equal(c.said, "");
        const struct ast *value = c.tree->decl[0].value;
        assert_true(value->number == rows[i].number && value->percent == rows[i].percent);
        drop(&c);
    }
}

static void parentheses_survive(void **state)
{
    (void)state;
    struct compiled c;
    start(&c, "net t\nparam a = (1 + 2) * -(3 - (4 - 5)) / (6 / 7)\nb = (x -> ReLU) + y -> Tanh\n");
    char *printed;
    size_t length;
    FILE *out = open_memstream(&printed, &length);
    ast_print(c.tree, out);
    fclose(out);
    assert_non_null(strstr(printed, "param a = (1 + 2) * -(3 - (4 - 5)) / (6 / 7)\n"));
    assert_non_null(strstr(printed, "b = (x\n        -> ReLU) + y\n        -> Tanh\n"));
    free(printed);
    finish(&c);
    drop(&c);
}

static void parameters_have_the_names_of_pytorch(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "conv0.weight",           "stage1.0.conv1.weight", "stage1.0.conv_1.weight", "stage1.1.conv1.weight",
        "stage1.1.conv_1.weight", "keep_1.conv1.weight",   "keep_1.conv_1.weight",   "linear_2.weight",
    };
    struct compiled c;
    compile(&c, network, PHASE_TRAIN, NULL);
    assert_string_equal(c.said, "");
    assert_non_null(c.graph);
    assert_non_null(c.graph->loss);
    int n = 0;
    for (int i = 0; i < c.graph->nvalue; i++) {
        if (c.graph->value[i]->t.role != ROLE_PARAM)
            continue;
        assert_true(n < COUNT(expected));
        assert_string_equal(c.graph->value[i]->t.name, expected[n++]);
    }
    assert_int_equal(n, COUNT(expected));
    drop(&c);
}

static void prediction_knows_no_target(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, network, PHASE_PREDICT, NULL);
    assert_non_null(c.graph);
    assert_null(c.graph->loss);
    assert_int_equal(c.graph->noutput, 1);
    for (int i = 0; i < c.graph->nvalue; i++)
        assert_int_not_equal(c.graph->value[i]->t.role, ROLE_TARGET);
    drop(&c);
}

static const struct setting *setting(const struct compiled *c, const char *key)
{
    for (int i = 0; i < c->model.nsetting; i++)
        if (strcmp(c->model.setting[i].key, key) == 0)
            return &c->model.setting[i];
    fail_msg("no setting %s", key);
    return NULL;
}

static void settings_hold_entries_and_defaults(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c, network, PHASE_TRAIN, NULL);
    assert_string_equal(setting(&c, "train.loss")->text, "CrossEntropy");
    assert_true(setting(&c, "train.loss")->graph);
    assert_true(setting(&c, "train.optimizer.lr")->num[0] == 0.01);
    assert_false(setting(&c, "train.optimizer.lr")->graph);
    assert_true(setting(&c, "train.optimizer.momentum")->graph);
    assert_true(setting(&c, "train.schedule.gamma")->num[0] == 0.1);
    assert_true(setting(&c, "data.transform.0.factor")->num[0] == 1.0 / 255);
    assert_true(setting(&c, "train.epochs")->num[0] == 1);
    assert_true(setting(&c, "train.batch")->num[0] == 64);
    assert_true(setting(&c, "train.evaluation_batch")->num[0] == 1000);
    assert_true(setting(&c, "data.shuffle")->num[0] == 1);
    assert_string_equal(c.model.optimizer->name, "SGD");
    drop(&c);
}

static void settings_can_be_overridden(void **state)
{
    (void)state;
    static const struct {
        const char *assignment;
        bool good;
        const char *why;
    } t[] = {
        {"train.epochs=3", true, ""},
        {"train.optimizer.lr = 1/8", true, ""},
        {"train.batch=auto", true, ""},
        {"train.batch=12", true, ""},
        {"data.shuffle=false", true, ""},
        {"train.epoch=3", false, "did you mean `train.epochs`?"},
        {"lr=3", false, "did you mean `train.optimizer.lr`?"},
        {"train.epochs=2.5", false, "an integer from 1"},
        {"train.epochs=", false, "an integer from 1"},
        {"train.epochs=3)", false, "an integer from 1"},
        {"train.epochs", false, "KEY=VALUE"},
        {"train.optimizer.momentum=0", false, "give that with -D train."},
        {"train.loss=MSE", false, "give that with -D train."},
    };
    struct compiled c;
    compile(&c, network, PHASE_TRAIN, NULL);
    struct plan p = {.setting = c.model.setting, .nsetting = c.model.nsetting, .region = c.region};
    for (int i = 0; i < COUNT(t); i++) {
        char why[200] = "";
        bool good = setting_override(&p, t[i].assignment, why, sizeof why);
        assert_int_equal(good, t[i].good);
        if (!strstr(why, t[i].why))
            fail_msg("%s: %s", t[i].assignment, why);
    }
    assert_true(setting(&c, "train.epochs")->num[0] == 3);
    assert_true(setting(&c, "train.optimizer.lr")->num[0] == 0.125);
    assert_true(setting(&c, "train.batch")->num[0] == 12);
    assert_true(setting(&c, "data.shuffle")->num[0] == 0);
    drop(&c);
}

/* What settings_text writes, setting_override takes, and nothing changes. */
static void settings_travel_as_text(void **state)
{
    (void)state;
    struct compiled c;
    char why[200];
    compile(&c, network, PHASE_TRAIN, NULL);
    struct plan p = {.setting = c.model.setting, .nsetting = c.model.nsetting, .region = c.region};
    assert_true(setting_override(&p, "train.optimizer.lr=-(-1/3)", why, sizeof why));
    assert_true(setting_override(&p, "train.batch=auto", why, sizeof why));
    char *text = settings_text(&p), *kept = strdup(text);
    assert_true(setting_override(&p, "train.optimizer.lr=1", why, sizeof why));
    assert_true(setting_override(&p, "train.batch=7", why, sizeof why));
    assert_true(setting_override(&p, "data.shuffle=false", why, sizeof why));
    for (char *rest = kept, *line; (line = strsep(&rest, "\n")) && *line;)
        if (!setting_override(&p, line, why, sizeof why))
            fail_msg("%s: %s", line, why);
    assert_true(setting(&c, "train.optimizer.lr")->num[0] == 1 / 3.0);
    assert_string_equal(setting(&c, "train.batch")->text, "auto");
    char *again = settings_text(&p);
    assert_string_equal(again, text);
    assert_null(strstr(text, "momentum"));
    free(again);
    free(kept);
    free(text);
    drop(&c);
}

static void defines_change_params(void **state)
{
    (void)state;
    struct define define = {"width", "2 * 3", false};
    struct compiled c;
    compile(&c, network, PHASE_TRAIN, &define);
    assert_non_null(c.graph);
    assert_true(define.used);
    for (int i = 0; i < c.graph->nvalue; i++)
        if (strcmp(c.graph->value[i]->t.name, "conv0.weight") == 0)
            assert_int_equal(c.graph->value[i]->t.dim[0], 6);
    drop(&c);
}

static void samples_are_flattened(void **state)
{
    (void)state;
    struct compiled c;
    compile(&c,
            "net xor\ninput x : f32[2]\ntarget t : f32[1]\n"
            "y = x -> h: Linear(4) -> Tanh -> o: Linear(1)\noutput y\n"
            "data {\n  samples = [[0, 0, 0], [0, 1, 1],\n             [1, 0, 1], [1, 1, 0]]\n}\n"
            "train {\n  loss = MSE(y, t)\n  optimizer = Adam\n}\n",
            PHASE_TRAIN, NULL);
    assert_string_equal(c.said, "");
    const struct setting *s = setting(&c, "data.samples");
    assert_int_equal(s->n, 12);
    assert_true(s->num[5] == 1 && s->num[11] == 0);
    assert_true(setting(&c, "train.optimizer.betas")->num[1] == 0.999);
    drop(&c);
}

static void unused_things_are_warned_of_once(void **state)
{
    (void)state;
    struct compiled c;
    start(&c, "net t\nparam p = 1\ninput x : f32[2]\ntarget t : f32[2]\nspare = x -> ReLU\ny = x -> Tanh\noutput y\n"
              "block b() {\n  input x\n  output x\n}\ntrain {\n  loss = MSE(y, t)\n  optimizer = Adam\n}\n");
    for (enum phase p = PHASE_TRAIN; p < PHASE_COUNT; p++)
        assert_non_null(build(c.tree, p, NULL, 0, NULL, &c.diag, c.region));
    finish(&c);
    assert_int_equal(c.diag.warnings, 3);
    assert_non_null(strstr(c.said, "t.net:2:7: warning[N0110]: param `p` is never used"));
    assert_non_null(strstr(c.said, "t.net:5:1: warning[N0110]: value `spare` is never used"));
    assert_non_null(strstr(c.said, "t.net:8:7: warning[N0110]: block `b` is never used"));
    drop(&c);
}

static void places_are_printed_in_the_order_of_the_source(void **state)
{
    (void)state;
    struct region *r = region_new();
    char *said;
    size_t length;
    FILE *out = open_memstream(&said, &length);
    struct diag d = {.file = "m.net", .text = "one\n\ttwo \x01 \xC3\xA9 three\r\nfour", .out = out, .region = r};
    diag_warning(&d, "N0110", (struct loc){3, 1, 5}, NULL, "later");
    diag_error(&d, "N0204", (struct loc){2, 11, 16}, "here", "what %d", 7);
    diag_place(&d, (struct loc){1, 1, 4}, "made");
    diag_help(&d, "type %s", "this");
    diag_error(&d, "N0204", (struct loc){2, 11, 16}, "here", "what %d", 7);
    diag_flush(&d);
    fclose(out);
    assert_string_equal(said, "m.net:2:11: error[N0204]: what 7\n"
                              "   |\n"
                              " 1 | one\n"
                              "   | --- made\n"
                              " 2 |     two \\x01 \xC3\xA9 three\n"
                              "   |                ^^^^^ here\n"
                              "   = help: type this\n"
                              "\n"
                              "m.net:3:1: warning[N0110]: later\n"
                              "   |\n"
                              " 3 | four\n"
                              "   | ^^^^\n"
                              "\n"
                              "1 error, 1 warning\n");
    free(said);
    region_free(r);
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = {"Conv", "ReLU", "MaxPool", "lr"};
    assert_string_equal(diag_nearest("relu", names, COUNT(names)), "ReLU");
    assert_string_equal(diag_nearest("Covn", names, COUNT(names)), "Conv");
    assert_string_equal(diag_nearest("MaxPol", names, COUNT(names)), "MaxPool");
    assert_null(diag_nearest("Linear", names, COUNT(names)));
    assert_null(diag_nearest("", names, COUNT(names)));
}

/* Deep, long, broken: one clear message each, no crash. */
static void hostile_text(void **state)
{
    (void)state;
    static const struct {
        const char *head, *repeated;
        int times;
    } t[] = {
        {"net t\ny = ", "(", 200000},    {"net t\ny = x", " + x", 100000},   {"net t\ny = x", " -> ReLU", 100000},
        {"net t\n", "{", 100000},        {"net t\n", ")}]", 100000},         {"net t\ny = ", "-", 100000},
        {"net t\n", "v = = x\n", 50000}, {"net t\ny = x -> ", "R", 1000000}, {"net t\n# \xFF", "\xFF", 10},
    };
    for (int i = 0; i < COUNT(t); i++) {
        size_t head = strlen(t[i].head), unit = strlen(t[i].repeated);
        char *text = calloc(1, head + unit * (size_t)t[i].times + 1);
        assert_non_null(text);
        memcpy(text, t[i].head, head);
        for (int k = 0; k < t[i].times; k++)
            memcpy(text + head + unit * (size_t)k, t[i].repeated, unit);
        struct compiled c;
        compile(&c, text, PHASE_TRAIN, NULL);
        assert_null(c.graph);
        assert_true(c.diag.errors > 0);
        drop(&c);
        free(text);
    }
}

static void nul_byte(void **state)
{
    (void)state;
    struct region *r = region_new();
    struct diag d = {.file = "t.net", .text = "net t\n", .region = r};
    assert_null(parse("net t\n\0x", 8, &d, r));
    assert_int_equal(d.errors, 1);
    region_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(numbers_have_units),
        cmocka_unit_test(parentheses_survive),
        cmocka_unit_test(parameters_have_the_names_of_pytorch),
        cmocka_unit_test(prediction_knows_no_target),
        cmocka_unit_test(settings_hold_entries_and_defaults),
        cmocka_unit_test(settings_can_be_overridden),
        cmocka_unit_test(settings_travel_as_text),
        cmocka_unit_test(defines_change_params),
        cmocka_unit_test(samples_are_flattened),
        cmocka_unit_test(unused_things_are_warned_of_once),
        cmocka_unit_test(places_are_printed_in_the_order_of_the_source),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(nul_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
