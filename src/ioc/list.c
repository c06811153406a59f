/* list.c - lists: a value a line, or the columns of a CSV file.
 *
 * Lines that begin with '#', ';' or "//" say something of the list. A first line whose cells name columns ("type", "value", "indicator", "confidence", "tlp", "valid_until",
 * "description" and their like) is a heading; without one the first cell of a line is the value. Cells are parted by ',', ';' or a tab, and may be quoted. */
#include "ioc/internal.h"

#define CELLS_MAX 64
#define LINE_MAX  (16u * KIB)

enum column { COLUMN_VALUE, COLUMN_TYPE, COLUMN_CONFIDENCE, COLUMN_TLP, COLUMN_FROM, COLUMN_UNTIL, COLUMN_NOTE, COLUMN_ID, COLUMNS };

static const struct {
    const char *name;
    enum column column;
} headings[] = {
    { "value", COLUMN_VALUE },       { "indicator", COLUMN_VALUE },      { "ioc", COLUMN_VALUE },       { "ioc_value", COLUMN_VALUE }, { "observable", COLUMN_VALUE },
    { "type", COLUMN_TYPE },         { "ioc_type", COLUMN_TYPE },        { "indicator_type", COLUMN_TYPE }, { "confidence", COLUMN_CONFIDENCE },
    { "confidence_level", COLUMN_CONFIDENCE }, { "tlp", COLUMN_TLP },    { "valid_from", COLUMN_FROM }, { "first_seen", COLUMN_FROM },
    { "valid_until", COLUMN_UNTIL }, { "expires", COLUMN_UNTIL },        { "expiration", COLUMN_UNTIL }, { "description", COLUMN_NOTE },
    { "comment", COLUMN_NOTE },      { "note", COLUMN_NOTE },            { "id", COLUMN_ID },           { "uuid", COLUMN_ID },
};

/* Words of feeds for our types. */
static const struct {
    const char   *name;
    enum ioc_type type;
} kinds[] = {
    { "address", IOC_IP },      { "ipv4", IOC_IP },           { "ipv6", IOC_IP },         { "ip-src", IOC_IP },       { "ip-dst", IOC_IP },         { "ipv4-addr", IOC_IP },
    { "ipv6-addr", IOC_IP },    { "cidr", IOC_NETWORK },      { "hostname", IOC_DOMAIN }, { "domain-name", IOC_DOMAIN }, { "fqdn", IOC_DOMAIN },    { "uri", IOC_URL },
    { "md5", IOC_HASH },        { "sha1", IOC_HASH },         { "sha256", IOC_HASH },     { "sha512", IOC_HASH },     { "md5_hash", IOC_HASH },     { "sha1_hash", IOC_HASH },
    { "sha256_hash", IOC_HASH }, { "filehash-md5", IOC_HASH }, { "filehash-sha1", IOC_HASH }, { "filehash-sha256", IOC_HASH }, { "email-addr", IOC_EMAIL },
    { "email-src", IOC_EMAIL }, { "filename", IOC_FILE },     { "user-agent", IOC_AGENT },
};

struct listing {
    struct reading *r;
    char            sep;
    int             at[COLUMNS];     /* -1: not there */
    bool            begun, columns;  /* columns: a heading names more than one */
};

static enum ioc_type kind_of(struct str word)
{
    for (enum ioc_type t = 0; t < IOC_TYPES; t++)
        if (str_ieq(word, str_c(ioc_type_name(t))))
            return t;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_ieq(word, str_c(kinds[i].name)))
            return kinds[i].type;
    return IOC_TYPES;
}

/* cell_of - the next cell; a quoted one may hold separators, and "" for a quote (quotes_single). */
static struct str cell_of(struct str *line, char sep)
{
    struct str cell;
    size_t n = 0;

    *line = str_of(line->p, line->n);
    while (line->n && (*line->p == ' ' || (*line->p == '\t' && sep != '\t')))
        *line = str_cut(*line, 1);
    if (line->n && *line->p == '"') {
        for (n = 1; n < line->n && !(line->p[n] == '"' && (n + 1 == line->n || line->p[n + 1] != '"')); n++)
            n += line->p[n] == '"';
        cell = str_of(line->p + 1, min_size(n, line->n) - 1);
        *line = str_cut(*line, n + 1);
        ptrdiff_t end = str_chr(*line, sep);
        *line = end < 0 ? str_cut(*line, line->n) : str_cut(*line, (size_t)end + 1);
        return cell;
    }
    while (n < line->n && line->p[n] != sep)
        n++;
    cell = str_trim(str_of(line->p, n));
    *line = str_cut(*line, n + 1);
    return cell;
}

static size_t cells_of(struct str line, char sep, struct str *cells)
{
    size_t n = 0;

    do
        cells[n++] = cell_of(&line, sep);
    while (line.n && n < CELLS_MAX);
    return n;
}

/* heading - true if a cell names the column of values. */
static bool heading(struct listing *l, const struct str *cells, size_t count)
{
    int at[COLUMNS];

    for (size_t c = 0; c < COLUMNS; c++)
        at[c] = -1;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < COUNT(headings); k++)
            if (str_ieq(cells[i], str_c(headings[k].name)) && at[headings[k].column] < 0)
                at[headings[k].column] = (int)i;
    if (at[COLUMN_VALUE] < 0)
        return false;
    memcpy(l->at, at, sizeof at);
    l->columns = count > 1;
    return true;
}

static struct str cell_at(const struct listing *l, const struct str *cells, size_t count, enum column c)
{
    return l->at[c] >= 0 && (size_t)l->at[c] < count ? cells[l->at[c]] : str_of(NULL, 0);
}

static time_ns moment(struct str s, time_ns usual)
{
    time_ns t;
    int offset;

    return s.n && time_parse_rfc3339(s, &t, &offset, NULL) == 0 ? t : usual;
}

/* quotes_single - "" as the one quote that it stands for. What is too long for a value stays as it is, and is refused later. */
static struct str quotes_single(struct str s, char room[IOC_VALUE_MAX])
{
    size_t n = 0;

    if (s.n > IOC_VALUE_MAX || str_find(s, STR("\"\"")) < 0)
        return s;
    for (size_t i = 0; i < s.n; i++) {
        room[n++] = s.p[i];
        i += s.p[i] == '"' && i + 1 < s.n && s.p[i + 1] == '"';
    }
    return str_of(room, n);
}

static int take_row(struct listing *l, const struct str *cells, size_t count)
{
    struct ioc one = *l->r->usual;
    struct str value = cell_at(l, cells, count, COLUMN_VALUE), type = cell_at(l, cells, count, COLUMN_TYPE), note = cell_at(l, cells, count, COLUMN_NOTE);
    enum ioc_tlp tlp = ioc_tlp_parse(cell_at(l, cells, count, COLUMN_TLP));
    char room[IOC_VALUE_MAX], note_room[IOC_VALUE_MAX];
    uint64_t confidence;

    if (l->columns) {
        value = quotes_single(value, room);
        note = quotes_single(note, note_room);
    }
    if (value.n == 0)
        return 0;
    one.type = type.n ? kind_of(type) : one.type < IOC_TYPES ? one.type : ioc_guess(value);
    if (one.type == IOC_TYPES) {
        ioc_skip(l->r, type.n ? IOC_SKIP_TYPE : IOC_SKIP_VALUE, type.n ? type : value);
        return 0;
    }
    if (one.type == IOC_IP && str_chr(value, '/') > 0)
        one.type = IOC_NETWORK;
    one.id = cell_at(l, cells, count, COLUMN_ID);
    one.note = str_of(note.p, min_size(note.n, IOC_NOTE_MAX));
    one.from = moment(cell_at(l, cells, count, COLUMN_FROM), one.from);
    one.until = moment(cell_at(l, cells, count, COLUMN_UNTIL), one.until);
    if (tlp > IOC_TLP_NONE && tlp < IOC_TLP_COUNT)
        one.tlp = tlp;
    if (str_u64(cell_at(l, cells, count, COLUMN_CONFIDENCE), &confidence) && confidence <= 100)
        one.confidence = (uint8_t)confidence;
    return ioc_take(l->r, &one, value);
}

/* separator_of - of a line that may be a heading: the mark that is in it most often. URLs have commas: without a heading a line that is an indicator as a whole is not parted (take_line). */
static char separator_of(struct str line)
{
    static const char marks[] = ",;\t";
    size_t best = 0;
    char sep = '\t';

    for (size_t k = 0; marks[k]; k++) {
        size_t n = 0;

        for (size_t i = 0; i < line.n; i++)
            n += line.p[i] == marks[k];
        if (n > best) {
            best = n;
            sep = marks[k];
        }
    }
    return sep;
}

static int take_line(struct listing *l, struct str line)
{
    struct str cells[CELLS_MAX];

    line = str_trim(line);
    if (line.n == 0 || *line.p == '#' || (*line.p == ';' && !(l->columns && l->sep == ';')) || str_starts(line, STR("//")))
        return 0;
    if (line.n > LINE_MAX) {
        ioc_skip(l->r, IOC_SKIP_VALUE, line);
        return 0;
    }
    if (!l->begun) {
        l->begun = true;
        l->sep = separator_of(line);
        if (heading(l, cells, cells_of(line, l->sep, cells)))
            return 0;
    }
    if (!l->columns && ioc_guess(line) < IOC_TYPES) {
        cells[0] = line;
        return take_row(l, cells, 1);
    }
    return take_row(l, cells, cells_of(line, l->sep, cells));
}

int ioc_list(struct reading *r, struct str text)
{
    struct listing l = { .r = r };
    struct str line;
    int rc = 0;

    for (size_t c = 1; c < COLUMNS; c++)
        l.at[c] = -1;
    while (rc == 0 && str_split(&text, '\n', &line))
        rc = take_line(&l, line);
    return rc;
}
