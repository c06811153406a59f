/* folder_conf.c - the options of a watched folder, and what of the disk it must see; see folder.h. The sandbox asks here, too. */
#include "ingest/folder.h"

static const char *option(const struct listen_conf *c, const char *name, const char *usual)
{
    const char *s = listen_option(c, name);

    return s && *s ? s : usual;
}

static int number(const struct listen_conf *c, const char *name, int64_t usual, int64_t most, int64_t *out, struct err *e)
{
    const char *s = option(c, name, "");

    *out = usual;
    if (*s && (!str_i64(str_c(s), out) || *out < 0 || *out > most))
        return err_set(e, -EINVAL, "option %s: a number of seconds up to %lld", name, (long long)most);
    return 0;
}

static int one_of(const struct listen_conf *c, const char *name, const char *const *words, size_t count, int *out, struct err *e)
{
    const char *s = option(c, name, words[0]);

    for (size_t i = 0; i < count; i++)
        if (strcmp(s, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
    return err_set(e, -EINVAL, "option %s: \"%s\" is none of its words", name, s);
}

/* records - how records of several lines begin (parse/edges.h). */
static int records(const struct listen_conf *c, struct folder_conf *out, struct err *e)
{
    const char *s = option(c, "records", "");
    struct str rest, one;
    size_t count = 0;

    if (strlen(s) >= sizeof out->records)
        return err_set(e, -EINVAL, "option records: more than %zu bytes", sizeof out->records - 1);
    snprintf(out->records, sizeof out->records, "%s", s);
    rest = str_c(out->records);
    while (rest.n && str_split(&rest, '|', &one))
        if (one.n == 0 || count++ == RECORD_STARTS_MAX)
            return err_set(e, -EINVAL, "option records: one to %d beginnings parted by |, as \"####-##-## \"", RECORD_STARTS_MAX);
    return 0;
}

int folder_conf_read(const struct listen_conf *c, struct folder_conf *out, struct err *e)
{
    static const char *const known[] = { "path", "finished", "done", "from", "name", "quiet_s", "finished_s", "look_s", "records" };
    static const char *const finished[] = { "keep", "move" }, *const from[] = { "beginning", "end" }, *const name[] = { "path", "folder", "file" };
    int move = 0, end = 0, named = 0, rc;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < c->option_count; i++) {
        bool fine = false;

        for (size_t k = 0; k < COUNT(known); k++)
            fine = fine || strcmp(c->options[i].name, known[k]) == 0;
        if (!fine)
            return err_set(e, -EINVAL, "unknown option \"%s\": path, finished, done, from, name, quiet_s, finished_s, look_s and records are known", c->options[i].name);
    }
    snprintf(out->pattern, sizeof out->pattern, "%s", option(c, "path", c->address));
    snprintf(out->done, sizeof out->done, "%s", option(c, "done", "done"));
    if (out->pattern[0] != '/' || strlen(out->pattern) > FOLDER_PATH_MAX - 400 || str_ends(str_c(out->pattern), STR("/")))
        return err_set(e, -EINVAL, "a watched folder needs a whole path of files, as /srv/drop/*.log");
    if (out->done[0] != '/' && strchr(out->done, '/'))
        return err_set(e, -EINVAL, "option done: the name of a folder beside each file, or a whole path");
    rc = one_of(c, "finished", finished, COUNT(finished), &move, e);
    if (rc == 0)
        rc = one_of(c, "from", from, COUNT(from), &end, e);
    if (rc == 0)
        rc = one_of(c, "name", name, COUNT(name), &named, e);
    if (rc == 0)
        rc = number(c, "quiet_s", 10, 86400, &out->quiet_s, e);
    if (rc == 0)
        rc = number(c, "finished_s", 60, 30 * 86400, &out->finished_s, e);
    if (rc == 0)
        rc = number(c, "look_s", 2, 3600, &out->look_s, e);
    if (rc == 0)
        rc = records(c, out, e);
    out->move = move == 1;
    out->from_end = end == 1;
    out->name = (enum folder_name)named;
    return rc;
}

void folder_roots(const struct folder_conf *c, folder_root *take, void *arg)
{
    char folder[FOLDER_PATH_MAX];
    char *wild, *slash;

    snprintf(folder, sizeof folder, "%s", c->pattern);
    wild = strpbrk(folder, "*?[{");
    if (wild)
        *wild = 0;
    slash = strrchr(folder, '/');
    if (slash == folder)
        slash++;
    *slash = 0;
    take(arg, folder, c->move);
    if (c->move && c->done[0] == '/')
        take(arg, c->done, true);
}
