/* lists.c - sorted lists on disk, so that fifty thousand files cost a line of memory; see facts.h. */
#include "agent/facts.h"

#include <unistd.h>

void fact_escape(struct str raw, struct buf *out)
{
    bool text = str_utf8_valid(raw);

    for (size_t i = 0; i < raw.n; i++) {
        unsigned char c = (unsigned char)raw.p[i];

        if (c < ' ' || c == '%' || c == 127 || (c > 127 && !text))
            buf_printf(out, "%%%02x", c);
        else
            buf_byte(out, (char)c);
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fact_unescape(struct str text, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++, n++) {
        int v = (unsigned char)text.p[i];

        if (n + 1 >= size)
            return false;
        if (v == '%') {
            if (text.n - i < 3 || digit(text.p[i + 1]) < 0 || digit(text.p[i + 2]) < 0)
                return false;
            v = digit(text.p[i + 1]) * 16 + digit(text.p[i + 2]);
            i += 2;
        }
        out[n] = (char)v;
    }
    out[n] = 0;
    return true;
}

int fact_key_cmp(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];

        if (x != y)
            return x == '/' ? -1 : y == '/' ? 1 : x < y ? -1 : 1;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

/* line_read - without its end; false at the end of the file, and for one that is cut. */
static bool line_read(FILE *f, char *line, size_t size, struct str *out)
{
    if (!fgets(line, (int)size, f))
        return false;
    *out = str_c(line);
    if (!out->n || out->p[out->n - 1] != '\n')
        return false;
    out->n--;
    return true;
}

static bool head_read(FILE *f, char *line, size_t size, uint64_t *scan)
{
    struct str head, word;

    return line_read(f, line, size, &head) && str_split(&head, ' ', &word) && str_eq(word, STR("saqshy-facts")) && str_split(&head, ' ', &word) &&
           str_eq(word, STR("1")) && str_split(&head, ' ', &word) && str_u64(head, scan);
}

bool list_open(struct list *l, const char *path)
{
    l->have = l->whole = false;
    l->f = fopen(path, "re");
    if (!l->f)
        return false;
    if (!head_read(l->f, l->line, sizeof l->line, &l->scan)) {
        list_close(l);
        return false;
    }
    list_advance(l);
    return true;
}

void list_advance(struct list *l)
{
    struct str line;
    ptrdiff_t at;

    l->have = l->f && line_read(l->f, l->line, sizeof l->line, &line);
    if (l->have && line.n && line.p[0] == 4) {
        l->whole = true;
        l->have = false;
    }
    if (!l->have)
        return;
    at = str_chr(line, '\t');
    l->key = str_of(line.p, at < 0 ? line.n : (size_t)at);
    l->value = at < 0 ? str_of(NULL, 0) : str_cut(line, (size_t)at + 1);
    at = str_chr(l->value, 31);
    l->aux = at < 0 ? str_of(NULL, 0) : str_cut(l->value, (size_t)at + 1);
    if (at >= 0)
        l->value.n = (size_t)at;
}

void list_close(struct list *l)
{
    if (l->f)
        fclose(l->f);
    l->f = NULL;
    l->have = false;
}

int list_make(struct list_out *o, const char *path, const char *kind, uint64_t scan, struct err *e)
{
    *o = (struct list_out){ .f = fopen(path, "we") };
    if (!o->f)
        return err_sys(e, "could not write \"%s\"", path);
    fprintf(o->f, "saqshy-facts 1 %s %llu\n", kind, (unsigned long long)scan);
    return 0;
}

void list_put(struct list_out *o, struct str key, struct str value, struct str aux)
{
    fwrite(key.p, 1, key.n, o->f);
    fputc('\t', o->f);
    if (value.n)
        fwrite(value.p, 1, value.n, o->f);
    if (aux.n) {
        fputc(31, o->f);
        fwrite(aux.p, 1, aux.n, o->f);
    }
    fputc('\n', o->f);
    o->count++;
}

int list_resume(struct list_out *o, const char *path, uint64_t *scan, char *last, size_t size, struct err *e)
{
    char line[FACT_LINE_MAX];
    struct str s;
    long at = 0;

    *o = (struct list_out){ .f = fopen(path, "r+e") };
    last[0] = 0;
    if (!o->f)
        return 0;
    bool ok = head_read(o->f, line, sizeof line, scan);
    while (ok && (at = ftell(o->f)) >= 0 && line_read(o->f, line, sizeof line, &s) && s.n && s.p[0] != 4) {
        ptrdiff_t tab = str_chr(s, '\t');

        if (tab < 0 || (size_t)tab >= size)
            break;
        memcpy(last, s.p, (size_t)tab);
        last[tab] = 0;
        o->count++;
    }
    if (!ok || at <= 0) {
        list_abort(o);
        return 0;
    }
    if (ftruncate(fileno(o->f), at) < 0 || fseek(o->f, at, SEEK_SET) < 0) {
        list_abort(o);
        return err_sys(e, "could not go on with \"%s\"", path);
    }
    return 1;
}

int list_end(struct list_out *o, struct err *e)
{
    int rc = 0;

    fprintf(o->f, "\4end %llu\n", (unsigned long long)o->count);
    if (fflush(o->f) != 0 || ferror(o->f) || fsync(fileno(o->f)) < 0)
        rc = err_sys(e, "could not write a list of facts");
    list_abort(o);
    return rc;
}

void list_abort(struct list_out *o)
{
    if (o->f)
        fclose(o->f);
    o->f = NULL;
}
