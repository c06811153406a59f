/* testing_rows.h - everything that people can see of the room, as questions to its tables: what two desks that know the same must answer alike.
 *
 * Owns      nothing.
 * Promises  no answer holds a number that depends on the order of arrival: keys, names and moments alone, in an order of their own.
 * Threads   any.
 * Units     time_ns. */
#ifndef SAQSHY_DESK_VULNERABILITIES_TESTING_ROWS_H
#define SAQSHY_DESK_VULNERABILITIES_TESTING_ROWS_H

static const char *const room_rows[] = {
    "SELECT v.object_id, v.key, v.state, v.open, v.since, v.sent, v.own, v.rank, v.severity, v.cvss, v.vector, v.kev, v.epss, x.title, x.description, v.cves,"
    " v.first_detected_at, v.last_seen_at, v.due_at FROM vuln v LEFT JOIN vuln_text x ON x.id = v.text_id WHERE v.live = 1 ORDER BY 1, 2",
    "SELECT y.number, v.key, d.verdict, d.reason, w.tool, w.host, w.ran, w.port, w.port_to FROM vuln_verdict d JOIN vuln v ON v.id = d.vuln_id JOIN"
    " vuln_survey y ON y.id = d.survey_id LEFT JOIN vuln_cover w ON w.id = d.proof ORDER BY 1, 2",
    "SELECT y.number, r.name, r.state, r.findings, r.outside, r.covers, k.text, v.key, x.tool, x.name, s.severity, s.cvss, s.seen_at, s.occurrences, s.outside,"
    " s.evidence FROM vuln_result r JOIN vuln_survey y ON y.id = r.survey_id LEFT JOIN vuln_sighting s ON s.result_id = r.id LEFT JOIN vuln_key k ON k.id ="
    " s.key_id LEFT JOIN vuln v ON v.id = k.vuln_id LEFT JOIN vuln_check x ON x.id = s.check_id ORDER BY 1, 2, 7, 9, 10",
    "SELECT y.number, r.name, w.tool, x.name, w.host, w.ran, w.port, w.port_to, w.path FROM vuln_cover w JOIN vuln_survey y ON y.id = w.survey_id LEFT JOIN"
    " vuln_result r ON r.id = w.result_id LEFT JOIN vuln_check x ON x.id = w.check_id ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9",
};

#endif
