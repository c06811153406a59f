/* open.c - a desk: its connection, its rules and policy. */
#include "desk/internal.h"
#include "base/file.h"
#include "desk/blob.h"
#include "desk/duties/duties.h"
#include "desk/integrity/integrity.h"
#include "desk/notices/api.h"
#include "desk/vulnerabilities/room.h"
#include "ioc/policy.h"
#include "sign/sign.h"

static int indicator_policy(struct desk *d, struct err *e)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/ioc/indicators.yaml", d->setup.node->content);
    return ioc_policy_load(path, &d->ioc_policy, e);
}

int desk_open(const struct desk_setup *setup, struct desk **out, struct err *e)
{
    struct desk *d = calloc(1, sizeof *d);
    char path[4096];
    int rc;

    *out = NULL;
    if (!d)
        return err_set(e, -ENOMEM, "no memory for the desk");
    d->setup = *setup;
    event_batch_init(&d->batch, JOURNAL_BATCH_BYTES);
    rc = file_mkdirs(node_path(setup->node, "desk", path), 0750, e);
    if (rc == 0)
        rc = file_mkdirs(node_path(setup->node, "documents", path), 0750, e);
    if (rc == 0)
        rc = rule_book_load(setup->node->content, &d->rules, e);
    if (rc == 0)
        rc = policy_load(setup->node, &d->policy, e);
    if (rc == 0)
        rc = duty_policy_load(setup->node->content, setup->world, &d->duty_policy, e);
    if (rc == 0)
        rc = two_person_load(setup->node->content, &d->two_person, e);
    if (rc == 0)
        rc = case_policy_load(setup->node->content, &d->cases, e);
    if (rc == 0)
        rc = integrity_policy_load(setup->node->content, &d->integrity, e);
    if (rc == 0)
        rc = indicator_policy(d, e);
    if (rc == 0)
        rc = vuln_policy_load(setup->node->content, &d->vuln_policy, e);
    if (rc == 0)
        rc = db_open(d, e);
    /* A hash of nothing anybody knows, made like every other: a login that does not exist costs the same time. */
    if (rc == 0)
        rc = password_random(path, e);
    if (rc == 0)
        rc = password_hash(str_c(path), d->fake_hash, e);
    if (rc < 0) {
        desk_close(&d);
        return rc;
    }
    *out = d;
    return 0;
}

void desk_close(struct desk **d)
{
    if (!*d)
        return;
    journal_reader_close(&(*d)->findings);
    event_batch_free(&(*d)->batch);
    files_sweep_end(*d);
    webhooks_end(*d);
    vuln_feed_free(&(*d)->vuln_feed);
    vuln_policy_free(&(*d)->vuln_policy);
    scan_formats_free(&(*d)->scan);
    db_close(*d);
    policy_free(&(*d)->policy);
    duty_policy_free(&(*d)->duty_policy);
    case_policy_free(&(*d)->cases);
    integrity_policy_free(&(*d)->integrity);
    ioc_policy_free(&(*d)->ioc_policy);
    rule_book_free(&(*d)->rules);
    sign_trust_free(&(*d)->trust);
    free(*d);
    *d = NULL;
}
