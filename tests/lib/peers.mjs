// peers.mjs - real log daemons as senders: each takes messages over octet-counted TCP, as any host would send them, and passes them on exactly as they
// came, by the action or destination under test.
//
// const r = await rsyslog(t, dir, action, {}); await r.send(['<13>1 …', …]); await r.stop();
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { freePort, root, until } from './centre.mjs';

const have = (...paths) => paths.some((p) => existsSync(p));
const modules = '/usr/lib/x86_64-linux-gnu/rsyslog';
/** Is rsyslogd there, with these modules of its further packages? */
export const haveRsyslog = (...names) => have('/usr/sbin/rsyslogd', '/sbin/rsyslogd') && names.every((n) => have(join(modules, `${n}.so`), `/usr/lib/rsyslog/${n}.so`));
const peers = join(root, 'build/peers/usr');
const unpacked = existsSync(join(peers, 'sbin/syslog-ng'));
export const haveSyslogNg = () => unpacked || have('/usr/sbin/syslog-ng');

async function peer(t, program, args, port, options = {}) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const p = { child, said: '' };
    child.stderr.on('data', (d) => (p.said += d));
    child.stdout.on('data', (d) => (p.said += d));
    const ended = new Promise((done) => child.on('exit', done));
    t.after(async () => { child.kill('SIGKILL'); await ended; });
    p.socket = await until(`${program} listens`, () => new Promise((done) => {
        const s = net.connect(port, '127.0.0.1', () => done(s));
        s.on('error', () => done(null));
    }));
    /** Messages as octets with their count before each: any byte may stand inside. */
    p.send = (messages) => new Promise((done) => {
        const all = messages.flatMap((m) => { const b = Buffer.isBuffer(m) ? m : Buffer.from(m); return [Buffer.from(`${b.length} `), b]; });
        p.socket.write(Buffer.concat(all), done);
    });
    p.stop = async () => { p.socket.destroy(); child.kill('SIGTERM'); await ended; };
    return p;
}

/** rsyslogd. The action names the template RAW for messages as they came; globals are more parameters of global(), as those of TLS. */
export async function rsyslog(t, dir, action, { globals = '' } = {}) {
    const port = await freePort();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'rsyslog.conf'), `global(workDirectory="${dir}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off" ${globals})
module(load="imptcp")
template(name="RAW" type="string" string="%rawmsg%")
input(type="imptcp" port="${port}" address="127.0.0.1" maxFrameSize="1048576" ruleset="on")
ruleset(name="on") {
${action}
}
`.replaceAll(/(ruleset\(name="on"\) \{\n)([^]*)\n\}/g, (_, head, body) => {
        const loads = [...body.matchAll(/^module\([^]*?\)\n/gm)].map((m) => m[0]).join('');
        return `${loads}${head}${body.replaceAll(/^module\([^]*?\)\n/gm, '')}\n}`;
    }));
    return peer(t, '/usr/sbin/rsyslogd', ['-n', '-i', join(dir, 'pid'), '-f', join(dir, 'rsyslog.conf')], port);
}

/** syslog-ng; the destination is called d_saqshy, and sends $RAWMSG where it says template(RAW). */
export async function syslogNg(t, dir, destination) {
    const port = await freePort(), lib = join(peers, 'lib/syslog-ng');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'syslog-ng.conf'), `@version: 3.38
options { log-msg-size(1048576); keep-hostname(yes); use-dns(no); frac-digits(6); };
source s_src { syslog(ip(127.0.0.1) port(${port}) transport("tcp") flags(store-raw-message)); };
${destination}`);
    return peer(t, unpacked ? join(peers, 'sbin/syslog-ng') : 'syslog-ng', ['-F', '--no-caps', '-f', join(dir, 'syslog-ng.conf'), '-R', join(dir, 'persist'), '-p', join(dir, 'pid'), '-c', join(dir, 'ctl'),
        ...(unpacked ? [`--module-path=${join(lib, '3.38')}`] : [])], port, { env: { ...process.env, ...(unpacked ? { LD_LIBRARY_PATH: `${lib}:${peers}/lib/x86_64-linux-gnu` } : {}) } });
}
