/* catalog.h - every text that a person sees, in Kazakh, Russian and English.
 *
 * Owns      the three catalogues of content/i18n, loaded once; texts are borrowed until catalog_free.
 * Promises  1. A missing text is its key, visibly: never an empty place.
 *           2. Placeholders are {name}; a value is put in as it is, and only once (a value that looks like
 *              a placeholder is not expanded again).
 * Threads   any, after loading.
 * Source    content/i18n/{kk,ru,en}.json: one flat object of key and text. */
#ifndef SAQSHY_BASE_CATALOG_H
#define SAQSHY_BASE_CATALOG_H

#include "base/base.h"

enum lang { LANG_KK, LANG_RU, LANG_EN, LANG_COUNT };

struct catalog;

/* catalog_load - read the three files of FOLDER ("…/content/i18n"). */
MUST_USE int catalog_load(const char *folder, struct catalog **out, struct err *e);
void catalog_free(struct catalog **c);
/* catalog_text - the text under key, or the key itself. */
struct str catalog_text(const struct catalog *c, enum lang lang, const char *key);
/* catalog_format - the text with {name} replaced; pairs of name and value, ended by NULL. In the arena. */
struct str catalog_format(const struct catalog *c, enum lang lang, struct arena *a, const char *key, ...)
    __attribute__((sentinel));
/* lang_parse - "kk", "ru", "en" or an Accept-Language / LANG value that begins so; else fallback. */
enum lang lang_parse(struct str s, enum lang fallback);
const char *lang_name(enum lang lang);

#endif
