// sofia-sip: splits, types and writes a message. Its parser reads every header field into its structure at once.
// links: sofia-sip-ua
#include <stddef.h>
#include <string.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>

/* 0: not accepted; else how many octets were written, or 1. */
size_t sofia_sip(const char *data, size_t length, int what)
{
    msg_t *msg = msg_make(sip_default_mclass(), 0, data, (ssize_t)length);
    if (!msg) return 0;
    sip_t *sip = sip_object(msg);
    size_t result = 0;
    if (sip && !sip->sip_error && !(sip->sip_flags & MSG_FLG_ERROR) && sip->sip_via && sip->sip_from && sip->sip_to
        && sip->sip_cseq && sip->sip_call_id) {
        result = 1;
        if (what >= 1) {
            result += sip->sip_via->v_branch ? sip->sip_via->v_branch[0] & 1 : 0;
            result += sip->sip_from->a_tag ? sip->sip_from->a_tag[0] & 1 : 0;
            result += sip->sip_cseq->cs_seq & 1;
        }
        if (what >= 2) {
            size_t written = 0;
            char *text = msg_as_string(msg_home(msg), msg, NULL, 0, &written);
            result = text ? written : 0;
        }
    }
    msg_unref(msg);
    return result;
}
