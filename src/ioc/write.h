/* write.h - indicators as files that others read: STIX 2.1 and MISP.
 *
 * Owns      nothing; what is written lies in the caller's memory.
 * Promises  1. What is written here is read by ioc_read with the same types, values and TLP; of STIX also confidence and terms, for which MISP has no place.
 *           2. The same indicators of the same collection have the same identifiers each time, so whoever takes a later file updates what they have.
 *           3. A type that a format has no words for is left out of it and counted.
 * Threads   any.
 * Source    STIX 2.1 (OASIS) with its marking definitions of TLP 2.0; MISP core format. */
#ifndef SAQSHY_IOC_WRITE_H
#define SAQSHY_IOC_WRITE_H

#include "ioc/ioc.h"

/* What the file says of all its indicators. */
struct ioc_collection {
    struct str   title;      /* for people: "2026-000017" */
    struct str   key;        /* of the collection, unique with producer: identifiers are made of both */
    struct str   producer;   /* the organisation that publishes it */
    enum ioc_tlp tlp;        /* of all, unless an indicator has a stricter one */
    time_ns      at;         /* when it was made */
};

/* ioc_write - format IOC_STIX or IOC_MISP; out is added to. *left_out: indicators that the format has no words for. -ENOMEM. */
MUST_USE int ioc_write(enum ioc_format format, const struct ioc_collection *of, const struct ioc *list, size_t count, struct buf *out, size_t *left_out, struct err *e);

#endif
