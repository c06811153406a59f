#!/usr/bin/env python3
"""Write src/sigma/fold.def: Unicode simple case folding (statuses C and S) as ranges, from Python's own tables."""
import sys
import unicodedata


def fold(cp):
    c = chr(cp)
    full = c.casefold()
    if len(full) == 1:
        return ord(full)
    low = c.lower()
    return ord(low) if len(low) == 1 else cp


rows = []
for cp in range(0x80, 0x110000):
    if 0xD800 <= cp < 0xE000:
        continue
    delta = fold(cp) - cp
    if delta == 0:
        continue
    if rows:
        lo, hi, step, d = rows[-1]
        if d == delta and (cp - hi == step or (lo == hi and cp - hi in (1, 2))):
            rows[-1] = (lo, cp, cp - hi, d)
            continue
    rows.append((cp, cp, 1, delta))
print("/* Made by scripts/fold_table.py from Unicode %s: first, last, step, distance to the folded letter. */" % unicodedata.unidata_version)
for lo, hi, step, d in rows:
    print("{ 0x%X, 0x%X, %d, %d }," % (lo, hi, step, d))
