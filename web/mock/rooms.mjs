import { COLLECTION } from './collection.mjs';

// What the schemas leave open and the pages of a room need to be seen: corrections of made-up answers, by path.
const FIELDS = [
  { name: 'text', type: 'text', required: true, enum: [] }, { name: 'letter_number', type: 'string', required: false, enum: [] },
  { name: 'letter_date', type: 'date', required: false, enum: [] },
];
const t = (kk, ru, en) => ({ kk, ru, en });
const FORM = {
  title: t('Алғашқы хабарлама', 'Первое уведомление', 'First notice'),
  fields: [
    { number: '1', id: 'detected_at', label: t('Анықталған уақыты', 'Время выявления', 'Detected at'), text: t('27.11.2026 10:15:00', '27.11.2026 10:15:00', '27.11.2026 10:15:00') },
    { number: '2', id: 'nature', label: t('Сипаты', 'Характер', 'Nature'), text: t('Құпиясөз таңдау', 'Подбор пароля', 'Guessing of passwords') },
  ],
  extras: [],
};

export const CORRECT = {
  ...COLLECTION,
  '/notices/{id}': (a) => ({ ...a, form: FORM, signatures: (a.signatures ?? []).map((x) => ({ ...x, reason: 'no_trust_anchor' })) }),
  '/requests/{id}': (a) => ({ ...a, item_fields: FIELDS, actions: (a.actions ?? []).map((x, i) => ({ ...x, name: ['record_paper', 'archive'][i % 2], fields: FIELDS })) }),
  '/requests/{id}/actions/{name}': (a) => CORRECT['/requests/{id}'](a),
  '/request-kinds': (a) => ({ ...a, items: a.items.map((k, i) => ({ ...Object.fromEntries(Object.entries(k).map(([name, v]) => [name, /fields$/.test(name) ? FIELDS : v])), name: ['information', 'logging_change', 'contact_change'][i % 3] })) }),
  '/objects/{id}/onboarding': (a) => ({ ...a, steps: ['R-10.1-01', 'R-12-04', 'R-12-09'].map((row, i) => ({ row, done: i, of: 3 })), actions: (a.actions ?? []).map((x, i) => ({ ...x, name: ['propose', 'add', 'approve'][i % 3], fields: FIELDS })) }),
};
