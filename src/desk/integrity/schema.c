/* schema.c - the tables of the room "integrity", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

const struct desk_schema integrity_schema = { "integrity", NULL, 0 };
