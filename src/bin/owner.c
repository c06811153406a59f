/* owner.c - what root makes in a data directory is for the roles, which run as its owner: a folder or a file that they cannot read is as good as absent, and
 * some must not be taken for that. */
#include "bin/bin.h"

#include <sys/stat.h>

int own_as(const char *data, const char *path, struct err *e)
{
    struct stat owner, st;

    if (geteuid() != 0 || stat(data, &owner) < 0 || lstat(path, &st) < 0 || st.st_uid != 0 || owner.st_uid == 0)
        return 0;
    return lchown(path, owner.st_uid, owner.st_gid) < 0 ? err_sys(e, "could not give \"%s\" to the owner of \"%s\"", path, data) : 0;
}
