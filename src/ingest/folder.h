/* folder.h - watched folders: files that are dropped by others or written to continuously, each read to its end exactly once.
 *
 * Owns      a listener owns its thread, its table of files, and DATA/inputs/folder-ID, where the table is kept.
 * Promises  1. Exactly once, through kill -9 at any moment: before a part of a file goes to the journal, where it will end is on disk under a number; the
 *              journal keeps the last number with the part (journal_origin). Positions with a larger number than the journal's never happened.
 *           2. A file is known by its content, not by its name or inode: one that is renamed, or put anew in its place with more at its end (rsync), is read on
 *              from where it stood; one that begins otherwise is another file.
 *           3. Whole lines. A line without an end is taken when its file has been quiet; of a compressed file nothing is read before that.
 *           4. One part is on its way at a time: while the journal is slow or the disk full, nothing is read, and no file is touched.
 *           5. Bounded: FOLDER_FILES_MAX known, FOLDER_OPEN_MAX open, FOLDER_PART_MAX of a part, FOLDER_RATIO_MAX of compression.
 * Threads   the table and the readers: the listener's own thread. What the loop sees of it is handed over under a lock.
 * Units     bytes of a file as it is unpacked; seconds as the names say.
 * Source    docs/inputs/folder.md, docs/formats.md. */
#ifndef SAQSHY_INGEST_FOLDER_H
#define SAQSHY_INGEST_FOLDER_H

#include "base/base.h"
#include "base/listen.h"
#include "base/whofile.h"
#include "parse/edges.h"
#include "parse/encoding.h"

#include <sys/types.h>

#define FOLDER_FILES_MAX  50000
#define FOLDER_OPEN_MAX   128
#define FOLDER_PART_MAX   (1u * MIB)
#define FOLDER_LINES_MAX  16384
#define FOLDER_PATH_MAX   4096
#define FOLDER_TAIL       1024          /* bytes before a position, by which a file is known again */
#define FOLDER_RATIO_MAX  1000          /* unpacked to packed, of more than FOLDER_RATIO_FROM: a bomb */
#define FOLDER_RATIO_FROM (64u * MIB)

enum folder_name { FOLDER_NAME_PATH, FOLDER_NAME_FOLDER, FOLDER_NAME_FILE };
struct folder_conf {
    char             pattern[FOLDER_PATH_MAX], done[FOLDER_PATH_MAX];   /* done: name beside each file, or a whole path */
    bool             move, from_end;
    enum folder_name name;
    int64_t          quiet_s, finished_s, look_s;
    char             records[256];     /* how records of several lines begin, parted by '|' */
};
/* folder_conf_read - the options of a listener; -EINVAL with the reason. */
MUST_USE int folder_conf_read(const struct listen_conf *c, struct folder_conf *out, struct err *e);
/* folder_roots - the folders that the listener must see: of its pattern up to the first wildcard, and where finished files go; write: it moves files. */
typedef void folder_root(void *arg, const char *folder, bool write);
void folder_roots(const struct folder_conf *c, folder_root *take, void *arg);

/* --- files (folder_files.c, folder_list.c) --- */

struct folder_file {
    struct folder_file *next, *by_path, *by_ino, *by_number;
    uint32_t         number;           /* under which it stands in the list on disk */
    char            *path;
    ino_t            ino;
    struct file_head head, tail;       /* tail: what stands before offset */
    uint64_t         offset;
    uint64_t         size;             /* as last seen, packed */
    int64_t          mtime_s, mtime_ns;
    int              fd;
    time_ns          grown;            /* steady: when it changed last */
    bool             packed, inside;   /* inside: in the middle of a line that is too long */
    bool             seen, settled;    /* settled: read to its end, as far as that is known */
    bool             lost;             /* its name is gone, or another file's */
    bool             failed, told;     /* told: of something that will not change */
    struct folder_file *copy_of;       /* waits until that one is read, or cut */
    time_ns          missed;           /* steady: since when it was not seen */
};
struct folder_files;
/* folder_files_open - the table as it is on disk in path; positions numbered above last are left out. */
MUST_USE int folder_files_open(const char *path, uint64_t last, struct folder_files **out, struct err *e);
void folder_files_free(struct folder_files **t);
/* folder_files_look - what is there now by the pattern. */
void folder_files_look(struct folder_files *t, const struct folder_conf *c);
struct folder_file *folder_files_first(struct folder_files *t);
size_t folder_files_count(const struct folder_files *t);
/* folder_file_fd - the open file; -1 if it is gone. */
int folder_file_fd(struct folder_files *t, struct folder_file *f);
/* folder_file_rest - nothing is to be read of it now. */
void folder_file_rest(struct folder_files *t, struct folder_file *f);
/* Where a part of a file ends. */
struct folder_place {
    uint64_t         offset;
    struct file_head tail;
    bool             inside;
};
/* folder_files_intend - the part with this number will end there: on disk when it returns. */
MUST_USE int folder_files_intend(struct folder_files *t, const struct folder_file *f, const struct folder_place *to, uint64_t number, struct err *e);
/* folder_files_void - that part never happened. */
MUST_USE int folder_files_void(struct folder_files *t, uint64_t number, struct err *e);
/* folder_file_take - it did. */
void folder_file_take(struct folder_file *f, const struct folder_place *to);
/* folder_files_finish - move what is read to its end and has been quiet, and forget what is gone. */
void folder_files_finish(struct folder_files *t, const struct folder_conf *c);
/* folder_lines_read - the pure part: a list as text, into an empty table. Returns how many lines are damaged. */
size_t folder_lines_read(struct folder_files *t, struct str text, uint64_t last);
struct folder_files *folder_files_new(void);

/* --- reading (folder_read.c) --- */

struct folder_reader;
MUST_USE int folder_reader_new(struct folder_reader **out, struct err *e);
void folder_reader_free(struct folder_reader **r);
/* folder_read - lines from the file's position on, each as its length and cut (le32: length * 2 + cut) and its bytes, in body; where they end in to. most: no more
 * bytes of lines than that, but at least one line. 1: there are some; 0: nothing now; *end: and nothing will come unless the file changes. */
MUST_USE int folder_read(struct folder_reader *r, struct folder_file *f, int fd, const struct folder_conf *c, size_t most, struct buf *body, struct folder_place *to,
                         bool *end, struct err *e);
/* folder_reader_forget - the reader's state of a packed file, if it has any. */
void folder_reader_forget(struct folder_reader *r, const struct folder_file *f);
bool folder_packed(const char *path);

/* --- between thread, loop and worker --- */

/* What the decoder must know of a part. */
struct folder_note {
    char     path[FOLDER_PATH_MAX], host[LISTEN_ID_MAX * 2];
    bool     question;                 /* what is the last number? */
    uint64_t seq;
};
struct body_decoder;
extern const struct body_decoder folder_decoder;

#endif
