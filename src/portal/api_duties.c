/* api_duties.c - what is owed, and the editions of the Rules by which it is counted. */
#include "portal/internal.h"

int api_editions(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_editions(c->desk, &r), 200, &r);
}
