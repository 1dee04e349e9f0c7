/* Names of servers, without waiting for them.
 *
 * PJSIP would ask the system's resolver, which blocks the loop for seconds when the network is away, knows no NAPTR and
 * moves to another server only when sending fails. So it asks us: addresses are taken as they stand, names from a table
 * that Python fills (lines/resolver.py), and what is not in it waits until Python knows.
 */
#include "centralka.h"

enum { MOST_SERVERS = 64, MOST_QUERIES = 64, LONGEST_NAME = 254, LONGEST_FULL = LONGEST_NAME + 16 };

static struct server { char name[LONGEST_FULL]; pj_sockaddr_in where; } servers[MOST_SERVERS];
static int server_count;

static struct name_query {
    char name[LONGEST_NAME], full[LONGEST_FULL];         /* "sip.example.org", "sip.example.org;udp" */
    pjsip_transport_type_e type;
    int port;
    void *token;
    pjsip_resolver_callback *then;
} queries[MOST_QUERIES];
static int query_count;

static void server_found(const pj_sockaddr_in *where, pjsip_transport_type_e type, int port, void *token,
                  pjsip_resolver_callback *then)
{
    pjsip_server_addresses addresses;
    pjsip_server_address_record *one = &addresses.entry[0];

    pj_bzero(&addresses, sizeof addresses);
    addresses.count = 1;
    one->type = type;
    one->addr.ipv4 = *where;
    one->addr_len = sizeof(pj_sockaddr_in);
    if (!port)
        port = pj_sockaddr_in_get_port(where);
    if (!port)
        port = pjsip_transport_get_default_port_for_type(type);
    pj_sockaddr_in_set_port(&one->addr.ipv4, (pj_uint16_t)port);
    then(PJ_SUCCESS, token, &addresses);
}

static struct server *server_of(const char *name)
{
    int i;

    for (i = 0; i < server_count; i++)
        if (pj_ansi_stricmp(servers[i].name, name) == 0)
            return &servers[i];
    return NULL;
}

static pjsip_transport_type_e type_of(const pjsip_host_info *target)
{
    if (target->type != PJSIP_TRANSPORT_UNSPECIFIED)
        return target->type;
    if (target->flag & PJSIP_TRANSPORT_SECURE)
        return PJSIP_TRANSPORT_TLS;
    return target->flag & PJSIP_TRANSPORT_RELIABLE ? PJSIP_TRANSPORT_TCP : PJSIP_TRANSPORT_UDP;
}

static void resolve_name(pjsip_resolver_t *resolver, pj_pool_t *pool, const pjsip_host_info *target, void *token,
                    pjsip_resolver_callback *then)
{
    pjsip_transport_type_e type = type_of(target);
    const pj_str_t *host = &target->addr.host;
    pj_sockaddr_in literal;
    struct server *known;
    struct name_query *one;
    char name[LONGEST_NAME], full[LONGEST_FULL];

    pj_sockaddr_in_init(&literal, NULL, 0);
    if (host->slen > 0 && pj_inet_pton(pj_AF_INET(), host, &literal.sin_addr) == PJ_SUCCESS) {
        server_found(&literal, type, target->addr.port, token, then);
        return;
    }
    if (host->slen <= 0 || host->slen >= LONGEST_NAME || query_count == MOST_QUERIES) {
        then(PJ_ERESOLVE, token, NULL);
        return;
    }
    pj_memcpy(name, host->ptr, host->slen);
    name[host->slen] = 0;
    pj_ansi_snprintf(full, sizeof full, "%s;%s", name, pjsip_transport_get_type_name(type));
    known = server_of(full);
    if (!known)
        known = server_of(name);
    if (known) {
        server_found(&known->where, type, target->addr.port, token, then);
        return;
    }
    one = &queries[query_count++];
    pj_ansi_strxcpy(one->name, name, sizeof one->name);
    pj_ansi_strxcpy(one->full, full, sizeof one->full);
    one->type = type;
    one->port = target->addr.port;
    one->token = token;
    one->then = then;
    ck_on_name(name);
}

static pjsip_ext_resolver own_resolver = { .resolve = &resolve_name };

/* Whoever waits for the name goes on: to `where`, or without one to an error. */
static void go_on(const char *name, const pj_sockaddr_in *where)
{
    int i = 0;

    while (i < query_count) {
        struct name_query one = queries[i];

        if (pj_ansi_stricmp(one.name, name) != 0 && pj_ansi_stricmp(one.full, name) != 0) {
            i++;
            continue;
        }
        queries[i] = queries[--query_count];           /* before the callback, which may ask for more */
        if (where)
            server_found(where, one.type, one.port, one.token, one.then);
        else
            one.then(PJ_ERESOLVE, one.token, NULL);
    }
}

/* The server of a name ("sip.example.org"), or of a name for one transport ("sip.example.org;udp", looked at first), from
 * now on; an empty address: it is not known. A port of 0 is the usual one. */
static int ck_server(const char *name, const char *address, int port)
{
    struct server *one = server_of(name);
    pj_str_t text = pj_str((char *)address);

    if (strlen(name) >= LONGEST_FULL)
        return -EINVAL;
    if (!address[0]) {
        if (one)
            *one = servers[--server_count];
        go_on(name, NULL);
        return 0;
    }
    if (!one) {
        if (server_count == MOST_SERVERS)
            return -ENOSPC;
        one = &servers[server_count++];
        pj_ansi_strxcpy(one->name, name, sizeof one->name);
    }
    pj_sockaddr_in_init(&one->where, NULL, (pj_uint16_t)port);
    if (pj_inet_pton(pj_AF_INET(), &text, &one->where.sin_addr) != PJ_SUCCESS)
        return -EINVAL;
    go_on(name, &one->where);
    return 0;
}
