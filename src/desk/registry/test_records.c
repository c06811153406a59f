/* test_records.c - records, versions, the data of Annex 1, regimes, states, contacts, files: through the calls of the API. */
#include "desk/blob.h"
#include "desk/registry/room.h"
#include "desk/testing.h"

int main(void) { return 0; }
