/* schema.c - the tables of the room "registry", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char *const steps[] = { "" };
const struct desk_schema registry_schema = { "registry", steps, COUNT(steps) };
