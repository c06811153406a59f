// centre.mjs - a whole Saqshy for one test: a data directory of its own, free ports, the real binaries, and a clock that can be moved.
//
// const c = await centre({ demo: true, mail: smtp.port }); … await c.stop();
// The binaries are those of build/check (sanitizers, movable clock); SAQSHY_BUILD names another build folder.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync, rmSync, existsSync, openSync, closeSync, writeSync, appendFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import net from 'node:net';
import https from 'node:https';

export const root = resolve(new URL('../..', import.meta.url).pathname);
export const build = resolve(root, process.env.SAQSHY_BUILD ?? 'build/check');
export const bin = (name) => join(build, name);

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** kill -9. Of 0, which is the pid of a role between two starts, the kernel would take our own group: us, and whoever runs us. */
export function kill9(pid) {
    if (!(pid > 0)) throw new Error(`there is no process ${pid} to end`);
    process.kill(pid, 'SIGKILL');
}

/** Ask until the answer is truthy; what is the story if it never is. Slow machines and sanitizers are allowed for: no test measures time. */
export async function until(what, ask, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    let last;
    // Often at first, so that what comes soon is not waited for; then seldom, so that asking does not slow down what is waited for.
    for (let pause = 20; ; pause = Math.min(200, pause * 1.5)) {
        try { last = await ask(); } catch (e) { last = undefined; if (Date.now() > end) throw e; }
        if (last) return last;
        if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
        await sleep(pause);
    }
}

export function freePort() {
    return new Promise((done, fail) => {
        const s = net.createServer();
        s.once('error', fail);
        s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
    });
}

/** Run a program to its end: { code, out, err }. Never throws on a non-zero code. */
export function run(program, args, options = {}) {
    return new Promise((done) => {
        const p = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
        let out = '', err = '';
        p.stdout.setEncoding('utf8');
        p.stderr.setEncoding('utf8');
        p.stdout.on('data', (d) => (out += d));
        p.stderr.on('data', (d) => (err += d));
        p.on('error', (e) => done({ code: -1, out, err: String(e) }));
        p.on('close', (code, signal) => done({ code: code ?? -1, signal, out, err }));
        p.stdin.on('error', () => {});
        p.stdin.end(options.input ?? '');
    });
}

export const saqshy = (args, options) => run(bin('saqshy'), args, options);

/** One person's browser without a window: keeps the cookie and the CSRF token. */
export class Client {
    constructor(port, ca) { Object.assign(this, { port, ca, cookie: '', csrf: '' }); }
    request(method, path, body, headers = {}) {
        return new Promise((done, fail) => {
            const bytes = Buffer.isBuffer(body), text = body === undefined || bytes ? body : JSON.stringify(body);
            const r = https.request({ host: '127.0.0.1', port: this.port, path, method, ca: this.ca, agent: false,
                headers: { ...(text === undefined ? {} : { 'Content-Type': bytes ? 'application/octet-stream' : 'application/json', 'Content-Length': Buffer.byteLength(text) }),
                    ...(this.cookie ? { Cookie: this.cookie } : {}), ...(this.csrf ? { 'X-CSRF-Token': this.csrf } : {}), ...headers } }, (a) => {
                const parts = [];
                a.on('data', (d) => parts.push(d));
                a.on('end', () => {
                    for (const c of a.headers['set-cookie'] ?? []) this.cookie = c.split(';')[0];
                    const bytes = Buffer.concat(parts), json = /json/.test(a.headers['content-type'] ?? '') && bytes.length ? JSON.parse(bytes) : undefined;
                    done({ status: a.statusCode, headers: a.headers, bytes, json });
                });
            });
            r.on('error', fail);
            r.end(text);
        });
    }
    get(path) { return this.request('GET', `/api/v1${path}`); }
    post(path, body) { return this.request('POST', `/api/v1${path}`, body); }
    put(path, body) { return this.request('PUT', `/api/v1${path}`, body); }
    /** Bring a file in pieces; the answer to the last piece, or the first refusal. */
    async upload(name, content) {
        let a = await this.post('/uploads', { name, size_bytes: content.length });
        for (let at = 0; a.status < 300 && at < content.length; at = a.json.offset)
            a = await this.put(`/uploads/${a.json.id}?offset=${at}`, content.subarray(at, at + a.json.piece_bytes));
        return a;
    }
    async signIn(login, password) {
        const a = await this.post('/session', { login, password });
        if (a.status === 200) this.csrf = a.json.csrf;
        return a;
    }
}

class Process {
    constructor(program, args, env, logFile) {
        const out = openSync(logFile, 'a');
        this.exited = new Promise((done) => {
            this.child = spawn(program, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
            this.child.on('exit', (code, signal) => done({ code, signal }));
        });
    }
    get pid() { return this.child.pid; }
    async stop(signal = 'SIGTERM') { this.child.kill(signal); return this.exited; }
}

export async function centre({ demo = true, smtp = 0, agent = false, config = '', segmentBytes = 0 } = {}) {
    const data = mkdtempSync(join(tmpdir(), 'saqshy-'));
    const ports = { portal: await freePort(), otlp: await freePort(), syslog: await freePort() };
    const clock = join(data, 'test-clock');
    writeFileSync(clock, Buffer.alloc(8));
    const env = { SAQSHY_TEST_CLOCK: clock, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' };
    const made = await run(bin('saqshyd'), ['--init', data, '--port', ports.portal, '--otlp-port', ports.otlp, '--syslog-port', ports.syslog,
        ...(demo ? [] : ['--no-demo'])].map(String), { env: { ...process.env, ...env } });
    if (made.code !== 0) throw new Error(`--init failed: ${made.err}`);
    const configFile = join(data, 'saqshyd.yaml');
    let yaml = readFileSync(configFile, 'utf8');
    if (smtp) yaml = yaml.replace('smtp_url: ""', `smtp_url: "smtp://127.0.0.1:${smtp}"`);
    if (segmentBytes) yaml += `journal:\n  segment_bytes: ${segmentBytes}\n`;
    writeFileSync(configFile, yaml + config);
    const accounts = existsSync(join(data, 'SIGN-IN'))
        ? Object.fromEntries([...readFileSync(join(data, 'SIGN-IN'), 'utf8').matchAll(/^\s*(\S+) \/ (\S+) {2}\((\w+)\)/gm)].map((m) => [m[1], { login: m[1], password: m[2], role: m[3] }]))
        : {};
    const c = {
        data, ports, env, accounts, made, configFile, ca: readFileSync(join(data, 'pki/ca.pem')), log: join(data, 'test.log'), daemon: null, agentProcess: null,
        client() { return new Client(ports.portal, c.ca); },
        async signedIn(role) {
            const a = typeof role === 'string' ? Object.values(accounts).find((x) => x.role === role || x.login === role) : role;
            if (!a) throw new Error(`no account ${role} in ${JSON.stringify(accounts)}`);
            const client = c.client(), answer = await client.signIn(a.login, a.password);
            if (answer.status !== 200) throw new Error(`sign-in of ${a.login}: ${answer.status} ${answer.bytes}`);
            return client;
        },
        async start() {
            c.daemon = new Process(bin('saqshyd'), ['--config', configFile], env, c.log);
            await until('the portal answers', async () => (await c.client().request('GET', '/health')).status === 200, 90).catch((e) => { throw new Error(`${e.message}\n${c.story()}`); });
        },
        startAgent() { c.agentProcess = new Process(bin('saqshy-agent'), ['--config', join(data, 'agent/agent.yaml')], env, c.log); },
        async stopAgent(signal) { if (c.agentProcess) { const r = await c.agentProcess.stop(signal); c.agentProcess = null; return r; } },
        /** Process ids of the roles, from the supervisor. */
        async roles() {
            const a = await saqshy(['status', '--json', '--data', data], { env: { ...process.env, ...env } });
            return Object.fromEntries(JSON.parse(a.out).roles.map((r) => [r.name, r]));
        },
        /** The process of a role, once it runs. */
        running(role) { return until(`the role ${role} runs`, async () => (await c.roles())[role]?.pid, 90); },
        /** Move the clock of all processes by so many seconds from now on. */
        advance(seconds) {
            const b = readFileSync(clock);
            b.writeBigInt64LE(b.readBigInt64LE() + BigInt(Math.round(seconds * 1e9)));
            // In place: a file that is empty between two steps would set the clock back for whoever reads it then.
            const fd = openSync(clock, 'r+');
            writeSync(fd, b, 0, 8, 0);
            closeSync(fd);
        },
        now() { return Date.now() + Number(readFileSync(clock).readBigInt64LE() / 1000000n); },
        search(query, ...more) { return saqshy(['search', query, '--data', data, '--json', ...more.map(String)], { env: { ...process.env, ...env } }); },
        async events(query, ...more) {
            const a = await c.search(query, ...more);
            return a.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
        },
        story() {
            const tail = (f) => (existsSync(f) ? readFileSync(f, 'utf8').slice(-6000) : '');
            return `--- own log\n${tail(join(data, 'log/saqshyd.jsonl'))}\n--- output\n${tail(c.log)}`;
        },
        async stop() {
            await c.stopAgent();
            const r = c.daemon ? await c.daemon.stop() : { code: 0 };
            c.daemon = null;
            return r;
        },
        async remove() { await c.stop(); if (!process.env.SAQSHY_KEEP) rmSync(data, { recursive: true, force: true }); },
    };
    return c;
}

/** Send lines to the syslog TCP listener and wait until the connection has taken them. */
export function sendSyslog(port, lines) {
    return new Promise((done, fail) => {
        const s = net.connect(port, '127.0.0.1', () => s.end(lines.map((l) => l + '\n').join('')));
        s.on('error', fail);
        s.on('close', done);
        s.resume();
    });
}
export { appendFileSync, mkdirSync, execFileSync };
