/* test_spec.c - every row of requirements 5.1, 5.2 and 5.3 a second time, written here from their text, against the edition as shipped.
 * Two tables that must agree find more than one that is always right. Columns as in the requirements; lists are separated by blanks. */
#include "duty/test_world.h"

struct spec {
    const char *id, *paragraph, *start; /* start: the field; "!" after it: a moment, not a day */
    int32_t     amount;
    const char *unit, *who, *whom, *facts;
    int32_t     annex;
    const char *channels, *parallel, *late, *reading, *work, *chapters, *word; /* word: must stand in the English content */
};

#define OP   "owner possessor"
#define OPO  "owner possessor ocib_provider"
#define CII  "cii_owner"
#define IR   "incident_response"
#define PROT "protection"
#define SEC  "secure_operation"

static const struct spec rows[] = {
    { "D-01", "8", "commissioned_on", 10, "business_days", OP, "sts", "commission_paper_at commission_electronic_at", 1, "paper electronic", "",
      "", "", "", "2", "official letter" },
    { "D-02", "8", "terminated_on", 10, "business_days", OP, "sts", "termination_paper_at termination_electronic_at", 1, "paper electronic", "",
      "", "", "", "2", "official letter" },
    { "D-03", "15", "request_received_at", 10, "business_days", OP, "sts", "information_sent_at", 1, "electronic", "", "", "", "", "2",
      "electronically" },
    { "D-04", "16", "changed_at!", 48, "hours", OP, "sts", "contacts_sent_at", 0, "", "", "", "", "", "2", "contact data" },
    { "D-05", "10(1)", "detected_at!", 30, "minutes", "sts", "responsible_person", "notified_at", 7, "", "", "", "", IR, "2", "Annex 7" },
    { "D-06", "10(1)", "confirmed_at!", 72, "hours", "owner possessor authorised_person", "",
      "causes_eliminated_at consequences_eliminated_at", 0, "", "", "notify_knb", "", IR, "2", "consequences" },
    { "D-07", "12", "change_at", -5, "business_days", OPO, "sts", "logging_notice_sent_at", 0, "", "", "", "", IR, "2", "formats" },
    { "D-08", "12", "confirmed_at!", 15, "minutes", OPO, "sts", "sts_notified_at", 0, "", "", "", "", IR, "2", "no form" },
    { "D-09", "12", "confirmed_at!", 72, "hours", OPO, "sts", "measures_sent_at", 2, "", "D-06", "", "", IR, "2", "Annex 2" },
    { "D-10", "12", "notified_at!", 72, "hours", OPO, "sts", "analysis_sent_at", 0, "", "", "", "", IR, "2", "no form" },
    { "D-11", "12", "notified_at!", 72, "hours", OPO, "sts", "measures_sent_at", 2, "", "D-06", "", "", IR, "2", "Annex 2" },
    { "D-12", "10(2)", "survey_completed_on", 10, "business_days", "sts", OP, "results_sent_at", 0, "", "", "", "", PROT, "2",
      "recommendations" },
    { "D-13", "13", "results_received_on", 20, "calendar_days", OP, "sts", "measures_sent_at", 0, "", "", "", "", PROT, "2", "measures taken" },
    { "D-14", "13", "detected_at!", 24, "hours", OP, "sts", "vulnerability_sent_at", 5, "", "", "", "", PROT, "2", "Annex 5" },
    { "D-15", "Annex 6", "first_detected_on", 6, "months", OP, "", "eliminated_at", 6, "", "", "", "", PROT, "2", "justification" },
    { "D-16", "14", "td_notice_received_on", 10, "business_days", OP, "sts", "documents_sent_at", 3, "", "", "", "", SEC, "2",
      "certified copies" },
    { "D-17", "10(3)", "td_survey_completed_on", 10, "business_days", "sts", OP, "td_results_sent_at", 0, "", "", "", "", SEC, "2",
      "recommendations" },
    { "D-18", "14", "td_results_received_on", 1, "months", OP, "sts", "td_measures_sent_at", 0, "", "", "", "", SEC, "2", "measures taken" },
    { "D-19", "17", "quarter", 1, "quarter", "sts", "knb", "report_sent_at", 0, "", "", "", "Q-25", "", "2", "consolidated information" },
    { "D-20", "18", "quarter", 1, "quarter", "knb", "authorised_body", "report_sent_at", 0, "", "", "", "Q-25", "", "2", "without IS events" },
    { "D-21", "20", "included_on", 90, "calendar_days", CII, "ocib", "connected_at", 0, "", "", "", "", "", "3", "connection" },
    { "D-22", "20", "included_on", 90, "calendar_days", CII, "", "designated_at", 0, "", "", "", "Q-26", "", "3", "responsible person" },
    { "D-23", "22", "confirmed_at!", 15, "minutes", "ocib", "sts", "sts_notified_at", 0, "", "", "", "", "", "3", "no form" },
    { "D-24", "22", "confirmed_at!", 15, "minutes", "ocib", "cii_responsible", "owner_notified_at", 0, "", "", "", "", "", "3", "no form" },
    { "D-25", "22", "confirmed_at!", 72, "hours", "ocib", "sts", "measures_sent_at", 2, "", "", "", "", "", "3", "Annex 2" },
    { "D-26", "23", "notification_received_on", 30, "calendar_days", CII, "", "corrected_at", 0, "", "", "", "", "", "3", "correction" },
    { "D-27", "24", "confirmed_at!", 15, "minutes", "cii_responsible", "sts", "sts_notified_at", 0, "", "", "", "", "", "3", "no form" },
    { "D-28", "24", "confirmed_at!", 15, "minutes", "cii_responsible", "ocib", "ocib_notified_at", 0, "", "", "", "", "", "3", "no form" },
    { "D-29", "24", "confirmed_at!", 72, "hours", "ocib", "sts", "measures_sent_at", 2, "", "", "", "", "", "3", "Annex 2" },
    { "D-30", "24", "confirmed_at!", 72, "hours", "cii_unit", "sts", "measures_sent_at", 2, "", "", "", "Q-29", "", "3", "Annex 2" },
    { "D-31", "Annex 2, note **", "confirmed_at!", 48, "hours", "owner possessor ocib_provider ocib cii_unit", "", "level_reviewed_at", 0, "", "",
      "", "Q-09", "", "2 3", "review" },
    { "F-01", "10(2)", "", 8, "per_year", "sts", OP, "", 0, "", "", "", "", PROT, "2", "" },
    { "F-02", "10(2)", "", 2, "per_year", "sts", OP, "", 0, "", "", "", "", PROT, "2", "" },
    { "F-03", "10(2)", "", 4, "per_year", "sts", OP, "", 0, "", "", "", "", PROT, "2", "" },
    { "F-04", "10(2)", "", 2, "per_year", "sts", OP, "", 0, "", "", "", "", PROT, "2", "" },
    { "F-05", "17", "", 4, "per_year", "sts", "knb", "", 0, "", "", "", "", "", "2", "consolidated" },
    { "F-06", "18", "", 4, "per_year", "knb", "authorised_body", "", 0, "", "", "", "", "", "2", "without IS events" },
};

static struct test_world world;

static void put(struct buf *b, struct str s)
{
    if (b->n)
        buf_byte(b, ' ');
    buf_str(b, s);
}

/* want - the list built by the caller equals the words of the table. */
static void want(const struct spec *row, const char *what, struct buf *b, const char *words)
{
    if (!str_eq(b->n ? buf_view(b) : STR(""), str_c(words)))
        fail_msg("%s: %s is \"%.*s\", requirements 5 say \"%s\"", row->id, what, (int)b->n, b->n ? b->p : "", words);
    buf_reset(b);
}

static void bits(struct buf *b, unsigned set, const char *(*name)(unsigned))
{
    for (unsigned bit = 1; bit <= 16; bit <<= 1)
        if (set & bit)
            put(b, str_c(name(bit)));
}

static void lists_agree(const struct spec *row, const struct obligation *o)
{
    AUTO_BUF struct buf b;

    buf_init(&b, KIB);
    for (size_t i = 0; i < o->by_count; i++)
        put(&b, o->by[i]->id);
    want(row, "who", &b, row->who);
    for (size_t i = 0; i < o->to_count; i++)
        put(&b, o->to[i]->id);
    want(row, "whom", &b, row->whom);
    for (size_t i = 0; i < o->fact_count; i++)
        put(&b, o->facts[i]);
    want(row, "what fulfils it", &b, row->facts);
    for (size_t i = 0; i < o->parallel_count; i++)
        put(&b, o->parallel[i]);
    want(row, "what runs beside it", &b, row->parallel);
    bits(&b, o->channels, duty_channel_name);
    want(row, "channels", &b, row->channels);
    bits(&b, o->work, duty_work_name);
    want(row, "work type", &b, row->work);
    for (int i = 2; i <= 3; i++)
        if (o->chapter[i])
            put(&b, i == 2 ? STR("2") : STR("3"));
    want(row, "chapters", &b, row->chapters);
}

static void one_row(void **state)
{
    const struct spec *row = *state;
    const struct obligation *o = edition_obligation(world.w.edition, str_c(row->id));
    size_t n = strlen(row->start);
    bool moment = n && row->start[n - 1] == '!';

    CHECK(row->id, o != NULL);
    CHECK(row->id, str_eq(o->paragraph, str_c(row->paragraph)));
    CHECK(row->id, o->amount == row->amount && strcmp(duty_unit_name(o->unit), row->unit) == 0);
    CHECK(row->id, (o->from != NULL) == (n > 0));
    if (o->from) {
        CHECK(row->id, str_eq(o->from->id, str_of(row->start, n - moment)));
        CHECK(row->id, o->from->day == !moment);
    }
    CHECK(row->id, o->annex == row->annex);
    CHECK(row->id, str_eq(o->on_late.n ? o->on_late : STR(""), str_c(row->late)));
    CHECK(row->id, str_eq(o->reading.n ? o->reading : STR(""), str_c(row->reading)));
    CHECK(row->id, row->word[0] == 0 || str_find(o->content.text[LANG_EN], str_c(row->word)) >= 0);
    CHECK(row->id, !o->from || o->trigger.text[LANG_KK].n > 0);
    /* Days that end on a day of rest move (5.4 item 4; civil code art. 175 knows no exception for months). */
    CHECK(row->id, o->roll == (o->unit == DUTY_CALENDAR_DAYS || o->unit == DUTY_MONTHS));
    /* A form that we have is the one of the annex. */
    CHECK(row->id, !row->annex || !o->form.n || edition_form(world.w.edition, o->form)->annex == row->annex);
    lists_agree(row, o);
}

/* Requirements 5.3, with the paragraph of each row: owed, without any time limit. */
static void what_has_no_term_is_listed(void **state)
{
    static const char *const all[] = { "R-9-01", "R-9-02", "R-10.1-01", "R-10.1-02", "R-10.1-03", "R-10.1-04", "R-10.1-05", "R-10.1-06",
                                       "R-10.1-07", "R-10.1-10", "R-10.1-11", "R-10.1-13", "R-10.2-09", "R-13-05", "R-14-04", "R-15-01",
                                       "R-6-01" };
    const struct edition *ed = world.w.edition;
    struct duty_result r;
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < ed->obligation_count; i++) {
        const struct obligation *o = &ed->obligations[i];

        if (o->unit != DUTY_NONE)
            continue;
        assert_true(str_starts(o->id, STR("N-")) && !o->from && o->by_count > 0 && !obligation_lawful(o));
        for (size_t k = 0; k < o->row_count; k++)
            for (size_t n = 0; n < COUNT(all); n++)
                found += str_eq(o->rows[k], str_c(all[n]));
        assert_int_equal(duty_due(&world.w, o, (struct duty_start){ .at = 0 }, &r, NULL), 0);
        assert_true(r.basis == DUTY_OPEN || r.basis == DUTY_TARGET); /* whatever policy says, never the law */
    }
    assert_int_equal(found, COUNT(all));
}

static void the_edition_has_no_other_rows(void **state)
{
    const struct edition *ed = world.w.edition;
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < ed->obligation_count; i++)
        seen += ed->obligations[i].unit != DUTY_NONE;
    assert_int_equal(seen, COUNT(rows));
}

/* Paragraph 21 was deleted (order 128/НҚ): its number stays and nothing is owed under it. */
static void deleted_paragraph_owes_nothing(void **state)
{
    const struct edition *ed = world.w.edition;

    (void)state;
    for (size_t i = 0; i < ed->obligation_count; i++) {
        assert_false(str_eq(ed->obligations[i].paragraph, STR("21")));
        for (size_t k = 0; k < ed->obligations[i].row_count; k++)
            assert_false(str_starts(ed->obligations[i].rows[k], STR("R-21-")));
    }
}

static int open_world(void **state)
{
    void *p = NULL;
    int rc = test_world_open(&p);

    (void)state;
    if (rc == 0)
        world = *(struct test_world *)p;
    return rc;
}

static int close_world(void **state)
{
    void *p = &world;

    (void)state;
    return test_world_close(&p);
}

int main(void)
{
    static char names[COUNT(rows)][160];
    struct CMUnitTest tests[COUNT(rows) + 3];
    size_t n = 0;

    for (; n < COUNT(rows); n++) {
        snprintf(names[n], sizeof names[n], "%s is in the edition as in requirements 5: %s, %d %s, by %s to %s", rows[n].id, rows[n].paragraph,
                 rows[n].amount, rows[n].unit, rows[n].who, rows[n].whom[0] ? rows[n].whom : "nobody");
        tests[n] = (struct CMUnitTest){ names[n], one_row, NULL, NULL, (void *)(uintptr_t)&rows[n] };
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_has_no_term_is_listed);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(the_edition_has_no_other_rows);
    tests[n++] = (struct CMUnitTest){ "R-21-01 the deleted paragraph owes nothing", deleted_paragraph_owes_nothing, NULL, NULL, NULL };
    return _cmocka_run_group_tests("spec", tests, n, open_world, close_world);
}
