/* schema.c - the tables of the room "surveys", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

const struct desk_schema surveys_schema = { "surveys", NULL, 0 };
