/* main_saqshyd.c - the daemon: reads its configuration and is a supervisor, one role, or the maker of a data directory.
 *
 * Order, since rights only fall: 1. options  2. configuration (exit 2 if broken)  3. log  4. sandbox of the role  5. the role,
 * which opens, binds, and then reads its first foreign byte. */
#include "bin/bin.h"
#include "base/file.h"
#include "base/log.h"
#include "keep/keep.h"

#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: saqshyd --config FILE [--role NAME]\n"
    "       saqshyd --check --config FILE\n"
    "       saqshyd --token NAME [--object ID] --config FILE\n"
    "       saqshyd --init DATA [--no-demo] [--port N] [--otlp-port N] [--syslog-port N]\n\n"
    "  --config FILE   run the roles that FILE names, each as a process of its own\n"
    "  --role NAME     run one role in the foreground: ingest, index, detect, forward, desk, keys or tools\n"
    "  --check         read the configuration, say what is wrong with it, and end\n"
    "  --token NAME    make a token for a sender over HTTP, show it once, and keep its hash in DATA/tokens\n"
    "  --object ID     all that comes with this token belongs to the object\n"
    "  --init DATA     make a data directory with certificates, configuration and an administrator\n"
    "  --no-demo       without demonstration organisations, objects and people\n"
    "  --version, --help\n";

struct options {
    const char         *config, *role, *accepted, *token, *object;
    bool                check, init;
    struct init_options make;
};

static bool port_number(const char *text, int *out)
{
    int64_t v;

    if (!str_i64(str_c(text), &v) || v < 1 || v > 65535)
        return false;
    *out = (int)v;
    return true;
}

enum { OPT_NO_DEMO = 256, OPT_PORT, OPT_OTLP, OPT_SYSLOG, OPT_CHECK, OPT_ACCEPTED, OPT_TOKEN, OPT_OBJECT, OPT_VERSION };

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "role", required_argument, NULL, 'r' },
    { "accepted", required_argument, NULL, OPT_ACCEPTED },
    { "init", required_argument, NULL, 'i' },
    { "no-demo", no_argument, NULL, OPT_NO_DEMO },
    { "port", required_argument, NULL, OPT_PORT },
    { "otlp-port", required_argument, NULL, OPT_OTLP },
    { "syslog-port", required_argument, NULL, OPT_SYSLOG },
    { "check", no_argument, NULL, OPT_CHECK },
    { "token", required_argument, NULL, OPT_TOKEN },
    { "object", required_argument, NULL, OPT_OBJECT },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* take_options - 0 to go on, -1 to end well, 1 for a usage error. */
static int take_options(int argc, char **argv, struct options *o)
{
    bool sound = true;
    int c;

    *o = (struct options){ .make = { .portal_port = 8443, .otlp_port = 4318, .syslog_port = 5514, .demo = true } };
    while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': o->config = optarg; break;
        case 'r': o->role = optarg; break;
        case OPT_ACCEPTED: o->accepted = optarg; break;   /* the supervisor's copy, for its roles */
        case 'i': o->init = true; o->make.data = optarg; break;
        case OPT_NO_DEMO: o->make.demo = false; break;
        case OPT_PORT: sound = port_number(optarg, &o->make.portal_port) && sound; break;
        case OPT_OTLP: sound = port_number(optarg, &o->make.otlp_port) && sound; break;
        case OPT_SYSLOG: sound = port_number(optarg, &o->make.syslog_port) && sound; break;
        case OPT_CHECK: o->check = true; break;
        case OPT_TOKEN: o->token = optarg; break;
        case OPT_OBJECT: o->object = optarg; break;
        case OPT_VERSION: puts("saqshyd " SAQSHY_VERSION); return -1;
        case 'h': fputs(usage, stdout); return -1;
        default: sound = false;
        }
    }
    return sound && optind == argc && (o->init || o->config) && (o->token || !o->object) ? 0 : 1;
}

/* make_inputs - the folder where listeners remember how far a sender is: made before the role leaves root, for whoever owns the data directory. */
static int make_inputs(const struct node *node, struct err *e)
{
    char path[4096];
    int rc = file_mkdirs(node_path(node, "inputs", path), 0750, e);

    return rc < 0 ? rc : own_as(node->data, path, e);
}

static int run_role(const struct node *node, const char *name)
{
    static int (*const run[ROLE_COUNT])(const struct node *) = {
        [ROLE_INGEST] = role_ingest_run,
        [ROLE_INDEX] = role_index_run,
        [ROLE_DETECT] = role_detect_run,
        [ROLE_FORWARD] = role_forward_run,
        [ROLE_DESK] = role_desk_run,
        [ROLE_TOOLS] = role_tools_run,
        [ROLE_KEYS] = role_keys_run,
    };
    char folder[4096];
    struct err e;

    for (enum node_role r = 0; r < ROLE_COUNT; r++) {
        if (strcmp(name, node_role_name(r)) != 0 || !run[r])
            continue;
        log_open(name, LOG_INFO, 2);
        if (r == ROLE_INGEST && file_mkdirs(node_path(node, "parsers", folder), 0755, &e) < 0)
            log_line(LOG_WARN, "could not make the folder of own parsers", "error.message", e.text, NULL); /* the sandbox lets in only what is there */
        if (r == ROLE_INGEST && file_mkdirs(node_path(node, "tokens", folder), 0750, &e) < 0)
            log_line(LOG_WARN, "could not make the folder of tokens", "error.message", e.text, NULL);
        if (r == ROLE_INGEST && make_inputs(node, &e) < 0)
            log_line(LOG_WARN, "could not make the folder of what inputs remember", "error.message", e.text, NULL);
        if (sandbox_enter(node, r, &e) < 0) {
            log_line(LOG_ERROR, "could not enter the sandbox", "error.message", e.text, NULL);
            return EXIT_USAGE;
        }
        return run[r](node);
    }
    fprintf(stderr, "saqshyd: no role \"%s\": ingest, index, detect, forward, desk, keys and tools are known\n", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options o;
    char exe[4096];
    struct node *node = NULL;
    struct err e;
    int rc = take_options(argc, argv, &o);

    if (rc != 0) {
        if (rc > 0)
            fputs(usage, stderr);
        return rc < 0 ? EXIT_YES : EXIT_USAGE;
    }
    umask(0027);
    signal(SIGPIPE, SIG_IGN);
    rc = node_exe_folder(exe, &e);
    if (rc == 0 && o.init)
        rc = init_data(&o.make, exe, &e);
    else if (rc == 0)
        rc = node_load_accepted(o.config, o.accepted, exe, &node, &e);
    if (rc == 0 && !o.init)
        rc = node_check_sources(node, &e);
    if (rc == 0 && !o.init)
        rc = keep_check(node, &e);
    if (rc == 0 && !o.init)
        rc = node_check_forward(node, &e);
    if (rc == 0 && o.token && !o.init)
        rc = token_make(node, o.token, o.object, &e);
    if (rc < 0) {
        fprintf(stderr, "saqshyd: %s\n", e.text);
        node_free(&node);
        return EXIT_USAGE;
    }
    if (o.init || o.token) {
        node_free(&node);
        return EXIT_YES;
    }
    if (o.check)
        printf("%s: sound; data %s, roles %s\n", o.config, node->data, node->roles);
    else
        rc = o.role ? run_role(node, o.role) : supervise(node, o.config);
    node_free(&node);
    return rc;
}
