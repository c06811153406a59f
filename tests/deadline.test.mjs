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

test('--list names all 31 limits and 6 frequencies, one object a line', async () => {
    const r = await deadline('--list', '--json');
    const ids = r.out.trimEnd().split('\n').map((l) => JSON.parse(l).id);
    assert.equal(ids.filter((x) => x.startsWith('D-')).length, 31);
    assert.equal(ids.filter((x) => x.startsWith('F-')).length, 6);
});
