/* table_xlsx.c - enemy of table: the first byte says which part of a workbook the rest is; 'z' the whole archive.
 *
 * A fuzzer cannot guess checksums of an archive, so the parts are packed here, without compression. */
#include "table/table.h"

#include <zip.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    char        key;
    const char *name, *text;
} parts[] = {
    { 'r', "_rels/.rels", "<Relationships><Relationship Id='a' Type='/officeDocument' Target='xl/workbook.xml'/></Relationships>" },
    { 'b', "xl/workbook.xml", "<workbook><sheets><sheet name='S' sheetId='1' r:id='a'/></sheets></workbook>" },
    { 'l', "xl/_rels/workbook.xml.rels",
      "<Relationships><Relationship Id='a' Type='/worksheet' Target='s.xml'/><Relationship Id='b' Type='/sharedStrings' Target='t.xml'/>"
      "<Relationship Id='c' Type='/styles' Target='f.xml'/></Relationships>" },
    { 't', "xl/t.xml", "<sst><si><t>one</t></si><si><t>two</t></si></sst>" },
    { 'f', "xl/f.xml", "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='22'/></cellXfs></styleSheet>" },
    { 's', "xl/s.xml", "<worksheet><row><c t='s'><v>0</v></c><c s='1'><v>46101</v></c></row></worksheet>" },
};

static int check_row(void *arg, const struct table_row *row, struct err *e)
{
    uint32_t *number = arg, column = 0;

    assert(row->number > *number && row->count > 0 && row->number <= TABLE_ROWS_MAX);
    *number = row->number;
    for (size_t i = 0; i < row->count; i++) {
        assert(row->cells[i].column > column && row->cells[i].column <= TABLE_COLUMNS_MAX);
        column = row->cells[i].column;
    }
    return 0;
}

static void pack(const uint8_t *data, size_t size, struct buf *out)
{
    zip_source_t *mem = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *z = zip_open_from_source(mem, ZIP_CREATE | ZIP_TRUNCATE, NULL);

    assert(z);
    zip_source_keep(mem);
    for (size_t i = 0; i < COUNT(parts); i++) {
        bool ours = parts[i].key == (char)data[0];
        zip_int64_t at = zip_file_add(z, parts[i].name,
                                      ours ? zip_source_buffer(z, data + 1, size - 1, 0) : zip_source_buffer(z, parts[i].text, strlen(parts[i].text), 0), 0);

        assert(at >= 0 && zip_set_file_compression(z, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0);
    }
    if (zip_close(z) < 0) /* only when memory is short */
        abort();
    if (zip_source_open(mem) == 0) {
        for (char *room; (room = buf_room(out, 4096)) != NULL;) {
            zip_int64_t n = zip_source_read(mem, room, 4096);
            if (n <= 0)
                break;
            out->n += (size_t)n;
        }
        zip_source_close(mem);
    }
    zip_source_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf b = { 0 };
    uint32_t number = 0;
    struct err e = { 0 };

    buf_init(&b, 16 * MIB);
    if (size < 2)
        return 0;
    if (data[0] == 'z')
        buf_put(&b, data + 1, size - 1);
    else
        pack(data, size, &b);
    if (table_read(buf_view(&b), NULL, check_row, &number, &e) < 0)
        assert(e.text[0]);
    return 0;
}
