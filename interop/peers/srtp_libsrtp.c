/* Protects or unprotects packets with libsrtp2.
   srtp_libsrtp protect|unprotect SUITE KEY-AND-SALT(hex) MKI(hex or -)
   stdin: packets as 1 octet kind (0 RTP, 1 RTCP), 2 octets length, the packet; stdout: 1 octet libsrtp status, 2 octets length, the packet.
   Needs libsrtp2-dev; link with -lsrtp2. */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t unhex(const char *text, unsigned char *out)
{
    size_t n = 0;
    unsigned octet;
    while (sscanf(text + 2 * n, "%2x", &octet) == 1)
        out[n++] = octet;
    return n;
}

static int set(const char *suite, srtp_policy_t *p)
{
    if (!strcmp(suite, "AES_CM_128_HMAC_SHA1_80")) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
    } else if (!strcmp(suite, "AES_CM_128_HMAC_SHA1_32")) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p->rtcp);
    } else if (!strcmp(suite, "AES_256_CM_HMAC_SHA1_80")) {
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
    } else if (!strcmp(suite, "AES_256_CM_HMAC_SHA1_32")) {
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&p->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
    } else if (!strcmp(suite, "AEAD_AES_128_GCM")) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
    } else if (!strcmp(suite, "AEAD_AES_256_GCM")) {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
    } else if (!strcmp(suite, "NULL_HMAC_SHA1_80")) {
        srtp_crypto_policy_set_null_cipher_hmac_sha1_80(&p->rtp);
        srtp_crypto_policy_set_null_cipher_hmac_sha1_80(&p->rtcp);
    } else {
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    static unsigned char key[64], mki[128];
    static _Alignas(8) unsigned char packet[70000];
    srtp_policy_t policy;
    srtp_master_key_t master = { key, mki, 0 }, *masters[1] = { &master };
    srtp_t session;

    if (argc != 5)
        return 2;
    int protect = !strcmp(argv[1], "protect");
    memset(&policy, 0, sizeof policy);
    if (srtp_init() || !set(argv[2], &policy))
        return 3;
    unhex(argv[3], key);
    int use_mki = strcmp(argv[4], "-") != 0;
    if (use_mki)
        master.mki_size = unhex(argv[4], mki);
    policy.keys = masters;
    policy.num_master_keys = 1;
    policy.ssrc.type = protect ? ssrc_any_outbound : ssrc_any_inbound;
    policy.window_size = 128;
    if (srtp_create(&session, &policy))
        return 4;
    for (;;) {
        int kind = getchar();
        if (kind == EOF)
            return fflush(stdout) ? 1 : 0;
        int length = getchar() << 8;
        length |= getchar();
        if (fread(packet, 1, length, stdin) != (size_t) length)
            return 5;
        int status;
        if (protect)
            status = kind ? srtp_protect_rtcp_mki(session, packet, &length, use_mki, 0) : srtp_protect_mki(session, packet, &length, use_mki, 0);
        else
            status = kind ? srtp_unprotect_rtcp_mki(session, packet, &length, use_mki) : srtp_unprotect_mki(session, packet, &length, use_mki);
        if (status)
            length = 0;
        putchar(status);
        putchar(length >> 8);
        putchar(length & 255);
        fwrite(packet, 1, length, stdout);
    }
}
