/* libsrtp2 as Debian packages it, one context of one direction.
// links: libsrtp2
*/
#include <srtp2/srtp.h>
#include <string.h>

void *srtp_peer_new(int galois, int outbound, unsigned char *key_and_salt)
{
    static int ready;
    srtp_policy_t policy;
    srtp_t session = 0;
    if (!ready && srtp_init())
        return 0;
    ready = 1;
    memset(&policy, 0, sizeof policy);
    if (galois)
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    policy.rtcp = policy.rtp;
    policy.key = key_and_salt;
    policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound;
    policy.window_size = 128;
    return srtp_create(&session, &policy) ? 0 : session;
}

int srtp_peer_protect(void *session, unsigned char *packet, int length)
{
    return srtp_protect(session, packet, &length) ? -1 : length;
}

int srtp_peer_unprotect(void *session, unsigned char *packet, int length)
{
    return srtp_unprotect(session, packet, &length) ? -1 : length;
}

void srtp_peer_free(void *session)
{
    srtp_dealloc(session);
}
