// kafka.mjs - a cluster of Kafka for tests: librdkafka's mock brokers in a process of their own (src/kafka/testing_mock.c).
//
// const k = await kafka(t); await k.topic('logs', 3); await k.many('logs', 1000, 'text'); k.brokers; await k.read('logs')
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import assert from 'node:assert/strict';
import { bin } from './centre.mjs';

export async function kafka(t) {
    const child = spawn(bin('src/kafka/kafka-mock'), [], { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
    const waiting = [], lines = [];
    let got = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
        if (waiting.length === 0) lines.push(line);
        else if (line === 'ok' || line === 'wrong' || line.startsWith('brokers ')) { const all = got; got = []; waiting.shift()({ line, all }); }
        else got.push(line);
    });
    t.after(() => child.kill('SIGKILL'));
    const first = await new Promise((done) => (lines.length ? done({ line: lines.shift() }) : waiting.push(done)));
    const tell = async (text) => {
        const answer = new Promise((done) => waiting.push(done));
        child.stdin.write(`${text}\n`);
        const { line, all } = await answer;
        assert.equal(line, 'ok', text);
        return all;
    };
    const unhex = (h) => (h === '-' ? '' : Buffer.from(h, 'hex').toString());
    return {
        brokers: first.line.replace('brokers ', ''),
        topic: (name, partitions) => tell(`topic ${name} ${partitions}`),
        many: (name, count, text) => tell(`many ${name} ${count} ${text}`),
        put: (name, partition, bytes) => tell(`hex ${name} ${partition} ${bytes === null ? '-' : bytes.length === 0 ? '=' : Buffer.from(bytes).toString('hex')}`),
        down: () => tell('down'),
        up: () => tell('up'),
        read: async (name) => (await tell(`read ${name}`)).map((line) => { const [partition, offset, key, value] = line.split(' '); return { partition: Number(partition), offset: Number(offset), key: unhex(key), value: unhex(value) }; }),
    };
}
