/* parse_patterns.c - enemy of a text against products as data, and of the maker of drafts (first byte 2).
 *
 * The products are two that use every key of the description; the text comes with and without a header, and by a path. Twice the same
 * line gives the same event. */
#include "parse_work.h"

#include "parse/patterns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text_product[] =
    "id: t\ntitle: T\nclass: app\nmatch: {programs: [t, 't-*'], paths: ['*/t/*.log'], alone: true}\nempty: ['-']\n"
    "fields:\n  lvl: [log.level, {to: event.severity, values: {hi: 1}, else: '9'}]\n  took: {to: event.duration, unit: s}\n  fwd: {to: network.forwarded_ip, split: ','}\n"
    "set: {event.category: [web, network]}\ntime: {forms: ['%d/%b/%Y:%H:%M:%S%f %z', '%s%f', '%a %b %e %I:%M:%S %p %y %Z'], zones: {MSK: '+03:00'}}\n"
    "patterns:\n"
    "  - {name: a, regex: '^{source.address:host}:{source.port:number} \\[{@timestamp:time}\\] \"(?<http.request.method>[A-Z]++) {url.original:word}\" (?<took>[\\d.]++) {lvl:word} {fwd:text}; (?<message>.*+)$', types: [APP-05]}\n"
    "  - {name: b, text: 'user {user.name:word} from {source.ip:ip} {t.m:mac} {t.h:hex} {t.d:decimal} {t.q:quoted} {t.p:path} {rest:rest}', cases: [{when: {t.d: {from: 5}}, set: {event.outcome: failure}, types: [APP-03]}, {when: {user.name: 'a*'}, set: {event.action: a}}]}\n"
    "  - {name: c, of: message, regex: '(?i)^hello (?:(?<user.name>\\w++),? )*+', set: {event.type: info}}\n"
    "  - {name: d, regex: '^(?:.*?,){8}(?<t.slow>x)y$', literal: xy}\n"
    "inside:\n  - {of: rest, form: kv, options: {separator: ';'}}\n  - {of: message, program: sshd}\n  - {of: message, parser: t}\n"
    "samples: [{line: 'x', not: true}, {line: 'y', not: true}, {line: 'z', want: {}}]\n";
static const char form_product[] =
    "id: f\ntitle: F\nclass: fw\nmatch: {programs: [f], starts: ['#@?'], contains: ['='], alone: true}\nform: kv\nrest: keep\n"
    "fields: {src: source.ip, dst: destination.address, up: {to: f.up, as: upper}, hx: {to: f.hx, as: hex}, exe: {to: process.name, as: name}, u: url.original, d: '', t: '@timestamp'}\n"
    "time: {from: [d, t], forms: ['%Y-%m-%d %H:%M:%S'], zone: '+05:00'}\n"
    "samples: [{line: 'x', not: true}, {line: 'y', not: true}, {line: 'z', want: {}}]\n";

/* parser_of_two - as a folder with the two would give it; their samples are not tried. */
static struct parser *parser_of_two(void)
{
    struct parser *p = parser_bare(0);

    if (!p || !(p->data = calloc(1, sizeof *p->data)))
        abort();
    arena_init(&p->data->arena, 0);
    p->data->product_count = 2;
    if (product_load(str_c(text_product), "t", &p->data->products[0], NULL) < 0 ||
        product_load(str_c(form_product), "f", &p->data->products[1], NULL) < 0 || patterns_build(p->data, NULL) < 0)
        abort();
    return p;
}

static void draft(struct str lines)
{
    struct buf out;
    struct err e = { 0 };

    buf_init(&out, 0);
    if (parse_draft(lines, STR("fuzz"), &out, &e) < 0 && e.text[0] == '\0')
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parser *parser;
    struct str line = str_of((const char *)data, size);
    struct bench b;
    struct event *ev, *again;

    if (size && data[0] == 2) {
        draft(str_cut(line, 1));
        return 0;
    }
    if (!parser)
        parser = parser_of_two();
    bench_open(&b, line);
    if (size && data[0] == 1) {
        line = str_cut(line, 1);
        b.hints.path = STR("/var/t/x.log");
    }
    if (!event_batch_add(&b.batch))
        abort();
    ev = &b.batch.items[0];
    again = &b.batch.items[1];
    b.work.ev = ev;
    parse_line(parser, line, &b.hints, &b.batch.arena, ev);
    parse_line(parser, line, &b.hints, &b.batch.arena, again);
    if (!str_eq(ev->original, line) || ev->field_count != again->field_count || ev->time != again->time || ev->parse != again->parse)
        abort();
    bench_close(&b);
    return 0;
}
