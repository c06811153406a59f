/* kafka.c - see kafka.h. The settings are a table of pairs; the password alone is read from a file. */
#include "kafka/kafka.h"
#include "base/file.h"

#include <openssl/crypto.h>

static bool given(const char *s) { return s && *s; }

int kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
    char why[ERR_TEXT_MAX / 2] = "";

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(e, -EINVAL, "%s cannot be set: %s", name, strcmp(name, "sasl.password") == 0 ? "the password is not taken" : why);
}

int kafka_access_check(const struct kafka_access *a, struct err *e)
{
    static const char *const known[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512" };
    bool found = !given(a->sasl);

    if (!given(a->brokers))
        return err_set(e, -EINVAL, "the option \"brokers\" is needed, as kafka-1:9092, kafka-2:9092");
    for (size_t i = 0; !found && i < COUNT(known); i++)
        found = strcmp(a->sasl, known[i]) == 0;
    if (!found)
        return err_set(e, -EINVAL, "the option \"sasl\" must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
    if (given(a->sasl) != given(a->user) || given(a->sasl) != given(a->password_file))
        return err_set(e, -EINVAL, "the options \"sasl\", \"user\" and \"password_file\" come together");
    if (given(a->password_file) && *a->password_file != '/')
        return err_set(e, -EINVAL, "the option \"password_file\" must be a whole path, as /etc/saqshy/kafka.password");
    return 0;
}

static int set_password(rd_kafka_conf_t *conf, const char *path, struct err *e)
{
    AUTO_BUF struct buf b = { 0 };
    struct str s;
    int rc;

    buf_init(&b, KAFKA_PASSWORD_MAX + 2);
    rc = file_read(path, KAFKA_PASSWORD_MAX, &b, e);
    if (rc < 0)
        return rc;
    s = str_trim(buf_view(&b));
    if (s.n == 0)
        return err_set(e, -EINVAL, "there is no password in \"%s\"", path);
    b.n = (size_t)(s.p - b.p) + s.n;
    buf_byte(&b, 0);
    rc = buf_failed(&b) ? err_set(e, -ENOMEM, "no memory for a password") : kafka_set(conf, "sasl.password", s.p, e);
    OPENSSL_cleanse(b.p, b.n);
    return rc;
}

int kafka_conf_new(const struct kafka_access *a, rd_kafka_conf_t **out, struct err *e)
{
    const bool sasl = given(a->sasl);
    const struct {
        const char *name, *value;
    } pairs[] = {
        { "client.id", a->client },
        { "bootstrap.servers", a->brokers },
        { "security.protocol", a->tls ? (sasl ? "sasl_ssl" : "ssl") : sasl ? "sasl_plaintext" : "plaintext" },
        { "ssl.ca.location", a->authority },
        { "ssl.certificate.location", a->certificate },
        { "ssl.key.location", a->key },
        { "sasl.mechanisms", a->sasl },
        { "sasl.username", a->user },
        { "log.queue", "true" },
        { "log.connection.close", "false" },
        { "reconnect.backoff.ms", "200" },
        { "reconnect.backoff.max.ms", "10000" },
        { "topic.metadata.refresh.interval.ms", "30000" },
    };
    rd_kafka_conf_t *conf;
    int rc = kafka_access_check(a, e);

    if (rc < 0)
        return rc;
    conf = rd_kafka_conf_new();
    for (size_t i = 0; rc == 0 && i < COUNT(pairs); i++)
        if (given(pairs[i].value))
            rc = kafka_set(conf, pairs[i].name, pairs[i].value, e);
    if (rc == 0 && sasl)
        rc = set_password(conf, a->password_file, e);
    if (rc < 0) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    *out = conf;
    return 0;
}
