/* cmd_lint.c - "saqshy lint --class CLASS [--strict] [--json] FILE…": does an event log keep to Annex 4. Exit: 0 yes, 1 no, 2
 * usage or a file that cannot be read. */
#include "bin/bin.h"
#include "bin/plain.h"
#include "parse/lint.h"

#define LINT_FILE_MAX (512u * MIB) /* a log to be shown to the inspector, not an archive */

int cmd_lint(int argc, char **argv);

struct run {
    const char *file;
    struct buf out;
    bool json;
};

static void tell(void *arg, const struct lint_remark *m)
{
    struct run *r = arg;

    if (!r->json) {
        printf("%s:%zu:%zu: %s [%s, %s]\n", r->file, m->line, m->column, m->message, m->code, m->row);
        return;
    }
    buf_reset(&r->out);
    buf_str(&r->out, STR("{\"file\":"));
    buf_json(&r->out, str_c(r->file));
    buf_printf(&r->out, ",\"line\":%zu,\"column\":%zu,\"code\":\"%s\",\"row\":\"%s\",\"message\":", m->line, m->column,
               m->code, m->row);
    buf_json(&r->out, str_c(m->message));
    buf_str(&r->out, STR("}\n"));
    fwrite(r->out.p, 1, r->out.n, stdout);
}

static int usage(FILE *to, int rc)
{
    fprintf(to, "usage: saqshy lint --class os-unix|os-windows|db|net|fw|app|sec [--strict] [--json] FILE…\n--strict: \"-\" in a required field is told as missing. "
                "Files may be compressed by gzip or zstd.\nExit 0: the files keep to Annex 4, 1: they do not, 2: a file could not be read.\n");
    return rc;
}

int cmd_lint(int argc, char **argv)
{
    struct run r = { .json = false };
    struct lint_options o = { .strict = false };
    enum event_class class = CLASS_NONE;
    size_t remarks = 0;
    int first = 1, bad = 0;
    struct err e;

    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
        if (strcmp(argv[first], "--help") == 0)
            return usage(stdout, 0);
        if (strcmp(argv[first], "--json") == 0)
            r.json = true;
        else if (strcmp(argv[first], "--strict") == 0)
            o.strict = true;
        else if (strcmp(argv[first], "--class") == 0 && first + 1 < argc)
            class = event_class_parse(str_c(argv[++first]));
        else
            return usage(stderr, 2);
    }
    if (class == CLASS_NONE)
        return wrong_usage("lint", "--class takes os-unix, os-windows, db, net, fw, app or sec, and has to be given");
    if (first >= argc)
        return wrong_usage("lint", "a file is missing");
    buf_init(&r.out, 0);
    for (int i = first; i < argc; i++) {
        AUTO_BUF struct buf text;

        buf_init(&text, LINT_FILE_MAX + MIB);
        r.file = argv[i];
        if (plain_read(argv[i], LINT_FILE_MAX, &text, &e) < 0) {
            fprintf(stderr, "saqshy lint: %s\n", e.text);
            bad = 2;
            continue;
        }
        remarks += lint_with(buf_view(&text), class, &o, tell, &r);
    }
    buf_free(&r.out);
    return bad ? bad : remarks ? 1 : 0;
}
