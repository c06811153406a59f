/* wef_soap.c - messages of WS-Management: those of machines read, ours written; see wef.h.
 *
 * Elements are known by their local names and their place: whoever sends under other prefixes is understood, and what is not asked for is passed
 * over. Written is what the collector of Windows itself writes, in its order: its clients are the only readers. */
#include "ingest/wef.h"
#include "parse/encoding.h"

#define NS_SOAP    "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESS "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_ENUM    "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define NS_EVENT   "http://schemas.xmlsoap.org/ws/2004/08/eventing"
#define NS_WSMAN   "http://schemas.dmtf.org/wbem/wsman/1/wsman"
#define NS_MS      "http://schemas.microsoft.com/wbem/wsman/1"
#define ANONYMOUS  NS_ADDRESS "/role/anonymous"
#define EARLIEST   NS_WSMAN "/bookmark/earliest"
#define MUTUAL     NS_WSMAN "/secprofile/https/mutual"
#define QUERY_DIALECT "http://schemas.microsoft.com/win/2004/08/events/eventquery"
#define HEADER_TEXT_MAX 512

static const struct {
    struct str      text;
    enum wef_action action;
} actions[] = {
    { STR_INIT(NS_ENUM "/Enumerate"), WEF_ENUMERATE },
    { STR_INIT(NS_WSMAN "/Events"), WEF_EVENTS },
    { STR_INIT(NS_WSMAN "/Heartbeat"), WEF_HEARTBEAT },
    { STR_INIT(NS_EVENT "/SubscriptionEnd"), WEF_SUBSCRIPTION_END },
    { STR_INIT(NS_MS "/wsman/End"), WEF_END },
};

struct reading {
    struct xpull        x;
    struct arena       *a;
    struct wef_message *m;
    size_t              cap;
    bool                acted;       /* an action was read */
};

/* --- reading --- */

/* header_text - the text of a header: a short one, decoded. */
static void header_text(struct reading *r, struct str name)
{
    struct str s = str_trim(r->x.cdata ? r->x.text : xpull_decoded(r->x.text, r->a));

    if (s.n == 0 || s.n > HEADER_TEXT_MAX)
        return;
    if (str_eq(name, STR("MessageID")))
        r->m->message_id = s;
    else if (str_eq(name, STR("OperationID")))
        r->m->operation_id = s;
    else if (str_eq(name, STR("Identifier")))
        r->m->identifier = s;
    else if (str_eq(name, STR("MachineID")))
        r->m->machine = s;
    else if (str_eq(name, STR("Action"))) {
        r->acted = true;
        for (size_t i = 0; i < COUNT(actions); i++)
            if (str_eq(s, actions[i].text))
                r->m->action = actions[i].action;
    }
}

/* skip_element - behind the end of the element that was opened last; *inner is what stands in it, as written. False: damaged. */
static bool skip_element(struct xpull *x, struct str *inner)
{
    const char *begin = x->p;
    int depth = x->depth - 1;

    for (;;) {
        enum xtoken t = xpull_next(x);

        if (t == X_DAMAGED || t == X_END)
            return false;
        if (t == X_CLOSE && x->depth == depth) {
            *inner = x->at >= begin ? str_of(begin, (size_t)(x->at - begin)) : str_of(begin, 0);
            return true;
        }
    }
}

static int add_event(struct reading *r, struct str event, struct err *e)
{
    if (event.n == 0)
        return 0;
    if (r->m->count == WEF_EVENTS_MAX)
        return err_set(e, -E2BIG, "a message may hold %d events", WEF_EVENTS_MAX);
    if (r->m->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct str *more = arena_array(r->a, cap, sizeof *more);

        if (!more)
            return err_set(e, -ENOMEM, "no memory for a message");
        if (r->m->count)
            memcpy(more, r->m->events, r->m->count * sizeof *more);
        r->m->events = more;
        r->cap = cap;
    }
    r->m->events[r->m->count++] = event;
    return 0;
}

/* joined - pieces of text of one element; nearly always there is one. */
static struct str joined(struct arena *a, struct str before, struct str more)
{
    char *p;

    if (before.n == 0)
        return more;
    if ((p = arena_alloc(a, before.n + more.n)) == NULL)
        return before;
    memcpy(p, before.p, before.n);
    memcpy(p + before.n, more.p, more.n);
    return str_of(p, before.n + more.n);
}

/* read_event - the content of a w:Event that is open: text (as asked for, or with entities), or the event as elements. 1: damaged, from *from on. */
static int read_event(struct reading *r, const char **from, struct err *e)
{
    struct xpull *x = &r->x;
    struct str text = { NULL, 0 };
    int depth = x->depth - 1;
    bool elements = false;

    *from = x->p;
    for (;;) {
        enum xtoken t = xpull_next(x);

        if (t == X_DAMAGED || t == X_END)
            return 1;
        if (t == X_TEXT && (x->cdata || str_trim(x->text).n))
            text = joined(r->a, text, x->cdata ? x->text : str_trim(xpull_decoded(x->text, r->a)));
        elements = elements || t == X_OPEN;
        if (t == X_CLOSE && x->depth == depth)
            return add_event(r, elements && x->at >= *from ? str_trim(str_of(*from, (size_t)(x->at - *from))) : str_trim(text), e);
    }
}

static bool in(const struct xpull *x, int depth, struct str second) { return x->depth == depth && str_eq(x->path[1], second); }

/* body_open - an element of the body was opened. 1: damaged. */
static int body_open(struct reading *r, const char **from, struct err *e)
{
    struct xpull *x = &r->x;
    struct str fault;

    if (r->m->action == WEF_EVENTS && in(x, 4, STR("Body")) && str_eq(x->name, STR("Event")))
        return read_event(r, from, e);
    if (str_eq(x->name, STR("WSManFault")) && xpull_attribute(x, STR("Code"), &fault))
        r->m->fault = fault;
    return 0;
}

static void header_open(struct reading *r)
{
    struct xpull *x = &r->x;
    struct str inner;

    if (str_eq(x->name, STR("AckRequested")))
        r->m->ack = true;
    if (str_eq(x->name, STR("Bookmark")) && !x->closing && skip_element(x, &inner) && wef_bookmark_sound(str_trim(inner)))
        r->m->bookmark = str_trim(inner);
}

/* read_token - what was read last, by its place. 1: the text is damaged from *from on. */
static int read_token(struct reading *r, enum xtoken t, const char **from, struct err *e)
{
    struct xpull *x = &r->x;

    *from = x->at;
    if (t == X_DAMAGED)
        return 1;
    if (t == X_OPEN && in(x, 3, STR("Header")))
        header_open(r);
    else if (t == X_OPEN && x->depth >= 3 && str_eq(x->path[1], STR("Body")))
        return body_open(r, from, e);
    else if (t == X_TEXT && in(x, 3, STR("Header")))
        header_text(r, x->path[2]);
    else if (t == X_TEXT && in(x, 4, STR("Body")) && str_eq(x->path[3], STR("Status")))
        r->m->status = str_trim(x->text);
    return 0;
}

int wef_read(struct str text, struct arena *a, struct wef_message *out, struct err *e)
{
    struct reading r = { .a = a, .m = out };
    const char *from = NULL;
    enum xtoken t;
    int rc = 0;

    *out = (struct wef_message){ 0 };
    xpull_from(&r.x, text);
    do {
        t = xpull_next(&r.x);
        rc = read_token(&r, t, &from, e);
    } while (rc == 0 && t != X_END);
    if (rc < 0)
        return rc;
    if (!r.acted)
        return err_at(e, -EBADMSG, (size_t)(r.x.at - text.p), "this is no message of WS-Management: %s",
                      rc == 1 && r.x.why ? r.x.why : "it names no action");
    if (rc == 1 && out->action == WEF_EVENTS)
        out->rest = str_of(from, (size_t)(text.p + text.n - from));
    else if (rc == 1)
        return err_at(e, -EBADMSG, (size_t)(r.x.at - text.p), "the message is damaged: %s", r.x.why ? r.x.why : "it is cut");
    return arena_failed(a) ? err_set(e, -ENOMEM, "no memory for a message") : 0;
}

bool wef_bookmark_sound(struct str s)
{
    struct xpull x;
    enum xtoken t;
    size_t elements = 0;

    if (s.n == 0 || s.n > WEF_BOOKMARK_MAX || !str_utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 32 && s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r')
            return false;
    if (str_starts(s, STR("http://")))
        return str_chr(s, '<') < 0 && str_chr(s, '&') < 0;
    xpull_from(&x, s);
    while ((t = xpull_next(&x)) != X_END) {
        if (t == X_DAMAGED || (t == X_TEXT && str_trim(x.text).n) || (t == X_OPEN && x.depth > 2) || x.cdata)
            return false;
        if (t == X_OPEN && !str_eq(x.name, x.depth == 1 ? STR("BookmarkList") : STR("Bookmark")))
            return false;
        elements += t == X_OPEN;
    }
    return elements > 0;
}

/* --- writing --- */

/* put_uuid - a number for a message of ours: made of what it answers, so it needs no chance. */
static void put_uuid(struct buf *b, struct str of, uint64_t more)
{
    uint64_t one = str_hash(of), two = str_hash(str_of((const char *)&one, sizeof one)) ^ (more * UINT64_C(0x9E3779B97F4A7C15));

    buf_printf(b, "uuid:%08X-%04X-%04X-%04X-%012llX", (unsigned)(one >> 32), (unsigned)(one >> 16 & 0xFFFF), (unsigned)(0x4000 | (one & 0xFFF)),
               (unsigned)(0x8000 | (two >> 48 & 0x3FFF)), (unsigned long long)(two & UINT64_C(0xFFFFFFFFFFFF)));
}

static void begin(struct buf *b, const struct wef_message *m, const char *action)
{
    buf_str(b, STR("<s:Envelope xml:lang=\"en-US\" xmlns:s=\"" NS_SOAP "\" xmlns:a=\"" NS_ADDRESS "\" xmlns:n=\"" NS_ENUM "\" xmlns:w=\"" NS_WSMAN
                   ".xsd\" xmlns:p=\"" NS_MS "/wsman.xsd\"><s:Header>"));
    buf_printf(b, "<a:Action>%s</a:Action><a:MessageID>", action);
    put_uuid(b, m->message_id, m->action);
    buf_str(b, STR("</a:MessageID><a:To>" ANONYMOUS "</a:To><p:SequenceId>1</p:SequenceId><a:RelatesTo>"));
    xml_put(b, m->message_id);
    buf_str(b, STR("</a:RelatesTo></s:Header>"));
}

void wef_ack(struct buf *b, const struct wef_message *m)
{
    begin(b, m, NS_WSMAN "/Ack");
    buf_str(b, STR("<s:Body></s:Body></s:Envelope>"));
}

void wef_enumerate_begin(struct buf *b, const struct wef_message *m)
{
    begin(b, m, NS_ENUM "/EnumerateResponse");
    buf_str(b, STR("<s:Body><n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items>"));
}

void wef_enumerate_end(struct buf *b) { buf_str(b, STR("</w:Items><w:EndOfSequence/></n:EnumerateResponse></s:Body></s:Envelope>")); }

/* put_target - where events of this subscription go, and what is to stand in each message. */
static void put_target(struct buf *b, const struct wef_subscription *s, const struct wef_asker *to, const char *version)
{
    buf_str(b, STR("<a:Address>https://"));
    xml_put(b, to->host);
    buf_printf(b, "/wsman/subscriptions/%s</a:Address><a:ReferenceProperties><e:Identifier>%s</e:Identifier></a:ReferenceProperties>", s->id, version);
}

static void put_locale(struct buf *b, const struct wef_subscription *s)
{
    if (!*s->language)
        return;
    buf_str(b, STR("<w:Locale xml:lang=\""));
    xml_put(b, str_c(s->language));
    buf_str(b, STR("\" s:mustUnderstand=\"false\"/><p:DataLocale xml:lang=\""));
    xml_put(b, str_c(s->language));
    buf_str(b, STR("\" s:mustUnderstand=\"false\"/>"));
}

static void put_options(struct buf *b, const struct wef_subscription *s)
{
    buf_str(b, STR("<w:OptionSet xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><w:Option Name=\"SubscriptionName\">"));
    xml_put(b, str_c(s->id));
    buf_str(b, STR("</w:Option>"));
    if (s->compress)
        buf_str(b, STR("<w:Option Name=\"Compression\">SLDC</w:Option>"));
    buf_printf(b, "<w:Option Name=\"CDATA\" xsi:nil=\"true\"/><w:Option Name=\"ContentFormat\">%s</w:Option>"
                  "<w:Option Name=\"IgnoreChannelError\" xsi:nil=\"true\"/>", s->rendered ? "RenderedText" : "Raw");
    if (s->existing)
        buf_str(b, STR("<w:Option Name=\"ReadExistingEvents\" xsi:nil=\"true\"/>"));
    buf_str(b, STR("</w:OptionSet>"));
}

static void put_delivery(struct buf *b, const struct wef_subscription *s, const struct wef_asker *to, const char *version)
{
    buf_printf(b, "<e:Delivery Mode=\"" NS_WSMAN "/Events\"><w:Heartbeats>PT%lld.000S</w:Heartbeats><e:NotifyTo>", (long long)s->heartbeat_s);
    put_target(b, s, to, version);
    buf_str(b, STR("<c:Policy xmlns:c=\"http://schemas.xmlsoap.org/ws/2002/12/policy\" xmlns:auth=\"" NS_MS "/authentication\"><c:ExactlyOne><c:All>"
                   "<auth:Authentication Profile=\"" MUTUAL "\">"));
    if (to->issuer.n) {
        buf_str(b, STR("<auth:ClientCertificate><auth:Thumbprint Role=\"issuer\">"));
        xml_put(b, to->issuer);
        buf_str(b, STR("</auth:Thumbprint></auth:ClientCertificate>"));
    }
    buf_str(b, STR("</auth:Authentication></c:All></c:ExactlyOne></c:Policy></e:NotifyTo>"));
    buf_printf(b, "<w:ConnectionRetry Total=\"%lld\">PT%lld.0S</w:ConnectionRetry>", (long long)s->retry_count, (long long)s->retry_s);
    if (s->max_elements)
        buf_printf(b, "<w:MaxElements>%lld</w:MaxElements>", (long long)s->max_elements);
    buf_printf(b, "<w:MaxTime>PT%lld.000S</w:MaxTime><w:MaxEnvelopeSize Policy=\"Notify\">%lld</w:MaxEnvelopeSize>", (long long)s->max_time_s,
               (long long)s->envelope_bytes);
    put_locale(b, s);
    buf_str(b, STR("<w:ContentEncoding>UTF-16</w:ContentEncoding></e:Delivery>"));
}

void wef_enumerate_item(struct buf *b, const struct wef_subscription *s, const struct wef_asker *to, struct str bookmark)
{
    char version[37];

    wef_version(s, to, version);
    buf_printf(b, "<m:Subscription xmlns:m=\"" NS_MS "/subscription\"><m:Version>uuid:%s</m:Version>", version);
    buf_str(b, STR("<s:Envelope xmlns:s=\"" NS_SOAP "\" xmlns:a=\"" NS_ADDRESS "\" xmlns:e=\"" NS_EVENT "\" xmlns:n=\"" NS_ENUM "\" xmlns:w=\"" NS_WSMAN
                   ".xsd\" xmlns:p=\"" NS_MS "/wsman.xsd\"><s:Header><a:To>" ANONYMOUS "</a:To><w:ResourceURI s:mustUnderstand=\"true\">" NS_MS
                   "/windows/EventLog</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand=\"true\">" ANONYMOUS "</a:Address></a:ReplyTo>"
                   "<a:Action s:mustUnderstand=\"true\">" NS_EVENT "/Subscribe</a:Action>"));
    buf_printf(b, "<w:MaxEnvelopeSize s:mustUnderstand=\"true\">%lld</w:MaxEnvelopeSize><a:MessageID>", (long long)s->envelope_bytes);
    put_uuid(b, str_c(version), str_hash(to->machine));
    buf_str(b, STR("</a:MessageID>"));
    put_locale(b, s);
    buf_str(b, STR("<p:OperationID s:mustUnderstand=\"false\">"));
    put_uuid(b, str_c(version), str_hash(to->machine) + 1);
    buf_str(b, STR("</p:OperationID><p:SequenceId s:mustUnderstand=\"false\">1</p:SequenceId>"));
    put_options(b, s);
    buf_str(b, STR("</s:Header><s:Body><e:Subscribe><e:EndTo>"));
    put_target(b, s, to, version);
    buf_str(b, STR("</e:EndTo>"));
    put_delivery(b, s, to, version);
    buf_str(b, STR("<w:Filter Dialect=\"" QUERY_DIALECT "\">"));
    buf_str(b, str_c(s->query));
    buf_str(b, STR("</w:Filter>"));
    if (!bookmark.n && s->existing)
        bookmark = STR(EARLIEST);
    if (bookmark.n) {
        buf_str(b, STR("<w:Bookmark>"));
        buf_str(b, bookmark);
        buf_str(b, STR("</w:Bookmark>"));
    }
    buf_str(b, STR("<w:SendBookmarks/></e:Subscribe></s:Body></s:Envelope></m:Subscription>"));
}

void wef_fault(struct buf *b, bool sender, struct str reason)
{
    buf_printf(b, "<s:Envelope xmlns:s=\"" NS_SOAP "\"><s:Header></s:Header><s:Body><s:Fault><s:Code><s:Value>s:%s</s:Value></s:Code><s:Reason>"
                  "<s:Text xml:lang=\"en-US\">", sender ? "Sender" : "Receiver");
    xml_put(b, reason);
    buf_str(b, STR("</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"));
}

/* letter - the next letter of UTF-8 and its length; what is none becomes U+FFFD. */
static uint32_t letter(struct str s, size_t *n)
{
    unsigned char first = (unsigned char)*s.p;
    size_t need = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    uint32_t v = first < 0x80 ? first : first & (0xFFu >> (need + 1));

    *n = 1;
    if (first < 0x80)
        return v;
    if (need > s.n || !str_utf8_valid(str_of(s.p, need)))
        return 0xFFFD;
    for (size_t i = 1; i < need; i++)
        v = v << 6 | ((unsigned char)s.p[i] & 0x3F);
    *n = need;
    return v;
}

static void put_unit(struct buf *b, uint32_t v)
{
    buf_byte(b, (char)(v & 0xFF));
    buf_byte(b, (char)(v >> 8));
}

void wef_utf16(struct buf *b, struct str text)
{
    size_t n;

    put_unit(b, 0xFEFF);
    for (size_t i = 0; i < text.n; i += n) {
        uint32_t v = letter(str_cut(text, i), &n);

        if (v < 0x10000) {
            put_unit(b, v);
        } else {
            put_unit(b, 0xD800 + ((v - 0x10000) >> 10));
            put_unit(b, 0xDC00 + ((v - 0x10000) & 0x3FF));
        }
    }
}
