// scan.words.test.mjs - why a report was refused (place, fault, what to do) is told in Kazakh, Russian and English.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, saqshy } from './lib/centre.mjs';

const texts = Object.fromEntries(['kk', 'ru', 'en'].map((l) => [l, JSON.parse(readFileSync(join(root, `content/i18n/${l}.json`), 'utf8'))]));
const known = Object.entries(texts.en).filter(([k]) => /^scan\.(fault|xml|seen)/.test(k)).map(([, v]) => v.replace(/\{[a-z]+\}/g, '*'));
/** The files whose sentences reach people who read a report; descriptions of scanners are read by their makers. */
const READERS = ['detect', 'eval', 'finding', 'json', 'lines', 'read', 'rows', 'source', 'tree', 'xml'];

test('every sentence that the readers of reports say stands in the catalogue, so that it can be told in three languages', () => {
    const lacking = [];
    for (const file of readdirSync(join(root, 'src/scan')).filter((f) => READERS.includes(f.replace(/\.c$/, '')))) {
        const source = readFileSync(join(root, 'src/scan', file), 'utf8').replace(/"\s*\n\s*"/g, '');
        for (const m of source.matchAll(/\b(?:broken|refuse|read_broken|eval_fail|err_set|err_line)\(([^;]*);/g))
            for (const text of m[1].matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
                const said = JSON.parse(`"${text[1]}"`).replace(/^%s: (?=.)/, '').replace(/%\.\*s|%[a-z]+/g, '*');
                // What only joins other sentences, what ends every one of them, and a machine without memory, which is told to nobody's page.
                if (said === '*' || said.startsWith('*; nothing of the report') || said.startsWith('no memory') || known.includes(said)) continue;
                lacking.push(`${file}: ${said}`);
            }
    }
    assert.deepEqual(lacking, []);
    const source = readFileSync(join(root, 'src/scan/faults.c'), 'utf8');
    assert.deepEqual(Object.keys(texts.en).filter((k) => /^scan\.(fault|xml|seen)/.test(k) && !source.includes(`"${k}"`)), [], 'texts that are looked for nowhere');
});

test('a broken report is told in the language of the terminal: place, fault, what to do', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'saqshy-words-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const told = async (name, content, lang) => {
        writeFileSync(join(folder, name), content);
        const a = await saqshy(['scan', name], { cwd: folder, env: { ...process.env, LC_ALL: lang } });
        assert.equal(a.code, 1, a.err);
        return a.err.trim();
    };
    const cut = '<?xml version="1.0"?>\n<NessusClientData_v2><Report name="x">\n<ReportHost';
    assert.match(await told('cut.nessus', cut, 'C'), /^saqshy scan: cut\.nessus:3:\d+: XML: .*; nothing of the report is taken: export it from the tool again, whole$/);
    assert.match(await told('cut.nessus', cut, 'ru_RU.UTF-8'), /^saqshy scan: cut\.nessus, строка 3, знак \d+: XML нарушен: тег обрывается незакрытым; из отчёта не берётся ничего: выгрузите его из инструмента заново, целиком$/);
    assert.match(await told('cut.nessus', cut, 'kk_KZ.UTF-8'), /^saqshy scan: cut\.nessus, 3-жол, \d+-таңба: XML бұзылған: тег жабылмай үзілген; есептен ештеңе алынбайды/);
    assert.match(await told('a.json', '{"a": tru}', 'ru_RU.UTF-8'), /a\.json, строка 1, знак \d+: не число и не true, false или null; из отчёта не берётся ничего/);
    assert.match(await told('b.json', '{"strange": 1, "other": 2}', 'ru_RU.UTF-8'), /b\.json: этот отчёт не узнаёт ни одно описание: JSON с ключами strange, other; /);
    assert.match(await told('empty', '', 'kk_KZ.UTF-8'), /empty, 1-жол, 1-таңба: есеп бос$/);
    // Words of the report that look like one of our sentences stay words of the report.
    assert.match(await told('odd: the report is empty.xml', '<the:root-of-a-stranger/>', 'ru_RU.UTF-8'), /odd: the report is empty\.xml: этот отчёт не узнаёт ни одно описание: XML с корнем «root-of-a-stranger»/);
});

test('the sentences of the other languages are translated, not copied', () => {
    for (const [key, en] of Object.entries(texts.en).filter(([k]) => k.startsWith('scan.')))
        for (const lang of ['kk', 'ru']) assert.notEqual(texts[lang][key], en, `${lang} ${key}`);
});
