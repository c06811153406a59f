/* replay.c - a main() for fuzz targets without a fuzzer: every file of the folders named on the command line is
 * fed once, whole, and then cut at 64 places. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (4u << 20)

/* feed - from a heap block of just that size, so that a sanitizer guards its end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay_file(const char *path)
{
    uint8_t *data = malloc(FILE_MAX);
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!data || !f) {
        fprintf(stderr, "could not open %s\n", path);
        free(data);
        return 1;
    }
    n = fread(data, 1, FILE_MAX, f);
    fclose(f);
    feed(data, n);
    for (size_t i = 0; i < 64 && i < n; i++)
        feed(data, n * i / 64);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        struct dirent *f;

        while (d && (f = readdir(d)) != NULL) {
            char path[4096];
            struct stat st;

            snprintf(path, sizeof path, "%s/%s", argv[i], f->d_name);
            if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
                if (replay_file(path))
                    return 1;
                count++;
            }
        }
        if (d)
            closedir(d);
    }
    printf("%d seeds\n", count);
    return count > 0 ? 0 : 1;
}
