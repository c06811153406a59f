/* listen_conf.c - enemy of the lists of listeners and sources of the configuration: any YAML as both; what was taken is copied and compared. */
#include "base/listen.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listen_table t = { 0 };
    struct yaml *y;
    struct err e;

    if (yaml_load(str_of((const char *)data, size), "fuzz", &y, &e) < 0)
        return 0;
    for (size_t i = 0; i < y->doc_count; i++) {
        if (listen_take_listeners(&t, y, y->docs[i], "/etc/saqshy", &e) == 0 && listen_add_short(&t, LISTEN_syslog_tls, "127.0.0.1:6514", &e) == 0)
            assert(t.listener_count > 0);
        if (listen_take_profiles(&t, y, y->docs[i], &e) == 0)
            continue;
    }
    for (size_t i = 0; i < t.listener_count; i++) {
        struct listen_conf copy;

        if (listen_conf_copy(&t.listeners[i], &copy) == 0) {
            assert(listen_conf_same(&copy, &t.listeners[i]));
            listen_conf_free(&copy);
        }
    }
    listen_table_free(&t);
    yaml_free(&y);
    return 0;
}
