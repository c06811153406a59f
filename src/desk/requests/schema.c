/* schema.c - the tables of the room "requests", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char *const steps[] = { "" };
const struct desk_schema requests_schema = { "requests", steps, COUNT(steps) };
