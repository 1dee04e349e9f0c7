/* How PJSIP is built for Centralka. Limits over a compile-time value are silently cut by pjsua, so they are generous:
 * 240 legs are 120 bridged calls. Reasons stand beside each value. */
#define PJ_TODO(x)

#define PJ_IOQUEUE_MAX_HANDLES 1024       /* two per leg, one per TCP or TLS phone; 64 by default */
#define PJ_IOQUEUE_DEFAULT_EPOLL_FLAGS 0  /* neither EXCLUSIVE nor ONESHOT: right while one thread polls each queue */

#define PJSUA_MAX_CALLS 256               /* legs */
#define PJSUA_MAX_ACC 64
#define PJSUA_MAX_CONF_PORTS 512
#define PJSUA_MAX_PLAYERS 128
#define PJSUA_MAX_RECORDERS 128
#define PJSIP_MAX_TSX_COUNT 2047          /* hash sizes */
#define PJSIP_MAX_DIALOG_COUNT 1023
#define PJSIP_MAX_PKT_LEN 8000            /* a longer datagram is cut and still processed: the hook refuses over 4000 */
#define PJSIP_MAX_URL_SIZE 512            /* push parameters make contacts long */
#define PJSIP_DONT_SWITCH_TO_TCP 1        /* INVITEs stay under 1300 bytes; a switch breaks phones on UDP only */
#define PJSIP_TCP_KEEP_ALIVE_INTERVAL 30
#define PJSIP_TLS_KEEP_ALIVE_INTERVAL 30
#define PJSIP_TRANSPORT_SERVER_IDLE_TIME 4000   /* longer than the longest registration: a binding keeps its flow */
#define PJSIP_TRANSPORT_SERVER_IDLE_TIME_FIRST 10  /* a connection that says nothing is closed after ten seconds */
#define PJSIP_TCP_TRANSPORT_BACKLOG 64
#define PJSIP_TLS_TRANSPORT_BACKLOG 64

#define PJMEDIA_CONF_USE_AGC 0
#define PJMEDIA_HAS_SRTP 1
#define PJMEDIA_HAS_VIDEO 0
#define PJMEDIA_TELEPHONE_EVENT_ALL_CLOCKRATES 0
#define PJMEDIA_RTP_PT_TELEPHONE_EVENTS 101
#define PJMEDIA_SDP_NEG_PREFER_REMOTE_CODEC_ORDER 1
