// api.mjs - asking the real API in tests: every answer is compared with docs/openapi.yaml; people of a role of their own; the conditions of paragraph 11.
import assert from 'node:assert/strict';
import { openapi } from '../portal/openapi.mjs';

/** { ask, get }: ask(who, method, path, body) is the answer as it came, get(who, path) its JSON, which must be there. */
export function api() {
    const spec = openapi();
    const ask = async (who, method, path, body) => {
        const a = await who.request(method, `/api/v1${path}`, body), bare = path.split('?')[0];
        let problems = spec.problems(method, bare, a.status, a.json);
        /* What a role or a body is refused for stands in the description of errors, not at each operation. */
        if (problems.some((x) => x.includes('is not described')) && [400, 403].includes(a.status)) problems = spec.schemaProblems('Error', a.json);
        assert.deepEqual(problems, [], `${method} ${path} → ${a.status} ${a.bytes.toString().slice(0, 600)}`);
        return a;
    };
    const get = async (who, path) => {
        const a = await ask(who, 'GET', path);
        assert.equal(a.status, 200, `${path}: ${a.bytes}`);
        return a.json;
    };
    return { ask, get };
}

/** A new account, kept among those of the centre. Returns its login. */
export async function user(c, admin, name, role, org) {
    const login = `t-${name}`, password = 'a long password for tests 1';
    const a = await admin.post('/users', { login, name: `${role} ${name}`, role, org_id: org, language: 'en', email: null, password });
    assert.equal(a.status, 201, a.bytes.toString());
    c.accounts[login] = { login, password, role };
    return login;
}

/** Every condition of paragraph 11 is provided at an object, but for some (rows of the catalogue). */
export async function conditions(c, analyst, owner, object, ...but) {
    const done = async (who, path, body) => {
        const a = await who.post(path, body);
        assert.equal(a.status, 200, a.bytes.toString());
    };
    const opened = await analyst.post('/requests', { kind: 'access', object_ids: [object], values: {} });
    assert.ok([201, 409].includes(opened.status), opened.bytes.toString());
    const r = (await analyst.get(`/requests/${(await analyst.get(`/requests?kind=access&object=${object}`)).json.items[0].id}`)).json;
    const tested_at = new Date(c.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    for (const workplace of [1, 2]) await done(analyst, `/requests/${r.id}/actions/record_test`, { tested_at, workplace, result: 'ok' });
    for (const i of r.items) {
        const state = but.includes(i.code) ? 'refused' : 'provided';
        await done(owner, `/requests/${r.id}/actions/set_item`, { item: i.code, state, note: 'as agreed', ...(i.code === 'R-11-04' && state === 'provided' ? { count: 2 } : {}) });
    }
}
