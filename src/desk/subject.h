/* subject.h - what a duty, a notice or a step of a timeline is about.
 *
 * Owns      nothing: a subject is passed by value, its texts are borrowed for the call.
 * Promises  1. kind and id name one thing for ever: ("case","17"), ("object","obj-3"), ("organisation","org-2"), ("request","5"), ("report","9").
 *           2. object_id and org_id say who may see it (scope.h) and whose duty it is; empty where there is none.
 * Threads   any. */
#ifndef SAQSHY_DESK_SUBJECT_H
#define SAQSHY_DESK_SUBJECT_H

#include "base/base.h"

struct subject {
    const char *kind;      /* a literal */
    struct str  id;
    int64_t     case_id;   /* 0: not about a case */
    struct str  object_id; /* {NULL,0}: about no object */
    struct str  org_id;    /* accountable organisation; {NULL,0}: none, or the centre itself */
};

#endif
