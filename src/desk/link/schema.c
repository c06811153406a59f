/* schema.c - the tables of the room "link", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

static const char *const steps[] = { "" };
const struct desk_schema link_schema = { "link", steps, COUNT(steps) };
