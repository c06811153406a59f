/* schema.c - the tables of the room "schedule", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

const struct desk_schema schedule_schema = { "schedule", NULL, 0 };
