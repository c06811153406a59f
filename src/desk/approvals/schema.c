/* schema.c - the tables of the room "approvals", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char *const steps[] = { "" };
const struct desk_schema approvals_schema = { "approvals", steps, COUNT(steps) };
