/* held.c - what the segments on disk hold, and the room they take: for whoever asks how far back the journal goes, and what a slow reader costs. */
#include "journal/internal.h"

#include <sys/stat.h>

/* bytes_of - 0 where it was cut meanwhile. */
static uint64_t bytes_of(const char *folder, uint64_t first_seq)
{
    char path[PATH_BYTES];
    struct stat st;

    segment_path(folder, first_seq, path);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t journal_oldest_seq(const char *folder)
{
    struct segments s;
    uint64_t seq = 0;

    if (segments_list(folder, &s, NULL) == 0 && s.count)
        seq = s.first_seq[0];
    segments_free(&s);
    return seq;
}

uint64_t journal_bytes_from(const char *folder, uint64_t seq)
{
    struct segments s;
    uint64_t bytes = 0;

    if (segments_list(folder, &s, NULL) < 0)
        return 0;
    for (size_t i = s.count; i > 0; i--) {
        bytes += bytes_of(folder, s.first_seq[i - 1]);
        if (s.first_seq[i - 1] <= seq)
            break;
    }
    segments_free(&s);
    return bytes;
}

uint64_t journal_seq_within(const char *folder, uint64_t bytes)
{
    struct segments s;
    uint64_t seq = 0, sum = 0;

    if (segments_list(folder, &s, NULL) < 0)
        return 0;
    for (size_t i = s.count; i > 0; i--) {
        sum += bytes_of(folder, s.first_seq[i - 1]);
        if (seq && sum > bytes)
            break;
        seq = s.first_seq[i - 1];
    }
    segments_free(&s);
    return seq;
}
