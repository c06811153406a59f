/* expand.c - the modifier "expand": %name% in a value stands for each value of a variable of the pipelines (pipeline.c).
 *
 * Several of them in one value make every combination. "\%" is a percent sign. A name without values refuses the rule: matched as
 * written it would never be true, and nobody would know. */
#include "sigma/modifier.h"

#define PIECES_MAX 32

/* A value in pieces: literal text, or a variable's values. */
struct piece { struct str text; const struct sigma_texts *values; };
struct pieces { struct piece p[PIECES_MAX]; uint32_t n; struct buf literal; };

static bool name_byte(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

/* name_at - the name between the percent sign at "at" and the next; empty if there is none. */
static struct str name_at(struct str s, size_t at)
{
    size_t end = at + 1;

    while (end < s.n && name_byte(s.p[end]))
        end++;
    return end < s.n && s.p[end] == '%' ? str_of(s.p + at + 1, end - at - 1) : (struct str){ NULL, 0 };
}

static int add_piece(struct draft *d, const struct ynode *v, struct pieces *out, struct piece one)
{
    if (out->n == PIECES_MAX)
        return draft_broken(d, v, "a value has more than %d placeholders", PIECES_MAX / 2 - 1);
    out->p[out->n++] = one;
    return 0;
}

static int end_literal(struct draft *d, const struct ynode *v, struct pieces *out)
{
    struct str text = arena_copy(&d->set->arena, buf_view(&out->literal));

    buf_reset(&out->literal);
    if (!text.p)
        return err_set(d->e, -ENOMEM, "no memory for patterns");
    return text.n ? add_piece(d, v, out, (struct piece){ text, NULL }) : 0;
}

static int split(struct draft *d, const struct ynode *v, struct pieces *out)
{
    struct str s = v->text;
    int rc = 0;

    for (size_t i = 0; i < s.n && rc == 0; i++) {
        struct str name = s.p[i] == '%' ? name_at(s, i) : (struct str){ NULL, 0 };
        const struct sigma_texts *values;

        if (name.n == 0) {
            bool pair = s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '\\';   /* read by V1 later; it escapes no percent sign */

            if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '%')
                i++;   /* the sign itself */
            buf_byte(&out->literal, s.p[i]);
            if (pair)
                buf_byte(&out->literal, s.p[++i]);
            continue;
        }
        values = variable_find(d->set, name);
        if (!values || values->count == 0)
            return draft_unsupported(d, v, "no values are known for placeholder \"%%%.*s%%\": write them under \"vars\" of a pipeline", STR_ARG(name));
        rc = end_literal(d, v, out);
        if (rc == 0)
            rc = add_piece(d, v, out, (struct piece){ { NULL, 0 }, values });
        i += name.n + 1;
    }
    return rc < 0 ? rc : end_literal(d, v, out);
}

/* combine - text number n of all combinations: the last placeholder turns fastest. */
static struct str combine(struct arena *a, const struct pieces *all, size_t n, struct buf *b)
{
    size_t turn[PIECES_MAX] = { 0 };

    for (uint32_t i = all->n; i-- > 0;)
        if (all->p[i].values) {
            turn[i] = n % all->p[i].values->count;
            n /= all->p[i].values->count;
        }
    buf_reset(b);
    for (uint32_t i = 0; i < all->n; i++)
        buf_str(b, all->p[i].values ? all->p[i].values->items[turn[i]] : all->p[i].text);
    return arena_copy(a, buf_view(b));
}

static int combine_all(struct draft *d, const struct ynode *v, struct pieces *all, struct sigma_texts *out)
{
    struct arena *a = &d->set->arena;
    struct str *items;
    size_t count = 1;

    for (uint32_t i = 0; i < all->n; i++)
        if (all->p[i].values && (__builtin_mul_overflow(count, all->p[i].values->count, &count) || count > EXPAND_MAX))
            return draft_broken(d, v, "its placeholders make more than %d values", EXPAND_MAX);
    items = arena_array(a, count, sizeof *items);
    if (!items)
        return err_set(d->e, -ENOMEM, "no memory for patterns");
    for (size_t i = 0; i < count; i++) {
        items[i] = combine(a, all, i, &all->literal);
        d->set->spent = d->set->spent || d->set->expanded_bytes + items[i].n > EXPAND_BYTES_MAX;
        if (buf_failed(&all->literal) || d->set->expanded_bytes + items[i].n > EXPAND_BYTES_MAX)
            return draft_broken(d, v, "placeholders make more than %u bytes in all rules", EXPAND_BYTES_MAX);
        if (!items[i].p)
            return err_set(d->e, -ENOMEM, "no memory for patterns");
        d->set->expanded_bytes += items[i].n;
    }
    *out = (struct sigma_texts){ items, count };
    return 0;
}

int expand_value(struct draft *d, const struct ynode *v, struct sigma_texts *out)
{
    AUTO_FREE struct pieces *all = calloc(1, sizeof *all);
    int rc;

    if (!all)
        return err_set(d->e, -ENOMEM, "no memory for patterns");
    buf_init(&all->literal, MIB);
    rc = split(d, v, all);
    if (rc == 0)
        rc = combine_all(d, v, all, out);
    buf_free(&all->literal);
    return rc;
}
