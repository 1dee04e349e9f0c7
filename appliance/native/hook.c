/* Requests before PJSIP's UA layer sees them.
 *
 * Two modules. `source` (priority 12, before the transaction layer at 16) makes every peer reachable where its packets
 * come from: answers go to the source port even without rport (RFC 3581 leaves phones behind NAT mute otherwise), and
 * Contact and Record-Route of a dialog with a phone give way to the flow; a provider's stay. `hook` (priority 31, after
 * transactions at 16 and before the UA layer at 32) shows each new request to Python, which answers it, or lets it pass.
 */
#include "centralka.h"

#define SOURCE_PRIORITY 12
#define HOOK_PRIORITY (PJSIP_MOD_PRIORITY_UA_PROXY_LAYER - 1)

/* ---- the flow rules ------------------------------------------------------------------------------------------- */

static int flow_is_reliable(const pjsip_rx_data *rdata)
{
    return (rdata->tp_info.transport->flag & PJSIP_TRANSPORT_RELIABLE) != 0;
}

static int contact_is_source(const pjsip_sip_uri *uri, const pjsip_rx_data *rdata)
{
    int port = uri->port ? uri->port : 5060;
    return port == rdata->pkt_info.src_port && pj_strcmp2(&uri->host, rdata->pkt_info.src_name) == 0;
}

static void contact_to_source(pjsip_rx_data *rdata)
{
    pjsip_contact_hdr *contact = pjsip_msg_find_hdr(rdata->msg_info.msg, PJSIP_H_CONTACT, NULL);
    pjsip_sip_uri *uri;

    if (!contact || contact->star || !contact->uri)
        return;
    uri = pjsip_uri_get_uri(contact->uri);
    if (!PJSIP_URI_SCHEME_IS_SIP(uri) || contact_is_source(uri, rdata))
        return;
    pj_strdup2(rdata->tp_info.pool, &uri->host, rdata->pkt_info.src_name);
    uri->port = rdata->pkt_info.src_port;
    uri->maddr_param.slen = 0;
    if (flow_is_reliable(rdata))
        pj_strdup2(rdata->tp_info.pool, &uri->transport_param, rdata->tp_info.transport->type_name);
    else
        uri->transport_param.slen = 0;
}

static void forget_record_route(pjsip_rx_data *rdata)
{
    while (pjsip_msg_find_remove_hdr(rdata->msg_info.msg, PJSIP_H_RECORD_ROUTE, NULL))
        ;
    rdata->msg_info.record_route = NULL;
}

static int makes_or_moves_dialog(const pjsip_rx_data *rdata)
{
    static const pjsip_method update = { PJSIP_OTHER_METHOD, { "UPDATE", 6 } };
    const pjsip_method *method = &rdata->msg_info.cseq->method;
    return method->id == PJSIP_INVITE_METHOD || pjsip_method_cmp(method, &update) == 0;
}

enum { MOST_PROVIDERS = 256 };
static char providers[MOST_PROVIDERS][PJ_INET6_ADDRSTRLEN];
static int provider_count;

/* Addresses of providers, separated by spaces: proxies of theirs stand in dialogs by Record-Route, and stay in them. */
static void ck_providers(const char *list)
{
    int used = 0;

    provider_count = 0;
    while (provider_count < MOST_PROVIDERS && sscanf(list, "%45s%n", providers[provider_count], &used) == 1) {
        list += used;
        provider_count++;
    }
}

static int from_provider(const pjsip_rx_data *rdata)
{
    int i;

    for (i = 0; i < provider_count; i++)
        if (strcmp(providers[i], rdata->pkt_info.src_name) == 0)
            return 1;
    return 0;
}

static pj_bool_t source_rx(pjsip_rx_data *rdata)
{
    if (rdata->msg_info.msg->type == PJSIP_REQUEST_MSG && rdata->msg_info.via->rport_param < 0)
        rdata->msg_info.via->rport_param = rdata->pkt_info.src_port;
    if (makes_or_moves_dialog(rdata) && !from_provider(rdata)) {
        contact_to_source(rdata);
        forget_record_route(rdata);
    }
    return PJ_FALSE;
}

static pjsip_module source_module = {
    .name = { "mod-centralka-source", 20 }, .id = -1, .priority = SOURCE_PRIORITY,
    .on_rx_request = &source_rx, .on_rx_response = &source_rx,
};

/* ---- the hook --------------------------------------------------------------------------------------------------- */

static pj_bool_t hook_rx(pjsip_rx_data *rdata)
{
    return ck_on_request(rdata, rdata->msg_info.msg_buf, rdata->msg_info.len, rdata->pkt_info.src_name,
                         rdata->pkt_info.src_port, rdata->tp_info.transport->type_name,
                         flow_is_reliable(rdata) ? (size_t)rdata->tp_info.transport : 0)
               ? PJ_TRUE : PJ_FALSE;
}

static pjsip_module hook_module = {
    .name = { "mod-centralka-hook", 18 }, .id = -1, .priority = HOOK_PRIORITY, .on_rx_request = &hook_rx,
};

static void dropped(pjsip_tp_dropped_data *what)
{
    char address[PJ_INET6_ADDRSTRLEN + 1] = "";
    int port = 0;

    if (what->status == PJ_EIGNORED)                     /* a keep-alive */
        return;
    if (what->tp->flag & PJSIP_TRANSPORT_RELIABLE) {     /* a datagram transport has no one peer */
        pj_sockaddr_print(&what->tp->key.rem_addr, address, sizeof address, 0);
        port = pj_sockaddr_get_port(&what->tp->key.rem_addr);
    }
    ck_on_dropped(what->data, (int)what->len, address, port);
}

/* After libInit. */
static int ck_hook_install(void)
{
    pjsip_endpoint *endpoint = pjsua_get_pjsip_endpt();
    pj_status_t status = pjsip_endpt_register_module(endpoint, &source_module);

    if (status == PJ_SUCCESS)
        status = pjsip_endpt_register_module(endpoint, &hook_module);
    if (status == PJ_SUCCESS)
        status = pjsip_tpmgr_set_drop_data_cb(pjsip_endpt_get_tpmgr(endpoint), &dropped);
    if (status == PJ_SUCCESS)
        status = pjsip_endpt_set_ext_resolver(endpoint, &own_resolver);
    return status;
}

/* "Name: value\n" lines to header objects. Lines without a colon are left out. */
static void parse_headers(pj_pool_t *pool, const char *lines, pjsip_hdr *list)
{
    pj_list_init(list);
    while (lines && *lines) {
        const char *end = strchr(lines, '\n'), *colon = strchr(lines, ':');
        pj_str_t name, value, own_name, own_value;

        if (!end)
            break;
        if (colon && colon < end) {
            pj_strset(&name, (char *)lines, colon - lines);
            for (colon++; *colon == ' '; colon++)
                ;
            pj_strset(&value, (char *)colon, end - colon);
            pj_strdup(pool, &own_name, &name);
            pj_strdup(pool, &own_value, &value);
            pj_list_push_back(list, pjsip_generic_string_hdr_create(pool, &own_name, &own_value));
        }
        lines = end + 1;
    }
}

/* Answer the request shown to ck_on_request, within it. Stateful: PJSIP repeats the answer to repeats of the request. */
static int ck_respond(void *request, int code, const char *headers, int stateful)
{
    pjsip_rx_data *rdata = request;
    pjsip_hdr list;

    parse_headers(rdata->tp_info.pool, headers, &list);
    if (stateful)
        return pjsip_endpt_respond(pjsua_get_pjsip_endpt(), NULL, rdata, code, NULL, &list, NULL, NULL);
    return pjsip_endpt_respond_stateless(pjsua_get_pjsip_endpt(), rdata, code, NULL, &list, NULL);
}

/* The To tag that the next answer to this request has: whoever keeps a dialog for it minted the tag. */
static void ck_to_tag(void *request, const char *tag)
{
    pjsip_rx_data *rdata = request;
    pj_strdup2(rdata->tp_info.pool, &rdata->msg_info.to->tag, tag);
}

/* ---- requests of ours ------------------------------------------------------------------------------------------- */

static pjsip_route_hdr *parse_route(pj_pool_t *pool, const char *route)
{
    static const pj_str_t name = { "Route", 5 };
    pj_str_t text;

    pj_strdup2_with_null(pool, &text, route);            /* the parser looks for the end */
    return pjsip_parse_hdr(pool, &name, text.ptr, text.slen, NULL);
}

/* Where the calls made from now on with this account are sent: "<sip:10.0.0.7:5062;transport=tcp;lr;hide>", "" for
 * where their URI says. `hide` keeps the header out of the message. */
static int ck_account_route(int account, const char *route)
{
    static pj_pool_t *pool;
    pjsip_route_hdr *list = &pjsua_var.acc[account].route_set, *one;

    PJSUA_LOCK();
    pj_list_init(list);
    if (!pool)
        pool = pjsua_pool_create("ck-route", 1024, 1024);
    pj_pool_reset(pool);                                 /* a dialog clones what it takes */
    one = route[0] ? parse_route(pool, route) : NULL;
    if (one)
        pj_list_push_back(list, one);
    PJSUA_UNLOCK();
    return route[0] && !one ? -EINVAL : 0;
}

static void answered(void *token, pjsip_event *event)
{
    int code = event->type == PJSIP_EVENT_TSX_STATE ? event->body.tsx_state.tsx->status_code : 503;
    ck_on_answer((long)(pj_ssize_t)token, code);
}

/* Only the listener that checks certificates as the account wants it may make, or lend, a connection. */
static void use_listener(pjsip_tx_data *tdata, int account)
{
    pjsip_tpselector selector;

    if (account < 0 || !pjsua_acc_is_valid(account))
        return;
    pjsua_init_tpselector(account, &selector);
    pjsip_tx_data_set_transport(tdata, &selector);
}

/* Ask for a sign of life, over the transport of an account where it is not negative; ck_on_answer(token, code) comes within
 * 32 s unless this fails. */
static int ck_send_options(const char *target, const char *route, const char *from, int account, long token)
{
    pjsip_tx_data *tdata;
    pjsip_route_hdr *hop;
    pj_str_t to, own, contact;
    pj_status_t status;

    pj_cstr(&to, target);
    pj_cstr(&own, from);
    pj_cstr(&contact, from);
    status = pjsip_endpt_create_request(pjsua_get_pjsip_endpt(), pjsip_get_options_method(), &to, &own, &to, &contact,
                                        NULL, -1, NULL, &tdata);
    if (status != PJ_SUCCESS)
        return status;
    hop = route[0] ? parse_route(tdata->pool, route) : NULL;
    if (hop)
        pjsip_msg_insert_first_hdr(tdata->msg, (pjsip_hdr *)hop);
    use_listener(tdata, account);
    return pjsip_endpt_send_request(pjsua_get_pjsip_endpt(), tdata, -1, (void *)(pj_ssize_t)token, &answered);
}

/* A NOTIFY of a dialog that Python keeps (no dialog of PJSIP's). `from` and `to` are URIs, their tags stand apart, an empty
 * `to_tag` is none. The body is application/`subtype`. ck_on_answer(token, code) comes within 32 s unless this fails. */
static int ck_send_notify(const char *target, const char *route, const char *from, const char *from_tag,
                          const char *to, const char *to_tag, const char *contact, const char *call_id, int cseq,
                          const char *headers, const char *subtype, const char *body, long token)
{
    static const pjsip_method notify = { PJSIP_OTHER_METHOD, { "NOTIFY", 6 } };
    pjsip_endpoint *endpoint = pjsua_get_pjsip_endpt();
    pj_str_t type = pj_str("application"), kind = pj_str((char *)subtype), text = pj_str((char *)body);
    pj_str_t where = pj_str((char *)target), own = pj_str((char *)from), peer = pj_str((char *)to);
    pj_str_t back = pj_str((char *)contact), id = pj_str((char *)call_id);
    pjsip_tx_data *tdata;
    pjsip_route_hdr *hop;
    pjsip_hdr list;
    pj_status_t status = pjsip_endpt_create_request(endpoint, &notify, &where, &own, &peer, &back, &id, cseq, NULL, &tdata);

    if (status != PJ_SUCCESS)
        return status;
    pj_strdup2(tdata->pool, &PJSIP_MSG_FROM_HDR(tdata->msg)->tag, from_tag);
    pj_strdup2(tdata->pool, &PJSIP_MSG_TO_HDR(tdata->msg)->tag, to_tag);
    hop = route[0] ? parse_route(tdata->pool, route) : NULL;
    if (hop)
        pjsip_msg_insert_first_hdr(tdata->msg, (pjsip_hdr *)hop);
    parse_headers(tdata->pool, headers, &list);
    while (!pj_list_empty(&list)) {
        pjsip_hdr *one = list.next;
        pj_list_erase(one);
        pjsip_msg_add_hdr(tdata->msg, one);
    }
    tdata->msg->body = pjsip_msg_body_create(tdata->pool, &type, &kind, &text);
    return pjsip_endpt_send_request(endpoint, tdata, -1, (void *)(pj_ssize_t)token, &answered);
}

/* ---- what PJSIP says of itself ----------------------------------------------------------------------------------- */

/* Its log goes to standard error with the priority systemd reads; messages are never among it at these levels. */
static void log_line(int level, const char *data, int length)
{
    fprintf(stderr, "<%d>pjsip: %.*s\n", level <= 1 ? 3 : 4, length > 0 && data[length - 1] == '\n' ? length - 1 : length, data);
}

/* Before libCreate, which speaks before any level is set. */
static void ck_quiet(int level)
{
    pj_log_set_log_func(&log_line);
    pj_log_set_level(level);
}
