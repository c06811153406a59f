// scan.samples.test.mjs - the samples of src/scan/testdata: each is known by what it holds, and gives what stands in the table below. They are written
// by us in the form of the real tools, also where the collection of real reports has no case: checks that passed, what was accepted, several projects.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, saqshy } from './lib/centre.mjs';

const folder = join(root, 'src/scan/testdata');
const samples = readdirSync(folder).filter((f) => f !== 'README.md');

async function read(file, ...options) {
    const a = await saqshy(['scan', '--json', ...options, join(folder, file)]);
    assert.equal(a.code, 0, `${file}: ${a.err}`);
    const all = a.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
    return { findings: all.filter((x) => !x.ran && !x.format), covers: all.filter((x) => x.ran), report: all.find((x) => x.format) };
}

/* [what was found, what was looked at, report]: of each row only the fields that stand here are compared. */
const holds = {
    'aide.txt': [[{ check: 'added', path: '/srv/app/new file.txt' }, { check: 'removed', path: '/srv/app/old' }, { check: 'changed', path: '/etc/passwd' }, { check: 'changed', path: '/etc/link' }],
        [{ ran: 'check', check: 'added' }, { ran: 'check', check: 'removed' }, { ran: 'check', check: 'changed' }], { version: '0.19.1', started: '2026-02-28T23:00:00Z' }],
    'anchore_grype.json': [[{ check: 'GHSA-aaaa-bbbb-cccc', severity: 'medium', cve: ['CVE-2099-0001'], cvss: 7.5, cvss_v2: 'AV:N/AC:L/Au:N/C:P/I:N/A:N', epss: 0.25, epss_percentile: 0.9, component: 'sample-lib', version: '1.2.3', fixed_version: '1.2.4', host: null, path: 'registry.example.com/app:1/app/lib/METADATA', tags: ['python'] },
        { check: 'CVE-2099-0002', severity: 'info', severity_text: 'Negligible' }, { check: 'CVE-2099-0003', status: 'accepted' }], [{ ran: 'all', path: 'registry.example.com/app:1' }], { version: '0.90.0', ended: '2026-03-01T10:00:00.500Z' }],
    'checkov.json': [[{ check: 'CKV_X_2', severity: 'high', path: '/infra/main.tf', line: 10, component: 'x_store.b', references: ['https://example.com/ckv-x-2'], tags: ['terraform'] }, { check: 'CKV_X_3', status: 'accepted' }, { check: 'CKV_D_2', severity: 'medium', path: '/Dockerfile', solution: 'Add it.' }],
        [{ ran: 'passed', check: 'CKV_X_1', path: '/infra/main.tf' }], { version: '3.2.1' }],
    'chkrootkit.txt': [[{ title: "Checking `ls': INFECTED", severity: 'high' }, { check: 'Searching for suspicious files and dirs', severity: 'medium', evidence: /hidden/ }],
        [{ ran: 'passed', check: "Checking `amd'" }, { check: "Checking `basename'" }, { check: 'Searching for knark LKM rootkit' }]],
    'clamav.txt': [[{ check: 'Sample.Signature-1', path: '/srv/in/b: with colon.bin', severity: 'high' }, { path: '/srv/in/d.zip' }], [{ ran: 'all', path: '/srv/in/a.txt' }], { version: '1.4.1', started: '2026-03-01T10:00:00Z', ended: '2026-03-01T10:00:05Z' }],
    'dockerbench.json': [[{ check: '1.1.2', severity: 'high' }, { check: '1.1.4', severity: 'high' }, { check: '1.1.5', severity: 'low' }], [{ ran: 'passed', check: '1.1.1' }], { version: '1.6.0', started: '2026-03-01T10:00:00Z' }],
    'dockle.json': [[{ check: 'CIS-DI-0009', severity: 'high', host: null, path: 'registry.example.com/app:1' }, { check: 'CIS-DI-0006', status: 'accepted' }], [{ ran: 'passed', check: 'DKL-DI-0001', path: 'registry.example.com/app:1' }]],
    'github_vulnerability.json': [[{ check: 'GHSA-aaaa-bbbb-cccc', id: 'RVA_1', cve: ['CVE-2099-0001'], cwe: [79], cvss: 7.5, epss: 0.25, component: 'sample-lib', version: '1.2.3', fixed_version: '1.2.4', path: 'https://example.com/org/sample/web/package-lock.json', host: null, first_seen: '2026-03-01T10:00:00Z' },
        { id: 'RVA_2', status: 'false-positive', severity: 'medium', cvss: null, version: '0.1.0' }], [{ ran: 'all', path: 'https://example.com/org/sample' }]],
    'gitleaks.json': [[{ check: 'sample-token', path: 'deploy/env.sh', line: 7, cwe: [798], severity: 'high', tags: ['a', 'b'] }], []],
    'hadolint.json': [[{ check: 'DL3006', severity: 'medium', path: 'Dockerfile', line: 1, references: ['https://github.com/hadolint/hadolint/wiki/DL3006'] }, { check: 'SC2086', severity: 'low', line: 4 }], []],
    'harbor_vulnerability.json': [[{ tool: 'Trivy', check: 'CVE-2099-0001', severity: 'high', cwe: [79, 80], cvss: 7.5, host: null, path: 'library/app', component: 'sample-lib', fixed_version: '1.2.4' }], [{ ran: 'all', path: 'library/app' }], { version: 'v0.60.0' }],
    'httpx.json': [[{ host: 'www.example.com', ip: '192.0.2.7', port: 8443, protocol: 'tcp', service: 'https', component: 'nginx', version: '1.27.1', severity: 'info' }, { ip: '192.0.2.8', port: 80 }],
        [{ ran: 'check', check: 'http', host: 'www.example.com', port: 8443 }, { ran: 'check', ip: '192.0.2.8', port: 80 }]],
    'kubebench.json': [[{ check: '1.1.2', severity: 'medium' }, { check: '1.1.3', severity: 'info' }], [{ ran: 'passed', check: '1.1.1' }]],
    'kubehunter.json': [[{ check: 'KHV036', ip: '192.0.2.10', port: 10250, severity: 'high' }, { check: 'CAP_NET_RAW Enabled', host: 'Local to Pod (kube-hunter-x)' }], [{ ran: 'all', ip: '192.0.2.10' }, { ran: 'all', ip: '192.0.2.10', port: 10250 }]],
    'lynis.dat': [[{ check: 'SAMP-0001', severity: 'medium', host: 'host-1' }, { check: 'SAMP-0002', severity: 'low', solution: 'do it', evidence: 'details of it' }, { check: 'SAMP-0002', title: 'Install another thing' }, { check: 'LYNIS' }],
        ['SAMP-0003', 'SAMP-0002', 'SAMP-0001'].map((check) => ({ ran: 'check', check, host: 'host-1' })), { version: '3.1.4', ended: '2026-03-01T10:00:30Z' }],
    'masscan.json': [[{ ip: '192.0.2.11', port: 22, protocol: 'tcp', severity: 'info' }, { ip: '192.0.2.12', port: 53, protocol: 'udp', seen: '2026-03-01T10:00:02Z' }], []],
    'ms_defender.json': [[{ check: 'CVE-2099-0001', severity: 'critical', host: 'machine-1', component: 'product', version: '1.2.3', solution: 'KB5000001' }], []],
    'naabu.json': [[{ host: 'www.example.com', ip: '192.0.2.7', port: 443 }, { port: 80 }], []],
    'nancy.json': [[{ check: 'CVE-2099-0001', cwe: [770], severity: 'high', component: 'example.com/bad', version: 'v0.1.0', path: 'pkg:golang/example.com/bad' }], [{ ran: 'all', path: 'pkg:golang/example.com/mod' }, { ran: 'all', path: 'pkg:golang/example.com/bad' }], { version: '1.0.52' }],
    'nettacker.json': [[{ title: 'Open port', host: 'www.example.com', port: 443, severity: 'info' }, { check: 'sample_cve_2099_0001_vuln', ip: '192.0.2.9', cve: ['CVE-2099-0001'], severity: 'high' }], []],
    'osv_scanner.json': [[{ check: 'GO-2099-0001', cve: ['CVE-2099-0001'], cwe: [770], cvss: 7.5, severity: 'high', component: 'example.com/bad', version: '0.1.0', fixed_version: '0.2.0', path: '/src/go.mod' }, { check: 'GO-2099-0002', severity: 'unknown' }],
        [{ ran: 'all', path: '/src/go.mod' }, { ran: 'all', path: '/src/web/package-lock.json' }]],
    'pingcastle.xml': [[{ check: 'S-SAMPLE-1', severity: 'high', severity_text: '20', host: 'example.local', evidence: 'one\ntwo', tags: ['Anomalies', 'PassTheCredential'] }, { check: 'S-SAMPLE-2', severity: 'info' }], [{ ran: 'all', host: 'example.local' }], { version: '3.3.0.1', ended: '2026-03-01T05:00:00Z' }],
    'prowler_csv.csv': [[{ check: 'sample_check_off', severity: 'high', host: null, path: 'arn:store-1', impact: 'It may leak; badly.', references: ['https://example.com/a', 'https://example.com/r', 'https://example.com/b', 'https://example.com/c'] }, { path: 'arn:store-2', status: 'accepted' }],
        [{ ran: 'passed', check: 'sample_check_off', path: 'arn:store-3' }], { version: '5.4.0' }],
    'prowler_ocsf.json': [[{ check: 'sample_check_off', severity: 'high', host: null, path: 'arn:store-1', seen: '2026-03-01T10:00:00.500Z' }, { path: 'arn:store-2', status: 'accepted' }], [{ ran: 'passed', check: 'sample_check_off', path: 'arn:store-3' }], { version: '5.4.0' }],
    'redhatsatellite.json': [[{ check: 'RHSA-2099:1', severity: 'high', severity_text: 'Important', cve: ['CVE-2099-0001'], component: 'sample-lib', fixed_version: 'sample-lib-1.2.4-1.el9.x86_64' }], []],
    'rkhunter.log': [[{ check: '/usr/bin/curl', path: '/usr/bin/curl', host: 'host-1', evidence: 'The file properties have changed:\nFile: /usr/bin/curl' }, { check: 'Checking for a running system logging daemon', severity: 'medium' }],
        [{ ran: 'passed', check: '/usr/bin/awk', host: 'host-1' }, { check: 'Checking for hidden files and directories' }, { check: 'Sample Rootkit' }], { version: '1.4.6' }],
    'semgrep.json': [[{ check: 'python.lang.security.sample', cwe: [78, 88], severity: 'high', path: 'app/a.py', line: 31, id: '0123_0', solution: 'run(quote(x))' }, { status: 'accepted', cwe: [78], severity: 'medium' }],
        ['app/a.py', 'app/b.py', 'app/c.py'].map((path) => ({ ran: 'all', path })), { version: '1.97.0' }],
    'semgrep_supply_chain.json': [[{ check: 'ssc-1', cve: ['CVE-2099-0001'], cwe: [617], component: 'sample-lib', version: '1.2.3', fixed_version: '1.2.4', path: 'org/sample/requirements.txt', line: 22, host: null }], []],
    'snyk.json': [[{ check: 'SNYK-JS-SAMPLELIB-1', host: null, component: 'sample-lib', version: '1.2.3', fixed_version: '1.2.4, 0.9.9', path: '/src/web/web > @scope/middle > sample-lib', epss: 0.25, solution: 'Upgrade `sample-lib` to version 1.2.4 or higher.' }, { check: 'SNYK-JS-OTHER-2', status: 'accepted', path: '/src/tools/tools > other' }],
        [{ ran: 'all', path: '/src/web' }, { ran: 'all', path: '/src/tools' }]],
    'trufflehog.json': [[{ check: 'URI', severity: 'medium', path: '/srv/app/.env', line: 3, cwe: [798] }], []],
    'wazuh.json': [[{ check: 'CVE-2099-0001', host: 'host-1', component: 'sample-tool', version: '9-1', fixed_version: '9-2', cvss: 9.1, severity: 'critical', references: ['https://example.com/a', 'https://example.com/b', 'https://example.com/c'] }], []],
    'whatweb.json': [[{ host: 'www.example.com', ip: '192.0.2.7', port: 8443, service: 'https', component: 'nginx', version: '1.27.1' }], [{ ran: 'check', check: 'technologies', host: 'www.example.com', port: 8443, path: '/x' }], { version: '0.5.5' }],
    'wpscan.json': [[{ check: 'readme', severity: 'info' }, { id: 'uuid-1', cve: ['CVE-2099-0001'], component: 'WordPress', version: '6.0', fixed_version: '6.0.1' }, { id: 'uuid-2', component: 'sample', version: '1.5', severity: 'high', cvss: 8.8 }], [{ ran: 'all', host: 'blog.example.com' }], { version: '3.8.27' }],
    'yara.txt': [[{ check: 'Sample_Rule', title: /^A rule, with a comma/, severity: 'high', path: '/srv/in/a b.bin', evidence: 'text', references: ['https://example.com/r'] }, { check: 'Bare_Rule', path: '/srv/in/c.bin', severity: 'medium' }], []],
};

test('every sample is known by what it holds', async () => {
    for (const file of samples) {
        const { report } = await read(file, '--summary');
        assert.equal(report.format, file.replace(/\.\w+$/, ''), file);
    }
});

function compare(got, wanted, what) {
    for (const [k, v] of Object.entries(wanted)) {
        if (v instanceof RegExp) assert.match(got[k] ?? '', v, `${what}: ${k}`);
        else assert.deepEqual(got[k], v, `${what}: ${k}`);
    }
}

for (const [file, [findings, covers, report]] of Object.entries(holds))
    test(`${file}: what it finds, what it has looked at`, async () => {
        const r = await read(file, '--covers');
        assert.equal(r.findings.length, findings.length, JSON.stringify(r.findings));
        findings.forEach((f, i) => compare(r.findings[i], f, `finding ${i}`));
        assert.equal(r.covers.length, covers.length, JSON.stringify(r.covers));
        covers.forEach((c, i) => compare(r.covers[i], c, `cover ${i}`));
        if (report) compare((await read(file, '--summary')).report, report, 'report');
    });
