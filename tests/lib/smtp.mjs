// smtp.mjs - a real mail server for tests: takes letters over SMTP on loopback and keeps them.
//
// const s = await smtp(); s.port; s.letters: [{ from, to: [], text, headers }]; s.refuse = 451 makes it refuse until set to 0.
import net from 'node:net';

export function smtp() {
    const server = { letters: [], refuse: 0, port: 0, connections: 0 };
    const listener = net.createServer((socket) => {
        let buffer = '', letter = { from: '', to: [] }, inData = false;
        const say = (line) => socket.write(line + '\r\n');
        server.connections++;
        socket.on('error', () => {});
        say('220 mail.test ready');
        socket.on('data', (bytes) => {
            buffer += bytes.toString('latin1');
            for (;;) {
                if (inData) {
                    const end = buffer.indexOf('\r\n.\r\n');
                    if (end < 0) return;
                    const text = Buffer.from(buffer.slice(0, end).replace(/\r\n\.\./g, '\r\n.'), 'latin1').toString('utf8');
                    buffer = buffer.slice(end + 5);
                    inData = false;
                    server.letters.push({ ...letter, text, headers: Object.fromEntries([...text.split('\r\n\r\n')[0].replace(/\r\n[ \t]+/g, ' ').matchAll(/^([\w-]+): (.*)$/gm)].map((m) => [m[1].toLowerCase(), m[2].trim()])) });
                    say(`250 2.0.0 accepted as TEST${server.letters.length}`);
                    letter = { from: '', to: [] };
                    continue;
                }
                const end = buffer.indexOf('\r\n');
                if (end < 0) return;
                const line = buffer.slice(0, end);
                buffer = buffer.slice(end + 2);
                const verb = line.slice(0, 4).toUpperCase();
                if (verb === 'EHLO' || verb === 'HELO') say('250 mail.test');
                else if (verb === 'MAIL') { if (server.refuse) say(`${server.refuse} 4.3.0 try again later`); else { letter.from = line; say('250 2.1.0 sender fine'); } }
                else if (verb === 'RCPT') { letter.to.push((/<([^>]*)>/.exec(line) ?? [])[1] ?? line); say('250 2.1.5 recipient fine'); }
                else if (verb === 'DATA') { inData = true; say('354 go on, end with a dot'); }
                else if (verb === 'QUIT') { say('221 bye'); socket.end(); }
                else if (verb === 'RSET' || verb === 'NOOP') say('250 fine');
                else say('502 not known here');
            }
        });
    });
    return new Promise((done) => listener.listen(0, '127.0.0.1', () => {
        server.port = listener.address().port;
        server.stop = () => new Promise((r) => { listener.close(r); listener.closeAllConnections?.(); });
        done(server);
    }));
}
