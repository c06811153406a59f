// The part of the edition that the portal draws: labels from the annexes of the Rules (spec 6.2, 6.7).
const t = (kk, ru, en) => ({ kk, ru, en });
const f = (number, id, type, presence, label, enumName = null) => ({ id, number, label, type, presence, enum: enumName });
const v = (value, kk, ru, en) => ({ value, label: t(kk, ru, en) });
const sts = t('«МТҚ» АҚ', 'АО «ГТС»', 'STS JSC');
const owner = t('Меншік иесі немесе иеленуші', 'Собственник или владелец', 'Owner or possessor');

export const edition = {
  id: 'kz-52-2025',
  title: t('АҚҚМ жүргізу қағидалары, 52/НҚ (23.04.2025 редакция)', 'Правила проведения МОИБ, 52/НҚ (ред. 23.04.2025)', 'ISM Rules, 52/NK (as of 23.04.2025)'),
  in_force_from: '2025-05-06',
  obligations: [
    { id: 'D-05', paragraph: '10(1)', title: t('Анықталған АҚ оқиғасы туралы хабарлау', 'Уведомить о выявленном событии ИБ', 'Notify of the detected IS event'), who: sts, whom: t('Объектінің жауапты тұлғалары', 'Ответственные лица объекта', 'Responsible persons of the object'), amount: 30, unit: 'minutes' },
    { id: 'D-06', paragraph: '10(1)', title: t('АҚ оқыс оқиғасының себептері мен салдарын жою', 'Устранить причины и последствия инцидента ИБ', 'Eliminate causes and consequences of the IS incident'), who: owner, whom: t('', '', ''), amount: 72, unit: 'hours' },
    { id: 'D-10', paragraph: '12', title: t('Оқиға талдауының нәтижелерін ұсыну', 'Представить результаты анализа события', 'Give the results of event analysis'), who: owner, whom: sts, amount: 72, unit: 'hours' },
    { id: 'D-11', paragraph: '12', title: t('Қабылданған шаралар туралы ақпарат ұсыну (2-қосымша)', 'Представить информацию о принятых мерах (приложение 2)', 'Report the measures taken (Annex 2)'), who: owner, whom: sts, amount: 72, unit: 'hours' },
    { id: 'D-31', paragraph: 'Annex 2, note **', title: t('Анықталмаған деңгейді қайта қарау', 'Пересмотреть неопределенный уровень', 'Review the undefined level'), who: owner, whom: t('', '', ''), amount: 48, unit: 'hours' },
  ],
  enums: {
    level: [
      { ...v('high', 'Жоғары (4)', 'Высокий (4)', 'High (4)'), hint: t('Қызметтерді ұсыну/жұмыстарды орындау мүмкінсіздігіне және (немесе) маңызды деректердің жоғалуына/түрлендіруге әкеп соғатын АҚ оқыс оқиғалары', 'Инциденты ИБ, приводящие к невозможности предоставления услуг/выполнения работ и (или) утрате/модификации важных данных', 'Incidents which make services impossible and/or lose or modify important data') },
      v('medium', 'Орташа (3)', 'Средний (3)', 'Medium (3)'),
      v('low', 'Төмен (2)', 'Низкий (2)', 'Low (2)'),
      v('undefined', 'Анықталмаған (1)', 'Неопределенный (1)', 'Undefined (1)'),
    ],
    detection_kind: [v('event', 'АҚ оқиғасы', 'Событие ИБ', 'IS event'), v('incident', 'АҚ оқыс оқиғасы', 'Инцидент ИБ', 'IS incident')],
    incident_type: [
      v('denial_of_service', 'Қызмет көрсетуден бас тарту (DoS, DDoS)', 'Отказ в обслуживании (DoS, DDoS)', 'Denial of service (DoS, DDoS)'),
      v('unauthorized_access_and_content_modification', 'Рұқсатсыз қол жеткізу және қамтылымды түрлендіру', 'Несанкционированный доступ и модификация содержания', 'Unauthorised access and modification of content'),
      v('botnet', 'Ботнет', 'Ботнет', 'Botnet'), v('virus_attack', 'Вирустық шабуыл', 'Вирусная атака', 'Virus attack'), v('ransomware', 'Шифрлаушы', 'Шифровальщик', 'Ransomware'),
      v('vulnerability_exploitation', 'Осалдықты пайдалану', 'Эксплуатация уязвимости', 'Exploitation of a vulnerability'),
      v('authentication_means_compromise', 'Аутентификация/авторизация құралдарының жария етілуі', 'Компрометация средств аутентификации/авторизации', 'Compromise of means of authentication/authorisation'),
      v('phishing', 'Фишинг', 'Фишинг', 'Phishing'), v('spam', 'Спам', 'Спам', 'Spam'), v('other', 'Басқа', 'Другое', 'Other'),
    ],
    scale: [v('single', 'Жеке', 'Единичный', 'Single'), v('mass', 'Жаппай', 'Массовый', 'Mass')],
    recurrence: [v('repeated', 'Қайта', 'Повторный', 'Repeated'), v('new', 'Жаңа', 'Новый', 'New')],
    sign: [v('valid', 'Жарамды', 'Действительный', 'Valid'), v('attempt', 'Әрекет', 'Попытка', 'Attempt'), v('suspicion', 'Күдік', 'Подозрение', 'Suspicion')],
    contour: [v('internal_lan', 'Ішкі шеңбердің жергілікті желісі', 'Локальная сеть внутреннего контура', 'Local network of the internal contour'), v('external_lan', 'Сыртқы шеңбердің жергілікті желісі', 'Локальная сеть внешнего контура', 'Local network of the external contour')],
    consequences: [v('none', 'Салдары жоқ', 'Без последствий', 'No consequences'), v('operability_breach', 'Жұмысқа қабілеттілігінің бұзылуы', 'Нарушение работоспособности', 'Disruption of operability'), v('integrity_breach', 'Тұтастығының бұзылуы', 'Нарушение целостности', 'Breach of integrity'), v('confidentiality_breach', 'Ақпараттың құпиялылық режимінің бұзылуы', 'Нарушение режима конфиденциальности информации', 'Breach of the confidentiality regime')],
    registration_kind: [v('first', 'Алғашқы тіркеу', 'Первичная регистрация', 'First registration'), v('repeated', 'Қайта тіркеу', 'Повторная регистрация', 'Repeated registration')],
  },
  forms: [
    {
      id: 'annex7',
      title: t('Анықталған ақпараттық қауіпсіздік оқиғасы немесе ақпараттық қауіпсіздіктің оқыс оқиғасы туралы деректер тізбесі', 'Перечень данных о выявленном событии информационной безопасности или инциденте информационной безопасности', 'Data on a detected IS event or IS incident'),
      fields: [
        f('1', 'registered_on', 'date', 'required', t('АҚ оқиғасы/АҚ оқыс оқиғасы тіркелген күні', 'Дата регистрации события ИБ/инцидента ИБ', 'Date of registration of the IS event / IS incident')),
        f('2', 'details', 'group', 'required', t('Егжей-тегжейліліктер', 'Детали', 'Details')),
        f('2.1', 'detected_at', 'datetime', 'required', t('Анықтау күні мен уақыты', 'Дата и время выявления', 'Date and time of detection')),
        f('2.2', 'source_ip', 'ip', 'required_or_no_data', t('Шығу орнының IP-мекенжайы', 'IP-адрес источника', 'IP address of the origin')),
        f('2.3', 'target_ip', 'ip', 'if_in_log', t('Нысананың IP-мекенжайы (ОТЖ-да ақпарат болған жағдайда)', 'IP-адрес цели (при наличии информации в ЖРС)', 'IP address of the target (if in the log)')),
        f('2.4', 'device_name', 'string', 'required', t('Құрылғының атауы / Компьютердің аты', 'Наименование устройства / Имя компьютера', 'Name of the device / computer name')),
        f('2.5', 'event_name', 'string', 'required', t('АҚ оқиғасының/АҚ оқыс оқиғасының атауы', 'Наименование события ИБ/инцидента ИБ', 'Name of the IS event / IS incident')),
        f('2.6', 'file_path_or_request', 'string', 'if_in_log', t('Файл жолы / Сұрау салу (ОТЖ-да ақпарат болған жағдайда)', 'Путь к файлу / Запрос (при наличии информации в ЖРС)', 'File path / Request (if in the log)')),
        f('2.7', 'server_response_code', 'string', 'if_in_log', t('Серверден жауап коды (ОТЖ-да ақпарат болған жағдайда)', 'Код ответа от сервера (при наличии информации в ЖРС)', 'Response code from the server (if in the log)')),
        f('2.8', 'ipt_hit_count', 'integer', 'if_in_log', t('АҚҚ-да әрекет ету саны (ОТЖ-да ақпарат болған жағдайда)', 'Количество срабатываний на СЗИ (при наличии информации в ЖРС)', 'Number of triggerings on the IPT (if in the log)')),
        f('2.9', 'source_organization', 'string', 'if_in_log', t('Дереккөз-ұйым (ОТЖ-да ақпарат болған жағдайда)', 'Организация-источник (при наличии информации в ЖРС)', 'Source organisation (if in the log)')),
        f('2.10', 'registration_kind', 'enum', 'required', t('Алғашқы тіркеу/қайта тіркеу', 'Первичная регистрация/повторная регистрация', 'First registration / repeated registration'), 'registration_kind'),
        f('3', 'nature', 'text', 'if_in_log', t('АҚ оқиғасының/АҚ оқыс оқиғасының сипаты', 'Характер (описание) события ИБ/инцидента ИБ', 'Nature of the IS event / IS incident')),
        f('4', 'owner_or_possessor', 'string', 'required', t('ЭҮ АО иесі немесе иеленушісі', 'Собственник или владелец ОИ ЭП', 'Owner or possessor of the EGO')),
        f('5', 'object', 'string', 'required', t('АҚ оқиғасы/АҚ оқыс оқиғасы анықталған объект', 'Объект, на котором выявлено событие ИБ/инцидент ИБ', 'Object in which the IS event / IS incident was detected')),
        f('6', 'note', 'text', 'optional', t('Ескертпе', 'Примечание', 'Note')),
      ],
    },
    {
      id: 'annex2',
      title: t('Ақпараттық қауіпсіздіктің оқыс оқиғасы туралы деректер тізбесі', 'Перечень данных об инциденте информационной безопасности', 'Data on an IS incident'),
      fields: [
        f('1', 'registered_on', 'date', 'required', t('АҚ оқыс оқиғасы тіркелген күні', 'Дата регистрации инцидента ИБ', 'Date of registration of the IS incident')),
        f('2', 'level', 'enum', 'required', t('АҚ оқыс оқиғасының маңыздылық деңгейі*', 'Уровень критичности инцидента ИБ*', 'Level of the IS incident*'), 'level'),
        f('3', 'incident_type', 'enum', 'required', t('АҚ оқыс оқиғасының түрі', 'Тип инцидента ИБ', 'Type of the IS incident'), 'incident_type'),
        f('4', 'scale', 'enum', 'required', t('Ауқымы', 'Масштаб', 'Scale'), 'scale'),
        f('5', 'details', 'group', 'required', t('Егжей-тегжейліліктер', 'Детали', 'Details')),
        f('5.1', 'occurred_at', 'datetime', 'required', t('Туындау күні мен уақыты', 'Дата и время возникновения', 'Date and time of occurrence')),
        f('5.2', 'confirmed_at', 'datetime', 'required', t('Растау күні мен уақыты', 'Дата и время подтверждения', 'Date and time of confirmation')),
        f('5.3', 'recurrence', 'enum', 'required', t('Қайта / жаңа', 'Повторный / новый', 'Repeated / new'), 'recurrence'),
        f('5.4', 'iocs', 'iocs', 'optional', t('Жария ету индикаторы (IOC)', 'Индикатор компрометации (IOC)', 'Indicator of compromise (IOC)')),
        f('6', 'sign', 'enum', 'required', t('Белгісі', 'Признак', 'Sign'), 'sign'),
        f('7', 'contour', 'enum', 'required', t('Шеңбер', 'Контур', 'Contour'), 'contour'),
        f('8', 'nature', 'text', 'required', t('АҚ оқыс оқиғасының сипаты', 'Характер (описание) инцидента ИБ', 'Nature of the IS incident')),
        f('9', 'consequences', 'enum_set', 'required', t('Салдары', 'Последствия', 'Consequences'), 'consequences'),
        f('10', 'affected_object', 'string', 'required', t('Зиян келтірілген объект', 'Пострадавший объект', 'Affected object')),
        f('11', 'elimination_actions', 'text', 'required', t('АҚ оқыс оқиғасын жою үшін қолданылған әрекеттер', 'Действия, предпринятые для устранения инцидента ИБ', 'Actions taken to eliminate the IS incident')),
        f('12', 'note', 'text', 'optional', t('Ескертпе', 'Примечание', 'Note')),
      ],
    },
  ],
  terms: { is_event: { kk: 'АҚ оқиғасы', ru: 'событие ИБ', en: 'IS event' } },
  basis: null,
  definitions: [{ row: 'R-2-03', term: { kk: 'осалдық', ru: 'уязвимость', en: 'vulnerability' }, meaning: { kk: 'ақпараттандыру объектісінің кемшілігі', ru: 'недостаток объекта информатизации', en: 'a shortcoming of an informatization object' } }],
};
