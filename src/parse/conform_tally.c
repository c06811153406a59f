/* conform_tally.c - many events of one source and class; see conform.h. */
#include "parse/conform.h"
#include "parse/internal.h"

#define RECENT_OTHERS 2  /* of CONFORM_RECENT lines may still be of the old format when it has changed */
#define OFTEN         10 /* of CONFORM_WINDOW lines */

bool conform_due(struct conform_tally *t, time_ns received)
{
    t->seen++;
    if (t->seen > CONFORM_FIRST && t->seen % CONFORM_EVERY != 0 && received - t->judged_at < CONFORM_AT_LEAST_NS && received >= t->judged_at)
        return false;
    t->judged_at = received;
    return true;
}

static void samples_drop(struct conform_tally *t)
{
    for (size_t i = 0; i < CONFORM_SAMPLES; i++) {
        free(t->samples[i]);
        t->samples[i] = NULL;
    }
    for (size_t i = 0; i < CONFORM_CHECKS; i++)
        t->finding[i] = (struct conform_finding){ .sample = -1 };
}

void conform_tally_free(struct conform_tally *t) { samples_drop(t); }

static enum conform_form most(const struct conform_tally *t)
{
    enum conform_form f = CONFORM_OTHER;

    for (int i = 0; i < CONFORM_FORMS; i++)
        if (t->window[0].forms[i] + t->window[1].forms[i] > t->window[0].forms[f] + t->window[1].forms[f])
            f = (enum conform_form)i;
    return f;
}

/* turned - have nearly all recent lines the format of this one, which is another than that of most? */
static bool turned(struct conform_tally *t, enum conform_form f, time_ns at)
{
    size_t same = 0;

    if (f != t->form && (t->recent_count == 0 || t->recent[(t->recent_count - 1) % CONFORM_RECENT] != f))
        t->turned_at = at;
    t->recent[t->recent_count++ % CONFORM_RECENT] = (uint8_t)f;
    if (f == t->form || t->recent_count < CONFORM_RECENT)
        return false;
    for (size_t i = 0; i < CONFORM_RECENT; i++)
        same += t->recent[i] == f;
    return same >= CONFORM_RECENT - RECENT_OTHERS;
}

static void begin_anew(struct conform_tally *t, enum conform_form f)
{
    t->changed = true;
    t->changed_at = t->turned_at;
    t->form_before = t->form;
    t->score_before = conform_scores(t).all;
    t->form = f;
    t->delimiter = 0;
    t->window[0] = t->window[1] = (struct conform_window){ 0 };
    samples_drop(t);
}

static int keep_sample(struct conform_tally *t, struct str line)
{
    for (int i = 0; i < CONFORM_SAMPLES; i++)
        if (!t->samples[i]) {
            size_t n = min_size(line.n, CONFORM_SAMPLE_BYTES);

            while (n < line.n && n > 0 && ((unsigned char)line.p[n] & 0xC0) == 0x80)
                n--; /* no half of a letter */
            t->samples[i] = strndup(line.n ? line.p : "", n);
            return t->samples[i] ? i : -1;
        }
    return -1;
}

static void note(struct conform_tally *t, const struct event *ev, const struct conform *c)
{
    int sample = -2; /* not kept yet */

    for (size_t i = 0; i < CONFORM_CHECKS; i++) {
        struct conform_finding *f = &t->finding[i];

        if (!(c->failed & 1u << i))
            continue;
        f->last = ev->received;
        if (f->line && f->sample >= 0)
            continue;
        if (sample == -2)
            sample = keep_sample(t, ev->original);
        if (f->line && sample < 0)
            continue;
        *f = (struct conform_finding){ c->mark[i], t->seen, ev->received, sample };
    }
}

/* next_window - what fails often gets a new example soon; what is rare keeps the one it has. */
static void next_window(struct conform_tally *t)
{
    bool used[CONFORM_SAMPLES] = { false };

    for (size_t i = 0; i < CONFORM_CHECKS; i++) {
        struct conform_finding *f = &t->finding[i];
        uint32_t failed = t->window[0].failed[i];

        if (failed > OFTEN || (failed == 0 && t->window[1].failed[i]))
            *f = (struct conform_finding){ .sample = -1 };
        if (f->line && f->sample >= 0)
            used[f->sample] = true;
    }
    for (size_t i = 0; i < CONFORM_SAMPLES; i++)
        if (!used[i]) {
            free(t->samples[i]);
            t->samples[i] = NULL;
        }
    t->window[1] = t->window[0];
    t->window[0] = (struct conform_window){ 0 };
}

void conform_add(struct conform_tally *t, const struct event *ev, struct conform *c)
{
    struct conform_window *w = &t->window[0];

    if (w->judged == 0 && t->window[1].judged == 0) {
        t->form = t->changed ? t->form : c->form;
        t->since = t->since ? t->since : ev->received;
        samples_drop(t);
    }
    if (turned(t, c->form, ev->received))
        begin_anew(t, c->form);
    if (c->form == CONFORM_ANNEX4 && !t->delimiter)
        t->delimiter = c->delimiter;
    if (c->form != t->form || (c->form == CONFORM_ANNEX4 && c->delimiter != t->delimiter)) {
        c->checked |= 1u << CONFORM_FORMAT;
        c->failed |= 1u << CONFORM_FORMAT;
        c->mark[CONFORM_FORMAT] = (struct conform_mark){ "mixed_format", annex4_chapter(t->class)->mixed, 1 };
    }
    if (w->judged == CONFORM_WINDOW)
        next_window(t);
    w->judged++;
    w->forms[c->form]++;
    for (size_t i = 0; i < CONFORM_CHECKS; i++) {
        w->checked[i] += c->checked >> i & 1;
        w->failed[i] += c->failed >> i & 1;
    }
    note(t, ev, c);
    t->last = ev->received;
    if (!t->changed || w->judged >= CONFORM_RECENT)
        t->form = most(t);
}

static int percent(uint64_t checked, uint64_t failed) { return checked ? (int)((checked - failed) * 100 / checked) : -1; }

struct conform_scores conform_scores(const struct conform_tally *t)
{
    uint64_t checked[2] = { 0, 0 }, failed[2] = { 0, 0 };

    for (size_t i = 0; i < CONFORM_CHECKS; i++)
        for (size_t k = 0; k < 2; k++) {
            checked[i >= CONFORM_WHEN] += t->window[k].checked[i];
            failed[i >= CONFORM_WHEN] += t->window[k].failed[i];
        }
    return (struct conform_scores){ percent(checked[0] + checked[1], failed[0] + failed[1]), percent(checked[0], failed[0]), percent(checked[1], failed[1]) };
}

/* --- telling --- */

static void put_score(struct buf *b, const char *name, int score)
{
    if (score < 0)
        buf_printf(b, ",\"%s\":null", name);
    else
        buf_printf(b, ",\"%s\":%d", name, score);
}

static void put_moment(struct buf *b, const char *name, time_ns t)
{
    buf_printf(b, ",\"%s\":\"", name);
    buf_time(b, t);
    buf_byte(b, '"');
}

static uint32_t both(const struct conform_tally *t, bool failed, size_t i)
{
    return failed ? t->window[0].failed[i] + t->window[1].failed[i] : t->window[0].checked[i] + t->window[1].checked[i];
}

static void put_finding(struct buf *b, const struct conform_tally *t, size_t i, bool first)
{
    const struct conform_finding *f = &t->finding[i];
    const struct annex4_chapter *ch = annex4_chapter(t->class);
    const char *field = i == CONFORM_WHEN ? "event_datetime" : i >= CONFORM_FIELDS ? ch->fields[i - CONFORM_FIELDS].name : NULL;

    buf_printf(b, "%s{\"row\":\"%s\",\"code\":\"%s\",\"field\":", first ? "" : ",", f->mark.row, f->mark.code);
    if (field)
        buf_json(b, str_c(field));
    else
        buf_str(b, STR("null"));
    buf_printf(b, ",\"checked\":%u,\"failed\":%u,\"line\":%llu,\"column\":%zu", both(t, false, i), both(t, true, i), (unsigned long long)f->line, f->mark.column);
    put_moment(b, "last", f->last);
    buf_str(b, STR(",\"sample\":"));
    if (f->sample >= 0)
        buf_json(b, str_c(t->samples[f->sample]));
    else
        buf_str(b, STR("null"));
    buf_byte(b, '}');
}

static void put_findings(struct buf *b, const struct conform_tally *t)
{
    bool told[CONFORM_CHECKS] = { false };
    bool first = true;

    buf_str(b, STR(",\"findings\":["));
    for (;;) { /* the most frequent first */
        size_t next = CONFORM_CHECKS;

        for (size_t i = 0; i < CONFORM_CHECKS; i++)
            if (!told[i] && t->finding[i].line && both(t, true, i) && (next == CONFORM_CHECKS || both(t, true, i) > both(t, true, next)))
                next = i;
        if (next == CONFORM_CHECKS)
            break;
        told[next] = true;
        put_finding(b, t, next, first);
        first = false;
    }
    buf_byte(b, ']');
}

void conform_json(const struct conform_tally *t, bool brief, struct buf *b)
{
    struct conform_scores s = conform_scores(t);
    const struct annex4_chapter *ch = annex4_chapter(t->class);
    const char *before = "";

    buf_printf(b, "\"class\":\"%s\",\"chapter\":", event_class_name(t->class));
    if (ch)
        buf_printf(b, "%d", ch->number);
    else
        buf_str(b, STR("null"));
    put_score(b, "score", s.all);
    put_score(b, "form_score", s.form);
    put_score(b, "field_score", s.fields);
    buf_printf(b, ",\"seen\":%llu,\"judged\":%u,\"format\":\"%s\",\"formats\":{", (unsigned long long)t->seen, t->window[0].judged + t->window[1].judged,
               conform_form_name(t->form));
    for (int i = 0; i < CONFORM_FORMS; i++)
        if (t->window[0].forms[i] + t->window[1].forms[i]) {
            buf_printf(b, "%s\"%s\":%u", before, conform_form_name((enum conform_form)i), t->window[0].forms[i] + t->window[1].forms[i]);
            before = ",";
        }
    buf_byte(b, '}');
    put_moment(b, "since", t->since);
    put_moment(b, "last", t->last);
    if (t->changed) {
        buf_str(b, STR(",\"change\":{\"before\":"));
        buf_printf(b, "\"%s\",\"after\":\"%s\",\"score_before\":%d,\"score_after\":%d", conform_form_name(t->form_before), conform_form_name(t->form),
                   t->score_before < 0 ? 0 : t->score_before, s.all < 0 ? 0 : s.all);
        put_moment(b, "at", t->changed_at);
        buf_byte(b, '}');
    } else {
        buf_str(b, STR(",\"change\":null"));
    }
    if (brief) {
        buf_str(b, STR(",\"findings\":[],\"sample\":null"));
        return;
    }
    put_findings(b, t);
    buf_str(b, STR(",\"sample\":"));
    for (size_t i = CONFORM_SAMPLES; i > 0; i--)
        if (t->samples[i - 1]) {
            buf_json(b, str_c(t->samples[i - 1]));
            return;
        }
    buf_str(b, STR("null"));
}
