/* bench_scan.c - how many findings a second of processor time come out of scanners' reports, and what memory it takes.
 *
 *     bench_scan CONTENT [--findings N] [FILE…]
 *
 * Without files it writes reports of N findings (100,000) of Nessus, SARIF, Trivy and a CSV to a temporary folder, from
 * a fixed rule, no randomness, and reads each; with files those. Reading is all that is measured: no desk, no output. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "scan/scan.h"

#define HOST_ITEMS 200   /* findings of one host, or of one target */

static time_ns cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (time_ns)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static void nessus(FILE *f, unsigned n)
{
    fputs("<?xml version=\"1.0\" ?>\n<NessusClientData_v2><Report name=\"bench\">\n", f);
    for (unsigned i = 0; i < n; i++) {
        if (i % HOST_ITEMS == 0)
            fprintf(f, "%s<ReportHost name=\"10.0.%u.%u\"><HostProperties><tag name=\"HOST_END\">Tue Jun 25 10:39:42 2030</tag>"
                       "<tag name=\"host-ip\">10.0.%u.%u</tag><tag name=\"host-fqdn\">h%u.example.kz</tag></HostProperties>\n",
                    i ? "</ReportHost>\n" : "", i / HOST_ITEMS / 250, i / HOST_ITEMS % 250, i / HOST_ITEMS / 250, i / HOST_ITEMS % 250, i / HOST_ITEMS);
        fprintf(f, "<ReportItem port=\"%u\" svc_name=\"www\" protocol=\"tcp\" severity=\"%u\" pluginID=\"%u\" pluginName=\"Check %u of a service\" "
                   "pluginFamily=\"General\">\n<cve>CVE-2030-%u</cve>\n<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N</cvss3_vector>\n"
                   "<cvss3_base_score>7.5</cvss3_base_score>\n<description>The remote service answers with a banner that gives its version away, and "
                   "this version has a weakness that lets anybody read memory.</description>\n<synopsis>The remote service has a weakness.</synopsis>\n"
                   "<solution>Update the program to the newest version of its branch.</solution>\n<see_also>https://example.kz/advisory/%u</see_also>\n"
                   "<plugin_output>\n  Installed version : 1.%u\n  Fixed version : 1.%u\n</plugin_output>\n</ReportItem>\n",
                1 + i % 60000, i % 5, 10000 + i % 5000, i % 5000, 1000 + i % 9000, i, i % 50, i % 50 + 1);
    }
    fputs("</ReportHost></Report></NessusClientData_v2>\n", f);
}

static void sarif(FILE *f, unsigned n)
{
    fputs("{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"Bench\",\"rules\":[", f);
    for (unsigned i = 0; i < 500; i++)
        fprintf(f, "%s{\"id\":\"B%u\",\"shortDescription\":{\"text\":\"Rule %u of the bench\"},\"defaultConfiguration\":{\"level\":\"warning\"},"
                   "\"properties\":{\"tags\":[\"security\",\"external/cwe/cwe-%u\"]}}", i ? "," : "", i, i, 20 + i);
    fputs("]}},\"results\":[\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%s{\"ruleId\":\"B%u\",\"level\":\"error\",\"message\":{\"text\":\"Text that came from outside reaches a query in function %u.\"},"
                   "\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"src/part%u/file%u.c\"},\"region\":{\"startLine\":%u,\"startColumn\":5,"
                   "\"snippet\":{\"text\":\"run(query);\"}}}}],\"partialFingerprints\":{\"primaryLocationLineHash\":\"%08x:1\"}}\n",
                i ? "," : "", i % 500, i, i % 40, i % 900, 1 + i % 3000, i * 2654435761u);
    fputs("]}]}\n", f);
}

static void trivy(FILE *f, unsigned n)
{
    fputs("{\"SchemaVersion\":2,\"ArtifactName\":\"bench:1\",\"ArtifactType\":\"container_image\",\"Results\":[", f);
    for (unsigned i = 0; i < n; i++) {
        if (i % HOST_ITEMS == 0)
            fprintf(f, "%s{\"Target\":\"layer%u (debian 12)\",\"Class\":\"os-pkgs\",\"Type\":\"debian\",\"Vulnerabilities\":[", i ? "]},\n" : "", i / HOST_ITEMS);
        fprintf(f, "%s{\"VulnerabilityID\":\"CVE-2030-%u\",\"PkgName\":\"lib%u\",\"InstalledVersion\":\"1.%u\",\"FixedVersion\":\"1.%u\",\"Severity\":\"HIGH\","
                   "\"Title\":\"lib%u: memory is read past its end\",\"Description\":\"A long name makes the library read past the end of a buffer.\","
                   "\"References\":[\"https://example.kz/cve/%u\",\"https://example.kz/fix/%u\"],\"CweIDs\":[\"CWE-125\"],"
                   "\"CVSS\":{\"nvd\":{\"V3Vector\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N\",\"V3Score\":7.5}}}\n",
                i % HOST_ITEMS ? "," : "", 1000 + i % 90000, i % 300, i % 20, i % 20 + 1, i % 300, i, i);
    }
    fputs("]}]}\n", f);
}

static void csv(FILE *f, unsigned n)
{
    fputs("Plugin ID,CVE,CVSS,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n", f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "%u,CVE-2030-%u,7.5,High,10.0.%u.%u,tcp,%u,\"Check %u, of a service\",A weakness,\"The service tells\nits version\",Update it,"
                   "https://example.kz/%u,\"  Installed : 1.%u\"\n",
                10000 + i % 5000, 1000 + i % 9000, i / 250 % 250, i % 250, 1 + i % 60000, i % 5000, i, i % 40);
}

static int count_finding(void *arg, const struct scan_finding *f, struct err *e)
{
    (void)e;
    *(uint64_t *)arg += f->title.n > 0;
    return 0;
}

static int count_cover(void *arg, const struct scan_cover *c, struct err *e)
{
    (void)arg, (void)c, (void)e;
    return 0;
}

static int measure(const struct scan_formats *formats, const char *name)
{
    uint64_t titles = 0;
    struct scan_sink sink = { .finding = count_finding, .cover = count_cover, .arg = &titles };
    struct scan_report r;
    struct stat st;
    struct rusage use;
    struct err e = { 0 };
    AUTO_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC);
    time_ns start = cpu_now();
    double took;
    int rc = fd < 0 || fstat(fd, &st) < 0 ? err_sys(&e, "cannot open %s", name) : scan_read(formats, fd, name, "auto", NULL, &sink, &r, &e);

    if (rc < 0) {
        fprintf(stderr, "bench_scan: %s\n", e.text);
        return rc;
    }
    took = (double)(cpu_now() - start) / 1e9;
    getrusage(RUSAGE_SELF, &use);
    printf("%-10s %8llu findings  %6.1f MB  %6.2f s  %9.0f findings/s  %6.0f MB/s  %6.2f CPU-s per million  (most memory so far %ld MiB)\n", r.format,
           (unsigned long long)r.findings, (double)st.st_size / 1e6, took, (double)r.findings / took, (double)st.st_size / 1e6 / took,
           took * 1e6 / (double)(r.findings ? r.findings : 1), use.ru_maxrss / 1024);
    return 0;
}

static int made(const struct scan_formats *formats, unsigned n)
{
    static void (*const writers[])(FILE *f, unsigned n) = { nessus, sarif, trivy, csv };
    int rc = 0;

    for (size_t i = 0; i < COUNT(writers) && rc == 0; i++) {
        char name[] = "/tmp/saqshy-bench-scan-XXXXXX";
        int fd = mkstemp(name);
        FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

        if (!f)
            return -EIO;
        writers[i](f, n);
        rc = fclose(f) == 0 ? measure(formats, name) : -EIO;
        unlink(name);
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct scan_formats *formats = NULL;
    struct err e = { 0 };
    uint64_t n = 100000;
    int first = 2, rc;

    if (argc > 3 && strcmp(argv[2], "--findings") == 0 && str_u64(str_c(argv[3]), &n))
        first = 4;
    rc = argc < 2 ? -EINVAL : scan_formats_load(argv[1], &formats, &e);
    if (rc < 0) {
        fprintf(stderr, "usage: bench_scan CONTENT [--findings N] [FILE…]\n%s\n", e.text);
        return 2;
    }
    if (first >= argc)
        rc = made(formats, (unsigned)min_size(n, 100000000));
    for (int i = first; i < argc && rc == 0; i++)
        rc = measure(formats, argv[i]);
    scan_formats_free(&formats);
    return rc < 0 ? 1 : 0;
}
