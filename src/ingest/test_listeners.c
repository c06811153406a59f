/* test_listeners.c - what listeners share: limits of one address, cards, profiles of sources, addresses as text. */
#include "base/test.h"
#include "ingest/internal.h"
#include "ingest/told.h"

static struct listener listener_of(struct counters *c, const char *id, int64_t connections)
{
    return (struct listener){ .card = counters_card(c, id), .conf = { .limits = { .peer_connections = connections } } };
}

static void one_address_has_as_many_connections_as_its_listener_allows(void **state)
{
    struct counters *c = calloc(1, sizeof *c);
    struct peers *p = NULL;
    struct peer *a, *b, *other;
    struct listener first, second;
    AUTO_BUF struct buf json = { 0 };

    (void)state;
    counters_init(c);
    buf_init(&json, 64u * MIB);
    first = listener_of(c, "first", 2);
    second = listener_of(c, "second", 1);
    assert_int_equal(peers_new(&p, NULL), 0);
    a = peers_join(p, "192.0.2.1", &first);
    b = peers_join(p, "192.0.2.1", &first);
    assert_ptr_equal(a, b);
    assert_null(peers_join(p, "192.0.2.1", &first));
    other = peers_join(p, "192.0.2.1", &second);      /* its own limit */
    assert_non_null(other);
    assert_null(peers_join(p, "192.0.2.1", &second));
    peers_leave(p, &b);
    assert_null(b);
    b = peers_join(p, "192.0.2.1", &first);
    assert_non_null(b);
    peers_json(p, &json);
    assert_true(str_find(buf_view(&json), STR("{\"address\":\"192.0.2.1\",\"listener\":\"first\",\"connections\":2,\"accepted\":3,\"turned_away\":1,\"bytes\":0}")) >= 0);
    for (int i = 0; i < 30000; i++) {                 /* strangers that come and go are forgotten, whoever is connected is not */
        char address[PEER_TEXT_MAX];
        struct peer *one;

        snprintf(address, sizeof address, "2001:db8::%x", i);
        one = peers_join(p, address, &first);
        assert_non_null(one);
        peers_leave(p, &one);
    }
    assert_null(peers_join(p, "192.0.2.1", &first));
    peers_leave(p, &a);
    peers_leave(p, &b);
    peers_leave(p, &other);
    peers_free(&p);
    free(c);
}

static void a_bucket_lets_a_second_through_and_then_makes_wait(void **state)
{
    struct counters *c = calloc(1, sizeof *c);
    struct peers *p = NULL;
    struct listener l;
    struct peer *one;
    time_ns t = 1000 * NS_PER_SECOND;

    (void)state;
    counters_init(c);
    l = listener_of(c, "slow", 1);
    assert_int_equal(peers_new(&p, NULL), 0);
    one = peers_join(p, "192.0.2.1", &l);
    assert_true(peer_take(one, 5000, 0, t));                                    /* no limit */
    assert_true(peer_take(one, 900, 1000, t));
    assert_false(peer_take(one, 2100, 1000, t));                                /* overdrawn by 2000: what was read counts */
    assert_false(peer_ready(one, 1000, t + 1999 * NS_PER_MS));
    assert_true(peer_ready(one, 1000, t + 2100 * NS_PER_MS));
    assert_true(peer_ready(one, 1000, t + NS_PER_HOUR));
    assert_false(peer_take(one, 1000, 1000, t + NS_PER_HOUR));                  /* it holds a second, however long it was silent */
    assert_false(peer_ready(one, 1, t + NS_PER_HOUR + 500 * NS_PER_MS));        /* a byte a second does not vanish in rounding */
    assert_true(peer_ready(one, 1, t + NS_PER_HOUR + NS_PER_SECOND));
    peers_leave(p, &one);
    one = peers_join(p, "192.0.2.1", &l);
    assert_false(peer_take(one, 4000, 1000, t + 2 * NS_PER_HOUR));
    peers_leave(p, &one);
    one = peers_join(p, "192.0.2.1", &l);
    assert_false(peer_ready(one, 1000, t + 2 * NS_PER_HOUR + NS_PER_SECOND));   /* coming again forgives no debt */
    peers_leave(p, &one);
    peers_free(&p);
    free(c);
}

static void cards_are_kept_by_their_id(void **state)
{
    struct counters *c = calloc(1, sizeof *c);
    char id[32];

    (void)state;
    counters_init(c);
    assert_int_equal(counters_card(c, "own_log")->number, CARD_OWN);
    for (int i = 0; i < CARDS_MAX + 10; i++) {
        snprintf(id, sizeof id, "l%d", i);
        assert_non_null(counters_card(c, id));
    }
    assert_int_equal(counters_cards(c), CARDS_MAX);
    assert_int_equal(counters_card(c, "l0")->number, 1);
    assert_int_equal(counters_card(c, "l999")->number, CARDS_MAX - 1);          /* without room they share the last */
    free(c);
}

static const struct {
    const char *peer, *listener, *host, *want;
} profile_rows[] = {
    { "10.1.2.3", "a", "", "net" },           { "10.200.0.1", "a", "", "none" },  { "2001:db8:0:8000::1", "a", "", "six" },
    { "2001:db9::1", "a", "", "none" },       { "10.1.2.3", "a", "FW-7", "fw" },  { "192.0.2.1", "a", "x.branch.kz", "branch" },
    { "192.0.2.1", "a", "branch.kz", "none" }, { "192.0.2.1", "b", "", "by-b" },  { "192.0.2.1", "forced", "fw-7", "net" },
    { "192.0.2.77", "a", "", "one" },         { "no address", "a", "", "none" },  { "", "b", "", "by-b" },
};

static void the_first_profile_that_matches_counts(void **state)
{
#define NOTHING .zone = (char *)"", .encoding = (char *)"", .class = (char *)"", .parser = (char *)"", .object = (char *)""
    struct source_profile list[] = {
        { .name = (char *)"fw", .address = (char *)"", .host = (char *)"fw-*", .listener = (char *)"", NOTHING },
        { .name = (char *)"branch", .address = (char *)"", .host = (char *)"*.branch.kz", .listener = (char *)"", NOTHING },
        { .name = (char *)"net", .address = (char *)"10.0.0.0/9", .host = (char *)"", .listener = (char *)"", NOTHING },
        { .name = (char *)"six", .address = (char *)"2001:db8:0:8000::/49", .host = (char *)"", .listener = (char *)"", NOTHING },
        { .name = (char *)"one", .address = (char *)"192.0.2.77", .host = (char *)"", .listener = (char *)"", NOTHING },
        { .name = (char *)"by-b", .address = (char *)"", .host = (char *)"", .listener = (char *)"b", NOTHING },
    };
    struct listen_conf forced = { .id = (char *)"forced", .source = (char *)"net" };
    struct listen_table table = { &forced, 1, list, COUNT(list) };
    struct ingest_options o = { .listen = &table, .zone_min = 300 };
    struct profiles *p = NULL;
    struct err e;

    (void)state;
    assert_int_equal(profiles_new(&o, &p, &e), 0);
    assert_true(profiles_by_host(p));
    for (size_t i = 0; i < COUNT(profile_rows); i++) {
        const struct profile *got = profiles_find(p, str_c(profile_rows[i].peer), str_c(profile_rows[i].listener), str_c(profile_rows[i].host));

        CHECK(profile_rows[i].peer, str_eq(got ? got->name : STR("none"), str_c(profile_rows[i].want)));
    }
    profiles_free(&p);
    forced.source = (char *)"nobody";
    assert_int_equal(profiles_new(&o, &p, &e), -EINVAL);
    forced.source = (char *)"";
    list[0].encoding = (char *)"utf-9";
    assert_int_equal(profiles_new(&o, &p, &e), -EINVAL);
}

static const struct {
    const char *text;
    bool        valid;
} address_rows[] = {
    { "10.0.0.7", true },      { "10.0.0.0/8", true },   { "10.0.0.0/0", true },   { "2001:db8::/32", true }, { "::1", true },   { "10.0.0.0/33", false },
    { "2001:db8::/129", false }, { "10.0.0", false },    { "10.0.0.0/", false },   { "/8", false },           { "", false },     { "10.0.0.0/8/8", false },
    { "10.0.0.0/-1", false },  { "host.example", false }, { "10.0.0.0/ 8", false },
};

static void addresses_and_networks_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(address_rows); i++)
        CHECK(address_rows[i].text, profile_address_valid(str_c(address_rows[i].text)) == address_rows[i].valid);
}

static const struct {
    const char *json;
    int         rc;
} told_rows[] = {
    { "[]", 0 },
    { "[{\"name\":\"a\",\"address\":\"10.0.0.0/8\",\"zone\":\"+05:00\",\"class\":\"fw\",\"object\":\"7\"}]", 0 },
    { "[{\"name\":\"a\",\"zone\":\"Asia/Almaty\"}]", -EBADMSG },
    { "[{\"name\":\"a\",\"class\":\"os\"}]", -EBADMSG },
    { "[{\"name\":\"a\",\"address\":\"10\"}]", -EINVAL },
    { "[{\"name\":\"a\",\"encoding\":\"utf-9\"}]", -EINVAL },
    { "[{\"name\":7}]", -EBADMSG },
    { "[{\"nome\":\"a\"}]", -EBADMSG },
    { "[7]", -EBADMSG },
    { "{}", -EBADMSG },
    { "[", -EBADMSG },
    { "", -EBADMSG },
};

static void profiles_of_the_desk_are_taken_or_refused_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(told_rows); i++) {
        struct profiles *p = NULL;
        struct err e;

        CHECK(told_rows[i].json, told_read(str_c(told_rows[i].json), &p, &e) == told_rows[i].rc);
        if (i == 1) {
            const struct profile *got = profiles_find(p, STR("10.7.7.7"), STR("any"), STR(""));

            assert_non_null(got);
            assert_int_equal(got->zone_min, 300);
            assert_true(str_eq(got->object, STR("7")));
            assert_null(profiles_find(p, STR("11.7.7.7"), STR("any"), STR("")));
        }
        profiles_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_has_as_many_connections_as_its_listener_allows),
        cmocka_unit_test(a_bucket_lets_a_second_through_and_then_makes_wait),
        cmocka_unit_test(cards_are_kept_by_their_id),
        cmocka_unit_test(the_first_profile_that_matches_counts),
        cmocka_unit_test(addresses_and_networks_are_judged),
        cmocka_unit_test(profiles_of_the_desk_are_taken_or_refused_whole),
    };

    return cmocka_run_group_tests_name("ingest listeners", tests, NULL, NULL);
}
