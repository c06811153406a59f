/* internal.h - what the files of pki share. */
#ifndef SAQSHY_PKI_INTERNAL_H
#define SAQSHY_PKI_INTERNAL_H

#include "pki/pki.h"

#define PKI_PATH_MAX 4096

/* pki_err - WHAT and OpenSSL's newest reason; empties its queue of errors. Returns -EIO. */
int pki_err(struct err *e, const char *what);

#endif
