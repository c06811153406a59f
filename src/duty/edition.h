/* edition.h - the Rules as data: terms, obligations, forms, enumerations, event types of one legal edition.
 *
 * Owns      struct edition owns everything reachable from it (texts are views into its YAML files), until
 *           edition_free.
 * Promises  1. A file with an unknown key, a missing one, a wrong type, a doubled or dangling id is refused
 *              whole, with file, line, column and what was expected.
 *           2. Every label has a Kazakh, a Russian and an English text; none is empty.
 *           3. Order in the arrays is the order of the files, which is the order of the Rules.
 *           4. Lookups give NULL for what the edition does not know; they never guess.
 * Threads   any, once loaded.
 * Units     amounts in the obligation's own unit; below zero: counted back from the start.
 * Source    order 52/НҚ in the edition of 175/НҚ, 23.04.2025; the format is docs/rules-as-data.md. */
#ifndef SAQSHY_DUTY_EDITION_H
#define SAQSHY_DUTY_EDITION_H

#include "base/base.h"
#include "base/catalog.h"

/* Bounds of an edition: far above what the Rules need, low enough that a broken file stays small. */
#define EDITION_ITEMS_MAX  2000 /* entries of one list */
#define EDITION_ACTORS_MAX 6    /* alternative performers or addressees of one obligation */
#define EDITION_FACTS_MAX  4    /* facts that end one obligation together; counts that run beside it */
#define EDITION_FILES_MAX  8
#define EDITION_CELLS_MAX  8    /* columns of a field that is a table */

struct label {
    struct str text[LANG_COUNT];
};

struct actor {
    struct str   id; /* "sts" */
    struct label name;
};

struct term {
    struct str   id; /* "is_event" */
    struct label name;
};

/* A definition of paragraph 2: what a word of the Rules means. */
struct definition {
    struct str   row; /* "R-2-07": paragraph 2, item 7 */
    struct label term, meaning;
};

/* A named moment from which an obligation counts, "detected_at". */
struct duty_from {
    struct str   id;
    bool         day; /* the Rules name a day ("from the day of"), not a moment */
    struct label name;
};

enum duty_unit {
    DUTY_MINUTES,
    DUTY_HOURS,
    DUTY_BUSINESS_DAYS,
    DUTY_CALENDAR_DAYS,
    DUTY_MONTHS,
    DUTY_QUARTER,  /* once in the calendar quarter; the Rules name no day */
    DUTY_PER_YEAR, /* a frequency (F-xx): no due moment */
    DUTY_NONE,     /* owed, but the Rules name no time (requirements 5.3): no due moment */
    DUTY_UNIT_COUNT
};

/* The work types of paragraph 3, and the ways in which something must arrive: bits of a set. */
enum duty_work { DUTY_WORK_RESPONSE = 1, DUTY_WORK_PROTECTION = 2, DUTY_WORK_OPERATION = 4 };
enum duty_channel { CHANNEL_PAPER = 1, CHANNEL_ELECTRONIC = 2 };

struct obligation {
    struct str              id;        /* "D-05", stable, stored with the case */
    struct str              paragraph; /* "10(1)", shown beside every deadline */
    struct str              edition;   /* to which it belongs: "kz-52-2025" */
    struct label            title;     /* what must be done */
    struct label            trigger;   /* when it arises; may be empty where there is no term */
    struct label            content;   /* what is sent or done, and in which form; may be empty */
    const struct duty_from *from;      /* NULL for frequencies and where there is no term */
    enum duty_unit          unit;
    int32_t                 amount;    /* below zero: counted back from the start (D-07) */
    bool                    roll;      /* a last day that is not a working day moves to the next working day */
    const struct actor     *by[EDITION_ACTORS_MAX], *to[EDITION_ACTORS_MAX];
    size_t                  by_count, to_count;
    bool                    chapter[4]; /* [2], [3]: the chapters of the Rules to which it belongs */
    unsigned                work;      /* set of duty_work: binds only where one of them is carried out; 0: regardless */
    unsigned                channels;  /* set of duty_channel; 0: the Rules name none */
    int32_t                 annex;     /* the annex that prescribes the form, or 0 */
    struct str              form;      /* id of our form, or empty: we have none */
    struct str              facts[EDITION_FACTS_MAX]; /* what ends it, "notified_at": all of them, the last one counts */
    size_t                  fact_count;
    struct str              parallel[EDITION_FACTS_MAX]; /* counts that run beside it and that it does not end: D-06 beside D-11 */
    size_t                  parallel_count;
    struct str              on_late;   /* what the Rules order when it is missed: "notify_knb", or empty */
    struct str              reading;   /* "Q-26" if the term is our reading of an unclear text, else empty */
    int32_t                 main_count, control_count; /* of a yearly frequency */
    const struct str       *rows;      /* requirement rows, "R-10.1-08" */
    size_t                  row_count;
};

struct enum_value {
    struct str   id;        /* "high" */
    struct str   row;       /* "R-A2-17", or empty */
    int32_t      number;    /* as the Rules number it, else 0 */
    bool         exclusive; /* stands alone in a list ("no consequences") */
    struct label name;
    struct label hint;      /* when to choose it (the criteria of a level); may be empty */
};

struct enumeration {
    struct str               id;
    bool                     prescribed; /* from the Rules; else ours */
    const struct enum_value *values;
    size_t                   count;
};

enum field_type {
    FIELD_GROUP, /* a heading row: its parts follow, numbered 2.1 … */
    FIELD_TEXT,
    FIELD_DATE,
    FIELD_INSTANT,
    FIELD_ENUM,
    FIELD_ENUMS, /* several values of one enumeration */
    FIELD_LIST,  /* several texts */
    FIELD_IOCS,  /* indicators of compromise: each a kind of an enumeration and a text */
    FIELD_IP,    /* one address as text; what a log gave may be no address, and is kept */
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_PARTS, /* one object of several cells: street, city, region */
    FIELD_TABLE, /* several such objects: one row each */
    FIELD_TYPE_COUNT
};

enum field_presence {
    FIELD_REQUIRED,
    FIELD_REQUIRED_OR_NO_DATA, /* required, but "no data in the log" is an answer, and missing never blocks */
    FIELD_IF_IN_LOG,           /* never blocks a notice (9.3 point 8) */
    FIELD_OPTIONAL,
    FIELD_PRESENCE_COUNT
};

struct form_field {
    struct str                row;    /* "R-A7-03", or empty in our own forms */
    struct str                number; /* "2.1" */
    struct str                id;     /* "detected_at" */
    enum field_type           type;
    enum field_presence       presence;
    const struct enumeration *values; /* of FIELD_ENUM, FIELD_ENUMS and FIELD_IOCS, else NULL */
    const struct str         *parts;  /* our sub-fields of a compound item, by identifier */
    size_t                    part_count;
    const struct form_field  *cells;  /* of FIELD_PARTS and FIELD_TABLE: simple fields, in printing order; else NULL */
    size_t                    cell_count;
    struct label              label;
    struct label              hint;   /* text that the form prints in the empty cell; may be empty */
};

/* A table that the form prints after its fields and that is not filled in (the level table of Annex 2). */
struct form_table {
    struct label        title;
    const struct label *columns;
    size_t              column_count;
    const struct label *cells; /* row by row */
    size_t              row_count;
};

struct form {
    struct str               id;         /* "annex7" */
    struct str               identifier; /* "detection_notice" */
    bool                     prescribed; /* by the Rules; false is printed on the form */
    int32_t                  annex;      /* 0 for our own forms */
    struct label             heading;    /* "… қағидаларына 7-қосымша"; empty for our own forms */
    struct label             mark;       /* "Нысан" */
    struct label             title;
    const struct form_field *fields;     /* the table, in the order of the annex */
    size_t                   field_count;
    const struct form_field *extras;     /* printed after it as sections of their own: first recommendations … */
    size_t                   extra_count;
    const struct form_table *tables;
    size_t                   table_count;
    const struct label      *notes;
    size_t                   note_count;
};

struct event_type {
    struct str        code;  /* "OS-04" */
    struct str        row;   /* "R-A4.1-04" */
    struct str        paragraph;
    struct str        class; /* "os" "ux" "win" "db" "net" "fw" "app" "sec" */
    struct str        id;    /* "user_authorization" */
    const struct str *event_ids; /* Windows and Sysmon ids that the Rules name, "4624", "sysmon:1" */
    size_t            event_id_count;
    struct label      label;
};

struct log_field {
    struct str   code; /* "NET-F5" */
    struct str   row;
    struct str   paragraph;
    struct str   class; /* "os" "db" "net" "app" "sec" */
    int32_t      position; /* order in the record, from 1 */
    struct str   id;   /* "source_ip" */
    bool         where_feasible; /* DB-F5 alone */
    struct label label;
};

struct edition {
    struct arena  arena;
    struct yaml  *files[EDITION_FILES_MAX];
    size_t        file_count;
    struct str    id;      /* "kz-52-2025" */
    struct str    act;     /* "52/НҚ" */
    struct str    adopted, edition_of;  /* dates, "2018-03-28", "2025-04-23" */
    struct str    effective_from;       /* a date, or empty: not known */
    struct label  title;
    struct label  basis;   /* the law under which the act was made (paragraph 1); may be empty */
    const struct actor       *actors;       size_t actor_count;
    const struct term        *terms;        size_t term_count;
    const struct definition  *definitions;  size_t definition_count;
    const struct duty_from   *froms;        size_t from_count;
    const struct obligation  *obligations;  size_t obligation_count;
    const struct enumeration *enumerations; size_t enumeration_count;
    const struct form        *forms;        size_t form_count;
    const struct event_type  *event_types;  size_t event_type_count;
    const struct log_field   *log_fields;   size_t log_field_count;
};

/* edition_load - read FOLDER ("…/content/editions/kz-52-2025"). *out is NULL on failure. -EBADMSG with place for a
 * broken file, -ENOENT and kin for one that cannot be read. */
MUST_USE int edition_load(const char *folder, struct edition **out, struct err *e);
void edition_free(struct edition **ed);

const struct obligation  *edition_obligation(const struct edition *ed, struct str id);
const struct form        *edition_form(const struct edition *ed, struct str id);
const struct enumeration *edition_enumeration(const struct edition *ed, struct str id);
const struct enum_value  *enumeration_value(const struct enumeration *en, struct str id);
const struct term        *edition_term(const struct edition *ed, struct str id);
const struct actor       *edition_actor(const struct edition *ed, struct str id);
/* form_field_find - a field or an extra of the form by identifier. */
const struct form_field  *form_field_find(const struct form *f, struct str id);
/* duty_unit_name - "business_days". duty_work_name, duty_channel_name - of one bit: "protection", "paper"; NULL for no bit. */
const char *duty_unit_name(enum duty_unit u);
const char *duty_work_name(unsigned bit);
const char *duty_channel_name(unsigned bit);
/* obligation_lawful - does the law itself name the last moment? Not for D-19, D-20, frequencies and N-xx. */
static inline bool obligation_lawful(const struct obligation *o) { return o->unit <= DUTY_MONTHS; }
const char *field_type_name(enum field_type t);     /* "instant" */
const char *field_presence_name(enum field_presence p); /* "if_in_log" */

#endif
