/* cvss4.c - the score of CVSS 4.0: six equivalence classes make a macrovector, a table of the specification gives its score, and
 * the distance of the vector from the severest of its class takes from it, class by class, a share of the way to the next one. */
#include "scan/cvss_internal.h"

#include <math.h>

#define NONE (-1)

/* Scores of all macrovectors in tenths (specification 8.2). A row is EQ1, EQ2, EQ3; in it EQ4 goes slowest, then EQ5, then EQ6.
 * EQ3 of 2 with EQ6 of 0 cannot be. */
static const int8_t lookup[18][18] = {
    { 100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68 },   /* 000 */
    { 98, 95, 95, 92, 90, 84, 93, 92, 89, 81, 81, 65, 88, 80, 78, 70, 69, 48 },   /* 001 */
    { -1, 92, -1, 82, -1, 72, -1, 79, -1, 69, -1, 50, -1, 69, -1, 55, -1, 27 },   /* 002 */
    { 99, 97, 95, 92, 92, 85, 95, 91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53 },   /* 010 */
    { 95, 93, 92, 85, 85, 73, 92, 82, 80, 72, 70, 59, 84, 70, 71, 52, 50, 30 },   /* 011 */
    { -1, 86, -1, 75, -1, 52, -1, 71, -1, 52, -1, 29, -1, 63, -1, 29, -1, 17 },   /* 012 */
    { 98, 95, 94, 87, 91, 81, 94, 89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49 },   /* 100 */
    { 94, 89, 88, 77, 76, 67, 86, 76, 74, 58, 59, 50, 72, 57, 57, 52, 52, 25 },   /* 101 */
    { -1, 83, -1, 70, -1, 54, -1, 65, -1, 58, -1, 26, -1, 53, -1, 21, -1, 13 },   /* 102 */
    { 95, 90, 88, 76, 76, 70, 90, 77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30 },   /* 110 */
    { 89, 78, 76, 67, 62, 58, 74, 59, 57, 57, 47, 23, 61, 52, 57, 29, 24, 16 },   /* 111 */
    { -1, 71, -1, 59, -1, 30, -1, 58, -1, 26, -1, 15, -1, 23, -1, 13, -1, 6 },   /* 112 */
    { 93, 87, 86, 72, 75, 58, 86, 74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22 },   /* 200 */
    { 85, 75, 74, 55, 62, 51, 72, 57, 55, 41, 46, 19, 53, 36, 34, 19, 19, 8 },   /* 201 */
    { -1, 64, -1, 51, -1, 20, -1, 47, -1, 21, -1, 11, -1, 24, -1, 9, -1, 4 },   /* 202 */
    { 88, 75, 73, 53, 60, 50, 73, 55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11 },   /* 210 */
    { 75, 55, 58, 45, 40, 21, 61, 51, 48, 18, 20, 9, 46, 18, 17, 7, 8, 2 },   /* 211 */
    { -1, 53, -1, 24, -1, 14, -1, 24, -1, 12, -1, 5, -1, 10, -1, 3, -1, 1 },   /* 212 */
};

/* The severest vectors of a class, as places of values in the tables of metrics (0 is the severest), and the depth of the class. */
static const int8_t eq1_top[3][3][3] = {   /* AV PR UI */
    { { 0, 0, 0 }, { NONE }, { NONE } }, { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, { { 3, 0, 0 }, { 1, 1, 1 }, { NONE } },
};
static const int8_t eq2_top[2][2][2] = { { { 0, 0 }, { NONE } }, { { 1, 0 }, { 0, 1 } } };   /* AC AT */
static const int8_t eq36_top[3][2][5][6] = {   /* VC VI VA CR IR AR, by EQ3 and EQ6 */
    { { { 0, 0, 0, 0, 0, 0 }, { NONE } }, { { 0, 0, 1, 1, 1, 0 }, { 0, 0, 0, 1, 1, 1 }, { NONE } } },
    { { { 1, 0, 0, 0, 0, 0 }, { 0, 1, 0, 0, 0, 0 }, { NONE } },
      { { 1, 0, 1, 0, 1, 0 }, { 1, 0, 0, 0, 1, 1 }, { 0, 1, 0, 1, 0, 1 }, { 0, 1, 1, 1, 0, 0 }, { 1, 1, 0, 0, 0, 1 } } },
    { { { NONE } }, { { 1, 1, 1, 0, 0, 0 }, { NONE } } },
};
static const int8_t eq4_top[3][3] = { { 1, 0, 0 }, { 1, 1, 1 }, { 2, 2, 2 } };   /* SC SI SA, with S before H */
static const int eq1_depth[] = { 1, 4, 5 }, eq2_depth[] = { 1, 2 }, eq4_depth[] = { 6, 5, 4 };
static const int eq36_depth[3][2] = { { 7, 6 }, { 8, 8 }, { 10, 10 } };

/* value - a metric as it counts: the modified one if given, the severest where nothing is said. */
static int value(const struct cvss *c, enum v4_metric m, bool all)
{
    static const int8_t not_defined[] = { [V4_E] = 3, [V4_CR] = 3, [V4_IR] = 3, [V4_AR] = 3 };
    static const int8_t modified_x[] = { [V4_AV] = 4, [V4_AC] = 2, [V4_AT] = 2, [V4_PR] = 3, [V4_UI] = 3, [V4_VC] = 3, [V4_VI] = 3, [V4_VA] = 3,
                                         [V4_SC] = 4, [V4_SI] = 4, [V4_SA] = 4 };

    if (m >= V4_E && m <= V4_AR)
        return !all || c->value[m] < 0 || c->value[m] == not_defined[m] ? 0 : c->value[m];
    if (all && c->value[m + V4_MAV] >= 0 && c->value[m + V4_MAV] != modified_x[m])
        return c->value[m + V4_MAV];
    return c->value[m];
}

struct classes { int eq1, eq2, eq3, eq4, eq5, eq6; };

static struct classes classes_of(const int v[V4_AR + 1])
{
    int zeros = (v[V4_AV] == 0) + (v[V4_PR] == 0) + (v[V4_UI] == 0);
    struct classes q;

    q.eq1 = zeros == 3 ? 0 : zeros > 0 && v[V4_AV] != 3 ? 1 : 2;
    q.eq2 = v[V4_AC] == 0 && v[V4_AT] == 0 ? 0 : 1;
    q.eq3 = v[V4_VC] == 0 && v[V4_VI] == 0 ? 0 : v[V4_VC] == 0 || v[V4_VI] == 0 || v[V4_VA] == 0 ? 1 : 2;
    q.eq4 = v[V4_SI] == 0 || v[V4_SA] == 0 ? 0 : v[V4_SC] == 1 || v[V4_SI] == 1 || v[V4_SA] == 1 ? 1 : 2;
    q.eq5 = v[V4_E];
    q.eq6 = (v[V4_CR] == 0 && v[V4_VC] == 0) || (v[V4_IR] == 0 && v[V4_VI] == 0) || (v[V4_AR] == 0 && v[V4_VA] == 0) ? 0 : 1;
    return q;
}

static int at(struct classes q)
{
    if (q.eq1 > 2 || q.eq2 > 1 || q.eq3 > 2 || q.eq4 > 2 || q.eq5 > 2 || q.eq6 > 1)
        return NONE;
    return lookup[q.eq1 * 6 + q.eq2 * 3 + q.eq3][q.eq4 * 6 + q.eq5 * 2 + q.eq6];
}

/* distance - steps from the first of the severest vectors that is at least as severe in every metric. */
static int distance(const int8_t *tops, size_t count, size_t width, const int *v)
{
    for (size_t i = 0; i < count; i++) {
        const int8_t *top = tops + i * width;
        int sum = 0;
        bool above = top[0] != NONE;

        for (size_t k = 0; k < width && above; k++) {
            above = v[k] >= top[k];
            sum += v[k] - top[k];
        }
        if (above)
            return sum;
    }
    return 0;
}

/* next36 - EQ3 and EQ6 go down together; where both ways are open, the higher score counts. */
static int next36(struct classes q)
{
    struct classes by3 = q, by6 = q;
    int a, b;

    by3.eq3++;
    by6.eq6++;
    a = at(by3);
    b = at(by6);
    if (q.eq3 == 0 && q.eq6 == 0)
        return a > b ? a : b;
    return q.eq3 == 1 && q.eq6 == 0 ? b : a;
}

double cvss_v4(const struct cvss *c, bool all)
{
    int v[V4_AR + 1], score, n = 0, next[5], steps[4], depth[4];
    struct classes q, q1, q2, q4, q5;
    double sum = 0, left;

    for (int i = 0; i <= V4_AR; i++)
        v[i] = value(c, (enum v4_metric)i, all);
    if (v[V4_VC] == 2 && v[V4_VI] == 2 && v[V4_VA] == 2 && v[V4_SC] == 3 && v[V4_SI] == 3 && v[V4_SA] == 3)
        return 0;
    q = q1 = q2 = q4 = q5 = classes_of(v);
    q1.eq1++, q2.eq2++, q4.eq4++, q5.eq5++;
    score = at(q);
    next[0] = at(q1), next[1] = at(q2), next[2] = next36(q), next[3] = at(q4), next[4] = at(q5);
    steps[0] = distance(&eq1_top[q.eq1][0][0], 3, 3, (int[]){ v[V4_AV], v[V4_PR], v[V4_UI] });
    steps[1] = distance(&eq2_top[q.eq2][0][0], 2, 2, (int[]){ v[V4_AC], v[V4_AT] });
    steps[2] = distance(&eq36_top[q.eq3][q.eq6][0][0], 5, 6, (int[]){ v[V4_VC], v[V4_VI], v[V4_VA], v[V4_CR], v[V4_IR], v[V4_AR] });
    steps[3] = distance(eq4_top[q.eq4], 1, 3, (int[]){ v[V4_SC], v[V4_SI], v[V4_SA] });
    depth[0] = eq1_depth[q.eq1], depth[1] = eq2_depth[q.eq2], depth[2] = eq36_depth[q.eq3][q.eq6], depth[3] = eq4_depth[q.eq4];
    for (int i = 0; i < 5; i++) {
        if (next[i] == NONE)
            continue;
        n++;
        if (i < 4)
            sum += (double)(score - next[i]) * steps[i] / depth[i];
    }
    left = score - (n ? sum / n : 0);
    return fmax(0, fmin(100, floor(left + 0.5 + 1e-5))) / 10;
}
