// zstd.mjs - compressed files for tests, which Node of Debian 12 cannot make.

/** A frame of zstd (RFC 8878) whose blocks are stored as they are. */
export function zstd(text) {
    const bytes = Buffer.from(text), parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), Buffer.alloc(4)];
    parts[1].writeUInt32LE(bytes.length);
    for (let at = 0; at < bytes.length; at += 100000) {
        const block = bytes.subarray(at, at + 100000), head = Buffer.alloc(3);
        head.writeUIntLE(block.length * 8 + (at + 100000 >= bytes.length ? 1 : 0), 0, 3);
        parts.push(head, block);
    }
    return Buffer.concat(parts);
}
