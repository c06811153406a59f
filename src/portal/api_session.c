/* api_session.c - signing in and out, one's own password and language. */
#include "base/log.h"
#include "portal/internal.h"

#define COOKIE_FLAGS "; Path=/; HttpOnly; Secure; SameSite=Strict"

/* take_text - a text property of the body, 1 to most bytes; the answer is -EINVAL with the name in c->err otherwise. */
static int take_text(struct call *c, const char *name, size_t most, struct str *out)
{
    const json_t *j = json_object_get(c->body, name);

    *out = str_of(json_string_value(j), json_string_length(j));
    if (!json_is_string(j) || out->n == 0 || out->n > most)
        return err_set(&c->err, -EINVAL, "%s", name);
    return 0;
}

/* only_two - no property but these. */
static int only_two(struct call *c, const char *a, const char *b)
{
    const char *key;
    json_t *value;

    json_object_foreach(c->body, key, value)
        if (strcmp(key, a) != 0 && strcmp(key, b) != 0)
            return err_set(&c->err, -EINVAL, "%.100s", key);
    return 0;
}

int api_session_get(struct call *c)
{
    return call_json(c, 200, json_incref(c->session));
}

int api_session_open(struct call *c)
{
    struct desk_reply r = { 0 };
    char token[DESK_TOKEN_TEXT], name[129];
    struct str login, password;
    int rc = take_text(c, "login", 4 * 128, &login);

    if (rc == 0)
        rc = take_text(c, "password", 4 * 256, &password);
    if (rc == 0)
        rc = only_two(c, "login", "password");
    if (rc < 0)
        return rc;
    rc = desk_sign_in(c->desk, login, password, str_c(c->address), c->now, token, &c->viewer, &r);
    snprintf(name, sizeof name, "%.*s", (int)min_size(login.n, 128), login.p);
    log_line(LOG_SEC, rc == 0 ? "user signed in" : "sign-in refused", "event.category", "authentication", "event.outcome",
             rc == 0 ? "success" : "failure", "user.name", name, "source.ip", c->address, NULL);
    if (rc == 0)
        snprintf(c->reply.cookie, sizeof c->reply.cookie, SESSION_COOKIE "=%s" COOKIE_FLAGS "; Max-Age=%lld", token,
                 (long long)(DESK_SESSION_MOST_NS / NS_PER_SECOND));
    if (rc == -EPERM) {
        desk_reply_free(&r);
        return call_refuse(c, 401, "bad_credentials", NULL, 0, 0);
    }
    return call_desk(c, rc, 200, &r);
}

int api_session_close(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_sign_out(c->desk, &c->viewer, c->now, &r);

    if (rc == 0) {
        c->ended_session = c->viewer.session_id;
        snprintf(c->reply.cookie, sizeof c->reply.cookie, SESSION_COOKIE "=" COOKIE_FLAGS "; Max-Age=0");
        log_line(LOG_SEC, "user signed out", "event.category", "authentication", "user.name", c->viewer.login, "source.ip",
                 c->address, NULL);
    }
    return call_desk(c, rc, 204, &r);
}

int api_session_password(struct call *c)
{
    struct desk_reply r = { 0 };
    int rc = desk_password_change(c->desk, &c->viewer, c->body, c->now, &r);

    log_line(LOG_SEC, rc == 0 ? "password changed" : "password change refused", "event.category", "iam", "event.outcome",
             rc == 0 ? "success" : "failure", "user.name", c->viewer.login, "source.ip", c->address, NULL);
    /* Other sessions have ended; this one's pages connect anew at once. */
    if (rc == 0)
        c->ended_user = c->viewer.user_id;
    if (rc == -EPERM) {
        desk_reply_free(&r);
        return call_refuse(c, 403, "bad_credentials", "old", 0, 0);
    }
    return call_desk(c, rc, 204, &r);
}

int api_session_language(struct call *c)
{
    struct desk_reply r = { 0 };

    return call_desk(c, desk_language_set(c->desk, &c->viewer, c->body, c->now, &r), 204, &r);
}
