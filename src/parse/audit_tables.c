/* audit_tables.c - see audit.h. */
#include "parse/audit.h"

/* clang-format off */
#define AUTH(type, action, types) SENSE("authentication", "", type, "", action, "", types)
#define SESSION(type, action) SENSE("session", "", type, "", action, "", OS(4))
#define IAM(type, what, action) SENSE("iam", "", type, what, action, "", OS(6))
#define HOST(type, action, types) SENSE("host", "", type, "", action, "", types)
#define PROC(type, action, types) SENSE("process", "", type, "", action, "", types)
#define CONF(action, types) SENSE("configuration", "", "change", "", action, "", types)
#define ANOM(action, types) SENSE("intrusion_detection", "", "info", "", action, "", types)
/* clang-format on */

static const struct audit_type types[] = {
    { "SYSCALL", 1300, PROC("info", "syscall", 0) },
    { "PATH", 1302, SENSE("file", "", "info", "", "path", "", OS(2)) },
    { "CWD", 1307, SENSE("", "", "", "", "cwd", "", 0) },
    { "EXECVE", 1309, SENSE("process", "", "start", "", "execve", "", OS(13)) },
    { "PROCTITLE", 1327, SENSE("", "", "", "", "proctitle", "", 0) },
    { "SOCKADDR", 1306, SENSE("", "", "", "", "sockaddr", "", 0) },
    { "EOE", 1320, SENSE("", "", "", "", "end-of-event", "", 0) },
    { "LOGIN", 1006, AUTH("start", "changed-login-id-to", OS(4)) },
    { "USER_AUTH", 1100, AUTH("info", "authenticated", OS(4)) },
    { "USER_ACCT", 1101, AUTH("info", "was-authorized", OS(4)) },
    { "USER_MGMT", 1102, IAM("change", "user", "modified-user-account") },
    { "CRED_ACQ", 1103, AUTH("info", "acquired-credentials", OS(4)) },
    { "CRED_DISP", 1104, AUTH("info", "disposed-credentials", OS(4)) },
    { "USER_START", 1105, SESSION("start", "started-session") },
    { "USER_END", 1106, SESSION("end", "ended-session") },
    { "USER_AVC", 1107, PROC("denied", "access-permission", OS(12)) },
    { "USER_CHAUTHTOK", 1108, IAM("change", "user", "changed-password") },
    { "USER_ERR", 1109, AUTH("info", "error", OS(4)) },
    { "CRED_REFR", 1110, AUTH("info", "refreshed-credentials", OS(4)) },
    { "USYS_CONFIG", 1111, CONF("changed-configuration", OS(5)) },
    { "USER_LOGIN", 1112, AUTH("start", "logged-in", OS(4)) },
    { "USER_LOGOUT", 1113, AUTH("end", "logged-out", OS(4)) },
    { "ADD_USER", 1114, IAM("creation", "user", "added-user-account") },
    { "DEL_USER", 1115, IAM("deletion", "user", "deleted-user-account") },
    { "ADD_GROUP", 1116, IAM("creation", "group", "added-group-account") },
    { "DEL_GROUP", 1117, IAM("deletion", "group", "deleted-group-account") },
    { "DAC_CHECK", 1118, PROC("info", "checked-access", 0) },
    { "CHGRP_ID", 1119, PROC("change", "changed-group", OS(9)) },
    { "TEST", 1120, PROC("info", "test", 0) },
    { "TRUSTED_APP", 1121, PROC("info", "unknown", 0) },
    { "USER_SELINUX_ERR", 1122, PROC("error", "access-error", OS(12)) },
    { "USER_CMD", 1123, PROC("start", "ran-command", OS(9) | OS(13)) },
    { "USER_TTY", 1124, PROC("info", "typed", 0) },
    { "CHUSER_ID", 1125, PROC("change", "changed-user", OS(9)) },
    { "GRP_AUTH", 1126, AUTH("info", "authenticated-to-group", OS(4)) },
    { "SYSTEM_BOOT", 1127, HOST("start", "booted-system", OS(1)) },
    { "SYSTEM_SHUTDOWN", 1128, HOST("end", "shutdown-system", OS(1)) },
    { "SYSTEM_RUNLEVEL", 1129, HOST("change", "changed-to-runlevel", OS(1)) },
    { "SERVICE_START", 1130, PROC("start", "started-service", OS(13)) },
    { "SERVICE_STOP", 1131, PROC("end", "stopped-service", OS(13)) },
    { "GRP_MGMT", 1132, IAM("change", "group", "modified-group-account") },
    { "GRP_CHAUTHTOK", 1133, IAM("change", "group", "changed-group-password") },
    { "MAC_CHECK", 1134, PROC("info", "checked-mac", 0) },
    { "ACCT_LOCK", 1135, IAM("change", "user", "locked-account") },
    { "ACCT_UNLOCK", 1136, IAM("change", "user", "unlocked-account") },
    { "USER_DEVICE", 1137, HOST("info", "changed-device", OS(10)) },
    { "SOFTWARE_UPDATE", 1138, SENSE("package", "", "info", "", "package-updated", "", OS(3)) },
    { "DAEMON_START", 1200, PROC("start", "started-audit", OS(7)) },
    { "DAEMON_END", 1201, PROC("end", "shutdown-audit", OS(7)) },
    { "DAEMON_ABORT", 1202, PROC("end", "aborted-auditd-startup", OS(7)) },
    { "DAEMON_CONFIG", 1203, CONF("changed-auditd-configuration", OS(5) | OS(8)) },
    { "DAEMON_RECONFIG", 1204, CONF("reconfigured-auditd", OS(5) | OS(8)) },
    { "DAEMON_ROTATE", 1205, PROC("info", "rotated-audit-logs", 0) },
    { "DAEMON_RESUME", 1206, PROC("start", "resumed-audit-logging", OS(7)) },
    { "DAEMON_ACCEPT", 1207, PROC("info", "remote-audit-connected", 0) },
    { "DAEMON_CLOSE", 1208, PROC("info", "remote-audit-disconnected", 0) },
    { "DAEMON_ERR", 1209, PROC("error", "audit-error", OS(7)) },
    { "CONFIG_CHANGE",
      1305,
      SENSE("configuration", "process", "change", "", "changed-audit-configuration", "", OS(5) | OS(8)) },
    { "FEATURE_CHANGE", 1328, CONF("changed-audit-feature", OS(5) | OS(8)) },
    { "IPC", 1303, SENSE("", "", "", "", "ipc", "", 0) },
    { "SOCKETCALL", 1304, SENSE("", "", "", "", "socketcall", "", 0) },
    { "FD_PAIR", 1317, SENSE("", "", "", "", "fd-pair", "", 0) },
    { "OBJ_PID", 1318, SENSE("", "", "", "", "obj-pid", "", 0) },
    { "TTY", 1319, SENSE("", "", "", "", "typed", "", 0) },
    { "BPRM_FCAPS", 1321, SENSE("", "", "", "", "bprm-fcaps", "", 0) },
    { "CAPSET", 1322, SENSE("", "", "", "", "capset", "", 0) },
    { "MMAP", 1323, SENSE("", "", "", "", "mmap", "", 0) },
    { "NETFILTER_PKT", 1324, SENSE("network", "", "connection", "", "netfilter-packet", "", FW(1)) },
    { "NETFILTER_CFG", 1325, CONF("loaded-firewall-rule-to", OS(5) | OS(8)) },
    { "SECCOMP", 1326, PROC("denied", "violated-seccomp-policy", OS(12)) },
    { "KERN_MODULE", 1330, SENSE("driver", "", "start", "", "loaded-kernel-module", "", OS(5)) },
    { "BPF", 1334, SENSE("", "", "", "", "bpf", "", 0) },
    { "URINGOP", 1336, SENSE("", "", "", "", "uringop", "", 0) },
    { "TIME_ADJNTPVAL", 1333, HOST("change", "changed-system-time", OS(5)) },
    { "TIME_INJOFFSET", 1332, HOST("change", "changed-system-time", OS(5)) },
    { "AVC", 1400, PROC("denied", "violated-selinux-policy", OS(12)) },
    { "SELINUX_ERR", 1401, PROC("error", "caused-mac-policy-error", OS(12)) },
    { "MAC_POLICY_LOAD", 1403, CONF("loaded-selinux-policy", OS(8)) },
    { "MAC_STATUS", 1404, CONF("changed-selinux-enforcement", OS(7) | OS(8)) },
    { "MAC_CONFIG_CHANGE", 1405, CONF("changed-selinux-boolean", OS(8)) },
    { "MAC_IPSEC_EVENT", 1415, SENSE("network", "", "info", "", "mac_ipsec_event", "", 0) },
    { "ANOM_PROMISCUOUS", 1700, ANOM("changed-promiscuous-mode-on-device", OS(5)) },
    { "ANOM_ABEND", 1701, SENSE("process", "intrusion_detection", "end", "info", "crashed-program", "", OS(13)) },
    { "ANOM_LINK", 1702, ANOM("used-suspicious-link", OS(12)) },
    { "ANOM_LOGIN_FAILURES", 2100, ANOM("failed-log-in-too-many-times-to", OS(4) | OS(11)) },
    { "ANOM_LOGIN_TIME", 2101, ANOM("attempted-log-in-during-unusual-hour-to", OS(4)) },
    { "ANOM_LOGIN_SESSIONS", 2102, ANOM("opened-too-many-sessions-to", OS(4)) },
    { "ANOM_LOGIN_ACCT", 2103, ANOM("attempted-log-in-to-watched-account", OS(4)) },
    { "ANOM_LOGIN_LOCATION", 2104, ANOM("attempted-log-in-from-unusual-place-to", OS(4)) },
    { "ANOM_ADD_ACCT", 2111, ANOM("added-user-account", OS(6)) },
    { "ANOM_DEL_ACCT", 2112, ANOM("deleted-user-account", OS(6)) },
    { "ANOM_MOD_ACCT", 2113, ANOM("modified-user-account", OS(6)) },
    { "ANOM_ROOT_TRANS", 2114, ANOM("became-root", OS(9)) },
    { "CRYPTO_KEY_USER", 2404, PROC("info", "negotiated-crypto-key", 0) },
    { "CRYPTO_SESSION", 2407, PROC("info", "started-crypto-session", 0) },
    { "CRYPTO_LOGIN", 2402, AUTH("info", "crypto-officer-logged-in", OS(4)) },
    { "VIRT_CONTROL", 2500, HOST("info", "issued-vm-control", 0) },
    { "VIRT_RESOURCE", 2501, HOST("info", "assigned-vm-resource", 0) },
    { "VIRT_MACHINE_ID", 2502, HOST("info", "assigned-vm-id", 0) },
};

/* clang-format off */
#define FILE_(type, action) SENSE("file", "", type, "", action, "", OS(2))
#define NET_(type, action, types) SENSE("network", "", type, "", action, "", types)
/* clang-format on */

static const struct audit_call calls[] = {
    { "execve", 59, 221, NULL, SENSE("process", "", "start", "", "executed", "", OS(13)) },
    { "execveat", 322, 281, NULL, SENSE("process", "", "start", "", "executed", "", OS(13)) },
    { "open", 2, -1, NULL, FILE_("access", "opened-file") },
    { "openat", 257, 56, NULL, FILE_("access", "opened-file") },
    { "openat2", 437, 437, NULL, FILE_("access", "opened-file") },
    { "creat", 85, -1, NULL, FILE_("creation", "created-file") },
    { "mknod", 133, -1, NULL, FILE_("creation", "make-device") },
    { "mknodat", 259, 33, NULL, FILE_("creation", "make-device") },
    { "mkdir", 83, -1, NULL, FILE_("creation", "created-directory") },
    { "mkdirat", 258, 34, NULL, FILE_("creation", "created-directory") },
    { "rename", 82, -1, NULL, FILE_("change", "renamed") },
    { "renameat", 264, 38, NULL, FILE_("change", "renamed") },
    { "renameat2", 316, 276, NULL, FILE_("change", "renamed") },
    { "unlink", 87, -1, NULL, FILE_("deletion", "deleted") },
    { "unlinkat", 263, 35, NULL, FILE_("deletion", "deleted") },
    { "rmdir", 84, -1, NULL, FILE_("deletion", "deleted") },
    { "link", 86, -1, NULL, FILE_("creation", "linked") },
    { "linkat", 265, 37, NULL, FILE_("creation", "linked") },
    { "symlink", 88, -1, NULL, FILE_("creation", "symlinked") },
    { "symlinkat", 266, 36, NULL, FILE_("creation", "symlinked") },
    { "copy_file_range", 326, 285, NULL, FILE_("creation", "copied-file") },
    { "truncate", 76, 45, NULL, FILE_("change", "opened-file") },
    { "ftruncate", 77, 46, NULL, FILE_("change", "opened-file") },
    { "chmod", 90, -1, NULL, FILE_("change", "changed-file-permissions-of") },
    { "fchmod", 91, 52, NULL, FILE_("change", "changed-file-permissions-of") },
    { "fchmodat", 268, 53, NULL, FILE_("change", "changed-file-permissions-of") },
    { "chown", 92, -1, NULL, FILE_("change", "changed-file-ownership-of") },
    { "fchown", 93, 55, NULL, FILE_("change", "changed-file-ownership-of") },
    { "lchown", 94, -1, NULL, FILE_("change", "changed-file-ownership-of") },
    { "fchownat", 260, 54, NULL, FILE_("change", "changed-file-ownership-of") },
    { "setxattr", 188, 5, NULL, FILE_("change", "changed-file-attributes-of") },
    { "connect", 42, 203, "egress", SENSE("network", "", "connection", "start", "connected-to", "", 0) },
    { "accept", 43, 202, "ingress", SENSE("network", "", "connection", "start", "accepted-connection-from", "", 0) },
    { "accept4", 288, 242, "ingress", SENSE("network", "", "connection", "start", "accepted-connection-from", "", 0) },
    { "bind", 49, 200, "ingress", NET_("start", "bound-socket", UX(2)) },
    { "listen", 50, 201, "ingress", NET_("start", "listen-for-connections", UX(2)) },
    { "sendto", 44, 206, "egress", NET_("info", "sent-to", 0) },
    { "recvfrom", 45, 207, "ingress", NET_("info", "received-from", 0) },
    { "socket", 41, 198, NULL, NET_("info", "opened-socket", 0) },
    { "ptrace", 101, 117, NULL, PROC("info", "traced-process", 0) },
    { "kill", 62, 129, NULL, PROC("end", "killed-pid", OS(13)) },
    { "setuid", 105, 146, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "setgid", 106, 144, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "setreuid", 113, 145, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "setregid", 114, 143, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "setresuid", 117, 147, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "setresgid", 119, 149, NULL, PROC("change", "changed-identity-of", OS(9)) },
    { "mount", 165, 40, NULL, SENSE("host", "", "change", "", "mounted", "", OS(10)) },
    { "umount2", 166, 39, NULL, SENSE("host", "", "change", "", "unmounted", "", OS(10)) },
    { "reboot", 169, 142, NULL, HOST("end", "rebooted-system", OS(1)) },
    { "init_module", 175, 105, NULL, SENSE("driver", "", "start", "", "loaded-kernel-module", "", OS(5)) },
    { "finit_module", 313, 273, NULL, SENSE("driver", "", "start", "", "loaded-kernel-module", "", OS(5)) },
    { "delete_module", 176, 106, NULL, SENSE("driver", "", "end", "", "unloaded-kernel-module", "", OS(5)) },
    { "adjtimex", 159, 171, NULL, HOST("change", "changed-system-time", OS(5)) },
    { "settimeofday", 164, 170, NULL, HOST("change", "changed-system-time", OS(5)) },
    { "clock_adjtime", 305, 266, NULL, HOST("change", "changed-system-time", OS(5)) },
    { "clock_settime", 227, 112, NULL, HOST("change", "changed-system-time", OS(5)) },
    { "sethostname", 170, 161, NULL, CONF("changed-system-name", OS(5)) },
    { "setdomainname", 171, 162, NULL, CONF("changed-system-name", OS(5)) },
};

const struct audit_type *audit_type_of(struct str name)
{
    uint64_t number;

    if (str_u64(name, &number)) {
        for (size_t i = 0; i < COUNT(types); i++)
            if (types[i].number == number)
                return &types[i];
        return NULL;
    }
    for (size_t i = 0; i < COUNT(types); i++)
        if (name.n && types[i].name[0] == *name.p && str_eq(str_c(types[i].name), name))
            return &types[i];
    return NULL;
}

const struct audit_call *audit_call_of(struct str call, struct str arch)
{
    bool arm = str_eq(arch, STR("aarch64"));
    uint64_t number;

    if (str_u64(call, &number)) {
        if (!arm && !str_eq(arch, STR("x86_64")))
            return NULL;
        for (size_t i = 0; i < COUNT(calls); i++) {
            int16_t own = arm ? calls[i].aarch64 : calls[i].x86_64;

            if (own >= 0 && (uint64_t)own == number)
                return &calls[i];
        }
        return NULL;
    }
    for (size_t i = 0; i < COUNT(calls); i++)
        if (str_eq(str_c(calls[i].name), call))
            return &calls[i];
    return NULL;
}

struct str audit_arch(struct str hex)
{
    static const struct {
        const char *hex, *name;
    } known[] = {
        { "c000003e", "x86_64" },  { "40000003", "i386" },  { "c00000b7", "aarch64" }, { "40000028", "arm" },
        { "c0000015", "ppc64le" }, { "80000015", "ppc64" }, { "80000016", "s390x" },   { "c00000f3", "riscv64" },
    };

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_ieq(hex, str_c(known[i].hex)))
            return str_c(known[i].name);
    return hex;
}
