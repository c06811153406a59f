/* test_filled.h - filled forms for the tests: lines as sshd wrote them, people's words in three languages. */
#ifndef SAQSHY_FORMS_TEST_FILLED_H
#define SAQSHY_FORMS_TEST_FILLED_H

#include "forms/forms.h"

static const char filled_annex7[] =
    "{\"registered_on\":\"2026-03-20\",\"detected_at\":\"2026-03-20T23:50:07+05:00\",\"source_ip\":\"203.0.113.77\","
    "\"target_ip\":\"10.20.30.40\",\"device_name\":\"egov-app-01.gov.kz\","
    "\"event_name\":\"Құпиясөзді іріктегеннен кейінгі сәтті кіру / Успешный вход после подбора пароля (SSH)\","
    "\"file_path_or_request\":\"/usr/sbin/sshd\",\"server_response_code\":\"\",\"ipt_hit_count\":57,"
    "\"source_organization\":null,\"registration_kind\":\"first\","
    "\"nature\":\"Mar 20 23:49:58 egov-app-01 sshd[2114]: Failed password for invalid user admin from 203.0.113.77 port "
    "51022 ssh2\\nMar 20 23:50:07 egov-app-01 sshd[2114]: Accepted password for operator from 203.0.113.77 port 51040 "
    "ssh2\",\"owner_or_possessor\":\"Қазақстан Республикасының Цифрлық даму министрлігі\","
    "\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"note\":\"\","
    "\"detection_kind\":\"incident\",\"recommendations\":\"1. operator есептік жазбасын бұғаттау және оның барлық "
    "сессияларын аяқтау.\\n2. 203.0.113.77 мекенжайын желіаралық экранда бұғаттау.\\n3. Журналдарды сақтап қою.\\n\\n1. "
    "Заблокировать учетную запись operator и завершить все ее сеансы.\\n2. Заблокировать адрес 203.0.113.77 на межсетевом "
    "экране.\\n3. Сохранить журналы регистрации событий.\"}";

static const char filled_annex2[] =
    "{\"registered_on\":\"2026-03-21\",\"level\":\"high\",\"incident_type\":\"unauthorized_access_and_content_modification\","
    "\"scale\":\"single\",\"occurred_at\":\"2026-03-20T23:50:07+05:00\",\"confirmed_at\":\"2026-03-21T01:05+05:00\","
    "\"recurrence\":\"new\",\"iocs\":[{\"type\":\"ip\",\"value\":\"203.0.113.77\"},{\"type\":\"hash\",\"value\":"
    "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"},{\"type\":\"url\",\"value\":"
    "\"http://malware.example/x.sh\"}],\"sign\":\"valid\",\"contour\":[\"internal_lan\",\"external_lan\"],"
    "\"nature\":\"Шабуылдаушы operator есептік жазбасының құпиясөзін іріктеп, жүйеге кірді.\","
    "\"consequences\":[\"integrity_breach\",\"confidentiality_breach\"],\"affected_object\":\"egov-app-01.gov.kz\","
    "\"elimination_actions\":\"Есептік жазба бұғатталды, кілттер ауыстырылды, жүйе сақтық көшірмеден қалпына келтірілді.\","
    "\"note\":\"\"}";

static const char filled_annex1[] =
    "{\"official_name\":\"«Бірыңғай өтініштер» ақпараттық жүйесі\",\"owner\":\"ҚР Цифрлық даму министрлігі\","
    "\"possessor\":\"«Ұлттық ақпараттық технологиялар» АҚ\",\"actual_location\":{\"street\":\"Мәңгілік Ел даңғылы 55/14\","
    "\"city\":\"Астана\",\"region\":\"Астана қаласы\"},"
    "\"support_organization\":[{\"name\":\"«ҰАТ» АҚ\",\"address\":\"Астана, Мәңгілік Ел 55/15\",\"phone\":\"+7 7172 00-00-00\","
    "\"email\":\"soc@nit.example\",\"contact_person\":\"Ә. Бекұлы\"},{\"name\":\"«Телеком» ЖШС\",\"phone\":\"+7 727 000-00-00\"}],"
    "\"object_criticality\":\"high\",\"utesb_connection\":{\"connected\":true,\"bandwidth\":\"1\",\"unit\":\"gbit_s\"},"
    "\"internet_connection\":{\"connected\":true,\"bandwidth\":500,\"unit\":\"mbit/s\"},"
    "\"architecture_diagrams\":[{\"kind\":\"logical\",\"name\":\"logical.pdf\",\"approved_by\":\"Ә. Бекұлы\","
    "\"approved_on\":\"2026-02-14\",\"signed\":true,\"sealed\":true},{\"kind\":\"physical\",\"name\":\"physical.pdf\","
    "\"approved_by\":\"Ә. Бекұлы\",\"approved_on\":\"2026-02-14\",\"signed\":true,\"sealed\":false}],"
    "\"lcs\":{\"present\":true,\"name\":\"Saqshy\",\"contour\":\"internal\"},"
    "\"is_contacts\":[{\"kind\":\"responsible_person\",\"name\":\"А. Серікқызы\",\"phone\":\"+7 701 000-00-00\","
    "\"email\":\"a@registry.example\"},{\"kind\":\"ocib\",\"name\":\"«Қорғаныс» АҚЖО\",\"phone\":\"+7 7172 11-11-11\"}],"
    "\"assets\":[{\"asset_class\":\"hardware\",\"name\":\"egov-app-01\",\"is_reserve\":false,\"ip_addresses\":[\"10.20.30.40\","
    "\"2001:db8::40\"],\"domain_names\":[\"app.gov.example\"],\"purpose\":\"қолданба сервері\",\"version\":\"R740\"},"
    "{\"asset_class\":\"software\",\"name\":\"PostgreSQL\",\"is_reserve\":true,\"ip_addresses\":[\"10.20.30.41\"],"
    "\"purpose\":\"дерекқор\",\"version\":\"15.6\"},{\"asset_class\":\"ipt\",\"ip_addresses\":[\"10.20.30.1\"],"
    "\"purpose\":\"желіаралық экран\"}]}";

static const char filled_knb[] =
    "{\"object\":\"«Бірыңғай өтініштер» АЖ\",\"owner_or_possessor\":\"ҚР ЦДМ\",\"event_name\":\"Рұқсатсыз қол жеткізу\","
    "\"level\":\"high\",\"detected_at\":\"2026-03-20T23:50:07+05:00\",\"notified_at\":\"2026-03-21T00:05+05:00\","
    "\"confirmed_at\":\"2026-03-21T01:05+05:00\",\"elimination_due_at\":\"2026-03-24T01:05+05:00\","
    "\"not_eliminated\":\"Себептері жойылған жоқ: осалдық жабылмаған.\",\"note\":\"\"}";

#endif
