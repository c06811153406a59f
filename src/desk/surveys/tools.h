/* tools.h - the tools that Saqshy runs itself: which, with which fixed arguments, on which places, and how desk and the role "tools" speak of a run.
 *
 * Owns      struct tool_policy owns what it read of content/policy/tools.yaml, until tool_policy_free.
 * Promises  1. An argument comes from the policy file or is one valid place (place_valid), the path of the output, or the path of a file of content whose
 *              name the policy says: nothing else can stand in a command, and no shell ever reads it.
 *           2. The role "tools" makes the arguments anew from its own copy of the policy: what the desk asks for is a profile's name and places.
 *           3. A run is bounded in time, processor seconds, memory and bytes of output, and ends with the role.
 *           4. Both sides speak through files of DATA/tools alone: ID.order (desk), ID.begun, ID.out, ID.done (tools), ID.stop (desk). Each is written
 *              whole or not at all; a kill of either side leaves a run that goes on, ends, or is told as lost.
 * Threads   any, after loading.
 * Units     seconds and MiB as the names say.
 * Source    docs/surveys.md, "Tools that Saqshy runs". */
#ifndef SAQSHY_DESK_SURVEYS_TOOLS_H
#define SAQSHY_DESK_SURVEYS_TOOLS_H

#include <jansson.h>

#include "base/catalog.h"
#include "base/node.h"

#define TOOL_PROFILES_MAX 32
#define TOOL_ARGS_MAX     64
#define TOOL_TARGETS_MAX  256
#define TOOL_OUTPUT_MAX   (64u * MIB)   /* the largest that a profile may allow */
#define TOOL_TIME_MAX_S   (24 * 3600)
#define TOOL_ORDER_MAX    (128u * KIB)
#define TOOL_CONTENTS_MAX 8     /* names of files of content that one profile can work with */
#define TOOL_SCAP_FOLDER  "/usr/share/xml/scap/ssg/content"   /* where the packages of the SCAP Security Guide put theirs */

struct tool_profile {
    struct str id, tool, program, title[LANG_COUNT], format, modes[4], args[TOOL_ARGS_MAX], contents[TOOL_CONTENTS_MAX];
    size_t     mode_count, arg_count, content_count;   /* contents: names of files, "{os}" in them is this machine's system; the first one that is there is used */
    bool       scratch;     /* keeps temporary files in /tmp, wherever it is told to */
    bool       local;       /* looks at the machine on which it runs: its one target must be an address of this machine */
    int64_t    time_s, cpu_s, memory_mib, output_mib, codes[8];
    size_t     code_count;  /* exit codes that mean "done"; none: 0 alone */
};
struct tool_policy;
/* Where a command finds what it works on. Borrowed. */
struct tool_files {
    const char *output;   /* what "{output}" is */
    const char *scap;     /* DATA/scap: files of content of the administrator's own, looked at before those of packages; NULL: there are none */
};
MUST_USE int tool_policy_load(const char *content, struct tool_policy **out, struct err *e);
/* tool_policy_text - the same of a text; name stands in errors. */
MUST_USE int tool_policy_text(struct str text, const char *name, struct tool_policy **out, struct err *e);
void tool_policy_free(struct tool_policy **p);
size_t tool_policy_count(const struct tool_policy *p);
const struct tool_profile *tool_policy_at(const struct tool_policy *p, size_t i);
const struct tool_profile *tool_policy_find(const struct tool_policy *p, struct str id);
/* tool_installed - is the program there? */
bool tool_installed(const struct tool_profile *t);
/* tool_content - the path of the first file of content that is there, looked for now, in out. A profile that wants none: 0 and an empty text. -ENOENT, with
 * the names that were looked for in out, and with their folders in *e. */
MUST_USE int tool_content(const struct tool_profile *t, const struct tool_files *f, char out[4096], struct err *e);
/* tool_for_mode - may it serve a survey of this mode? */
bool tool_for_mode(const struct tool_profile *t, struct str mode);
/* tool_argv - the whole command, program first, ended by NULL; texts in the arena. -EINVAL for a place that is none, or none at all;
 * -ENOENT as tool_content. */
MUST_USE int tool_argv(const struct tool_profile *t, const struct str *targets, size_t count, const struct tool_files *f, struct arena *a, char ***argv, struct err *e);
/* tool_order_read - an order of the desk, {profile, targets}, as a profile of our own policy and the command made anew. -EINVAL for whatever does not fit. */
MUST_USE int tool_order_read(struct str text, const struct tool_policy *p, const struct tool_files *f, struct arena *a, const struct tool_profile **t,
                             char ***argv, struct err *e);
/* tool_command - the same as one line, for people. */
struct str tool_command(char *const *argv, struct arena *a);
/* tools_output_read - what a tool wrote, if it is a file of its own: a link would lead the desk out of the folder, a pipe would hold it. b bounded by TOOL_OUTPUT_MAX. */
MUST_USE int tools_output_read(const char *path, struct buf *b, struct err *e);
/* tools_alive - does the role "tools" run on this node? */
bool tools_alive(const struct node *n);

/* tools_path - DATA/tools/ID.ending. */
const char *tools_path(const struct node *n, int64_t run, const char *ending, char out[4096]);
#define TOOLS_OUTPUT "out"

/* tools_work - the role: takes orders until *stop is set. Returns an exit code as roles do. */
MUST_USE int tools_work(const struct node *n, const volatile int *stop, struct err *e);
/* tools_turn - one look: the oldest order is run to its end (or until *stop). Returns how many ended. */
MUST_USE int tools_turn(const struct node *n, const struct tool_policy *p, const volatile int *stop, struct err *e);

#endif
