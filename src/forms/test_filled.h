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

/* Letters of our own: no form is prescribed for them. */

static const char filled_recommendations[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі "
    "(ISM-0017)\",\"case_number\":\"2026-000042\",\"incident_type\":\"botnet\",\"recommendations\":\"1. operator "
    "есептік жазбасын бұғаттаңыз және барлық сессияларын аяқтаңыз.\\n2. 203.0.113.77 мекенжайын желіаралық экранда "
    "бұғаттаңыз.\\n3. Журналдарды сақтаңыз, торапты өшірмеңіз.\\n\\n1. Заблокируйте учетную запись operator и "
    "завершите все ее сеансы.\\n2. Заблокируйте адрес 203.0.113.77 на межсетевом экране.\\n3. Сохраните журналы, "
    "узел не выключайте.\",\"iocs\":[{\"type\":\"ip\",\"value\":\"203.0.113.77\"},{\"type\":\"hash\",\"value\":\"9f"
    "86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}],\"contact\":\"Ержан Нұрланов, кезекші "
    "талдаушы, analyst@sts.example\"}";

static const char filled_visit_decision[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"owner_or_possessor\":\"Қазақстан "
    "Республикасының Цифрлық даму министрлігі\",\"case_number\":\"2026-000042\",\"decided_by\":\"knb\",\"decided_at"
    "\":\"2026-03-23T09:10:00+05:00\",\"reason\":\"Оқыс оқиғаның салдары 72 сағатта жойылмады, журналдарды орнында "
    "зерделеу қажет / Последствия инцидента не устранены за 72 часа, требуется изучить журналы на "
    "месте\",\"contact\":\"Ержан Нұрланов, кезекші талдаушы, analyst@sts.example\"}";

static const char filled_visit_notice[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"owner_or_possessor\":\"Қазақстан "
    "Республикасының Цифрлық даму министрлігі\",\"case_number\":\"2026-000042\",\"decided_by\":\"sts\",\"purpose\":"
    "\"Журналдар жергілікті серверде ғана сақталған / Журналы хранятся только на локальном "
    "сервере\",\"employees\":[\"А. Қызметкер, инженер\",\"Б. Қызметкер, бас "
    "маман\"],\"sent_at\":\"2026-03-21T09:00:00+05:00\",\"arrives_at\":\"2026-03-21T14:00:00+05:00\",\"access_neede"
    "d\":[\"Серверлік үй-жай\"],\"contact\":\"Ержан Нұрланов, кезекші талдаушы, "
    "analyst@sts.example\",\"note\":\"Рұқсатнама қажет\"}";

static const char filled_consultation_request[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі "
    "(ISM-0017)\",\"case_number\":\"2026-000042\",\"question\":\"Сақтық көшірмеден қалпына келтірілген жүйенің "
    "тазалығын қалай тексереміз?\",\"contact\":\"Ержан Нұрланов, кезекші талдаушы, analyst@sts.example\"}";

static const char filled_consultation_answer[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі "
    "(ISM-0017)\",\"case_number\":\"2026-000042\",\"question\":\"Сақтық көшірмеден қалпына келтірілген жүйенің "
    "тазалығын қалай тексереміз?\",\"answer\":\"Оқшауланған ортада іске қосып, хештерді бастапқы паспортпен "
    "салыстырыңыз.\",\"contact\":\"Ержан Нұрланов, кезекші талдаушы, analyst@sts.example\"}";

static const char filled_event_analysis[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"event_name\":\"Құпиясөзді іріктегеннен "
    "кейінгі сәтті кіру / Успешный вход после подбора пароля "
    "(SSH)\",\"notified_at\":\"2026-03-20T23:57:30+05:00\",\"analysed_at\":\"2026-03-22T10:00:00+05:00\",\"result\""
    ":\"event_only\",\"analysis\":\"Қызметкер құпиясөзін қайта енгізген; бөгде кіру болған "
    "жоқ.\",\"performer\":\"Айгүл Сейтқали\"}";

static const char filled_information_request[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"owner_or_possessor\":\"Қазақстан "
    "Республикасының Цифрлық даму министрлігі\",\"requested\":[\"Объект туралы мәліметтер (Қағидаларға 1-қосымша), "
    "электрондық түрде / Сведения об объекте (приложение 1 к Правилам), в электронном виде\"],\"purpose\":\"АҚҚМ "
    "объектілерінің тізбесін қалыптастыру / Формирование перечня объектов МОИБ\",\"basis\":\"Қағидалардың "
    "15-тармағы / Пункт 15 Правил; № 12-3/456\",\"answer_by\":\"Осы сұрау салуды алған сәттен бастап 10 жұмыс күні "
    "ішінде\\nВ течение 10 рабочих дней с момента получения настоящего запроса\",\"contact\":\"Ержан Нұрланов, "
    "кезекші талдаушы, analyst@sts.example\",\"note\":\"Тізбе жаңартылуда\"}";

static const char filled_td_survey_notice[] =
    "{\"object\":\"«Бірыңғай өтініштер» ақпараттық жүйесі (ISM-0017)\",\"owner_or_possessor\":\"Қазақстан "
    "Республикасының Цифрлық даму министрлігі\",\"starts_on\":\"2026-05-04\",\"documents\":[\"is_policy\","
    "\"risk_assessment_methodology\",\"asset_identification_rules\",\"asset_continuity_rules\",\"inventory_rules\","
    "\"internal_audit_rules\",\"crypto_rules\",\"access_rights_rules\",\"internet_email_rules\","
    "\"authentication_rules\",\"antivirus_rules\",\"mobile_media_rules\",\"physical_protection_rules\","
    "\"threat_catalogue\",\"threat_treatment_plan\",\"backup_regulation\",\"continuity_recovery_plan\","
    "\"administrator_guide\",\"user_incident_instruction\",\"incident_journal\",\"server_room_visit_journal\","
    "\"network_vulnerability_report\",\"cable_journal\",\"backup_journal\",\"change_journal\",\"power_test_journal\","
    "\"environment_test_journal\"],\"certification\":\"Меншік иесі немесе иеленушісі бекіткен, оның қолымен және "
    "мөрімен (бар болса) расталған көшірмелер\\nКопии ТД, утвержденной собственником или владельцем, заверенные его "
    "подписью и печатью (при наличии)\",\"provide_by\":\"Осы хабарламаны алған күннен бастап 10 жұмыс күні "
    "ішінде\\nВ течение 10 рабочих дней со дня получения настоящего уведомления\",\"surveyors\":[\"Құжат аудиторы\"],"
    "\"contact\":\"Ержан Нұрланов, кезекші талдаушы, analyst@sts.example\",\"note\":\"2026 жылғы кесте, 7-жол\"}";

static const char filled_letter[] =
    "{\"title\":\"2026-000042: қабылданбады / не принято\",\"text\":\"Себептердің жойылғаны "
    "көрсетілмеген.\\nУстранение причин не показано.\"}";

#endif
