/* schema.c - the tables of the room "documents", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

const struct desk_schema documents_schema = { "documents", NULL, 0 };
