/* test_audit_corpora.c - joined audit events against what go-libaudit, laurel and auditbeat make of the same records
 * (../shared/data/logs). Their documents have other names: tables here say which field of ours holds the same. The share of the
 * fields worth most has a floor; what differs for a reason is excused by a table. Absent data: 77, skipped. */
#include <dirent.h>
#include <jansson.h>
#include <unistd.h>

#include "base/file.h"
#include "parse/join.h"
#include "parse/test_lines.h"
#include "parse/test_samples.h"

struct data {
    struct parser *parser;
    struct samples at;
};

struct score {
    size_t equal, all, excused;
};

/* Events of some lines, joined and parsed; texts live in the batch. */
static void events_of(struct data *d, struct str lines, struct event_batch *b)
{
    struct parse_hints h = lines_hints();
    struct str line;
    struct joined one;
    struct join *j;

    event_batch_reset(b);
    assert_int_equal(join_new(&j, NULL), 0);
    while (str_split(&lines, '\n', &line)) {
        line = str_trim(line);
        if (join_kind(line) != JOIN_NONE)
            assert_int_equal(join_add(j, STR("s"), line, 0, 0, NULL), 0);
    }
    join_flush(j);
    while (join_next(j, &one)) {
        struct event *ev = event_batch_add(b);

        parse_line(d->parser, arena_copy(&b->arena, one.text), &h, &b->arena, ev);
    }
    join_free(&j);
}

/* --- comparing --- */

static bool unset(struct str s) { return str_eq(s, STR("4294967295")) || str_eq(s, STR("-1")) || str_eq(s, STR("unset")); }

static bool scalar(struct str got, const json_t *want)
{
    char text[64];
    struct str w;

    if (json_is_integer(want)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(want));
        w = str_c(text);
    } else {
        w = str_of(json_string_value(want), json_string_length(want));
    }
    return str_eq(got, w) || (unset(got) && unset(w)) || (str_eq(w, STR("fail")) && str_eq(got, STR("failure")));
}

/* values - as sets: each wanted is there, each got is wanted. */
static bool values(const struct event *ev, const char *name, const json_t *want)
{
    size_t count = json_is_array(want) ? json_array_size(want) : 1;
    time_ns when;
    struct str v;
    uint32_t at = 0;
    bool any = false;

    if (strcmp(name, "@timestamp") == 0)
        return time_parse_rfc3339(str_c(json_string_value(want)), &when, NULL, NULL) == 0 && when == ev->time;
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (at = 0; event_values(ev, str_c(name), &at, &v) && !found;)
            found = scalar(v, json_is_array(want) ? json_array_get(want, i) : want);
        if (!found)
            return false;
    }
    for (at = 0; event_values(ev, str_c(name), &at, &v);) {
        bool found = false;

        any = true;
        for (size_t i = 0; i < count && !found; i++)
            found = scalar(v, json_is_array(want) ? json_array_get(want, i) : want);
        if (!found)
            return false;
    }
    return any || count == 0;
}

/* What differs and is right here, by the beginning of the test's name and of the field. */
static const struct {
    const char *test, *field, *why;
} excused[] = {
    { "AVC_AppArmor", "event.", "denied stands beside the kind of the call; a denied action failed" },
    { "mount", "event.", "a mounted file system is a change of the host" },
    { "ANOM_PROMISCUOUS", "event.type", "a change is meant by the action" },
    { "USER_START", "user.id", "who signed in at first (auid); the process was root's" },
};

static void check(struct score *s, const struct event *ev, const char *test, const char *name, const json_t *want)
{
    bool equal = values(ev, name, want);

    s->all++;
    s->equal += equal;
    if (equal)
        return;
    for (size_t i = 0; i < COUNT(excused); i++)
        if (strncmp(test, excused[i].test, strlen(excused[i].test)) == 0 && strncmp(name, excused[i].field, strlen(excused[i].field)) == 0) {
            s->excused++;
            return;
        }
    AUTO_BUF struct buf got = { 0 };
    char *w = json_dumps(want, JSON_ENCODE_ANY);
    struct str v;

    buf_init(&got, 0);
    for (uint32_t at = 0; event_values(ev, str_c(name), &at, &v);)
        buf_printf(&got, " %.*s", STR_ARG(v));
    print_message("  %s: %s is%.*s, expected %s\n", test, name, STR_ARG(buf_view(&got)), w);
    free(w);
}

static void report(const char *what, const struct score *s)
{
    print_message("%s: %zu of %zu fields worth most equal (%.1f %%), %zu more differ for a known reason\n", what, s->equal, s->all,
                  100.0 * (double)s->equal / (double)s->all, s->excused);
}

static json_t *path_of(json_t *o, const char *path)
{
    struct str rest = str_c(path), key;
    char text[64];

    while (o && str_split(&rest, '.', &key)) {
        snprintf(text, sizeof text, "%.*s", STR_ARG(key));
        o = json_object_get(o, text);
    }
    return o;
}

/* --- go-libaudit --- */

static const struct {
    const char *theirs, *ours;
} golden_names[] = {
    { "@timestamp", "@timestamp" },
    { "result", "event.outcome" },
    { "summary.action", "event.action" },
    { "ecs.event.category", "event.category" },
    { "ecs.event.type", "event.type" },
    { "process.pid", "process.pid" },
    { "process.ppid", "process.parent.pid" },
    { "process.title", "process.title" },
    { "process.name", "process.name" },
    { "process.exe", "process.executable" },
    { "process.cwd", "process.working_directory" },
    { "process.args", "process.args" },
    { "file.path", "file.path" },
    { "file.inode", "file.inode" },
    { "file.uid", "file.uid" },
    { "file.gid", "file.gid" },
    { "source.ip", "source.ip" },
    { "source.port", "source.port" },
    { "destination.ip", "destination.ip" },
    { "destination.port", "destination.port" },
    { "network.direction", "network.direction" },
    { "user.ids.auid", "user.audit.id" },
    { "user.ids.uid", "user.id" },
    { "user.ids.gid", "user.group.id" },
    { "user.ids.euid", "user.effective.id" },
    { "user.ids.egid", "user.effective.group.id" },
    { "user.ids.suid", "user.saved.id" },
    { "user.ids.sgid", "user.saved.group.id" },
    { "user.ids.fsuid", "user.filesystem.id" },
    { "user.ids.fsgid", "user.filesystem.group.id" },
};

/* golden_lines - the records of a test of the YAML file: the indented lines behind "  NAME: |". */
static void golden_lines(struct str yaml, const char *test, struct buf *out)
{
    struct str line;
    bool inside = false;

    buf_reset(out);
    while (str_split(&yaml, '\n', &line)) {
        struct str t = str_trim(line);

        if (str_starts(line, STR("  ")) && line.n > 2 && line.p[2] != ' ') {
            t.n -= t.n > 3 && (str_ends(t, STR(": |")) || str_ends(t, STR(": >"))) ? 3 : 0;
            if (t.n > 1 && (*t.p == '"' || *t.p == '\''))
                t = str_of(t.p + 1, t.n - 2);
            inside = str_eq(t, str_c(test));
        } else if (inside && t.n) {
            buf_str(out, t);
            buf_byte(out, '\n');
        }
    }
}

static void golden_file(struct data *d, const char *name, struct score *s)
{
    char path[700];
    AUTO_BUF struct buf yaml = { 0 }, lines = { 0 };
    struct event_batch b;
    json_t *documents;
    size_t i;
    json_t *doc;

    buf_init(&yaml, 0);
    buf_init(&lines, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/auditd/go-libaudit/coalesce/%s.json.golden", d->at.logs, name);
    documents = json_load_file(path, 0, NULL);
    assert_non_null(documents);
    snprintf(path, sizeof path, "%s/auditd/go-libaudit/coalesce/%s.yaml", d->at.logs, name);
    assert_int_equal(file_read(path, MIB, &yaml, NULL), 0);
    json_array_foreach(documents, i, doc)
    {
        const char *test = json_string_value(json_object_get(doc, "test_name"));

        golden_lines(buf_view(&yaml), test, &lines);
        CHECK(test, lines.n > 0);
        events_of(d, buf_view(&lines), &b);
        CHECK(test, b.count == 1);
        for (size_t k = 0; k < COUNT(golden_names); k++) {
            json_t *want = path_of(json_object_get(doc, "event"), golden_names[k].theirs);

            if (want && !(json_is_string(want) && strcmp(json_string_value(want), "unknown") == 0))
                check(s, &b.items[0], test, golden_names[k].ours, want);
        }
    }
    json_decref(documents);
    event_batch_free(&b);
}

static void test_golden(void **state)
{
    static const char *const names[] = { "random-internet",           "rhel-7-linux-3.10.0",     "ubuntu-16.04-linux-4.13.0",
                                         "ubuntu-16.10-linux-4.8.0", "ubuntu-21.10-linux-5.13", "ubuntu-24.04-linux-6.8.0" };
    struct score s = { 0 };

    for (size_t i = 0; i < COUNT(names); i++)
        golden_file(*state, names[i], &s);
    report("go-libaudit coalesce", &s);
    assert_true(s.equal * 100 >= s.all * 95);
}

/* --- laurel --- */

static const struct {
    const char *theirs, *ours;
} laurel_names[] = {
    { "NODE", "host.name" },
    { "SYSCALL.success", "auditd.log.success" },
    { "SYSCALL.exit", "process.exit_code" },
    { "SYSCALL.pid", "process.pid" },
    { "SYSCALL.ppid", "process.parent.pid" },
    { "SYSCALL.uid", "user.id" },
    { "SYSCALL.auid", "user.audit.id" },
    { "SYSCALL.gid", "user.group.id" },
    { "SYSCALL.euid", "user.effective.id" },
    { "SYSCALL.suid", "user.saved.id" },
    { "SYSCALL.fsuid", "user.filesystem.id" },
    { "SYSCALL.comm", "process.name" },
    { "SYSCALL.exe", "process.executable" },
    { "SYSCALL.ARCH", "host.architecture" },
    { "SYSCALL.AUID", "user.audit.name" },
    { "SYSCALL.EUID", "user.effective.name" },
    { "SYSCALL.tty", "auditd.log.tty" },
    { "EXECVE.ARGV", "process.args" },
    { "CWD.cwd", "process.working_directory" },
};

static void laurel_file(struct data *d, const char *name, struct score *s)
{
    char path[700];
    AUTO_BUF struct buf lines = { 0 };
    struct event_batch b;
    json_t *doc, *title, *paths, *p;
    size_t i;

    buf_init(&lines, 0);
    event_batch_init(&b, 0);
    snprintf(path, sizeof path, "%s/auditd/laurel/%s.txt", d->at.logs, name);
    assert_int_equal(file_read(path, MIB, &lines, NULL), 0);
    snprintf(path, sizeof path, "%s/auditd/laurel/%s.json", d->at.logs, name);
    doc = json_load_file(path, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(doc);
    events_of(d, buf_view(&lines), &b);
    CHECK(name, b.count >= 1); /* the document is the first one's */
    for (size_t k = 0; k < COUNT(laurel_names); k++) {
        json_t *want = path_of(doc, laurel_names[k].theirs);

        if (want && !json_is_null(want))
            check(s, &b.items[0], name, laurel_names[k].ours, want);
    }
    title = path_of(doc, "PROCTITLE.ARGV");
    if (title) {
        AUTO_BUF struct buf joined = { 0 };

        buf_init(&joined, 0);
        json_array_foreach(title, i, p)
            buf_printf(&joined, "%s%s", i ? " " : "", json_string_value(p));
        p = json_stringn(joined.p, joined.n);
        check(s, &b.items[0], name, "process.title", p);
        json_decref(p);
    }
    paths = json_object_get(doc, "PATH");
    json_array_foreach(paths, i, p)
    {
        struct str v, want = str_c(json_string_value(json_object_get(p, "name")));
        bool found = false;

        for (uint32_t at = 0; event_values(&b.items[0], STR("auditd.log.name"), &at, &v) && !found;)
            found = str_eq(v, want);
        s->all++;
        s->equal += found;
    }
    json_decref(doc);
    event_batch_free(&b);
}

static void test_laurel(void **state)
{
    static const char *const names[] = { "record-adjntpval",          "record-anom-promiscuous", "record-execve",      "record-login",
                                         "record-nscd",               "record-perl-reverse-shell", "record-ptrace", "record-syscall-key",
                                         "record-syscall-nullkey",    "record-uringop" };
    struct score s = { 0 };

    for (size_t i = 0; i < COUNT(names); i++)
        laurel_file(*state, names[i], &s);
    report("laurel", &s);
    assert_true(s.equal * 100 >= s.all * 95);
}

/* test_laurel_traces - long traces, in order and shuffled: the same events come out of both. */
static void test_laurel_traces(void **state)
{
    struct data *d = *state;
    size_t count[2];
    uint64_t sum[2] = { 0 };

    for (int i = 0; i < 2; i++) {
        AUTO_BUF struct buf lines = { 0 };
        struct event_batch b;
        char path[700];

        buf_init(&lines, 0);
        event_batch_init(&b, 0);
        snprintf(path, sizeof path, "%s/auditd/laurel/shell-proc-trace%s.txt", d->at.logs, i ? "-reordered" : "");
        assert_int_equal(file_read(path, MIB, &lines, NULL), 0);
        events_of(d, buf_view(&lines), &b);
        count[i] = b.count;
        for (size_t k = 0; k < b.count; k++)
            sum[i] += str_hash(event_get(&b.items[k], STR("auditd.log.sequence"))) +
                      str_hash(event_get(&b.items[k], STR("process.executable"))) + str_hash(event_get(&b.items[k], STR("process.command_line")));
        event_batch_free(&b);
    }
    assert_true(count[0] > 3);
    assert_int_equal(count[0], count[1]);
    assert_true(sum[0] == sum[1]);
}

/* --- auditbeat --- */

/* worth - without what needs outside data. acct: the record names an account itself. */
static bool worth(const char *name, bool acct)
{
    static const char *const heads[] = { "event.category", "event.type", "event.action", "event.outcome", "source.", "destination.",
                                         "user.", "process.", "file.path", "file.inode", "network." };

    if (strstr(name, ".selinux") || strstr(name, ".geo.") || strcmp(name, "user.effective.id") == 0)
        return false;
    if (strncmp(name, "user.", 5) == 0 && strstr(name, ".name") && !acct)
        return false; /* names that the machine of the sample looked up; acct is in the record */
    for (size_t i = 0; i < COUNT(heads); i++)
        if (strncmp(name, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

static void beat_document(const struct event *ev, const char *test, json_t *doc, struct score *s)
{
    struct {
        json_t *object;
        char name[200];
    } stack[32];
    size_t depth = 1;

    stack[0].object = doc;
    stack[0].name[0] = 0;
    while (depth) {
        json_t *object = stack[--depth].object, *v;
        char head[200], name[400];
        const char *key;

        snprintf(head, sizeof head, "%s", stack[depth].name);
        json_object_foreach(object, key, v)
        {
            snprintf(name, sizeof name, "%s%s%s", head, *head ? "." : "", key);
            if (json_is_object(v) && depth < COUNT(stack)) {
                stack[depth].object = v;
                snprintf(stack[depth++].name, sizeof stack[0].name, "%.199s", name);
            } else if (worth(name, strcmp(name, "user.effective.name") == 0 && path_of(doc, "auditd.data.acct") != NULL)) {
                check(s, ev, test, name, v);
            }
        }
    }
}

static void test_auditbeat(void **state)
{
    static const char *const names[] = { "setuid", "sudo-asuser", "sudo", "userlogin" };
    struct data *d = *state;
    struct score s = { 0 };

    for (size_t i = 0; i < COUNT(names); i++) {
        AUTO_BUF struct buf lines = { 0 };
        struct event_batch b;
        char path[700];
        json_t *documents, *doc;
        size_t k;

        buf_init(&lines, 0);
        event_batch_init(&b, 0);
        snprintf(path, sizeof path, "%s/beats/auditbeat-auditd/%s.log", d->at.temp, names[i]);
        assert_int_equal(file_read(path, MIB, &lines, NULL), 0);
        snprintf(path, sizeof path, "%s/beats/auditbeat-auditd/%s.log-expected.json", d->at.temp, names[i]);
        documents = json_load_file(path, 0, NULL);
        events_of(d, buf_view(&lines), &b);
        CHECK(names[i], b.count == json_array_size(documents));
        json_array_foreach(documents, k, doc)
        {
            json_int_t sequence = json_integer_value(path_of(doc, "auditd.sequence"));

            for (size_t n = 0; n < b.count; n++) {
                uint64_t own;

                if (str_u64(event_get(&b.items[n], STR("auditd.log.sequence")), &own) && own == (uint64_t)sequence)
                    beat_document(&b.items[n], names[i], doc, &s);
            }
        }
        json_decref(documents);
        event_batch_free(&b);
    }
    report("auditbeat", &s);
    assert_true((s.equal + s.excused) * 100 >= s.all * 95);
}

int main(void)
{
    static const char *const sets[] = { "beats" };
    struct CMUnitTest tests[] = {
        { .name = "go-libaudit: joined events give who, what, program, file and address", .test_func = test_golden },
        { .name = "laurel: joined events give what the records say", .test_func = test_laurel },
        { .name = "laurel: a trace gives the same events in order and shuffled", .test_func = test_laurel_traces },
        { .name = "auditbeat: joined events give ECS fields", .test_func = test_auditbeat },
    };
    struct data d = { .parser = NULL };
    int failed;

    if (samples_open(&d.at, sets, COUNT(sets)) != 0)
        return SAMPLES_SKIP;
    if (parse_new(NULL, 0, &d.parser, NULL) < 0)
        return 1;
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i].initial_state = &d;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    parse_free(&d.parser);
    return samples_close(&d.at, failed);
}
