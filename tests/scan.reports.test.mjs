// scan.reports.test.mjs - the reports whose coverage is hardest to tell (Nessus, Nmap, SARIF, XCCDF, ARF), in small files of our own, and the command
// itself: what it prints, what it refuses, and its exit codes.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, saqshy } from './lib/centre.mjs';

let folder;
before(() => { folder = mkdtempSync(join(tmpdir(), 'saqshy-scan-reports-')); });
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name, text) {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
}

async function read(name, text) {
    const a = await saqshy(['scan', '--json', '--covers', file(name, text)]);
    assert.equal(a.code, 0, a.err);
    const all = a.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    const say = (x, keys) => keys.map((k) => (Array.isArray(x[k]) ? x[k].join('+') : x[k] ?? '')).join(' | ');
    return {
        found: all.filter((x) => !x.ran).map((x) => say(x, ['severity', 'tool', 'check', 'host', 'port', 'path', 'cve', 'status'])),
        looked: all.filter((x) => x.ran).map((x) => say(x, ['ran', 'tool', 'check', 'host', 'port', 'port_to', 'path'])),
    };
}

const nessus = (login) => `<?xml version="1.0" ?>
<NessusClientData_v2><Policy><Preferences><ServerPreferences><preference><name>plugin_set</name><value>771;772</value></preference></ServerPreferences></Preferences></Policy>
<Report name="r"><ReportHost name="192.0.2.10"><HostProperties><tag name="HOST_END">Fri Mar 20 11:00:00 2026</tag><tag name="host-ip">192.0.2.10</tag><tag name="host-fqdn">web1.example.kz</tag></HostProperties>
<ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="19506" pluginName="Scan Information"><plugin_type>summary</plugin_type><plugin_output>Nessus version : 10.8
Credentialed checks : ${login}</plugin_output></ReportItem>
<ReportItem port="443" svc_name="www" protocol="tcp" severity="3" pluginID="771" pluginName="Old server"><plugin_type>remote</plugin_type><cve>CVE-2030-0001</cve></ReportItem>
<ReportItem port="0" svc_name="general" protocol="tcp" severity="4" pluginID="772" pluginName="Old package"><plugin_type>local</plugin_type></ReportItem></ReportHost>
<ReportHost name="192.0.2.11"><HostProperties><tag name="host-ip">192.0.2.11</tag></HostProperties></ReportHost></Report></NessusClientData_v2>`;

test('Nessus: a host whose scan ended was looked at with the plugins of the policy; local checks only where somebody could sign in', async () => {
    const checks = ['check | Nessus | 771 |  |  |  | ', 'check | Nessus | 772 |  |  |  | ', 'check | Nessus (local checks) | 771 |  |  |  | ', 'check | Nessus (local checks) | 772 |  |  |  | '];
    const yes = await read('a.nessus', nessus('yes, as root via ssh')), no = await read('b.nessus', nessus('no'));

    assert.deepEqual(yes.found, ['info | Nessus | 19506 | web1.example.kz |  |  |  | ', 'high | Nessus | 771 | web1.example.kz | 443 |  | CVE-2030-0001 | ',
        'critical | Nessus (local checks) | 772 | web1.example.kz |  |  |  | ']);
    assert.deepEqual(yes.looked.toSorted(), ['all | Nessus |  | web1.example.kz |  |  | ', 'all | Nessus (local checks) |  | web1.example.kz |  |  | ', ...checks].toSorted());
    assert.deepEqual(no.looked.toSorted(), ['all | Nessus |  | web1.example.kz |  |  | ', ...checks].toSorted());
});

const nmap = (args) => `<?xml version="1.0"?><!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="${args}" start="1773990000" version="7.95"><scaninfo type="syn" protocol="tcp" numservices="3" services="22,80-81"/>
<host starttime="1773990000" endtime="1773990060"><status state="up"/><address addr="192.0.2.10" addrtype="ipv4"/><hostnames><hostname name="web1.example.kz" type="user"/></hostnames>
<ports><port protocol="tcp" portid="80"><state state="open"/><service name="http" product="nginx" version="1.27"/>
<script id="vulners" output="x"><table key="cpe:/a:example:nginx:1.27"><table><elem key="id">CVE-2030-0002</elem><elem key="cvss">9.8</elem><elem key="type">cve</elem><elem key="is_exploit">false</elem></table></table></script>
<script id="http-vuln-x" output="y"><table key="X"><elem key="title">A hole</elem><elem key="state">VULNERABLE</elem></table></script>
<script id="http-vuln-z" output="z"><table key="Z"><elem key="title">Another</elem><elem key="state">NOT VULNERABLE</elem></table></script></port>
<port protocol="tcp" portid="22"><state state="closed"/></port></ports></host>
<host><status state="down"/><address addr="192.0.2.11" addrtype="ipv4"/></host><host timedout="true"><status state="up"/><address addr="192.0.2.12" addrtype="ipv4"/></host></nmaprun>`;

test('Nmap: hosts that are up were looked at on the ports asked for; a script covers nothing that it was not asked to look at', async () => {
    const with_it = await read('a.xml', nmap('nmap -sV --script vulners -p 22,80-81 -oX - web1.example.kz')), without = await read('b.xml', nmap('nmap -p 22,80-81 -oX - web1.example.kz'));
    const ports = (tool) => [`all | ${tool} |  | web1.example.kz | 22 | 22 | `, `all | ${tool} |  | web1.example.kz | 80 | 81 | `];
    const passed = 'passed | Nmap scripts | http-vuln-z | web1.example.kz |  |  | ';

    assert.deepEqual(with_it.found, ['info | Nmap | open-port | web1.example.kz | 80 |  |  | ', 'critical | Nmap vulners | CVE-2030-0002 | web1.example.kz | 80 |  | CVE-2030-0002 | ',
        'unknown | Nmap scripts | http-vuln-x | web1.example.kz | 80 |  |  | ']);
    assert.deepEqual(with_it.looked.toSorted(), [...ports('Nmap'), ...ports('Nmap vulners'), passed].toSorted());
    assert.deepEqual(without.looked.toSorted(), [...ports('Nmap'), passed].toSorted());
});

test('Nmap: a host that was only taken to be up (-Pn) and answered on no port may have been down: nobody looked at it', async () => {
    const taken = (ports) => nmap('nmap -Pn -p 22,80-81 x').replace(/<host starttime[^]*<\/host>\n/, `<host><status state="up" reason="user-set"/><address addr="192.0.2.13" addrtype="ipv4"/><ports>${ports}</ports></host>`);
    const silent = await read('c.xml', taken('<extraports state="filtered" count="3"/>')), dead = await read('d.xml', taken('<port protocol="tcp" portid="22"><state state="filtered" reason="no-response"/></port>'));
    const closed = await read('e.xml', taken('<extraports state="filtered" count="2"/><port protocol="tcp" portid="22"><state state="closed" reason="reset"/></port>'));

    assert.deepEqual([silent.looked, dead.looked], [[], []]);
    assert.deepEqual(closed.looked, ['all | Nmap |  |  | 22 | 22 | ']);
});

test('Nmap: behind a filter nobody looked: of a host with filtered ports those alone were looked at that answered', async () => {
    const ports = (list, args = 'nmap -sV --script vulners -p 22,80-81 x') => nmap(args).replace(/<ports>[^]*?<\/ports>/, `<ports>${list}</ports>`);
    const one = await read('f.xml', ports('<port protocol="tcp" portid="22"><state state="open"/></port><port protocol="tcp" portid="81"><state state="closed"/></port><port protocol="tcp" portid="83"><state state="filtered"/></port>', 'nmap -p 22,80-81 x'));
    const many = await read('g.xml', ports('<extraports state="closed" count="30"><extrareasons reason="reset" count="30" proto="tcp" ports="100-120,200"/></extraports><extraports state="filtered" count="9"/><port protocol="tcp" portid="22"><state state="open"/></port>'));
    const udp = await read('h.xml', ports('<port protocol="udp" portid="161"><state state="open|filtered"/></port><port protocol="udp" portid="53"><state state="open"/></port>', 'nmap -sU x'));
    const row = (tool, from, to = from) => `all | ${tool} |  | web1.example.kz | ${from} | ${to} | `;

    assert.deepEqual(one.looked.toSorted(), [row('Nmap', 22), row('Nmap', 81)]);
    assert.deepEqual(many.looked.toSorted(), ['Nmap', 'Nmap vulners'].flatMap((t) => [row(t, 100, 120), row(t, 200), row(t, 22)]).toSorted());
    assert.deepEqual(udp.looked.toSorted(), [row('Nmap', 53)]);
});

test('SARIF: the rules of the driver ran, those that are switched off did not; a result that passed is no finding', async () => {
    const got = await read('a.sarif', JSON.stringify({ version: '2.1.0', runs: [{
        results: [{ ruleId: 'A1', level: 'error', message: { id: 'd', arguments: ['x'] }, locations: [{ physicalLocation: { artifactLocation: { uri: 'src/a.c' }, region: { startLine: 3 } } }] },
            { ruleIndex: 1, message: { text: 'by index' }, baselineState: 'absent' }, { ruleId: 'A1', kind: 'pass', locations: [{ physicalLocation: { artifactLocation: { uri: 'src/b.c' } } }] },
            { ruleId: 'A1', message: { text: 'm' }, suppressions: [{ kind: 'inSource' }] }],
        tool: { driver: { name: 'Own', rules: [{ id: 'A1', messageStrings: { d: { text: 'uses {0}' } } }, { id: 'A2', defaultConfiguration: { level: 'note' } }, { id: 'A3', defaultConfiguration: { enabled: false } }] } },
        artifacts: [{ location: { uri: 'src/a.c' }, roles: ['analysisTarget'] }, { location: { uri: 'lib/x.h' } }] }] }));

    assert.deepEqual(got.found, ['high | Own | A1 |  |  | src/a.c |  | ', 'info | Own | A2 |  |  |  |  | fixed', 'medium | Own | A1 |  |  |  |  | accepted']);
    assert.deepEqual(got.looked.toSorted(), ['all | Own |  |  |  |  | src/a.c', 'check | Own | A1 |  |  |  | ', 'check | Own | A2 |  |  |  | ', 'passed | Own | A1 |  |  |  | src/b.c'].toSorted());
});

const result = `<TestResult id="xccdf_org.open-scap_testresult_p" start-time="2026-03-20T10:00:00" end-time="2026-03-20T10:01:00"><target>db1.example.kz</target><target-address>127.0.0.1</target-address>
<rule-result idref="r1" severity="high"><result>fail</result><ident system="http://cve.mitre.org">CVE-2030-0003</ident></rule-result><rule-result idref="r2"><result>pass</result></rule-result>
<rule-result idref="r3"><result>notapplicable</result></rule-result><rule-result idref="r4"><result>error</result></rule-result><rule-result idref="r5"><result>fixed</result></rule-result></TestResult>`;
const rules = '<Rule id="r1" severity="low"><title>A <b>rule</b></title></Rule>';

for (const [name, text] of [['xccdf.xml', `<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2">${rules}${result}</Benchmark>`],
    ['arf.xml', `<arf:asset-report-collection xmlns:arf="u"><arf:report-requests><Benchmark>${rules}</Benchmark></arf:report-requests><arf:reports><arf:report>${result}</arf:report></arf:reports></arf:asset-report-collection>`]])
    test(`${name}: every rule that passed is told; one that is not applicable, or ended in an error, was not checked`, async () => {
        const got = await read(name, text);

        assert.equal(got.found.length, 1);
        assert.match(got.found[0], /^high \| OpenSCAP \| r1 \| db1\.example\.kz \| .*CVE-2030-0003/);
        assert.deepEqual(got.looked.map((l) => l.split(' | ').slice(0, 4).join(' | ')), ['check | OpenSCAP | r1 | db1.example.kz', 'passed | OpenSCAP | r2 | db1.example.kz', 'passed | OpenSCAP | r5 | db1.example.kz']);
    });

test('standard input is read too, twice where it must be; a report that breaks at its end prints nothing at all', async () => {
    const sarif = JSON.stringify({ version: '2.1.0', runs: [{ results: Array.from({ length: 2000 }, (_, i) => ({ ruleId: 'A', message: { text: `m ${i}` } })), tool: { driver: { name: 'Own' } } }] });
    const whole = spawnSync(bin('saqshy'), ['scan', '--json', '-'], { input: sarif, maxBuffer: 1 << 28 });
    const cut = await saqshy(['scan', '--json', file('cut.sarif', sarif.slice(0, -40))]);

    assert.equal(whole.status, 0, String(whole.stderr));
    assert.equal(String(whole.stdout).trim().split('\n').length, 2000);
    assert.equal(JSON.parse(String(whole.stdout).split('\n')[0]).tool, 'Own');
    assert.equal(cut.code, 1);
    assert.equal(cut.out, '');
    assert.match(cut.err, /cut\.sarif:1:\d+: .*export it from the tool again/);
});

test('exit codes: 0 read, 1 broken or unknown, 2 usage; one bad file does not hide the others', async () => {
    const good = file('good.xml', nmap('nmap x')), bad = file('bad.json', '{"nobody":"knows","this":1}');
    const both = await saqshy(['scan', '--json', bad, good]);

    assert.equal(both.code, 1);
    assert.equal(both.out.trim().split('\n').length, 3);
    assert.match(both.err, /no description knows this report: JSON with the keys nobody, this/);
    assert.equal((await saqshy(['scan'])).code, 2);
    assert.equal((await saqshy(['scan', '--format', 'nobody', good])).code, 2);
    assert.equal((await saqshy(['scan', join(folder, 'absent')])).code, 2);
    assert.equal((await saqshy(['scan', '--formats'])).code, 0);
});
