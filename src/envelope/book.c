/* book.c - which envelopes of which stream came: FOLDER/envelopes.json, written anew and atomically, before an envelope behind a gap is taken and after each.
 *
 *     [{"node":"…","stream":"…","number":9,"digest":"…","taken":true,"missing":[[3,3],[7,8]],"refused":[[5,5]]}]
 *
 * number is the highest that came (or is being taken: taken false), missing the ranges below it that did not, refused those of which a block could not be
 * taken: they are done, and those behind them go on. It lies in the journal's folder because it tells of what is in that journal. What is missing must stand
 * there before what is behind it goes in: an envelope that comes late is numbered apart, since its events have lower numbers than what the journal has of
 * the stream. */
#include "envelope/envelope.h"
#include "base/file.h"

#include <jansson.h>

#define BOOK_MAX   (16u * MIB)
#define READ_SPARE (256u * KIB)
#define RANGES_MAX 1000

struct range {
    uint64_t from, to;       /* both of it */
};
struct ranges {
    struct range item[RANGES_MAX];
    size_t       count;
};
struct row {
    char          node[PKI_NAME_MAX + 1], stream[ENVELOPE_STREAM_MAX], digest[NODE_HASH_TEXT];
    uint64_t      number;
    bool          taken;
    struct ranges missing, refused;
};
struct envelope_book {
    char         path[4096];
    struct row **rows;
    size_t       count;
};

static struct row *row_add(struct envelope_book *b, const char *node, const char *stream)
{
    struct row **more = b->count < ENVELOPE_STREAMS_MAX ? realloc(b->rows, (b->count + 1) * sizeof(struct row *)) : NULL, *r;

    if (!more)
        return NULL;
    b->rows = more;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    snprintf(r->node, sizeof r->node, "%s", node);
    snprintf(r->stream, sizeof r->stream, "%s", stream);
    snprintf(r->digest, sizeof r->digest, "%s", ENVELOPE_ZERO_HASH);
    r->taken = true;
    b->rows[b->count++] = r;
    return r;
}

static struct row *row_find(const struct envelope_book *b, const struct envelope_manifest *m)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->rows[i]->node, m->node) == 0 && strcmp(b->rows[i]->stream, m->stream) == 0)
            return b->rows[i];
    return NULL;
}

/* ranges_read - a list that is not there is empty: what earlier releases wrote has no refused. */
static bool ranges_read(struct ranges *r, const json_t *list)
{
    if (json_array_size(list) > RANGES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        r->item[r->count++] = (struct range){ (uint64_t)json_integer_value(json_array_get(one, 0)), (uint64_t)json_integer_value(json_array_get(one, 1)) };
    }
    return true;
}

static bool row_read(struct envelope_book *b, const json_t *j)
{
    const char *node = json_string_value(json_object_get(j, "node")), *stream = json_string_value(json_object_get(j, "stream"));
    const char *digest = json_string_value(json_object_get(j, "digest"));
    struct row *r = node && stream && digest ? row_add(b, node, stream) : NULL;

    if (!r)
        return false;
    snprintf(r->digest, sizeof r->digest, "%s", digest);
    r->number = (uint64_t)json_integer_value(json_object_get(j, "number"));
    r->taken = json_is_true(json_object_get(j, "taken"));
    return ranges_read(&r->missing, json_object_get(j, "missing")) && ranges_read(&r->refused, json_object_get(j, "refused"));
}

int envelope_book_load(const char *folder, struct envelope_book **out, struct err *e)
{
    struct envelope_book *b = calloc(1, sizeof *b);
    AUTO_BUF struct buf text = { 0 };
    json_t *j = NULL;
    bool ok = true;
    int rc = 0;

    buf_init(&text, BOOK_MAX + READ_SPARE);
    *out = NULL;
    if (!b)
        return err_set(e, -ENOMEM, "no memory for the book of envelopes");
    snprintf(b->path, sizeof b->path, "%.4000s/envelopes.json", folder);
    if (file_exists(b->path))
        rc = file_read(b->path, BOOK_MAX, &text, e);
    if (rc == 0 && text.n) {
        j = json_loadb(text.p, text.n, 0, NULL);
        ok = json_is_array(j);
        for (size_t i = 0; ok && i < json_array_size(j); i++)
            ok = row_read(b, json_array_get(j, i));
        json_decref(j);
    }
    if (rc == 0 && !ok)
        rc = err_set(e, -EBADMSG, "\"%s\" is no book of envelopes", b->path);
    if (rc < 0) {
        envelope_book_free(&b);
        return rc;
    }
    *out = b;
    return 0;
}

void envelope_book_free(struct envelope_book **b)
{
    if (!*b)
        return;
    for (size_t i = 0; i < (*b)->count; i++)
        free((*b)->rows[i]);
    free((*b)->rows);
    free(*b);
    *b = NULL;
}

static void ranges_write(const struct ranges *r, struct buf *to)
{
    for (size_t i = 0; i < r->count; i++)
        buf_printf(to, "%s[%llu,%llu]", i ? "," : "", (unsigned long long)r->item[i].from, (unsigned long long)r->item[i].to);
}

static int save(const struct envelope_book *b, struct err *e)
{
    AUTO_BUF struct buf text = { 0 };

    buf_init(&text, BOOK_MAX);
    buf_byte(&text, '[');
    for (size_t i = 0; i < b->count; i++) {
        const struct row *r = b->rows[i];

        buf_printf(&text, "%s\n{\"node\":\"%s\",\"stream\":\"%s\",\"number\":%llu,\"digest\":\"%s\",\"taken\":%s,\"missing\":[", i ? "," : "", r->node, r->stream,
                   (unsigned long long)r->number, r->digest, r->taken ? "true" : "false");
        ranges_write(&r->missing, &text);
        buf_str(&text, STR("],\"refused\":["));
        ranges_write(&r->refused, &text);
        buf_str(&text, STR("]}"));
    }
    buf_str(&text, STR("\n]\n"));
    if (buf_failed(&text))
        return err_set(e, -E2BIG, "the book of envelopes is full");
    return file_write_atomic(b->path, buf_view(&text), 0640, e);
}

static struct range *range_at(struct ranges *r, uint64_t number)
{
    for (size_t i = 0; i < r->count; i++)
        if (number >= r->item[i].from && number <= r->item[i].to)
            return &r->item[i];
    return NULL;
}

static void range_remove(struct ranges *r, uint64_t number)
{
    struct range *gap = range_at(r, number), old;

    if (!gap)
        return;
    old = *gap;
    if (old.from == old.to)
        *gap = r->item[--r->count];
    else if (number == old.from)
        gap->from++;
    else if (number == old.to)
        gap->to--;
    else if (r->count < RANGES_MAX) {
        gap->to = number - 1;
        r->item[r->count++] = (struct range){ number + 1, old.to };
    }
}

/* range_put - beside the one it follows, or as one of its own; in a full list the oldest gives way, as the files themselves still tell. */
static void range_put(struct ranges *r, uint64_t number)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->item[i].to + 1 == number) {
            r->item[i].to++;
            return;
        }
    if (r->count == RANGES_MAX)
        memmove(r->item, r->item + 1, --r->count * sizeof r->item[0]);
    r->item[r->count++] = (struct range){ number, number };
}

static void origin_of(const struct envelope_manifest *m, bool late, char out[ENVELOPE_ORIGIN_MAX])
{
    char text[256], hash[NODE_HASH_TEXT];

    snprintf(text, sizeof text, "%s/%s/%llu", m->node, m->stream, late ? (unsigned long long)m->number : 0ULL);
    node_sha256(str_c(text), hash);
    snprintf(out, ENVELOPE_ORIGIN_MAX, "envelope/%.40s/%s", m->node, hash);
}

/* next_in_order - m is the highest number so far: what lies between is missing from now on. */
static int next_in_order(struct envelope_book *b, struct row *r, const struct envelope *v, struct err *e)
{
    const struct envelope_manifest *m = &v->m;

    if (!r->taken)
        return err_set(e, -EAGAIN, "envelope %llu of \"%s\" was begun and not finished: import it first", (unsigned long long)r->number, m->stream);
    if (m->number == r->number + 1 && strcmp(m->previous, r->digest) != 0)
        return err_set(e, -EBADMSG, "envelope %llu of \"%s\" does not follow the envelope %llu that came: the chain is broken, or it is of another sender with the "
                       "same name", (unsigned long long)m->number, m->stream, (unsigned long long)r->number);
    if (m->number > r->number + 1) {
        if (r->missing.count == RANGES_MAX || m->number - r->number > ENVELOPE_MISSING_MAX)
            return err_set(e, -E2BIG, "too many envelopes before number %llu of \"%s\" are missing", (unsigned long long)m->number, m->stream);
        r->missing.item[r->missing.count++] = (struct range){ r->number + 1, m->number - 1 };
    }
    r->number = m->number;
    r->taken = false;
    snprintf(r->digest, sizeof r->digest, "%s", v->digest);
    return save(b, e);
}

int envelope_book_begin(struct envelope_book *b, const struct envelope *v, enum envelope_place *place, char origin[ENVELOPE_ORIGIN_MAX], struct err *e)
{
    const struct envelope_manifest *m = &v->m;
    struct row *r = row_find(b, m);
    bool late;

    if (!r)
        r = row_add(b, m->node, m->stream);
    if (!r)
        return err_set(e, -ENOMEM, "no room for one more stream of envelopes");
    late = m->number < r->number && range_at(&r->missing, m->number);
    origin_of(m, late, origin);
    *place = late ? ENVELOPE_LATE : m->number > r->number || (m->number == r->number && !r->taken) ? ENVELOPE_IN_ORDER : ENVELOPE_AGAIN;
    if (m->number > r->number)
        return next_in_order(b, r, v, e);
    if (m->number == r->number && strcmp(v->digest, r->digest) != 0)
        return err_set(e, -EBADMSG, "another envelope %llu of \"%s\" came before: this one is not the same", (unsigned long long)m->number, m->stream);
    /* Others came behind it, and what is left of it has lower numbers. As the last one it may be tried again. */
    if (m->number < r->number && range_at(&r->refused, m->number))
        return err_set(e, -EBADMSG, "envelope %llu of \"%s\" was refused before, in the middle: have its events sent again", (unsigned long long)m->number, m->stream);
    return 0;
}

/* done - the envelope needs nothing more: it was taken, or a block of it was refused. */
static int done(struct envelope_book *b, const struct envelope *v, bool refused, struct err *e)
{
    struct row *r = row_find(b, &v->m);

    if (!r)
        return err_set(e, -EINVAL, "an envelope was not begun");
    if (v->m.number == r->number)
        r->taken = true;
    range_remove(&r->missing, v->m.number);
    range_remove(&r->refused, v->m.number);
    if (refused)
        range_put(&r->refused, v->m.number);
    return save(b, e);
}

int envelope_book_end(struct envelope_book *b, const struct envelope *v, struct err *e) { return done(b, v, false, e); }
int envelope_book_refuse(struct envelope_book *b, const struct envelope *v, struct err *e) { return done(b, v, true, e); }

static int by_from(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return x->from < y->from ? -1 : x->from > y->from;
}

void envelope_book_missing(const struct envelope_book *b, const struct envelope *v, struct buf *out)
{
    struct row *r = row_find(b, &v->m);

    if (!r)
        return;
    qsort(r->missing.item, r->missing.count, sizeof r->missing.item[0], by_from);
    for (size_t i = 0; i < r->missing.count; i++) {
        const struct range *gap = &r->missing.item[i];

        buf_printf(out, i ? ", %llu" : "%llu", (unsigned long long)gap->from);
        if (gap->to > gap->from)
            buf_printf(out, "-%llu", (unsigned long long)gap->to);
    }
}
