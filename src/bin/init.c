/* init.c - saqshyd --init: a data directory that runs without editing.
 *
 * Makes the folders, the certificate authority with the server's and the host agent's certificates, saqshyd.yaml, agent/agent.yaml, the desk with
 * an administrator whose password is random and shown once, and the demonstration registry unless it is refused. Nothing here
 * listens or asks the network. */
#include "bin/bin.h"
#include "base/catalog.h"
#include "base/file.h"
#include "base/log.h"
#include "desk/desk.h"
#include "pki/pki.h"

#include <fcntl.h>
#include <jansson.h>

struct making {
    const struct init_options *o;
    char                       host[256];
    struct node               *node;
};

static int make_folders(const struct making *m, struct err *e)
{
    static const char *const folders[] = { "", "run", "log", "journal", "findings", "store", "documents", "desk", "detect", "link", "requirements", "agent", "demo", "parsers", "tokens", "holds" };
    char path[4096];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", m->o->data, folders[i]);
        rc = file_mkdirs(path, 0750, e);
    }
    return rc;
}

/* open_log - what is audited here becomes events too: ingest follows this file from its first byte. */
static int open_log(const struct making *m, struct err *e)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/log/saqshyd.jsonl", m->o->data);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_sys(e, "could not open \"%s\"", path);
    log_open("init", LOG_INFO, fd);
    return 0;
}

static int write_data(const struct making *m, const char *tail, struct str text, unsigned mode, struct err *e)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", m->o->data, tail);
    return file_write_atomic(path, text, mode, e);
}

static int write_config(const struct making *m, struct err *e)
{
    AUTO_BUF struct buf b;

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "# saqshyd.yaml - made by saqshyd --init. Every setting and its default: docs/configuration.md\n"
                   "node: centre\ndata: .\nroles: [ingest, index, detect, desk, keys]\n"
                   "ingest:\n  syslog_udp: \"127.0.0.1:%d\"\n  syslog_tcp: \"127.0.0.1:%d\"\n  otlp: \"127.0.0.1:%d\"\n"
                   "  # other inputs, and what is told of senders: docs/inputs, ingest.listeners and ingest.sources in docs/configuration.md\n",
               m->o->syslog_port, m->o->syslog_port, m->o->otlp_port);
    buf_printf(&b, "portal:\n  listen: \"127.0.0.1:%d\"\n  public_url: \"https://127.0.0.1:%d\"\n"
                   "# Letters go nowhere until a mail server is named: smtp_url: \"smtp://mail.example.kz:25\"\n"
                   "mail:\n  smtp_url: \"\"\n  from: \"saqshy@%s\"\n", m->o->portal_port, m->o->portal_port, m->host);
    return write_data(m, "saqshyd.yaml", buf_view(&b), 0640, e);
}

static int write_agent(const struct making *m, struct err *e)
{
    AUTO_BUF struct buf b;
    const char *data = m->node->data;

    buf_init(&b, 64 * KIB);
    buf_printf(&b, "# agent.yaml - made by saqshyd --init for the agent on this host. See docs/agent.md\n"
                   "id: %s\nstate: %s/agent/state\n"
                   "server:\n  url: \"https://127.0.0.1:%d\"\n  ca: %s/pki/ca.pem\n  cert: %s/pki/agents/%s.pem\n  key: %s/pki/agents/%s.key\n"
                   "inputs: auto\n", m->host, data, m->o->otlp_port, data, data, m->host, data, m->host);
    buf_printf(&b, "files:\n  # where \"saqshy demo attack\" lets its sshd write\n  - path: %s/demo/sshd.log\n    program: sshd\n", data);
    return write_data(m, "agent/agent.yaml", buf_view(&b), 0640, e);
}

static int make_certificates(const struct making *m, struct err *e)
{
    const char *names[] = { m->host, "localhost", "127.0.0.1", "::1" };
    char folder[4096], title[320];
    int rc;

    snprintf(folder, sizeof folder, "%s/pki", m->o->data);
    snprintf(title, sizeof title, "Saqshy %s", m->host);
    rc = pki_ca_make(folder, title, e);
    if (rc >= 0)
        rc = pki_server_make(folder, names, COUNT(names), e);
    return rc < 0 ? rc : pki_agent_make(folder, str_c(m->host), e);
}

/* tell_accounts - the sign-ins, on standard output and in the file SIGN-IN, which only its owner reads. */
static int tell_accounts(const struct making *m, const json_t *accounts, struct err *e)
{
    AUTO_BUF struct buf b;
    json_t *a;
    size_t i;

    buf_init(&b, 64 * KIB);
    json_array_foreach(accounts, i, a) {
        const char *role = json_string_value(json_object_get(a, "role"));

        buf_printf(&b, "%s%s / %s  (%s)", i ? "\n                 " : "", json_string_value(json_object_get(a, "login")),
                   json_string_value(json_object_get(a, "password")), role ? role : "");
    }
    buf_byte(&b, '\n');
    if (json_array_size(accounts) == 0)
        return 0;
    printf("sign-in (also in %s/SIGN-IN; change the passwords and remove the file):\n                 %.*s", m->o->data, (int)b.n, b.p);
    return write_data(m, "SIGN-IN", buf_view(&b), 0600, e);
}

static int make_desk(const struct making *m, struct err *e)
{
    struct duty_world world = { 0 };
    struct catalog *catalog = NULL;
    struct desk *desk = NULL;
    json_t *accounts = NULL;
    char i18n[4096];
    int rc;

    snprintf(i18n, sizeof i18n, "%s/i18n", m->node->content);
    rc = catalog_load(i18n, &catalog, e);
    if (rc == 0)
        rc = duty_world_load(m->node->content, m->node->edition, m->node->zone, &world, e);
    if (rc == 0)
        rc = desk_open(&(struct desk_setup){ .node = m->node, .world = &world, .catalog = catalog }, &desk, e);
    if (rc == 0)
        rc = desk_init(desk, m->o->demo, clock_now(), &accounts, e);
    if (rc == 0)
        rc = tell_accounts(m, accounts, e);
    json_decref(accounts);
    desk_close(&desk);
    duty_world_free(&world);
    catalog_free(&catalog);
    return rc;
}

int init_data(const struct init_options *o, const char *exe_folder, struct err *e)
{
    struct making m = { .o = o };
    char config[4096];
    int rc;

    snprintf(config, sizeof config, "%s/saqshyd.yaml", o->data);
    if (file_exists(config))
        return err_set(e, -EEXIST, "\"%s\" is a data directory already", o->data);
    if (gethostname(m.host, sizeof m.host - 1) < 0 || !pki_name_valid(str_c(m.host)))
        snprintf(m.host, sizeof m.host, "localhost");
    rc = make_folders(&m, e);
    if (rc == 0)
        rc = open_log(&m, e);
    if (rc == 0)
        rc = make_certificates(&m, e);
    if (rc == 0)
        rc = node_default(o->data, exe_folder, &m.node, e);
    if (rc == 0)
        rc = make_desk(&m, e);
    if (rc == 0)
        rc = write_agent(&m, e);
    /* The configuration comes last: a directory without it was not finished, and --init may be run on it again. */
    if (rc == 0)
        rc = write_config(&m, e);
    node_free(&m.node);
    return rc;
}
