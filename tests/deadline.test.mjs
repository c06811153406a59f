// deadline.test.mjs - saqshy deadline, as a script would use it: without configuration, daemon or data, from any folder.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { run, bin } from './lib/centre.mjs';

const deadline = (...args) => run(bin('saqshy'), ['deadline', ...args], { cwd: '/' });
const json = async (...args) => {
    const r = await deadline(...args, '--json');
    assert.equal(r.code, 0, r.err);
    assert.equal(r.out.trimEnd().split('\n').length, 1);
    return JSON.parse(r.out);
};

test('D-05 the 30 minutes run over midnight and into Nauryz', async () => {
    const d = await json('D-05', '--from', '2026-03-20T23:50+05:00');
    assert.equal(d.due, '2026-03-21T00:20:00+05:00');
    assert.equal(d.nominal, d.due);
    assert.equal(d.from, '2026-03-20T23:50:00+05:00');
    assert.equal(d.unit, 'minutes');
    assert.equal(d.paragraph, '10(1)');
});

test('D-12 ten business days over Nauryz, with every day counted named', async () => {
    const d = await json('D-12', '--from', '2026-03-19', '--lang', 'kk');
    assert.equal(d.due, '2026-04-07T23:59:59+05:00');
    assert.equal(d.from, '2026-03-19');
    assert.ok(d.arithmetic.some((x) => x.includes('10) 07.04.2026')));
    assert.ok(d.arithmetic.some((x) => x.includes('Наурыз мейрамы')));
});

test('D-13 shows the nominal day and the day it moves to', async () => {
    const d = await json('D-13', '--from', '2026-03-01');
    assert.equal(d.nominal, '2026-03-21T23:59:59+05:00');
    assert.equal(d.due, '2026-03-26T23:59:59+05:00');
});

test('what cannot be answered says why, and exit codes tell yes, no and usage apart', async () => {
    const rows = [
        [['D-12', '--from', '2028-02-01'], 1, /no year 2028/],
        [['F-01', '--from', '2026-02-01'], 1, /frequency/],
        [['D-99', '--from', '2026-02-01'], 2, /no obligation "D-99"/],
        [['D-12', '--from', '2026-02-30'], 2, /2026-03-19/],
        [['D-12'], 2, /usage/],
        [[], 2, /usage/],
        [['D-12', '--from', '2026-02-01', '--lang', 'de'], 2, /kk, ru or en/],
        [['D-12', '--from', '2026-02-01', '--zone', '../../etc/passwd'], 2, /time zone/],
        [['D-12', '--from', '2026-02-01', 'D-13'], 2, /usage/],
    ];
    for (const [args, code, why] of rows) {
        const r = await deadline(...args);
        assert.equal(r.code, code, args.join(' '));
        assert.match(r.err, why);
        assert.equal(r.out, '');
    }
    assert.equal((await deadline('--help')).code, 0);
});

test('F-01 F-05 a frequency is planned for a year, and by its share for an object that came later', async () => {
    const year = await json('F-01', '--year', '2026');
    assert.deepEqual([year.due, year.unit, year.amount, year.main, year.control], [null, 'per_year', 8, 4, 4]);
    const half = await json('F-01', '--year', '2026', '--from', '2026-07-02');
    assert.deepEqual([half.main, half.control], [2, 2]);
    const report = await json('F-05', '--year', '2026', '--lang', 'ru');
    assert.ok(report.arithmetic.some((x) => x.includes('31.03.2026; 30.06.2026; 30.09.2026; 31.12.2026')));
    assert.equal((await deadline('D-05', '--year', '2026')).code, 1);
    assert.equal((await deadline('F-01', '--year', 'soon')).code, 2);
});

test('D-19 D-20 have no lawful day, and what has no term at all says so', async () => {
    const d = await json('D-19', '--from', '2026-08-10');
    assert.equal(d.basis, 'target');
    assert.ok(d.arithmetic.some((x) => x.includes('not set by law')));
    const n = await json('N-05', '--from', '2026-08-10T10:00+05:00');
    assert.deepEqual([n.basis, n.due, n.nominal], ['open', null, null]);
});

test('D-18 a month that ends on a Sunday shows both dates', async () => {
    const d = await json('D-18', '--from', '2027-01-31');
    assert.equal(d.nominal, '2027-02-28T23:59:59+05:00');
    assert.equal(d.due, '2027-03-01T23:59:59+05:00');
});

test('every limit from D-01 to D-31 and every frequency is answered with its arithmetic in each language', async () => {
    for (const lang of ['kk', 'ru', 'en']) {
        for (const line of (await deadline('--list', '--json')).out.trimEnd().split('\n')) {
            const o = JSON.parse(line);
            const ask = o.unit === 'per_year' ? ['--year', '2026'] : ['--from', '2026-03-20T10:00+05:00'];
            const d = await json(o.id, ...ask, '--lang', lang);
            assert.ok(d.arithmetic.length > 0 && d.arithmetic.every((x) => x && !x.includes('duty.') && !x.includes('{')), o.id);
            assert.equal(d.paragraph, o.paragraph);
        }
    }
});

test('--list names all 31 limits and 6 frequencies, one object a line', async () => {
    const r = await deadline('--list', '--json');
    const ids = r.out.trimEnd().split('\n').map((l) => JSON.parse(l).id);
    assert.equal(ids.filter((x) => x.startsWith('D-')).length, 31);
    assert.equal(ids.filter((x) => x.startsWith('F-')).length, 6);
    const first = JSON.parse(r.out.split('\n')[0]);
    assert.deepEqual(first.fulfilled_by, ['commission_paper_at', 'commission_electronic_at']);
    assert.deepEqual(first.channels, ['paper', 'electronic']);
});
