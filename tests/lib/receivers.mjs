// receivers.mjs - real log daemons as receivers of what forward sends: each message goes to a file as it came, one a line, as a JSON text.
//
// const r = await rsyslogReceiver(t, dir, { kind: 'relp' }); r.port; await r.wait(3); await r.stop(); await r.start();
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { freePort, root, until } from './centre.mjs';

const peers = join(root, 'build/peers/usr');
const unpacked = existsSync(join(peers, 'sbin/syslog-ng'));

class Receiver {
    constructor(t, program, args, out, port, options) {
        Object.assign(this, { program, args, out, port, options, said: '' });
        t.after(async () => { if (this.child) { this.child.kill('SIGKILL'); await this.ended; } });
    }
    async start() {
        this.child = spawn(this.program, this.args, { stdio: ['ignore', 'pipe', 'pipe'], ...this.options });
        for (const s of [this.child.stderr, this.child.stdout]) s.on('data', (d) => (this.said += d));
        this.ended = new Promise((done) => this.child.on('exit', done));
        await until(`${this.program} listens: ${this.said}`, () => new Promise((done) => {
            const s = net.connect(this.port, '127.0.0.1', () => { s.destroy(); done(true); });
            s.on('error', () => done(false));
        }));
        return this;
    }
    async stop(signal = 'SIGTERM') { this.child.kill(signal); await this.ended; this.child = null; }
    /** Whole lines only: the last one may be half written. */
    lines() {
        const text = existsSync(this.out) ? readFileSync(this.out, 'utf8') : '';
        return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean).map((l) => (this.plain ? l : JSON.parse(`"${l}"`)));
    }
    async wait(count, seconds = 60) {
        return until(`${count} lines come`, () => this.lines().length >= count && this.lines(), seconds)
            .catch((e) => { throw new Error(`${e.message}: ${this.lines().length} came\n${this.program}: ${this.said.slice(-2000)}`); });
    }
}

/** rsyslogd; kind: tcp, tls, relp, relp_tls. pki: folder with ca.pem, server.pem, server.key; clients must show a certificate of this authority. */
export async function rsyslogReceiver(t, dir, { kind, pki = '', port = 0, conf = '' }) {
    const at = port || (await freePort()), out = join(dir, 'out.txt');
    mkdirSync(dir, { recursive: true });
    const globals = kind === 'tls' ? `DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="${pki}/ca.pem" DefaultNetstreamDriverCertFile="${pki}/server.pem" DefaultNetstreamDriverKeyFile="${pki}/server.key"` : '';
    const tls = `tls="on" tls.caCert="${pki}/ca.pem" tls.myCert="${pki}/server.pem" tls.myPrivKey="${pki}/server.key" tls.authMode="certvalid"`;
    const input = {
        tcp: ['module(load="imtcp")', `input(type="imtcp" port="${at}" address="127.0.0.1" ruleset="on")`],
        tls: ['module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")', `input(type="imtcp" port="${at}" address="127.0.0.1" ruleset="on")`],
        relp: ['module(load="imrelp")', `input(type="imrelp" port="${at}" address="127.0.0.1" maxDataSize="1m" ruleset="on")`],
        relp_tls: ['module(load="imrelp" tls.tlslib="openssl")', `input(type="imrelp" port="${at}" address="127.0.0.1" maxDataSize="1m" ruleset="on" ${tls})`],
    }[kind];
    const [load, listen] = conf ? [conf.slice(0, conf.indexOf('input(')), conf.slice(conf.indexOf('input(')).replace('ruleset="saqshy"', 'ruleset="on"')] : input;
    writeFileSync(join(dir, 'rsyslog.conf'), `global(workDirectory="${dir}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off" ${globals})
${load}
template(name="RAW" type="string" string="%rawmsg:::json%\\n")
ruleset(name="on") { action(type="omfile" file="${out}" template="RAW") }
${listen}
`);
    return new Receiver(t, '/usr/sbin/rsyslogd', ['-n', '-i', join(dir, 'pid'), '-f', join(dir, 'rsyslog.conf')], out, at, {}).start();
}

/** syslog-ng with its driver syslog(): tcp or tls. */
export async function syslogNgReceiver(t, dir, { kind, pki = '' }) {
    const port = await freePort(), out = join(dir, 'out.txt'), lib = join(peers, 'lib/syslog-ng');
    mkdirSync(dir, { recursive: true });
    const tls = kind === 'tls' ? `transport("tls") tls(key-file("${pki}/server.key") cert-file("${pki}/server.pem") ca-file("${pki}/ca.pem") peer-verify(required-trusted))` : 'transport("tcp")';
    writeFileSync(join(dir, 'syslog-ng.conf'), `@version: 3.38
options { log-msg-size(1048576); keep-hostname(yes); use-dns(no); };
source s_in { syslog(ip(127.0.0.1) port(${port}) ${tls} flags(store-raw-message)); };
destination d_out { file("${out}" template("$RAWMSG\\n")); };
log { source(s_in); destination(d_out); };
`);
    const r = new Receiver(t, unpacked ? join(peers, 'sbin/syslog-ng') : 'syslog-ng', ['-F', '--no-caps', '-f', join(dir, 'syslog-ng.conf'), '-R', join(dir, 'persist'), '-p', join(dir, 'pid'), '-c', join(dir, 'ctl'),
        ...(unpacked ? [`--module-path=${join(lib, '3.38')}`] : [])], out, port, { env: { ...process.env, ...(unpacked ? { LD_LIBRARY_PATH: `${lib}:${peers}/lib/x86_64-linux-gnu` } : {}) } });
    r.plain = true;
    return r.start();
}
