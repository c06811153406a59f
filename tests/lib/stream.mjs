// stream.mjs - a stream of changes or of events, as a page listens to it.
import https from 'node:https';

/** A server-sent stream: { head, messages: [{event, id, data}], close() }. */
export function listen(client, path) {
    return new Promise((done, fail) => {
        const messages = [];
        const r = https.request({ host: '127.0.0.1', port: client.port, path: `/api/v1${path}`, ca: client.ca, agent: false, headers: { Cookie: client.cookie } }, (a) => {
            let text = '';
            a.on('data', (d) => {
                text += d;
                for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
                    const lines = text.slice(0, end).split('\n').filter((l) => !l.startsWith(':'));
                    const m = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]));
                    if (m.data) messages.push({ ...m, data: JSON.parse(m.data) });
                }
            });
            a.on('error', () => {});
            done({ status: a.statusCode, type: a.headers['content-type'], messages, close: () => r.destroy() });
        });
        r.on('error', fail);
        r.end();
    });
}
