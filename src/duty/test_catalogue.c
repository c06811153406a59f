/* test_catalogue.c - every time limit of the Rules against the table of requirements 5.1, column by column, written down here once more; and its
 * arithmetic, said whole in three languages. */
#include "duty/test_world.h"

static const struct {
    const char    *id, *paragraph, *from;
    int32_t        amount;
    enum duty_unit unit;
    const char    *by, *to;      /* ids, parted by blanks */
    int32_t        annex;
    const char    *form;         /* ours, where no annex prescribes one; "" where there is none */
    const char    *facts;
    const char    *late;
} rows[] = {
    { "D-01", "8", "commissioned_on", 10, DUTY_BUSINESS_DAYS, "owner possessor", "sts", 1, "annex1", "commission_paper_at commission_electronic_at", "" },
    { "D-02", "8", "terminated_on", 10, DUTY_BUSINESS_DAYS, "owner possessor", "sts", 1, "annex1", "termination_paper_at termination_electronic_at", "" },
    { "D-03", "15", "request_received_at", 10, DUTY_BUSINESS_DAYS, "owner possessor", "sts", 1, "annex1", "information_sent_at", "" },
    { "D-04", "16", "changed_at", 48, DUTY_HOURS, "owner possessor", "sts", 0, "contact_change", "contacts_sent_at", "" },
    { "D-05", "10(1)", "detected_at", 30, DUTY_MINUTES, "sts", "responsible_person", 7, "annex7", "notified_at", "" },
    { "D-06", "10(1)", "confirmed_at", 72, DUTY_HOURS, "owner possessor authorised_person", "", 0, "", "causes_eliminated_at consequences_eliminated_at",
      "notify_knb" },
    { "D-07", "12", "change_at", -5, DUTY_BUSINESS_DAYS, "owner possessor ocib_provider", "sts", 0, "logging_change", "logging_notice_sent_at", "" },
    { "D-08", "12", "confirmed_at", 15, DUTY_MINUTES, "owner possessor ocib_provider", "sts", 0, "incident_notice", "sts_notified_at", "" },
    { "D-09", "12", "confirmed_at", 72, DUTY_HOURS, "owner possessor ocib_provider", "sts", 2, "annex2", "measures_sent_at", "" },
    { "D-10", "12", "notified_at", 72, DUTY_HOURS, "owner possessor ocib_provider", "sts", 0, "event_analysis", "analysis_sent_at", "" },
    { "D-11", "12", "notified_at", 72, DUTY_HOURS, "owner possessor ocib_provider", "sts", 2, "annex2", "measures_sent_at", "" },
    { "D-12", "10(2)", "survey_completed_on", 10, DUTY_BUSINESS_DAYS, "sts", "owner possessor", 0, "survey_results", "results_sent_at", "" },
    { "D-13", "13", "results_received_on", 20, DUTY_CALENDAR_DAYS, "owner possessor", "sts", 0, "survey_measures", "measures_sent_at", "" },
    { "D-14", "13", "detected_at", 24, DUTY_HOURS, "owner possessor", "sts", 5, "annex5", "vulnerability_sent_at", "" },
    { "D-15", "Annex 6", "first_detected_on", 6, DUTY_MONTHS, "owner possessor", "", 6, "", "eliminated_at", "" },
    { "D-16", "14", "td_notice_received_on", 10, DUTY_BUSINESS_DAYS, "owner possessor", "sts", 3, "", "documents_sent_at", "" },
    { "D-17", "10(3)", "td_survey_completed_on", 10, DUTY_BUSINESS_DAYS, "sts", "owner possessor", 0, "td_survey_results", "td_results_sent_at", "" },
    { "D-18", "14", "td_results_received_on", 1, DUTY_MONTHS, "owner possessor", "sts", 0, "td_measures", "td_measures_sent_at", "" },
    { "D-19", "17", "quarter", 1, DUTY_QUARTER, "sts", "knb", 0, "", "report_sent_at", "" },
    { "D-20", "18", "quarter", 1, DUTY_QUARTER, "knb", "authorised_body", 0, "", "report_sent_at", "" },
    { "D-21", "20", "included_on", 90, DUTY_CALENDAR_DAYS, "cii_owner", "ocib", 0, "", "connected_at", "" },
    { "D-22", "20", "included_on", 90, DUTY_CALENDAR_DAYS, "cii_owner", "", 0, "", "designated_at", "" },
    { "D-23", "22", "confirmed_at", 15, DUTY_MINUTES, "ocib", "sts", 0, "incident_notice", "sts_notified_at", "" },
    { "D-24", "22", "confirmed_at", 15, DUTY_MINUTES, "ocib", "cii_responsible", 0, "incident_notice", "owner_notified_at", "" },
    { "D-25", "22", "confirmed_at", 72, DUTY_HOURS, "ocib", "sts", 2, "annex2", "measures_sent_at", "" },
    { "D-26", "23", "notification_received_on", 30, DUTY_CALENDAR_DAYS, "cii_owner", "", 0, "", "corrected_at", "" },
    { "D-27", "24", "confirmed_at", 15, DUTY_MINUTES, "cii_responsible", "sts", 0, "incident_notice", "sts_notified_at", "" },
    { "D-28", "24", "confirmed_at", 15, DUTY_MINUTES, "cii_responsible", "ocib", 0, "incident_notice", "ocib_notified_at", "" },
    { "D-29", "24", "confirmed_at", 72, DUTY_HOURS, "ocib", "sts", 2, "annex2", "measures_sent_at", "" },
    { "D-30", "24", "confirmed_at", 72, DUTY_HOURS, "cii_unit", "sts", 2, "annex2", "measures_sent_at", "" },
    { "D-31", "Annex 2, note **", "confirmed_at", 48, DUTY_HOURS, "owner possessor ocib_provider ocib cii_unit", "", 0, "", "level_reviewed_at", "" },
};

static const struct test_world *world_of(void **state) { return *state; }

/* Our forms of what the Rules order without any time limit (5.3). */
static const struct { const char *id, *form; } without_term[] = {
    { "N-05", "recommendations" }, { "N-06", "visit_notice" }, { "N-07", "knb_notice" }, { "N-08", "consultation_answer" }, { "N-10", "td_survey_notice" },
    { "N-11", "information_request" },
};

static bool actors_are(const struct actor *const *actors, size_t count, const char *want)
{
    struct str rest = str_c(want), one;
    size_t n = 0;

    while (rest.n && str_split(&rest, ' ', &one))
        if (n >= count || !str_eq(actors[n++]->id, one))
            return false;
    return n == count;
}

static bool facts_are(const struct obligation *o, const char *want)
{
    struct str rest = str_c(want), one;
    size_t n = 0;

    while (rest.n && str_split(&rest, ' ', &one))
        if (n >= o->fact_count || !str_eq(o->facts[n++], one))
            return false;
    return n == o->fact_count;
}

static void each_limit_is_that_of_the_table(void **state)
{
    const struct edition *ed = world_of(state)->w.edition;
    size_t limits = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct obligation *o = edition_obligation(ed, str_c(rows[i].id));

        CHECK(rows[i].id, o != NULL);
        CHECK(rows[i].id, str_eq(o->paragraph, str_c(rows[i].paragraph)));
        CHECK(rows[i].id, str_eq(o->from->id, str_c(rows[i].from)));
        CHECK(rows[i].id, o->amount == rows[i].amount && o->unit == rows[i].unit);
        CHECK(rows[i].id, actors_are(o->by, o->by_count, rows[i].by));
        CHECK(rows[i].id, actors_are(o->to, o->to_count, rows[i].to));
        CHECK(rows[i].id, o->annex == rows[i].annex);
        CHECK(rows[i].id, str_eq(o->form, str_c(rows[i].form)));
        CHECK(rows[i].id, facts_are(o, rows[i].facts));
        CHECK(rows[i].id, str_eq(o->on_late, str_c(rows[i].late)));
        for (enum lang l = 0; l < LANG_COUNT; l++)
            CHECK(rows[i].id, o->title.text[l].n && o->trigger.text[l].n && o->content.text[l].n);
        /* A day that is counted in calendar days or months and is not worked moves (5.4); nothing else does. */
        CHECK(rows[i].id, o->roll == (o->unit == DUTY_CALENDAR_DAYS || o->unit == DUTY_MONTHS));
    }
    for (size_t i = 0; i < ed->obligation_count; i++)
        limits += ed->obligations[i].id.p[0] == 'D';
    assert_int_equal(limits, COUNT(rows));
    for (size_t i = 0; i < COUNT(without_term); i++) {
        const struct obligation *o = edition_obligation(ed, str_c(without_term[i].id));

        CHECK(without_term[i].id, o->unit == DUTY_NONE && str_eq(o->form, str_c(without_term[i].form)));
    }
}

static void each_shows_its_arithmetic(void **state)
{
    const struct test_world *t = world_of(state);
    struct duty_start start;
    struct err e;

    assert_int_equal(duty_start_parse(STR("2026-03-20T23:50+05:00"), t->w.zone, &start, &e), 0);
    for (size_t i = 0; i < t->w.edition->obligation_count; i++) {
        const struct obligation *o = &t->w.edition->obligations[i];
        struct duty_result r;
        AUTO_ARENA struct arena a;

        arena_init(&a, MIB);
        if (o->unit == DUTY_PER_YEAR)
            continue;
        CHECK(o->id.p, duty_due(&t->w, o, start, &r, &e) == 0);
        CHECK(o->id.p, r.step_count >= 2);
        for (enum lang l = 0; l < LANG_COUNT; l++)
            for (size_t k = 0; k < r.step_count; k++) {
                struct str text = duty_step_text(&t->w, &r, k, t->c, l, &a);

                CHECK(o->id.p, text.n > 0 && str_chr(text, '{') < 0 && str_find(text, STR("duty.step")) < 0);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { .name = "D-01 D-02 D-03 D-04 D-05 D-06 D-07 D-08 D-09 D-10 D-11 D-12 D-13 D-14 D-15 D-16 D-17 D-18 D-19 D-20 D-21 D-22 D-23 D-24 D-25 D-26 D-27 D-28"
                  " D-29 D-30 D-31 start, amount, unit, who, to whom, form, what fulfils it and what follows are those of the table",
          .test_func = each_limit_is_that_of_the_table },
        { .name = "every duty shows its arithmetic whole, in three languages", .test_func = each_shows_its_arithmetic },
    };

    return cmocka_run_group_tests(tests, test_world_open, test_world_close);
}
