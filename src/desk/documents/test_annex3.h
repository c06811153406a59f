/* test_annex3.h - the 27 documents of Annex 3, written from requirements 6.3 and not from the edition's files: what its tests are held against.
 *
 * Owns      nothing.
 * Promises  1. A row for each document, in the order of Annex 3.
 * Threads   any.
 * Source    requirements 6.3. */
#ifndef SAQSHY_DESK_DOCUMENTS_TEST_ANNEX3_H
#define SAQSHY_DESK_DOCUMENTS_TEST_ANNEX3_H

/* row, level, number within the level, identifier, English name; Kazakh and Russian names. */
#define DOCUMENTS(D) \
    D(R_A3_1_01, "R-A3.1-01", 1, 1, "is_policy", "IS policy", \
      "ақпараттық қауіпсіздік саясаты", \
      "политика информационной безопасности") \
    D(R_A3_2_01, "R-A3.2-01", 2, 1, "risk_assessment_methodology", "Methodology of IS risk assessment", \
      "ақпараттық қауіпсіздік тәуекелдерін бағалау әдістемесі", \
      "методика оценки рисков информационной безопасности") \
    D(R_A3_2_02, "R-A3.2-02", 2, 2, "asset_identification_rules", "Rules for identification, classification and marking of assets related to information processing facilities", \
      "ақпаратты өңдеу құралдарымен байланысты активтерді сыныптау және маркалау, сәйкестендіру қағидалары", \
      "правила идентификации, классификации и маркировки активов, связанных со средствами обработки информации") \
    D(R_A3_2_03, "R-A3.2-03", 2, 3, "asset_continuity_rules", "Rules for ensuring continuity of assets related to information processing facilities", \
      "ақпаратты өңдеу құралдарымен байланысты активтердің үздіксіз қамтамасыз ету бойынша қағидалар", \
      "правила по обеспечению непрерывной работы активов, связанных со средствами обработки информации") \
    D(R_A3_2_04, "R-A3.2-04", 2, 4, "inventory_rules", "Rules for inventory and passporting of computing equipment, telecommunication equipment and software", \
      "есептеу техникасы құралдарын, телекоммуникациялық жабдықты және бағдарламалық қамтылымды түгендеу және паспорттандыру қағидалары", \
      "правила инвентаризации и паспортизации средств вычислительной техники, телекоммуникационного оборудования и программного обеспечения") \
    D(R_A3_2_05, "R-A3.2-05", 2, 5, "internal_audit_rules", "Rules for internal IS audit", \
      "ішкі АҚ аудитін жүргізу қағидалары", \
      "правила проведения внутреннего аудита ИБ") \
    D(R_A3_2_06, "R-A3.2-06", 2, 6, "crypto_rules", "Rules for use of cryptographic information protection means", \
      "ақпаратты криптографиялық қорғау құралдарын пайдалану қағидалары", \
      "правила использования средств криптографической защиты информации") \
    D(R_A3_2_07, "R-A3.2-07", 2, 7, "access_rights_rules", "Rules for separation of access rights to electronic information resources", \
      "электрондық ақпараттық ресурстарға қол жеткізу құқықтарын бөлу қағидалары", \
      "правила разграничения прав доступа к электронным информационным ресурсам") \
    D(R_A3_2_08, "R-A3.2-08", 2, 8, "internet_email_rules", "Rules for use of the Internet and e-mail", \
      "Интернетті және электронды поштаны пайдалану қағидалары", \
      "правила использования Интернета и электронной почты") \
    D(R_A3_2_09, "R-A3.2-09", 2, 9, "authentication_rules", "Rules for organising the authentication procedure", \
      "аутентификация рәсімін ұйымдастыру қағидалары", \
      "правила организации процедуры аутентификации") \
    D(R_A3_2_10, "R-A3.2-10", 2, 10, "antivirus_rules", "Rules for organising anti-virus control", \
      "вирусқа қарсы бақылауды ұйымдастыру қағидалары", \
      "правила организации антивирусного контроля") \
    D(R_A3_2_11, "R-A3.2-11", 2, 11, "mobile_media_rules", "Rules for use of mobile devices and information carriers", \
      "мобильдік құрылғыларды және ақпарат тасымалдауыштарды пайдалану қағидалары", \
      "правила использования мобильных устройств и носителей информации") \
    D(R_A3_2_12, "R-A3.2-12", 2, 12, "physical_protection_rules", "Rules for organising physical protection of information processing facilities and a secure environment for the functioning of information resources", \
      "ақпаратты өңдеу құралдарын физикалық қорғауды және ақпараттық ресурстардың қауіпсіз жұмыс істеу ортасын ұйымдастыру қағидалары", \
      "правила организации физической защиты средств обработки информации и безопасной среды функционирования информационных ресурсов") \
    D(R_A3_3_01, "R-A3.3-01", 3, 1, "threat_catalogue", "Catalogue of IS threats (risks)", \
      "АҚ қауіптерінің (тәуекелдерінің) каталогы", \
      "каталог угроз (рисков) ИБ") \
    D(R_A3_3_02, "R-A3.3-02", 3, 2, "threat_treatment_plan", "Plan for treatment of IS threats (risks)", \
      "АҚ қауіптерінің (тәуекелдерінің) өңдеу жоспары", \
      "план обработки угроз (рисков) ИБ") \
    D(R_A3_3_03, "R-A3.3-03", 3, 3, "backup_regulation", "Regulation on backup and restoration of information", \
      "ақпараттық резервті көшіру және қалпына келтіру регламенті", \
      "регламент резервного копирования и восстановления информации") \
    D(R_A3_3_04, "R-A3.3-04", 3, 4, "continuity_recovery_plan", "Plan of measures for continuity of work and restoration of operability of assets related to information processing facilities", \
      "ақпаратты өңдеу құралдарымен байланысты активтер жұмысының үздіксіздігін қамтамасыз етуі және жұмысқа жарамдылығын қалпына келтіру бойынша іс-шаралар жоспары", \
      "план мероприятий по обеспечению непрерывной работы и восстановлению работоспособности активов, связанных со средствами обработки информации") \
    D(R_A3_3_05, "R-A3.3-05", 3, 5, "administrator_guide", "Administrator's guide on maintaining the informatization object", \
      "әкімшінің ақпараттандыру объектісін сүйемелдеу жөніндегі басшылығы", \
      "руководство администратора по сопровождению объекта информатизации") \
    D(R_A3_3_06, "R-A3.3-06", 3, 6, "user_incident_instruction", "Instruction on the order of actions of users in IS incidents and emergency (crisis) situations", \
      "пайдаланушылардың АҚ оқыс оқиғаларына және штаттан тыс (дағдарысты) жағдайларда әрекет етуі бойынша іс-қимыл тәртібі туралы нұсқаулық", \
      "инструкция о порядке действий пользователей по реагированию на инциденты ИБ и во внештатных (кризисных) ситуациях") \
    D(R_A3_4_01, "R-A3.4-01", 4, 1, "incident_journal", "Journal of registration of IS incidents and accounting of emergency situations", \
      "АҚ оқыс оқиғаларын тіркеу және штаттан тыс жағдайларды есеп журналы", \
      "журнал регистрации инцидентов ИБ и учета внештатных ситуаций") \
    D(R_A3_4_02, "R-A3.4-02", 4, 2, "server_room_visit_journal", "Journal of visits to server rooms", \
      "серверлік үй-жайларға бару журналы", \
      "журнал посещения серверных помещений") \
    D(R_A3_4_03, "R-A3.4-03", 4, 3, "network_vulnerability_report", "Report on assessment of vulnerability of network resources", \
      "желілік ресурстар осалдығын бағалауды жүргізу туралы есеп", \
      "отчет о проведении оценки уязвимости сетевых ресурсов") \
    D(R_A3_4_04, "R-A3.4-04", 4, 4, "cable_journal", "Journal of accounting of cable connections", \
      "кабельді қосылысты есептеу журналы", \
      "журнал учета кабельных соединений") \
    D(R_A3_4_05, "R-A3.4-05", 4, 5, "backup_journal", "Journal of accounting of backup (backup, restoration), testing of backups", \
      "резервті көшірудің (резервті көшірудің, қалпына келтірудің), резервті көшіруді тестілеудің есепке алу журналы", \
      "журнал учета резервных копий (резервного копирования, восстановления), тестирования резервных копий") \
    D(R_A3_4_06, "R-A3.4-06", 4, 6, "change_journal", "Journal of accounting of changes of equipment configuration, testing and accounting of changes of free software and application software of the information system, registration and elimination of software vulnerabilities", \
      "жабдық конфигурациясының өзгеруін есепке алу, ақпараттық жүйенің еркін бағдарламалық қамтылымды және қолданбалы бағдарламалық қамтылымды тестілеу және өзгерістерді есепке алу, бағдарламалық қамтылым осалдықтарын тіркеу және жою журналы", \
      "журнал учета изменений конфигурации оборудования, тестирования и учета изменений свободного ПО и прикладного ПО информационной системы, регистрации и устранения уязвимостей ПО") \
    D(R_A3_4_07, "R-A3.4-07", 4, 7, "power_test_journal", "Journal of testing of diesel-generator sets and uninterruptible power supplies for server rooms", \
      "серверлік үй-жайларға арналған дизель-генераторлық қондырғыларды және үздіксіз қуат беру көздерін тестілеу журналы", \
      "журнал тестирования дизель-генераторных установок и источников бесперебойного питания для серверных помещений") \
    D(R_A3_4_08, "R-A3.4-08", 4, 8, "environment_test_journal", "Journal of testing of microclimate, video surveillance and fire extinguishing systems of server rooms", \
      "серверлік үй-жайлардың микроклиматын, бейнебақылауды, өрт сөндіруді қамтамасыз ету жүйелерін тестілеу журналы", \
      "журнал тестирования систем обеспечения микроклимата, видеонаблюдения, пожаротушения серверных помещений")

#endif
