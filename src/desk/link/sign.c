/* sign.c - signatures of the link with the key of the node (pki/node.h): before the bytes a word is signed that says what they are. No such word is the
 * beginning of another, and TLS signs nothing that begins so. */
#include "desk/link/wire.h"

static const char *const domains[] = { [LINK_SIGNED_ENVELOPE] = "saqshy-link envelope 1", [LINK_SIGNED_BUNDLE] = "saqshy-link bundle 1" };

int link_sign(const struct node_key *k, enum link_signed what, struct str bytes, char out[NODE_SIGNATURE_MAX], struct err *e)
{
    return node_sign(k, domains[what], bytes, out, e);
}

int link_verify(const struct node_cert *c, enum link_signed what, struct str bytes, struct str signature, struct err *e)
{
    return node_verify(c, domains[what], bytes, signature, e);
}
