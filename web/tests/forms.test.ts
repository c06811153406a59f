import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormDef } from '../src/lib/api/types';
import { fitted, guessIoc, missingFields, normalised, toggleSet } from '../src/lib/forms';

const label = { kk: '', ru: '', en: '' };
const form: FormDef = {
  id: 'annex7',
  title: label,
  fields: [
    { id: 'details', number: '2', label, type: 'group', presence: 'required', enum: null },
    { id: 'source_ip', number: '2.2', label, type: 'ip', presence: 'required_or_no_data', enum: null },
    { id: 'target_ip', number: '2.3', label, type: 'ip', presence: 'if_in_log', enum: null },
    { id: 'ipt_hit_count', number: '2.8', label, type: 'integer', presence: 'if_in_log', enum: null },
    { id: 'iocs', number: '5.4', label, type: 'iocs', presence: 'optional', enum: null },
    { id: 'consequences', number: '9', label, type: 'enum_set', presence: 'required', enum: 'consequences' },
  ],
};

test('only required fields are missed (R-A7-04 needs the address, R-A7-05 only if the log has it)', () => {
  assert.deepEqual(missingFields(form, {}).map((f) => f.id), ['source_ip', 'consequences']);
  assert.deepEqual(missingFields(form, { source_ip: '192.0.2.7', consequences: ['none'] }), []);
  assert.deepEqual(missingFields(form, { consequences: ['none'] }, { source_ip: true }), [], 'no data in the log, said so');
});

test('what is sent', () => {
  assert.deepEqual(normalised(form, { source_ip: ' 192.0.2.7 ', target_ip: '', ipt_hit_count: '12', iocs: [{ type: 'ip', value: ' ' }, { type: 'ip', value: '192.0.2.7' }] }), {
    source_ip: '192.0.2.7', target_ip: null, ipt_hit_count: 12, iocs: [{ type: 'ip', value: '192.0.2.7' }], consequences: [],
  });
});

test('«no consequences» excludes the others (Annex 2, item 9)', () => {
  assert.deepEqual(toggleSet(['integrity_breach'], 'none', true), ['none']);
  assert.deepEqual(toggleSet(['none'], 'integrity_breach', true), ['integrity_breach']);
  assert.deepEqual(toggleSet(['a', 'b'], 'a', false), ['b']);
});

test('a set in which the server keeps one value is drawn as one value', () => {
  const type = (start: Parameters<typeof fitted>[1]) => fitted(form, start).fields.find((f) => f.id === 'consequences')?.type;
  assert.equal(type({ consequences: [] }), 'enum_set');
  assert.equal(type({ consequences: null }), 'enum_set');
  assert.equal(type({ consequences: 'none' }), 'enum');
});

test('kinds of indicators', () => {
  for (const [v, want] of [
    ['192.0.2.7', 'ip'], ['2001:db8::1', 'ip'], ['evil.example.kz', 'domain'], ['https://evil.example/x', 'url'],
    ['d41d8cd98f00b204e9800998ecf8427e', 'hash'], ['a@b.kz', 'email'], ['/tmp/.x', 'file'], ['C:\\x.exe', 'file'], ['Trojan', 'other'],
  ] as const) assert.equal(guessIoc(v), want, v);
});
