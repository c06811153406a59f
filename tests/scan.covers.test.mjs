// scan.covers.test.mjs - what reports of our own making say to have been found, and what they show to have been looked at: one line a finding and one a
// place. What was looked at decides what a control survey may call fixed, so a line too many here is worse than one too few.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, saqshy } from './lib/centre.mjs';

const folder = join(root, 'src/scan/testdata');

// Of a report: findings as "severity | status | tool | check | title | host address :port path#line | component | CVE | CWE | CVSS" without what is not said;
// coverage as "all, check or passed | tool | check | place".
const reports = {
    'openvas.xml': {
        found: [
            'high | OpenVAS | 1.3.6.1.4.1.25623.1.0.990001 | Example Server < 2.4 Remote Code Execution | web1.example.kz 192.0.2.10 :443 | CVE-2030-0001 | 9.8',
            'info | false-positive | OpenVAS | 1.3.6.1.4.1.25623.1.0.990002 | Host clock told by TCP timestamps | 192.0.2.11 | 2.6',
        ],
        looked: [
            'all | OpenVAS | 192.0.2.10',
            'all | OpenVAS | 192.0.2.12',
        ],
    },
    'openvas_csv.csv': {
        found: [
            'high | OpenVAS | 1.3.6.1.4.1.25623.1.0.990001 | Example Server < 2.4 Remote Code Execution | web1.example.kz 192.0.2.10 :443 | CVE-2030-0001,CVE-2030-0002 | 9.8',
        ],
        looked: [],
    },
    'zap.xml': {
        found: [
            'high | ZAP | 40012 | Cross Site Scripting (Reflected) | shop.example.kz :443 | CWE-79',
            'low | false-positive | ZAP | 10096 | Timestamp Disclosure | shop.example.kz :443',
        ],
        looked: [
            'all | ZAP | shop.example.kz :443',
            'all | ZAP | shop.example.kz :8080',
        ],
    },
    'zap_json.json': {
        found: [
            'high | ZAP | 40012 | Cross Site Scripting (Reflected) | shop.example.kz :443 | CWE-79',
        ],
        looked: [
            'all | ZAP | shop.example.kz :443',
            'all | ZAP | shop.example.kz :8080',
        ],
    },
    'burp.xml': {
        found: [
            'high | Burp Suite | 1049088 | SQL injection | shop.example.kz 192.0.2.20 :443 | CWE-89,CWE-94',
        ],
        looked: [],
    },
    'burp_api.json': {
        found: [
            'low | Burp Suite | 16777984 | Strict transport security not enforced | shop.example.kz :8443 | CWE-523',
        ],
        looked: [],
    },
    'nuclei.jsonl': {
        found: [
            'high | Nuclei | example-panel | Example Panel - Default Login | shop.example.kz 192.0.2.20 :8443 | login | CVE-2030-0003 | CWE-798 | 9.8',
        ],
        looked: [
            'passed | Nuclei | example-backup | shop.example.kz 192.0.2.20 :8443',
        ],
    },
    'wapiti.xml': {
        found: [
            'medium | Wapiti | Backup file | Backup file: Backup file https://shop.example.kz/old.bak found | shop.example.kz :443 /old.bak | CWE-530',
        ],
        looked: [
            'check | Wapiti | Backup file | shop.example.kz :443',
        ],
    },
    'wapiti_json.json': {
        found: [
            'medium | Wapiti | Backup file | Backup file: Backup file https://shop.example.kz/old.bak found | shop.example.kz :443 /old.bak | CWE-530',
            'high | Wapiti | Internal Server Error | Internal Server Error: The server answered 500 | shop.example.kz :443 /x',
        ],
        looked: [
            'check | Wapiti | Backup file | shop.example.kz :443',
        ],
    },
    'nikto.xml': {
        found: [
            'info | Nikto | 999970 | The Strict-Transport-Security header is not set. | shop.example.kz 192.0.2.20 :443 /',
        ],
        looked: [
            'all | Nikto | shop.example.kz 192.0.2.20 :443',
        ],
    },
    'nikto_json.json': {
        found: [
            'info | Nikto | 999970 | The Strict-Transport-Security header is not set. | shop.example.kz 192.0.2.20 :443 /',
        ],
        looked: [
            'all | Nikto | shop.example.kz 192.0.2.20 :443',
        ],
    },
    'acunetix.xml': {
        found: [
            'medium | Acunetix | /Scripts/Dir.script/Directory listing | Directory listing | shop.example.kz :8443 /files | CWE-548 | 5.3',
        ],
        looked: [
            'all | Acunetix | shop.example.kz :8443',
        ],
    },
    'acunetix360.json': {
        found: [
            'medium | accepted | Invicti | CookieNotMarkedAsHttpOnly | Cookie Not Marked as HttpOnly | shop.example.kz :443 | CWE-16,CWE-200 | 7.5',
        ],
        looked: [
            'all | Invicti | shop.example.kz :443',
        ],
    },
    'testssl.csv': {
        found: [
            'low | testssl.sh | TLS1 | TLS1 | mail.example.kz 192.0.2.30 :443',
            'high | testssl.sh | DROWN | DROWN | mail.example.kz 192.0.2.30 :443 | CVE-2016-0800,CVE-2016-0703 | CWE-310',
            'info | testssl.sh | scanProblem | scanProblem | gone.example.kz 192.0.2.31 :443',
        ],
        looked: [
            'passed | testssl.sh | SSLv3 | mail.example.kz 192.0.2.30 :443',
            'passed | testssl.sh | heartbleed | mail.example.kz 192.0.2.30 :443',
        ],
    },
    'testssl_json.json': {
        found: [
            'high | testssl.sh | DROWN | DROWN | mail.example.kz 192.0.2.30 :443 | CVE-2016-0800,CVE-2016-0703 | CWE-310',
        ],
        looked: [
            'passed | testssl.sh | SSLv3 | mail.example.kz 192.0.2.30 :443',
        ],
    },
    'ssh_audit.json': {
        found: [
            'medium | ssh-audit | CVE-2030-0004 | CVE-2030-0004 | gate.example.kz :2222 | CVE-2030-0004 | 5',
            'high | ssh-audit | enc/3des-cbc | SSH cipher: 3des-cbc | gate.example.kz :2222 | 3des-cbc',
            'high | ssh-audit | key/ssh-rsa | SSH host key: ssh-rsa | gate.example.kz :2222 | ssh-rsa',
            'medium | ssh-audit | mac/umac-64@openssh.com | SSH MAC: umac-64@openssh.com | gate.example.kz :2222 | umac-64@openssh.com',
        ],
        looked: [
            'all | ssh-audit | gate.example.kz :2222',
        ],
    },
    'sslscan.xml': {
        found: [
            'high | sslscan | protocol ssl3 | Old protocol sslv3 enabled | mail.example.kz :465 | CWE-326',
            'critical | sslscan | heartbleed TLSv1.2 | Heartbleed with TLSv1.2 | mail.example.kz :465 | CVE-2014-0160',
            'medium | sslscan | cipher TLSv1.2 DES-CBC3-SHA | Weak cipher DES-CBC3-SHA accepted with TLSv1.2 | mail.example.kz :465 | DES-CBC3-SHA | CWE-327',
            'medium | sslscan | certificate expired | Certificate has expired | mail.example.kz :465 | CWE-298',
        ],
        looked: [
            'all | sslscan | mail.example.kz :465',
        ],
    },
    'sslyze.xml': {
        found: [
            'medium | SSLyze | certinfo path | Certificate is not trusted: self signed certificate | mail.example.kz 192.0.2.30 :993 | CWE-295',
            'medium | SSLyze | sslv3 TLS_RSA_WITH_RC4_128_SHA | Weak cipher TLS_RSA_WITH_RC4_128_SHA accepted | mail.example.kz 192.0.2.30 :993 | TLS_RSA_WITH_RC4_128_SHA | CWE-327',
            'high | SSLyze | sslv3 | Old protocol SSL 3.0 enabled | mail.example.kz 192.0.2.30 :993 | CWE-326',
        ],
        looked: [
            'passed | SSLyze | certinfo hostname | mail.example.kz 192.0.2.30 :993',
            'passed | SSLyze | heartbleed | mail.example.kz 192.0.2.30 :993',
            'passed | SSLyze | sslv3 TLS_RSA_WITH_NULL_MD5 | mail.example.kz 192.0.2.30 :993',
        ],
    },
    'sslyze_json.json': {
        found: [
            'medium | SSLyze | certinfo path | Certificate is not trusted: self-signed | mail.example.kz 192.0.2.30 :993 | CWE-295',
            'high | SSLyze | sslv3 | Old protocol SSL 3.0 enabled | mail.example.kz 192.0.2.30 :993 | CWE-326',
            'medium | SSLyze | sslv3 TLS_RSA_WITH_RC4_128_SHA | Weak cipher TLS_RSA_WITH_RC4_128_SHA accepted | mail.example.kz 192.0.2.30 :993 | TLS_RSA_WITH_RC4_128_SHA | CWE-327',
            'critical | SSLyze | heartbleed | Heartbleed | mail.example.kz 192.0.2.30 :993 | CVE-2014-0160',
        ],
        looked: [
            'passed | SSLyze | sslv3 TLS_RSA_WITH_NULL_MD5 | mail.example.kz 192.0.2.30 :993',
            'passed | SSLyze | tlsv1 | mail.example.kz 192.0.2.30 :993',
            'passed | SSLyze | robot | mail.example.kz 192.0.2.30 :993',
        ],
    },
    'nexpose.xml': {
        found: [
            'low | Nexpose | unix-umask | Default umask is too open | web1.example.kz 192.0.2.10 | 2.1',
            'high | Nexpose | ssh-weak-kex | SSH offers a weak key exchange | web1.example.kz 192.0.2.10 :22 | CVE-2030-0005 | 7.1',
        ],
        looked: [
            'all | Nexpose | web1.example.kz 192.0.2.10',
        ],
    },
    'qualys.csv': {
        found: [
            'critical | Qualys | 90001 | Example Server Remote Code Execution | web1.example.kz 192.0.2.10 :443 | CVE-2030-0001,CVE-2030-0002 | 9.8',
            'high | fixed | Qualys | 90002 | Example Library Overflow | web1.example.kz 192.0.2.10 | CVE-2030-0006',
        ],
        looked: [
            'passed | Qualys | 90002 | web1.example.kz 192.0.2.10',
            'all | Qualys | 192.0.2.11',
        ],
    },
    'qualys_pci.csv': {
        found: [
            'high | false-positive | Qualys | 90001 | Example Server Remote Code Execution | web1.example.kz 192.0.2.10 :443 | CVE-2030-0001 | 9.8',
        ],
        looked: [],
    },
    'qualys_vmdr.csv': {
        found: [
            'critical | Qualys | 90001 | Example Server Remote Code Execution | WEB1 192.0.2.10 :443 | CVE-2030-0001 | 9.8',
            'medium | fixed | Qualys | 90002 | Example Library Overflow | WEB1 192.0.2.10 | CVE-2030-0006 | 6.5',
        ],
        looked: [
            'passed | Qualys | 90002 | WEB1 192.0.2.10',
        ],
    },
    'nessus_csv.csv': {
        found: [
            'critical | Nessus | 990001 | Example Server < 2.4 RCE | 192.0.2.10 :443 | CVE-2030-0001 | 10',
            'info | Nessus | 19506 | Nessus Scan Information | 192.0.2.10',
            'info | Nessus | 10287 | Traceroute Information | web2.example.kz',
        ],
        looked: [
            'all | Nessus | 192.0.2.10',
        ],
    },
    'tenable_csv.csv': {
        found: [
            'critical | accepted | Nessus | 990001 | Example Server < 2.4 RCE | web1.example.kz 192.0.2.10 :443 | server | CVE-2030-0001,CVE-2030-0002 | CWE-78 | 9.8',
            'info | Nessus | 19506 | Nessus Scan Information | web1.example.kz 192.0.2.10',
        ],
        looked: [
            'all | Nessus | web1.example.kz 192.0.2.10',
        ],
    },
    'generic_csv.csv': {
        found: [
            'medium | Generic | Login without a limit of attempts | shop.example.kz :443 | CWE-307 | 5.3',
            'info | false-positive | Generic | Old page | shop.example.kz :443',
        ],
        looked: [],
    },
    'generic_json.json': {
        found: [
            'high | fixed | Our review | R-7 | Password in the source | src/config.c#12 | config | CVE-2030-0007 | CWE-798 | 7.5',
        ],
        looked: [],
    },
    'sqlmap_csv.csv': {
        found: [
            `high | sqlmap | sql-injection | SQL injection in GET parameter 'id' | shop.example.kz :8080 /item | CWE-89`,
        ],
        looked: [
            'passed | sqlmap | sql-injection | shop.example.kz :8080 /list',
        ],
    },
    'sqlmap_log.log': {
        found: [
            `high | sqlmap | sql-injection | SQL injection in GET parameter 'id' | CWE-89`,
        ],
        looked: [],
    },
    'solar_appscreener.csv': {
        found: [
            'critical | false-positive | Solar appScreener | Hardcoded password | Hardcoded password | inc/db.php#15 | CWE-259',
        ],
        looked: [],
    },
    'openvex.json': {
        found: [
            'unknown | OpenVEX | CVE-2030-0008 | pkg:deb/example/lib:1.0 | CVE-2030-0008 | pkg:deb/example/lib | pkg:deb/example/lib | CVE-2030-0008',
            'unknown | OpenVEX | CVE-2030-0008 | pkg:deb/example/tool:2.0 | CVE-2030-0008 | pkg:deb/example/tool | pkg:deb/example/tool | CVE-2030-0008',
            'info | not-affected | OpenVEX | CVE-2030-0009 | pkg:deb/example/lib:1.0 | CVE-2030-0009 | pkg:deb/example/lib | pkg:deb/example/lib | CVE-2030-0009',
        ],
        looked: [],
    },
    'csaf.json': {
        found: [
            'critical | CSAF | CVE-2030-0001 | Remote code | Example Server 2.3 | Example Server 2.3 | CVE-2030-0001 | CWE-94 | 9.8',
            'critical | fixed | CSAF | CVE-2030-0001 | Remote code | Example Server 2.4 | Example Server 2.4 | CVE-2030-0001 | CWE-94 | 9.8',
        ],
        looked: [],
    },
    'cyclonedx.json': {
        found: [
            'high | false-positive | lister | CVE-2030-0010 | parser:1.2 | CVE-2030-0010 | shop:1.0 | parser | CVE-2030-0010 | CWE-20 | 7.5',
            'high | false-positive | lister | CVE-2030-0010 | parser-dev:1.2 | CVE-2030-0010 | shop:1.0 | parser-dev | CVE-2030-0010 | CWE-20 | 7.5',
        ],
        looked: [
            'all | lister | shop:1.0',
        ],
    },
    'cyclonedx_xml.xml': {
        found: [
            'high | lister | CVE-2030-0010 | parser:1.2 | CVE-2030-0010 | shop:1.0 | parser | CVE-2030-0010 | CWE-20 | 7.5',
        ],
        looked: [
            'all | lister | shop:1.0',
        ],
    },
    'dependency_check.xml': {
        found: [
            'high | Dependency-Check | CVE-2030-0010 | parser-1.2.jar | CVE-2030-0010 | shop | kz.example/parser | CVE-2030-0010 | CWE-20 | 7.5',
            'low | false-positive | Dependency-Check | CVE-2030-0011 | parser-1.2.jar | CVE-2030-0011 | shop | kz.example/parser | CVE-2030-0011',
        ],
        looked: [
            'all | Dependency-Check | shop',
        ],
    },
    'dependency_check_json.json': {
        found: [
            'high | Dependency-Check | CVE-2030-0010 | parser-1.2.jar | CVE-2030-0010 | shop | kz.example/parser | CVE-2030-0010 | CWE-20 | 7.5',
            'low | false-positive | Dependency-Check | CVE-2030-0011 | parser-1.2.jar | CVE-2030-0011 | shop | kz.example/parser | CVE-2030-0011',
        ],
        looked: [
            'all | Dependency-Check | shop',
        ],
    },
    'trivy.json': {
        found: [
            'high | Trivy | CVE-2030-0010 | CVE-2030-0010 libparser 1.2-1 | registry.example.kz/shop:1.0/debian | libparser | CVE-2030-0010 | CWE-20 | 7.5',
            `high | Trivy config | DS002 | DS002 - Image user should not be 'root' | registry.example.kz/shop:1.0/Dockerfile#3`,
            'high | Trivy secret | private-key | Secret detected in app/key.pem - Asymmetric Private Key | registry.example.kz/shop:1.0/app/key.pem#1',
        ],
        looked: [
            'all | Trivy | registry.example.kz/shop:1.0/debian',
            'passed | Trivy config | DS001 | registry.example.kz/shop:1.0/Dockerfile',
            'all | Trivy config | registry.example.kz/shop:1.0/Dockerfile',
            'all | Trivy | registry.example.kz/shop:1.0/app/clean.lock',
            'all | Trivy npm | registry.example.kz/shop:1.0',
        ],
    },
    'trivy_operator.json': {
        found: [
            'low | Trivy Operator ConfigAuditReport | KSV014 | KSV014 - Root file system is not read-only | web/replicaset-shop | shop',
        ],
        looked: [
            'passed | Trivy Operator ConfigAuditReport | KSV001 | web/replicaset-shop',
            'all | Trivy Operator ConfigAuditReport | web/replicaset-shop',
        ],
    },
};

const place = (x) => [x.host && x.host !== x.ip ? x.host : '', x.ip ?? '', x.port != null ? `:${x.port}` : '', x.path ? `${x.path}${x.line ? `#${x.line}` : ''}` : ''].filter(Boolean).join(' ');
const foundLine = (f) => [f.severity, f.status ?? '', f.tool, f.check, f.title, place(f), f.component ?? '', f.cve.join(','), (f.cwe ?? []).map((n) => `CWE-${n}`).join(','), f.cvss ?? '']
    .filter((x) => x !== '' && x !== undefined).join(' | ');
const lookedLine = (c) => [c.ran, c.tool, c.check ?? '', place(c)].filter(Boolean).join(' | ');

const said = new Map();
before(async () => {
    const files = Object.keys(reports).map((name) => join(folder, name));
    for (const options of [['--covers'], ['--summary']]) {
        const a = await saqshy(['scan', '--json', ...options, ...files]);
        assert.equal(a.code, 0, a.err);
        for (const line of a.out.split('\n').filter(Boolean)) {
            const x = JSON.parse(line);
            said.set(x.file, [...(said.get(x.file) ?? []), x]);
        }
    }
});

for (const [name, { found, looked }] of Object.entries(reports))
    test(`${name} is known, its findings are told, and it covers what it shows to have been looked at and no more`, () => {
        const all = said.get(join(folder, name));
        assert.equal(all.find((x) => x.format).format, name.replace(/\.[a-z]+$/, ''));
        assert.deepEqual(all.filter((x) => x.severity).map(foundLine), found);
        assert.deepEqual(all.filter((x) => x.ran).map(lookedLine), looked);
    });

test('words of the tool stand beside ours, and where it has none nothing is put into its mouth', () => {
    const finding = (name, n = 0) => said.get(join(folder, name)).filter((x) => x.severity)[n];
    assert.equal(finding('zap.xml').severity_text, 'High (Medium)');
    assert.equal(finding('nexpose.xml', 1).severity_text, '8');
    for (const name of ['nikto.xml', 'ssh_audit.json', 'sslyze.xml', 'sqlmap_csv.csv']) assert.equal(finding(name, name === 'ssh_audit.json' ? 1 : 0).severity_text, undefined, name);
    assert.equal(finding('zap.xml').occurrences, 2);
    assert.equal(finding('zap.xml').evidence, 'GET https://shop.example.kz/search?q=1 q <b>1\nPOST https://shop.example.kz/find text');
    assert.equal(finding('acunetix.xml').description.replace(/\n+/g, '\n'), 'The server lists a folder.\nThe folder /files is listed.');
});

test('texts of half a megabyte, which OpenVAS keeps in one element with all others, are cut and not a reason to refuse the report', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'saqshy-scan-long-')), file = join(dir, 'long.xml');
    writeFileSync(file, readFileSync(join(folder, 'openvas.xml'), 'utf8').replace('summary=The server', `insight=${'a long story; '.repeat(40000)}|summary=${'words and words, '.repeat(30000)}The server`));
    const a = await saqshy(['scan', '--json', file]);
    rmSync(dir, { recursive: true });
    assert.equal(a.code, 0, a.err);
    const first = JSON.parse(a.out.split('\n')[0]);
    assert.match(first.description, /^words and words, /);
    assert.equal(first.impact, 'The host is lost.');
});
