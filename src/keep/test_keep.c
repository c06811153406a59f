/* test_keep.c - terms against their floor, the forecast as arithmetic, the reserve and its way back. Time is a number. */
#include "base/test.h"
#include "keep/keep.h"

int main(void) { return 0; }
