// scans.mjs - what tests/scan.test.mjs knows of the reports in ../shared/data/scans: how many things of which kind a file holds, counted here by other
// means than Saqshy's, and by which rule the source of the reports makes its number of findings from them.
import { readFileSync } from 'node:fs';

const json = (text) => JSON.parse(text);
const lines = (text) => text.split('\n').filter((l) => l.trim() !== '').map((l) => JSON.parse(l));
const times = (re) => (text) => (text.replace(/<!--[^]*?-->/g, '').match(re) ?? []).length;
const sum = (list, of) => list.reduce((n, x) => n + of(x), 0);
const list = (x) => (x === undefined || x === null ? [] : Array.isArray(x) ? x : [x]);

// Rows of a CSV table as RFC 4180 has them; blank lines are no rows. The delimiter is the one that the first line has more of.
export function csv(text) {
    const comma = (text.split('\n')[0].match(/,/g) ?? []).length >= (text.split('\n')[0].match(/;/g) ?? []).length ? ',' : ';';
    const rows = [];
    let row = [], cell = '', quoted = false;
    for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
        const c = text[i];
        if (quoted) {
            if (c !== '"') cell += c;
            else if (text[i + 1] === '"') { cell += '"'; i++; }
            else quoted = false;
        } else if (c === '"' && cell === '') quoted = true;
        else if (c === comma) { row.push(cell); cell = ''; }
        else if (c === '\n') { row.push(cell.replace(/\r$/, '')); rows.push(row); row = []; cell = ''; }
        else cell += c;
    }
    if (cell !== '' || row.length) { row.push(cell); rows.push(row); }
    return rows;
}
const filled = (row) => row.some((cell) => cell.trim() !== '');
// Objects by heading; head: which row has the headings.
export const table = (text, head = 0) => {
    const [h, ...rest] = csv(text).filter(filled).slice(head);
    return rest.map((r) => Object.fromEntries(h.map((name, i) => [name.trim(), r[i] ?? ''])));
};
const rows = (keep) => (text) => table(text).filter(keep).length;

// A result of SARIF that says that all is well.
const passes = (result) => ['pass', 'notApplicable'].includes(result.kind);

/* How many findings a file must give. A finding here is one thing that the tool reports; what it says to have passed is coverage, not a finding. */
export const items = {
    acunetix: (t, f) => (f.endsWith('.xml') ? times(/<ReportItem[\s>]/g)(t) : json(t).Vulnerabilities.length),
    aide: times(/^[fdlbcps][ +-].{17}: \//gm),
    anchore_grype: (t) => json(t).matches.length,
    burp: times(/<issue>/g),
    burp_api: (t) => json(t).issue_events.length,
    checkov: (t) => sum(list(json(t)), (r) => (r.results?.failed_checks ?? []).length),
    chkrootkit: times(/^\w.*\.\.\. +(?:INFECTED|WARNING|Vulnerable)/gm),
    clamav: times(/ FOUND$/gm),
    cyclonedx: (t, f) => (f.endsWith('.xml') ? 0 : sum(json(t).vulnerabilities ?? [], (v) => v.affects.length)),
    dependency_check: times(/<vulnerability>/g),
    dockerbench: (t) => sum(json(t).tests, (s) => s.results.filter((r) => r.result === 'WARN' || (['INFO', 'NOTE'].includes(r.result) && !/\((?:Manual|Not Scored)\)/.test(r.desc))).length),
    dockle: (t) => json(t).details.filter((d) => !['PASS', 'SKIP'].includes(d.level)).length,
    generic: (t, f) => (f.endsWith('.csv') ? rows((r) => r.Title)(t) : json(t).findings.filter((x) => x.title).length),
    github_vulnerability: times(/"securityVulnerability"/g),
    gitleaks: (t) => list(json(t)).length,
    hadolint: (t) => json(t).length,
    harbor_vulnerability: (t) => list((Object.values(json(t)).find((x) => x?.vulnerabilities !== undefined) ?? json(t)).vulnerabilities).length,
    httpx: (t) => lines(t).length,
    invicti: (t) => json(t).Vulnerabilities.length,
    kubebench: (t) => sum(list(json(t).Controls ?? json(t)), (c) => sum(c.tests, (s) => s.results.filter((r) => ['FAIL', 'WARN'].includes(r.status)).length)),
    kubehunter: (t) => json(t).vulnerabilities.length,
    lynis: times(/^(?:warning|suggestion)\[\]=/gm),
    masscan: (t) => sum(json(t), (h) => h.ports.length),
    ms_defender: (t) => json(t).value.length,
    naabu: (t) => lines(t).length,
    nancy: (t) => sum(json(t).vulnerable, (v) => v.Vulnerabilities.length),
    nettacker: (t) => json(t).length,
    nexpose: times(/<test id=/g),
    nikto: (t, f) => (f.endsWith('.xml') ? times(/<item /g)(t) : json(t).vulnerabilities.length),
    nuclei: (t) => lines(t).length,
    openscap: times(/<(?:\w+:)?result>fail</g),
    openvas: (t, f) => (f.endsWith('.xml') ? times(/<result id=/g)(t) : table(t).length),
    openvex: (t) => sum(json(t).statements, (s) => s.products.length),
    pingcastle: times(/<HealthcheckRiskRule>/g),
    prowler: (t, f) => (f.endsWith('.csv') ? rows((r) => r.STATUS === 'FAIL')(t) : json(t).filter((x) => x.status_code === 'FAIL').length),
    qualys: rows((r) => r.QID),
    qualys_vmdr: (t) => { const all = csv(t).filter(filled), head = all.findIndex((r) => r.includes('QID')); return all.length - head - 1; },
    redhatsatellite: (t) => json(t).results.length,
    rkhunter: times(/\[ Warning \]$/gm),
    sarif: (t) => sum(json(t).runs, (r) => (r.results ?? []).filter((x) => !passes(x)).length),
    'sarif-tutorials': (t, f) => items.sarif(t, f),
    'openscap-project': (t, f) => items.openscap(t, f),
    nmap: (t) => times(/<state state="open"/g)(t) + times(/<elem key="is_exploit">/g)(t),   // open ports, and what the script vulners says of them
    semgrep: (t) => (json(t).vulns ?? json(t).results).length,
    snyk: (t) => sum(list(json(t)), (p) => p.vulnerabilities.length + sum(p.applications ?? [], (a) => a.vulnerabilities.length)),
    solar_appscreener: (t) => table(t).length,
    sqlmap: (t, f) => (f.endsWith('.csv') ? table(t).length : times(/^Parameter: /gm)(t)),
    ssh_audit: (t) => sum(['kex', 'key', 'enc', 'mac'], (k) => json(t)[k].filter((a) => a.notes.fail || a.notes.warn).length),
    // Weak suites that were accepted, and one for a certificate that some store does not trust.
    sslyze: (t) => sum(t.match(/<acceptedCipherSuites>[^]*?<\/acceptedCipherSuites>/g) ?? [], times(/name="(?:[^"]*(?:NULL|EXPORT|anon|RC[24]|DES|MD5|IDEA)|TLS_RSA_[^"]*CBC)[^"]*"/g))
        + (/validationResult="(?!ok)/.test(t) ? 1 : 0),
    sslscan: times(/strength="(?:weak|null|medium|anonymous)"|<expired>true<|<self-signed>true<|vulnerable="1"/g),
    tenable: (t, f) => (f.endsWith('.xml') ? times(/<ReportItem[\s>]/g)(t) : rows((r) => r['Plugin ID'] || r.Plugin)(t)),
    testssl: rows((r) => r.severity !== 'OK'),
    trivy: (t) => {
        const all = json(t), results = Array.isArray(all) ? all : all.Resources ? all.Resources.flatMap((r) => list(r.Results)) : list(all.Results);
        return sum(results, (r) => list(r.Vulnerabilities).length + list(r.Misconfigurations).filter((m) => m.Status !== 'PASS').length + list(r.Secrets).length + list(r.Licenses).length);
    },
    trivy_operator: (t) => {
        const one = (x) => list(x.report?.vulnerabilities).length + list(x.report?.secrets).length + list(x.report?.checks).filter((c) => !c.success).length
            + list(x.status?.summaryReport?.controlCheck).filter((c) => c.totalFail > 0).length;
        const all = json(t);
        return sum(Array.isArray(all) ? all : all.kind ? [all] : Object.values(all).flat(), one);
    },
    trufflehog: (t) => lines(t).length,
    wapiti: times(/<entry>/g),
    wazuh: (t) => (json(t).data?.affected_items ?? json(t).hits.hits).length,
    whatweb: (t) => json(t).length,
    wpscan: (t) => {
        const { interesting_findings: seen, version, main_theme: theme, plugins } = json(t);
        return list(seen).length + sum([version, theme, ...Object.values(plugins ?? {})], (x) => list(x?.vulnerabilities).length + list(x?.version?.vulnerabilities).length);
    },
    yara: times(/^\w+ \[.*\] \//gm),
    zap: times(/<alertitem>/g),
};
export const dirOf = (file) => file.split('/')[0];
export const readText = (path) => readFileSync(path, 'utf8');

/* By which rule the source makes its findings of ours: same(f) names the pile that a finding falls into; count() reckons where a pile is not the
 * whole story. What stands in no line here is taken over one for one. */
export const merges = [
    { dir: 'acunetix', rule: 'the source keeps one finding for each title of a file', same: ['title'] },
    { dir: 'anchore_grype', rule: 'the source keeps one finding for each vulnerability of a package, wherever it lies', same: ['check', 'component', 'version'] },
    { dir: 'burp', rule: 'the source keeps one finding for each type of issue', same: ['check'] },
    { dir: 'dockerbench', rule: 'the source drops what is marked (Manual), even where it warns', of: (f) => !/\((?:Manual|Not Scored)\)/.test(f.title) },
    { dir: 'dockle', rule: 'the source drops what the owner told the tool to ignore', of: (f) => f.status === 'open' },
    { dir: 'generic', file: /\.csv$/, rule: 'the source keeps one finding for each title, severity and description', same: ['title', 'severity', 'description'] },
    { dir: 'gitleaks', rule: 'the source keeps one finding for each rule, file and line, whatever the commit', same: ['check', 'path', 'line'] },
    { dir: 'kubehunter', rule: 'the source drops a finding that it has already', same: ['check', 'title', 'evidence', 'url', 'host', 'port'] },
    { dir: 'naabu', rule: 'the source keeps one finding for each address and port', same: ['ip', 'port', 'protocol'] },
    { dir: 'nexpose', rule: 'the source keeps one finding for each vulnerability, and one more "Host Up" for the hosts that answered, which is coverage here', same: ['check'], more: (covers) => (covers.some((c) => c.ran === 'all') ? 1 : 0) },
    { dir: 'nikto', rule: 'the source keeps one finding for each message', same: ['title'] },
    { dir: 'nuclei', rule: 'the source keeps one finding for each template, matcher and host', same: ['check', 'component', 'host'] },
    { dir: 'prowler', file: /ocsf/, rule: 'the source drops a finding that it has already', same: ['check', 'title', 'path'] },
    { dir: 'sarif', rule: 'the source makes one finding for each location of a result', count: (findings, { text }) =>
        sum(json(text).runs, (r) => sum((r.results ?? []).filter((x) => !passes(x)), (x) => Math.max(1, list(x.locations).length))) },
    { dir: 'semgrep', file: /sca-/, rule: 'the source keeps one finding for each title, file and line', same: ['title', (f) => f.path.split('/').at(-1), 'line'] },
    { dir: 'snyk', file: /container/, rule: 'the source reads the packages of an image, not those of the programs inside of it', of: (f) => f.tags.some((t) => t.startsWith('debian')) },
    { dir: 'tenable', file: /\.xml$/, rule: 'the source keeps one finding for each plugin of a file', same: ['title', 'severity'] },
    { dir: 'tenable', file: /issue_9612\.csv$/, rule: 'the source does not know the column "IP Address" and keeps one finding for each plugin and port', same: ['title', 'port'] },
    { dir: 'tenable', file: /\.csv$/, rule: 'the source keeps one finding for each plugin, host and port', same: ['title', 'host', 'ip', 'port'] },
    { dir: 'testssl', rule: 'the source makes one finding for each CVE of a row', count: (findings) => sum(findings, (f) => Math.max(1, f.cve.length)) },
    { dir: 'trufflehog', rule: 'the source drops a finding that it has already', same: ['check', 'path', 'line', 'evidence'] },
    { dir: 'wpscan', rule: 'the source keeps one finding for each number in the database of vulnerabilities', same: [(f) => f.id ?? f.title] },
    { dir: 'wapiti', rule: 'the source keeps one finding for each title', same: ['title'] },
    { dir: 'sslscan', rule: 'the source reads ciphers and Heartbleed only; what is wrong with a certificate it passes over', of: (f) => /^(?:cipher|heartbleed)/.test(f.check) },
    { dir: 'sslyze', rule: 'the source makes one finding of all that is wrong at a target', same: ['host', 'port'] },
];
export function mergeOf(file) {
    const m = merges.find((x) => x.dir === dirOf(file) && (!x.file || x.file.test(file))) ?? { rule: 'one for one' };
    const key = (f) => (m.same ? JSON.stringify(m.same.map((x) => (typeof x === 'function' ? x(f) : f[x]) ?? null)) : f);
    return {
        rule: m.rule,
        key,
        count: (findings, covers, text) => {
            const kept = m.of ? findings.filter(m.of) : findings;
            return (m.count ? m.count(kept, { text }) : new Set(kept.map(key)).size) + (m.more ? m.more(covers) : 0);
        },
    };
}

const near = (a, b) => a !== undefined && a !== null && Math.abs(Number(a) - Number(b)) < 1e-6;
const empty = (x) => x === undefined || x === null || x === '' || (Array.isArray(x) && x.length === 0);
const same = (ours, value) => (empty(value) ? empty(ours) : ours === value);
const urls = (text) => text.match(/https?:\/\/[^\s)>\]"]+/g) ?? [];

/* How a fact's field of the source reads here. Each gets our finding, the value, and all our findings that the source makes one with it. */
export const factFields = {
    title: (f, v, { file }) => f.title === v
        || (v.endsWith(' [...]') && f.title.startsWith(v.slice(0, -' [...]'.length)))                                                   // the source shortens it
        || (file.startsWith('openvas/') && file.endsWith('.xml') && v === `${f.title}_${f.ip}_${f.port ?? 'general'}/${f.protocol}`)   // the source appends the place
        || (file.startsWith('ssh_audit/') && v === `${f.evidence}_${f.component}`)                                                     // banner and algorithm
        || (file.startsWith('cyclonedx/') && v === `None:None | ${f.title}`),                                                          // no component: its "None:None"
    severity: (f, v) => f.severity === v.toLowerCase(),
    description: (f, v) => (v === 'Description was not provided.' ? empty(f.description) : markdownHeld(f, v)),
    impact: (f, v) => same(f.impact, v),
    mitigation: (f, v, { file }) => f.solution === v || f.fixed_version === v || (f.solution ?? '').includes(v)
        || markdownHeld(f, file.startsWith('snyk/') ? v.split('\n\n')[0] : v),                                                          // below it, sentences that the source makes itself
    cwe: (f, v) => (v ? f.cwe.includes(Number(v)) : f.cwe.length === 0),
    unsaved_cwes: (f, v) => v.length === f.cwe.length && v.every((n) => f.cwe.includes(n)),
    cve: (f, v) => (v === null ? f.cve.length === 0 : f.cve.includes(v)),
    unsaved_vulnerability_ids: (f, v) => list(v).every((id) => f.cve.includes(id) || f.check === id),
    cvssv3: (f, v) => same(f.cvss_v3, v),
    cvssv3_score: (f, v) => near(f.cvss, v),
    severity_justification: (f, v) => near(f.cvss, /score of: \*\*([\d.]+)\*\*/.exec(v)[1]) && v.includes(`**${f.severity[0].toUpperCase()}${f.severity.slice(1)}**`),
    epss_score: (f, v) => near(f.epss, v),
    epss_percentile: (f, v) => near(f.epss_percentile, v),
    component_name: (f, v) => same(f.component, v),
    component_version: (f, v) => same(f.version, v),
    fix_version: (f, v) => same(f.fixed_version, v),
    vuln_id_from_tool: (f, v) => f.check === v || f.id === v,
    unique_id_from_tool: (f, v) => f.check === v || (f.id ?? '').split('|').sort().join('|') === v.split('|').sort().join('|'),
    // The image, repository, project or workload in which the file lies stands before it here.
    file_path: (f, v, { file }) => same(f.path, v) || (/^(?:trivy|github|snyk|semgrep|trufflehog)/.test(file) && v !== '' && f.path.endsWith(`/${v}`)),
    sast_source_file_path: (f, v) => same(f.path, v),
    line: (f, v) => f.line === Number(v),
    sast_source_line: (f, v) => f.line === v,
    url: (f, v) => same(f.url, v),
    nb_occurences: (f, v, { pile }) => sum(pile, (x) => x.occurrences ?? 1) === v,
    references: (f, v) => f.references.includes(v)
        || (urls(v).length > 0 && urls(v).every((u) => f.references.includes(u) || u === `https://app.snyk.io/vuln/${f.check}`)),         // made of the id by the source
    unsaved_tags: (f, v) => v.every((t) => f.tags.includes(t)),
    date: (f, v) => (f.seen ?? f.first_seen ?? '').startsWith(v),
    active: (f, v) => ((f.status ?? 'open') === 'open') === v,
    is_mitigated: (f, v) => (f.status === 'fixed') === v,
    verified: (f, v) => f.tags.includes('verified') === v,
    duplicate: (f, v) => f.tags.includes('duplicate') === v,
    scanner_confidence: (f, v) => (f.evidence ?? '').includes(`confidence: ${v}`),
};
/* The source writes some texts as Markdown from several fields; here they are fields of their own. What stands behind a bold word must be in one of them. */
function markdownHeld(f, text) {
    const all = Object.values(f).flat().join('\n').replace(/[*`]/g, '');
    const parts = text.split('\n').map((l) => l.replace(/^#+ .*|\*\*[^*]+:\*\*|[*`]/g, '').trim()).filter((l) => l.length > 1);
    return parts.every((p) => all.includes(p));
}

/* Facts that do not hold here, by file, field and reason. */
export const exceptions = [
    { file: 'tenable/nessus_was/nessus_was_one_vuln.xml', field: 'cwe', why: 'the report does name CWE 79 (xref CWE:79), the source does not read it' },
    { file: 'nancy/nancy_one_findings.json', field: 'cve', why: 'the report names the CVE in the title, the source reads one field only' },
    { file: 'generic/generic_non_numeric_fields.json', field: 'thread_id', why: 'a number of the source for its own threads, and "N/A" in the report' },
];

/* Files that are refused, and why. Empty ones are refused besides: an empty file says of nothing that it was looked at. */
export const refused = {
    'gitleaks/no_findings.json': 'the word null, by which no report can be known',
    'prowler/prowler_zero_vul.json': 'an empty list, by which no report can be known',
    'generic/generic_report_kev_cvssv4.csv': 'the last cell opens a quote and does not close it',
    'yara/rules.yar': 'rules of YARA, not a report',
    'clamav/custom.ndb': 'signatures of ClamAV, not a report',
    'openvex/openvex_not_a_document.json': 'a list of words, written to be refused',
    'csaf/csaf_unsupported_version.json': 'the schema of before CSAF 2.0, written to be refused',
};

/* What the words of `structure` count, and how that is seen in what was read. A word that stands for no number here ("root=", "json_object keys=") names what the
 * file is, and is compared with the file. records: what Saqshy went through, findings and passed checks and rows that say nothing. */
const words = {
    // All rows but the first; Saqshy counts those below the headings that have anything in them.
    csv_rows: (n, { records, text, report }) => {
        const all = csv(text), head = report.format === 'qualys_vmdr' ? all.findIndex((r) => r.includes('QID')) : 0;
        return all.length - 1 === n ? [records, all.slice(head + 1).filter(filled).length] : [all.length - 1, n];
    },
    ReportItem: (n, { records }) => [records, n],
    ReportHost: (n, { covers }) => [covers.filter((c) => c.ran === 'all').length, n],
    issue: (n, { records }) => [records, n],
    alertitem: (n, { records }) => [records, n],
    instance: (n, { text }) => [times(/<instance>/g)(text), n],
    site: (n, { covers }) => [covers.length, n],
    result: (n, { records }) => [records, n],
    results: (n, { records }) => [records, n],
    runs: (n, { text }) => [json(text).runs.length, n],
    item: (n, { records }) => [records, n],
    vulnerabilities: (n, { text }) => [json(text).vulnerabilities.length, n],
    Vulnerabilities: (n, { findings }) => [findings.filter((f) => !/ (?:config|secret|license)$/.test(f.tool)).length, n],
    Misconfigurations: (n, { findings }) => [findings.filter((f) => f.tool === 'Trivy config').length, n],
    Secrets: (n, { findings }) => [findings.filter((f) => f.tool === 'Trivy secret').length, n],
    Licenses: (n, { findings }) => [findings.filter((f) => f.tool === 'Trivy license').length, n],
    port_open: (n, { findings }) => [findings.filter((f) => f.check === 'open-port').length, n],
    host_up: (n, { covers }) => [new Set(covers.map((c) => c.ip)).size, n],
    'rule-result': (n, { records }) => [records, n],
    fail: (n, { findings }) => [findings.length, n],
    pass: (n, { covers }) => [covers.filter((c) => c.ran === 'passed').length, n],
    json_lines: (n, { records }) => [records, n],
    // A list of findings, or a list of documents that hold them.
    json_array: (n, { file, findings, text }) => (['gitleaks', 'hadolint', 'nettacker', 'prowler', 'whatweb'].includes(dirOf(file)) ? [findings.length, n] : [json(text).length, n]),
};
export function structureWrong(file, structure, text, r) {
    const wrong = [];
    for (const m of structure.matchAll(/(?:^| )([\w-]+)=(\d+)(?= |$)/g)) {
        const w = words[m[1]];
        if (!w) continue;
        const [ours, theirs] = w(Number(m[2]), { file, text, ...r, records: r.report.records });
        if (ours !== theirs) wrong.push(`structure ${m[1]}=${m[2]}: here ${ours}, should be ${theirs}`);
    }
    return wrong;
}
