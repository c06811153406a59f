/* rule_paths.c - where the rules of detection are read: one order for the daemon and all commands. */
#include "base/file.h"
#include "bin/bin.h"

static void add(struct rule_paths *r, const char *path)
{
    if (r->count < COUNT(r->paths))
        r->paths[r->count++] = path;
}

void rule_paths(struct rule_paths *r, const char *content, const char *data, const char *const *given, size_t count)
{
    r->count = 0;
    snprintf(r->pipelines, sizeof r->pipelines, "%s/pipelines", content);
    snprintf(r->own, sizeof r->own, "%s/rules", content);
    snprintf(r->added, sizeof r->added, "%s/rules", data ? data : "");
    if (file_exists(r->pipelines))
        add(r, r->pipelines);
    for (size_t i = 0; i < count; i++)
        add(r, given[i]);
    if (count)
        return;
    add(r, r->own);
    if (data && file_exists(r->added))
        add(r, r->added);
}
