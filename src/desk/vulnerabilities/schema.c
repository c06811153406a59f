/* schema.c - the tables of the room "vulnerabilities", as numbered steps that are never edited once released, only added to. */
#include "desk/internal.h"

const struct desk_schema vulnerabilities_schema = { "vulnerabilities", NULL, 0 };
