/* measure.c - what a source really sent before and after a change of its logging, held against Annex 4 (paragraph 12).
 *
 * The lines come from the store, so nobody can paste better ones. They are looked for before the act's transaction begins: a search reads files and
 * must not hold the lock of the desk. Each line is judged as the collector judges it all the time (parse/conform.h). */
#include "desk/requests/kind.h"
#include "parse/conform.h"
#include "store/store.h"

#include <openssl/evp.h>

#define LINES_MAX   CONFORM_FIRST          /* of each side: all of them are judged */
#define BEFORE_NS   (30 * NS_PER_DAY)
#define SEARCH_NS   (3 * NS_PER_SECOND)    /* of each side */

struct side {
    struct conform_tally tally;
    struct arena         a;
    EVP_MD_CTX          *digest;
};

static int judge(void *arg, const struct event *ev)
{
    struct side *s = arg;
    struct conform c;

    EVP_DigestUpdate(s->digest, ev->original.p, ev->original.n);
    EVP_DigestUpdate(s->digest, "\n", 1);
    if (!conform_due(&s->tally, ev->received))
        return 0;
    arena_reset(&s->a);
    conform_event(ev, s->tally.class, &s->a, &c);
    conform_add(&s->tally, ev, &c);
    return 0;
}

static void remark_json(struct call *c, const struct conform_tally *t, size_t i, json_t *by_code, json_t *first, json_int_t *remarks)
{
    const struct conform_finding *f = &t->finding[i];
    const char *field = i >= CONFORM_FIELDS ? annex4_chapter(t->class)->fields[i - CONFORM_FIELDS].name : "event_datetime";
    uint32_t failed = t->window[0].failed[i];
    char key[96];
    struct str name, message;

    if (!failed || !f->line)
        return;
    snprintf(key, sizeof key, "annex4.field.%.60s", field);
    name = catalog_text(c->d->setup.catalog, LANG_EN, key);
    snprintf(key, sizeof key, "annex4.code.%.60s", f->mark.code);
    message = catalog_format(c->d->setup.catalog, LANG_EN, &c->a, key, "field", name.p, NULL);
    *remarks += failed;
    json_object_set_new(by_code, f->mark.code, json_integer(json_integer_value(json_object_get(by_code, f->mark.code)) + failed));
    json_array_append_new(first, json_pack("{s:I, s:I, s:s, s:s, s:s?, s:o, s:I}", "line", (json_int_t)f->line, "column", (json_int_t)f->mark.column, "code",
                                           f->mark.code, "row", f->mark.row, "field", i >= CONFORM_WHEN ? field : NULL, "message", json_str(message), "failed", (json_int_t)failed));
}

static json_t *score_json(int score) { return score < 0 ? json_null() : json_integer(score); }

static json_t *side_json(struct call *c, const struct side *s)
{
    struct conform_scores scores = conform_scores(&s->tally);
    json_t *by_code = json_object(), *first = json_array();
    json_int_t remarks = 0;
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[65];

    for (size_t i = 0; i < CONFORM_CHECKS; i++)
        remark_json(c, &s->tally, i, by_code, first, &remarks);
    if (s->tally.changed)
        json_object_set_new(by_code, "mixed_format", json_integer(json_integer_value(json_object_get(by_code, "mixed_format")) + 1));
    EVP_DigestFinal_ex(s->digest, sum, NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return json_pack("{s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:s}", "lines", (json_int_t)s->tally.seen, "remarks", remarks, "by_code", by_code, "first", first,
                     "sha256", hex, "score", score_json(scores.all), "form_score", score_json(scores.form), "field_score", score_json(scores.fields), "format",
                     s->tally.seen ? conform_form_name(s->tally.form) : "");
}

/* side_of - the newest lines of the source within a time. */
static int side_of(struct call *c, const struct req *q, const struct query *query, enum event_class class, time_ns from, time_ns to, json_t **out)
{
    char store[4096], journal[4096];
    struct store_search s = { .store_folder = node_path(c->d->setup.node, "store", store), .journal_folder = node_path(c->d->setup.node, "journal", journal),
                              .query = query, .from = from, .to = to, .limit = LINES_MAX, .object_only = q->object_id, .object_filter = true,
                              .deadline_steady = clock_steady() + SEARCH_NS };
    struct side side = { .tally = { .class = class }, .digest = EVP_MD_CTX_new() };
    struct store_stats stats = { 0 };
    int rc = side.digest && EVP_DigestInit_ex(side.digest, EVP_sha256(), NULL) ? 0 : err_set(c->e, -ENOMEM, "no memory for a digest");

    arena_init(&side.a, 0);
    if (rc == 0)
        rc = store_find(&s, judge, &side, &stats, c->e);
    if (rc == 0 || rc == -ETIMEDOUT) {
        *out = side_json(c, &side);
        rc = 0;
    }
    conform_tally_free(&side.tally);
    arena_free(&side.a);
    EVP_MD_CTX_free(side.digest);
    return rc;
}

int logging_measure(struct call *c, int64_t id, const json_t *body, json_t **out)
{
    AUTO_REQ struct req q = { 0 };
    AUTO_BUF struct buf text;
    struct query *query = NULL;
    struct str source = json_get_str(body, "source_id");
    json_t *before = NULL, *after = NULL;
    time_ns made = 0;
    int rc = req_load(c, id, &q);
    enum event_class class = rc == 0 ? event_class_parse(req_text(&q, "log_class")) : CLASS_NONE;

    *out = NULL;
    buf_init(&text, 0);
    if (rc < 0)
        return rc;
    source = source.n ? source : req_text(&q, "source_id");
    if (source.n == 0 || class == CLASS_NONE || time_parse_rfc3339(req_text(&q, "made_at"), &made, NULL, NULL) < 0)
        return 0; /* the act says what is missing */
    buf_str(&text, STR("saqshy.source:"));
    buf_json(&text, source);
    rc = query_parse(buf_view(&text), &query, c->e);
    if (rc == 0)
        rc = side_of(c, &q, query, class, made - BEFORE_NS, made, &before);
    if (rc == 0)
        rc = side_of(c, &q, query, class, made, c->now, &after);
    query_free(&query);
    if (rc == 0)
        *out = json_pack("{s:O, s:O, s:o}", "before", before, "after", after, "source", json_str(source));
    json_decref(before);
    json_decref(after);
    return rc;
}

/* converted - what falls short by the form of the line alone: the file of Annex 4 is written by the collector (export --annex4; Q-36). */
static bool converted(const char *code)
{
    return strcmp(code, "no_delimiter") == 0 || strcmp(code, "date_format") == 0 || strcmp(code, "time_format") == 0;
}

int act_logging_compare_source(struct call *c, struct req *q, const json_t *body)
{
    const json_t *after = json_object_get(c->measured, "after");
    json_t *comparison, *n;
    const char *code;
    bool falls_short = false;

    (void)body;
    if (req_true(q, "planned") && req_text(q, "notified_at").n == 0)
        return refuse(c, -EPROTO, "wrong_state", NULL, "the notice of paragraph 12 is still owed");
    if (!after)
        return req_wrong(c, "source_id", "the source whose lines are to be compared");
    if (json_integer_value(json_object_get(after, "lines")) == 0)
        return req_wrong(c, "source_id", "no line of this source came after the change");
    json_object_foreach(json_object_get(after, "by_code"), code, n)
        falls_short = falls_short || !converted(code);
    comparison = json_deep_copy(c->measured);
    json_object_set_new(comparison, "at", json_time(c->now));
    json_object_set_new(comparison, "verdict", json_string(falls_short ? "non_conforming" : "conforming"));
    req_set(q, "comparison", comparison);
    req_move(q, falls_short ? "non_conforming" : "verified");
    return req_tell(c, q, false, falls_short ? "logging_non_conforming" : "logging_verified");
}

/* --- who announced a change that was seen --- */

#define NEAR_NS (5 * NS_PER_DAY)

static struct str day_of(const char *moment) { return str_of(moment, 10); }

int desk_logging_announced(struct desk *d, const struct viewer *v, struct str object, struct str source, struct str class, time_ns at, json_t **out,
                           struct err *e)
{
    struct desk_reply r = { 0 };
    struct call c;
    sqlite3_stmt *st;
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    int rc;

    *out = json_null();
    desk_call_init(&c, d, v, at, &r);
    st = db_query(d, &r.err,
                  "SELECT id, number FROM request WHERE object_id = ?1 AND kind = 'logging_change' AND state <> 'withdrawn'"
                  " AND coalesce(json_extract(values_json, '$.source_id'), ?2) = ?2 AND (json_extract(values_json, '$.source_id') IS NOT NULL OR"
                  " json_extract(values_json, '$.log_class') = ?3)"
                  " AND substr(coalesce(json_extract(values_json, '$.made_at'), json_extract(values_json, '$.change_at')), 1, 10) BETWEEN ?4 AND ?5"
                  " ORDER BY id DESC LIMIT 1",
                  "ttttt", object, source, class, day_of(time_format_utc(at - NEAR_NS, from)), day_of(time_format_utc(at + NEAR_NS, to)));
    rc = st ? db_step(d, st, &r.err) : -EIO;
    if (rc > 0) {
        json_decref(*out);
        *out = json_pack("{s:o, s:o}", "id", db_json_id(st, 0), "name", db_json(st, 1));
        db_done(st);
        rc = 0;
    }
    desk_call_free(&c);
    return rc < 0 ? err_set(e, rc, "%s", r.err.text) : 0;
}
