/* encoding.h - text of other encodings as UTF-8: which one it is, and the text itself.
 *
 * Owns      nothing: decoded text lies in the arena given.
 * Promises  1. What comes out is UTF-8. A byte that the encoding does not know, and half a pair of UTF-16, is U+FFFD.
 *           2. The bytes that came are not changed: they are the event's original.
 *           3. Detecting is a guess with a name: the same bytes give the same answer, and it is told with the event.
 * Threads   any.
 * Units     bytes.
 * Source    RFC 2781 (UTF-16); Windows-1251, 1252, CP866, KOI8-R; KZ-1048 (ST RK 1048-2002, Windows-1251 with the letters of
 *           Kazakh). Annex 4 asks for UTF-8 (R-A4.7-01 and its like): another encoding is told, never hidden. */
#ifndef SAQSHY_PARSE_ENCODING_H
#define SAQSHY_PARSE_ENCODING_H

#include "base/base.h"

enum encoding {
    ENCODING_DETECT, /* not said: look */
    ENCODING_UTF8,
    ENCODING_UTF16LE,
    ENCODING_UTF16BE,
    ENCODING_CP1251,
    ENCODING_KZ1048,
    ENCODING_KOI8R,
    ENCODING_CP866,
    ENCODING_CP1252,
    ENCODING_UNKNOWN, /* no UTF-8, and no letters that would tell what it is */
    ENCODING_COUNT
};

const char *encoding_name(enum encoding e);      /* "windows-1251"; "" for ENCODING_DETECT */
/* encoding_named - by its name or a usual other one ("cp1251", "UTF-16"), whatever the case; ENCODING_COUNT if unknown. */
enum encoding encoding_named(struct str name);

/* encoding_of - which encoding a line is in, by a byte order mark, zero bytes at every second place, or its letters. */
enum encoding encoding_of(struct str text);
/* encoding_of_file - the same for the first bytes of a file, where only UTF-16 matters: how its lines end. */
enum encoding encoding_of_file(struct str head);
/* encoding_decode - text as UTF-8; a byte order mark is left out. {NULL,0} without memory. */
struct str encoding_decode(enum encoding e, struct str text, struct arena *a);
/* encoding_line - the next line of *rest without its end, which is taken too; false: no whole line. */
bool encoding_line(enum encoding e, struct str *rest, struct str *line);

#endif
