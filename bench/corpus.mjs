// corpus.mjs - lines as servers and devices write them, made from a fixed seed: the same bytes each time.
//
// usage: node bench/corpus.mjs LINES [SEED] > FILE
// Of sshd, sudo, netfilter, nginx, postgres and auditd, half in the form of RFC 3164 and half in that of RFC 5424, 150 to 200 bytes each.
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';

/** xorshift: small, and the same everywhere. */
function random(seed) {
    let x = seed >>> 0 || 1;
    return (below) => { x ^= x << 13; x >>>= 0; x ^= x >>> 17; x ^= x << 5; x >>>= 0; return x % below; };
}

const users = ['aigerim', 'daniyar', 'root', 'postgres', 'www-data', 'backup', 'nurlan', 'saule', 'oracle', 'admin'];
const paths = ['/api/v2/applications', '/kz/services/list', '/static/app.css', '/login', '/ru/catalog/search', '/health', '/upload/documents'];
const agents = ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0', 'curl/7.88.1', 'Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile'];
const tables = ['applications', 'citizens', 'payments', 'audit_trail', 'sessions'];

/** Kinds with their share in a hundred, program, PRI and text. */
const kinds = [
    [33, 'sshd', 38, (r, u, ip) => [`Failed password for ${r(2) ? 'invalid user ' : ''}${u} from ${ip} port ${1024 + r(60000)} ssh2`,
        `Accepted publickey for ${u} from ${ip} port ${1024 + r(60000)} ssh2: ED25519 SHA256:${(r(1e9) + 1e9).toString(36)}${(r(1e9) + 1e9).toString(36)}${(r(1e9) + 1e9).toString(36)}`,
        `Disconnected from authenticating user ${u} ${ip} port ${1024 + r(60000)} [preauth]`][r(3)]],
    [10, 'sudo', 86, (r, u) => `${u.padStart(8)} : TTY=pts/${r(9)} ; PWD=/home/${u} ; USER=root ; COMMAND=/usr/bin/systemctl restart ${['nginx', 'postgresql', 'ssh'][r(3)]}.service`],
    [14, 'kernel', 4, (r, u, ip) => `[${100000 + r(900000)}.${100000 + r(900000)}] DROP IN=eth0 OUT= SRC=${ip} DST=10.20.${r(256)}.${r(256)} LEN=${40 + r(1400)} TTL=${32 + r(96)} ID=${r(65536)} PROTO=TCP SPT=${1024 + r(60000)} DPT=${[22, 23, 445, 3389, 5432][r(5)]} SYN`],
    [20, 'nginx', 190, (r, u, ip) => `${ip} - - [27/Nov/2026:10:${String(r(60)).padStart(2, '0')}:${String(r(60)).padStart(2, '0')} +0500] "GET ${paths[r(paths.length)]}?id=${r(1e6)} HTTP/1.1" ${[200, 200, 200, 304, 404, 500][r(6)]} ${r(90000)} "-" "${agents[r(agents.length)]}"`],
    [15, 'postgres', 134, (r, u) => `${u}@portal LOG:  duration: ${r(900)}.${100 + r(900)} ms  statement: SELECT id, status, updated_at FROM ${tables[r(tables.length)]} WHERE owner_id = ${r(1e6)} LIMIT 50`],
    [8, 'audit', 13, (r, u, ip, i) => `type=USER_AUTH msg=audit(1795780800.${100 + r(900)}:${100000 + i}): pid=${r(32768)} uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication acct="${u}" exe="/usr/sbin/sshd" addr=${ip} res=${r(2) ? 'success' : 'failed'}'`],
];

export function corpus(lines, seed = 42) {
    const r = random(seed), out = [];
    for (let i = 0; i < lines; i++) {
        let share = r(100), k = 0;
        while (share >= kinds[k][0]) share -= kinds[k++][0];
        const [, program, pri, text] = kinds[k], host = `srv-${r(200)}.branch.gov.kz`, pid = 100 + r(32000);
        const body = text(r, users[r(users.length)], `203.0.${r(256)}.${1 + r(254)}`, i), t = `10:${String(r(60)).padStart(2, '0')}:${String(r(60)).padStart(2, '0')}`;
        out.push(i % 2 ? `<${pri}>1 2026-11-27T${t}.${100000 + r(900000)}+05:00 ${host} ${program} ${pid} - - ${body}` : `<${pri}>Nov 27 ${t} ${host} ${program}[${pid}]: ${body}`);
    }
    return Buffer.from(out.join('\n') + '\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
    const b = corpus(Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 42));
    process.stdout.write(b);
    process.stderr.write(`${(b.length / Number(process.argv[2] ?? 1000)).toFixed(1)} bytes a line, sha256 ${createHash('sha256').update(b).digest('hex').slice(0, 16)}\n`);
}
