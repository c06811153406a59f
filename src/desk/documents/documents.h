/* documents.h - surveys of the technical documentation of Annex 3: documents, requirements, verdicts, violations.
 *
 * Owns      its tables in desk.db (documents/schema.c).
 * Promises  an act is one transaction with its audit row, or nothing.
 * Threads   as struct desk.
 * Units     time_ns.
 * Source    paragraphs 10(3), 14, Annex 3; requirements 4.5, 4.9, 6.3, 7.6, D-16 to D-18. */
#ifndef SAQSHY_DESK_DOCUMENTS_H
#define SAQSHY_DESK_DOCUMENTS_H

#include "desk/desk.h"

#endif
