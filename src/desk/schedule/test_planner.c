/* test_planner.c - what the planner promises, in random worlds: counts exact, no blackout, capacity and distance kept, deterministic. */
#include "desk/schedule/year.h"
#include "desk/testing.h"

#define OBJECTS_MAX 60
#define TEAMS_MAX   4

struct random_world {
    struct schedule_year  year;
    struct planner_team   teams[TEAMS_MAX];
    struct planner_object objects[OBJECTS_MAX];
    struct day_set        closed[OBJECTS_MAX];
    struct planner_work   given[OBJECTS_MAX];
    size_t                team_count, object_count;
};

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}
static int upto(uint64_t *s, int most) { return (int)(next(s) % (uint64_t)(most + 1)); }

static void year_load(struct schedule_year *y, int year)
{
    struct duty_world w;
    char path[4096];
    struct err e;

    must(duty_world_load(source_path("content", path), "kz-52-2025", "Asia/Almaty", &w, &e), &e);
    must(schedule_year_make(&w, path, year, y, &e), &e);
    duty_world_free(&w);
}

/* world_make - of a seed; ample: teams without bounds, no blackouts, everything the whole year. */
static void world_make(struct random_world *w, uint64_t seed, bool ample)
{
    uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

    w->team_count = ample ? 2 : 1 + (size_t)upto(&s, TEAMS_MAX - 1);
    w->object_count = ample ? OBJECTS_MAX : 1 + (size_t)upto(&s, OBJECTS_MAX - 1);
    for (size_t t = 0; t < w->team_count; t++) {
        int size = 1 + upto(&s, 4), away = upto(&s, 360);

        w->teams[t] = (struct planner_team){ .modes = ample ? 31 : (unsigned)(1 + upto(&s, 30)), .days_week = ample || upto(&s, 1) ? 0 : 5 + upto(&s, 15) };
        for (int d = 0; d < PLAN_DAYS; d++)
            w->teams[t].at_once[d] = (int16_t)(ample ? -1 : d >= away && d < away + 20 ? 0 : size);
    }
    for (size_t o = 0; o < w->object_count; o++) {
        int since = ample || upto(&s, 2) ? 0 : upto(&s, 340), until = ample || upto(&s, 4) ? w->year.p.days - 1 : upto(&s, w->year.p.days - 1);

        w->closed[o] = (struct day_set){ { 0 } };
        for (int b = ample ? 0 : upto(&s, 3); b > 0; b--) {
            int from = upto(&s, 360), days = upto(&s, 40);

            for (int d = from; d < from + days; d++)
                day_add(&w->closed[o], d);
        }
        w->objects[o] = (struct planner_object){ .since = since, .until = until, .count = { 4, 1, 2, 1, 1 }, .closed = &w->closed[o] };
        if (!ample && upto(&s, 4) == 0 && w->year.p.worked[200]) {   /* one that a person fixed */
            w->given[o] = (struct planner_work){ .object = (int32_t)o, .from = 200, .to = (int16_t)planner_end(&w->year.p, 5, 200), .team = 0, .mode = PLAN_PENTEST_AUTO,
                                                 .control = (uint8_t)upto(&s, 1), .ordinal = (uint8_t)(1 + upto(&s, 3)) };
            w->objects[o].given = &w->given[o];
            w->objects[o].given_count = 1;
        }
    }
}

static void planned(struct random_world *w, struct planner *p)
{
    *p = (struct planner){ .year = &w->year.p, .teams = w->teams, .team_count = w->team_count, .objects = w->objects, .object_count = w->object_count };
    assert_int_equal(planner_run(p), 0);
}

static void work_sound(const struct random_world *w, const struct planner_work *k)
{
    const struct planner_object *o = &w->objects[k->object];
    int worked = 0;

    assert_true(w->year.p.worked[k->from] && w->year.p.worked[k->to]);
    assert_true(k->from >= o->since && k->to <= o->until);
    for (int d = k->from; d <= k->to; d++) {
        worked += w->year.p.worked[d];
        assert_false(day_in(o->closed, d));
    }
    assert_int_equal(worked, w->year.p.takes[k->mode]);
    assert_true(k->team >= 0 && w->teams[k->team].modes & 1u << k->mode);
}

/* Given lines count, and nobody is given more than they can, save by what was given. */
static void capacity_kept(const struct random_world *w, const struct planner *p)
{
    for (size_t t = 0; t < w->team_count; t++) {
        int on[PLAN_DAYS] = { 0 }, week[PLAN_WEEKS] = { 0 }, given_week[PLAN_WEEKS] = { 0 };
        bool given[PLAN_DAYS] = { false };

        for (size_t i = 0; i < p->work_count + OBJECTS_MAX; i++) {
            const struct planner_work *k = i < p->work_count ? &p->works[i] : &w->given[i - p->work_count];
            bool is_given = i >= p->work_count;

            if (is_given && (i - p->work_count >= w->object_count || !w->objects[i - p->work_count].given_count))
                continue;
            for (int d = k->from; k->team == (int)t && d <= k->to; d++)
                if (w->year.p.worked[d]) {
                    on[d]++;
                    week[planner_week(&w->year.p, d)]++;
                    given[d] = given[d] || is_given;
                    given_week[planner_week(&w->year.p, d)] += is_given;
                }
        }
        for (int d = 0; d < w->year.p.days; d++)
            assert_true(w->teams[t].at_once[d] < 0 || given[d] || on[d] <= w->teams[t].at_once[d]);
        for (int k = 0; k < PLAN_WEEKS; k++)
            assert_true(!w->teams[t].days_week || given_week[k] || week[k] <= w->teams[t].days_week);
    }
}

static const struct planner_work *found(const struct random_world *w, const struct planner *p, int object, int mode, int ordinal, bool control)
{
    const struct planner_work *f = NULL;

    for (size_t i = 0; i < p->work_count; i++)
        if (p->works[i].object == object && p->works[i].mode == mode && p->works[i].ordinal == ordinal && (bool)p->works[i].control == control) {
            assert_null(f);
            f = &p->works[i];
        }
    if (w->objects[object].given_count && w->given[object].mode == mode && w->given[object].ordinal == ordinal && (bool)w->given[object].control == control) {
        assert_null(f);
        f = &w->given[object];
    }
    return f;
}

static int told(const struct planner *p, int object, int mode, int ordinal, bool control)
{
    int n = 0;

    for (size_t i = 0; i < p->unplaced_count; i++)
        n += p->unplaced[i].object == object && p->unplaced[i].mode == mode && p->unplaced[i].ordinal == ordinal && (bool)p->unplaced[i].control == control;
    return n;
}

/* Each work that is owed is placed once, or told once why not; a control one is as far from its main one as it must be, the next main one behind it. */
static void object_sound(const struct random_world *w, const struct planner *p, int object)
{
    for (int m = 0; m < PLAN_MODES; m++) {
        const struct planner_work *before = NULL;

        for (int i = 1; i <= w->objects[object].count[m]; i++) {
            const struct planner_work *first = found(w, p, object, m, i, false), *back = m == PLAN_DOCUMENT ? NULL : found(w, p, object, m, i, true);

            assert_int_equal((first != NULL) + told(p, object, m, i, false), 1);
            if (m != PLAN_DOCUMENT)
                assert_int_equal((back != NULL) + told(p, object, m, i, true), 1);
            if (first && back)
                assert_true(back->from >= w->year.p.earliest[m][first->to]);
            if (m != PLAN_DOCUMENT && !w->objects[object].given_count)
                assert_true((first != NULL) == (back != NULL));
            if (first && before)
                assert_true(first->from > before->to);
            before = back ? back : first ? first : before;
        }
    }
}

static void test_random(void **state)
{
    struct random_world *w = calloc(1, sizeof *w);

    (void)state;
    year_load(&w->year, 2026);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct planner p, q;

        world_make(w, seed, false);
        planned(w, &p);
        planned(w, &q);
        assert_int_equal(p.work_count, q.work_count);
        assert_int_equal(p.unplaced_count, q.unplaced_count);
        if (p.work_count)
            assert_memory_equal(p.works, q.works, p.work_count * sizeof *p.works);
        for (size_t i = 0; i < p.work_count; i++)
            work_sound(w, &p.works[i]);
        capacity_kept(w, &p);
        for (size_t o = 0; o < w->object_count; o++)
            object_sound(w, &p, (int)o);
        planner_free(&p);
        planner_free(&q);
    }
    free(w);
}

/* With room for everybody nothing is left out, and no month has twice the works of another (the year's ends aside). */
static void test_ample(void **state)
{
    struct random_world *w = calloc(1, sizeof *w);
    int month[13] = { 0 }, count[PLAN_MODES][2] = { { 0 } };
    struct planner p;

    (void)state;
    year_load(&w->year, 2026);
    world_make(w, 1, true);
    planned(w, &p);
    assert_int_equal(p.unplaced_count, 0);
    for (size_t i = 0; i < p.work_count; i++) {
        struct civil c = civil_from_days(w->year.first + p.works[i].from);

        month[c.month]++;
        count[p.works[i].mode][p.works[i].control]++;
        work_sound(w, &p.works[i]);
    }
    for (size_t o = 0; o < w->object_count; o++)
        object_sound(w, &p, (int)o);
    for (int m = 0; m < PLAN_MODES; m++) {
        assert_int_equal(count[m][0], w->objects[0].count[m] * OBJECTS_MAX);
        assert_int_equal(count[m][1], m == PLAN_DOCUMENT ? 0 : count[m][0]);
    }
    for (int m = 2; m <= 11; m++)
        for (int n = 2; n <= 11; n++)
            assert_true(month[m] <= 2 * month[n]);
    planner_free(&p);
    free(w);
}

/* The reason names what a person can change. */
static void test_why(void **state)
{
    struct random_world *w = calloc(1, sizeof *w);
    static const struct {
        const char *name;
        int         modes, at_once, closed_to, since;
        enum planner_why why;
    } rows[] = {
        { "nobody does this mode", 1 << PLAN_DOCUMENT, -1, 0, 0, WHY_NO_TEAM },
        { "the team is away all year", 31, 0, 0, 0, WHY_CAPACITY },
        { "closed all year", 31, -1, 366, 0, WHY_BLACKOUT },
        { "the control one does not fit before the end of the year", 31, -1, 0, 335, WHY_DISTANCE },
        { "no days are left", 31, -1, 0, 363, WHY_NO_DAYS },
    };

    (void)state;
    year_load(&w->year, 2026);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct planner p;

        world_make(w, 1, true);
        w->team_count = w->object_count = 1;
        w->teams[0].modes = (unsigned)rows[i].modes;
        for (int d = 0; d < PLAN_DAYS; d++)
            w->teams[0].at_once[d] = (int16_t)rows[i].at_once;
        for (int d = 0; d < rows[i].closed_to; d++)
            day_add(&w->closed[0], d);
        w->objects[0].since = rows[i].since;
        w->objects[0].count[PLAN_PENTEST_AUTO] = w->objects[0].count[PLAN_SOURCE_CODE] = w->objects[0].count[PLAN_PENTEST_MANUAL] = 0;
        w->objects[0].count[PLAN_DOCUMENT] = 0;
        planned(w, &p);
        CHECK(rows[i].name, p.work_count == 0 && p.unplaced_count == 2);
        CHECK(rows[i].name, p.unplaced[0].why == rows[i].why && p.unplaced[1].control);
        planner_free(&p);
    }
    free(w);
}

/* A leap year of its own making: 1 January 2028 is a Saturday. */
static void leap_make(struct schedule_year *y)
{
    year_load(y, 2027);
    y->year = 2028;
    y->first = civil_days(2028, 1, 1);
    y->p.days = 366;
    y->p.weekday = 5;
    for (int d = 0; d < 366; d++)
        y->p.worked[d] = (d + y->p.weekday) % 7 < 5;
    for (int m = 0; m < PLAN_MODES; m++)
        for (int d = 0; d < PLAN_DAYS; d++)
            y->p.earliest[m][d] = (int16_t)(d + 40);
}

/* 29 February is a day like any other, there where it is; 31 December is the last that a work may have, and none reaches over it. */
static void test_leap(void **state)
{
    struct random_world *w = calloc(1, sizeof *w);
    struct planner p;
    char text[16];
    bool leap_day = false;

    (void)state;
    leap_make(&w->year);
    assert_string_equal(year_text(&w->year, 59, text), "2028-02-29");
    assert_int_equal(year_day(&w->year, STR("2028-02-29")), 59);
    assert_int_equal(year_day(&w->year, STR("2027-02-29")), INT32_MIN);
    assert_int_equal(year_day(&w->year, STR("2028-12-31")), 365);
    assert_int_equal(planner_end(&w->year.p, 2, 363), -1);   /* 29 December, a Friday: the next business day is of another year */
    assert_int_equal(planner_end(&w->year.p, 1, 363), 363);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        world_make(w, seed, false);
        planned(w, &p);
        for (size_t i = 0; i < p.work_count; i++) {
            work_sound(w, &p.works[i]);
            leap_day = leap_day || (p.works[i].from <= 59 && p.works[i].to >= 59);
        }
        capacity_kept(w, &p);
        for (size_t o = 0; o < w->object_count; o++)
            object_sound(w, &p, (int)o);
        planner_free(&p);
    }
    assert_true(leap_day);
    free(w);
}

#define MANY 2000

/* 2,000 objects and one team that can do one work at once: the year is full, every other work is told with the reason, none is lost. */
static void test_too_small(void **state)
{
    struct random_world *w = calloc(1, sizeof *w);
    struct planner_object *objects = calloc(MANY, sizeof *objects);
    struct planner p;

    (void)state;
    year_load(&w->year, 2026);
    world_make(w, 1, true);
    for (int d = 0; d < PLAN_DAYS; d++)
        w->teams[0].at_once[d] = 1;
    for (size_t o = 0; o < MANY; o++)
        objects[o] = (struct planner_object){ .until = w->year.p.days - 1, .count = { 4, 1, 2, 1, 1 } };
    p = (struct planner){ .year = &w->year.p, .teams = w->teams, .team_count = 1, .objects = objects, .object_count = MANY };
    assert_int_equal(planner_run(&p), 0);
    assert_true(p.work_count > 20);
    assert_int_equal(p.work_count + p.unplaced_count, MANY * 17);
    capacity_kept(w, &p);
    for (size_t i = 0; i < p.unplaced_count; i++)
        if (p.unplaced[i].why != WHY_CAPACITY && p.unplaced[i].why != WHY_DISTANCE)
            fail_msg("object %d mode %d ordinal %d control %d: %d in %d..%d", p.unplaced[i].object, p.unplaced[i].mode, p.unplaced[i].ordinal, p.unplaced[i].control,
                     p.unplaced[i].why, p.unplaced[i].from, p.unplaced[i].to);
    planner_free(&p);
    free(objects);
    free(w);
}

/* Results (D-12) and measures (D-13) are waited for: from 6 March 2026 ten business days end on 26 March (9 and 21 to 25 March are days off), twenty
 * calendar days after that on 15 April. */
static void test_distance(void **state)
{
    struct schedule_year y;
    char text[16];

    (void)state;
    year_load(&y, 2026);
    int first = year_day(&y, STR("2026-03-06")), after = y.p.earliest[PLAN_PENTEST_AUTO][first];
    assert_string_equal(year_text(&y, after, text), "2026-04-16");
    assert_true(y.p.earliest[PLAN_PENTEST_AUTO][350] >= y.p.days);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "R-9-01 in random worlds every work owed is placed within the rules or told with its reason, the same each time", test_random, NULL, NULL, NULL },
        { "F-01 F-02 F-03 F-04 with room for all each object has its counts, spread over the year", test_ample, NULL, NULL, NULL },
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_leap),
        cmocka_unit_test(test_too_small),
        { "Q-15 a control survey waits for results and measures", test_distance, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
